"""The table `days`: one row per calendar day of the reporting zone.

Everything that has to do with zones and periods is a join with it: the local day of an
instant, the first and last second of a day, the period a day belongs to. So no engine's own
zone or truncation functions are used, and all engines agree.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo

import numpy as np
import pyarrow as pa

FIRST_YEAR, LAST_YEAR = 1900, 2199
DAY_SECONDS = 86_400
GRAINS = ("day", "week", "month", "quarter", "year")

_EPOCH = dt.date(1970, 1, 1)
_WEEKDAY_OF_START = {"monday": 0, "saturday": 5, "sunday": 6}


def day_number(day: dt.date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def day_date(number: int) -> dt.date:
    """The date that is `number` days after 1970-01-01."""
    return _EPOCH + dt.timedelta(days=number)


def days(zone: str, *, fiscal_year_start: int = 1, week_start: str = "monday") -> pa.Table:
    """The calendar of `zone` from 1900 to 2199.

    Columns:
        day: days since 1970-01-01. day_on: the date. day_iso: the date as YYYY-MM-DD.
        starts: UTC second at which this local day starts; ends: its last second.
        offset_before, switches, offset_after: UTC offset (seconds) of instants of this *UTC* day
            before and from the UTC second `switches`.
        week, month, quarter, year: day number of the first day of the period that holds the day;
            quarter and year are fiscal.
    """
    first = day_number(dt.date(FIRST_YEAR, 1, 1))
    last = day_number(dt.date(LAST_YEAR, 12, 31))
    number = np.arange(first, last + 1, dtype=np.int64)
    offset_before, switches, offset_after = _offsets(zoneinfo.ZoneInfo(zone), number)
    starts = _local_starts(number, offset_before, switches, offset_after)
    date = number.astype("datetime64[D]")
    month_start = date.astype("datetime64[M]")
    months = month_start.astype(np.int64)
    in_year = (months % 12 - (fiscal_year_start - 1)) % 12
    weekday = (number + 3) % 7  # 1970-01-01 was a Thursday
    into_week = (weekday - _WEEKDAY_OF_START[week_start]) % 7
    ends = np.append(starts[1:], starts[-1] + DAY_SECONDS) - 1
    return pa.table(
        {
            "day": number,
            "day_on": pa.array(date),
            "day_iso": pa.array(np.datetime_as_string(date)),
            "starts": starts,
            "ends": ends,
            "offset_before": offset_before,
            "switches": switches,
            "offset_after": offset_after,
            "week": number - into_week,
            "month": _first_day(months),
            "quarter": _first_day(months - in_year % 3),
            "year": _first_day(months - in_year),
        }
    )


def _first_day(months: np.ndarray) -> np.ndarray:
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _offsets(zone: zoneinfo.ZoneInfo, number: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """UTC offsets at both ends of each UTC day and the second at which they change."""
    at_start = np.array([_offset(zone, int(day) * DAY_SECONDS) for day in np.append(number, number[-1] + 1)])
    before, after = at_start[:-1].copy(), at_start[1:].copy()
    switches = (number + 1) * DAY_SECONDS
    for index in np.flatnonzero(before != after):
        switches[index] = _switch(zone, int(number[index]) * DAY_SECONDS)
    return before, switches, after


def _switch(zone: zoneinfo.ZoneInfo, start: int) -> int:
    """First second of the UTC day beginning at `start` that has the day's later offset."""
    low, high = start, start + DAY_SECONDS
    before = _offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _offset(zone: zoneinfo.ZoneInfo, second: int) -> int:
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=second)
    offset = moment.astimezone(zone).utcoffset()
    return round(offset.total_seconds()) if offset is not None else 0


def _local_starts(number: np.ndarray, before: np.ndarray, switches: np.ndarray, after: np.ndarray) -> np.ndarray:
    """First UTC second whose local date is the day (a skipped midnight starts at the switch)."""
    midnight = number * DAY_SECONDS
    best = np.full(number.shape, np.iinfo(np.int64).max)
    for shift in (-1, 0, 1):
        neighbour = np.clip(np.arange(len(number)) + shift, 0, len(number) - 1)
        day_start = number[neighbour] * DAY_SECONDS
        for offset, low, high in (
            (before[neighbour], day_start, switches[neighbour]),
            (after[neighbour], switches[neighbour], day_start + DAY_SECONDS),
        ):
            candidate = np.maximum(midnight - offset, low)
            inside = (candidate < high) & (candidate + offset < midnight + DAY_SECONDS)
            best = np.where(inside, np.minimum(best, candidate), best)
    return best
