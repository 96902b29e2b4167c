"""How journeys ended with respect to a stage: what data-driven models learn from, where the goal is a stage.

A journey that reached the stage at a known time converted, up to that moment. One that has ended without
it is a null, up to the latest of its own responses: that is where its path ends, as the path of the others
ends where the stage begins. Journeys under way, and those that reached it without a known time, are neither.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.metrics import units
from leadline.metrics.query import Asked
from leadline.model.responses import COUNTED_FATES

ONE = 10**6
"""Parts of a journey."""

_MOMENT = ("s", "day", "is_date")


def reached(asked: Asked, stage_no: int) -> ir.Table:
    """Journeys that reached a stage at a known time: unit_id, the moment `created`."""
    found = units.stages(asked)
    timed = found.filter((found.stage_no == stage_no) & found.entered_s.notnull())
    return timed.select("unit_id", **{f"created_{part}": timed[f"entered_{part}"] for part in _MOMENT})


def as_deals(journeys: ir.Table, state: ir.StringValue) -> ir.Table:
    """Journeys by the names the engine knows opportunities by; each is worth `ONE`.

    Args:
        journeys: unit_id, account_id, the moment `created`.
        state: won, open or lost.
    """
    nothing = ibis.null("int64")
    return journeys.mutate(
        opportunity_id=journeys.unit_id,
        amount=ibis.literal(ONE, "int64"),
        state=state,
        closed_s=nothing,
        closed_day=nothing,
        closed_is_date=ibis.null("boolean"),
        primary_campaign_id=ibis.null("string"),
    )


def ended(asked: Asked, stage_no: int) -> ir.Table:
    """All journeys that converted (won) or ended without the stage (lost), as opportunities; no filter is looked at."""
    own = asked.opened["journeys"].filter(ibis._.funnel == asked.funnel_name)
    known = own.select(unit_id="journey_id", outcome="outcome").mutate(account_id=ibis.null("string"))
    converted = known.join(reached(asked, stage_no), "unit_id").drop("outcome")
    every = units.stages(asked)
    there = every.filter(every.stage_no == stage_no).select("unit_id")
    without = known.filter(known.outcome != "open").drop("outcome").anti_join(there, "unit_id")
    placed = without.left_join(_latest(asked), "unit_id").drop("unit_id_right")
    # A journey without a response of its own has no path, and is a null all the same: it ends before all time.
    nulls = placed.mutate(
        created_s=placed.created_s.fill_null(0),
        created_day=placed.created_day.fill_null(0),
        created_is_date=placed.created_is_date.fill_null(False),
    )
    columns = ["unit_id", "account_id", *[f"created_{part}" for part in _MOMENT]]
    parts = [
        as_deals(table.select(*columns), ibis.literal(state)) for table, state in ((converted, "won"), (nulls, "lost"))
    ]
    return ibis.union(*parts)


def _latest(asked: Asked) -> ir.Table:
    """The moment `created` of the latest response of each journey: unit_id."""
    answers = asked.opened["responses"]
    own = answers.filter((answers.funnel == asked.funnel_name) & answers.fate.isin(COUNTED_FATES))
    newest = ibis.window(group_by="journey_id", order_by=[own.responded_s.desc(), own.response_id.desc()])
    ranked = own.filter(own.journey_id.notnull()).mutate(nth=ibis.row_number().over(newest))
    last = ranked.filter(ranked.nth == 0)
    return last.select(unit_id="journey_id", **{f"created_{part}": last[f"responded_{part}"] for part in _MOMENT})
