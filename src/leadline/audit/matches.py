"""Checks that rest on matching: people the org may have twice, and leads of accounts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from leadline import money
from leadline.audit.check import Audited, Hits
from leadline.matching.run import CANDIDATES, DUPLICATES, MATCHES


def possible_duplicate(at: Audited) -> Iterator[Hits]:
    """Leads and contacts that are probably one person under two spellings or addresses.

    Pairs with one e-mail address are the check `duplicate-email`'s; they only tie groups together here.
    """
    if DUPLICATES not in at.store:
        return
    judged = at[DUPLICATES].filter(~at[DUPLICATES].same_email)
    both = ibis.union(
        judged.select("person_id", into_id="group_id"), judged.select(person_id="other_id", into_id="group_id")
    )
    known = at.store.once(
        "possible_duplicates", both.distinct().join(at["people"].select("person_id", "object"), "person_id")
    )
    says = _too_many(at, known)
    for name in ("Lead", "Contact"):
        own = known.filter(known.object == name)
        records = own.select("person_id", "into_id", record_id="person_id", opportunity_id=ibis.null("string"))
        says_all = f"{{rows}} of {{among}} {name.lower()}s {says}"
        yield Hits(name, records, at.source.table(name), says_all, _held(at, known.semi_join(own, "into_id")))


def _held(at: Audited, people: ir.Table) -> ir.Table | None:
    """The opportunities that journeys of these people hold: all of a group's, as nobody knows which record stays."""
    if "journeys" not in at.store:
        return None
    own = at["journeys"].semi_join(people, "person_id").select("journey_id")
    return at["journey_opportunities"].semi_join(own, "journey_id").select("opportunity_id")


def _too_many(at: Audited, known: ir.Table) -> str:
    """What these people inflate, in words: people, their journeys, and the money those hold.

    Of a group the journeys beyond those of its busiest member are too many; where one member alone
    has journeys, none is.
    """
    people = at.store.count(known) - at.store.count(known.select("into_id").distinct())
    journeys, amount = 0, 0
    if people and "journeys" in at.store:
        own = at["journeys"].select("journey_id", "person_id").distinct().join(known, "person_id")
        by_person = own.group_by("into_id", "person_id").aggregate(journeys=own.count())
        by_group = by_person.group_by("into_id").aggregate(extra=by_person.journeys.sum() - by_person.journeys.max())
        doubled = by_group.filter(by_group.extra > 0)
        held = at["journey_opportunities"].select("opportunity_id", "journey_id")
        held = held.semi_join(own.semi_join(doubled, "into_id"), "journey_id").select("opportunity_id").distinct()
        valued = held.join(at["deals"].select("opportunity_id", "amount"), "opportunity_id")
        journeys = int(at.store.rows(doubled.aggregate(extra=doubled.extra.sum()))[0]["extra"] or 0)
        amount = int(at.store.rows(valued.aggregate(amount=valued.amount.sum()))[0]["amount"] or 0)
    digits = at.built.currency.digits
    worth = f"{Decimal(money.format_minor(amount, digits)):,} {at.built.currency.code}".rstrip()
    return (
        "are probably one person with another record, by name and employer: counted as several, all of them make "
        f"{people:,} people and {journeys:,} journeys too many; journeys of such people hold opportunities of {worth}."
    )


def lead_of_account(at: Audited) -> Iterator[Hits]:
    """Leads that were not converted and belong to an account of the org."""
    if MATCHES in at.store:
        says = (
            "{rows} of {among} leads belong to an account that the org has: the scope 'account' misses their responses."
        )
        yield _leads(at, at[MATCHES], says)


def lead_account_ambiguous(at: Audited) -> Iterator[Hits]:
    """Leads that fit several accounts, so that none was chosen."""
    if CANDIDATES in at.store:
        says = "{rows} of {among} leads fit several accounts, and nothing tells which: none was chosen."
        yield _leads(at, at[CANDIDATES], says)


def _leads(at: Audited, chosen: ir.Table, says: str) -> Hits:
    """The leads, with the opportunities of the accounts they belong to or may belong to."""
    people = at["people"]
    loose = people.filter(people.object == "Lead", people.account_id.isnull())
    records = chosen.select("person_id").distinct()
    deals = at["opportunities"].semi_join(chosen, "account_id").select("opportunity_id")
    return Hits(
        "Lead",
        records.select("person_id", record_id="person_id", opportunity_id=ibis.null("string")),
        loose,
        says,
        deals,
    )
