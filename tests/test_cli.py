"""The command line: streams, exit codes, options, forms of a result."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pyarrow.parquet as pq
import pytest
import typer.main

from leadline import config
from leadline.cli.app import app, run
from leadline.cli.options import credit as credit_options
from leadline.cli.options import funnel as funnel_options
from leadline.cli.options import question as question_options
from leadline.cli.options import targets as targets_options
from tests import small_org

COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group of commands
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of the small org's workspace."""
    return str(small_org.built(tmp_path_factory.getbasetemp()))


def test_the_commands_are_those_that_work() -> None:
    assert list(COMMANDS) == [
        "init", "import", "build", "snapshots", "demo", "connect", "pull", "doctor",
        "push", "volume", "pipeline", "conversion", "velocity", "influence", "roi", "lift",
        "salesforce", "roles", "formula", "goals", "paths", "explain", "journey", "opportunity",
        "freeze", "diff", "summary", "report", "audit", "accept", "serve", "users",
    ]  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_every_option(name: str, capsys: Captured) -> None:
    assert run([name, "--help"]) == 0
    out = capsys.readouterr().out
    for parameter in COMMANDS[name].params:
        assert parameter.opts[-1] in out or (parameter.metavar or "") in out


@pytest.mark.parametrize("name", ["volume", "conversion", "velocity", "influence"])
def test_metrics_share_the_options_of_the_contract(name: str) -> None:
    taken = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    contract = "--workspace --by --where --from --to --as-of --grain --unit --funnel --format --output --chart --list --touched --close-date"
    assert set(contract.split()) <= taken


def test_choices_are_those_of_the_metrics() -> None:
    from leadline import dates, render
    from leadline.metrics import influence, query, velocity, volume
    from leadline.metrics.rates import conventions
    from leadline.metrics.targets import pace

    def choices(annotation: Any) -> set[str]:
        found: set[str] = set()
        for part in get_args(annotation):
            found |= {part} if isinstance(part, str) else choices(part)
        return found

    assert choices(get_args(funnel_options.View)[0]) == set(volume.VIEWS)
    assert choices(get_args(funnel_options.Convention)[0]) == set(conventions.CONVENTIONS)
    assert choices(get_args(funnel_options.Measure)[0]) == set(velocity.MEASURES)
    assert choices(get_args(targets_options.Pace)[0]) == set(pace.PACES)
    assert choices(get_args(credit_options.Scope)[0]) == set(influence.SCOPES)
    assert choices(get_args(credit_options.Window)[0]) == set(influence.WINDOWS)
    assert choices(get_args(credit_options.DateOf)[0]) == set(influence.DATES)
    assert choices(question_options.Unit) == set(query.UNITS)
    assert choices(question_options.Format) == set(render.FORMATS)
    assert choices(question_options.Grain) == set(dates.GRAINS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["volum"], "Did you mean 'volume'"),
        (["volume", "--viw", "entered"], "--view"),
        (["volume", "--view", "standng"], "is not one of"),
        (["volume", "--where", "campaign_type"], "--where 'campaign_type' is no filter; write DIM=VALUE"),
        (["volume", "--where", "a=1", "--where", "a=2"], "names the dimension 'a' twice"),
        (["volume", "--from", "2026"], "--from '2026' is no date"),
        (["volume", "--from", "2026-02-01", "--to", "2026-02-01"], "holds no day"),
        (["volume", "--as-of", "yesterday"], "neither a date nor an instant"),
        (["volume", "--by", "campain_type"], "Did you mean 'campaign_type'?"),
        (["volume", "--funnel", "marketng"], "Did you mean 'marketing'?"),
        (["influence", "--model", "evn"], "Did you mean 'even'?"),
        (["conversion", "--from-stage", "MLQ"], "Did you mean 'MQL'?"),
        (["volume", "--format", "parquet"], "name a file with --output"),
        (["volume", "--chart", "funnel.gif"], "'.gif'"),
        (["audit", "--list", "no-such"], "no finding 'no-such'"),
        (["import", "nothing-here", "--extracted-at", "now"], "neither a date nor an instant"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_right(
    small: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.setenv("LEADLINE_WORKSPACE", small)
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err


def test_several_paths_are_one_load(tmp_path: Path, capsys: Captured) -> None:
    export = small_org.write_export(tmp_path / "export")
    people = [str(export / f"{name}.csv") for name in ("Lead", "Contact")]
    place = ["--workspace", str(tmp_path / "w"), "--no-build", "--extracted-at", small_org.EXTRACTED_AT]
    assert run(["import", *people, *place]) == 0
    said = capsys.readouterr().out
    assert "Import Lead.csv, Contact.csv · partial" in said


def test_work_that_fails_ends_with_1(tmp_path: Path, capsys: Captured) -> None:
    assert run(["import", str(tmp_path / "nowhere"), "--workspace", str(tmp_path / "w")]) == 1
    assert "leadline: There is no file or folder" in capsys.readouterr().err
    assert not (tmp_path / "w" / config.FILE_NAME).exists()
    (tmp_path / "file").touch()
    assert run(["import", str(tmp_path), "--workspace", str(tmp_path / "file")]) == 2


def test_a_faulty_config_ends_with_2_and_all_faults(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / config.FILE_NAME).write_text("[workspce]\n[amont]\n")
    assert run(["import", str(tmp_path), "--workspace", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert "has 2 faults" in err
    assert "Did you mean 'workspace'?" in err


def test_no_workspace_ends_with_2(tmp_path: Path, capsys: Captured) -> None:
    assert run(["volume", "--workspace", str(tmp_path)]) == 2
    assert "There is no workspace in" in capsys.readouterr().err


def test_stdout_carries_only_the_result(small: str) -> None:
    command = [sys.executable, "-m", "leadline", "volume", "--format", "json", "--workspace", small]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["kind"] == "volume"
    assert [row["stage"] for row in answer["rows"]] == ["Inquiry", "MQL", "SQL", "Won"]
    assert done.stderr == ""


def test_every_form_holds_the_same_rows(small: str, tmp_path: Path, capsys: Captured) -> None:
    question = ["volume", "--workspace", small, "--view", "cohort", "--by", "campaign_type"]
    assert run([*question, "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert run([*question, "--format", "csv"]) == 0
    in_csv = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["campaign_type"], row["stage"], int(row["count"])) for row in in_csv] == [
        (row["campaign_type"], row["stage"], row["count"]) for row in rows
    ]
    target = tmp_path / "rows.parquet"
    assert run([*question, "--output", str(target)]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"Written: {target}" in captured.err
    assert pq.read_table(target).column("count").to_pylist() == [row["count"] for row in rows]
    assert run(question) == 0
    assert "Webinar" in capsys.readouterr().out


def test_the_list_is_as_long_as_the_number(small: str, capsys: Captured) -> None:
    question = ["volume", "--workspace", small, "--format", "json"]
    assert run(question) == 0
    counted = sum(row["count"] for row in json.loads(capsys.readouterr().out)["rows"])
    assert run([*question, "--list"]) == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == counted


def test_a_chart_is_drawn_beside_the_table(small: str, tmp_path: Path, capsys: Captured) -> None:
    chart = tmp_path / "funnel.svg"
    assert run(["volume", "--workspace", small, "--view", "cohort", "--chart", str(chart)]) == 0
    captured = capsys.readouterr()
    assert "Inquiry" in captured.out
    assert f"Written: {chart}" in captured.err
    assert chart.read_text().startswith("<svg")


def test_the_metric_commands_pass_their_own_options(small: str, capsys: Captured) -> None:
    asked = {
        "conversion": ["--convention", "period", "--window-days", "30", "--from-stage", "Inquiry", "--to-stage", "SQL"],
        "velocity": ["--measure", "sum", "--from-stage", "MQL", "--to-stage", "SQL"],
        "influence": ["--model", "first,last", "--scope", "account", "--window", "sourced", "--date", "closed"],
    }
    rows = {}
    for name, own in asked.items():
        assert run([name, "--workspace", small, "--format", "json", *own]) == 0
        rows[name] = json.loads(capsys.readouterr().out)["rows"]
    assert {
        (row["from_stage"], row["to_stage"], row["convention"], row["window_days"]) for row in rows["conversion"]
    } == {("Inquiry", "SQL", "period", 30)}
    assert {row["stage"] for row in rows["velocity"]} <= {"MQL", "SQL"}
    assert {(row["model"], row["scope"], row["window"]) for row in rows["influence"]} == {
        ("first", "account", "sourced"),
        ("last", "account", "sourced"),
    }


def test_stuck_snapshots_audit_report_and_summary(small: str, tmp_path: Path, capsys: Captured) -> None:
    assert run(["velocity", "--stuck", "--workspace", small, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == []
    assert run(["snapshots", "--workspace", small, "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 1
    assert run(["audit", "--workspace", small, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "audit"
    page = tmp_path / "page.html"
    assert run(["report", "--workspace", small, "--output", str(page)]) == 0
    assert page.read_text().startswith("<!doctype html>")
    capsys.readouterr()
    assert run(["summary", "--workspace", small]) == 0
    out = capsys.readouterr().out
    assert "BOTTLENECK" in out
    assert "Spring webinar" in out


def test_init_makes_a_workspace_and_prints_the_schema(tmp_path: Path, capsys: Captured) -> None:
    assert run(["init", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == config.schema()
    assert run(["init", str(tmp_path / "new")]) == 0
    assert (tmp_path / "new" / config.FILE_NAME).exists()
    assert "leadline import PATH" in capsys.readouterr().err


IMPORT = ["--extracted-at", small_org.EXTRACTED_AT, "--no-build"]


def test_import_accounts_for_every_row(tmp_path: Path, capsys: Captured) -> None:
    export = small_org.write_export(tmp_path / "export")
    lead = export / "Lead.csv"
    lead.write_text(lead.read_text() + "00Q000000000006AAA,Six,Open,maybe,,,,,2026-01-07T09:00:00.000+0000\n")
    (export / "notes.txt").write_text("ours")
    workspace = str(tmp_path / "w")
    assert run(["import", str(export), "--workspace", workspace, *IMPORT]) == 0
    captured = capsys.readouterr()
    lines = {line.split()[0]: line.split() for line in captured.out.splitlines() if line.strip()}
    assert lines["Lead.csv"] == ["Lead.csv", "Lead", "6", "5", "1"]
    assert lines["Opportunity.csv"] == ["Opportunity.csv", "Opportunity", "2", "2", "0"]
    assert "funnel marketing: Inquiry → MQL → SQL → Won" in captured.out
    assert "rows-rejected" in captured.out
    assert "rejected/Lead.csv" in captured.out
    assert "notes.txt: passed over" in captured.out
    assert "Next: leadline build" in captured.out
    assert "read Lead.csv" in captured.err

    assert run(["import", str(export), "--workspace", workspace, *IMPORT]) == 0
    assert "The ledger holds this load already; nothing changed." in capsys.readouterr().out
    assert run(["init", "--propose", "--workspace", workspace]) == 0
    captured = capsys.readouterr()
    assert "funnel marketing: Inquiry → MQL → SQL → Won" in captured.out
    assert "leadline.toml.proposed" in captured.err


def test_strict_ends_with_3_if_a_finding_is_an_error(tmp_path: Path, capsys: Captured) -> None:
    import zipfile

    # The second part of a weekly export whose first part is missing.
    export = tmp_path / "export"
    export.mkdir()
    with zipfile.ZipFile(export / "WE_00D000000000001EAA_2.ZIP", "w") as archive:
        archive.writestr("Lead.csv", small_org.FILES["Lead.csv"])
    arguments = ["import", str(export), "--workspace", str(tmp_path / "w"), *IMPORT]
    assert run([*arguments, "--strict"]) == 3
    assert "export-part-missing" in capsys.readouterr().out
    assert run(arguments) == 0


def test_demo_makes_the_files_of_an_org(tmp_path: Path, capsys: Captured) -> None:
    assert run(["demo", "--people", "50", "--seed", "3", "--out", str(tmp_path / "org"), "--format", "parquet"]) == 0
    assert (tmp_path / "org" / "Lead.parquet").exists()
    assert f"leadline import {tmp_path / 'org'}" in capsys.readouterr().err


def test_python_dash_m_and_version(capsys: Captured) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("leadline ")
    done = subprocess.run([sys.executable, "-m", "leadline", "nothing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""


def test_a_reader_that_leaves_early_is_no_failure(small: str) -> None:
    command = f"{sys.executable} -m leadline influence --format json --workspace {small} | head -c 10"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert done.stdout == '{\n  "kind"'
    assert "Traceback" not in done.stderr
