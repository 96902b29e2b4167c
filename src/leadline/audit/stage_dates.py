"""Checks of dates against each other: stages out of order, before the record, lengths below zero."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import ibis.expr.types as ir

from leadline.audit.check import Audited, Hits
from leadline.audit.values import plural
from leadline.model.money import day_of

_RECORD = ["funnel", "object", "record_id"]
_OBJECTS = ("Lead", "Contact", "Opportunity")


def out_of_order(at: Audited) -> Iterator[Hits]:
    """Records whose date field of a later stage holds an earlier day than that of a stage before it."""
    entries = at["stage_entries"]
    stamps = entries.filter((entries.evidence == "stamped") & entries.stage_no.notnull() & entries.at_day.notnull())
    firsts = stamps.group_by([*_RECORD, "stage_no"]).aggregate(day=stamps.at_day.min())
    firsts = at.store.once("first_stamps", firsts)
    later = firsts.select(*_RECORD, later_no="stage_no", later_day="day")
    pairs = firsts.join(later, _RECORD)
    swapped = pairs.filter((pairs.later_no > pairs.stage_no) & (pairs.later_day < pairs.day))
    for name in _OBJECTS:
        if at.source.has(name):
            own = swapped.filter(swapped.object == name).select("record_id").distinct()
            says = f"{{rows}} of {{among}} {plural(name)} have stage dates out of order: a later stage has the earlier day."
            yield Hits(name, own, at.source.table(name), says)


def before_creation(at: Audited) -> Iterator[Hits]:
    """Records that entered a stage before the person, or the opportunity, was created."""
    entries = at["stage_entries"].filter(ibis._.at_day.notnull()).select("object", "record_id", "at_day")
    persons = at["person_records"].select("record_id", "person_id")
    born = persons.join(at["people"].select("person_id", "first_created_day"), "person_id")
    deals = at["opportunities"].select(record_id="opportunity_id", first_created_day="created_day")
    for name in _OBJECTS:
        if not at.source.has(name, "CreatedDate"):
            continue
        created = deals if name == "Opportunity" else born.select("record_id", "first_created_day")
        joined = entries.filter(entries.object == name).join(created, "record_id")
        early = joined.filter(joined.at_day < joined.first_created_day).select("record_id").distinct()
        whose = "the opportunity" if name == "Opportunity" else "the person's first record"
        says = f"{{rows}} of {{among}} {plural(name)} entered a stage on a day before {whose} was created."
        yield Hits(name, early, at.source.table(name), says)


def negative_duration(at: Audited) -> Iterator[Hits]:
    """Records that end before they begin: conversions, responses, campaigns, meetings."""
    if at.source.has("Lead", "ConvertedDate") and at.source.has("Lead", "CreatedDate"):
        leads = at.source.table("Lead")
        converted = leads.filter(leads.IsConverted.fill_null(False) & leads.ConvertedDate.notnull())
        dated = converted.select(record_id="Id", converted_day=day_of(converted.ConvertedDate))
        joined = dated.join(at["person_records"].select("record_id", "created_day"), "record_id")
        early = joined.filter(joined.converted_day < joined.created_day).select("record_id")
        yield Hits("Lead", early, leads, "{rows} of {among} leads were converted on a day before their creation.")
    # What the rules leave out of the responses moves no number.
    members = at["members"].filter(ibis._.excluded.isnull())
    joined = members.select("person_id", "responded_day", record_id="response_id").join(
        at["people"].select("person_id", "first_created_day"), "person_id"
    )
    early = joined.filter(joined.responded_day < joined.first_created_day).select("record_id")
    says = "{rows} of {among} responses are dated before the person's first record was created."
    yield Hits("CampaignMember", early, members, says)
    campaigns = at["campaigns"]
    ended = campaigns.filter(campaigns.ends_day < campaigns.starts_day).select(record_id="campaign_id")
    says = "{rows} of {among} campaigns end before they start; their cost has no days to be spread over."
    yield Hits("Campaign", ended, campaigns, says)
    if at.source.has("Event", "EndDateTime"):
        yield Hits("Event", *_meetings(at), "{rows} of {among} events end before they start.")


def _meetings(at: Audited) -> tuple[ir.Table, ir.Table]:
    events = at.source.table("Event")
    return events.filter(events.EndDateTime < events.StartDateTime).select(record_id="Id"), events
