"""The facade: import, propose, build, ask, list."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

import leadline
from leadline import config, workspace
from leadline.errors import ConfigError, LedgerError, SnapshotError, UnknownNameError, UsageError, WriterBusyError
from leadline.workspace import Workspace
from tests import small_org


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The small org, published."""
    return workspace.open(small_org.built(tmp_path_factory.getbasetemp()))


def test_a_workspace_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no workspace in"):
        leadline.open(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file; a workspace is a folder"):
        leadline.create(tmp_path / "file")
    made = leadline.create(tmp_path / "new" / "deep")
    assert (made.folder / config.FILE_NAME).exists()
    assert leadline.open(made.folder).settings == config.Settings()


def test_nothing_imported_yet(tmp_path: Path) -> None:
    made = workspace.create(tmp_path / "w")
    with pytest.raises(SnapshotError, match="leadline import PATH"):
        made.metrics.volume()
    with pytest.raises(LedgerError, match="Nothing has been imported"):
        made.propose()


def test_create_keeps_what_is_there(tmp_path: Path) -> None:
    (tmp_path / config.FILE_NAME).write_text("[workspace]\ncurrency = 'EUR'\n")
    assert workspace.create(tmp_path).settings.workspace.currency == "EUR"


def test_import_proposes_where_no_funnel_is_set(tmp_path: Path) -> None:
    made = workspace.create(tmp_path / "w")
    export = small_org.write_export(tmp_path / "export")
    first = made.sources.import_files(export, build=False)
    assert first.proposal is not None
    assert first.published is None
    assert made.settings.funnel["marketing"].stage_names == ["Inquiry", "MQL", "SQL", "Won"]
    text = (made.folder / config.FILE_NAME).read_text()
    assert text.startswith("# Settings proposed from the data")

    again = made.sources.import_files(export, build=False)
    assert again.load.repeated
    assert again.proposal is None
    assert (made.folder / config.FILE_NAME).read_text() == text

    proposal, written = made.propose()
    assert written.name == workspace.PROPOSED
    assert config.parse(written.read_text()) == made.settings
    assert proposal.found == first.proposal.found
    assert not (made.folder / ".staging").exists()


def test_a_threshold_of_no_check_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    made = workspace.create(tmp_path / "w")
    (made.folder / config.FILE_NAME).write_text("[audit.dublicate-member]\nthreshold = 0.5\n")
    with pytest.raises(ConfigError, match="Did you mean 'duplicate-member'"):
        made.sources.import_files(small_org.write_export(tmp_path / "export"))
    assert not (made.folder / "ledger.duckdb").exists()
    for ask in (made.build, made.audit.table, lambda: made.audit.records("duplicate-member")):
        with pytest.raises(ConfigError, match="names no check"):
            ask()


def test_findings_are_seen_from_the_first_kept_snapshot_to_the_last(tmp_path: Path) -> None:
    made = workspace.create(tmp_path / "w")
    export = small_org.write_export(tmp_path / "export")
    first, second = (dt.datetime(2026, month, 1, tzinfo=dt.UTC) for month in (4, 5))
    made.sources.import_files(export, extracted_at=first)
    before = {row["code"] for row in made.audit.table().table.to_pylist()}
    (export / "Campaign.csv").write_text(small_org.FILES["Campaign.csv"].replace(",Webinar,", ",,"))
    made.sources.import_files(export, extracted_at=second)
    seen = {row["code"]: (row["first_seen"], row["last_seen"]) for row in made.audit.table().table.to_pylist()}
    assert "campaign-without-type" not in before
    assert seen["campaign-without-type"] == (second, second)
    assert seen["zone-unknown"] == (first, second)


def test_settings_of_the_user_stay(tmp_path: Path) -> None:
    made = workspace.create(tmp_path / "w")
    (made.folder / config.FILE_NAME).write_text("# ours\n[workspace]\ncurrency = 'CHF'\n")
    made.sources.import_files(small_org.write_export(tmp_path / "export"), build=False)
    assert (made.folder / config.FILE_NAME).read_text().startswith("# ours\n[workspace]\ncurrency = 'CHF'\n")
    assert made.settings.workspace.currency == "CHF"
    assert "marketing" in made.settings.funnel


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    import subprocess
    import sys

    made = workspace.create(tmp_path / "w")
    code = (
        "import sys, pathlib; from leadline import locks\n"
        "with locks.writing(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(made.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(WriterBusyError, match=str(other.pid)):
            made.sources.import_files(small_org.write_export(tmp_path / "export"), build=False)
        other.communicate()


def test_metrics_answer_from_the_snapshot(small: Workspace) -> None:
    funnel = {row["stage"]: row["count"] for row in small.metrics.volume(view="cohort").table.to_pylist()}
    assert funnel == {"Inquiry": 4, "MQL": 3, "SQL": 2, "Won": 1}
    influence = small.metrics.influence(models=["even"])
    assert influence.totals[0]["total_amount"] == 5_000_050
    assert influence.totals[0]["credited_amount"] + influence.totals[0]["unattributed_amount"] == 5_000_050
    assert {row["from_stage"] for row in small.metrics.conversion().table.to_pylist()} == {"Inquiry", "MQL", "SQL"}
    assert small.metrics.velocity().kind == "velocity"


def test_questions_reach_the_metric(small: Workspace) -> None:
    result = small.metrics.volume(
        by=["campaign_type"],
        where={"campaign_type": "Webinar"},
        start=dt.date(2026, 1, 1),
        end=dt.date(2026, 1, 6),
        grain="month",
    )
    assert result.filters["from"] == "2026-01-01"
    assert result.filters["to"] == "2026-01-06"
    assert [(row["campaign_type"], row["period"], row["count"]) for row in result.table.to_pylist()] == [
        ("Webinar", "2026-01", 1)
    ]
    with pytest.raises(UnknownNameError, match="campaign_type"):
        small.metrics.volume(by=["campain_type"])


def test_as_of_as_text_date_and_instant(small: Workspace) -> None:
    last = dt.datetime(2026, 1, 6, 23, 59, 59, 999999, tzinfo=dt.UTC)
    for as_of in ("2026-01-06", dt.date(2026, 1, 6), last, last.isoformat()):
        result = small.metrics.volume(view="cohort", as_of=as_of)
        assert {row["stage"]: row["count"] for row in result.table.to_pylist()} == {"Inquiry": 2}
        assert result.as_of == last
        assert result.snapshot == small.metrics.volume().snapshot


def test_the_summary_is_of_one_snapshot(small: Workspace) -> None:
    summary = small.summary()
    assert summary.stages == ("Inquiry", "MQL", "SQL", "Won")
    assert list(summary.results()) == ["Volume", "Conversion", "Velocity", "Influence"]
    assert len({result.snapshot for result in summary.results().values()}) == 1
    assert summary.bottleneck is not None
    assert summary.bottleneck.stage in summary.stages
    assert summary.bottleneck.share <= 1
    assert summary.bottleneck.share_before is None


def test_report_and_chart_are_files(small: Workspace, tmp_path: Path) -> None:
    page = small.report(tmp_path / "report.html").read_text()
    assert page.count("<section") == 5
    assert "Bottleneck" in page
    assert small.chart(small.metrics.volume(view="cohort"), tmp_path / "funnel.svg").read_text().startswith("<svg")


def test_snapshots_are_listed(small: Workspace) -> None:
    table = small.snapshot_table()
    assert [column.name for column in table.columns] == [
        "id", "as_of", "known_at", "content_hash", "frozen", "size_bytes",
    ]  # fmt: skip
    assert table.table.num_rows == 1
    row = json.loads(table.to_json())["rows"][0]
    assert row["as_of"] == "2026-04-01T00:00:00Z"
    assert row["id"] == small.metrics.volume().snapshot


def test_findings_have_codes_and_records(small: Workspace) -> None:
    findings = small.audit.findings()
    assert "stage-not-mapped" in {finding.code for finding in findings}
    assert len(findings) == small.audit.table().table.num_rows
    assert small.audit.has_errors() == any(finding.severity == "error" for finding in findings)
    for finding in findings:
        assert small.audit.records(finding.code).table.num_rows >= finding.rows
    with pytest.raises(UnknownNameError, match="no finding 'no-such-code'"):
        small.audit.records("no-such-code")


MAVEN = """
[files."sales_pipeline.csv"]
object = "Opportunity"
columns = { Id = "opportunity_id", StageName = "deal_stage", CreatedDate = "engage_date", CloseDate = "close_date", Amount = "close_value" }
"""
SETS = {
    "salesforce-dev-org-sample": {"marketing": ["Inquiry", "SQL", "Won"], "pipeline": ["Prospecting", "Qualification"]},
    "npsp-1k": {"marketing": ["Inquiry", "SQL", "Won"], "pipeline": ["Pledged", "Won"]},
    "sercante-campaign-influence": {"marketing": ["Inquiry", "SQL", "Won"], "pipeline": ["Prospecting", "Value Proposition"]},
    "maven-crm-sales-opportunities": {"pipeline": ["Prospecting", "Engaging", "Won"]},
}  # fmt: skip


@pytest.mark.parametrize("name", SETS)
def test_every_real_set_gets_a_proposal_that_loads(shared_data: Path, tmp_path: Path, name: str) -> None:
    made = workspace.create(tmp_path)
    if name.startswith("maven"):
        (tmp_path / config.FILE_NAME).write_text(MAVEN)
    report = made.sources.import_files(shared_data / name, date_order="mdy", build=False)
    assert all(file.rows == file.loaded + file.rejected for file in report.files)
    funnels = made.settings.funnel
    assert list(funnels) == list(SETS[name])
    for funnel, stages in SETS[name].items():
        assert funnels[funnel].stage_names[: len(stages)] == stages
