"""Checks of leads and contacts."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import ibis.expr.types as ir

from leadline.audit.check import Audited, Hits
from leadline.audit.values import listed_values, mapped_values
from leadline.model.opportunities import OPEN

UNKNOWN = ("unknown", "unbekannt", "inconnu", "n/a", "na", "none", "-", "?", "not specified", "not known")
"""Values that stand for nobody knowing, in small letters."""

_ROUNDS = 2
"""Rounds in which persons with several addresses find their least id: chains of up to four groups."""


def status_converted(at: Audited) -> Iterator[Hits]:
    """Leads whose status says that they were converted while IsConverted says that they were not."""
    if not at.source.has("Lead", "IsConverted") or not at.source.has("Lead", "Status"):
        return
    leads = at.source.table("Lead")
    open_leads = leads.filter(~leads.IsConverted.fill_null(False) & leads.Status.notnull())
    said = open_leads.semi_join(_converted_statuses(at, leads), "Status")
    values = listed_values(at, said.select(value="Status"))
    says = f"{{rows}} of {{among}} leads have a converted status, yet IsConverted is false: {values}."
    yield Hits("Lead", said.select(record_id="Id"), leads, says)


def _converted_statuses(at: Audited, leads: ir.Table) -> ir.Table:
    """Statuses of converted leads: as LeadStatus says, else as the leads themselves show.

    Without LeadStatus it is a status whose name says so, or one that most of its leads have by
    being converted; a status that a few converted leads were left in does not count.
    """
    if at.source.has("LeadStatus", "IsConverted"):
        known = at.source.table("LeadStatus")
        converted = known.filter(known.IsConverted.fill_null(False))
        names = ibis.union(converted.select(Status="MasterLabel"), converted.select(Status="ApiName"))
        return names.filter(names.Status.notnull()).distinct()
    counted = (
        leads.filter(leads.Status.notnull())
        .group_by("Status")
        .aggregate(leads=ibis._.count(), converted=ibis._.IsConverted.fill_null(False).cast("int64").sum())
    )
    name = counted.Status.lower()
    named = name.contains("converted") & ~name.contains("not converted") & ~name.contains("unconverted")
    return counted.filter(named | (counted.converted * 2 > counted.leads)).select("Status")


def duplicate_email(at: Audited) -> Iterator[Hits]:
    """Leads and contacts with an e-mail address that more than one person has, letter case aside."""
    parts = [
        at.source.table(name).select(record_id="Id", object=ibis.literal(name), email=ibis._.Email.lower())
        for name in ("Lead", "Contact")
        if at.source.has(name, "Email")
    ]
    if not parts:
        return
    records = ibis.union(*parts) if len(parts) > 1 else parts[0]
    known = records.filter(records.email.notnull() & (records.email != ""))
    # Only of addresses that several records have, which are few, it is asked whose they are.
    repeated = known.group_by("email").aggregate(records=known.count()).filter(ibis._.records > 1)
    among = known.semi_join(repeated, "email")
    persons = among.join(at["person_records"].select("record_id", "person_id"), "record_id")
    several = persons.group_by("email").aggregate(first=persons.person_id.min(), last=persons.person_id.max())
    shared = persons.join(several.filter(several["first"] != several["last"]), "email")
    shared = at.store.once("shared_emails", shared.select("record_id", "object", "person_id", into_id="first"))
    shared = shared.drop("into_id").join(_roots(at, shared), "person_id")
    for name in ("Lead", "Contact"):
        own = shared.filter(shared.object == name).select(
            "record_id", "person_id", "into_id", opportunity_id=ibis.null("string")
        )
        says = f"{{rows}} of {{among}} {name.lower()}s share their e-mail address with another person."
        yield Hits(name, own, at.source.table(name), says)


def _roots(at: Audited, shared: ir.Table) -> ir.Table:
    """The person each of several with one address is taken for: person_id, into_id.

    Who has two addresses ties their groups together; a few rounds carry the least id through.
    """
    roots = at.store.once("shared_roots_0", shared.group_by("person_id").aggregate(into_id=shared.into_id.min()))
    for turn in range(1, _ROUNDS + 1):
        onward = roots.select(via_id="person_id", further_id="into_id")
        joined = roots.join(onward, [("into_id", "via_id")])
        roots = at.store.once(f"shared_roots_{turn}", joined.select("person_id", into_id="further_id"))
    return roots


def status_not_mapped(at: Audited) -> Iterator[Hits]:
    """Leads in a Status that no funnel maps, where a funnel maps Status at all; converted ones aside."""
    mapped = mapped_values(at, "Lead", "Status")
    if not mapped or not at.source.has("Lead", "Status"):
        return
    leads = at.source.table("Lead")
    waiting = leads.filter(~leads.IsConverted.fill_null(False))
    loose = waiting.filter(waiting.Status.notnull() & ~waiting.Status.isin(mapped))
    values = listed_values(at, loose.select(value="Status"))
    says = f"{{rows}} of {{among}} leads stand in a Status that no funnel maps: {values}."
    yield Hits("Lead", loose.select(record_id="Id"), waiting, says)


def source_unknown(at: Audited) -> Iterator[Hits]:
    """Records whose lead source is a word for nobody knowing; beside them are those without any."""
    for name in ("Lead", "Contact", "Opportunity"):
        if not at.source.has(name, "LeadSource"):
            continue
        rows = at.source.table(name)
        said = rows.filter(rows.LeadSource.strip().lower().isin(list(UNKNOWN)))
        empty = at.store.count(rows.filter(rows.LeadSource.isnull()))
        values = listed_values(at, said.select(value="LeadSource"))
        says = (
            f"LeadSource of {{rows}} of {{among}} records of {name} says that it is not known: {values}. "
            f"{empty:,} more are empty; the two stand apart in every table."
        )
        yield Hits(name, said.select(record_id="Id"), rows, says)


def owner_inactive(at: Audited) -> Iterator[Hits]:
    """Open leads and opportunities whose owner is a user that is not active any more."""
    if not at.source.has("User", "IsActive"):
        return
    users = at.source.with_deleted("User")
    gone = users.filter(~users.IsActive.fill_null(True)).select(OwnerId="Id")
    if at.source.has("Lead", "OwnerId"):
        leads = at.source.table("Lead")
        waiting = leads.filter(~leads.IsConverted.fill_null(False))
        left = waiting.semi_join(gone, "OwnerId").select(record_id="Id")
        yield Hits("Lead", left, waiting, "{rows} of {among} open leads belong to a user who is not active.")
    deals = at["deals"].filter(at["deals"].state == OPEN)
    left = deals.semi_join(gone.select(owner_id="OwnerId"), "owner_id").select(record_id="opportunity_id")
    yield Hits("Opportunity", left, deals, "{rows} of {among} open opportunities belong to a user who is not active.")
