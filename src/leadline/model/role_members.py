"""Campaign members of any status, as Salesforce's own influence counts them."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.model import moments
from leadline.model.members import with_person
from leadline.model.source import Source


def role_members(source: Source, days: ir.Table, persons: ir.Table, roles: ir.Table) -> ir.Table:
    """Every campaign member, responded or not, of a person with a contact role.

    Columns: response_id (member id), person_id, campaign_id, status, and the moments `created` and
    `modified`.
    """
    rows = source.table("CampaignMember").filter(ibis._.CampaignId.notnull())
    known = with_person(rows, persons)
    own = known.semi_join(roles.select("person_id").distinct(), "person_id")
    dated = moments.of_instant(
        moments.of_instant(own, days, "CreatedDate", "created"), days, "LastModifiedDate", "modified"
    )
    return dated.select(
        "created_s",
        "created_day",
        "created_is_date",
        "modified_s",
        "modified_day",
        "modified_is_date",
        "person_id",
        response_id="Id",
        campaign_id="CampaignId",
        status="Status",
    )
