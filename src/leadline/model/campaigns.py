"""Campaigns and their place in the hierarchy."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.model.money import day_of
from leadline.model.source import Source


def campaigns(source: Source, costs: ir.Table) -> ir.Table:
    """One row per campaign that is not deleted.

    Columns: campaign_id, campaign (its name, with the id where several share it), campaign_type, parent_id, status,
    starts_day, ends_day, cost (minor units of the reporting currency, or null), and cost_state
    (known, missing, no rate, too large).
    """
    rows = labelled(source)
    joined = rows.left_join(costs.select("record_id", "amount", "amount_state"), [("Id", "record_id")])
    return joined.select(
        campaign_id=joined.Id,
        campaign=joined.label,
        campaign_type=joined.Type,
        parent_id=joined.ParentId,
        status=joined.Status,
        starts_day=day_of(joined.StartDate),
        ends_day=day_of(joined.EndDate),
        cost=joined.amount,
        cost_state=ibis.cases((joined.amount_state == "no amount", "missing"), else_=joined.amount_state),
    )


def labelled(source: Source) -> ir.Table:
    """The records with `label`: a name that is one campaign's alone."""
    rows = source.table("Campaign")
    shared = ibis.window(group_by="Name")
    named = rows.mutate(namesakes=rows.Id.count().over(shared))
    alone = named.Name.notnull() & (named.namesakes == 1)
    both = ibis.coalesce(named.Name.concat(" (", named.Id, ")"), named.Id)
    return named.mutate(label=ibis.ifelse(alone, named.Name, both)).drop("namesakes")
