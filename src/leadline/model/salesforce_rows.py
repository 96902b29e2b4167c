"""The org's own influence rows, as Salesforce keeps them."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.model import moments
from leadline.model.source import Source

WHOLE = 10**6
"""Parts of an amount that a row of 100 % has."""


def salesforce_influence(source: Source, days: ir.Table, persons: ir.Table) -> ir.Table:
    """Every CampaignInfluence row that is not deleted.

    Columns: influence_id, opportunity_id, campaign_id, contact_id, person_id (null if the contact is
    not there), model_id, org_model, is_default_model, is_locked_model, share_parts (of a million, of
    the opportunity's amount; null where the row says no percentage) and the moment `created`.
    """
    rows = source.table("CampaignInfluence").filter(ibis._.OpportunityId.notnull() & ibis._.CampaignId.notnull())
    dated = moments.of_instant(rows, days, "CreatedDate", "created")
    named = dated.left_join(_models(source), [("ModelId", "org_model_id")])
    joined = named.left_join(persons.select("record_id", "person_id"), [("ContactId", "record_id")])
    # A percentage has at most two decimals in Salesforce; a float of it is put on its own grid.
    parts = (joined.Influence * (WHOLE // 100)).round().cast("int64")
    return joined.select(
        "created_s",
        "created_day",
        "created_is_date",
        "person_id",
        "org_model",
        influence_id="Id",
        opportunity_id="OpportunityId",
        campaign_id="CampaignId",
        contact_id="ContactId",
        model_id="ModelId",
        is_default_model=joined.is_default.fill_null(False),
        is_locked_model=joined.is_locked.fill_null(False),
        share_parts=parts,
    )


def _models(source: Source) -> ir.Table:
    rows = source.table("CampaignInfluenceModel")
    return rows.select(
        org_model_id="Id",
        org_model=ibis.coalesce(rows.MasterLabel, rows.DeveloperName, rows.Id),
        is_default="IsDefaultModel",
        is_locked="IsModelLocked",
    )
