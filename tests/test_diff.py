"""Frozen states stay; what changed between two states is told apart into parts that add up, by hand-made orgs."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from leadline import workspace
from leadline.cli.app import run
from leadline.dates import parse_as_of
from leadline.demo.org import CONFIG_TOML, generate
from leadline.diff import PARTS
from leadline.errors import SnapshotError, UnknownNameError, UsageError
from leadline.model import campaigns
from leadline.snapshots import KEPT
from leadline.workspace import Workspace
from tests import campaign_org
from tests.scale import costly
from tests.small_org import EXTRACTED_AT, FILES, write_export

FIRST, LATER = parse_as_of(EXTRACTED_AT, "UTC"), parse_as_of("2026-05-01T00:00:00Z", "UTC")

# One member is gone (its deal has no touch left), one deal is new, one after the first moment is new, two amounts and
# one MQL date changed.
CHANGED = {
    "CampaignMember.csv": "".join(
        line for line in FILES["CampaignMember.csv"].splitlines(True) if not line.startswith("00v000000000002AAA")
    ),
    "Lead.csv": FILES["Lead.csv"].replace(",2026-01-20,", ",2026-01-25,"),
    "Opportunity.csv": FILES["Opportunity.csv"].replace(",41000,", ",42000,").replace("9000.50", "9000.75")
    + "006000000000003AAA,001000000000001AAA,Gamma,Closed Won,500,true,true,2026-03-05,2026-02-10T10:00:00.000+0000\n"
    + "006000000000004AAA,001000000000001AAA,Delta,Proposal,70,false,false,2026-09-01,2026-04-10T10:00:00.000+0000\n",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a frozen first load and a later one."""
    folder = tmp_path_factory.mktemp("diff")
    made = workspace.create(folder / "workspace")
    made.sources.import_files(write_export(folder / "one"), extracted_at=FIRST)
    made.freeze("2026-Q1", note="as reported")
    second = write_export(folder / "two")
    for name, text in CHANGED.items():
        (second / name).write_text(text)
    made.sources.import_files(second, extracted_at=LATER, allow_vanish=True)
    return made


def parts(row: dict[str, Any]) -> dict[str, str]:
    """The parts of a change that are not nothing."""
    return {part: row[part] for part in PARTS if Decimal(row[part])}


def test_every_change_is_told_apart(home: Workspace):
    found = home.diff("2026-Q1", metrics=["volume", "influence?model=first", "pipeline"])
    rows = {(row["metric"], row["cell"]): row for row in found.table.to_pylist()}
    for row in rows.values():
        assert sum(Decimal(row[part]) for part in PARTS) == Decimal(row["after"] or 0) - Decimal(row["before"] or 0)
    told = {key: parts(row) for key, row in rows.items()}
    first = "influence?model=first"
    assert told == {
        ("volume", "count@stage=Inquiry"): {"deleted": "-1"},
        ("pipeline", "amount@stage=Proposal,movement=standing"): {"changed": "0.25"},
        (first, "open_amount@bucket=campaign,campaign_id=701000000000001AAA,model=first"): {"deleted": "-9000.50"},
        (first, "won_amount@bucket=campaign,campaign_id=701000000000001AAA,model=first"): {"changed": "1000.00"},
        (first, "open_amount@bucket=unattributed,reason=nobody responded,model=first"): {
            "deleted": "9000.50",
            "changed": "0.25",
        },
        (first, "won_amount@bucket=unattributed,reason=no person in scope,model=first"): {"new": "500.00"},
    }
    inquiry = rows["volume", "count@stage=Inquiry"]
    assert (inquiry["before"], inquiry["after"], inquiry["fields"]) == ("4", "3", None)
    assert rows["pipeline", "amount@stage=Proposal,movement=standing"]["fields"] == "Opportunity.Amount +0.25"
    assert "Deleted: 1 CampaignMember." in found.notes
    assert "Changed (Opportunity.Amount): 2 Opportunity." in found.notes


def test_a_record_of_later_days_changes_only_the_later_moment(home: Workspace):
    # Delta was created on 10 April, after the first state's moment.
    rows = home.diff("2026-Q1", own_moments=True, metrics=["pipeline#count"]).table.to_pylist()
    assert [(row["before"], row["after"], parts(row)) for row in rows] == [("1", "2", {"new": "1"})]


def test_the_records_behind_a_change_are_listed(home: Workspace):
    rows = home.diff("2026-Q1", metrics=["pipeline#amount"], listing=True).table.to_pylist()
    told = [(row["part"], row["field"], row["change"], row["record_id"], row["before"], row["after"]) for row in rows]
    assert told == [("changed", "Opportunity.Amount", "changed", "006000000000002AAA", "9000.50", "9000.75")]


def test_explain_compares_with_the_state_before(home: Workspace):
    found = home.explain("volume#count@stage=Inquiry")
    assert (found.value, found.previous["value"], found.previous["change"]) == (3, 4, "-1")


def test_a_frozen_state_stays_and_is_named(home: Workspace, capsys: pytest.CaptureFixture[str]):
    asked = home.metrics.volume(snapshot="2026-Q1")
    assert asked.notes[0] == "Frozen as 2026-Q1."
    assert asked.table.to_pylist()[0]["count"] == 4
    assert home.explain("volume?snapshot=2026-Q1#count@stage=Inquiry").frozen == ("2026-Q1",)
    kept = home.folder / "frozen" / "2026-Q1"
    assert json.loads((kept / "freeze.json").read_text())["note"] == "as reported"
    assert json.loads((kept / "settings.json").read_text())["funnel"]
    assert (kept / "leadline.toml").exists()
    place = ["--workspace", str(home.folder)]
    assert run(["freeze", "2026-Q1", *place]) == 2
    assert "taken by snapshot" in capsys.readouterr().err
    assert run(["volume", "--snapshot", "2026-Q1", *place]) == 0
    assert "Frozen as 2026-Q1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "after", "arguments", "fault", "said"),
    [
        ("2026-Q2", "current", {}, UnknownNameError, "Did you mean '2026-Q1'"),
        ("current", "current", {}, UsageError, "the same snapshot"),
        ("2026-Q1", "current", {"metrics": ["volme"]}, UnknownNameError, "Did you mean 'volume'"),
        ("2026-Q1", "current", {"metrics": ["volume?as_of=2026-01-01"]}, UsageError, "by --as-of"),
        ("2026-Q1", "current", {"own_moments": True, "as_of": "2026-01-01"}, UsageError, "leave out --as-of"),
    ],
)
def test_what_cannot_be_compared_says_why(
    home: Workspace, before: str, after: str, arguments: dict[str, Any], fault: type[UsageError], said: str
):
    with pytest.raises(fault, match=said):
        home.diff(before, after, **arguments)


def test_settings_and_models_have_their_own_parts(tmp_path: Path):
    made = workspace.create(tmp_path / "workspace")
    made.sources.import_files(write_export(tmp_path / "export"), extracted_at=FIRST)
    config = made.folder / "leadline.toml"
    config.write_text(config.read_text().replace("look_back_days = 365", "look_back_days = 10"))
    made.build()
    # By hand: both deals were created over 20 days after the responses, so a look-back of 10 days leaves no touch.
    rows = made.diff(metrics=["influence?model=first"]).table.to_pylist()
    told = {row["cell"].partition("@")[0]: parts(row) for row in rows if "bucket=campaign" in row["cell"]}
    assert told == {"won_amount": {"models": "-41000.00"}, "open_amount": {"models": "-9000.50"}}


WEB = "701000000000001AAA"
TWICE = (
    "00v000000000006AAA,701000000000002AAA,00Q000000000001AAA,Visited,true,2026-01-20,2026-01-20T09:00:00.000+0000\n"
)
"""A second touch of the deal Alpha: without it every model gives the same."""


def test_costs_and_model_files_have_their_own_parts(tmp_path: Path):
    """Each side with the costs it was built with and the models frozen with it; other changes beside do not mix in."""
    made = workspace.create(tmp_path / "workspace")
    spent, own = made.folder / "costs.csv", made.folder / "models" / "own.toml"
    own.parent.mkdir()
    own.write_text('kind = "even"\ntitle = "Own"\n')
    name = next(csv.DictReader(FILES["Campaign.csv"].splitlines()))["Name"]
    spent.write_text(f"campaign,amount\n{name},1000\n")
    first, second = write_export(tmp_path / "one"), write_export(tmp_path / "two")
    for folder in (first, second):
        (folder / "CampaignMember.csv").write_text(FILES["CampaignMember.csv"] + TWICE)
    made.sources.import_files(first, extracted_at=FIRST)
    made.freeze("2026-Q1")
    own.write_text('kind = "touch"\ntitle = "Own"\ntouch = "first"\n')
    spent.write_text(f"campaign,amount\n{WEB},1000\n{WEB},250.25\n")
    # The campaign gets another name, so the earlier costs would not find it any more.
    (second / "Campaign.csv").write_text(FILES["Campaign.csv"].replace(name, "Renamed"))
    (second / "Opportunity.csv").write_text(FILES["Opportunity.csv"].replace(",41000,", ",42000,"))
    made.sources.import_files(second, extracted_at=LATER)
    found = made.diff("2026-Q1", metrics=["roi?model=first#cost", "influence?model=own#won_amount"])
    rows = found.table.to_pylist()
    for row in rows:
        assert sum(Decimal(row[part]) for part in PARTS) == Decimal(row["after"] or 0) - Decimal(row["before"] or 0)
    told = {row["cell"].partition("@")[0]: parts(row) for row in rows if WEB in row["cell"]}
    assert "Costs: 1 lines that came or went." in found.notes
    # Half of 41,000, then half of 42,000, then all of it.
    assert told == {"cost": {"costs": "250.25"}, "won_amount": {"changed": "500.00", "models": "21000.00"}}


def test_a_state_without_frozen_files_says_that_those_of_today_count(tmp_path: Path):
    """Asked by its id, and compared; once it is frozen its own files count and nothing is said."""
    made = workspace.create(tmp_path / "workspace")
    own = made.folder / "models" / "own.toml"
    first, second = write_export(tmp_path / "one"), write_export(tmp_path / "two")
    (second / "Opportunity.csv").write_text(FILES["Opportunity.csv"].replace(",41000,", ",42000,"))
    made.sources.import_files(first, extracted_at=FIRST)
    key = made.snapshots.current().snapshot.id
    made.sources.import_files(second, extracted_at=LATER)

    def told(name: str) -> list[str]:
        asked = made.metrics.influence(snapshot=name)
        compared = made.diff(name, metrics=["influence#won_amount"])
        return [note for result in (asked, compared) for note in result.notes if "frozen with" in note]

    assert told(key) == []  # there are no files of today either
    own.parent.mkdir()
    own.write_text('kind = "even"\ntitle = "Own"\n')
    assert told(key) == [
        f"No files were frozen with {key}: credit models of models/*.toml are those of today.",
        f"No model files were frozen with {key}: credit models of models/ are those of today.",
    ]
    made.freeze("2026-Q1", snapshot=key)
    assert told("2026-Q1") == []


def test_a_change_of_definitions_without_a_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = workspace.create(tmp_path / "workspace")
    usual = campaigns.campaigns
    with monkeypatch.context() as patched:
        patched.setattr(
            campaigns, "campaigns", lambda *given: (table := usual(*given)).mutate(campaign=table.campaign.upper())
        )
        made.sources.import_files(write_export(tmp_path / "one"), extracted_at=FIRST)
    second = write_export(tmp_path / "two")
    (second / "Lead.csv").write_text(CHANGED["Lead.csv"])
    made.sources.import_files(second, extracted_at=LATER)
    with pytest.raises(SnapshotError, match=r"other rows in campaigns today.*needs a new version"):
        made.diff(metrics=["volume"])


def test_frozen_snapshots_outlive_the_newest(tmp_path: Path):
    from leadline.snapshots import Snapshots
    from leadline.snapshots.frozen import find, freeze
    from tests.snapshot_files import builder

    kept = Snapshots(tmp_path)
    first = kept.publish(_with_version(builder(1))).snapshot
    freeze(kept, first.id, "start", note="", files={})
    for number in range(2, 3 + KEPT):
        kept.publish(_with_version(builder(number)))
    assert find(kept, "start").id == first.id
    assert find(kept, "current").id != find(kept, "previous").id
    assert len(kept.list()) == KEPT + 1
    for name in ("", "current", "a b", first.id):
        with pytest.raises(UsageError, match="cannot name a frozen state"):
            freeze(kept, first.id, name, note="", files={})


def _with_version(build: Any) -> Any:
    """A build that says the version of its definitions and its settings, as a published one does."""
    return lambda path: build(path) | {"definition_version": "1", "settings": "{}"}


EXPORTS = """
import hashlib, sys
from pathlib import Path
from leadline import engines, render, workspace
from leadline.dates import parse_as_of
folder, export, threads = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
usual = engines._limits
engines._limits = lambda con, memory, asked: usual(con, memory, asked or threads)
made = workspace.create(folder)
made.sources.import_files(export, extracted_at=parse_as_of("2026-04-01T00:00:00Z", "UTC"))
print(made.snapshots.current().snapshot.content_hash)
tables = [made.metrics.volume(by=["campaign_type"]), made.metrics.conversion(convention="touched"), made.metrics.influence()]
for at, table in enumerate(tables):
    for ending in ("csv", "json", "parquet"):
        for form in (table, table.records()):
            path = folder / f"{at}.{ending}"
            render.write(form, ending, path)
            print(hashlib.sha256(path.read_bytes()).hexdigest())
"""


def test_the_same_records_give_the_same_bytes(tmp_path: Path):
    export = write_export(tmp_path / "export")
    said = set()
    for turn in range(costly(20) + 1):
        environment = os.environ | {"PYTHONHASHSEED": str(turn)}
        command = [
            sys.executable,
            "-c",
            EXPORTS,
            str(tmp_path / f"w{turn}" / "workspace"),
            str(export),
            str(1 + turn % 3),
        ]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert ended.returncode == 0, ended.stderr
        said.add(ended.stdout)
    assert len(said) == 1


def edited(path: Path, rng: random.Random) -> None:
    """A later export: of each object a few records are gone and a few changed, and a few open deals are new.

    Amounts change on open deals: those of closed ones stand in no pipeline.
    """
    for name, fields in LATER_FIELDS.items():
        with (path / name).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        gone = {row["Id"] for row in rng.sample(rows, max(3, len(rows) // 50))}
        kept = [row for row in rows if row["Id"] not in gone]
        still = [row for row in kept if row.get("IsClosed", "").lower() == "false"]
        for field in fields:
            of = still if field == "Amount" else kept
            values = sorted({row[field] for row in rows})
            for row in rng.sample(of, min(len(of), max(3, len(kept) // 30))):
                row[field] = rng.choice([value for value in values if value != row[field]])
        if name == "Opportunity.csv":
            kept += [row | {"Id": f"006ZZZZZZZZZZ{at:02}"} for at, row in enumerate(rng.choices(still, k=3))]
        with (path / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(kept)


LATER_FIELDS = {
    "CampaignMember.csv": ("FirstRespondedDate",),
    "Lead.csv": ("LeadSource",),
    "Opportunity.csv": ("Amount", "StageName"),
}


@pytest.mark.parametrize("seed", range(costly(10)))
def test_the_demo_with_a_later_load_is_told_apart(tmp_path: Path, seed: int):
    """The last state built must give the later snapshot's numbers, else nothing is told; the parts add up."""
    files = tmp_path / "files"
    generate(files, people=400, seed=seed)
    made = workspace.create(tmp_path / "workspace")
    (made.folder / "leadline.toml").write_text(CONFIG_TOML, encoding="utf-8")
    made.sources.import_files(files, extracted_at=parse_as_of("2026-07-01T00:00:00Z", "UTC"))
    edited(files, random.Random(seed))
    made.sources.import_files(files, extracted_at=parse_as_of("2026-07-08T00:00:00Z", "UTC"), allow_vanish=True)
    rows = made.diff(metrics=["volume?by=lead_source", "pipeline"]).table.to_pylist()
    for row in rows:
        assert sum(Decimal(row[part]) for part in PARTS) == Decimal(row["after"] or 0) - Decimal(row["before"] or 0)
    assert {part for row in rows for part in parts(row)} == {"deleted", "new", "changed"}
    told = {one.rpartition(" ")[0] for row in rows for one in (row["fields"] or "").split(", ") if one}
    assert {"Opportunity.Amount", "Lead.LeadSource"} <= told


def test_an_object_that_only_one_load_holds_and_a_response_on_two_deals(tmp_path: Path):
    # The person of deal 1 has a role on deal 2 as well, so two responses are touches of both.
    role = "00K000000000004AAA,006000000000002AAA,003000000000001AAA,false,2026-02-05T08:00:00Z\n"
    files = {"OpportunityContactRole.csv": campaign_org.FILES["OpportunityContactRole.csv"] + role}
    made = campaign_org.built(tmp_path, files)
    later = tmp_path / "later"
    later.mkdir()
    deals = campaign_org.FILES["Opportunity.csv"].replace(",300,", ",330,").replace(",40,", ",70,")
    (later / "Opportunity.csv").write_text(deals)
    (later / "Account.csv").write_text("Id,Name,CreatedDate\n001000000000001AAA,Alpha,2026-01-01T00:00:00Z\n")
    made.sources.import_files(later, extracted_at=LATER)
    asked = ["influence?model=even"]
    moved = made.diff(metrics=asked, listing=True).table.to_pylist()
    # The odd cent of deal 2 is that of its earliest touch.
    told = sorted((row["unit_id"][:15], row["before"], row["after"]) for row in moved)
    assert told == [
        ("00v000000000001", "13.34", "23.34"),
        ("00v000000000001", "150.00", "165.00"),
        ("00v000000000002", "13.33", "23.33"),
        ("00v000000000002", "150.00", "165.00"),
        ("00v000000000003", "13.33", "23.33"),
    ]
    # The other way round the accounts are there before only; no count of people rests on them.
    assert made.diff("current", "previous", metrics=["volume"]).table.num_rows == 0
    # The amounts go back to what the earlier load had: each number changes by as much the other way, for one reason.
    forwards, backwards = (
        {row["cell"]: (row["before"], row["after"], Decimal(row["changed"]), row["fields"]) for row in rows}
        for rows in (made.diff(*way, metrics=asked).table.to_pylist() for way in (("previous", "current"), BACK))
    )
    assert backwards == {
        cell: (after, before, -change, fields.replace("+", "-"))
        for cell, (before, after, change, fields) in forwards.items()
    }
    assert {cell.partition("campaign_id=")[2][:18]: change for cell, (_, _, change, _) in forwards.items()} == {
        campaign_org.A: Decimal("25.00"),
        campaign_org.B: Decimal("10.00"),
        campaign_org.C: Decimal("25.00"),
    }


def test_a_frozen_state_answers_with_what_was_frozen(tmp_path: Path):
    """Models, goals and formulas edited later change the present only."""
    made = workspace.create(tmp_path / "workspace")
    own, config = made.folder / "models" / "own.toml", made.folder / "leadline.toml"
    own.parent.mkdir()
    own.write_text('kind = "even"\ntitle = "Own"\n')
    config.write_text(config.read_text() + FORMULA)
    export = write_export(tmp_path / "one")
    (export / "CampaignMember.csv").write_text(FILES["CampaignMember.csv"] + TWICE)
    made.sources.import_files(export, extracted_at=FIRST)
    made.freeze("2026-Q1")
    own.write_text('kind = "touch"\ntitle = "Own"\ntouch = "first"\n')
    config.write_text(config.read_text().replace('expression = "Inquiry"', 'expression = "Inquiry * 2"'))
    again = workspace.open(made.folder)

    def credited(**asked: Any) -> dict[str, int]:
        rows = again.metrics.influence(models=["own"], **asked).table.to_pylist()
        return {row["campaign_id"]: row["won_amount"] for row in rows if row["bucket"] == "campaign"}

    # By hand: Alpha is worth 41,000 and has two touches; amounts are cents.
    assert credited(snapshot="2026-Q1")[WEB] == 20_500_00
    assert credited()[WEB] == 41_000_00
    values = [again.metrics.formula("twice", **asked).table.to_pylist()[0]["value"] for asked in (FROZEN, {})]
    assert values == [4, 8]


FORMULA = '\n[formula.twice]\nexpression = "Inquiry"\n'
FROZEN: dict[str, Any] = {"snapshot": "2026-Q1"}
BACK = "current", "previous"
