"""What closed as won or lost in each period, and what is open at its end: operands of formulas.

Opportunities close at the moment that holds at as-of; journeys are won or lost when they have ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import ibis
import ibis.expr.types as ir

from leadline.errors import UsageError
from leadline.formulas.tree import OUTCOME_AMOUNTS, OUTCOME_COUNTS
from leadline.metrics import periods, units
from leadline.metrics.grouping import Grouping
from leadline.metrics.query import Asked

STATES = ("won", "lost", "open")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Outcomes of one question.

    Attributes:
        cells: operand → dimensions and first day of the period → value, money in minor units.
        marks: one row per unit counted: unit_id, state, period_day, at_s, dimensions.
        without_amount: closed or open opportunities counted that have no known amount.
    """

    cells: dict[str, dict[tuple, Fraction]]
    marks: ir.Table
    without_amount: int


def check(asked: Asked, name: str) -> None:
    """Refuse an outcome that the unit has not.

    Raises:
        UsageError: with the unit to ask for.
    """
    if name in OUTCOME_AMOUNTS and asked.unit != "opportunities":
        raise UsageError(f"{name} is money of opportunities, not of {asked.unit}; ask with --unit opportunities.")
    if asked.unit not in ("journeys", "opportunities"):
        raise UsageError(
            f"{name} counts journeys or opportunities; {asked.unit} have several outcomes. "
            "Ask with --unit opportunities or --unit journeys."
        )


def outcomes(asked: Asked, group: Grouping, names: list[str]) -> Outcomes:
    """Count the outcomes of these names, all in one question.

    Raises:
        UsageError: an outcome that the unit has not.
    """
    for name in names:
        check(asked, name)
    states = [state for state in STATES if any(name.startswith(state) for name in names)]
    marks = asked.opened.keep(group.of(_marks(asked, states)))
    money = asked.unit == "opportunities"
    sums = {"count": marks.count()}
    if money:
        sums |= {"amount": marks.amount.sum(), "bare": marks.amount.isnull().cast("int64").sum()}
    counted = marks.group_by(*asked.by, "period_day", "state").aggregate(**sums)
    cells: dict[str, dict[tuple, Fraction]] = {name: {} for name in OUTCOME_COUNTS + OUTCOME_AMOUNTS}
    bare = 0
    for row in asked.opened.arrow(counted).to_pylist():
        place = (*[row[name] for name in asked.by], row["period_day"])
        cells[f"{row['state']}_count"][place] = Fraction(row["count"])
        cells[f"{row['state']}_amount"][place] = Fraction(row.get("amount") or 0)
        bare += row.get("bare") or 0
    return Outcomes(cells, marks, bare)


def _marks(asked: Asked, states: list[str]) -> ir.Table:
    spans = _spans(asked)
    parts = []
    ended = [state for state in states if state != "open"]
    if ended:
        closed = spans.filter(spans.state.isin(ended) & spans.to_day.notnull())
        kept = periods.with_period(asked, periods.within(asked, closed, "to_day"), "to_day")
        parts.append(kept.select("unit_id", "state", "period_day", at_s="to_s"))
    if "open" in states:
        points = _ends(asked, spans)
        begun = spans.from_s.fill_null(0) <= points.at_s
        standing = spans.to_s.isnull() | (spans.to_s > points.at_s)
        open_then = spans.join(points, [begun, standing])
        parts.append(open_then.select("unit_id", "period_day", "at_s", state=ibis.literal("open")))
    columns = ("unit_id", "state", "period_day", "at_s")
    return ibis.union(*[part.select(*columns) for part in parts])


def _spans(asked: Asked) -> ir.Table:
    """Each unit from its beginning to its close: unit_id, state, from_s, from_day, to_s, to_day."""
    if asked.unit == "opportunities":
        deals = asked.opened["deals"]
        return deals.select(
            "state",
            unit_id="opportunity_id",
            from_s="created_s",
            from_day="created_day",
            to_s="closed_s",
            to_day="closed_day",
        )
    return units.of_funnel(asked, "journeys").select(
        state="outcome",
        unit_id="journey_id",
        from_s="started_s",
        from_day="started_day",
        to_s="ended_s",
        to_day="ended_day",
    )


def _ends(asked: Asked, spans: ir.Table) -> ir.Table:
    """The last second of each period of the question, cut to as-of: period_day, at_s."""
    opened = asked.opened
    days = opened["days"]
    last = opened.as_of.day if asked.end_day is None else min(opened.as_of.day, asked.end_day - 1)
    if asked.query.grain is None:
        chosen = days.filter(days.day == last).mutate(period_day=ibis.literal(0, "int64"))
        return chosen.select("period_day", at_s=opened.as_of.cut(chosen.ends))
    first = asked.start_day
    if first is None:
        found = opened.arrow(spans.aggregate(day=spans.from_day.min())).to_pylist()[0]["day"]
        first = last if found is None else found
    inside = periods.with_period(asked, days.filter((days.day >= first) & (days.day <= last)), "day")
    ends = inside.group_by("period_day").aggregate(day=inside.day.max()).join(days, "day")
    return ends.select("period_day", at_s=opened.as_of.cut(ends.ends))
