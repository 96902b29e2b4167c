"""Periods people choose: this quarter, the one before, the last twelve months, in the workspace's fiscal year."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

ALL_TIME = "All time"
"""Name of the period a page shows until one is chosen."""

LAST_TWELVE = "Last 12 months"
"""Name of the period an overview shows until one is chosen."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A period with a name; `start` is its first day, `end` the day after its last one, None for open."""

    name: str
    start: dt.date | None
    end: dt.date | None

    @property
    def pair(self) -> tuple[str, str]:
        """First day and the day after the last one as text; empty for open."""
        return (self.start.isoformat() if self.start else "", self.end.isoformat() if self.end else "")


def presets(today: dt.date, fiscal_year_start: int) -> tuple[Preset, ...]:
    """Periods that end at or hold a day.

    Args:
        today: the last day of the snapshot.
        fiscal_year_start: number of the month.
    """
    behind = (today.month - fiscal_year_start) % 12
    year = _month(today, -behind)
    quarter = _month(today, -(behind % 3))
    return (
        Preset(ALL_TIME, None, None),
        Preset("This quarter", quarter, _month(quarter, 3)),
        Preset("Last quarter", _month(quarter, -3), quarter),
        Preset("This year", year, _month(year, 12)),
        Preset("Last year", _month(year, -12), year),
        last_twelve(today),
    )


def last_twelve(today: dt.date) -> Preset:
    """The month of a day and the eleven before it."""
    return Preset(LAST_TWELVE, _month(today, -11), _month(today, 1))


def _month(day: dt.date, by: int) -> dt.date:
    """The first day of the month so many months on."""
    number = day.year * 12 + day.month - 1 + by
    return dt.date(number // 12, number % 12 + 1, 1)
