"""The facts that come with real data sets, as `leadline import` and `leadline audit` tell them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from leadline.cli.app import run

FACTS: dict[str, tuple[tuple[str, ...], dict[tuple[str, str], int]]] = {
    # All 30 members have status Sent, and belong to people with a role.
    "sercante-campaign-influence": (
        (),
        {("no-responses", "CampaignMember"): 0, ("sent-counted-elsewhere", "CampaignMember"): 30},
    ),
    # 192 opportunities have no role; 18 of the 19 without exactly one primary have none; 26 contacts share 13 addresses.
    "npsp-1k": (
        (),
        {
            ("no-responses", "CampaignMember"): 0,
            ("opportunity-without-role", "Opportunity"): 192,
            ("opportunity-without-primary-role", "Opportunity"): 18,
            ("sent-counted-elsewhere", "CampaignMember"): 1699,
            ("duplicate-email", "Contact"): 26,
            ("duplicate-role", "OpportunityContactRole"): 1,
        },
    ),
    # Three leads say converted and are not; 32 of 36 close dates lie before the creation; instants have no zone.
    "salesforce-dev-org-sample": (
        ("--date-order", "mdy"),
        {
            ("lead-status-converted-not-converted", "Lead"): 3,
            ("close-before-creation", "Opportunity"): 32,
            ("zone-unknown", "Organization"): 0,
        },
    ),
}
"""Data set → options of its import, and records of the findings its README tells of; 0: the data as a whole."""


@pytest.mark.parametrize("name", FACTS)
def test_the_audit_tells_what_the_readme_tells(
    name: str, shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options, facts = FACTS[name]
    place = ["--workspace", str(tmp_path / "workspace")]
    assert run(["import", str(shared_data / name), *options, *place]) == 0
    capsys.readouterr()
    assert run(["audit", "--format", "json", *place]) == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["rows"]
    told = {(row["code"], row["object"]): row["rows"] for row in rows}
    assert {key: told.get(key) for key in facts} == facts
