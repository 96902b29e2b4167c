"""Checks of responses: flags that drifted, lists loaded in bulk, members that were only sent to, dates of the wrong zone."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import ibis.expr.types as ir

from leadline.audit.check import Audited, Hits
from leadline.audit.limits import limit
from leadline.model.calendar import DAY_SECONDS
from leadline.model.opportunities import OPEN

_MEMBER, _ROLE = "CampaignMember", "OpportunityContactRole"
_HOUR = 3600


def status_drift(at: Audited) -> Iterator[Hits]:
    """Members whose HasResponded says something else than their status means in the campaign today."""
    if not at.source.has(_MEMBER, "HasResponded") or not at.source.has("CampaignMemberStatus", "HasResponded"):
        return
    rows = at.source.table("CampaignMemberStatus")
    named = rows.filter(rows.Label.notnull() & rows.HasResponded.notnull())
    labels = named.group_by(label_campaign="CampaignId", label="Label").aggregate(
        most=named.HasResponded.cast("int64").max(), least=named.HasResponded.cast("int64").min()
    )
    members = at.source.table(_MEMBER).filter(ibis._.HasResponded.notnull())
    joined = members.join(labels, [("CampaignId", "label_campaign"), ("Status", "label")])
    flag = joined.HasResponded.cast("int64")
    drifted = joined.filter((flag > joined.most) | (flag < joined.least))
    found = _with_person(at, drifted).select("person_id", record_id="Id", opportunity_id=ibis.null("string"))
    says = "HasResponded of {rows} of {among} campaign members is not what their status means in the campaign today."
    yield Hits(_MEMBER, found, members, says)


def bulk_loaded(at: Audited) -> Iterator[Hits]:
    """Responses dated by their own creation, of which one user wrote many to a campaign within an hour."""
    members = _in_the_rules(at)
    dated = members.filter(~members.created_is_date & (members.responded_day == members.created_day))
    written = dated.select(
        "campaign_id",
        "person_id",
        record_id="response_id",
        writer=dated.created_by_id.fill_null(""),
        hour=dated.created_s - dated.created_s % _HOUR,
    )
    keys = ["campaign_id", "writer", "hour"]
    loads = written.group_by(keys).aggregate(size=written.count())
    loads = loads.filter(loads.size >= limit(at.settings, "bulk-loaded-day"))
    found = written.semi_join(loads, keys).select("record_id")
    says = (
        "{rows} of {among} responses were written in bulk and are dated by that: one campaign, one user, "
        "within an hour. Nobody knows when these people responded, or whether they did."
    )
    yield Hits(_MEMBER, found, members, says)


def sent_elsewhere(at: Audited) -> Iterator[Hits]:
    """Members that did not respond, of people with a role on an opportunity: other tools count them as touches."""
    if not at.source.has(_MEMBER) or not at.source.has(_ROLE):
        return
    members = at.source.table(_MEMBER)
    silent = members.anti_join(at["members"].select(Id="response_id"), "Id")
    pairs = at["opportunity_people"]
    concerned = _with_person(at, silent).semi_join(pairs.filter(pairs.has_role), "person_id")
    found = concerned.select("person_id", record_id="Id", opportunity_id=ibis.null("string"))
    says = (
        "{rows} of {among} campaign members did not respond and belong to people on opportunities. "
        "They are no response here; tools that count every member as a touch give them credit."
    )
    yield Hits(_MEMBER, found, members, says)


def zone_suspicion(at: Audited) -> Iterator[Hits]:
    """Dates that are the UTC day of the instant beside them where the reporting zone has another day."""
    members = _in_the_rules(at)
    responded = members.filter((members.date_evidence == "first_responded") & ~members.created_is_date).select(
        record_id="response_id", said_day="responded_day", local_day="created_day", s="created_s"
    )
    says = (
        "FirstRespondedDate of {rows} of {among} responses is the day of their creation in UTC, not in the reporting "
        "zone: a tool seems to write dates without regard to the time zone."
    )
    yield from _by_utc(at, _MEMBER, responded, members, says)
    deals = at["opportunities"]
    closed = deals.filter((deals.state != OPEN) & ~deals.stage_change_is_date).select(
        record_id="opportunity_id", said_day="close_day", local_day="stage_change_day", s="stage_change_s"
    )
    says = (
        "CloseDate of {rows} of {among} opportunities is the day of their last stage change in UTC, not in the "
        "reporting zone: a tool seems to write dates without regard to the time zone."
    )
    yield from _by_utc(at, "Opportunity", closed, deals, says)


def _in_the_rules(at: Audited) -> ir.Table:
    """Responses that no rule leaves out: only these move a number."""
    return at["members"].filter(ibis._.excluded.isnull())


def _by_utc(at: Audited, name: str, dated: ir.Table, among: ir.Table, says: str) -> Iterator[Hits]:
    """Only where the UTC day fits oftener than the local one it is more than chance."""
    utc_day = ((dated.s - dated.s % DAY_SECONDS) / DAY_SECONDS).cast("int64")
    telling = dated.mutate(utc_day=utc_day)
    telling = telling.filter(telling.utc_day != telling.local_day)
    by_utc = telling.said_day == telling.utc_day
    counted = telling.aggregate(
        utc=by_utc.cast("int64").sum(), local=(telling.said_day == telling.local_day).cast("int64").sum()
    )
    (found,) = at.store.rows(counted)
    if (found["utc"] or 0) > (found["local"] or 0) and found["utc"] >= limit(at.settings, "zone-suspicion"):
        yield Hits(name, telling.filter(by_utc).select("record_id"), among, says)


def _with_person(at: Audited, members: ir.Table) -> ir.Table:
    """Members with person_id: of the contact, else of the lead; null where that record is not there."""
    whose = members.mutate(who=ibis.coalesce(members.ContactId, members.LeadId))
    persons = at["person_records"].select("person_id", whose_record="record_id")
    return whose.left_join(persons, [("who", "whose_record")])
