"""Checks of what went: deleted records, merged ones, and what they take along."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import ibis.expr.types as ir

from leadline.audit.check import Audited, Hits

_MEMBER, _ROLE = "CampaignMember", "OpportunityContactRole"
_PERSONS = ("Lead", "Contact")


def deleted(at: Audited) -> Iterator[Hits]:
    """Deleted records without a survivor that members or contact roles still point at."""
    members = at.source.table(_MEMBER)
    whose = members.select(record_id=ibis.coalesce(members.ContactId, members.LeadId))
    of_campaigns = members.select(record_id="CampaignId")
    roles = at.source.table(_ROLE)
    of_people = ibis.union(whose, roles.select(record_id="ContactId"))
    children = {"Lead": whose, "Contact": of_people, "Campaign": of_campaigns}
    children["Opportunity"] = roles.select(record_id="OpportunityId")
    for name, pointing in children.items():
        if at.source.has(name, "IsDeleted"):
            yield from _taking_along(at, name, pointing)


def _taking_along(at: Audited, name: str, pointing: ir.Table) -> Iterator[Hits]:
    rows = at.source.with_deleted(name)
    gone = rows.filter(rows.IsDeleted.fill_null(False))
    if name in _PERSONS:
        gone = gone.anti_join(at["person_records"], [gone.Id == at["person_records"].record_id])
    gone = gone.select(record_id="Id")
    left = at.store.once(f"left_by_{name}", pointing.semi_join(gone, "record_id"))
    kept = at.store.count(left)
    says = (
        f"{{rows}} deleted {name} records still have {kept:,} campaign members or contact roles; none of these counts."
    )
    # The opportunity may be deleted itself: then nothing of it moves a number any more.
    found = left.distinct().mutate(person_id=ibis.null("string"), opportunity_id=ibis.null("string"))
    yield Hits(name, found, rows, says)


def merged(at: Audited) -> Iterator[Hits]:
    """Leads and contacts that were merged into another one; what they had is the survivor's."""
    members = at.source.table(_MEMBER)
    whose = members.select(record_id=ibis.coalesce(members.ContactId, members.LeadId))
    for name in _PERSONS:
        if at.source.has(name, "MasterRecordId"):
            rows = at.source.with_deleted(name)
            lost = rows.filter(rows.IsDeleted.fill_null(False) & rows.MasterRecordId.notnull()).select(record_id="Id")
            followed = at.store.count(whose.semi_join(lost, "record_id"))
            says = (
                f"{{rows}} of {{among}} {name.lower()}s were merged into another record; {followed:,} campaign members "
                "still name them and count for the survivor."
            )
            yield Hits(name, lost, rows, says)
