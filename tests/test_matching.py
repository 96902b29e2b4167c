"""Leads to accounts: normal forms, rules in order, what tells candidates apart, matches made by hand."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import pytest

from leadline.config import MatchingSettings
from leadline.errors import MatchesError
from leadline.matching import forms
from leadline.matching.leads import EXPECTED, RULES, WEIGHT
from leadline.sources import matches_file
from leadline.sources.matches_file import Override
from tests.matching_org import Found, matched
from tests.oracle.records import Org, Row
from tests.oracle.tiny import Tiny
from tests.scale import scaled

MAIL, DOMAIN, NAME = RULES


def formed(form: Callable[[ir.StringValue], ir.StringValue], value: str | None) -> str | None:
    table = ibis.memtable({"text": [value]}, schema={"text": "string"})
    found: str | None = ibis.duckdb.connect().to_pyarrow(form(table.text))[0].as_py()
    return found


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("Acme", "acme"),
        ("The ACME  Corporation", "acme"),
        ("Acme, Inc.", "acme"),
        ("A.C.M.E. Ltd", "acme"),
        ("Müller & Söhne GmbH & Co. KG", "muller and sohne"),
        ("Mueller und Soehne", "mueller und soehne"),
        ("Łódź Straßenbau Sp. z o.o.", "lodz strassenbau sp z oo"),
        ("O'Neill-Brown (Europe) S.A.", "oneill brown europe"),
        ("GmbH", "gmbh"),
        ("日本電気株式会社", "日本電気株式会社"),
        ("  ", None),
        ("...", None),
        (None, None),
    ],
)
def test_company_names_have_one_form(written: str | None, form: str | None):
    assert formed(forms.company, written) == form


@pytest.mark.parametrize(
    ("written", "form"),
    [
        (" Ana@Acme.com ", "ana@acme.com"),
        ("ana+web@acme.com", "ana+web@acme.com"),
        ("a@b@acme.com", None),
        ("ana at acme.com", None),
        ("ana@localhost", None),
        ("", None),
    ],
)
def test_addresses_have_one_form(written: str, form: str | None):
    assert formed(forms.email, written) == form


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("https://www.Acme.com/de?x=1", "acme.com"),
        ("http://acme.com:8080", "acme.com"),
        ("www2.acme.co.uk", "acme.co.uk"),
        ("acme", None),
        ("coming soon", None),
    ],
)
def test_sites_have_one_form(written: str, form: str | None):
    assert formed(forms.site, written) == form


def test_names_of_people_have_one_form():
    assert formed(forms.person_name, "D'Ángelo-Smith, Jr.") == "dangelosmithjr"
    assert formed(forms.person_name, "-") is None


class Company:
    """An org of accounts, contacts and leads, by one short call each."""

    def __init__(self) -> None:
        self.tiny = Tiny()
        # A lead and an account that nothing else touches, so that every object is there.
        self.account("A_", "Far Away")
        self.contact("C_", "A_")
        self.lead("L_")

    def account(self, record: str, name: str, parent: str | None = None, site: str | None = None) -> None:
        self.tiny.add("Account", record, Name=name, ParentId=parent, Website=site)

    def contact(self, record: str, account: str | None, email: str | None = None, **fields: Any) -> None:
        self.tiny.contact(record, AccountId=account, Email=email, **fields)

    def lead(self, record: str, email: str | None = None, company: str | None = None, **fields: Any) -> None:
        self.tiny.lead(record, Email=email, Company=company, **fields)

    def found(self, settings: MatchingSettings | None = None, lines: tuple[Override, ...] = ()) -> Found:
        return matched(self.tiny.org, settings, lines)


def test_the_first_rule_with_a_candidate_decides():
    org = Company()
    org.account("A1", "One", site="one.com")
    org.account("A2", "Two Ltd")
    org.contact("C1", "A2", "ana@one.com")
    org.lead("L1", "ANA@one.com", "Far Away")
    org.lead("L2", "bea@one.com", "Far Away")
    org.lead("L3", "cea@gmail.com", "two")
    org.lead("L4", "dea@nowhere.com", "Nowhere")
    found = org.found()
    assert (found.account("L1"), found.matches["L1"]["rule"]) == ("A2", MAIL)
    # The domain is A1's by its website and A2's by its only contact.
    assert found.candidates == {"L2": {"A1", "A2"}}
    assert (found.account("L3"), found.matches["L3"]["rule"]) == ("A2", NAME)
    assert found.matches["L3"]["agrees"] == "two"
    assert set(found.matches) == {"L1", "L3"}


def test_a_domain_is_an_accounts_if_enough_of_its_contacts_have_it():
    org = Company()
    org.account("A1", "One")
    org.account("A2", "Two")
    for number in range(5):
        org.contact(f"C{number}", "A1", f"c{number}@one.com")
    org.contact("C9", "A2", "c9@one.com")
    org.lead("L1", "new@one.com")
    assert org.found().account("L1") == "A1"
    org.contact("C8", "A2", "c8@one.com")
    # Two of seven are more than one in five.
    assert org.found().candidates == {"L1": {"A1", "A2"}}


@pytest.mark.parametrize("domain", ["gmail.com", "own-provider.net"])
def test_private_mailboxes_say_nothing_of_a_company(domain: str):
    org = Company()
    org.account("A1", "One")
    org.contact("C1", "A1", f"ana@{domain}")
    org.lead("L1", f"bea@{domain}", Website="https://www.one.com")
    org.lead("L2", f"ANA@{domain}")
    found = org.found(MatchingSettings(free_mail=["Own-Provider.net"]))
    assert found.account("L1") is None
    assert found.account("L2") == "A1"


def test_a_leads_website_stands_in_for_a_private_mailbox():
    org = Company()
    org.account("A1", "One", site="http://one.com")
    org.lead("L1", "bea@gmail.com", Website="www.one.com/about")
    org.lead("L2", "bea@gmail.com", Website="facebook.com/one")
    org.account("A2", "Two", site="https://facebook.com/two")
    found = org.found()
    assert (found.account("L1"), found.account("L2")) == ("A1", None)


@pytest.mark.parametrize("name", ["Unknown", "n/a", "Self-Employed", "keine"])
def test_placeholders_are_no_company(name: str):
    org = Company()
    org.account("A1", name)
    org.lead("L1", None, name)
    assert org.found(MatchingSettings(placeholders=["keine"])).account("L1") is None


def test_names_tell_accounts_of_one_domain_apart():
    org = Company()
    org.account("A1", "Acme Germany GmbH", site="acme.com")
    org.account("A2", "Acme France SAS", site="acme.com")
    org.lead("L1", "a@acme.com", "ACME France")
    org.lead("L2", "b@acme.com", "Acme")
    found = org.found()
    assert found.account("L1") == "A2"
    assert (found.matches["L1"]["told_apart_by"], found.matches["L1"]["candidate_count"]) == ("company name", 2)
    assert found.candidates == {"L2": {"A1", "A2"}}


def test_of_one_family_the_highest_account_is_taken():
    org = Company()
    org.account("A1", "Top", site="acme.com")
    org.account("A2", "Middle", parent="A1", site="acme.com")
    org.account("A3", "Low", parent="A2", site="acme.com")
    org.lead("L1", "a@acme.com")
    found = org.found()
    assert (found.account("L1"), found.matches["L1"]["told_apart_by"]) == ("A1", "hierarchy")
    assert found.matches["L1"]["candidate_count"] == 3


@pytest.mark.parametrize(
    "parents",
    [
        pytest.param(("A1", "A1"), id="siblings"),
        pytest.param(("A3", "A2"), id="circle"),
        pytest.param((None, None), id="strangers"),
        pytest.param(("gone", "gone"), id="parent that is not there"),
    ],
)
def test_where_none_stands_highest_none_is_chosen(parents: tuple[str | None, str | None]):
    org = Company()
    org.account("A1", "Top")
    org.account("A2", "Left", parent=parents[0], site="acme.com")
    org.account("A3", "Right", parent=parents[1], site="acme.com")
    org.lead("L1", "a@acme.com")
    found = org.found()
    assert found.account("L1") is None
    assert found.candidates == {"L1": {"A2", "A3"}}


def test_converted_and_deleted_leads_and_deleted_accounts_are_in_no_match():
    org = Company()
    org.account("A1", "One", site="one.com")
    org.tiny.add("Account", "A2", Name="Two", Website="two.com")["IsDeleted"] = True
    org.contact("C1", "A1", "x@one.com")
    org.lead("L1", "a@one.com", IsConverted=True, ConvertedContactId="C1", ConvertedAccountId="A1")
    org.lead("L2", "b@one.com")
    org.tiny.org["Lead"][-1]["IsDeleted"] = True
    org.lead("L3", "c@two.com")
    found = org.found()
    assert (found.matches, found.candidates) == ({}, {})


def test_scores_come_from_converted_leads_beside_the_expectation():
    org = Company()
    org.account("A1", "One", site="one.com")
    org.account("A2", "Two", site="two.com")
    for number, (host, account) in enumerate([("one.com", "A1"), ("one.com", "A1"), ("two.com", "A1")]):
        org.contact(f"C{number}", account)
        org.lead(
            f"L{number}",
            f"l{number}@{host}",
            IsConverted=True,
            ConvertedContactId=f"C{number}",
            ConvertedAccountId=account,
        )
    org.lead("L9", "new@one.com")
    found = org.found()
    # Two of three were converted into the account that the domain names.
    assert (found.rules[DOMAIN]["placed_count"], found.rules[DOMAIN]["right_count"]) == (3, 2)
    assert found.rules[DOMAIN]["score_parts"] == (2 + 18) * 1_000_000 // (3 + 20)
    assert found.matches["L9"]["score_parts"] == found.rules[DOMAIN]["score_parts"]
    assert found.rules[NAME]["score_parts"] == EXPECTED[NAME] * 10_000
    assert WEIGHT == 20


def test_a_converted_leads_own_contact_is_no_evidence_for_it():
    org = Company()
    org.account("A1", "One")
    org.contact("C1", "A1", "l1@one.com")
    org.lead("L1", "l1@one.com", IsConverted=True, ConvertedContactId="C1", ConvertedAccountId="A1")
    assert [rule["placed_count"] for rule in org.found().rules.values()] == [0, 0, 0]
    org.contact("C2", "A1", "x@one.com")
    assert org.found().rules[DOMAIN]["placed_count"] == 1


def test_what_the_file_says_wins():
    org = Company()
    org.account("A1", "One", site="one.com")
    org.account("A2", "Two", site="one.com")
    org.account("A3", "Three", site="three.com")
    for lead, email in (("L1", "a@three.com"), ("L2", "b@three.com"), ("L3", "c@one.com"), ("L4", None)):
        org.lead(lead, email)
    lines = (Override(2, "L1", "A1"), Override(3, "L2", None), Override(4, "L3", "A2"), Override(5, "L4", "A3"))
    found = org.found(lines=lines)
    assert {lead: row["account_id"] for lead, row in found.matches.items()} == {"L1": "A1", "L3": "A2", "L4": "A3"}
    assert {row["rule"] for row in found.matches.values()} == {"override"}
    assert [row["agrees"] for row in sorted(found.matches.values(), key=lambda row: row["person_id"])] == list("245")
    assert found.candidates == {}
    assert found.findings == ()


def test_lines_that_fit_no_record_are_a_finding():
    org = Company()
    org.account("A1", "One")
    org.contact("C1", "A1")
    org.lead("L1", IsConverted=True, ConvertedContactId="C1", ConvertedAccountId="A1")
    org.lead("L2")
    org.lead("L3")
    org.tiny.org["Lead"][-1].update({"IsDeleted": True, "MasterRecordId": "L2"})
    lines = (Override(2, "LX", "A1"), Override(3, "L1", "A1"), Override(4, "L2", "AX"), Override(7, "L3", "A1"))
    found = org.found(lines=lines)
    (finding,) = found.findings
    assert finding.code == "match-override-unused"
    assert (finding.rows, finding.record_ids) == (3, ("L1", "L2", "LX"))
    assert "2 (LX), 3 (L1), 4 (L2)" in finding.message
    # The lead that was merged is named in line 7: its survivor is the lead.
    assert found.account("L2") == "A1"


class TestTheFile:
    LEAD = "00Q3z00001AbCdEEAV"
    ACCOUNT = "0013z00002XyZaBAAV"

    def test_it_is_read(self, tmp_path: Path):
        text = f"# by hand\nnote,Lead,account\nx,{self.LEAD},{self.ACCOUNT}\n\n,00Q3z00001AbCdF,NONE\n"
        (tmp_path / "matches.csv").write_text("\ufeff" + text, encoding="utf-8")
        file = matches_file.read(tmp_path)
        assert file is not None
        assert [(one.line, one.account_id) for one in file.lines] == [(3, matches_file.id_18(self.ACCOUNT)), (5, None)]
        assert file.lines[1].lead_id[:15] == "00Q3z00001AbCdF"
        assert matches_file.read(tmp_path / "elsewhere") is None

    def test_every_fault_has_its_line(self, tmp_path: Path):
        lines = [
            "lead;account",
            f"{self.LEAD};{self.ACCOUNT}",
            f"{self.LEAD[:15]};none",
            f"{self.ACCOUNT};{self.ACCOUNT}",
            f"00Q3z00001AbCdG;{self.LEAD}",
            "00Q3z00001AbCdH;",
            ";none",
        ]
        (tmp_path / "matches.csv").write_text("\n".join(lines))
        with pytest.raises(MatchesError) as caught:
            matches_file.read(tmp_path)
        told = caught.value.faults
        assert [fault.split(":")[0] for fault in told] == [
            "line 3, column lead",
            "line 4, column lead",
            "line 5, column account",
            "line 6, column account",
            "line 7, column lead",
        ]
        assert "stands in line 2 already" in told[0]

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "is empty"),
            (b"lead,konto\n", "column 'account'"),
            (b"lead,lead,account\n", "column 'lead' once"),
            (b'lead,account\n"x', "close the quotes"),
            (b"lead,account\n\xff", "UTF-8"),
        ],
    )
    def test_files_that_are_none(self, content: bytes, says: str, tmp_path: Path):
        (tmp_path / "matches.csv").write_bytes(content)
        with pytest.raises(MatchesError, match=says):
            matches_file.read(tmp_path)

    def test_ids_have_eighteen_characters(self):
        # The platform's documented example of a checksum.
        assert matches_file.id_18("00570000001ZwTi") == "00570000001ZwTiAAK"
        assert matches_file.id_18("00570000001ZwTiAAK") == "00570000001ZwTiAAK"


def random_org(org: Company, seed: int) -> None:
    """Few names and domains of its own, so that rules meet each other; parents at random, circles too."""
    draw = random.Random(seed)
    tag = f"{seed:03}"
    hosts = [f"a{tag}.com", f"b{tag}.com", f"c{tag}.com", "gmail.com"]
    names = [f"Acme {tag}", f"Acme {tag} Inc.", f"Beta {tag}", f"Gamma {tag}", "unknown"]

    def email() -> str | None:
        return draw.choice([None, f"p{tag}{draw.randrange(8)}@{draw.choice(hosts)}"])

    def account() -> str | None:
        return draw.choice([None, f"A{tag}{draw.randrange(6)}"])

    for number in range(6):
        org.account(f"A{tag}{number}", draw.choice(names), draw.choice([None, account()]), draw.choice([None, *hosts]))
    for number in range(14):
        org.contact(f"C{tag}{number:02}", account(), email(), LastName="x")
        org.lead(f"L{tag}{number:02}", email(), draw.choice([None, *names]))


def by_hand(org: Org) -> tuple[dict[str, str], dict[str, set[str]]]:
    """The rules once more, lead by lead, in plain Python."""
    accounts = {row["Id"]: row for row in org["Account"]}
    contacts = [row for row in org["Contact"] if row["AccountId"] in accounts]
    made, open_ = {}, {}
    for lead in org["Lead"]:
        email, key = lead.get("Email"), key_of(lead.get("Company"))
        host = email.split("@")[1] if isinstance(email, str) and not email.endswith("gmail.com") else None
        mail = {row["AccountId"] for row in contacts if email and row.get("Email") == email}
        domain = {name for name, row in accounts.items() if host and row.get("Website") == host}
        there = [row["AccountId"] for row in contacts if host and str(row.get("Email")).endswith(f"@{host}")]
        domain |= {name for name in there if there.count(name) * 5 >= len(there)}
        named = {name for name, row in accounts.items() if key and key_of(row["Name"]) == key}
        level: set[Any] = next((found for found in (mail, domain, named) if found), set())
        left = (level & named) or level
        chosen = next(iter(left)) if len(left) == 1 else highest(left, accounts)
        if chosen:
            made[str(lead["Id"])] = chosen
        elif left:
            open_[str(lead["Id"])] = left
    return made, open_


def key_of(name: object) -> str | None:
    return None if name in (None, "unknown") else str(name).lower().removesuffix(" inc.")


def chain_of(name: str, accounts: dict[Any, Row]) -> list[str]:
    """The account and all above it; itself alone if those go in a circle."""
    chain = [name]
    while (parent := accounts[chain[-1]].get("ParentId")) in accounts and parent != chain[-1]:
        if parent in chain:
            return [name]
        chain.append(str(parent))
    return chain


def highest(names: set[str], accounts: dict[Any, Row]) -> str | None:
    """The one account nearest the top of the family that all of them are in."""
    chains = {name: chain_of(name, accounts) for name in names}
    least = min((len(chain) for chain in chains.values()), default=0)
    first = [name for name, chain in chains.items() if len(chain) == least]
    return first[0] if len({chain[-1] for chain in chains.values()}) == 1 and len(first) == 1 else None


def test_rules_agree_with_plain_python_in_any_order_of_rows():
    company = Company()
    for seed in range(scaled(200)):
        random_org(company, seed)
    org = company.tiny.org
    shuffled = {name: random.Random(7).sample(rows, len(rows)) for name, rows in org.items()}
    quiet = MatchingSettings(duplicates=False)
    found, again = matched(org, quiet), matched(shuffled, quiet)
    made, open_ = by_hand(org)
    assert {lead: row["account_id"] for lead, row in found.matches.items()} == made
    assert found.candidates == open_
    assert (again.matches, again.candidates, again.rules) == (found.matches, found.candidates, found.rules)
    told = {(row["rule"], row["told_apart_by"]) for row in found.matches.values()}
    assert {(MAIL, None), (DOMAIN, None), (NAME, None), (DOMAIN, "company name"), (DOMAIN, "hierarchy")} <= told


def test_the_shipped_words_are_in_normal_form():
    words = ibis.memtable({"text": sorted(forms.PLACEHOLDERS)})
    assert ibis.duckdb.connect().to_pyarrow(forms.company(words.text) == words.text).to_pylist() == [True] * len(
        forms.PLACEHOLDERS
    )
