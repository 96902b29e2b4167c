"""The list behind influence: every credit of every model, and every amount that no touch has."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.metrics.assemble import Assembly
from leadline.metrics.credit import org_touches, placing, touches
from leadline.metrics.credit.allocation import PENDING, Allocations, Chosen, united
from leadline.results import Column, Result

EXTRA = (
    Column("credit", "money", help="Credit of the response, or the amount that is pending or unattributed"),
    Column("bucket", "text", help="campaign, other_window, pending or unattributed"),
    Column("model", "text", help="Model"),
)

MATCHED_BY = Column("matched_by", "text", help="By what the lead was matched to the account, and how sure that is")


EARNED = Column("earned_by", "text", help="The campaign itself, or the one below it, that has the credit")


def of(made: Assembly, allocations: Allocations, window: str, scope: str, *, rolled: bool = False) -> Result:
    """One row per touch with points and model, and one per opportunity of which some amount is left.

    In the scope of matched leads the rows of such a lead say by what it was matched. Rolled up, a touch
    stands under its campaign and under each one above it.
    """
    deals = allocations.deals
    marks = united([part for one in allocations.models for part in _rows(allocations, one, window)])
    keys = [name for name in made.asked.by if name in deals.columns]
    facts = deals.select("deal_no", "amount", "period_day", *keys)
    joined = marks.join(facts, "deal_no").mutate(
        unit_id=ibis.coalesce(marks.response_id, marks.opportunity_id), stage_no=ibis.literal(0, "int64")
    )
    extra: tuple[Column, ...] = EXTRA
    if rolled:
        joined = placing.under_all(joined.mutate(earned_by=joined.campaign_id), placing.ancestors(made.asked))
        extra = (*EXTRA, EARNED)
    if scope != touches.MATCHED:
        return made.credits(joined, extra, keys)
    matched = touches.matches(made.asked)
    sure = (matched.score_parts / 10_000).round().cast("int64").cast("string")
    by = matched.select("person_id", matched_by=matched.rule.concat(": ", matched.agrees, " (", sure, " %)"))
    told = joined.left_join(by, "person_id").drop("person_id_right")
    return made.credits(told, (*extra, MATCHED_BY), keys)


def _rows(allocations: Allocations, one: Chosen, window: str) -> list[ir.Table]:
    kept = allocations.credits(one.name)
    part = ibis.ifelse(kept.is_sourced, ibis.literal("sourced"), ibis.literal("accelerated"))
    inside = ibis.literal(True) if one.only or window == "influenced" else part == window
    rows = kept.select(
        "deal_no",
        "opportunity_id",
        "response_id",
        "person_id",
        "campaign_id",
        "credit",
        at_s=kept.s,
        evidence=part,
        bucket=ibis.ifelse(inside, ibis.literal("campaign"), ibis.literal("other_window")),
        model=ibis.literal(one.name),
        object=ibis.literal("CampaignInfluence" if one.model.touches == org_touches.SOURCE else "CampaignMember"),
    )
    rest = allocations.rest(one.name)
    without = rest.join(allocations.deals.select("deal_no", "created_s"), "deal_no")
    return [
        rows,
        without.select(
            "deal_no",
            "opportunity_id",
            response_id=ibis.null("string"),
            person_id=ibis.null("string"),
            campaign_id=ibis.null("string"),
            credit=without.amount,
            at_s=without.created_s,
            evidence=ibis.coalesce(without.reason, ibis.literal(PENDING)),
            bucket=without.bucket,
            model=ibis.literal(one.name),
            object=ibis.literal("Opportunity"),
        ),
    ]
