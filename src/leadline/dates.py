"""Days, half-open ranges and the reporting calendar.

A day is a calendar date in the reporting zone. Every range is `[start, end)`: the end is the
first day, or the first instant, that is no longer in it. Grains are day, week, month, quarter
and year; the week start is configured, and quarter and year follow the fiscal year.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from dataclasses import dataclass
from typing import Literal

from leadline.errors import UsageError

Grain = Literal["day", "week", "month", "quarter", "year"]
GRAINS: tuple[Grain, ...] = ("day", "week", "month", "quarter", "year")
WeekStart = Literal["monday", "saturday", "sunday"]

_EPOCH = dt.date(1970, 1, 1)
_WEEKDAY: dict[WeekStart, int] = {"monday": 0, "saturday": 5, "sunday": 6}
_MONTHS: dict[str, int] = {"month": 1, "quarter": 3, "year": 12}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?")
_WHAT_TO_WRITE = "write a date such as 2026-03-31 or an instant such as 2026-03-31T12:00:00Z"


@dataclass(frozen=True, slots=True)
class Calendar:
    """How days are gathered into periods.

    Attributes:
        fiscal_year_start: first month of the fiscal year, 1 to 12.
        week_start: first day of the week.

    Raises:
        UsageError: a month outside 1 to 12 or an unknown week start.
    """

    fiscal_year_start: int = 1
    week_start: WeekStart = "monday"

    def __post_init__(self) -> None:
        if not 1 <= self.fiscal_year_start <= 12:
            raise UsageError(f"A fiscal year cannot start in month {self.fiscal_year_start}; give 1 to 12.")
        if self.week_start not in _WEEKDAY:
            raise UsageError(f"A week cannot start on {self.week_start!r}; give {', '.join(_WEEKDAY)}.")

    def start(self, day: dt.date, grain: Grain) -> dt.date:
        """First day of the period that holds `day`."""
        if grain == "day":
            return day
        if grain == "week":
            return day - dt.timedelta(days=(day.weekday() - _WEEKDAY[self.week_start]) % 7)
        first_month = self.fiscal_year_start - 1 if grain != "month" else 0
        into = (day.month - 1 - first_month) % _MONTHS[grain]
        return _add_months(day.replace(day=1), -into)

    def following(self, start: dt.date, grain: Grain) -> dt.date:
        """First day of the period after the one that starts on `start`: its end."""
        if grain in _MONTHS:
            return _add_months(start, _MONTHS[grain])
        return start + dt.timedelta(days=7 if grain == "week" else 1)

    def label(self, start: dt.date, grain: Grain) -> str:
        """Name of the period that starts on `start`.

        `2026-03-31` for days and weeks (the first day), `2026-03`, `2026-Q1`, `2026`. A fiscal
        year that does not start in January is named after the year in which it ends, as
        Salesforce does unless told otherwise: `FY2026`, `FY2026-Q1`.
        """
        if grain in ("day", "week"):
            return start.isoformat()
        if grain == "month":
            return f"{start:%Y-%m}"
        year_start = self.start(start, "year")
        fiscal = self.fiscal_year_start > 1
        name = f"FY{year_start.year + 1:04}" if fiscal else f"{year_start.year:04}"
        return name if grain == "year" else f"{name}-Q{(start.month - year_start.month) % 12 // 3 + 1}"

    def period_starts(self, first_day: dt.date, last_day: dt.date, grain: Grain) -> list[dt.date]:
        """First days of every period that holds a day from `first_day` to `last_day`, both included."""
        starts, start = [], self.start(first_day, grain)
        while start <= last_day:
            starts.append(start)
            start = self.following(start, grain)
        return starts


def day_number(day: dt.date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def day_of(number: int) -> dt.date:
    """The date that is `number` days after 1970-01-01."""
    return _EPOCH + dt.timedelta(days=number)


def local_day(instant: dt.datetime, zone: str) -> dt.date:
    """Calendar date of an aware instant in `zone`."""
    return instant.astimezone(_zone(zone)).date()


def in_zone(instant: dt.datetime, zone: str) -> dt.datetime:
    """An instant as local time in `zone`; one without zone is UTC already."""
    return (instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)).astimezone(_zone(zone))


def day_bounds(day: dt.date, zone: str) -> tuple[dt.datetime, dt.datetime]:
    """A local day as a half-open range of UTC instants.

    The start is the first instant of that date: where the clocks skip midnight it is the first
    moment after the gap, where midnight comes twice it is the first one. A day that a zone
    skipped altogether is empty.
    """
    return _midnight(day, zone), _midnight(day + dt.timedelta(days=1), zone)


def end_of_day(day: dt.date, zone: str) -> dt.datetime:
    """The last microsecond of a local day, in UTC."""
    return day_bounds(day, zone)[1] - dt.timedelta(microseconds=1)


def parse_day(text: str, option: str) -> dt.date:
    """Value of `--from` or `--to` → a date; `--to` is the first day that is not included.

    Raises:
        UsageError: no calendar date.
    """
    if _DAY.fullmatch(text.strip()):
        try:
            return dt.date.fromisoformat(text.strip())
        except ValueError as fault:
            raise UsageError(f"{option} {text!r} is no date of the calendar ({fault}).") from fault
    raise UsageError(f"{option} {text!r} is no date; write one such as 2026-03-31.")


def parse_range(start: str | None, end: str | None) -> tuple[dt.date | None, dt.date | None]:
    """Values of `--from` and `--to` → `[start, end)`, None for an open side.

    Raises:
        UsageError: no dates, or a range that holds no day.
    """
    first = parse_day(start, "--from") if start is not None else None
    stop = parse_day(end, "--to") if end is not None else None
    if first is not None and stop is not None and stop <= first:
        raise UsageError(
            f"--from {first} --to {stop} holds no day: --to is the first day that is not included. "
            f"For the single day {first} write --to {first + dt.timedelta(days=1)}."
        )
    return first, stop


def parse_as_of(text: str, zone: str) -> dt.datetime:
    """Value of `--as-of` or `--extracted-at` → an instant in UTC.

    A date is the end of that day in `zone`. An instant without offset is a time in `zone`.

    Raises:
        UsageError: neither a date nor an instant.
    """
    value = text.strip()
    if _DAY.fullmatch(value):
        return end_of_day(parse_day(value, "--as-of"), zone)
    if not _INSTANT.fullmatch(value):
        raise UsageError(f"{text!r} is neither a date nor an instant; {_WHAT_TO_WRITE}.")
    try:
        instant = dt.datetime.fromisoformat(value)
    except ValueError as fault:
        raise UsageError(f"{text!r} is no instant of the calendar ({fault}); {_WHAT_TO_WRITE}.") from fault
    return (instant if instant.tzinfo else instant.replace(tzinfo=_zone(zone))).astimezone(dt.UTC)


def format_instant(instant: dt.datetime) -> str:
    """An instant as ISO text with `Z`; one without zone is UTC already."""
    utc = instant.astimezone(dt.UTC) if instant.tzinfo else instant
    return utc.replace(tzinfo=None).isoformat() + "Z"


def _zone(zone: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as fault:
        raise UsageError(f"{zone!r} is no IANA time zone; write a name such as 'Europe/Berlin'.") from fault


def _midnight(day: dt.date, zone: str) -> dt.datetime:
    # fold=0 reads a skipped midnight with the offset before the gap, which lands on the gap's
    # end, and a repeated midnight as the first of the two: both are the first instant of the day.
    return dt.datetime(day.year, day.month, day.day, tzinfo=_zone(zone)).astimezone(dt.UTC)


def _add_months(first: dt.date, months: int) -> dt.date:
    index = first.year * 12 + first.month - 1 + months
    return dt.date(index // 12, index % 12 + 1, 1)
