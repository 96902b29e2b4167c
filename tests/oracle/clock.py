"""Time: local days, sort keys, periods (§1)."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass

When = dt.datetime | dt.date
"""An instant (aware, UTC), or only a calendar date of the reporting zone."""

ONE_DAY = dt.timedelta(days=1)
ONE_SECOND = dt.timedelta(seconds=1)
WEEK_STARTS = {"monday": 0, "saturday": 5, "sunday": 6}


@dataclass(frozen=True, order=True)
class Moment:
    """A dated event: its sort key, whether only its date is known, its local calendar day."""

    key: dt.datetime
    is_date: bool
    day: dt.date


def whole_second(instant: dt.datetime) -> dt.datetime:
    """D21: instants are kept to the second; fractions are cut."""
    return instant.replace(microsecond=0)


def only_date(when: When) -> bool:
    """Whether no time of day is known (a datetime is a date too, for Python)."""
    return not isinstance(when, dt.datetime)


@dataclass(frozen=True)
class Clock:
    """The reporting zone and the as-of instant; `as_of_is_date`: it was given as a date (D1)."""

    zone: zoneinfo.ZoneInfo
    as_of: dt.datetime
    as_of_is_date: bool = False

    @property
    def today(self) -> dt.date:
        """Local calendar day of as-of."""
        return self.day(self.as_of)

    def day(self, when: When) -> dt.date:
        """§1: an instant gets a local calendar date; a date is never shifted."""
        if isinstance(when, dt.datetime):
            return when.astimezone(self.zone).date()
        return when

    def start_of(self, day: dt.date) -> dt.datetime:
        """First instant of a local day, in UTC."""
        return dt.datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(dt.UTC)

    def end_of(self, day: dt.date) -> dt.datetime:
        """D21: last second of a local day, in UTC."""
        return self.start_of(day + ONE_DAY) - ONE_SECOND

    def happened(self, when: When) -> bool:
        """§1 "events later than as-of are not counted"; D2 for dates."""
        if isinstance(when, dt.datetime):
            return when <= self.as_of
        return when <= self.today

    def response(self, when: When) -> Moment:
        """§1 Order: an instant is itself; a date-only response is the start of its day."""
        key = when if isinstance(when, dt.datetime) else self.start_of(when)
        return Moment(key, only_date(when), self.day(when))

    def entry(self, when: When, responses: list[Moment]) -> Moment:
        """§1 Order: a date-only stage entry is the later of the start of its day and that day's last response."""
        if isinstance(when, dt.datetime):
            return Moment(when, False, self.day(when))
        same_day = [response.key for response in responses if response.day == when]
        return Moment(max([self.start_of(when), *same_day]), True, when)

    def close(self, when: When) -> Moment:
        """§1 Order: a date-only close is the end of its day; D2: cut to as-of."""
        if isinstance(when, dt.datetime):
            return Moment(when, False, self.day(when))
        return Moment(min(self.end_of(when), self.as_of), True, when)


def period_start(day: dt.date, grain: str, week_start: str = "monday", fiscal_start: int = 1) -> dt.date:
    """First day of the period that holds `day` (§1: fiscal-year start and week start are configuration)."""
    if grain == "day":
        return day
    if grain == "week":
        return day - dt.timedelta(days=(day.weekday() - WEEK_STARTS[week_start]) % 7)
    if grain == "month":
        return day.replace(day=1)
    months_into = (day.month - fiscal_start) % 12
    back = months_into % 3 if grain == "quarter" else months_into
    return add_months(day.replace(day=1), -back)


def period_end(start: dt.date, grain: str) -> dt.date:
    """First day after the period that begins on `start`."""
    if grain in ("day", "week"):
        return start + dt.timedelta(days=1 if grain == "day" else 7)
    return add_months(start, {"month": 1, "quarter": 3, "year": 12}[grain])


def add_months(first: dt.date, months: int) -> dt.date:
    """The first of the month `months` away from the first of a month."""
    count = first.year * 12 + (first.month - 1) + months
    return dt.date(count // 12, count % 12 + 1, 1)
