"""Payback: the day from which on the won credit of a campaign has covered its cost, up to as-of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leadline.metrics.credit.costs import Campaign, Days

PAID_BACK, OPEN, UNDATED = "paid back", "open", "undated"


@dataclass(frozen=True, slots=True)
class Payback:
    """When cost began and when it was covered, day numbers; `state` is None where nothing was spent."""

    state: str | None = None
    first_day: int | None = None
    day: int | None = None

    @property
    def days(self) -> int | None:
        """Days from the first cost to the day it was covered."""
        return None if self.day is None or self.first_day is None else self.day - self.first_day


def payback(spent: Sequence[Campaign], won_days: Days, won: Days, as_of_day: int) -> Payback:
    """When the won credit covered the cost for good.

    Cost grows day by day, so that a small win on the first day covers the first day's cost only.
    What counts is the day after which the credit never falls behind again, up to as-of.

    Args:
        spent: the campaigns of one row, all with a known cost.
        won_days: days of won closes, ascending.
        won: credit of each of them, minor units, the same shape.
        as_of_day: the last day that counts.
    """
    starts = [one.first_day for one in spent if one.first_day is not None]
    if not all(one.is_dated for one in spent):
        return Payback(UNDATED, min(starts, default=None))
    if not starts or not any(piece.amount for one in spent for piece in one.pieces):
        return Payback()
    first = min(starts)
    points = _points(spent, won_days, first, as_of_day)
    earned = np.concatenate([[0], np.cumsum(won)])[np.searchsorted(won_days, points, side="right")]
    ends = np.append(points[1:], as_of_day + 1)
    # Between two points the credit stands and the cost goes one way: its ends are its extremes.
    covered = (earned >= _cost(spent, points + 1)) & (earned >= _cost(spent, ends))
    behind = np.flatnonzero(~covered)
    at = 0 if not len(behind) else int(behind[-1]) + 1
    return Payback(OPEN, first) if at == len(points) else Payback(PAID_BACK, first, int(points[at]))


def _points(spent: Sequence[Campaign], won_days: Days, first: int, as_of_day: int) -> Days:
    """Days on which the credit jumps or the cost changes its pace, from the first cost to as-of."""
    turns = [
        day for one in spent for piece in one.pieces if piece.first is not None for day in (piece.first, piece.stop)
    ]
    days = np.unique(np.concatenate([[first], turns, won_days]).astype(np.int64))
    return days[(days >= first) & (days <= as_of_day)]


def _cost(spent: Sequence[Campaign], days: Days) -> Days:
    return sum((one.until(days) for one in spent), np.zeros(days.shape, np.int64))
