"""The whole story of a person and of an opportunity, told of a small org whose every event is known."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from leadline import workspace
from leadline.cli.app import run
from leadline.errors import UsageError
from leadline.workspace import Workspace
from tests import small_org
from tests.small_org import FILES, write_export


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace.open(small_org.built(tmp_path_factory.mktemp("story")))


def test_a_journey_is_told_in_order(home: Workspace):
    story = home.journey("00Q000000000001AAA")
    assert story.facts["person_id"] == "003000000000001AAA"
    assert story.facts["records"] == ["00Q000000000001AAA", "003000000000001AAA"]
    told = [(event["at"][:10], event["kind"], event["stage"] or event["fate"]) for event in story.events]
    assert told == [
        ("2026-01-02", "record created", None),
        ("2026-01-05", "response", "Inquiry"),
        ("2026-01-05", "journey begins", None),
        ("2026-01-05", "visit", "Inquiry"),
        ("2026-01-10", "stage entry", "MQL"),
        ("2026-01-10", "visit", "MQL"),
        ("2026-02-01", "converted", None),
        ("2026-02-01", "record created", None),
        ("2026-02-01", "visit", "SQL"),
        ("2026-02-01", "role", None),
        ("2026-02-01", "opportunity created", None),
        ("2026-03-01", "opportunity won", "Closed Won"),
        ("2026-03-01", "journey ends", "won"),
    ]
    response = story.events[1]
    assert (response["campaign"], response["fate"]) == ("Spring webinar", "tipped")
    assert response["why"] == "the last response before the first stage beyond Inquiry; pass 1"
    first = [row for row in story.credits if row["model"] == "first"]
    assert [(row["response_id"], row["amount"]) for row in first] == [("00v000000000001AAA", "41000.00")]


def test_a_person_without_a_deal_has_a_story(home: Workspace):
    story = home.journey("00Q000000000004")
    assert story.facts["opportunities"] == []
    assert story.credits == ()
    assert {event["fate"] for event in story.events if event["kind"] == "response"} == {"not_qualified"}


def test_credit_under_every_model_adds_up_to_the_amount(home: Workspace):
    story = home.opportunity("006000000000002")
    assert (story.facts["state"], story.facts["amount"]) == ("open", "9000.50")
    sums: dict[str, Decimal] = {}
    for row in story.credits:
        if row["model"] is not None:
            sums[row["model"]] = sums.get(row["model"], Decimal(0)) + Decimal(row["amount"] or 0)
    assert {"first", "last", "even", "u_shaped", "w_shaped", "time_decay"} <= set(sums)
    assert set(sums.values()) == {Decimal("9000.50")}
    assert any(row["bucket"] == "pending" for row in story.credits)
    assert [one["person_id"] for one in story.facts["people"]] == ["003000000000002AAA"]


def test_the_commands_tell_stories(home: Workspace, capsys: pytest.CaptureFixture[str]):
    place = ["--workspace", str(home.folder)]
    assert run(["journey", "00Q000000000003AAA", *place]) == 0
    assert "Trade show" in capsys.readouterr().out
    assert run(["opportunity", "006000000000001AAA", "--format", "json", *place]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["facts"]["opportunity"] == "Alpha deal"
    assert set(told["events"][0]) >= {"at", "kind", "stage", "campaign", "evidence", "fate", "why"}
    assert set(told["credits"][0]) >= {"response_id", "campaign", "model", "points", "amount"}


def test_who_is_not_there_is_said(home: Workspace):
    with pytest.raises(UsageError, match="No lead or contact '00Q999'"):
        home.journey("00Q999")
    with pytest.raises(UsageError, match="No opportunity '006999'"):
        home.opportunity("006999")
    with pytest.raises(UsageError, match="nobody has it"):
        home.journey("nobody@example.org")


def test_a_person_is_found_by_address(tmp_path: Path):
    export = write_export(tmp_path / "export")
    heading, *rows = FILES["Lead.csv"].splitlines()
    mails = ["one@example.org", "two@example.org", "Three@Example.org", "twin@example.org", "twin@example.org"]
    lines = [f"{heading},Email", *(f"{row},{mail}" for row, mail in zip(rows, mails, strict=True))]
    (export / "Lead.csv").write_text("\n".join(lines) + "\n")
    made = workspace.create(tmp_path / "workspace")
    made.sources.import_files(export)
    assert made.journey("three@example.org").facts["person_id"] == "00Q000000000003AAA"
    assert made.journey("one@example.org").facts["person_id"] == "003000000000001AAA"
    with pytest.raises(UsageError, match="2 persons have it: 00Q000000000004AAA, 00Q000000000005AAA"):
        made.journey("twin@example.org")
