"""Possible duplicates of people: what is a pair, how probable, why, and which people are one group."""

from __future__ import annotations

import random

import pytest

from leadline.config import MatchingSettings
from leadline.matching import duplicates, linkage
from tests.matching_org import Found, matched
from tests.oracle.tiny import Tiny

FIRST = ("Ana", "Bruno", "Chiara", "Deepak", "Emma", "Farid", "Grace", "Hiro", "Ines", "Jonas")
LAST = ("Abe", "Bauer", "Castillo", "Dubois", "Evans", "Fischer", "Gupta", "Hansen", "Ito", "Jansen")
ALL = MatchingSettings(duplicate_probability=0.5)


def name(number: int) -> tuple[str, str]:
    """First and last name of one of the crowd; each is held by one alone."""
    end = chr(ord("a") + number // 10)
    return FIRST[number % 10] + end, LAST[(number // 10 + number) % 10] + end


def crowd() -> Tiny:
    """A hundred people with different names at ten accounts: nobody is there twice."""
    tiny = Tiny()
    for number in range(10):
        tiny.add("Account", f"A{number}", Name=f"Firm{number} Ltd", Website=f"firm{number}.com")
    for number in range(100):
        first, last = name(number)
        email = f"{first}.{last}.{number}@firm{number // 10}.com".lower()
        tiny.contact(f"C{number:03}", AccountId=f"A{number // 10}", FirstName=first, LastName=last, Email=email)
    return tiny


def again(tiny: Tiny, record: str, first: str | None, last: str, email: str | None, company: str) -> None:
    """One more lead."""
    tiny.lead(record, FirstName=first, LastName=last, Email=email, Company=company)


@pytest.fixture(scope="module")
def found() -> Found:
    """C000 is Anaa Abea of Firm0, C011 Brunob Castillob of Firm1, C055 Faridf Abef of Firm5."""
    tiny = crowd()
    again(tiny, "L1", "Anaa", "Abea", "ana@mail.example", "FIRM0")
    again(tiny, "L2", "A.", "Abea", None, "firm0, Inc.")
    again(tiny, "L3", "Brunob", "Castilob", "brunob.castillob.11@firm1.com", "Firm1")
    again(tiny, "L4", "Faridf", "Zeta", "zeta@firm5.com", "Firm5")
    again(tiny, "L5", "Anaa", "Abea", "ana@elsewhere.example", "Elsewhere")
    again(tiny, "L6", "Nobody", "Knows", None, "Firm5")
    return matched(tiny.org, ALL)


def test_the_crowd_itself_has_no_pair():
    assert matched(crowd().org, ALL).duplicates == []


def test_pairs_are_found_with_a_reason(found: Found):
    told = {(row["person_id"], row["other_id"]): row["reason"] for row in found.duplicates}
    assert told == {
        ("C000", "L1"): "same first name, same last name, same employer, other e-mail",
        ("C000", "L2"): "initial of the first name, same last name, same employer",
        ("L1", "L2"): "initial of the first name, same last name, same employer",
        ("C011", "L3"): "same first name, last name one letter off, same employer, same e-mail",
    }


def test_more_agreement_is_more_probable(found: Found):
    probable = {(row["person_id"], row["other_id"]): row["probability_parts"] for row in found.duplicates}
    assert probable["C011", "L3"] > probable["C000", "L2"] >= 500_000
    # An address that differs speaks against a pair, one that is missing does not.
    assert probable["C000", "L2"] > probable["C000", "L1"] >= 500_000


def test_groups_are_named_by_their_least_id(found: Found):
    assert {(row["other_id"], row["group_id"]) for row in found.duplicates} == {
        ("L1", "C000"),
        ("L2", "C000"),
        ("L3", "C011"),
    }


def test_pairs_with_one_address_are_marked(found: Found):
    assert [row["other_id"] for row in found.duplicates if row["same_email"]] == ["L3"]


def test_the_same_people_in_any_order_give_the_same_pairs(found: Found):
    tiny = crowd()
    again(tiny, "L1", "Anaa", "Abea", "ana@mail.example", "FIRM0")
    again(tiny, "L2", "A.", "Abea", None, "firm0, Inc.")
    org = {name: random.Random(3).sample(rows, len(rows)) for name, rows in tiny.org.items()}
    straight, mixed = matched(tiny.org, ALL), matched(org, ALL)
    assert straight.duplicates == mixed.duplicates
    assert straight.pairs() < found.pairs()


def test_a_common_name_says_less_than_a_rare_one():
    tiny = crowd()
    for number in range(60):
        first = chr(ord("a") + number % 26) * (2 + number // 26)
        tiny.contact(f"D{number:02}", AccountId=None, FirstName=first, LastName="Smith")
    tiny.contact("E1", AccountId="A1", FirstName="Zoe", LastName="Smith")
    tiny.contact("E2", AccountId="A2", FirstName="Uwe", LastName="Quixote")
    again(tiny, "L1", "Zoe", "Smith", None, "Firm1")
    again(tiny, "L2", "Uwe", "Quixote", None, "Firm2")
    probable = {row["other_id"]: row["probability_parts"] for row in matched(tiny.org, ALL).duplicates}
    assert probable["L2"] > probable.get("L1", 0)


def test_a_key_that_too_many_share_compares_nobody(monkeypatch: pytest.MonkeyPatch):
    """Three people have one name at Firm0, two have one address."""
    tiny = crowd()
    again(tiny, "L1", "Anaa", "Abea", "ana@mail.example", "FIRM0")
    again(tiny, "L2", "A.", "Abea", None, "firm0, Inc.")
    again(tiny, "L3", "Brunob", "Castilob", "brunob.castillob.11@firm1.com", "Firm1")
    monkeypatch.setattr(duplicates, "LARGEST_BLOCK", 2)
    found = matched(tiny.org, ALL)
    # First name and firm are still a key of two: the initial is another value.
    assert found.pairs() == {("C000", "L1"), ("C011", "L3")}


def test_it_can_be_switched_off():
    tiny = crowd()
    again(tiny, "L1", "Anaa", "Abea", None, "Firm0")
    assert matched(tiny.org, MatchingSettings(duplicates=False)).duplicates == []


def test_every_level_has_words_and_its_frequencies_add_up():
    for name in linkage.RESPECTS:
        _, levels = linkage._RESPECTS[name]
        assert sorted(linkage.words(name)) == list(range(len(levels)))
        # Frequencies are decimals that have no exact double.
        assert abs(sum(same for _, same, _, _ in levels) - 1) < 1e-9
        assert abs(sum(others for _, _, others, _ in levels) - 1) < 1e-9
