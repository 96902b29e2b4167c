"""Where a period stands: how much of it has passed, what should have come by now, what it will come to.

Pure arithmetic on day numbers and on what came each day; nothing here asks an engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from leadline.maths.projection import dispersion, rest_of_amount, rest_of_count
from leadline.workdays import Workdays

State = Literal["finished", "running", "future"]
PACES = ("workdays", "seasonal")
COMPARABLE = 3
"""Periods before the present one whose shape `seasonal` looks at."""
FEWEST_COMPARABLE = 2
WEEKS = 26
"""Weeks up to as-of from which the spread of a landing is taken."""

Span = tuple[int, int]
"""First day number of a period and the first one after it."""


@dataclass(frozen=True, slots=True)
class Position:
    """As-of on the calendar: its day number and the share of that day that has passed."""

    day: int
    share: float

    @property
    def boundary(self) -> int:
        """First day number that has not wholly passed."""
        return self.day + (self.share == 1)

    def passed(self, index: Workdays, start: int) -> float:
        """Working days since the start of day `start`; of the day under way its share."""
        today = index.between(self.day, self.day + 1)
        return index.between(start, self.day) + self.share * today


@dataclass(frozen=True, slots=True)
class Elapsed:
    """How much of a period has passed.

    Attributes:
        state: finished, running or future at as-of.
        workdays: working days of the period.
        passed: those that have passed, with a fraction for a day under way.
    """

    state: State
    workdays: int
    passed: float

    @classmethod
    def of(cls, index: Workdays, span: Span, at: Position) -> Elapsed:
        """The state of a period at as-of."""
        start, end = span
        whole = index.between(start, end)
        if at.boundary >= end:
            return cls("finished", whole, float(whole))
        if at.day + at.share <= start:
            return cls("future", whole, 0.0)
        return cls("running", whole, at.passed(index, start))

    @property
    def left(self) -> float:
        """Working days still to come."""
        return self.workdays - self.passed


class Series:
    """What came each day, running up.

    Args:
        days: day numbers, in any order, repeats added.
        values: what came on them.
    """

    def __init__(self, days: NDArray[np.int64], values: NDArray[np.int64]) -> None:
        self._first = int(days.min()) if len(days) else 0
        length = int(days.max()) - self._first + 1 if len(days) else 0
        daily = np.zeros(length, dtype=np.int64)
        np.add.at(daily, days - self._first, values)
        self._before = np.concatenate([[0], np.cumsum(daily)])

    @property
    def first_day(self) -> int | None:
        """The first day on which anything came."""
        return self._first if len(self._before) > 1 else None

    def between(self, start: int, end: int) -> int:
        """What came in `[start, end)`."""
        last = len(self._before) - 1
        low, high = (min(max(day - self._first, 0), last) for day in (start, end))
        return int(self._before[high] - self._before[low])


@dataclass(frozen=True, slots=True)
class Expectation:
    """Share of a period's entries that should have come by now; without one, why."""

    share: float | None
    reason: str = ""


def by_workdays(elapsed: Elapsed) -> Expectation:
    """The share of its working days that has passed."""
    if not elapsed.workdays:
        return Expectation(None, "the period has no working day")
    if not elapsed.passed:
        return Expectation(None, "no working day of the period has passed")
    return Expectation(elapsed.passed / elapsed.workdays)


def by_season(series: Series, index: Workdays, span: Span, at: Position, before: Sequence[Span]) -> Expectation:
    """The share of entries that had come by the same working day in the periods before.

    Args:
        series: entries of the same kind over all time.
        index: the working days.
        span: the period.
        at: as-of.
        before: the periods before it that the data cover; empty ones are not looked at.
    """
    known = [one for one in before if series.between(*one) > 0]
    if len(known) < FEWEST_COMPARABLE:
        return Expectation(
            None,
            f"own seasonality needs {FEWEST_COMPARABLE} whole periods before this one with entries; there are {len(known)}",
        )
    passed = at.passed(index, span[0])
    whole, part = int(passed), passed - int(passed)
    free = 0 if part else at.boundary - index.after(span[0], whole)
    came = sum(
        (1 - part) * series.between(one[0], _same_day(index, one, whole, free))
        + part * series.between(one[0], _same_day(index, one, whole + 1, 0))
        for one in known
    )
    share = came / sum(series.between(*one) for one in known)
    return Expectation(share) if share > 0 else Expectation(None, "in the periods before nothing had come by this day")


def _same_day(index: Workdays, span: Span, workdays: int, free: int) -> int:
    """The day of another period up to which as many working days, and days off after them, have passed."""
    start, end = span
    next_workday = index.after(start, workdays + 1) - 1
    return min(index.after(start, workdays) + free, next_workday, end)


@dataclass(frozen=True, slots=True)
class Landing:
    """What a period will come to, with its 90 % interval; without one, why."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""


def landing(actual: int, share: float, spread: float | None, *, events: int | None = None) -> Landing:
    """The rest at the rate so far: actual ÷ share, with an interval.

    Args:
        actual: what has come: a count, or minor units.
        share: share of the period's entries expected by now, above 0.
        spread: dispersion of the weeks before, or None if it is not known.
        events: of amounts how many entries brought them; None for counts.
    """
    if share >= 1:
        return Landing(float(actual), reason="nothing more is expected in this period")
    point, ratio = actual / share, (1 - share) / share
    if spread is None:
        return Landing(point, reason="no interval: too few weeks with entries before as-of")
    if events is None:
        more = rest_of_count(actual, ratio, spread)
    elif spread > 0 and actual + spread / 2 > 0:
        more = rest_of_amount(actual, events, ratio, spread)
    else:
        return Landing(point, reason="no interval: the amounts of the weeks before do not tell a spread")
    # Where most likely nothing more comes, what is to be expected lies beyond nineteen in twenty: the interval holds it.
    return Landing(point, min(actual + more[0], point), max(actual + more[1], point))


def weekly_spread(series: Series, index: Workdays, at: Position, since: int | None) -> float | None:
    """Dispersion of up to `WEEKS` blocks of seven days before as-of.

    Args:
        series: what came each day.
        index: the working days.
        at: as-of.
        since: the day from which on the data show such entries; None if they never do.
    """
    if since is None:
        return None
    ends = at.boundary - 7 * np.arange(WEEKS)
    weeks = [(int(end) - 7, int(end)) for end in ends if end - 7 >= since]
    return dispersion([series.between(*week) for week in weeks], [index.between(*week) for week in weeks])
