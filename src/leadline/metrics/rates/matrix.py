"""Matrix: the cohort rate from every stage to every later one, and where units went next.

Flows count visits: each visit of a stage was followed by another stage, by an outcome, or still
stands. So the flows out of a stage add up to its visits.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import ibis
import ibis.expr.types as ir

from leadline.metrics import periods, units
from leadline.metrics.assemble import Assembly
from leadline.metrics.conversion import cohort, denominators
from leadline.metrics.grouping import Grouping, grouping
from leadline.metrics.query import Asked, Query, ask
from leadline.metrics.rates import cells, firsts, steps
from leadline.metrics.rates.cells import SMALL, Cell, Key
from leadline.model.funnels import closed_stages
from leadline.model.opened import Opened
from leadline.results import Column, Result

KIND = "conversion-matrix"

FORWARD, BACK, EXIT, STANDING = "forward", "back", "exit", "standing"

TEXT = (
    "Cohort rate from each stage to every later one (share that entered it or a later one within the window, of the "
    "units that reached the first long enough ago), and what came directly after each visit of a stage: another "
    "stage, an outcome, or nothing yet"
)

COLUMNS = (
    Column("period", "text", help="Period of the first entry into the earlier stage; of flows, of the visit"),
    Column("from_stage", "text", help="The stage units came from"),
    Column("to_stage", "text", help="The stage or outcome they came to; still there: the visit has not ended"),
    Column("direction", "text", help="forward, back, exit (the journey ended) or standing (still there)"),
    Column("window_days", "integer", "days", "Days a unit has to go on: the windows of the steps between, added"),
    Column("started", "integer", help="Denominator of the rate"),
    Column("converted", "integer", help="Numerator of the rate"),
    Column("too_young", "integer", help="Units whose window has not passed yet; in no rate"),
    Column("rate", "rate", help="Converted divided by started"),
    Column("rate_low", "rate", help="Lower end of the 95 % Wilson interval"),
    Column("rate_high", "rate", help="Upper end of the 95 % Wilson interval"),
    Column("small", "boolean", help=f"Fewer than {SMALL} units started"),
    Column("moves", "integer", help="Visits of the first stage that were followed by the second at once"),
    Column("moves_share", "rate", help="Of all visits of the first stage"),
)

STILL_THERE = "still there"
"""Where a visit goes that has not ended."""


def matrix(opened: Opened, query: Query, *, window_days: int | None = None) -> Result:
    """Rates between all stages and flows between neighbouring visits.

    Args:
        window_days: N for every pair; default: the windows of the steps between, added.

    Raises:
        UnknownNameError: unit, funnel or dimension that does not exist.
        UsageError: a window below 0.
    """
    asked = ask(opened, query, numbered=True)
    neighbours = steps.transitions(asked, window_days, None, None)
    known = {(one.start, one.end) for one in neighbours}
    jumps = [steps.windowed(asked, *pair, window_days) for pair in combinations(asked.stages, 2) if pair not in known]
    group = grouping(asked)
    question = group.of(cohort(asked, neighbours))
    marks = opened.keep(question)
    # One mark per unit and earlier stage: an optional stage has a transition that leads over it as well.
    following = {one.start: one.end for one in reversed(neighbours)}
    single = marks.filter(ibis.or_(*[(marks.from_no == one) & (marks.to_no == two) for one, two in following.items()]))
    rates = cells.counted(asked, marks) | (firsts.jumps(asked, single, jumps) if jumps else {})
    windows = {(one.start, one.end): one.window for one in [*neighbours, *jumps]}
    rows = _rows(asked, rates, _moves(asked, group), windows)
    made = Assembly(asked, "conversion", f"Stage matrix of {asked.unit}", f"{TEXT}. Unit: {asked.unit}.")

    def records() -> Result:
        return denominators(made, group, group.of(cohort(asked, [*neighbours, *jumps])))

    result = made.result(
        COLUMNS,
        rows,
        query=question,
        units=marks,
        records=records,
        notes=[] if has_visits(asked) else ["Flows are counted of journeys and opportunities only."],
    )
    return replace(result, kind=KIND)


def has_visits(asked: Asked) -> bool:
    """Whether the unit makes one way through the funnel, so that its visits follow each other."""
    return asked.unit in ("journeys", "opportunities")


def _rows(
    asked: Asked, rates: dict[Key, Cell], moves: dict[Key, int], windows: dict[tuple[int, int], int]
) -> list[dict[str, Any]]:
    visits: dict[Key, int] = {}
    for key, count in moves.items():
        visits[key[:-1]] = visits.get(key[:-1], 0) + count
    keys = {_sortable(asked, key): key for key in [*rates, *moves]}
    return [_row(asked, keys[place], rates, moves, visits, windows) for place in sorted(keys)]


def _sortable(asked: Asked, key: Key) -> tuple[Any, ...]:
    *dims, period_day, start, end = key
    outcome = isinstance(end, str)
    return (*[(value is None, value or "") for value in dims], period_day, start, outcome, str(end).zfill(4))


def _row(
    asked: Asked,
    key: Key,
    rates: dict[Key, Cell],
    moves: dict[Key, int],
    visits: dict[Key, int],
    windows: dict[tuple[int, int], int],
) -> dict[str, Any]:
    *dims, period_day, start, end = key
    cell = rates.get(key)
    rate = cells.rated(cell["converted"], cell["started"]) if cell else dict(cells.NO_RATE)
    counted = {name: cell[name] if cell else None for name in ("started", "converted", "too_young")}
    return {
        **dict(zip(asked.by, dims, strict=True)),
        "period": asked.period_label(None if period_day == periods.NO_PERIOD else period_day),
        "from_stage": asked.stage_name(start),
        "to_stage": end if isinstance(end, str) else asked.stage_name(end),
        "direction": _direction(start, end),
        "window_days": windows.get((start, end)),
        **counted,
        **rate,
        "small": cell["started"] < SMALL if cell else None,
        "moves": moves.get(key, 0) if has_visits(asked) else None,
        "moves_share": cells.ratio(moves.get(key, 0), visits.get(key[:-1], 0)),
    }


def _direction(start: int, end: int | str) -> str:
    if isinstance(end, str):
        return STANDING if end == STILL_THERE else EXIT
    return FORWARD if end > start else BACK


def _moves(asked: Asked, group: Grouping) -> dict[Key, int]:
    """Visits by what came after them: keys are the dimensions, period_day, stage and next stage or outcome."""
    if not has_visits(asked):
        return {}
    visits = units.visits(asked)
    order = ibis.window(group_by="unit_id", order_by="visit_no")
    following = visits.select(
        "unit_id",
        "stage_no",
        day="entered_day",
        is_open=visits.left_s.isnull(),
        next_no=visits.stage_no.lead().over(order),
    )
    placed = periods.with_period(asked, periods.within(asked, following, "day"), "day")
    ended = placed.left_join(_outcomes(asked), "unit_id").drop("unit_id_right")
    last = ibis.cases((ended.next_no.notnull(), ibis.null("string")), (ended.is_open, STILL_THERE), else_=ended.outcome)
    marks = group.of(ended.select("unit_id", "stage_no", "next_no", "period_day", last=last))
    keys = [*asked.by, "period_day", "stage_no", "next_no", "last"]
    rows = asked.opened.arrow(marks.group_by(*keys).aggregate(moves=marks.count())).to_pylist()
    entered = _entered_by_closing(asked)
    found: dict[Key, int] = {}
    for row in rows:
        end = row["next_no"] if row["next_no"] is not None else entered.get(row["last"], row["last"])
        key = (*[row[name] for name in asked.by], row["period_day"], row["stage_no"], end)
        found[key] = found.get(key, 0) + row["moves"]
    return found


def _outcomes(asked: Asked) -> ir.Table:
    """unit_id, outcome: what a unit came to."""
    if asked.unit == "opportunities":
        deals = asked.opened["deals"]
        return deals.select(unit_id="opportunity_id", outcome="state")
    return units.of_funnel(asked, "journeys").select("outcome", unit_id="journey_id")


def _entered_by_closing(asked: Asked) -> dict[str, int]:
    """Outcomes that are stages of the funnel: outcome → the first such stage."""
    found: dict[str, int] = {}
    for stage in closed_stages(asked.funnel):
        for outcome in ("won", "lost"):
            if outcome in stage.outcomes or "closed" in stage.outcomes:
                found.setdefault(outcome, stage.number)
    return found
