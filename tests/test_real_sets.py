"""Real data sets through the doors a user takes: the facts their descriptions name come out."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from leadline import config, workspace
from leadline.maths.survival import Durations, aalen_johansen, kaplan_meier
from leadline.metrics.query import Query, ask
from leadline.metrics.times import standing
from leadline.model.opened import Opened, open_snapshot

MAVEN = """
[files."sales_pipeline.csv"]
object = "Opportunity"

[files."sales_pipeline.csv".columns]
Id = "opportunity_id"
StageName = "deal_stage"
CreatedDate = "engage_date"
CloseDate = "close_date"
Amount = "close_value"
AccountId = "account"
"""

# The reference figures are printed with eight decimals.
PRINTED = 5e-9

EVERY_STATUS = """
[responses]
responded = "statuses"

[responses.statuses]
"*" = ["*"]
"""


def published(
    shared: Path, name: str, folder: Path, settings: str = "", **options: Any
) -> tuple[workspace.Workspace, Opened]:
    """A workspace with the data set imported and published, and its snapshot opened."""
    made = workspace.create(folder)
    if settings:
        (folder / config.FILE_NAME).write_text(settings, encoding="utf-8")
    report = made.sources.import_files(shared / name, **options)
    assert all(one.rows == one.loaded + one.rejected for one in report.files)
    assert report.published is not None
    return made, open_snapshot(report.published.snapshot.path)


def rows(opened: Opened, name: str) -> list[dict[str, Any]]:
    """All rows of a table of the snapshot."""
    found: list[dict[str, Any]] = opened.arrow(opened[name]).to_pylist()
    return found


def expected(shared: Path, name: str) -> dict[str, Any]:
    """The facts beside the data set."""
    facts: dict[str, Any] = json.loads((shared / name / "expected.json").read_text())
    return facts


def ids_of(made: workspace.Workspace, code: str) -> set[str]:
    """Ids of the records of a finding."""
    return set(made.audit.records(code).table["record_id"].to_pylist())


def test_a_developer_org_keeps_reopened_deals_apart(shared_data: Path, tmp_path: Path) -> None:
    name = "salesforce-dev-org-sample"
    made, opened = published(shared_data, name, tmp_path, date_order="mdy")
    facts, deals = expected(shared_data, name), rows(opened, "deals")
    assert sum(deal["ever_won"] for deal in deals) == facts["ever_closed_won"] == 19
    won = [deal for deal in deals if deal["state"] == "won"]
    assert len(won) == facts["currently_closed_won"] == 12
    assert sum(deal["amount"] for deal in won) == facts["stages"]["Closed Won"][1] * 100
    lost = [deal for deal in deals if deal["state"] == "lost"]
    assert (len(lost), sum(deal["amount"] or 0 for deal in lost)) == (8, 830_000_00)
    assert sum(deal["reopened"] for deal in deals) == facts["stage_changes"]["Closed Won>Closed Lost"]
    assert len(ids_of(made, "lead-status-converted-not-converted")) == 3
    assert len(ids_of(made, "close-before-creation")) == facts["close_before_created"]


def test_a_nonprofit_without_responses_says_so_and_fans_nothing_out(shared_data: Path, tmp_path: Path) -> None:
    name = "npsp-1k"
    made, opened = published(shared_data, name, tmp_path)
    facts = expected(shared_data, name)
    assert rows(opened, "responses") == []
    result = made.metrics.influence(models=["even"])
    assert any("no responses" in note for note in result.notes)
    (total,) = result.totals
    assert total["credited_amount"] == 0
    closed = sum(deal["amount"] for deal in rows(opened, "deals") if deal["state"] != "open")
    assert total["total_amount"] == total["unattributed_amount"] == closed
    assert sum(deal["amount"] for deal in rows(opened, "deals")) == int(facts["amount_sum"] * 100)
    assert len(ids_of(made, "opportunity-without-role")) == facts["opps_without_contact_role"] == 192
    pairs = rows(opened, "opportunity_people")
    assert len(pairs) == facts["rows"]["OpportunityContactRole"] - facts["duplicate_opp_contact_roles"]
    assert "no-responses" in {finding.code for finding in made.audit.findings()}


def test_members_that_were_only_sent_to_earn_nothing(shared_data: Path, tmp_path: Path) -> None:
    made, _ = published(shared_data, "sercante-campaign-influence", tmp_path)
    for total in made.metrics.influence().totals:
        assert total["total_amount"] == total["unattributed_amount"] == 124_000_00
        assert total["won_total_amount"] == 41_000_00
        assert total["unattributed"] == {"nobody responded": 124_000_00}
    said = [
        [note.rpartition(", so ")[2] for note in made.metrics.influence(models=models).notes if "no responses" in note]
        for models in (["first"], ["first", "salesforce_first"], ["salesforce_first"])
    ]
    # Members count by Salesforce's own rules, and they do credit: only the other model has nothing to credit.
    assert said == [["nothing can be credited."], ["first can credit nothing."], []]


@pytest.mark.parametrize("scope", ["role", "primary role", "account"])
def test_with_every_status_admitted_the_amounts_still_add_up(shared_data: Path, tmp_path: Path, scope: str) -> None:
    made, _ = published(shared_data, "sercante-campaign-influence", tmp_path, settings=EVERY_STATUS)
    result = made.metrics.influence(models=["first", "last", "even", "even_per_campaign"], scope=scope)
    table = result.table.to_pylist()
    for total in result.totals:
        own = [row for row in table if row["model"] == total["model"]]
        given = [sum(row[f"{state}_amount"] for state in ("won", "open", "lost")) for row in own]
        assert sum(given) == total["total_amount"] == 124_000_00
        assert total["credited_amount"] + total["unattributed_amount"] == 124_000_00
        assert sum(row["won_amount"] for row in own) == 41_000_00
    assert all(total["credited_amount"] > 0 for total in result.totals)


@pytest.fixture(scope="module")
def pipeline(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[workspace.Workspace, Opened]:
    """The Maven set, imported through a column map; its last day is the day of extraction."""
    moment = dt.datetime(2017, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
    folder = tmp_path_factory.mktemp("maven")
    return published(shared_data, "maven-crm-sales-opportunities", folder, settings=MAVEN, extracted_at=moment)


def test_a_pipeline_of_opportunities_counts_won_and_lost(
    shared_data: Path, pipeline: tuple[workspace.Workspace, Opened]
) -> None:
    made, opened = pipeline
    facts, deals = expected(shared_data, "maven-crm-sales-opportunities"), rows(opened, "deals")
    states = [deal["state"] for deal in deals]
    assert (
        (states.count("won"), states.count("lost")) == (4238, 2473) == (facts["stages"]["Won"], facts["stages"]["Lost"])
    )
    assert sum(deal["amount"] for deal in deals if deal["state"] == "won") == facts["won_value"] * 100
    entered = {row["stage"]: row["count"] for row in made.metrics.volume().table.to_pylist()}
    assert entered["Engaging"] == 8300
    assert entered["Won"] == 4238
    quarters = {
        row["period"]: (row["count"], row["amount"] // 100)
        for row in made.metrics.volume(grain="quarter").table.to_pylist()
        if row["stage"] == "Won"
    }
    assert quarters == {key: (one["won"], one["value"]) for key, one in facts["by_close_quarter"].items()}


def test_the_audit_of_a_pipeline_tells_what_its_readme_tells(pipeline: tuple[workspace.Workspace, Opened]) -> None:
    """Of 1,589 open deals with a date 1,291 are older than the slowest close of 138 days; 1,088 + 337 have no account."""
    told = {row["code"]: row["message"] for row in rows(pipeline[1], "findings")}
    assert told["open-longer-than-any-close"].startswith(
        "1,291 of 1,589 open opportunities are older than any of 6,711 closed ones was at its close (138 days)"
    )
    assert told["opportunity-without-account"].startswith("1,425 of 8,800 opportunities have no account")


def test_time_in_a_pipeline_is_that_of_the_reference(
    shared_data: Path, pipeline: tuple[workspace.Workspace, Opened]
) -> None:
    """Kaplan–Meier and Aalen–Johansen of the engine's own spells equal R's at every printed time."""
    made, opened = pipeline
    asked = ask(opened, Query())
    spells = standing.summed(asked, standing.measured(asked))
    held = [row for row in opened.arrow(spells).to_pylist() if asked.stage_name(row["stage_no"]) == "Engaging"]
    causes = ("advanced", "exit")
    durations = Durations.of(
        [row["seconds"] / 86_400 for row in held],
        [[int(row["cause"] == cause) for cause in causes] for row in held],
        [int(row["cause"] == "censored") for row in held],
    )
    curves = {
        "km_closed_any": (lambda value: 1 - value, kaplan_meier(durations)),
        "aalen_johansen_won": (lambda value: value, aalen_johansen(durations, 0)),
        "aalen_johansen_lost": (lambda value: value, aalen_johansen(durations, 1)),
    }
    file = shared_data / "maven-crm-sales-opportunities/expected_survival.csv"
    with file.open(newline="") as lines:
        printed = [row for row in csv.DictReader(lines) if row["group"] == "all engaged" and row["t"]]
    checked = 0
    for row in printed:
        for start, (as_printed, curve) in curves.items():
            if row["quantity"] == start:
                assert as_printed(curve.at([float(row["t"])])[0, 0]) == pytest.approx(float(row["value"]), abs=PRINTED)
                checked += 1
    assert checked == 21
    (engaging,) = [row for row in made.metrics.velocity().table.to_pylist() if row["stage"] == "Engaging"]
    facts = expected(shared_data, "maven-crm-sales-opportunities")
    assert engaging["median_days"] == facts["km_any_close"]["median"] == 69
    assert (engaging["n"], engaging["open"]) == (8300, 1589)
    # The facts are printed with six decimals.
    assert engaging["advance_share"] == pytest.approx(facts["aalen_johansen_138"]["won"], abs=5e-7)
