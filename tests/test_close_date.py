"""What dates the close of an opportunity: stage history, or CloseDate alone as reports of Salesforce do."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from leadline import workspace
from leadline.cli.app import run
from leadline.errors import UnknownNameError
from leadline.metrics.told import CLOSE_FIELD
from leadline.model.opened import Opened, open_snapshot
from leadline.workspace import Workspace

LOAD = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
FUNNEL = """
[funnel.deals]
stages = [
  {name = "Open", from = [{object = "Opportunity", milestone = "created"}]},
  {name = "Proposal", from = [{object = "Opportunity", field = "StageName", values = ["Proposal"]}]},
  {name = "Won", from = [{object = "Opportunity", milestone = "won"}]},
]
"""
# D1 is won on March 10 by history, on February 20 by the field; its proposal of March 1 lies between.
# D2 is lost on February 15 by history; its field lies after the load. D3's field lies before its creation.
DEALS = """Id,Name,StageName,Amount,IsClosed,IsWon,CloseDate,CreatedDate
006000000000001AAA,One,Closed Won,100,true,true,2026-02-20,2026-02-01T10:00:00.000Z
006000000000002AAA,Two,Closed Lost,200,true,false,2026-05-01,2026-02-02T10:00:00.000Z
006000000000003AAA,Three,Closed Won,300,true,true,2026-01-10,2026-02-05T10:00:00.000Z
006000000000004AAA,Four,Proposal,400,false,false,2026-06-01,2026-02-06T10:00:00.000Z
"""
HISTORY = """Id,OpportunityId,StageName,Amount,CloseDate,CreatedDate
008000000000001AAA,006000000000001AAA,Prospecting,100,2026-02-20,2026-02-01T10:00:00.000Z
008000000000002AAA,006000000000001AAA,Proposal,100,2026-02-20,2026-03-01T10:00:00.000Z
008000000000003AAA,006000000000001AAA,Closed Won,100,2026-02-20,2026-03-10T10:00:00.000Z
008000000000004AAA,006000000000002AAA,Prospecting,200,2026-05-01,2026-02-02T10:00:00.000Z
008000000000005AAA,006000000000002AAA,Closed Lost,200,2026-05-01,2026-02-15T10:00:00.000Z
008000000000006AAA,006000000000003AAA,Prospecting,300,2026-01-10,2026-02-05T10:00:00.000Z
008000000000007AAA,006000000000003AAA,Closed Won,300,2026-01-10,2026-03-05T10:00:00.000Z
008000000000008AAA,006000000000004AAA,Proposal,400,2026-06-01,2026-02-06T10:00:00.000Z
"""


def built(folder: Path, settings: str) -> Workspace:
    export = folder / "export"
    export.mkdir(exist_ok=True)
    (export / "Opportunity.csv").write_text(DEALS)
    (export / "OpportunityHistory.csv").write_text(HISTORY)
    made = workspace.create(folder / f"workspace-{len(settings)}")
    (made.folder / "leadline.toml").write_text(settings)
    made.sources.import_files(export, extracted_at=LOAD)
    return made


@pytest.fixture(scope="module")
def by_history(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return built(tmp_path_factory.mktemp("history"), FUNNEL)


@pytest.fixture(scope="module")
def by_field(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return built(tmp_path_factory.mktemp("field"), '[opportunities]\nclose_date = "field"\n' + FUNNEL)


def won_by_month(made: Workspace, **question: Any) -> dict[str, int]:
    rows = made.metrics.volume(grain="month", **question).table.to_pylist()
    return {row["period"]: row["count"] for row in rows if row["stage"] == "Won" and row["count"]}


def rows(opened: Opened, name: str) -> list[dict[str, Any]]:
    found = opened.arrow(opened[name]).to_pylist()
    return sorted(found, key=lambda row: [str(value) for value in row.values()])


def test_history_dates_the_close_unless_told_otherwise(by_history: Workspace) -> None:
    assert won_by_month(by_history) == {"2026-03": 2}
    assert won_by_month(by_history, close_date="history") == {"2026-03": 2}


@pytest.mark.parametrize("how", ["setting", "question"])
def test_the_field_dates_the_close(by_history: Workspace, by_field: Workspace, how: str) -> None:
    found = won_by_month(by_field) if how == "setting" else won_by_month(by_history, close_date="field")
    assert found == {"2026-02": 2}


def test_a_field_after_as_of_leaves_the_deal_open_and_one_before_the_creation_is_the_creation(
    by_field: Workspace,
) -> None:
    opened = open_snapshot(by_field.snapshots.current().snapshot.path)
    deals = {row["opportunity"]: row for row in rows(opened, "deals")}
    assert {name: row["state"] for name, row in deals.items()} == {
        "One": "won",
        "Two": "open",
        "Three": "won",
        "Four": "open",
    }
    assert deals["One"]["closed_day"] == (dt.date(2026, 2, 20) - dt.date(1970, 1, 1)).days
    assert deals["One"]["closed_is_date"]
    assert (deals["Three"]["closed_s"], deals["Three"]["clamped"]) == (deals["Three"]["created_s"], True)


def test_what_history_tells_after_the_close_counts_no_more(by_history: Workspace, by_field: Workspace) -> None:
    def proposals(made: Workspace) -> int:
        return sum(row["count"] for row in made.metrics.volume().table.to_pylist() if row["stage"] == "Proposal")

    assert (proposals(by_history), proposals(by_field)) == (2, 1)


@pytest.mark.parametrize("table", ["deals", "opportunity_versions", "opportunity_visits", "opportunity_reached"])
def test_asking_for_it_gives_the_tables_that_building_with_it_gives(
    by_history: Workspace, by_field: Workspace, table: str
) -> None:
    asked = open_snapshot(by_history.snapshots.current().snapshot.path, close_date="field")
    made = open_snapshot(by_field.snapshots.current().snapshot.path)
    assert rows(asked, table) == rows(made, table)


def test_a_result_says_so(by_history: Workspace, by_field: Workspace) -> None:
    for result in (by_field.metrics.volume(), by_history.metrics.volume(close_date="field")):
        assert result.definition.text.endswith(CLOSE_FIELD)
        assert CLOSE_FIELD in result.notes
    plain = by_history.metrics.volume()
    assert CLOSE_FIELD not in (*plain.notes, plain.definition.text)


def test_an_earlier_as_of_and_the_field_go_together(by_history: Workspace) -> None:
    early = won_by_month(by_history, close_date="field", as_of="2026-03-07")
    # D1 was still in Proposal then: the state is read by history at as-of, the field only dates a close.
    assert early == {"2026-02": 1}


def test_the_command_line_takes_it(by_history: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--workspace", str(by_history.folder)]
    assert run(["volume", *place, "--close-date", "field", "--grain", "month", "--format", "csv"]) == 0
    assert "2026-02,Won" in capsys.readouterr().out
    assert run(["volume", *place, "--close-date", "fields"]) == 2


def test_another_word_is_refused(by_history: Workspace) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'field'"):
        by_history.metrics.volume(close_date="feild")  # type: ignore[arg-type]


def test_a_developer_org_by_close_date(shared_data: Path, tmp_path: Path) -> None:
    """Every deal of the set was created by one load, later than most close dates: those close at the creation."""
    folder = shared_data / "salesforce-dev-org-sample"
    made = workspace.create(tmp_path)
    (tmp_path / "leadline.toml").write_text('[opportunities]\nclose_date = "field"\n' + FUNNEL)
    made.sources.import_files(folder, date_order="mdy")
    opened = open_snapshot(made.snapshots.current().snapshot.path)

    def day(text: str) -> dt.date:
        return dt.datetime.strptime(text, "%m/%d/%y").replace(tzinfo=dt.UTC).date()

    with (folder / "Opportunity.csv").open(encoding="utf-8-sig", newline="") as lines:
        records = list(csv.DictReader(lines))
    closed = {
        one["Id"]: max(day(one["CloseDate"]), day(one["CreatedDate"])) for one in records if one["IsClosed"] == "TRUE"
    }
    expected = {key: value for key, value in closed.items() if value <= opened.moment.date()}
    deals = [row for row in rows(opened, "deals") if row["state"] != "open"]
    assert {row["opportunity_id"]: dt.date(1970, 1, 1) + dt.timedelta(row["closed_day"]) for row in deals} == expected
