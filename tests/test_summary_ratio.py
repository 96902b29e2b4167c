"""The convention `summary`: what a Salesforce report shows, and why it differs from the cohort."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import pytest

from leadline import workspace
from leadline.cli.app import run
from leadline.errors import UnknownNameError, UsageError
from leadline.metrics.grouping import grouping
from leadline.metrics.query import UNITS, Query, ask
from leadline.metrics.rates.steps import transitions
from leadline.metrics.rates.summary_bridge import Bridge, bridges
from leadline.metrics.rates.summary_ratio import summary_ratio
from leadline.metrics.volume import volume
from leadline.model.opened import Opened
from leadline.results import Result
from tests import small_org
from tests.demo_workspace import Demo, imported

# Both sides divide the same whole numbers.
ROUNDING = 1e-12
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> workspace.Workspace:
    return workspace.open(small_org.built(tmp_path_factory.getbasetemp()))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return imported(tmp_path_factory.mktemp("summary"), people=900, seed=8)


@pytest.fixture(scope="module")
def opened(demo: Demo) -> Opened:
    return demo.open()


def rows(result: Result) -> Rows:
    found: Rows = result.table.to_pylist()
    return found


def test_a_small_org_by_hand(small: workspace.Workspace) -> None:
    """Four inquiries, three MQLs, two SQLs, one won: all opened in January, as of 1 April."""
    result = small.metrics.conversion(convention="summary", grain="month")
    found = {(row["from_stage"], row["to_stage"]): row for row in rows(result) if row["started"]}
    assert {row["period"] for row in found.values()} == {"2026-01"}
    counts = {step: (row["started"], row["converted"]) for step, row in found.items()}
    assert counts == {("Inquiry", "MQL"): (4, 3), ("MQL", "SQL"): (3, 2), ("SQL", "Won"): (2, 1)}
    row = found["MQL", "SQL"]
    assert row["rate"] == pytest.approx(2 / 3, rel=ROUNDING)
    assert row["rate_of_first"] == pytest.approx(2 / 4, rel=ROUNDING)
    assert (row["rate_low"], row["rate_high"], row["small"], row["date_field"]) == (None, None, True, "opened")
    # 90 days before 1 April is 1 January: every MQL of January is too young to be judged.
    assert (row["cohort_started"], row["too_young"], row["cohort_rate"]) == (0, 3, None)
    note = next(note for note in result.notes if note.startswith("MQL > SQL"))
    assert note == (
        "MQL > SQL: the summary formula shows 66.7 % (2 ÷ 3), the cohort nothing (0 ÷ 0), the period ratio "
        "66.7 % (2 ÷ 3), because the formula also divides by 3 that had MQL less than 90 days ago; it also counts "
        "as converted 2 converted too early to be judged."
    )


def test_where_both_rest_on_the_same_units_the_note_says_so(small: workspace.Workspace) -> None:
    result = small.metrics.conversion(convention="summary", window_days=60, from_stage="MQL", to_stage="SQL")
    (note,) = [note for note in result.notes if note.startswith("MQL > SQL")]
    assert note == (
        "MQL > SQL: the summary formula shows 66.7 % (2 ÷ 3), the cohort 66.7 % (2 ÷ 3), "
        "the period ratio 66.7 % (2 ÷ 3); both rest on the same units."
    )


RANGES = [(None, None), (dt.date(2025, 10, 1), dt.date(2026, 2, 1)), (dt.date(2025, 12, 15), None)]


def bridge_of(opened: Opened, query: Query, window: int | None, date_field: str) -> list[Bridge]:
    asked = ask(opened, query)
    return bridges(asked, grouping(asked), transitions(asked, window, None, None), date_field)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(("start", "end"), RANGES)
def test_the_units_between_both_conventions_add_up(
    opened: Opened, unit: str, start: dt.date | None, end: dt.date | None
) -> None:
    query = Query(unit=unit, start=start, end=end)
    seen: set[str] = set()
    asked, window = ask(opened, query), 20
    by_step = {
        (row["from_stage"], row["to_stage"]): row for row in rows(summary_ratio(opened, query, window_days=window))
    }
    for one in bridge_of(opened, query, window, "opened"):
        row = by_step[asked.stage_name(one.transition.start), asked.stage_name(one.transition.end)]
        assert one.summary == (row["converted"], row["started"])
        assert one.cohort == (row["cohort_converted"], row["cohort_started"])
        left, right = sum(one.numerator.values()), sum(one.cohort_numerator.values())
        assert one.summary[0] - left + right == one.cohort[0]
        left, right = sum(one.denominator.values()), sum(one.cohort_denominator.values())
        assert one.summary[1] - left + right == one.cohort[1]
        if one.entries[1]:
            assert row["period_ratio"] == pytest.approx(one.entries[0] / one.entries[1], rel=ROUNDING)
        seen |= {reason for reason, count in itertools.chain(one.numerator.items(), one.denominator.items()) if count}
    assert "late" in seen
    assert "too_young" in seen or end is not None


def test_the_ratio_is_that_of_the_formula(demo: Demo) -> None:
    metrics = demo.workspace.metrics
    ratios = {
        (row["campaign_type"], row["period"]): row["rate"]
        for row in rows(
            metrics.conversion(
                convention="summary", from_stage="MQL", to_stage="SAL", by=["campaign_type"], grain="quarter"
            )
        )
        if row["started"]
    }
    formula = metrics.formula(expression="SAL:SUM / MQL:SUM", by=["campaign_type"], grain="quarter")
    found = {(row["campaign_type"], row["period"]): row["value"] for row in rows(formula) if row["mql_sum"]}
    assert len(found) > 5
    assert found == pytest.approx(ratios, rel=ROUNDING)


def test_parts_add_up_to_the_whole(opened: Opened) -> None:
    by_type = summary_ratio(opened, Query(by=("campaign_type",)))
    whole = {(row["from_stage"], row["to_stage"]): row for row in rows(summary_ratio(opened, Query()))}
    for total in by_type.totals:
        own = whole[total["from_stage"], total["to_stage"]]
        assert (total["started"], total["converted"]) == (own["started"], own["converted"])
        assert total["rate"] == own["rate"]
        assert total["cohort_rate"] == own["cohort_rate"]


def test_the_list_holds_both_sides(opened: Opened) -> None:
    result = summary_ratio(opened, Query(by=("campaign_type",)), from_stage="MQL", to_stage="SAL")
    listed = rows(result.records())
    for row in rows(result):
        own = [one for one in listed if one["campaign_type"] == row["campaign_type"]]
        assert sum(one["in_denominator"] for one in own) == row["started"]
        assert sum(one["in_numerator"] for one in own) == row["converted"]
    assert any(one["in_numerator"] and not one["in_denominator"] for one in listed)


@pytest.mark.parametrize(
    ("unit", "date_field"),
    [
        ("journeys", "created"),
        ("people", "MQL"),
        ("responses", "created"),
        ("opportunities", "closed"),
        ("opportunities", "close_date"),
        ("opportunities", "created"),
        ("journeys", "sql"),
    ],
)
def test_another_date_moves_units_between_periods_only(opened: Opened, unit: str, date_field: str) -> None:
    plain = {(row["from_stage"], row["to_stage"]): row for row in rows(summary_ratio(opened, Query(unit=unit)))}
    sums: dict[tuple[str, str], list[int]] = {}
    for row in rows(summary_ratio(opened, Query(unit=unit, grain="year"), date_field=date_field)):
        found = sums.setdefault((row["from_stage"], row["to_stage"]), [0, 0])
        found[0] += row["started"]
        found[1] += row["converted"]
    assert sums == {step: [row["started"], row["converted"]] for step, row in plain.items()}


def test_a_stage_as_date_makes_entries_of_that_stage_the_denominator(opened: Opened) -> None:
    result = summary_ratio(opened, Query(grain="quarter"), from_stage="MQL", to_stage="SAL", date_field="MQL")
    by_period = {row["period"]: row["started"] for row in rows(result) if row["period"] is not None and row["started"]}
    entered = {
        row["period"]: row["count"]
        for row in rows(volume(opened, Query(grain="quarter")))
        if row["stage"] == "MQL" and row["count"]
    }
    assert by_period == entered


def test_dates_that_do_not_exist_say_so(opened: Opened, demo: Demo) -> None:
    with pytest.raises(UnknownNameError, match=r"no date field 'opend'.*Did you mean 'opened'"):
        summary_ratio(opened, Query(), date_field="opend")
    with pytest.raises(UsageError, match="is a date of opportunities"):
        summary_ratio(opened, Query(), date_field="closed")
    with pytest.raises(UsageError, match="Accounts have no creation"):
        summary_ratio(opened, Query(unit="accounts"), date_field="created")
    with pytest.raises(UsageError, match="belongs to --convention summary"):
        demo.workspace.metrics.conversion(date_field="created")
    with pytest.raises(UnknownNameError, match="Did you mean 'summary'"):
        demo.workspace.metrics.conversion(convention="summry")


def test_the_command_shows_the_ratio_and_the_reason(
    small: workspace.Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LEADLINE_WORKSPACE", str(small.folder))
    monkeypatch.setenv("TERMINAL_WIDTH", "200")
    chart = tmp_path / "summary.svg"
    assert run(["conversion", "--convention", "summary", "--date-field", "created", "--chart", str(chart)]) == 0
    out = capsys.readouterr().out
    assert "convention summary" in out
    assert "date field created" in out
    assert "the summary formula shows 66.7 % (2 ÷ 3)" in out
    assert "convention summary" in chart.read_text()
