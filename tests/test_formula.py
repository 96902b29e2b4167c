"""Formulas over the records of an org: values by hand, identities with the metrics, lists, ranks, the command."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from leadline import config, workspace
from leadline.cli.app import run
from leadline.errors import ConfigError, FormulaError, UnknownNameError, UsageError
from leadline.formulas import tree
from leadline.formulas.shipped import SHIPPED
from leadline.metrics import formula
from leadline.metrics.formulas.formula_sources import combined
from leadline.metrics.rates import flags, summary_ratio
from leadline.results import Result, Trust
from leadline.workspace import Metrics
from tests import small_org
from tests.demo_workspace import Demo, imported

# Quotients of the same whole numbers, by exact fractions on one side and by doubles on the other.
ROUNDING = 1e-12
Rows = list[dict[str, Any]]
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small org: 4 inquiries, 3 MQLs, 2 SQLs, 1 won deal of 41,000 and an open one of 9,000.50."""
    return small_org.built(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return imported(tmp_path_factory.mktemp("formula"), people=900, seed=5)


@pytest.fixture(scope="module")
def metrics(demo: Demo) -> Metrics:
    return demo.workspace.metrics


def rows(result: Result) -> Rows:
    found: Rows = result.table.to_pylist()
    return found


def asked(folder: Path, expression: str, **question: Any) -> Rows:
    return rows(workspace.open(folder).metrics.formula(expression=expression, **question))


@pytest.mark.parametrize(
    ("expression", "unit", "expected"),
    [
        ("SQL / MQL", "journeys", 2 / 3),
        ("Inquiry - MQL", "journeys", 1),
        ("cohort(SQL) / cohort(Inquiry)", "journeys", 1 / 2),
        ("standing(MQL) + standing(SQL)", "journeys", 2),
        ("SQL:SUM / MQL:SUM", "journeys", 2 / 3),
        ("won_count / (won_count + lost_count)", "journeys", 1.0),
        ("won_count + open_count", "opportunities", 2),
        ("amount(SQL)", "opportunities", 50_000_50),
        ("won_amount / won_count", "opportunities", 41_000_00),
        ("open_amount / 3", "opportunities", 3_000_17),
        ("won_amount / (won_amount + open_amount)", "opportunities", 41_000_00 / 50_000_50),
        ("amount(standing(SQL)) - open_amount", "opportunities", 0),
        ("amount(sum(Won))", "opportunities", 41_000_00),
        ("lost_amount / lost_count", "opportunities", None),
        ("if(MQL > 3, 1, SQL * 10)", "journeys", 20.0),
    ],
)
def test_values_of_a_small_org_by_hand(small: Path, expression: str, unit: str, expected: object) -> None:
    (row,) = asked(small, expression, unit=unit)
    assert row["period"] == "all"
    assert row["value"] == pytest.approx(expected, rel=ROUNDING) if expected is not None else row["value"] is None


def test_periods_without_anything_are_rows_and_the_first_has_no_previous(small: Path) -> None:
    found = asked(small, "SQL / previous(MQL)", grain="month")
    # MQLs on 10, 12 and 20 January, opportunities on 1 and 3 February; the load is of 1 April.
    assert [row["period"] for row in found] == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert [(row["mql"], row["previous_mql"]) for row in found] == [(3, None), (0, 3), (0, 0), (0, 0)]
    assert [row["value"] for row in found] == [None, 2 / 3, None, None]


def test_parents_of_a_small_org_by_hand(small: Path) -> None:
    found = asked(small, "MQL / parent(MQL)", by=["campaign_type"])
    assert {row["campaign_type"]: (row["value"], row["parent_mql"]) for row in found} == {
        "Event": (1 / 3, 3),
        "Webinar": (2 / 3, 3),
    }


def test_a_formula_by_month_is_the_period_ratio(metrics: Metrics) -> None:
    for question in ({"grain": "month"}, {"grain": "quarter", "by": ["campaign_type"]}):
        ratios = {
            (row.get("campaign_type"), row["period"]): row["rate"]
            for row in rows(metrics.conversion(convention="period", from_stage="MQL", to_stage="SAL", **question))
            if row["rate"] is not None
        }
        found = {
            (row.get("campaign_type"), row["period"]): row["value"]
            for row in rows(metrics.formula(expression="SAL / MQL", **question))
            if row["value"] is not None
        }
        assert len(found) > 5
        assert found == pytest.approx(ratios, rel=ROUNDING)


def test_operands_are_the_counts_of_volume(metrics: Metrics) -> None:
    for view, expression in (("entered", "SQL + 0 * MQL"), ("cohort", "cohort(SQL)"), ("standing", "standing(SQL)")):
        counts = {
            (row["lead_source"], row["period"]): row["count"]
            for row in rows(metrics.volume(view=view, by=["lead_source"], grain="quarter"))
            if row["stage"] == "SQL" and row["count"]
        }
        name = "sql" if view == "entered" else f"sql_{view}"
        result = metrics.formula(expression=expression, by=["lead_source"], grain="quarter")
        found = {(row["lead_source"], row["period"]): row[name] for row in rows(result) if row[name]}
        assert found == counts


def test_steps_are_those_of_the_cohort(metrics: Metrics) -> None:
    cohort = rows(metrics.conversion(from_stage="MQL", to_stage="SAL", by=["campaign_type"]))
    found = rows(metrics.formula("acceptance", by=["campaign_type"]))
    assert [
        (row["campaign_type"], row["value"], row["value_low"], row["value_high"], row["small"]) for row in found
    ] == [
        (row["campaign_type"], row["rate"], row["rate_low"], row["rate_high"], row["small"])
        for row in cohort
        if row["started"]
    ]


def test_shares_of_the_parent_add_up(metrics: Metrics) -> None:
    result = metrics.formula(expression="MQL / parent(MQL)", by=["campaign_type", "lead_source"], grain="year")
    sums: dict[tuple, float] = {}
    for row in rows(result):
        if row["value"] is not None:
            key = (row["campaign_type"], row["period"])
            sums[key] = sums.get(key, 0.0) + row["value"]
    assert len(sums) > 5
    assert sums == pytest.approx(dict.fromkeys(sums, 1.0), rel=ROUNDING)


def test_levels_of_a_parent(metrics: Metrics) -> None:
    expression = "MQL + 0 * (parent(MQL) + parent(MQL, campaign_type) + parent(MQL, period) + parent(MQL, total))"
    found = rows(metrics.formula(expression=expression, by=["campaign_type", "lead_source"], grain="year"))
    whole: dict[Any, int] = {}
    by_period: dict[Any, int] = {}
    by_type: dict[Any, int] = {}
    for row in found:
        keys = ("all", row["period"], (row["period"], row["campaign_type"]))
        for sums, key in zip((whole, by_period, by_type), keys, strict=True):
            sums[key] = sums.get(key, 0) + row["mql"]
    for row in found:
        own = by_type[row["period"], row["campaign_type"]]
        assert (row["parent_mql"], row["parent_mql_2"]) == (own, own)
        assert (row["parent_mql_3"], row["parent_mql_4"]) == (by_period[row["period"]], whole["all"])


def test_previous_is_the_value_of_the_row_before(metrics: Metrics) -> None:
    expression = "MQL + 0 * (previous(MQL) + previous(MQL, 4))"
    result = rows(metrics.formula(expression=expression, by=["campaign_type"], grain="quarter"))
    at = {(row["campaign_type"], row["period"]): row for row in result}
    periods = sorted({period for _, period in at})
    for (group, period), row in at.items():
        for back, column in ((1, "previous_mql"), (4, "previous_4_mql")):
            place = periods.index(period) - back
            if place < 0:
                assert row[column] is None
            else:
                earlier = at.get((group, periods[place]))
                assert row[column] == (earlier["mql"] if earlier else 0)


def test_totals_are_the_formula_of_the_sums(metrics: Metrics) -> None:
    result = metrics.formula(expression="SQL / MQL", by=["campaign_type"], grain="year")
    for total in result.totals:
        own = [row for row in rows(result) if row["period"] == total["period"]]
        assert (total["sql"], total["mql"]) == (sum(row["sql"] for row in own), sum(row["mql"] for row in own))
        assert total["value"] == (pytest.approx(total["sql"] / total["mql"], rel=ROUNDING) if total["mql"] else None)
    money = metrics.formula(expression="won_amount / won_count", unit="opportunities", by=["campaign_type"])
    (total,) = money.totals
    assert total["value_amount"] == round(total["won_amount"] / total["won_count"])
    assert json.loads(money.to_json())["totals"][0]["won_amount"].count(".") == 1


def test_the_list_holds_what_each_operand_counts(metrics: Metrics) -> None:
    expression = "(won_count + SQL + cohort(Won) + sum(SQL) + standing(SQL) + open_count) / (1 + started(SQL, Won))"
    result = metrics.formula(expression=expression, unit="opportunities", by=["owner"])
    listed = rows(result.records())
    names = {
        "won_count": "won_count", "SQL": "sql", "cohort(Won)": "won_cohort", "sum(SQL)": "sql_sum",
        "standing(SQL)": "sql_standing", "open_count": "open_count", "started(SQL, Won)": "sql_won_started",
    }  # fmt: skip
    for operand, column in names.items():
        own = [row["owner"] for row in listed if row["operand"] == operand]
        assert own
        assert {row["owner"]: row[column] for row in rows(result) if row[column]} == {
            owner: own.count(owner) for owner in own
        }
    assert {row["operand"] for row in listed} == set(names)
    only = metrics.formula("win_rate", operand="LOST_count").records()
    assert {row["operand"] for row in rows(only)} == {"lost_count"}
    with pytest.raises(UnknownNameError, match="no operand 'won'"):
        metrics.formula("win_rate", operand="won")


def test_amounts_are_those_of_the_list(metrics: Metrics) -> None:
    result = metrics.formula("win_rate_amount")
    (row,) = rows(result)
    for operand, column in (("won_amount", "won_amount"), ("lost_amount", "lost_amount")):
        own = [one["amount"] or 0 for one in rows(result.records()) if one["operand"] == operand]
        assert sum(own) == row[column]
    assert row["value"] == pytest.approx(row["won_amount"] / (row["won_amount"] + row["lost_amount"]), rel=ROUNDING)


def test_ranks_leave_small_shares_behind(metrics: Metrics) -> None:
    found = rows(metrics.formula("acceptance", by=["campaign_type"], ranked=True))
    solid = [row for row in found if not row["small"]]
    assert found[: len(solid)] == solid
    assert 2 < len(solid) < len(found)
    assert [row["value"] for row in solid] == sorted((row["value"] for row in solid), reverse=True)
    values = [row["value"] for row in solid]
    assert [row["rank"] for row in solid] == [values.index(value) + 1 for value in values]
    assert {row["rank"] for row in found if row["small"]} == {None}


def test_a_level_at_the_end_of_a_period_is_not_added_up(metrics: Metrics) -> None:
    by_year = rows(metrics.formula(expression="open_count / parent(open_count)", unit="opportunities", grain="year"))
    (now,) = rows(metrics.formula(expression="open_count", unit="opportunities"))
    assert by_year[-1]["open_count"] == now["open_count"]
    assert {row["parent_open_count"] for row in by_year} == {now["open_count"]}


def test_medians_are_those_of_velocity_and_are_never_added(metrics: Metrics) -> None:
    (whole,) = [row for row in rows(metrics.velocity()) if row["stage"] == "MQL"]
    found = rows(metrics.formula(expression="median_days(MQL) / parent(median_days(MQL))", by=["campaign_type"]))
    assert {row["parent_mql_median_days"] for row in found} == {whole["median_days"]}
    own = {
        row["campaign_type"]: row["median_days"]
        for row in rows(metrics.velocity(by=["campaign_type"]))
        if row["stage"] == "MQL"
    }
    assert {row["campaign_type"]: row["mql_median_days"] for row in found} == {
        name: days for name, days in own.items() if days is not None
    }


def test_time_between_stages_is_that_of_velocity(metrics: Metrics) -> None:
    elapsed = rows(metrics.velocity(measure="elapsed", from_stage="MQL", to_stage="SQL"))
    (days,) = [row["median_days"] for row in elapsed if row["stage"] == "MQL"]
    (row,) = rows(metrics.formula(expression="median_days(MQL, SQL)"))
    assert row["value"] == row["mql_sql_median_days"] == days
    assert days > 0


def test_an_earlier_as_of_counts_what_had_happened(metrics: Metrics, demo: Demo) -> None:
    before = demo.org.as_of - dt.timedelta(days=200)
    (then,) = rows(metrics.formula(expression="MQL", as_of=before))
    (now,) = rows(metrics.formula(expression="MQL", end=before + dt.timedelta(days=1)))
    assert 0 < then["value"] == now["value"]


def test_the_definition_explains_every_operand_with_its_value(metrics: Metrics) -> None:
    result = metrics.formula("acceptance")
    (row,) = rows(result)
    text = result.definition.text
    assert "converted(MQL, SAL) / started(MQL, SAL)" in text
    assert f"(in all {row['mql_sal_started']:,})" in text
    assert f"(in all {row['mql_sal_converted']:,})" in text
    assert result.kind == "formula"
    assert result.query
    columns = {column.name: column.help for column in result.columns}
    assert columns["mql_sal_started"] == "started(MQL, SAL)"


def test_trust_is_that_of_the_worst_operand(metrics: Metrics) -> None:
    assert metrics.formula(expression="SQL / MQL").trust == metrics.volume().trust
    a, c = Trust("A", 0.99, {"stamped": 1}, ("x",)), Trust("C", 0.9, {"history": 1}, ("y",))
    assert combined([a, c, Trust()]) == Trust("C", 0.9, {"history": 1}, ("y", "x"))
    assert combined([]) == Trust()


def test_what_cannot_be_asked_says_why(metrics: Metrics, small: Path) -> None:
    questions: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"expression": "previous(SQL)"}, UsageError, "add --grain"),
        ({"expression": "SQL / parent(SQL, owner)"}, UsageError, "needs --by owner"),
        ({"expression": "SQL / parent(SQL)", "touched": True, "by": ["campaign"]}, UsageError, "overlap"),
        ({"expression": "won_amount"}, UsageError, "ask with --unit opportunities"),
        ({"expression": "amount(SQL)"}, UsageError, "ask with --unit opportunities"),
        ({"expression": "won_count", "unit": "people"}, UsageError, "counts journeys or opportunities"),
        ({"expression": "MQL", "unit": "opportunities"}, UsageError, "ask with --unit journeys"),
        ({"expression": "SQL / MLQ"}, FormulaError, "Did you mean 'MQL'"),
        ({"name": "win_rat"}, UnknownNameError, "Did you mean 'win_rate'"),
        ({"name": "win_rate", "expression": "SQL"}, UsageError, "either"),
        ({}, UsageError, "either"),
    ]
    for question, error, said in questions:
        name = question.pop("name", None)
        with pytest.raises(error, match=said):
            metrics.formula(name, **question)
    # The small org has no SAL: the rate says so, by its name.
    with pytest.raises(FormulaError, match="'acceptance', column 1: there is no stage 'SAL'"):
        workspace.open(small).metrics.formula("acceptance")


def test_touched_counts_have_no_total(metrics: Metrics) -> None:
    result = metrics.formula(expression="SQL / MQL", touched=True, by=["campaign"])
    assert result.totals == ()
    assert any("overlap" in note for note in result.notes)


@pytest.fixture
def own(small: Path, tmp_path: Path) -> Path:
    """The small workspace with formulas of its own in leadline.toml, and no build since."""
    folder = tmp_path / "own"
    shutil.copytree(small, folder)
    with (folder / config.FILE_NAME).open("a", encoding="utf-8") as file:
        file.write(
            """
[formula.pipeline_share]
expression = 'amount(standing(SQL)) / amount(SQL)'
title = "Share of the pipeline still open"
unit = "opportunities"

[formula.not_yet]
expression = "MQL - SQL"
format = "number"
"""
        )
    return folder


def test_formulas_of_the_file_hold_without_a_build(own: Path) -> None:
    metrics = workspace.open(own).metrics
    result = metrics.formula("pipeline_share")
    assert result.unit == "opportunities"
    assert result.title == "Share of the pipeline still open (opportunities)"
    assert rows(result)[0]["value"] == pytest.approx(9_000_50 / 50_000_50, rel=ROUNDING)
    assert rows(metrics.formula("not_yet"))[0]["value"] == 1
    table = {row["name"]: row for row in rows(metrics.formulas())}
    assert list(table)[:2] == ["pipeline_share", "not_yet"]
    assert {"acceptance", "close_rate", "win_rate", "win_rate_amount"} < set(table)
    assert table["win_rate"]["from"] == "Leadline"


FAULTS = """
[funnel.people]
stages = [
  { name = "MQL", from = [{ object = "Lead", field = "Status", values = ["MQL"] }] },
  { name = "SQL", from = [{ object = "Opportunity", milestone = "created" }] },
]
[formula.torn]
expression = "SQL / MQL +"
[formula.unknown]
expression = "SLQ / MQL"
format = "money"
[formula.elsewhere]
expression = "SQL"
funnel = "peple"
[formula.win_rate]
expression = "SQL"
[formula."x y"]
expression = "won_amount + SQL"
unit = "leads"
[formula.odd]
expression = 3
"""


def test_every_fault_of_the_formulas_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse(FAULTS)
    said = "\n".join(caught.value.faults)
    for fault in (
        'formula.torn.expression = "SQL / MQL +": column 12: found the end',
        "formula.unknown.expression = \"SLQ / MQL\": column 1: there is no stage 'SLQ'. Did you mean 'SQL'?",
        'formula.unknown.format = "money": yields a ratio, which cannot be shown as money',
        "formula.elsewhere.funnel = \"peple\": is no funnel of this file. Did you mean 'people'?",
        "is a formula that Leadline ships; choose another name",
        'formula."x y" = ',
        'formula."x y".expression = "won_amount + SQL": column 12: `+` cannot put money and a count together',
        'formula."x y".unit = "leads": must be one of',
        "formula.odd.expression = 3: must be text in quotes",
    ):
        assert fault in said
    assert len(caught.value.faults) == 9


def command(arguments: list[str], capsys: Captured) -> tuple[int, str, str]:
    code = run(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_command(own: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LEADLINE_WORKSPACE", str(own))
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    code, out, _ = command(["formula"], capsys)
    assert code == 0
    assert "pipeline_share" in out
    assert "won_count / (won_count + lost_count)" in out
    code, out, _ = command(["formula", "win_rate", "--by", "campaign_type", "--ranked"], capsys)
    assert code == 0
    assert "100.0 % (20.7 to 100.0) small" in out
    assert "total: 100.0 % (won count 1, lost count 0)" in out
    code, out, _ = command(["formula", "--expression", "SQL:SUM / MQL:SUM", "--format", "json"], capsys)
    answer = json.loads(out)
    assert (answer["kind"], answer["rows"][0]["sql_sum"], answer["rows"][0]["mql_sum"]) == ("formula", 2, 3)
    code, out, _ = command(["formula", "not_yet", "--list", "--operand", "MQL", "--format", "csv"], capsys)
    assert [row["operand"] for row in csv.DictReader(io.StringIO(out))] == ["MQL"] * 3
    chart = tmp_path / "formula.svg"
    assert command(["formula", "not_yet", "--by", "campaign_type", "--chart", str(chart)], capsys)[0] == 0
    assert "Webinar" in chart.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["formula", "win_rat"], "Did you mean 'win_rate'?"),
        (["formula", "--expression", "SQL /"], "Formula, column 6: found the end"),
        (["formula", "--expression", "won_amount + SQL"], "cannot put money and a count together"),
        (["formula", "win_rate", "--operand", "won_count"], "add --list"),
        (["formula", "--list"], "Which formula?"),
        (["formula", "win_rate", "--expression", "SQL"], "either"),
    ],
)
def test_wrong_usage_of_the_command(
    small: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.setenv("LEADLINE_WORKSPACE", str(small))
    code, out, err = command(arguments, capsys)
    assert (code, out) == (2, "")
    assert said in err


def test_the_manual_explains_every_word_and_column() -> None:
    docs = Path(__file__).parents[1] / "docs"
    page = (docs / "metrics" / "formula.md").read_text(encoding="utf-8")
    words = (
        *tree.FUNCTIONS,
        *tree.COUNTS[1:],
        *tree.STEPS,
        *tree.OUTCOMES,
        *tree.DURATIONS,
        *SHIPPED,
        "parent",
        "previous",
    )
    assert not [word for word in words if f"`{word}" not in page]
    assert not [column.name for column in formula.COLUMNS if f"`{column.name}`" not in page]
    for heading in ("What it answers", "How it is counted", "Columns", "How to read it", "What to do", "Limits"):
        assert f"\n## {heading}\n" in page
    for shipped in SHIPPED.values():
        assert f"`{shipped.expression}`" in page
    conversion = (docs / "metrics" / "conversion.md").read_text(encoding="utf-8")
    section = conversion.partition("### summary")[2]
    own = [column.name for column in summary_ratio.COLUMNS[-4:]]
    assert not [name for name in own if f"`{name}`" not in section]
    assert not [name for name in flags.DATE_FIELDS if f"`{name}`" not in section]
