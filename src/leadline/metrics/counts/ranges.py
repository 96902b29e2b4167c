"""Periods and what each is compared with: the one before, the same a year earlier, or days of one's own.

A period that has not ended yet at as-of is compared over equal elapsed days: its k days so far with
the first k days of the other. All bounds are day numbers, `[first, end)`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from leadline.dates import Calendar, Grain, day_number, day_of, parse_range
from leadline.errors import UsageError

PREVIOUS, LAST_YEAR = "previous", "last-year"
_WHAT = f"{PREVIOUS}, {LAST_YEAR}, or two days such as 2025-01-01:2025-04-01"
_YEAR_OF_WEEKS = 364
"""Days of 52 weeks: the same weekdays a year earlier."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One period and the one it is compared with.

    Attributes:
        first, end: days of the period; cut after as-of's day while it runs.
        before_first, before_end: days of the other.
        label, before_label: their names.
        running: whether the period has not ended at as-of.
        age: days that the younger of the two has had at as-of since its first day.
    """

    first: int
    end: int
    before_first: int
    before_end: int
    label: str
    before_label: str
    running: bool
    age: int

    @property
    def days(self) -> int:
        """Days of the period that have come."""
        return self.end - self.first

    @property
    def before_days(self) -> int:
        """Days of the other that are compared with them."""
        return self.before_end - self.before_first


def pairs(
    calendar: Calendar, grain: Grain | None, first: int | None, end: int | None, today: int, compare: str
) -> list[Pair]:
    """The periods asked for, each with the one it is compared with.

    Args:
        grain: length of a period; None for the one range asked for.
        first, end: the range asked for, `[first, end)`; with a grain an open end is as-of's day.
        today: day of as-of; what begins after it is left out.
        compare: previous, last-year, or FIRST:END.

    Raises:
        UsageError: no range and no grain, or a comparison that cannot be read.
    """
    if first is None:
        raise UsageError(f"A comparison needs periods: give --from, and --to or --grain. It can be {_WHAT}.")
    stop = today + 1 if end is None else end
    if grain is None:
        ranges = [(first, stop)]
    else:
        if ":" in compare:
            raise UsageError(
                f"--compare {compare} names one range of days; leave --grain away, or compare with previous."
            )
        starts = calendar.period_starts(day_of(first), day_of(stop - 1), grain)
        ranges = [(day_number(start), day_number(calendar.following(start, grain))) for start in starts]
        ranges = [(max(begin, first), last if end is None else min(last, stop)) for begin, last in ranges]
    return [_pair(calendar, grain, begin, last, today, compare) for begin, last in ranges if begin <= today]


def _pair(calendar: Calendar, grain: Grain | None, first: int, end: int, today: int, compare: str) -> Pair:
    before_first, before_end = _other(calendar, grain, first, end, compare)
    running = end > today + 1
    elapsed = min(end, today + 1)
    before_stop = min(before_end, before_first + elapsed - first) if running else before_end
    return Pair(
        first=first,
        end=elapsed,
        before_first=before_first,
        before_end=before_stop,
        label=_label(calendar, grain, first, end),
        before_label=_label(calendar, grain, before_first, before_end),
        running=running,
        age=today - max(first, before_first),
    )


def _label(calendar: Calendar, grain: Grain | None, first: int, end: int) -> str:
    start = day_of(first)
    if grain is not None:
        return calendar.label(calendar.start(start, grain), grain)
    return f"{start}:{day_of(end)}"


def _other(calendar: Calendar, grain: Grain | None, first: int, end: int, compare: str) -> tuple[int, int]:
    if compare == PREVIOUS:
        return _previous(calendar, grain, first, end)
    if compare == LAST_YEAR:
        return _last_year(grain, first, end)
    start, sign, stop = compare.partition(":")
    if not sign:
        raise UsageError(f"--compare {compare!r} is no comparison; write {_WHAT}.")
    begin, last = parse_range(start, stop)
    assert begin is not None
    assert last is not None
    return day_number(begin), day_number(last)


def _previous(calendar: Calendar, grain: Grain | None, first: int, end: int) -> tuple[int, int]:
    """The period before; of a range of whole months as many months, of any other as many days."""
    if grain is not None:
        start = calendar.start(day_of(first), grain)
        before = day_number(calendar.start(start - dt.timedelta(days=1), grain))
        begin, whole = day_number(start), day_number(calendar.following(start, grain))
        # A period cut at an edge of the range is compared with the same days of the one before.
        return before + first - begin, begin if end == whole else min(begin, before + end - begin)
    start, stop = day_of(first), day_of(end)
    if start.day == 1 and stop.day == 1:
        months = (stop.year - start.year) * 12 + stop.month - start.month
        return day_number(_months_before(start, months)), first
    return first - (end - first), first


def _last_year(grain: Grain | None, first: int, end: int) -> tuple[int, int]:
    """The same days a year earlier; of a week the 52nd before, of 29 February the 28th."""
    if grain == "week":
        return first - _YEAR_OF_WEEKS, end - _YEAR_OF_WEEKS
    return day_number(_months_before(day_of(first), 12)), day_number(_months_before(day_of(end - 1), 12)) + 1


def _months_before(day: dt.date, months: int) -> dt.date:
    index = day.year * 12 + day.month - 1 - months
    year, month = index // 12, index % 12 + 1
    for number in (day.day, 30, 29, 28):
        try:
            return dt.date(year, month, number)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def notes(found: Sequence[Pair]) -> list[str]:
    """What the reader must know of the lengths compared."""
    said = [
        f"{pair.label} is not over: its {pair.days} days so far are compared with the first {pair.before_days} "
        f"days of {pair.before_label}."
        for pair in found
        if pair.running
    ]
    uneven = [pair for pair in found if pair.days != pair.before_days]
    if uneven:
        said.append(
            f"Not all periods compared are of one length, e.g. {uneven[0].label} has {uneven[0].days} days, "
            f"{uneven[0].before_label} {uneven[0].before_days}: see days and before_days."
        )
    return said
