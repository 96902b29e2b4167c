"""Goals on orgs written by hand: actual, pace, required rate and landing; segments; the list behind them."""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import UnknownNameError, UsageError
from leadline.workspace import Workspace
from tests import goal_org
from tests.goal_org import workdays_of

QUARTER = dt.date(2026, 1, 1), dt.date(2026, 4, 1)
SINCE = dt.date(2025, 4, 1)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One response on each working day from April 2025 to March 2026, Mondays from events; a deal a week."""
    days = workdays_of(SINCE, QUARTER[1])
    responses = [(one, "Event" if one.weekday() == 0 else "Webinar") for one in days]
    deals = [(one, one, "100.25") for one in days if one.weekday() == 4] + [(day("2026-01-07"), None, "5000")]
    goals = """metric,period,segment,goal
Inquiry,2026-Q1,,64
Inquiry,2026-Q1,campaign_type=Event,13
Inquiry,2026-Q1,campaign_type=Webinar,51
Inquiry,2026-02,,40
Inquiry,2026-04,,22
Inquiry,2025-Q4,,50
Inquiry,2026-01-05,,5
Inquiry,2026-Q1,lead_source=,64
Inquiry,2026-Q1,campaign_type=Webinr,9
won_amount,2026-Q1,,2000
sql_amount,2026-Q1,,7000.50
"""
    return goal_org.built(
        tmp_path_factory.mktemp("steady"), responses, deals, as_of="2026-04-01T12:00:00Z", goals=goals
    )


def rows_of(workspace: Workspace, **question: Any) -> dict[tuple[str, str, str | None], dict[str, Any]]:
    rows = workspace.metrics.goals(**question).table.to_pylist()
    return {(row["period"], row["metric"], row["segment"]): row for row in rows}


# 1 January 2026 is a Thursday: the quarter has 22 + 20 + 22 = 64 working days without holidays.
@pytest.mark.parametrize("as_of", ["2026-01-01", "2026-01-19", "2026-02-15", "2026-03-13", "2026-03-30"])
def test_pace_is_1_where_each_working_day_brings_its_share(steady: Workspace, as_of: str) -> None:
    row = rows_of(steady, as_of=as_of)["2026-Q1", "Inquiry", None]
    passed = len(workdays_of(QUARTER[0], day(as_of) + dt.timedelta(days=1)))
    assert (row["actual"], row["workdays_passed"], row["workdays"]) == (passed, passed, 64)
    assert (row["goal"], row["expected_to_date"]) == (64, passed)
    assert (row["pace"], row["so_far"], row["required"]) == (1, 1, 1)
    assert row["attainment"] == passed / 64
    assert row["landing"] == 64
    assert row["landing_low"] <= 64 <= row["landing_high"]
    assert (row["state"], row["unit"], row["reason"]) == ("running", "journeys", None)


def test_a_running_month_by_hand(steady: Workspace) -> None:
    # February 2026 has 20 working days; Friday the 13th ends the 10th.
    row = rows_of(steady, as_of="2026-02-13")["2026-02", "Inquiry", None]
    assert (row["actual"], row["goal"], row["expected_to_date"]) == (10, 40, 20)
    assert (row["attainment"], row["pace"]) == (0.25, 0.5)
    assert (row["required"], row["so_far"]) == (3, 1)
    assert row["landing"] == 20


def test_finished_and_future_periods(steady: Workspace) -> None:
    rows = rows_of(steady, as_of="2026-02-13")
    done = rows["2025-Q4", "Inquiry", None]
    # October to December 2025: 23 + 20 + 23 working days.
    assert (done["state"], done["actual"], done["landing"]) == ("finished", 66, 66)
    assert (done["landing_low"], done["required"], done["reason"]) == (None, None, None)
    assert done["attainment"] == done["pace"] == 66 / 50
    later = rows["2026-04", "Inquiry", None]
    assert (later["state"], later["actual"], later["pace"], later["landing"]) == ("future", 0, None, None)
    assert later["required"] == 1  # 22 working days in April 2026
    assert later["reason"] == "the period has not begun"
    week = rows["2026-01-05", "Inquiry", None]
    assert (week["state"], week["actual"], week["attainment"]) == ("finished", 5, 1)


def test_a_day_under_way_counts_by_its_share(steady: Workspace) -> None:
    # Noon of Friday the 13th: 9.5 of 20 working days.
    row = rows_of(steady, as_of="2026-02-13T12:00:00Z")["2026-02", "Inquiry", None]
    assert (row["workdays_passed"], row["expected_to_date"]) == (9.5, 19)


def test_actual_and_goal_add_up_over_segments(steady: Workspace) -> None:
    for as_of in ("2026-01-20", "2026-02-27", "2026-03-31"):
        rows = rows_of(steady, as_of=as_of)
        whole = rows["2026-Q1", "Inquiry", None]
        parts = [rows["2026-Q1", "Inquiry", f"campaign_type={kind}"] for kind in goal_org.TYPES]
        for column in ("actual", "goal"):
            assert sum(part[column] for part in parts) == whole[column]
        weighted = sum(part["attainment"] * part["goal"] for part in parts) / whole["goal"]
        # Both sides divide the same whole numbers, in another order.
        assert weighted == pytest.approx(whole["attainment"], rel=1e-12)
        # Nobody has a lead source, so that segment is everything.
        assert rows["2026-Q1", "Inquiry", "lead_source="]["actual"] == whole["actual"]


def test_money_is_exact(steady: Workspace) -> None:
    rows = rows_of(steady, as_of="2026-02-15")
    won = rows["2026-Q1", "won_amount", None]
    # Fridays from 2 January to 13 February: 7 deals of 100.25; 32 of 64 working days.
    assert (won["actual_amount"], won["goal_amount"]) == (7 * 100_25, 2000_00)
    assert won["actual"] is None
    assert won["expected_to_date_amount"] == 2000_00 * 32 // 64
    assert won["required_amount"] == round((2000_00 - 7 * 100_25) / 32)
    assert won["landing_amount"] == 2 * 7 * 100_25
    assert won["landing_low_amount"] is None
    assert "do not tell a spread" in won["reason"]  # every week brings the same
    created = rows["2026-Q1", "sql_amount", None]
    assert created["actual_amount"] == 7 * 100_25 + 5000_00


def test_a_value_that_nothing_has_is_said(steady: Workspace) -> None:
    result = steady.metrics.goals(as_of="2026-02-13")
    assert any("'Webinr'" in note and "Did you mean 'Webinar'?" in note for note in result.notes)


def test_own_seasonality(steady: Workspace) -> None:
    # Three quarters before with one response per working day: shares of 66, 66 and 65 entries by the 32nd day.
    row = rows_of(steady, as_of="2026-02-15", pace="seasonal")["2026-Q1", "Inquiry", None]
    # Quarters from April 2025 on: 65, 66 and 66 working days.
    share = (32 + 32 + 32) / (65 + 66 + 66)
    # One division against three, to rounding.
    assert row["expected_to_date"] == pytest.approx(64 * share, rel=1e-12)
    assert row["landing"] == pytest.approx(32 / share, rel=1e-12)  # to rounding, as above
    refused = rows_of(steady, as_of="2025-11-14", pace="seasonal")["2025-Q4", "Inquiry", None]
    assert refused["pace"] is not None
    early = rows_of(steady, as_of="2025-11-14", pace="seasonal", start=day("2025-10-01"), end=day("2026-01-01"))
    assert set(early) == {("2025-Q4", "Inquiry", None)}


def test_the_list_is_the_number(steady: Workspace) -> None:
    result = steady.metrics.goals(as_of="2026-02-13")
    listed = result.records().table.to_pylist()
    counted = Counter((row["goal_period"], row["metric"], row["segment"]) for row in listed)
    for row in result.table.to_pylist():
        key = row["period"], row["metric"], row["segment"]
        own = [one for one in listed if (one["goal_period"], one["metric"], one["segment"]) == key]
        assert len({one["unit_id"] for one in own}) == counted[key]
        if row["actual"] is None:
            assert sum(one["amount"] for one in own) == row["actual_amount"]
        else:
            assert counted[key] == row["actual"]


def test_rows_begin_as_the_contract_says(steady: Workspace) -> None:
    result = steady.metrics.goals(as_of="2026-02-13")
    contract = ["period", "metric", "segment", "actual", "goal", "expected_to_date", "attainment", "pace", "required"]
    assert result.table.column_names[: len(contract)] == contract
    assert (result.kind, result.unit) == ("goals", "journeys and opportunities")
    assert result.trust.grade == "A"


def test_which_goals_are_asked_for(steady: Workspace) -> None:
    assert set(rows_of(steady, where={"campaign_type": "Event"})) == {("2026-Q1", "Inquiry", "campaign_type=Event")}
    assert {key[1] for key in rows_of(steady, unit="opportunities")} == {"won_amount", "sql_amount"}
    with pytest.raises(UsageError, match="no goal of funnel 'main' that was asked for"):
        rows_of(steady, start=day("2030-01-01"))
    with pytest.raises(UnknownNameError, match="Did you mean 'seasonal'"):
        rows_of(steady, pace="seasonel")
    with pytest.raises(UnknownNameError, match="funnel"):
        rows_of(steady, funnel="other")


def test_holidays_take_days_out_of_the_period(tmp_path: Path) -> None:
    responses = [(one, "Webinar") for one in workdays_of(*QUARTER)]
    made = goal_org.built(
        tmp_path,
        responses,
        as_of="2026-02-14T00:00:00Z",
        goals="metric,period,segment,goal\nInquiry,2026-02,,40\n",
        more="holidays = [2026-02-02, 2026-02-23, 'US']\nworkdays = ['mon', 'tue', 'wed', 'thu']",
    )
    # February 2026 without Fridays: 16 days, less Mondays the 2nd, the 16th (Washington's Birthday), the 23rd.
    row = rows_of(made)["2026-02", "Inquiry", None]
    assert (row["workdays"], row["workdays_passed"]) == (13, 7)


def test_volume_shows_goals_of_what_its_rows_count(steady: Workspace) -> None:
    def shown(**question: Any) -> dict[tuple[str | None, str, str], Any]:
        rows = steady.metrics.volume(**question).table.to_pylist()
        return {
            (row.get("campaign_type"), row["period"], row["stage"]): (row["goal"], row["attainment"]) for row in rows
        }

    quarters = shown(grain="quarter")
    assert quarters[None, "2026-Q1", "Inquiry"] == (64, 1)
    assert quarters[None, "2025-Q4", "Inquiry"] == (50, 66 / 50)
    assert quarters[None, "2025-Q3", "Inquiry"] == (None, None)
    by_type = shown(grain="quarter", by=["campaign_type"])
    assert by_type["Event", "2026-Q1", "Inquiry"] == (13, 1)  # Mondays from 5 January to 30 March
    assert by_type["Webinar", "2026-Q1", "Inquiry"] == (51, 1)
    assert shown(grain="quarter", where={"campaign_type": "Event"})[None, "2026-Q1", "Inquiry"] == (13, 1)
    assert shown(grain="month")[None, "2026-02", "Inquiry"] == (40, 0.5)
    assert shown(grain="week")[None, "2026-01-05", "Inquiry"] == (5, 1)
    # A period that the question cuts, another unit, another view, no period: nothing to compare with.
    assert shown(grain="quarter", start=day("2026-01-02"))[None, "2026-Q1", "Inquiry"] == (None, None)
    assert shown(grain="quarter", unit="people")[None, "2026-Q1", "Inquiry"] == (None, None)
    assert set(shown(grain="quarter", view="cohort").values()) == {(None, None)}
    assert set(shown().values()) == {(None, None)}


def test_volume_says_that_the_file_has_faults(steady: Workspace, tmp_path: Path) -> None:
    copy = Workspace(shutil.copytree(steady.folder, tmp_path / "copy"))
    (copy.folder / "goals.csv").write_text("metric,period,goal\nWom,2026,1\n")
    result = copy.metrics.volume(grain="year")
    assert any("goals.csv has 1 fault" in note for note in result.notes)
    assert result.table["goal"].null_count == result.table.num_rows
