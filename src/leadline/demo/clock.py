"""Days and seconds of the demo org's calendar, in its own time zone, and their UTC instants.

Every story is told in local time: a day number (0 = first day of the history) and a second of
the day. Seconds start at 03:00, so that no moment falls into the hour a clock change skips or
repeats, and one offset per day is enough.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Final

import numpy as np
from numpy.typing import NDArray

TIME_ZONE: Final = "America/New_York"
NO_DAY: Final = -10_000
"""Day number that means "none"."""

_BEFORE: Final = 600
_AFTER: Final = 800
_DAY: Final = 86_400
_AS_OF_SECOND: Final = 21 * 3600 + 1800


class Clock:
    """The calendar of one demo org.

    Attributes:
        as_of: the day the org is looked at; the moment is 21:30 local, which is the next day in UTC.
        days: length of the history; day number `days` is the as-of day.
        as_of_key: as-of in local seconds since day 0.
        as_of_utc: as-of in seconds since 1970 UTC.
    """

    def __init__(self, as_of: dt.date, days: int) -> None:
        self.as_of = as_of
        self.days = days
        self.day0 = (as_of - dt.date(1970, 1, 1)).days - days
        zone = zoneinfo.ZoneInfo(TIME_ZONE)
        self._zone = zone
        first = as_of - dt.timedelta(days=days + _BEFORE)
        count = _BEFORE + days + _AFTER
        noons = (dt.datetime.combine(first + dt.timedelta(days=n), dt.time(12), zone) for n in range(count))
        offsets = [int((noon.utcoffset() or dt.timedelta()).total_seconds()) for noon in noons]
        self._offset = np.array(offsets, np.int64)
        self.as_of_key = days * _DAY + _AS_OF_SECOND
        self.as_of_utc = int(self.utc(np.array([days]), np.array([_AS_OF_SECOND]))[0])

    def utc(self, day: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
        """Seconds since 1970 UTC of local moments."""
        return (day + self.day0) * _DAY + second - self._offset[day + _BEFORE]

    def epoch_day(self, day: NDArray[np.int64]) -> NDArray[np.int64]:
        """Days since 1970 of day numbers, e.g. for Arrow's date32."""
        return day + self.day0

    def date(self, day: int) -> dt.date:
        """The calendar date of a day number."""
        return dt.date(1970, 1, 1) + dt.timedelta(days=self.day0 + day)

    def midnight_utc(self, day: int) -> int:
        """Seconds since 1970 UTC of the start of a local day."""
        return int(dt.datetime.combine(self.date(day), dt.time(), self._zone).timestamp())
