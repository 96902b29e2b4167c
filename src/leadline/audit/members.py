"""Checks of campaign members, responses and references between records."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import ibis.expr.types as ir

from leadline.audit.check import Audited, Hits, Whole
from leadline.audit.values import listed_values
from leadline.model.responses import DUPLICATE

_MEMBER, _ROLE = "CampaignMember", "OpportunityContactRole"


def without_date(at: Audited) -> Iterator[Hits]:
    """Responses whose date is unknown."""
    members = at["members"]
    undated = members.filter(members.responded_s.isnull() & members.excluded.isnull())
    says = "{rows} of {among} responses have no date; they are counted as undated and stand in no period."
    yield Hits(_MEMBER, undated.select(record_id="response_id"), members, says)


def none_responded(at: Audited) -> Iterator[Whole]:
    """There are campaign members, and none of them has responded."""
    if not at.source.has(_MEMBER) or at.store.count(at["members"]):
        return
    members = at.source.table(_MEMBER)
    total = at.store.count(members)
    if total:
        statuses = listed_values(at, members.select(value=members.Status.fill_null("(none)")), most=5)
        yield Whole(_MEMBER, f"None of the {total:,} campaign members has responded. Their status: {statuses}.")


def duplicate_member(at: Audited) -> Iterator[Hits]:
    """Further responses of a person to a campaign that the person has responded to already."""
    responses = at["responses"]
    further = responses.filter(responses.fate == DUPLICATE).select(record_id="response_id").distinct()
    says = "{rows} of {among} responses repeat one of the same person to the same campaign; the earliest counts."
    yield Hits(_MEMBER, further, at["members"], says)


def dangling_member(at: Audited) -> Iterator[Hits]:
    """Campaign members whose lead, contact or campaign is not there."""
    if not at.source.has(_MEMBER) or not (at.source.has("Lead") or at.source.has("Contact")):
        return
    members = at.source.table(_MEMBER)
    whose = members.select("CampaignId", record_id="Id", who=ibis.coalesce(members.ContactId, members.LeadId))
    lost = _without_person(at, whose).select("record_id")
    if at.source.has("Campaign"):
        campaigns = at["campaigns"].select(CampaignId="campaign_id")
        lost = lost.union(whose.anti_join(campaigns, "CampaignId").select("record_id"), distinct=True)
    says = "{rows} of {among} campaign members point at a lead, contact or campaign that is not there."
    yield Hits(_MEMBER, lost, members, says)


def dangling_role(at: Audited) -> Iterator[Hits]:
    """Contact roles whose contact or opportunity is not there."""
    if not at.source.has(_ROLE) or not at.source.has("Contact"):
        return
    roles = at.source.table(_ROLE)
    whose = roles.select(record_id="Id", who="ContactId", opportunity_id="OpportunityId")
    bodiless = _without_person(at, whose).select("record_id", "opportunity_id")
    homeless = whose.anti_join(at["opportunities"], "opportunity_id").select("record_id", "opportunity_id")
    says = "{rows} of {among} contact roles point at a contact or opportunity that is not there."
    yield Hits(_ROLE, bodiless.union(homeless, distinct=True), roles, says)


def dangling(at: Audited) -> Iterator[Hits]:
    """References to records that are not there, per object."""
    yield from dangling_member(at)
    yield from dangling_role(at)


def _without_person(at: Audited, whose: ir.Table) -> ir.Table:
    persons = at["person_records"].select(who="record_id")
    return whose.anti_join(persons, "who")
