"""Working days: a cumulative index, so that the working days between two days are one subtraction.

A day is a working day if its weekday is one (Monday to Friday unless told otherwise) and it is no
holiday. Holidays are dates, or the public holidays of a country or one of its parts as the
package `holidays` knows them; it brings its rules along and asks nobody. It knows each country
from a first to a last year (Germany: 1991 to 2100); outside of these only weekends are free.
The index covers the years 1900 to 2199, like the calendar of a snapshot.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from leadline.dates import day_number
from leadline.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from holidays import HolidayBase

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONDAY_TO_FRIDAY = WEEKDAYS[:5]
FIRST_DAY = dt.date(1900, 1, 1)
END_DAY = dt.date(2200, 1, 1)
"""The index covers the days `[FIRST_DAY, END_DAY)`."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True, eq=False)
class Workdays:
    """The working days of a calendar; all days are day numbers since 1970-01-01.

    Attributes:
        first: the first day of the index.
        before_day: int64, shape (days + 1,): entry i is the number of working days in
            `[first, first + i)`.
    """

    first: int
    before_day: np.ndarray

    def before(self, day: int) -> int:
        """Working days from the start of the index to the day before `day`."""
        at = min(max(day - self.first, 0), len(self.before_day) - 1)
        return int(self.before_day[at])

    def between(self, start: int, end: int) -> int:
        """Working days in `[start, end)`; negative if `end` comes first."""
        return self.before(end) - self.before(start)

    def after(self, start: int, count: int) -> int:
        """First day up to which `count` working days lie in `[start, day)`.

        It is the day after the `count`-th working day, `start` itself for 0, and the end of the
        index where there are not so many.
        """
        if count <= 0:
            return start
        at = int(np.searchsorted(self.before_day, self.before(start) + count, side="left"))
        return self.first + min(at, len(self.before_day) - 1)

    def table(self) -> pa.Table:
        """The index as a table to join days with.

        Columns:
            day: day number since 1970-01-01.
            workday: 1 on a working day, else 0.
            workdays_before: working days from the start of the index to the day before.
        """
        return pa.table(
            {
                "day": np.arange(self.first, self.first + len(self.before_day) - 1, dtype=np.int64),
                "workday": np.diff(self.before_day),
                "workdays_before": self.before_day[:-1],
            }
        )


@lru_cache(maxsize=8)
def workdays(holidays: tuple[str, ...] = (), weekdays: tuple[str, ...] = MONDAY_TO_FRIDAY) -> Workdays:
    """The index of a calendar.

    Args:
        holidays: dates such as `2026-12-24` and regions such as `DE`, `DE-BY`, `US`, in any mix.
        weekdays: which weekdays are worked, of `WEEKDAYS`.

    Raises:
        UsageError: an entry that is neither, a weekday that does not exist, or none at all.
    """
    faults = [*holiday_faults(holidays), *weekday_faults(weekdays)]
    if faults:
        raise UsageError("; ".join(f"{shown!r} {sentence}" for shown, sentence in faults))
    first, end = day_number(FIRST_DAY), day_number(END_DAY)
    numbers = np.arange(first, end, dtype=np.int64)
    worked = np.array([name in weekdays for name in WEEKDAYS])
    free = np.array(sorted({day_number(day) for day in _holidays(holidays)}), dtype=np.int64)
    # 1970-01-01 was a Thursday.
    is_workday = worked[(numbers + 3) % 7]
    is_workday[free[(free >= first) & (free < end)] - first] = False
    return Workdays(first, np.concatenate([[0], np.cumsum(is_workday, dtype=np.int64)]))


def years_known(holidays: Iterable[str]) -> dict[str, tuple[int, int]]:
    """First and last year of which the holidays of each region are known."""
    found = {}
    for entry in holidays:
        if not _DATE.fullmatch(entry):
            region = _region(entry, ())
            found[entry] = (max(region.start_year, FIRST_DAY.year), min(region.end_year, END_DAY.year - 1))
    return found


def holiday_faults(entries: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Entries that are neither a date nor a region, each with what is wrong and what to write."""
    for entry in entries:
        if _DATE.fullmatch(entry):
            try:
                dt.date.fromisoformat(entry)
            except ValueError as fault:
                yield entry, f"is no date of the calendar ({fault})"
        elif (sentence := _region_fault(entry)) is not None:
            yield entry, sentence


def weekday_faults(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names that are no weekday, names given twice, and a week without any."""
    if not names:
        yield "", f"must name at least one weekday of {', '.join(WEEKDAYS)}"
    for at, name in enumerate(names):
        if name not in WEEKDAYS:
            yield name, f"is no weekday; write {', '.join(WEEKDAYS)}.{did_you_mean(name[:3], WEEKDAYS)}"
        elif name in names[:at]:
            yield name, "is named twice"


def _region_fault(entry: str) -> str | None:
    """What is wrong with a region, or None."""
    import holidays

    known = holidays.list_supported_countries(include_aliases=False)
    country, dash, part = entry.partition("-")
    if country not in known:
        return (
            "is neither a date such as 2026-12-24 nor a country whose holidays are known; "
            f"write its two capital letters, e.g. DE, US.{did_you_mean(country, known)}"
        )
    parts = known[country]
    if dash and part not in parts:
        near = did_you_mean(part, parts)
        return f"names no part of {country} that has holidays of its own; write one of {', '.join(parts) or '(none)'}.{near}"
    return None


def _holidays(entries: Iterable[str]) -> Iterator[dt.date]:
    for entry in entries:
        if _DATE.fullmatch(entry):
            yield dt.date.fromisoformat(entry)
        else:
            yield from _region(entry, range(FIRST_DAY.year, END_DAY.year)).keys()


def _region(entry: str, years: Iterable[int]) -> HolidayBase:
    # Imported where it is asked for: whoever has no holidays configured never loads it.
    import holidays

    country, _, part = entry.partition("-")
    return holidays.country_holidays(country, subdiv=part or None, years=years)
