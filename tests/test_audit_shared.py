"""The audit of real data sets finds the faults that their descriptions name."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, Literal

import pytest

from leadline import engines
from leadline.audit import run
from leadline.config import Settings, parse
from leadline.ledger import Ledger
from leadline.model import build
from leadline.model.store import Store
from leadline.sources.files import stage

FUNNEL = """
[funnel.main]
stages = [
  { name = "Inquiry", from = [{ object = "CampaignMember", milestone = "response" }] },
  { name = "SQL", from = [{ object = "Opportunity", milestone = "created" }] },
  { name = "Won", from = [{ object = "Opportunity", milestone = "won" }] },
]
"""

Findings = dict[tuple[str, str], dict[str, Any]]


def findings(folder: Path, work: Path, date_order: Literal["ymd", "mdy"]) -> Findings:
    """Import a folder, build the model and audit it: findings by code and object, each with its ids."""
    settings: Settings = parse(FUNNEL)
    loaded = stage(folder, settings, staging=work / "staging", rejected=work / "rejected", date_order=date_order)
    ledger = Ledger(work)
    ledger.load(loaded)
    connection = engines.writer(work / "model.duckdb")
    try:
        ledger.attach(connection)
        backend, source = build.source_of(connection)
        store = Store(backend)
        built = build.build(source, settings, loaded.extracted_at, store)
        run.run(store, source, settings, built)
        ids = store.rows(store["finding_records"])
        rows = store.rows(store["findings"])
    finally:
        connection.close()
    return {
        (row["code"], row["object"]): row | {"ids": {one["record_id"] for one in ids if one["code"] == row["code"]}}
        for row in rows
    }


@pytest.fixture(scope="module")
def developer_org(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """The sample records of a Developer Edition org; its dates are US style."""
    return findings(shared_data / "salesforce-dev-org-sample", tmp_path_factory.mktemp("developer"), "mdy")


@pytest.fixture(scope="module")
def nonprofit(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Members, roles and opportunities of a nonprofit; nobody has responded."""
    return findings(shared_data / "npsp-1k", tmp_path_factory.mktemp("nonprofit"), "ymd")


def expected(folder: Path) -> dict[str, Any]:
    """The facts that come with a data set."""
    return dict(json.loads((folder / "expected.json").read_text(encoding="utf-8")))


def test_leads_whose_status_says_converted(developer_org: Findings, shared_data: Path):
    facts = expected(shared_data / "salesforce-dev-org-sample")
    found = developer_org["lead-status-converted-not-converted", "Lead"]
    assert found["row_count"] == facts["leads_status_converted_but_not_converted"] == 3
    assert "Closed - Converted (3)" in found["message"]
    assert len(found["ids"]) == 3


def test_close_dates_before_the_creation(developer_org: Findings, shared_data: Path):
    facts = expected(shared_data / "salesforce-dev-org-sample")
    found = developer_org["close-before-creation", "Opportunity"]
    assert (found["row_count"], found["severity"]) == (facts["close_before_created"], "error")


def test_instants_without_a_zone_are_said(developer_org: Findings, nonprofit: Findings):
    assert ("zone-unknown", "Organization") in developer_org
    assert ("zone-unknown", "Organization") not in nonprofit  # it holds dates only


def test_opportunities_without_role(nonprofit: Findings, shared_data: Path):
    facts = expected(shared_data / "npsp-1k")
    found = nonprofit["opportunity-without-role", "Opportunity"]
    assert found["row_count"] == facts["opps_without_contact_role"] == 192
    # 19 have roles but not exactly one primary: one of these has two.
    assert nonprofit["opportunity-without-primary-role", "Opportunity"]["row_count"] == 18


def test_nobody_has_responded_and_it_says_so(nonprofit: Findings, shared_data: Path):
    members = expected(shared_data / "npsp-1k")["rows"]["CampaignMember"]
    found = nonprofit["no-responses", "CampaignMember"]
    assert found["message"].startswith(f"None of the {members:,} campaign members has responded.")
    assert "Sent (1,699)" in found["message"]


def test_members_that_were_only_sent_to_would_count_elsewhere(nonprofit: Findings, shared_data: Path):
    """Counted from the files: every member is "Sent", and everybody who is one has a role on some opportunity."""
    folder = shared_data / "npsp-1k"
    with (folder / "OpportunityContactRole.csv").open(encoding="utf-8") as file:
        on_deals = {row["contact_id"] for row in csv.DictReader(file)}
    with (folder / "CampaignMember.csv").open(encoding="utf-8") as file:
        silent = [row["id"] for row in csv.DictReader(file) if row["contact_id"] in on_deals]
    found = nonprofit["sent-counted-elsewhere", "CampaignMember"]
    assert found["row_count"] == len(silent) == expected(folder)["rows"]["CampaignMember"]
    assert found["severity"] == "info"


def test_contacts_with_the_same_address(nonprofit: Findings, shared_data: Path):
    """470 contacts have an address, 457 different ones: 13 more than there would be without repeats."""
    facts = expected(shared_data / "npsp-1k")
    filled = facts["rows"]["Contact"] - facts["contacts_without_email"]
    found = nonprofit["duplicate-email", "Contact"]
    assert filled - facts["distinct_emails"] == 13
    assert found["row_count"] == 26
