"""Cost of campaigns in a period: ActualCost spread evenly over the campaign's days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from leadline.dates import day_number, day_of
from leadline.metrics.query import Asked


@dataclass(frozen=True, slots=True)
class Facts:
    """A campaign's label and its cost in the period asked for (None: missing or undated)."""

    label: str | None
    cost: int | None


class Campaigns:
    """Labels and costs of all campaigns of one snapshot, read once per question."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        table = asked.opened["campaigns"].select("campaign_id", "campaign", "cost", "starts_day", "ends_day")
        self.rows: dict[str, dict[str, Any]] = {
            row["campaign_id"]: row for row in asked.opened.arrow(table).to_pylist()
        }

    def facts(self, campaign_id: str | None, period_day: int) -> Facts:
        """Label and cost of a campaign in one period."""
        if campaign_id is None:
            return Facts(None, None)
        row = self.rows.get(campaign_id)
        if row is None:
            return Facts(campaign_id, None)
        return Facts(row["campaign"], _in_period(self.asked, row, period_day))


def _in_period(asked: Asked, row: dict[str, Any], period_day: int) -> int | None:
    """The part of the cost that falls on days of the period; of all of it without a period."""
    cost = row["cost"]
    first, end = _bounds(asked, period_day)
    if cost is None or (first is None and end is None):
        return cost
    start, stop = row["starts_day"], asked.opened.as_of.day
    if start is None:
        return None
    last = stop if row["ends_day"] is None else min(row["ends_day"], stop)
    days = last - start + 1
    if days <= 0:
        return 0
    low = start if first is None else max(start, first)
    high = last + 1 if end is None else min(last + 1, end)
    covered = max(0, high - low)
    whole, rest = divmod(cost * covered, days)
    return whole + (1 if rest * 2 > days or (rest * 2 == days and whole % 2) else 0)


def _bounds(asked: Asked, period_day: int) -> tuple[int | None, int | None]:
    first, end = asked.start_day, asked.end_day
    grain = asked.query.grain
    if grain is None:
        return first, end
    begin = day_of(period_day)
    stop = day_number(asked.calendar.following(begin, grain))  # type: ignore[arg-type]
    first = period_day if first is None else max(first, period_day)
    return first, stop if end is None else min(end, stop)
