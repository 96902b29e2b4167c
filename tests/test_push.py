"""Writing back into an org, against the test double over HTTPS."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from leadline.cli.app import run
from leadline.config import parse
from leadline.errors import ConfigError, PushError, UnknownNameError, UsageError
from leadline.workspace import Workspace
from leadline.workspace.org import Org as LiveOrg
from leadline_double.org import Org
from leadline_double.problems import ApiError
from leadline_double.server import Double
from tests.push_org import own_model, pulled, rows, settle_rows

HUNDRED = Decimal("100.00")
Place = tuple[Workspace, Double, Any]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory):
    with pulled(tmp_path / "here", 4, 3, monkeypatch, tmp_path_factory.getbasetemp()) as made:
        yield made


def sums(org: Org) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for one in org.live("CampaignInfluence"):
        found[one["OpportunityId"]] += one["Influence"]
    return found


def test_percentages_of_equal_thirds_and_halves(place: Place):
    """Four deals, three contacts, each with a campaign of its own and a common one: six even rows of 100 %."""
    made, double, _ = place
    plan = made.push.influence("even")
    assert (plan.counts.create, plan.counts.change, plan.counts.delete) == (24, 0, 0)
    assert rows(double.org) == []
    assert plan.amounts is not None
    assert made.push.apply(plan.id).done == 24
    assert set(sums(double.org).values()) == {HUNDRED}
    # 100.00 over six: four rows of 16.67 and two of 16.66.
    shares = sorted(one["Influence"] for one in double.org.live("CampaignInfluence"))
    assert shares == [Decimal("16.66")] * 8 + [Decimal("16.67")] * 16
    again = made.push.influence("even").counts
    assert (again.written, again.unchanged) == (0, 24)


def test_another_model_changes_and_deletes_and_undo_brings_it_back(place: Place):
    made, double, _ = place
    made.push.apply(made.push.influence("even").id)
    before, others = rows(double.org), double.org.digest("Opportunity", "Campaign", "CampaignMember", "Contact")
    plan = made.push.influence("first")
    assert (plan.counts.create, plan.counts.change, plan.counts.delete) == (0, 4, 20)
    made.push.apply(plan.id)
    assert [one["Influence"] for one in double.org.live("CampaignInfluence")] == [HUNDRED] * 4
    assert made.push.undo(plan.id).done == 24
    assert rows(double.org) == before
    assert double.org.digest("Opportunity", "Campaign", "CampaignMember", "Contact") == others
    assert made.push.plan(plan.id).state == "undone"
    with pytest.raises(PushError, match="nothing to undo"):
        made.push.undo(plan.id)


def test_what_waits_for_a_milestone_stays_open(place: Place):
    """Open deals under w_shaped wait for nothing here but full_path does for the close: less than 100, never more."""
    made, double, _ = place
    result = made.metrics.influence(models=["full_path"])
    pending = sum(row["open_amount"] for row in result.table.to_pylist() if row["bucket"] == "pending")
    whole = sum(row["open_amount"] for row in result.table.to_pylist())
    assert 0 < pending < whole
    made.push.apply(made.push.influence("full_path").id)
    written = sums(double.org)
    # Rounded per deal to a hundredth of a percent.
    assert all(abs(one / 100 - Decimal(whole - pending) / whole) <= Decimal("0.0001") for one in written.values())


def test_extra_fields_of_deleted_rows_come_back(place: Place):
    made, double, _ = place
    settle_rows(double.org)
    before = rows(double.org)
    plan = made.push.influence("even")
    counts = plan.counts
    assert (counts.create, counts.change, counts.delete, counts.unchanged) == (16, 4, 4, 4)
    made.push.apply(plan.id)
    assert set(sums(double.org).values()) == {HUNDRED}
    made.push.undo(plan.id)
    assert rows(double.org) == before


def test_only_a_custom_active_model_is_written(place: Place):
    made, double, _ = place
    with pytest.raises(PushError, match="Salesforce's own"):
        made.push.influence("even", org_model="Primary_Campaign_Source")
    with pytest.raises(UnknownNameError, match="Leadline"):
        made.push.influence("even", org_model="Leadlime")
    double.org.deactivate_model(own_model(double.org))
    with pytest.raises(PushError, match="not active"):
        made.push.influence("even")
    assert made.push.plans() == []


def test_a_field_that_may_not_be_written_stops_it(place: Place):
    made, double, _ = place
    double.org.hide_field("CampaignInfluence", "Influence")
    with pytest.raises(PushError, match=r"CampaignInfluence\.Influence"):
        made.push.influence("even")


def test_it_refuses_when_the_org_has_moved(place: Place):
    made, double, _ = place
    made.push.apply(made.push.influence("even").id)
    plan = made.push.influence("first")
    one = double.org.live("CampaignInfluence")[0]
    double.org.update("CampaignInfluence", one["Id"], Influence="3")
    before = rows(double.org)
    with pytest.raises(PushError, match="The org has moved: 1 records"):
        made.push.apply(plan.id)
    assert rows(double.org) == before
    assert made.push.plan(plan.id).state == "planned"


def test_it_refuses_when_the_snapshot_has_moved_and_when_done_twice(place: Place):
    made, double, _ = place
    plan = made.push.influence("even")
    replace(plan, snapshot="20260101T000000Z-0123456789").save()
    with pytest.raises(PushError, match="The snapshot has moved"):
        made.push.apply(plan.id)
    assert rows(double.org) == []
    plan.save()
    made.push.apply(plan.id)
    with pytest.raises(PushError, match="was applied before"):
        made.push.apply(plan.id)
    with pytest.raises(UnknownNameError, match="plan"):
        made.push.apply("influence-20260101T000000-00000000")


def test_undo_refuses_what_others_changed(place: Place):
    made, double, _ = place
    plan = made.push.influence("even")
    made.push.apply(plan.id)
    double.org.update("CampaignInfluence", double.org.live("CampaignInfluence")[0]["Id"], Influence="3")
    with pytest.raises(PushError, match="1 records of plan"):
        made.push.undo(plan.id)


def test_members_get_dates_and_fates_and_lose_them_again(place: Place):
    made, double, _ = place
    plan = made.push.members()
    assert (plan.counts.change, plan.counts.create, plan.counts.delete) == (24, 0, 0)
    made.push.apply(plan.id)
    held = double.org.live("CampaignMember")
    fates = {row["response_id"]: row["fate"] for row in fates_of(made)}
    assert {one["Id"]: one["Fate__c"] for one in held} == fates
    assert {str(one["MQL_on__c"]) for one in held} == {"2026-07-01"}
    assert made.push.members().counts.written == 0
    made.push.undo(plan.id)
    assert {(one["MQL_on__c"], one["Fate__c"]) for one in double.org.live("CampaignMember")} == {(None, None)}


def fates_of(made: Workspace) -> list[dict[str, Any]]:
    import duckdb

    with duckdb.connect(str(made.snapshots.current().snapshot.path), read_only=True) as con:
        found = con.execute("SELECT response_id, fate FROM responses WHERE funnel = 'main'")
        return [{"response_id": key, "fate": fate} for key, fate in found.fetchall()]


def test_members_refuse_fields_of_another_kind(place: Place):
    made, double, _ = place
    double.org.retype_field("CampaignMember", "MQL_on__c", "double", lambda value: None)
    with pytest.raises(PushError, match="must be date"):
        made.push.members()
    double.org.hide_field("CampaignMember", "MQL_on__c")
    with pytest.raises(PushError, match=r"CampaignMember\.MQL_on__c"):
        made.push.members()


def test_settings_allow_only_custom_fields():
    with pytest.raises(ConfigError, match="no custom field"):
        parse('[salesforce.push.members]\nStatus = "fate"\n')


def test_without_allowed_fields_members_are_not_written(place: Place):
    made, _, _ = place
    path = made.folder / "leadline.toml"
    path.write_text(path.read_text().partition("[salesforce.push")[0], encoding="utf-8")
    with pytest.raises(UsageError, match="may be written"):
        made.push.members()


@pytest.fixture
def command(place: Place, monkeypatch: pytest.MonkeyPatch):
    """Runs `leadline push` on the workspace, with its login."""
    made, _, _ = place

    def init(self: LiveOrg, workspace: Any) -> None:
        self.__dict__.update(made.org.__dict__)

    monkeypatch.setattr(LiveOrg, "__init__", init)
    return lambda *words: run(["push", *words, "--workspace", str(made.folder)])


def test_the_command_writes_nothing_before_it_is_told(place: Place, command: Any, capsys: Any, tmp_path: Path):
    made, double, _ = place
    file = tmp_path / "rows.csv"
    assert command("influence", "--model", "even", "--rows", str(file)) == 0
    shown = capsys.readouterr()
    assert "24 to create" in shown.err
    assert "Nothing was written" in shown.err
    assert rows(double.org) == []
    with file.open(newline="") as text:
        listed = list(csv.DictReader(text))
    assert len(listed) == 24
    assert {one["old Influence"] for one in listed} == {""}
    (name,) = made.push.plans()
    assert command("influence", "--apply", name) == 0
    assert "24 rows written, 0 refused" in capsys.readouterr().err
    assert command("influence", "--plans") == 0
    assert "applied" in capsys.readouterr().out
    assert command("members", "--apply", name) == 2
    assert command("influence", "--undo", name) == 0
    assert rows(double.org) == []
    assert command("influence") == 2
    assert command("influence", "--model", "even", "--yes", "--apply", name) == 2


def test_yes_makes_a_plan_and_tells_each_refusal(place: Place, command: Any, capsys: Any):
    _, double, _ = place
    chosen = double.org.live("CampaignMember")[0]["CampaignId"]

    def rule(name: str, operation: str, values: dict[str, Any]) -> ApiError | None:
        if values.get("CampaignId") == chosen:
            return ApiError("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Not this campaign \x1b[31m", fields=[])
        return None

    double.service.row_rules.append(rule)
    assert command("influence", "--model", "even", "--yes", "--strict") == 3
    shown = capsys.readouterr().err
    assert "20 rows written, 4 refused" in shown
    assert shown.count("FIELD_CUSTOM_VALIDATION_EXCEPTION Not this campaign") == 4
    assert "\x1b[31m" not in shown
    assert command("influence", "--model", "even", "--yes", "--format", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["create"], told["done"], len(told["refused"])) == (4, 0, 4)
    assert told["amount_after"] > told["amount_before"] > 0
