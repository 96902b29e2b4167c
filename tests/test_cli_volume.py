"""Volume's further tables and the pipeline on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from leadline.cli.app import run
from tests import small_org
from tests.test_real_sets import expected, published

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of the small org's workspace."""
    return str(small_org.built(tmp_path_factory.getbasetemp()))


def asked(small: str, capsys: Captured, *words: str) -> dict[str, Any]:
    """The JSON of a command."""
    assert run([*words, "--workspace", small, "--format", "json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_fates(small: str, capsys: Captured) -> None:
    result = asked(small, capsys, "volume", "--fates")
    assert result["kind"] == "fates"
    assert result["totals"] == [{"period": "all", "count": 4, "counted": 4}]
    assert len(asked(small, capsys, "volume", "--fates", "--list")["rows"]) == 4


def test_new_people(small: str, capsys: Captured) -> None:
    """All four leads were created days before they responded."""
    result = asked(small, capsys, "volume", "--new")
    assert [(row["person"], row["response"], row["count"]) for row in result["rows"]] == [("known", "first", 4)]
    assert result["totals"] == [{"period": "all", "count": 4, "net_new_people": 0}]


def test_compare(small: str, capsys: Captured) -> None:
    result = asked(
        small,
        capsys,
        "volume",
        "--compare",
        "previous",
        "--grain",
        "month",
        "--from",
        "2026-02-01",
        "--to",
        "2026-03-01",
    )
    found = {row["stage"]: (row["before"], row["count"], row["change"]) for row in result["rows"]}
    assert found["Inquiry"] == (4, 0, -4)
    assert found["SQL"] == (0, 2, 2)


def test_pipeline(small: str, capsys: Captured) -> None:
    (row,) = asked(small, capsys, "pipeline")["rows"]
    assert (row["stage"], row["count"], row["amount"]) == ("Proposal", 1, "9000.50")
    moves = asked(small, capsys, "pipeline", "--view", "movements", "--from", "2026-02-01", "--to", "2026-04-01")
    assert {row["movement"]: (row["count"], row["amount"]) for row in moves["rows"]} == {
        "new": (2, "50000.50"),
        "won": (-1, "-41000.00"),
        "end": (1, "9000.50"),
    }


def test_a_chart_of_the_movements(small: str, tmp_path: Path) -> None:
    file = tmp_path / "moves.svg"
    words = ["pipeline", "--view", "movements", "--from", "2026-02-01", "--chart", str(file), "--workspace", small]
    assert run(words) == 0
    assert "What moved the pipeline" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        ["volume", "--fates", "--new"],
        ["volume", "--compare", "previous"],
        ["volume", "--compare", "yesterday", "--from", "2026-01-01"],
        ["volume", "--fates", "--unit", "people"],
        ["pipeline", "--view", "movements"],
        ["pipeline", "--unit", "people"],
    ],
)
def test_wrong_usage_ends_with_2(small: str, words: list[str]) -> None:
    assert run([*words, "--workspace", small]) == 2


def test_a_developer_org_stands_where_its_records_say(shared_data: Path, tmp_path: Path) -> None:
    """The facts beside the set name count and amount of every stage at the load."""
    name = "salesforce-dev-org-sample"
    made, _ = published(shared_data, name, tmp_path, date_order="mdy")
    stages = expected(shared_data, name)["stages"]
    rows = made.metrics.pipeline().table.to_pylist()
    assert {row["stage"]: [row["count"], row["amount"] // 100] for row in rows} == {
        stage: facts for stage, facts in stages.items() if not stage.startswith("Closed")
    }
    order = [row["stage"] for row in rows]
    assert order.index("Prospecting") < order.index("Needs Analysis") < order.index("Negotiation/Review")


def test_another_chart_of_an_answer_is_drawn_by_its_name(small: str, tmp_path: Path) -> None:
    named, usual = tmp_path / "trend.svg", tmp_path / "funnel.svg"
    asked = ["volume", "--workspace", small, "--view", "cohort"]
    assert run([*asked, "--chart", str(named), "--chart-name", "trend"]) == 0
    assert run([*asked, "--chart", str(usual)]) == 0
    assert named.read_text(encoding="utf-8") != usual.read_text(encoding="utf-8")


def test_a_chart_that_cannot_be_drawn_is_told(small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["volume", "--workspace", small, "--view", "cohort"]
    assert run([*asked, "--chart", str(tmp_path / "a.svg"), "--chart-name", "trnd"]) != 0
    assert "'trend'" in capsys.readouterr().err
    assert run([*asked, "--chart-name", "trend"]) != 0
    assert "--chart FILE" in capsys.readouterr().err


def test_dimensions_by_commas_and_by_repeating_are_the_same_split(small: str, capsys: Captured) -> None:
    one = asked(small, capsys, "volume", "--by", "campaign,lead_source")
    other = asked(small, capsys, "volume", "--by", "campaign", "--by", "lead_source")
    assert {"campaign", "lead_source"} <= set(other["rows"][0])
    assert one["rows"] == other["rows"]
