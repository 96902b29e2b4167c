"""Whose deal it is: people with a role on an opportunity, and people whose lead became it."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.model import moments
from leadline.model.asof import AsOf
from leadline.model.source import Source


def roles(source: Source, days: ir.Table, persons: ir.Table) -> ir.Table:
    """Every contact role that is not deleted and whose contact is there.

    Columns: role_id, opportunity_id, person_id, role, is_primary and the moment `created`.
    """
    rows = moments.of_instant(source.table("OpportunityContactRole"), days, "CreatedDate", "created")
    joined = rows.join(persons.select("record_id", "person_id"), [("ContactId", "record_id")])
    return joined.filter(joined.OpportunityId.notnull()).select(
        "person_id",
        "created_s",
        "created_day",
        "created_is_date",
        role_id="Id",
        opportunity_id="OpportunityId",
        role="Role",
        is_primary=joined.IsPrimary.fill_null(False),
    )


def conversions(source: Source, days: ir.Table, persons: ir.Table) -> ir.Table:
    """Converted leads that became an opportunity: record_id, opportunity_id, person_id, the moment `converted`."""
    leads = moments.of_date(source.table("Lead"), days, "ConvertedDate", "converted")
    became = leads.filter(leads.IsConverted.fill_null(False) & leads.ConvertedOpportunityId.notnull())
    joined = became.join(persons.select("record_id", "person_id"), [("Id", "record_id")])
    return joined.select(
        "person_id",
        "converted_s",
        "converted_day",
        "converted_is_date",
        record_id="Id",
        opportunity_id="ConvertedOpportunityId",
    )


def opportunity_people(
    roles: ir.Table, conversions: ir.Table, deals: ir.Table, people: ir.Table, as_of: AsOf
) -> ir.Table:
    """Each pair of opportunity and person at as-of, once.

    Columns: opportunity_id, person_id, has_role, is_primary, is_converted_lead, held (the person's
    records existed when the opportunity was created; otherwise the deal is attached).
    """
    current_roles = roles.filter(roles.created_s.isnull() | as_of.happened(roles, "created"))
    by_role = current_roles.select(
        "opportunity_id", "person_id", "is_primary", has_role=ibis.literal(True), is_converted_lead=ibis.literal(False)
    )
    current = conversions.filter(conversions.converted_s.isnull() | as_of.happened(conversions, "converted"))
    by_lead = current.select(
        "opportunity_id",
        "person_id",
        is_primary=ibis.literal(False),
        has_role=ibis.literal(False),
        is_converted_lead=ibis.literal(True),
    )
    pairs = ibis.union(by_role, by_lead)
    once = pairs.group_by("opportunity_id", "person_id").aggregate(
        has_role=pairs.has_role.any(),
        is_primary=pairs.is_primary.any(),
        is_converted_lead=pairs.is_converted_lead.any(),
    )
    joined = once.join(deals.select("opportunity_id", "created_s", "created_day"), "opportunity_id")
    joined = joined.join(people.select("person_id", "first_created_day"), "person_id")
    existed = (joined.first_created_day.isnull()) | (joined.first_created_day <= joined.created_day)
    return joined.select(
        "opportunity_id",
        "person_id",
        "has_role",
        "is_primary",
        "is_converted_lead",
        held=joined.created_s.notnull() & existed.fill_null(False),
    )
