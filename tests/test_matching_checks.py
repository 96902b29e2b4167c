"""Checks that rest on matching: what they find, which people they take for one, what they say is counted twice."""

from __future__ import annotations

import datetime as dt

import ibis
import pytest

from leadline.audit import matches
from leadline.audit import run as audit
from leadline.audit.check import Audited, Hits
from leadline.matching import run
from leadline.model import build
from leadline.model.store import Store
from tests.agreement.engine import source
from tests.oracle.tiny import Tiny

AS_OF = dt.datetime(2024, 12, 31, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def audited() -> Audited:
    """Zoe Quist is contact C1 and lead L1, both with a journey; Uwe Rossi is C2 and L2, whose only journey is C2's."""
    tiny = Tiny()
    for number in range(1, 5):
        tiny.add("Account", f"A{number}", Name=f"Firm{number}", Website="firm.com" if number > 2 else None)
    tiny.add("Campaign", "camp", Name="Web", Type="Web")
    for number in range(40):
        tiny.contact(
            f"C{number + 10}", AccountId="A3", FirstName=f"{chr(97 + number % 26) * 3}", LastName=f"Name{number}"
        )
    tiny.contact("C1", AccountId="A1", FirstName="Zoe", LastName="Quist", Email="zoe@firm1.com")
    tiny.contact("C2", AccountId="A2", FirstName="Uwe", LastName="Rossi", Email="uwe@firm2.com")
    tiny.lead("L1", FirstName="Zoe", LastName="Quist", Company="FIRM1 Inc.")
    tiny.lead("L2", FirstName="Uwe", LastName="Rossi", Company="Firm2")
    tiny.lead("L3", FirstName="Else", LastName="Where", Email="else@firm.com", Company="Firm")
    tiny.member("m1", "C1", "2024-02-01")
    tiny.member("m2", "L1", "2024-03-01")
    tiny.member("m3", "C2", "2024-03-01")
    tiny.deal("D1", "2024-04-01T00:00", StageName="Proposal", AccountId="A1", amount="700")
    tiny.role("C1", "D1")
    store = Store(ibis.duckdb.connect())
    records = source(tiny.org, store.backend)
    built = build.build(records, tiny.settings, AS_OF, store)
    run.run(store, records, tiny.settings.matching)
    return Audited(store, records, tiny.settings, built)


def found(audited: Audited, hits: Hits) -> set[tuple[str, ...]]:
    rows = audited.store.rows(hits.records)
    return {tuple(row[name] for name in ("record_id", "into_id") if name in row) for row in rows}


def test_possible_duplicates_are_taken_for_one(audited: Audited):
    leads, contacts = matches.possible_duplicate(audited)
    assert isinstance(leads, Hits)
    assert isinstance(contacts, Hits)
    assert found(audited, leads) == {("L1", "C1"), ("L2", "C2")}
    assert found(audited, contacts) == {("C1", "C1"), ("C2", "C2")}


def test_what_is_counted_twice_is_said(audited: Audited):
    hits = next(matches.possible_duplicate(audited))
    # Two people too many; of Zoe's two journeys one, which hold D1; Uwe has one journey and no copy of it.
    assert "make 2 people and 1 journeys too many; journeys of such people hold opportunities of 700.00" in hits.says


def test_leads_of_accounts_are_listed_and_doubtful_ones_apart(audited: Audited):
    (sure,), (doubtful,) = matches.lead_of_account(audited), matches.lead_account_ambiguous(audited)
    assert isinstance(sure, Hits)
    assert isinstance(doubtful, Hits)
    assert found(audited, sure) == {("L1",), ("L2",)}
    assert found(audited, doubtful) == {("L3",)}
    assert audited.store.count(sure.among) == 3


def test_without_matching_there_is_nothing_to_say(audited: Audited):
    bare = Store(audited.store.backend, found={"people": audited["people"]})
    at = Audited(bare, audited.source, audited.settings, audited.built)
    assert [*matches.possible_duplicate(at), *matches.lead_of_account(at), *matches.lead_account_ambiguous(at)] == []


def test_amounts_of_matching_are_those_of_the_deals_at_stake(audited: Audited):
    """D1 is worth 700.00: a journey of Zoe's two records holds it, and L1 belongs to its account; A3 and A4 have none."""
    audit.run(audited.store, audited.source, audited.settings, audited.built)
    amounts = {
        (row["code"], row["object"]): row["amount"]
        for row in audited.store.rows(audited["findings"])
        if row["code"] in ("possible-duplicate", "lead-of-account", "lead-account-ambiguous")
    }
    assert amounts == {
        ("possible-duplicate", "Lead"): 70_000,
        ("possible-duplicate", "Contact"): 70_000,
        ("lead-of-account", "Lead"): 70_000,
        ("lead-account-ambiguous", "Lead"): None,
    }
