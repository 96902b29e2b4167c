"""Accepting findings, grouping them, what beside them is known, and how a terminal shows them."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import pytest
from rich.console import Console

from leadline.audit import acceptances, grouped, read
from leadline.audit.acceptances import Acceptance
from leadline.audit.moved import Move, digest
from leadline.cli import findings as shown
from leadline.cli.app import run
from leadline.errors import ConfigError, UnknownNameError, UsageError
from leadline.workspace import Workspace, create
from leadline.workspace import open as opened_workspace
from tests.audit_orgs import audited_faulty
from tests.oracle.tiny import Tiny

DAY = dt.date
SMALL = {
    "Opportunity.csv": """Id,Name,StageName,Amount,IsClosed,IsWon,CloseDate,CreatedDate,OwnerId,CreatedById
006000000000001AAA,One,Closed Won,100,true,true,2024-05-01,2024-04-01T10:00:00Z,005000000000001AAA,005000000000002AAA
006000000000002AAA,Two,Closed Won,200,true,true,2024-05-02,2024-04-02T10:00:00Z,005000000000001AAA,005000000000001AAA
006000000000003AAA,Three,Proposal,400,false,false,2024-09-01,2024-03-31T23:30:00Z,005000000000002AAA,005000000000001AAA
""",
    "OpportunityContactRole.csv": "Id,OpportunityId,ContactId,IsPrimary\n00K000000000001AAA,006000000000002AAA,003000000000001AAA,true\n",
    "Contact.csv": "Id,LastName,CreatedDate\n003000000000001AAA,One,2024-01-01T10:00:00Z\n",
    "User.csv": "Id,Name,IsActive\n005000000000001AAA,Ada,true\n005000000000002AAA,Sync,true\n",
}
"""Opportunities 1 and 3 have no contact role; the third was created on April 1st in Berlin."""


def workspace(folder: Path) -> Workspace:
    """The small export, imported in the zone of Berlin."""
    files = folder / "files"
    files.mkdir()
    for name, text in SMALL.items():
        (files / name).write_text(text, encoding="utf-8")
    made = create(folder / "ws")
    (made.folder / "leadline.toml").write_text('[workspace]\ntimezone = "Europe/Berlin"\n', encoding="utf-8")
    made.sources.import_files(files, extracted_at=dt.datetime(2024, 6, 30, 23, tzinfo=dt.UTC))
    return made


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace(tmp_path_factory.mktemp("small"))


@pytest.fixture(autouse=True)
def nothing_accepted(small: Workspace) -> None:
    (small.folder / acceptances.FILE_NAME).unlink(missing_ok=True)


def row(made: Workspace, code: str) -> dict[str, object]:
    """The row of a finding, without its effect."""
    return next(one for one in made.audit.table(effects=False).table.to_pylist() if one["code"] == code)


def test_an_accepted_finding_is_marked_and_passed_over_by_strict(small: Workspace) -> None:
    assert row(small, "opportunity-without-role")["severity"] == "error"
    assert small.audit.has_errors()
    small.audit.accept("opportunity-without-role", reason='They buy "online"', until=DAY(2024, 12, 31))
    found = row(small, "opportunity-without-role")
    assert (found["accepted"], found["accepted_until"], found["severity"]) == (True, DAY(2024, 12, 31), "error")
    assert found["accepted_reason"] == 'They buy "online"'
    assert not small.audit.has_errors()


def test_an_acceptance_holds_for_loads_up_to_its_last_day(small: Workspace) -> None:
    # 23:00 UTC on June 30th is July 1st in Berlin.
    small.audit.accept("opportunity-without-role", reason="for now", until=DAY(2024, 7, 1))
    assert not small.audit.has_errors()
    path = small.folder / acceptances.FILE_NAME
    path.write_text(path.read_text(encoding="utf-8").replace("2024-07-01", "2024-06-30"), encoding="utf-8")
    found = row(small, "opportunity-without-role")
    assert (found["accepted"], found["accepted_until"], found["accepted_reason"]) == (
        False,
        DAY(2024, 6, 30),
        "for now",
    )
    assert small.audit.has_errors()


def test_what_cannot_be_accepted_is_refused(small: Workspace) -> None:
    with pytest.raises(UsageError, match="before the newest load"):
        small.audit.accept("opportunity-without-role", reason="late", until=DAY(2024, 6, 30))
    with pytest.raises(UsageError, match="needs a reason"):
        small.audit.accept("opportunity-without-role", reason="  ", until=DAY(2025, 1, 1))
    with pytest.raises(UnknownNameError, match="opportunity-without-role"):
        small.audit.accept("opportunity-without-rolle", reason="x", until=DAY(2025, 1, 1))
    assert small.audit.accepted() == ()


def test_grades_are_those_of_before(small: Workspace) -> None:
    before = small.metrics.volume(unit="opportunities").trust
    small.audit.accept("opportunity-without-role", reason="x", until=DAY(2025, 1, 1))
    assert small.metrics.volume(unit="opportunities").trust == before


@pytest.mark.parametrize("reason", ['quotes " and \\ back', "line\nbreak", "tab\tand \x7f", "smile 😀 ä", "'", "]]"])
def test_every_reason_survives_the_file(reason: str, tmp_path: Path) -> None:
    path = tmp_path / acceptances.FILE_NAME
    one = Acceptance("duplicate-email", reason, DAY(2025, 1, 1))
    acceptances.add(path, Acceptance("zone-unknown", "first", DAY(2024, 7, 1)), DAY(2024, 7, 1))
    acceptances.add(path, one, DAY(2024, 7, 1))
    acceptances.add(path, one, DAY(2024, 7, 1))
    assert acceptances.load(path) == (one, Acceptance("zone-unknown", "first", DAY(2024, 7, 1)))


def test_faults_of_the_file_are_all_told(tmp_path: Path) -> None:
    path = tmp_path / acceptances.FILE_NAME
    path.write_text('odd = 1\n[[accepted]]\ncode = ""\nuntil = "soon"\nwho = "me"\n', encoding="utf-8")
    with pytest.raises(ConfigError) as refusal:
        acceptances.load(path)
    assert refusal.value.faults == [
        "odd is no key of this file; write [[accepted]]",
        "entry 1 has an unknown key who",
        "entry 1 needs code, a text",
        "entry 1 needs reason, a text",
        "entry 1 needs until, a date such as 2026-12-31",
    ]
    path.write_text("accepted = [", encoding="utf-8")
    with pytest.raises(ConfigError, match="TOML"):
        acceptances.load(path)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("owner", {("Ada", 1, 100_00), ("Sync", 1, 400_00)}),
        ("month", {("2024-04", 2, 500_00)}),
        ("written_by", {("Sync", 1, 100_00), ("Ada", 1, 400_00)}),
        ("campaign", {(grouped.NOBODY, 2, 500_00)}),
    ],
)
def test_findings_are_grouped(small: Workspace, by: str, expected: set[tuple[str, int, int]]) -> None:
    table = small.audit.table(by=by, code="opportunity-without-role").table.to_pylist()
    assert {(one[by], one["rows"], one["amount"]) for one in table} == expected
    every = small.audit.table(by=by).table.to_pylist()
    assert [one for one in every if one["code"] == "opportunity-without-role"] == table


def test_groups_add_up_to_the_finding() -> None:
    opened = audited_faulty()[0]
    counted = {
        (one["code"], one["object"]): one["rows"] for one in read.findings(opened).table.to_pylist() if one["rows"]
    }
    for by in grouped.GROUPS:
        sums: dict[tuple[str, str], int] = {}
        for one in read.grouped_findings(opened, by).table.to_pylist():
            sums[one["code"], one["object"]] = sums.get((one["code"], one["object"]), 0) + one["rows"]
        assert sums == {key: rows for key, rows in counted.items() if key[0] != "rows-rejected"}


def test_a_member_is_grouped_by_its_campaign_and_the_owner_of_its_person() -> None:
    from tests.audit_orgs import audited

    tiny = Tiny()
    tiny.add("User", "u1", Name="Ada")
    tiny.add("Campaign", "camp", Name="Web")
    tiny.lead("L1", OwnerId="u1")
    tiny.member("m1", "L1", None)
    opened, _, _ = audited(tiny.org, tiny.settings)
    for by, value in (("campaign", "Web"), ("owner", "Ada")):
        (found,) = read.grouped_findings(opened, by, "member-without-date").table.to_pylist()
        assert (found[by], found["rows"], found["amount"]) == (value, 1, None)


def test_unknown_groupings_and_codes_are_refused(small: Workspace) -> None:
    with pytest.raises(UnknownNameError, match="owner"):
        small.audit.table(by="ownr")
    with pytest.raises(UnknownNameError, match="finding"):
        small.audit.table(by="owner", code="nothing")


def test_the_trend_is_that_of_the_snapshot_before(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    assert row(made, "opportunity-without-role")["rows_before"] is None
    more = tmp_path / "OpportunityContactRole.csv"
    more.write_text(
        "Id,OpportunityId,ContactId,IsPrimary\n00K000000000002AAA,006000000000001AAA,003000000000001AAA,true\n",
        encoding="utf-8",
    )
    made.sources.import_files(more, extracted_at=dt.datetime(2024, 7, 5, tzinfo=dt.UTC))
    found = row(made, "opportunity-without-role")
    assert (found["rows"], found["rows_before"]) == (1, 2)


def move(number: str, before: float | None, after: float | None, metric: str = "volume") -> Move:
    return Move(metric, number, "count", before, after, after, after)


def test_the_digest_goes_by_relative_change_and_leaves_out_what_moves_nothing() -> None:
    moves = {
        "a": (move("x", 100, 110), move("y", 100, 101)),
        "b": (move("x", 100, 50),),
        "c": (move("x", 100, 100),),
        "d": (move("x", 100, 500),),
    }
    found = digest(moves, {"a", "b", "c"})
    assert [(one.code, one.move.number, one.others) for one in found] == [("b", "x", 0), ("a", "x", 1)]
    assert [one.code for one in digest(moves, {"a", "b", "d"}, most=2)] == ["d", "b"]


@pytest.mark.parametrize(
    ("before", "after", "size"), [(100, 90, 0.1), (0, 5, 1.0), (None, 3, 1.0), (None, None, 0.0), (4, 4, 0.0)]
)
def test_the_size_of_a_move_is_its_relative_change(before: float | None, after: float | None, size: float) -> None:
    assert move("x", before, after).size == pytest.approx(size, rel=1e-12)  # one division of doubles


def test_effects_are_measured_once_and_kept_beside_the_snapshot(
    small: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leadline.effects import stored

    first = small.audit.table().table
    path = stored.path_of(small.snapshots.current().snapshot.path)
    assert path.exists()
    monkeypatch.setattr(stored, "measured", lambda opened: pytest.fail("measured again"))
    again = opened_workspace(small.folder).audit.table().table
    assert again.equals(first)
    monkeypatch.undo()
    path.write_text("cut o", encoding="utf-8")
    assert small.audit.table().table.equals(first)


def test_every_metric_a_check_can_move_is_told_with_or_without_figures() -> None:
    opened = audited_faulty()[0]
    known = Move("volume", "journeys that reached MQL", "count", 3, 2, 2, 3)
    beside = read.Beside(moves={"close-before-creation": (known,)})
    rows = {one["code"]: one["moves"] for one in read.findings(opened, beside).table.to_pylist()}
    told = rows["close-before-creation"]
    assert [(one["metric"], one["from"], one["to"]) for one in told] == [
        ("volume", 3.0, 2.0), ("conversion", None, None), ("velocity", None, None), ("influence", None, None)
    ]  # fmt: skip
    assert [one["number"] for one in told] == ["journeys that reached MQL", None, None, None]


def test_a_terminal_shows_what_moves_most_and_the_accepted_apart(small: Workspace) -> None:
    small.audit.accept("opportunity-without-role", reason="for now", until=DAY(2024, 12, 31))
    text = io.StringIO()
    effects = digest({"zone-unknown": (move("journeys that reached MQL", 10, 12),)}, {"zone-unknown"})
    shown.show(small.audit.table(effects=False), Console(file=text, width=200), digest=effects)
    said = text.getvalue()
    assert "zone-unknown  journeys that reached MQL: 10 → 12" in said
    head, _, accepted = said.partition("Accepted; they count in every grade all the same")
    assert "opportunity-without-role" not in head.split("What moves")[1]
    assert "accepted until 2024-12-31: for now" in accepted


def test_commands_accept_group_and_end_with_3(small: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--workspace", str(small.folder)]
    assert run(["audit", "--strict", "--quick", *place]) == 3
    asked = ["accept", "opportunity-without-role", "--reason", "x", "--until", "2025-01-01"]
    assert run([*asked, *place]) == 0
    assert run(["audit", "--strict", "--quick", *place]) == 0
    capsys.readouterr()
    assert run(["audit", "--by", "owner", "--list", "opportunity-without-role", "--format", "csv", *place]) == 0
    assert "opportunity-without-role,Opportunity,Ada,1,100.00" in capsys.readouterr().out
    assert run(["accept", "opportunity-without-role", "--reason", "x", "--until", "soon", *place]) == 2
