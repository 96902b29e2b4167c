"""Cost of campaigns through time: each cost spread evenly over its days, up to as-of.

By largest remainder over the days: every day has the same whole amount and the first ones a minor
unit more, so that the periods of any calendar add up to the cost.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadline.dates import day_number, day_of
from leadline.metrics.query import Asked

KNOWN, UNDATED, MISSING = "known", "undated", "missing"

Days = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Facts:
    """A campaign's label and its cost in the period asked for (None: missing or undated)."""

    label: str | None
    cost: int | None


@dataclass(frozen=True, slots=True)
class Piece:
    """One cost: minor units over the days `[first, stop)`; without days it is undated."""

    line_no: int
    amount: int
    first: int | None = None
    stop: int = 0

    def until(self, days: ArrayLike) -> Days:
        """How much of it lies on days before each of `days`, minor units."""
        first = self.stop if self.first is None else self.first
        length = max(self.stop - first, 1)
        passed = np.clip(np.asarray(days, np.int64) - first, 0, max(self.stop - first, 0))
        whole, more = divmod(abs(self.amount), length)
        spent = passed * whole + np.minimum(passed, more)
        return -spent if self.amount < 0 else spent


@dataclass(slots=True)
class Campaign:
    """What is known of the cost of one campaign; `state` is that of its record: known, missing, no rate, too large."""

    label: str | None
    state: str
    pieces: list[Piece] = field(default_factory=list)

    @property
    def undated(self) -> int:
        """The part that has no days."""
        return sum(piece.amount for piece in self.pieces if piece.first is None)

    @property
    def first_day(self) -> int | None:
        """The first day with a cost."""
        return min((one.first for one in self.pieces if one.first is not None and one.first < one.stop), default=None)

    @property
    def is_dated(self) -> bool:
        """Whether all of it has days."""
        return all(piece.first is not None for piece in self.pieces)

    def until(self, days: ArrayLike) -> Days:
        """The dated cost before each day."""
        chosen = np.asarray(days, np.int64)
        return sum((piece.until(chosen) for piece in self.pieces), np.zeros(chosen.shape, np.int64))

    def between(self, first: int | None, stop: int | None) -> int | None:
        """The cost on days `[first, stop)`; of all time with what is undated. None: not known there."""
        if self.state != KNOWN or not (self.is_dated or (first is None and stop is None)):
            return None
        # Days of the model are below 10**7 in number, so that these stand for all time.
        ends = self.until([-(10**7) if first is None else first, 10**7 if stop is None else stop])
        return int(ends[1] - ends[0]) + self.undated


class Campaigns:
    """Labels and costs of all campaigns of one snapshot, read once per question."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        opened = asked.opened
        known = opened.arrow(opened["campaigns"].select("campaign_id", "campaign", "cost_state")).to_pylist()
        self.rows = {row["campaign_id"]: Campaign(row["campaign"], row["cost_state"]) for row in known}
        costs = opened["campaign_costs"].order_by("campaign_id", "line_no")
        for row in opened.arrow(costs).to_pylist():
            self.rows[row["campaign_id"]].pieces.append(_piece(row, opened.as_of.day))

    def facts(self, campaign_id: str | None, period_day: int) -> Facts:
        """Label and cost of a campaign in one period."""
        if campaign_id is None:
            return Facts(None, None)
        row = self.rows.get(campaign_id)
        if row is None:
            return Facts(campaign_id, None)
        return Facts(row.label, row.between(*bounds(self.asked, period_day)))


def _piece(row: dict[str, int | None], as_of_day: int) -> Piece:
    """A cost cut at as-of; one that begins later has no day yet, and one that ends before its begin is undated."""
    line_no, amount, first, last = (row[name] for name in ("line_no", "amount", "starts_day", "ends_day"))
    assert line_no is not None  # the key of its table
    assert amount is not None  # only known amounts are kept there
    if first is None or (last is not None and last < first):
        return Piece(line_no, amount)
    end = as_of_day if last is None else min(last, as_of_day)
    return Piece(line_no, amount, first, max(end + 1, first))


def bounds(asked: Asked, period_day: int) -> tuple[int | None, int | None]:
    """Days `[first, stop)` of a period within those asked for; None is open."""
    first, end = asked.start_day, asked.end_day
    grain = asked.query.grain
    if grain is None:
        return first, end
    stop = day_number(asked.calendar.following(day_of(period_day), grain))  # type: ignore[arg-type]
    first = period_day if first is None else max(first, period_day)
    return first, stop if end is None else min(end, stop)
