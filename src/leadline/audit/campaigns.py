"""Checks of campaigns that somebody has responded to."""

from __future__ import annotations

from collections.abc import Iterator

import ibis.expr.types as ir

from leadline.audit.check import Audited, Hits


def _answered(at: Audited) -> ir.Table:
    return at["campaigns"].semi_join(at["members"], "campaign_id")


def _campaigns(chosen: ir.Table, answered: ir.Table, says: str) -> Hits:
    return Hits("Campaign", chosen.select(record_id="campaign_id"), answered, says)


def without_cost(at: Audited) -> Iterator[Hits]:
    """Campaigns with responses and without ActualCost."""
    if at.source.has("Campaign", "ActualCost"):
        answered = _answered(at)
        bare = answered.filter(answered.cost_state == "missing")
        yield _campaigns(bare, answered, "{rows} of {among} campaigns with responses have no ActualCost: no ROI.")


def without_dates(at: Audited) -> Iterator[Hits]:
    """Campaigns with responses and without StartDate."""
    if at.source.has("Campaign", "StartDate"):
        answered = _answered(at)
        bare = answered.filter(answered.starts_day.isnull())
        says = "{rows} of {among} campaigns with responses have no StartDate: their cost is in no period."
        yield _campaigns(bare, answered, says)


def without_type(at: Audited) -> Iterator[Hits]:
    """Campaigns with responses and without Type."""
    if at.source.has("Campaign", "Type"):
        answered = _answered(at)
        bare = answered.filter(answered.campaign_type.isnull())
        yield _campaigns(bare, answered, "{rows} of {among} campaigns with responses have no Type.")
