"""goals.csv: what its rows mean, and every fault of it at once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from leadline.dates import GRAINS, Calendar
from leadline.errors import GoalsError, UsageError
from leadline.metrics.targets import goals_file
from leadline.metrics.targets.goals_file import Goal, period_of
from leadline.metrics.targets.goals_template import template
from leadline.model.opened import Opened
from tests import goal_org

DAY = dt.date(2026, 1, 5)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    made = goal_org.built(
        tmp_path_factory.mktemp("goals"), [(DAY, "Webinar")], [(DAY, DAY, "10.00")], as_of="2026-02-01"
    )
    return made._open_current(None)[0]


def goals_of(text: str, opened: Opened, folder: Path) -> tuple[Goal, ...]:
    path = folder / "goals.csv"
    path.write_text(text)
    return goals_file.read(path, opened)


def faults_of(text: str, opened: Opened, folder: Path) -> list[str]:
    with pytest.raises(GoalsError) as caught:
        goals_of(text, opened, folder)
    return caught.value.faults


def test_what_rows_mean(opened: Opened, tmp_path: Path) -> None:
    text = """# plan of the board
metric,period,segment,goal,funnel,unit
inquiry,2026-Q1,,400,,
SQL,2026-02,"industry=, Tools, campaign_type=Web, nar",12.5,main,people

won_amount,2026,,2500000.25,,
SQL_amount,2026-01-05,campaign_type=Webinar,100,,opportunities
Won,2026-Q2,,,,
"""
    inquiry, sql, won, created = goals_of(text.replace("industry=, Tools, ", "lead_source=, "), opened, tmp_path)
    assert (inquiry.metric, inquiry.stage_no, inquiry.of_money, inquiry.unit) == ("Inquiry", 0, False, "journeys")
    assert (inquiry.period.start, inquiry.period.end) == (dt.date(2026, 1, 1), dt.date(2026, 4, 1))
    assert sql.segment == (("campaign_type", "Web, nar"), ("lead_source", ""))
    assert (sql.value, sql.unit, sql.funnel) == (Decimal("12.5"), "people", "main")
    assert (won.metric, won.stage_no, won.of_money, won.unit) == ("won_amount", 2, True, "opportunities")
    assert won.value == Decimal("2500000.25")
    assert (created.metric, created.period.grain) == ("sql_amount", "week")
    assert [goal.line for goal in (inquiry, sql, won, created)] == [3, 4, 6, 7]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_files_of_a_spreadsheet(delimiter: str, opened: Opened, tmp_path: Path) -> None:
    text = delimiter.join(["metric", "period", "segment", "goal"]) + "\r\n" + delimiter.join(["Won", "2026", "", "7"])
    (tmp_path / "goals.csv").write_text(text, encoding="utf-8-sig")
    assert [goal.value for goal in goals_file.read(tmp_path / "goals.csv", opened)] == [7]


def test_every_fault_at_once(opened: Opened, tmp_path: Path) -> None:
    text = """metric,period,segment,goal,funnel,unit
Inquirry,2026-Q1,,400,,
SQL,2026-Q5,,12,,
SQL,2026-01-06,,12,,
SQL,FY2026,,12,,
SQL,2026-Q1,campaign_typ=Webinar,12,,
SQL,2026-Q1,Webinar,12,,
SQL,2026-Q1,,"12,5",,
SQL,2026-Q1,,"1,000",,
SQL,2026-Q1,,-3,,
SQL,2026-Q1,,many,,
won_amount,2026,,10.005,,
won_amount,2026,,10,,journeys
Inquiry,2026,,10,,opportunities
SQL,2026,,10,mian,
SQL,2026,,10,,journey
Won,2026-Q1,"lead_source=a,campaign_type=b",1,,
Won,2026-Q1,"campaign_type=b, lead_source=a",2,,
Won,2026-Q1,campaign_type=a,lead_source=b,2,,
SQL,2026-Q1,"lead_source=a,lead_source=b",2,,
"""
    faults = faults_of(text, opened, tmp_path)
    expected = [
        ("line 2, column metric", "Did you mean 'Inquiry'?"),
        ("line 3, column period", "write 2026, 2026-Q1, 2026-03"),
        ("line 4, column period", "begins on 2026-01-05"),
        ("line 5, column period", "write 2026"),
        ("line 6, column segment", "Did you mean 'campaign_type'?"),
        ("line 7, column segment", "write DIM=VALUE"),
        ("line 8, column goal", "write 12.5"),
        ("line 9, column goal", "write 1000"),
        ("line 10, column goal", "below 0"),
        ("line 11, column goal", "is no number"),
        ("line 12, column goal", "more decimals than USD has (2)"),
        ("line 13, column unit", "is money"),
        ("line 14, column unit", "cannot be seen on opportunities"),
        ("line 15, column funnel", "Did you mean 'main'?"),
        ("line 16, column unit", "Did you mean 'journeys'?"),
        ("line 18, column goal", "of line 17 again"),
        ("line 19", "put a segment with a comma in quotes"),
        ("line 20, column segment", "names 'lead_source' twice"),
    ]
    for fault, (place, sentence) in zip(faults, expected, strict=True):
        assert fault.startswith(place), fault
        assert sentence in fault, fault


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it is empty"),
        ("metric,period\n", "no column goal"),
        ("metric,period,goal,gaol\n", "Did you mean 'goal'?"),
        ("metric,period,goal,goal\n", "column goal: stands twice"),
        ('metric,period,goal\nWon,2026,"7\n', "close the quotes"),
    ],
)
def test_faults_of_the_file_as_a_whole(text: str, sentence: str, opened: Opened, tmp_path: Path) -> None:
    assert any(sentence in fault for fault in faults_of(text, opened, tmp_path))


def test_other_encodings_and_no_file(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "goals.csv"
    with pytest.raises(UsageError, match="leadline goals --template"):
        goals_file.read(path, opened)
    path.write_bytes("metric,period,goal\n# Zürich\n".encode("latin-1"))
    with pytest.raises(GoalsError, match="save the file as UTF-8"):
        goals_file.read(path, opened)


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("week_start", ["monday", "saturday", "sunday"])
def test_every_label_of_the_calendar_is_read_back(month: int, week_start: str) -> None:
    calendar = Calendar(month, week_start)  # type: ignore[arg-type]  # one of its values
    for grain in GRAINS[1:]:
        for day in (dt.date(2024, 2, 29), dt.date(2026, 1, 1), dt.date(2026, 12, 31)):
            start = calendar.start(day, grain)
            found = period_of(calendar.label(start, grain), calendar)
            assert (found.grain, found.start, found.end) == (grain, start, calendar.following(start, grain))


def test_labels_of_another_year_are_refused() -> None:
    with pytest.raises(UsageError, match="write FY2026-Q1"):
        period_of("2026-Q1", Calendar(4))
    with pytest.raises(UsageError, match="write 2026"):
        period_of("FY2026", Calendar(1))
    with pytest.raises(UsageError, match="no period of the calendar"):
        period_of("2026-13", Calendar(1))
    with pytest.raises(UsageError, match="begins on 2026-03-29"):
        period_of("2026-03-30", Calendar(1, "sunday"))


def test_the_template_is_a_file_without_goals(opened: Opened, tmp_path: Path) -> None:
    text = template(opened)
    assert goals_of(text, opened, tmp_path) == ()
    # As-of is the end of 1 February 2026.
    filled = goals_of(text.replace(",,\n", ",,5\n"), opened, tmp_path)
    assert [(goal.metric, goal.period.label) for goal in filled] == [
        (metric, quarter) for quarter in ("2026-Q1", "2026-Q2") for metric in ("Inquiry", "SQL", "Won", "won_amount")
    ]
