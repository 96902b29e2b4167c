"""The list behind influence: every credit of every model, and every opportunity without one."""

from __future__ import annotations

from functools import reduce

import ibis
import ibis.expr.types as ir

from leadline.metrics.assemble import Assembly
from leadline.metrics.credit import points
from leadline.results import Column, Result

EXTRA = (
    Column("credit", "money", help="Credit of the response, or the amount that is unattributed"),
    Column("bucket", "text", help="campaign, other_window or unattributed"),
    Column("model", "text", help="Model"),
)


def of(
    made: Assembly, models: list[str], window: str, touched: ir.Table, valued: ir.Table, reasons: ir.Table
) -> Result:
    """One row per touch with points and model, and one per unattributed opportunity and model."""
    parts = [part for model in models for part in _rows(model, window, touched, valued, reasons)]
    marks = reduce(ibis.union, parts)
    keys = [name for name in made.asked.by if name in valued.columns]
    facts = valued.select("opportunity_id", "amount", "period_day", *keys)
    joined = marks.join(facts, "opportunity_id").mutate(
        unit_id=ibis.coalesce(marks.response_id, marks.opportunity_id), stage_no=ibis.literal(0, "int64")
    )
    return made.credits(joined, EXTRA, keys)


def _rows(model: str, window: str, touched: ir.Table, valued: ir.Table, reasons: ir.Table) -> list[ir.Table]:
    credits = points.credited(points.pointed(touched, model), valued)
    part = ibis.ifelse(credits.is_sourced, ibis.literal("sourced"), ibis.literal("accelerated"))
    inside = ibis.literal(True) if window == "influenced" else part == window
    kept = credits.filter(credits.points > 0)
    rows = kept.select(
        "opportunity_id",
        "response_id",
        "person_id",
        "campaign_id",
        "credit",
        at_s=kept.s,
        evidence=part,
        bucket=ibis.ifelse(inside, ibis.literal("campaign"), ibis.literal("other_window")),
        model=ibis.literal(model),
        object=ibis.literal("CampaignMember"),
    )
    without = valued.join(reasons, "opportunity_id")
    rest = without.select(
        "opportunity_id",
        response_id=ibis.null("string"),
        person_id=ibis.null("string"),
        campaign_id=ibis.null("string"),
        credit=without.amount,
        at_s=without.created_s,
        evidence=without.reason,
        bucket=ibis.literal("unattributed"),
        model=ibis.literal(model),
        object=ibis.literal("Opportunity"),
    )
    return [rows, rest]
