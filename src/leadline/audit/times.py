"""Checks of time: events in the future, history that starts late, an unknown zone."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator

import ibis
import ibis.expr.types as ir

from leadline.audit.check import Audited, Hits, Whole
from leadline.audit.values import value_sources
from leadline.model.opportunities import OPEN
from leadline.model.responses import AFTER_AS_OF
from leadline.schema import DATE_ONLY, HISTORY_PARENT

_HISTORY = {"Lead": "LeadHistory", "Contact": "ContactHistory", "Opportunity": "OpportunityFieldHistory"}
_WITH_INSTANTS = ("CampaignMember", "Lead", "Contact", "Opportunity", "OpportunityHistory", "LeadHistory")


def after_as_of(at: Audited) -> Iterator[Hits]:
    """Responses, stage entries and closes that are dated after as-of; they are not counted."""
    responses = at["responses"]
    late = responses.filter(responses.fate == AFTER_AS_OF).select(record_id="response_id").distinct()
    yield Hits("CampaignMember", late, at["members"], "{rows} of {among} responses are dated after as-of.")
    entries = at["stage_entries"]
    coming = entries.filter(entries.at_s.notnull() & ~at.built.as_of.happened(entries, "at"))
    for name in ("Lead", "Contact"):
        own = coming.filter(coming.object == name).select("record_id").distinct()
        if at.source.has(name):
            says = f"{{rows}} of {{among}} {name.lower()}s have a stage entry dated after as-of."
            yield Hits(name, own, at.source.table(name), says)
    deals = ibis.union(
        coming.filter(coming.object == "Opportunity").select("record_id"), _deals_to_come(at), distinct=True
    )
    says = "{rows} of {among} opportunities are created, move or close after as-of by their dates."
    yield Hits("Opportunity", deals, at["opportunities"], says)


def _deals_to_come(at: Audited) -> ir.Table:
    """Opportunities created after as-of, and closed ones whose close lies after it."""
    records = at["opportunities"]
    created = records.anti_join(at["deals"], "opportunity_id").select(record_id="opportunity_id")
    still_open = at["deals"].filter(at["deals"].state == OPEN)
    closing = records.filter(records.state != OPEN).semi_join(still_open, "opportunity_id")
    return ibis.union(created, closing.select(record_id="opportunity_id"))


def history_late(at: Audited) -> Iterator[Whole]:
    """Tracked fields that a funnel reads, whose history begins after the first records were created."""
    fields = {(one.object, str(one.field)) for one in value_sources(at) if one.object in _HISTORY}
    for name, field in sorted(fields):
        history = _HISTORY[name]
        if field == "StageName" or not at.source.has(name, "CreatedDate") or not at.source.has(history):
            continue
        rows = at.source.table(history)
        own = rows.filter(
            (rows.Field == field) & rows.CreatedDate.notnull() & rows[HISTORY_PARENT[history][1]].notnull()
        )
        since = at.store.rows(own.aggregate(since=own.CreatedDate.min()))[0]["since"]
        if since is not None:
            yield from _created_before(at, name, field, since)


def _created_before(at: Audited, name: str, field: str, since: object) -> Iterator[Whole]:
    records = at.source.table(name)
    early = records.CreatedDate < ibis.literal(since, "timestamp")
    sums = records.aggregate(early=early.fill_null(False).cast("int64").sum(), rows=records.count())
    counted = at.store.rows(sums)[0]
    if counted["early"]:
        says = (
            f"{_HISTORY[name]} tells of {field} from {since:%Y-%m-%d} on; {counted['early']:,} of {counted['rows']:,} "
            f"records of {name} are older, and when they took their first value is unknown."
        )
        yield Whole(_HISTORY[name], says, counted["early"] / counted["rows"])


def zone_unknown(at: Audited) -> Iterator[Whole]:
    """Instants are cut into days, and neither the settings nor the source name the zone."""
    if at.settings.workspace.timezone:
        return
    organizations = at.source.table("Organization")
    named = at.store.rows(
        organizations.filter(organizations.TimeZoneSidKey.notnull())
        .select("TimeZoneSidKey")
        .order_by("TimeZoneSidKey")
        .limit(1)
    )
    if named and named[0]["TimeZoneSidKey"] in zoneinfo.available_timezones():
        return
    if named:
        yield Whole(
            "Organization",
            f"The org names the time zone {named[0]['TimeZoneSidKey']!r}, which nobody knows: days are cut in UTC.",
        )
    elif any(_has_instants(at, name) for name in _WITH_INSTANTS if at.source.has(name, "CreatedDate")):
        yield Whole("Organization", "No time zone is known: days are cut in UTC.")


def _has_instants(at: Audited, name: str) -> bool:
    rows = at.source.table(name)
    by_date = rows[DATE_ONLY].contains(",CreatedDate,").fill_null(False)
    return at.store.count(rows.filter(rows.CreatedDate.notnull() & ~by_date).limit(1)) > 0
