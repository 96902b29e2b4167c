"""`leadline goals` as a user meets it, and its chart."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from pathlib import Path

import pytest

from leadline import charts
from leadline.cli.app import run
from leadline.workspace import Workspace
from tests import goal_org
from tests.goal_org import workdays_of

Captured = pytest.CaptureFixture[str]
GOALS = """metric,period,segment,goal
Inquiry,2026-Q1,,80
Inquiry,2026-Q1,campaign_type=Event,0
Inquiry,2026-Q2,,60
won_amount,2026-Q1,,12345.67
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    days = workdays_of(dt.date(2025, 10, 1), dt.date(2026, 2, 14))
    deals = [(one, one, f"{100 + at}.50") for at, one in enumerate(days) if one.weekday() == 4]
    return goal_org.built(
        tmp_path_factory.mktemp("goals"),
        [(one, "Webinar") for one in days],
        deals,
        as_of="2026-02-14T00:00:00Z",
        goals=GOALS,
    )


def ask(made: Workspace, *more: str) -> int:
    return run(["goals", "--workspace", str(made.folder), *more])


def test_the_json_of_the_contract(made: Workspace, capsys: Captured) -> None:
    assert ask(made, "--format", "json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["kind"], answer["filters"]) == ("goals", {"funnel": "main", "pace": "workdays"})
    count, none, money, later = answer["rows"]
    # 1 January to 13 February 2026: 32 of 64 working days.
    assert (count["actual"], count["goal"], count["expected_to_date"], count["pace"]) == (32, 80, 40, 0.8)
    assert (none["goal"], none["attainment"], none["pace"]) == (0, None, None)
    assert (money["goal_amount"], money["expected_to_date_amount"]) == ("12345.67", "6172.84")
    assert money["actual"] is None
    assert later["state"] == "future"


def test_the_table_puts_counts_and_money_into_one_column(made: Workspace, capsys: Captured) -> None:
    assert ask(made) == 0
    out = capsys.readouterr().out
    assert "12,345.67" in out
    assert "80.0" in out
    assert "actual amount" not in out


def test_the_list(made: Workspace, capsys: Captured) -> None:
    assert ask(made, "--list", "--format", "csv", "--to", "2026-02-01", "--unit", "journeys") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("goal_period,metric,segment,unit_id")
    assert len(lines) == 1 + 32


def test_a_template_can_be_filled_in(made: Workspace, capsys: Captured) -> None:
    assert ask(made, "--template") == 0
    out = capsys.readouterr().out
    assert "\nmetric,period,segment,goal\n" in out
    assert "\nwon_amount,2026-Q1,,\n" in out


def test_the_way_back(made: Workspace, capsys: Captured) -> None:
    assert ask(made, "--reverse", "10000", "--set", "deal_size=500", "--period", "2026-Q3", "--format", "json") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert (rows[0]["needed_amount"], rows[1]["needed"], rows[1]["value_amount"]) == ("10000.00", 20, "500.00")
    assert rows[1]["latest_on"] == "2026-09-30"
    assert ask(made, "--reverse", "goal", "--period", "2026-Q1") == 0
    assert "What 12,345.67 USD in 2026-Q1 needs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--reverse", "1.000.000"], "is no amount"),
        (["--reverse", "inf"], "is no amount"),
        (["--reverse", "5", "--from", "2026-01-01"], "--period LABEL"),
        (["--period", "2026-Q1"], "belong to --reverse"),
        (["--reverse", "5", "--period", "Q1"], "is no period"),
        (["--reverse", "goal", "--period", "2026-Q2"], "It has: 2026-Q1"),
        (["--pace", "season"], "seasonal"),
    ],
)
def test_wrong_usage_ends_with_2(made: Workspace, arguments: list[str], said: str, capsys: Captured) -> None:
    assert ask(made, *arguments) == 2
    assert said in capsys.readouterr().err


def test_without_a_file_it_says_how_to_write_one(made: Workspace, tmp_path: Path, capsys: Captured) -> None:
    bare = Workspace(shutil.copytree(made.folder, tmp_path / "copy"))
    (bare.folder / "goals.csv").unlink()
    assert ask(bare) == 2
    told = capsys.readouterr().err
    assert "There is no goals.csv" in told
    assert "leadline goals --template" in told
    (bare.folder / "goals.csv").write_text("metric,period,segment,goal\nWom,2026-Q7,,x\n")
    assert ask(bare) == 2
    told = capsys.readouterr().err
    assert "has 3 faults" in told
    assert "Did you mean 'Won'?" in told
    (bare.folder / "goals.csv").write_text("metric,period,segment,goal\nWon,2026-Q1,,\n")
    assert ask(bare) == 2
    assert "sets no goal" in capsys.readouterr().err


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chart_shows_the_numbers(made: Workspace, theme: charts.Theme) -> None:
    result = made.metrics.goals()
    drawn = re.findall(r"<text[^>]*>(.*?)</text>", charts.svg(result, theme=theme))
    said = [re.sub(r"<[^>]+>", "", text) for text in drawn]
    for text in ("2026-Q1 · Inquiry", "32", "80", "40.0 %", "80.0 %", "12,346", "future", "landing"):
        assert text in said
    assert any("diamond: landing" in text for text in said)
    assert not any("campaign_type" in text for text in said)  # a goal of 0 has no share
    assert charts.summary(result).startswith("0 of 2 running goals keep pace; the lowest is ")
    used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', charts.svg(result, theme=theme)))
    from leadline.charts.theme import THEMES

    assert used - {"none", "transparent"} <= set(THEMES[theme].by_role().values())


def test_the_summary_of_goals_that_are_over(made: Workspace) -> None:
    result = made.metrics.goals(start=dt.date(2026, 4, 1))
    assert charts.summary(result) == "0 of 1 goals are met; none is running with a pace."
