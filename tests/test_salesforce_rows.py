"""The org's own influence rows: taken as they are, and every difference from ours explained from the data."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from leadline import workspace
from leadline.errors import UnknownNameError, UsageError
from leadline.workspace import Workspace
from tests import campaign_org as org

SERCANTE = "sercante-campaign-influence"


@pytest.fixture(scope="module")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The public data set whose influence rows Salesforce wrote itself."""
    made = workspace.create(tmp_path_factory.mktemp("org-rows"))
    made.sources.import_files(shared_data / SERCANTE)
    return made


def written(shared_data: Path) -> list[dict[str, str]]:
    """The rows of the file."""
    with (shared_data / SERCANTE / "CampaignInfluences.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def listed(space: Workspace, **options: Any) -> list[dict[str, Any]]:
    """The rows one by one."""
    return space.metrics.salesforce(**options).records().table.to_pylist()


def test_the_37_rows_of_the_rule_are_the_31_of_the_org_and_6_with_a_reason(real: Workspace, shared_data: Path) -> None:
    found = listed(real)
    assert len(found) == 37
    org_rows = {
        (row["Opportunity__r.extId__c"], row["Contact__r.extId__c"], row["Campaign__r.extId__c"]): row["Influence__c"]
        for row in written(shared_data)
    }
    same = [row for row in found if row["difference"] == "both"]
    ours = {
        (row["opportunity_id"], row["person_id"], row["campaign_id"]): f"{row['our_share'] * 100:.0f}" for row in same
    }
    assert ours == org_rows
    assert len(same) == 31
    assert {row["reason"] for row in same} == {"the same"}
    others = Counter((row["difference"], row["reason"]) for row in found if row["difference"] != "both")
    assert others == {
        ("ours only", "the org wrote no row for this opportunity"): 4,
        ("neither", "member created after the close"): 2,
    }
    facts = json.loads((shared_data / SERCANTE / "expected.json").read_text(encoding="utf-8"))
    without = {row["opportunity_id"] for row in found if row["reason"].startswith("the org wrote no row")}
    assert without == set(facts["opps_without_influence_rows"])


def test_the_rows_as_they_are_leave_the_rest_to_nobody(real: Workspace, shared_data: Path) -> None:
    result = real.metrics.influence(models=["salesforce"])
    facts = json.loads((shared_data / SERCANTE / "expected.json").read_text(encoding="utf-8"))
    won = {row["campaign"]: row["won_amount"] for row in result.table.to_pylist() if row["bucket"] == "campaign"}
    assert won | dict.fromkeys(set(facts["won_influenced_primary_model"]) - set(won), 0) == {
        name: amount * 100 for name, amount in facts["won_influenced_primary_model"].items()
    }
    (total,) = result.totals
    assert total["unattributed"] == {"no row of the org": 20_000_00}
    assert total["won_unattributed_amount"] == 20_000_00
    listed = result.records().table.to_pylist()
    assert {row["object"] for row in listed if row["bucket"] == "campaign"} == {"CampaignInfluence"}
    assert total["credited_amount"] + total["unattributed_amount"] == total["total_amount"] == 124_000_00


def test_a_model_of_responses_says_that_sent_is_none(real: Workspace) -> None:
    table = real.metrics.salesforce(model="even").table.to_pylist()
    assert {(row["difference"], row["reason"]): row["count"] for row in table if row["difference"] == "org only"} == {
        ("org only", "its status is no response"): 31
    }


def test_one_opportunity_alone(real: Workspace, shared_data: Path) -> None:
    (name,) = json.loads((shared_data / SERCANTE / "expected.json").read_text(encoding="utf-8"))[
        "opps_without_influence_rows"
    ]
    assert {row["opportunity_id"] for row in listed(real, opportunity=name)} == {name}
    with pytest.raises(UsageError, match="There is no opportunity"):
        real.metrics.salesforce(opportunity="006000000000000AAA")


HEAD = "Id,OpportunityId,CampaignId,ContactId,ModelId,Influence,CreatedDate\n"
DEALS = [f"006{at:012}AAA" for at in (1, 2, 3)]
PEOPLE = [f"003{at:012}AAA" for at in (1, 2, 3)]


def influences(*rows: tuple[int, str, int, str], model: str = "03V000000000001AAA") -> str:
    """Rows of deal, campaign, person and percentage."""
    lines = [
        f"0KK{at:012}AAA,{DEALS[deal - 1]},{campaign},{PEOPLE[person - 1]},{model},{share},2026-01-11T00:00:00Z"
        for at, (deal, campaign, person, share) in enumerate(rows, start=1)
    ]
    return HEAD + "\n".join(lines) + "\n"


def credit(tmp_path: Path, text: str, deal: int = 1) -> dict[tuple[str, str | None], int]:
    """Bucket or campaign, and reason, of one deal with its amount."""
    space = org.built(tmp_path, {"CampaignInfluence.csv": text})
    found = space.metrics.influence(models=["salesforce"]).records().table.to_pylist()
    return {
        (
            row["campaign_id"] or row["bucket"],
            row.get("reason") or row["evidence"] if not row["campaign_id"] else None,
        ): row["credit"]
        for row in found
        if row["opportunity_id"] == DEALS[deal - 1]
    }


def test_what_the_percentages_leave_is_unattributed(tmp_path: Path) -> None:
    found = credit(tmp_path, influences((1, org.A, 1, "25"), (1, org.C, 1, "50")))
    assert {name: amount for (name, _), amount in found.items()} == {
        org.A: 75_00,
        org.C: 150_00,
        "unattributed": 75_00,
    }


def test_percentages_of_two_decimals_are_the_whole(tmp_path: Path) -> None:
    found = credit(tmp_path, influences((1, org.A, 1, "33.33"), (1, org.B, 1, "33.33"), (1, org.C, 1, "33.33")))
    assert {name: amount for (name, _), amount in found.items()} == {org.A: 100_00, org.B: 100_00, org.C: 100_00}


def test_more_than_the_whole_is_shared_in_proportion(tmp_path: Path) -> None:
    found = credit(tmp_path, influences((1, org.A, 1, "100"), (1, org.C, 1, "50")))
    assert {name: amount for (name, _), amount in found.items()} == {org.A: 200_00, org.C: 100_00}


MODELS = """Id,DeveloperName,MasterLabel,IsDefaultModel,IsModelLocked,IsActive
03V000000000001AAA,Even,Even model,false,false,true
03V000000000002AAA,Primary_Campaign_Source,Primary Campaign Source,true,true,true
"""


def test_the_default_model_of_the_org_is_taken_and_others_by_name(tmp_path: Path) -> None:
    one = influences((1, org.A, 1, "50"), (1, org.C, 1, "50"))
    two = influences((1, org.A, 1, "100"), model="03V000000000002AAA").removeprefix(HEAD).replace("0KK0", "0KK9")
    space = org.built(tmp_path, {"CampaignInfluence.csv": one + two, "CampaignInfluenceModel.csv": MODELS})
    usual = space.metrics.salesforce(model="salesforce_even")
    assert any("Primary Campaign Source is locked" in note for note in usual.notes)
    assert usual.totals[0]["org_rows"] == 1
    named = space.metrics.salesforce(model="salesforce_even", org_model="Even model")
    assert (named.totals[0]["org_rows"], named.totals[0]["same_rows"]) == (2, 2)
    with pytest.raises(UnknownNameError, match="Even model"):
        space.metrics.salesforce(org_model="Evn model")


def test_an_org_without_rows_says_so(tmp_path: Path) -> None:
    result = org.built(tmp_path).metrics.salesforce()
    assert any("no influence rows" in note for note in result.notes)
    assert {row["reason"] for row in result.table.to_pylist()} == {"the org wrote no row for this opportunity"}


@pytest.mark.parametrize("question", [{"by": ["campaign_type"]}, {"where": {"campaign": "Alpha"}}, {"unit": "people"}])
def test_rows_cannot_be_split(real: Workspace, question: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="one by one"):
        real.metrics.salesforce(**question)


def test_the_percentages_stand_for_the_whole_window(tmp_path: Path) -> None:
    # The member of C came after the creation of deal 1; Alpha's cost was paid back.
    members = org.FILES["CampaignMember.csv"].replace("2026-01-05,2026-01-05T01", "2026-01-25,2026-01-25T01")
    campaigns = org.FILES["Campaign.csv"].replace(",100\n", ",-100\n")
    files = {"CampaignMember.csv": members, "Campaign.csv": campaigns}
    rows = influences((1, org.A, 1, "60"), (1, org.C, 1, "40"))
    space = org.built(tmp_path, {"CampaignInfluence.csv": rows, **files})
    found = space.metrics.influence(models=["salesforce"], window="sourced")
    (total,) = found.totals
    parts = ("credited", "other_window", "unattributed", "pending")
    assert [total[f"{part}_amount"] for part in parts] == [180_00, 120_00, 540_00, 0]
    assert total["total_amount"] == 840_00
    assert {row["campaign_id"]: row["roi"] for row in found.table.to_pylist() if row["cost"]}[org.A] is None
    for part in ("sourced", "accelerated"):
        with pytest.raises(UsageError, match=f"--window {part}"):
            space.metrics.influence(models=[f"salesforce@{part}"])
    with pytest.raises(UsageError, match="leave out --goal created"):
        space.metrics.influence(models=["even", "salesforce"], goal="created")
    with pytest.raises(UsageError, match="looks at opportunities"):
        space.metrics.influence(models=["role_points"], goal="SQL")
