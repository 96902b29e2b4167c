"""Suggested contact roles and the scope of matched leads, on orgs worked on paper."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from leadline import workspace
from leadline.cli.app import app
from leadline.errors import UnknownNameError, UsageError
from leadline.metrics.credit import touches
from leadline.metrics.influence import influence
from leadline.metrics.query import Query
from leadline.metrics.roles import EVIDENCE, suggested
from leadline.model.opened import Opened
from tests.agreement.engine import built
from tests.oracle.tiny import Tiny, at
from tests.small_org import built as small_built

AS_OF = dt.datetime(2024, 12, 31, 12, tzinfo=dt.UTC)
ASKED = Query(unit="opportunities")


def org() -> Tiny:
    """Two opportunities with roles, D1 and D2, and two without, D3 and D4, all of account A."""
    tiny = Tiny()
    tiny.add("Account", "A", Name="One")
    tiny.add("Campaign", "camp", Name="Web", Type="Web")
    for contact in ("C1", "C2", "C3", "C4"):
        tiny.contact(contact, AccountId="A")
    tiny.contact("C9", AccountId="B")
    for deal, amount in (("D1", "100"), ("D2", "200"), ("D3", "300"), ("D4", "400")):
        tiny.deal(deal, "2024-06-01T00:00", StageName="Proposal", AccountId="A", amount=amount)
    tiny.role("C1", "D1")
    tiny.role("C1", "D2")
    tiny.role("C2", "D2")
    # C1 responded and was called, C3 responded, C4 responded too early to count.
    tiny.member("m1", "C1", "2024-03-01")
    tiny.member("m3", "C3", "2024-04-01")
    tiny.member("m4", "C4", "2022-01-01")
    tiny.add(
        "Task",
        "t1",
        WhoId="C1",
        IsClosed=True,
        CompletedDateTime=at("2024-05-01T10:00"),
        CreatedDate=at("2024-05-01T09:00"),
    )
    return tiny


@pytest.fixture(scope="module")
def opened() -> Opened:
    tiny = org()
    return built(tiny.org, tiny.settings, AS_OF)


def test_candidates_are_ranked_by_what_roles_elsewhere_say(opened: Opened):
    rows = suggested(opened, ASKED, top=9).table.to_pylist()
    # On D1 and D2: "responded and was spoken to" is C1 twice, both with a role; "responded" is C3 twice,
    # neither; "has a role on another opportunity" is C2 on D1, without one there; "belongs to the
    # account" is C4 twice and C2 on D2, which is its only role.
    worth = {EVIDENCE[1]: 3 / 4, EVIDENCE[2]: 1 / 4, EVIDENCE[4]: 1 / 3, EVIDENCE[5]: 2 / 5}
    ranked = [("C1", EVIDENCE[1]), ("C4", EVIDENCE[5]), ("C2", EVIDENCE[4]), ("C3", EVIDENCE[2])]
    assert [(row["opportunity_id"], row["rank"], row["contact_id"], row["evidence"]) for row in rows] == [
        (deal, place, contact, evidence) for deal in ("D4", "D3") for place, (contact, evidence) in enumerate(ranked, 1)
    ]
    # Both sides divide the same whole numbers.
    assert [row["confidence"] for row in rows[:4]] == [worth[evidence] for _, evidence in ranked]
    assert [(row["responses"], row["activities"], row["other_roles"]) for row in rows[:4]] == [
        (1, 1, 2), (0, 0, 0), (0, 0, 1), (1, 0, 0),
    ]  # fmt: skip


def test_only_the_best_and_only_one_opportunity(opened: Opened):
    rows = suggested(opened, ASKED, top=1, opportunity="D3").table.to_pylist()
    assert [(row["opportunity_id"], row["contact_id"], row["amount"]) for row in rows] == [("D3", "C1", 30_000)]
    assert suggested(opened, ASKED, opportunity="D1").table.num_rows == 0
    with pytest.raises(UnknownNameError, match="opportunity 'D7'"):
        suggested(opened, ASKED, opportunity="D7")


def test_scopes_are_set_side_by_side_in_money(opened: Opened):
    totals = {row["scope"]: row for row in suggested(opened, ASKED).totals}
    # With a role are only C1 and C2, of whom C1 responded: D1 and D2. By account C1 and C3 reach all four.
    assert {scope: row["credited_amount"] for scope, row in totals.items()} == {
        "role": 30_000, "primary role": 0, "account": 100_000,
    }  # fmt: skip
    assert all(row["total_amount"] == row["credited_amount"] + row["unattributed_amount"] for row in totals.values())


def test_a_snapshot_without_matches_says_what_to_do(opened: Opened):
    with pytest.raises(UsageError, match="run `leadline build`"):
        influence(opened, Query(), models=["even"], scope=touches.MATCHED)


def test_the_command_answers(tmp_path_factory: pytest.TempPathFactory):
    folder = small_built(tmp_path_factory.getbasetemp())
    made = CliRunner().invoke(app, ["roles", "--workspace", str(folder), "--format", "json"])
    assert made.exit_code == 0, made.output
    answer = json.loads(made.stdout)
    assert answer["kind"] == "roles"
    assert answer["rows"] == []
    assert [total["scope"] for total in answer["totals"]] == list(touches.SCOPES)
    assert "0 opportunities have no contact role" in answer["notes"][0]


def test_matches_made_by_hand_reach_the_scope(tmp_path: Path):
    """A lead that nothing places belongs to the account by the file; its response then has a share in the deal."""
    export = tmp_path / "export"
    export.mkdir()
    (export / "Account.csv").write_text("Id,Name\n001000000000001AAA,Alpha\n")
    (export / "Contact.csv").write_text("Id,LastName,AccountId\n003000000000001AAA,One,001000000000001AAA\n")
    (export / "Lead.csv").write_text(
        "Id,LastName,Company,Status,CreatedDate\n00Q000000000001AAA,Two,Else,Open,2026-01-01\n"
    )
    (export / "Campaign.csv").write_text("Id,Name\n701000000000001AAA,Web\n")
    (export / "CampaignMember.csv").write_text(
        "Id,CampaignId,LeadId,HasResponded,FirstRespondedDate\n"
        "00v000000000001AAA,701000000000001AAA,00Q000000000001AAA,true,2026-01-05\n"
    )
    (export / "Opportunity.csv").write_text(
        "Id,AccountId,Name,StageName,Amount,IsClosed,IsWon,CloseDate,CreatedDate\n"
        "006000000000001AAA,001000000000001AAA,Deal,Closed Won,500,true,true,2026-03-01,2026-02-01T10:00:00.000+0000\n"
    )
    made = workspace.create(tmp_path / "workspace")
    (made.folder / "matches.csv").write_text(
        "lead,account\n00Q000000000001AAA,001000000000001AAA\n00Q000000000009AAA,none\n"
    )
    made.sources.import_files(export)
    result = made.metrics.influence(models=["even"], scope=touches.MATCHED)
    (row,) = [row for row in result.records().table.to_pylist() if row["bucket"] == "campaign"]
    assert (row["person_id"], row["credit"]) == ("00Q000000000001AAA", 50_000)
    assert row["matched_by"] == "override: 2 (100 %)"
    assert made.metrics.influence(models=["even"], scope="account").totals[0]["credited_amount"] == 0
    assert "match-override-unused" in {finding.code for finding in made.audit.findings()}
    assert {row["record_id"] for row in made.audit.records("lead-of-account").table.to_pylist()} == {
        "00Q000000000001AAA"
    }
