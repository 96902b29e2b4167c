"""Detours: steps back, returns, skipped stages and reopened deals, per stage."""

from __future__ import annotations

from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir

from leadline.metrics import periods, units
from leadline.metrics.assemble import Assembly
from leadline.metrics.grouping import grouping
from leadline.metrics.query import NO_PERIOD, Asked
from leadline.model.funnels import outcome_stages
from leadline.model.journey_stages import MID_FUNNEL, SKIPPED
from leadline.results import Column, Result

KINDS = ("regression", "re_entry", "requalification", "skipped", "began_later", "reopened")

COLUMNS = (
    Column("period", "text", help="Period in which it happened; of what was skipped, the next entry"),
    Column("stage", "text", help="The stage gone back to, entered again, or passed by"),
    Column("units", "integer", help="Units that reached it in that period"),
    Column("regressions", "integer", help="Visits that began by a step back from a later stage"),
    Column("re_entries", "integer", help="Visits after the first of the same unit"),
    Column("requalifications", "integer", help="Entries of another record below the position, which moved nothing"),
    Column("skipped", "integer", help="Units that were later seen further on, without an entry here"),
    Column("began_later", "integer", help="Units that began beyond the stage"),
    Column(
        "reopened", "integer", help="Opportunities that were closed and opened again, at the stage they came back to"
    ),
)

TEXT = (
    "What did not go straight on. One visit can be a regression and a re-entry. Reopened opportunities stand at the "
    "last stage before the outcomes."
)


def detours(asked: Asked) -> Result:
    """Counts per stage; the list holds one row per detour, its kind as evidence."""
    group = grouping(asked)
    question = _marks(asked)
    marks = asked.opened.keep(group.of(question))
    keys = [*asked.by, "period_day", "stage_no"]
    counted = marks.group_by(*keys).aggregate(
        **{kind: (marks.kind == kind).cast("int64").sum() for kind in ("reached", *KINDS)}
    )
    rows = [_row(asked, row) for row in asked.opened.arrow(counted.order_by(*keys)).to_pylist()]
    made = Assembly(asked, "velocity", f"Detours of {asked.unit}", f"{TEXT} Unit: {asked.unit}.")
    listed = marks.filter(marks.kind != "reached")
    return made.result(
        COLUMNS,
        rows,
        query=question,
        units=marks.filter(marks.kind == "reached"),
        records=lambda: made.list_of(group, listed.mutate(evidence=listed.kind), "detour"),
    )


def _row(asked: Asked, row: dict[str, Any]) -> dict[str, Any]:
    period = row["period_day"]
    return {
        **{name: row[name] for name in asked.by},
        "period": asked.period_label(None if period == NO_PERIOD else period),
        "stage": asked.stage_name(row["stage_no"]),
        "units": int(row["reached"]),
        "regressions": int(row["regression"]),
        "re_entries": int(row["re_entry"]),
        "requalifications": int(row["requalification"]),
        "skipped": int(row["skipped"]),
        "began_later": int(row["began_later"]),
        "reopened": int(row["reopened"]),
    }


def _marks(asked: Asked) -> ir.Table:
    """Everything that is counted: unit_id, stage_no, kind, at_s, period_day."""
    parts = [_visits(asked, "regression"), _visits(asked, "re_entry"), *_reached(asked), _reopened(asked)]
    if asked.unit == "journeys":
        parts.append(_requalified(asked))
    marks = reduce(ibis.union, parts)
    kept = periods.within(asked, marks, "day")
    return periods.with_period(asked, kept, "day").drop("day")


def _mark(table: ir.Table, kind: str, second: str, day: str) -> ir.Table:
    return table.select("unit_id", "stage_no", kind=ibis.literal(kind), at_s=table[second], day=table[day])


def _visits(asked: Asked, flag: str) -> ir.Table:
    visits = units.visits(asked)
    return _mark(visits.filter(visits[flag]), flag, "entered_s", "entered_day")


def _reached(asked: Asked) -> list[ir.Table]:
    reached = units.passed(asked).mutate(at_s=ibis._.entered_s)
    known = reached.mutate(
        at_s=ibis.coalesce(reached.entered_s, reached.beyond_s),
        at_day=ibis.coalesce(reached.entered_day, reached.beyond_day),
    )
    return [
        _mark(known, "reached", "at_s", "at_day"),
        _mark(known.filter(known.known == SKIPPED), "skipped", "at_s", "at_day"),
        _mark(known.filter(known.known == MID_FUNNEL), "began_later", "at_s", "at_day"),
    ]


def _requalified(asked: Asked) -> ir.Table:
    own = units.of_funnel(asked, "requalifications").rename(unit_id="journey_id")
    return _mark(own, "requalification", "s", "day")


def _reopened(asked: Asked) -> ir.Table:
    """Deals that came back, with the close that holds now, else their creation, as the moment."""
    opened = asked.opened
    deals = opened["deals"]
    back = deals.filter(deals.reopened).mutate(
        at_s=ibis.coalesce(deals.closed_s, deals.created_s), day=ibis.coalesce(deals.closed_day, deals.created_day)
    )
    ends = outcome_stages(asked.funnel)
    last = max((stage for stage in asked.stages if stage not in ends), default=asked.stages[-1])
    placed = back.mutate(stage_no=ibis.literal(last, "int64"))
    if asked.unit == "opportunities":
        return _mark(placed.rename(unit_id="opportunity_id"), "reopened", "at_s", "day")
    own = units.of_funnel(asked, "journey_opportunities").select("opportunity_id", unit_id="journey_id")
    return _mark(placed.join(own, "opportunity_id"), "reopened", "at_s", "day")
