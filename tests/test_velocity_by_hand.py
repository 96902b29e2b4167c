"""Every measure of velocity on twelve leads whose times can be counted by hand (see `velocity_org`)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import UnknownNameError, UsageError
from leadline.results import Result
from leadline.workspace import Workspace
from tests.velocity_org import built

# Products of a handful of fractions; days are whole or a few hours.
ROUNDING = 1e-12


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return built(tmp_path_factory.mktemp("velocity"))


def row(result: Result, stage: str) -> dict[str, Any]:
    [found] = [one for one in result.table.to_pylist() if one["stage"] == stage]
    return found


def assert_row(found: dict[str, Any], **expected: Any) -> None:
    for name, value in expected.items():
        wanted = pytest.approx(value, abs=ROUNDING) if isinstance(value, float) else value
        assert found[name] == wanted, (name, found[name], value)


@pytest.mark.parametrize("measure", ["sum", "first"])
def test_time_in_mql(org: Workspace, measure: str) -> None:
    """Left after 1 to 8 days; 9 and 10 became a deal after 27; 11 and 12 still wait, after 86."""
    found = row(org.metrics.velocity(measure=measure), "MQL")
    assert_row(found, measure=measure, n=12, open=2, excluded=0, thin=False, to_stage=None)
    # Half remain from day 6 to day 7; 2 of 12 remain after 27 days.
    assert_row(found, median_days=6.5, p75_days=27.0, p90_days=None)
    assert_row(found, advance_share=10 / 12, advance_median_days=5.5)
    # Of the twelve the outcome within 3 days is known of all; 1, 2 and 3 left in time.
    assert_row(found, sla_days=3, sla_share=3 / 12, sla_known=12, sla_too_young=0)
    # MQL: 1+…+8 + 2×27 + 2×86. SAL: 27 − n for 1 to 8. SQL: whole days to the close, open ones to as-of.
    mql, sal, sql = 36 + 54 + 172, 8 * 27 - 36, 150 + 65 + 3 * 59
    assert_row(found, waiting_share=mql / (mql + sal + sql), stuck=2)
    # Nobody was watched for a year, so what the two that wait will do until then is not known.
    assert_row(found, restricted_mean_days=None, horizon_days=365)


def test_too_few_are_counted_not_estimated(org: Workspace) -> None:
    result = org.metrics.velocity()
    assert_row(row(result, "SAL"), n=8, open=0, excluded=2, thin=True, median_days=None, advance_share=None)
    assert any("fewer than 10" in note for note in result.notes)


def test_nobody_has_left(org: Workspace) -> None:
    """On 7 January nobody has left MQL but leads 1 and 2; on the 5th nobody at all."""
    result = org.metrics.velocity(as_of="2026-01-05")
    assert_row(row(result, "MQL"), n=12, open=12, thin=True, median_days=None, advance_share=None, sla_too_young=12)
    assert any("Nobody has left yet" in note for note in result.notes)
    later = row(org.metrics.velocity(as_of="2026-01-07"), "MQL")
    assert_row(later, n=12, open=10, sla_known=2, sla_share=None, sla_too_young=10)


def test_elapsed_from_stage_to_stage(org: Workspace) -> None:
    result = org.metrics.velocity(measure="elapsed")
    assert_row(row(result, "MQL"), to_stage="SAL", n=12, open=2, median_days=6.5, advance_share=10 / 12)
    assert_row(row(result, "Inquiry"), to_stage="MQL", n=12, open=0, median_days=4.0, advance_share=1.0)
    assert [one["stage"] for one in result.table.to_pylist()] == ["Inquiry", "MQL", "SAL", "SQL"]
    # From MQL to winning: 27 days to the deal and 10, 20, 30, 40, 50 more; 6 and 7 were lost after 57 and 62.
    # Six of twelve remain from day 67 to day 77.
    won = row(org.metrics.velocity(measure="elapsed", from_stage="MQL", to_stage="Won"), "MQL")
    assert_row(won, to_stage="Won", n=12, open=5, median_days=72.0, advance_share=5 / 12)


def test_stages_in_the_wrong_order_are_refused(org: Workspace) -> None:
    with pytest.raises(UsageError, match="does not come after"):
        org.metrics.velocity(measure="elapsed", from_stage="SQL", to_stage="MQL")
    with pytest.raises(UnknownNameError):
        org.metrics.velocity(measure="mean")
    with pytest.raises(UnknownNameError):
        org.metrics.velocity(days="lunar")
    with pytest.raises(UnknownNameError):
        org.metrics.velocity(show="average")
    with pytest.raises(UsageError, match="one by one"):
        org.metrics.velocity(show="slow", stuck=True)


def test_sales_cycle(org: Workspace) -> None:
    """Closed after 10 (won), 20, 30 (one won, one lost), 35, 40 and 50 days; three open for 59."""
    found = row(org.metrics.velocity(measure="cycle", unit="opportunities"), "SQL")
    # Five of ten remain from day 35 to day 40.
    assert_row(found, n=10, open=3, to_stage="Close", median_days=37.5, advance_share=0.5)
    journeys = row(org.metrics.velocity(measure="cycle"), "Inquiry")
    assert_row(journeys, n=10, open=3, median_days=37.5 + 31, advance_share=0.5, waiting_share=None, stuck=None)


def test_first_response(org: Workspace) -> None:
    """After 1 to 8 hours, on the same day (0), after 2 days; 11 and 12 wait: theirs came before, or is open."""
    result = org.metrics.velocity(measure="first-response")
    found = row(result, "MQL")
    assert_row(found, n=12, open=2, to_stage="First response", median_days=5.5 / 24, advance_share=10 / 12)
    # Within a day: nine of twelve.
    assert_row(found, sla_days=1, sla_share=9 / 12, sla_known=12)
    listed = {one["person_id"][-5:-3]: one for one in result.records().table.to_pylist()}
    assert len(listed) == 12
    assert [one["evidence"] for one in listed.values()].count("advanced") == 10
    with pytest.raises(UsageError, match="journeys"):
        org.metrics.velocity(measure="first-response", unit="opportunities")


def test_without_activities_it_is_said(tmp_path: Path) -> None:
    result = built(tmp_path, activities=False).metrics.velocity(measure="first-response")
    assert not result.table.num_rows
    assert any("import Task and Event" in note for note in result.notes)


def test_working_days(tmp_path: Path, org: Workspace) -> None:
    """From Monday: 1, 2, 3, 4 working days to Tuesday … Friday, 5 to the weekend and Monday, 6 to Tuesday."""
    found = row(org.metrics.velocity(measure="elapsed", days="working"), "MQL")
    # Seven have left by day 5, five of twelve remain; to 1 February, a Sunday, it is 20.
    assert_row(found, n=12, open=2, median_days=5.0, p75_days=20.0)
    # Tuesday the 6th is a holiday: 1, 1, 2, 3, 4, 4, 4, 5.
    other = built(tmp_path, settings='holidays = ["2026-01-06"]').metrics
    assert_row(row(other.velocity(measure="elapsed", days="working"), "MQL"), median_days=4.0, p75_days=19.0)
    shares = [one["waiting_share"] for one in org.metrics.velocity(days="working").table.to_pylist()]
    assert sum(share for share in shares if share) == pytest.approx(1.0)


def test_waiting_by_month(org: Workspace) -> None:
    """In January MQL was stood in for 1+…+8 + 4 × 27 days of the twelve leads, SAL for 8 × 27 − 36."""
    result = org.metrics.velocity(grain="month")
    shares = {(one["period"], one["stage"]): one["waiting_share"] for one in result.table.to_pylist()}
    mql, sal = 36 + 4 * 27, 8 * 27 - 36
    assert shares["2026-01", "MQL"] == pytest.approx(mql / (mql + sal))
    assert shares["2026-01", "SAL"] == pytest.approx(sal / (mql + sal))
    # February: 2 × 28 days in MQL; deals 10, 20 and 7 × 28 days in SQL.
    assert shares["2026-02", "MQL"] == pytest.approx(56 / (56 + 30 + 8 * 28))


def test_stuck_list_has_owner_and_money(org: Workspace) -> None:
    result = org.metrics.velocity(stuck=True)
    found = [(one["stage"], one["age_days"], one["amount"], one["owner"]) for one in result.table.to_pylist()]
    assert found[:2] == [("MQL", 86.0, None, "Ada Owner")] * 2
    assert sorted(found[2:]) == [("SQL", 59.0, at * 10_000, "Ada Owner") for at in (8, 9, 10)]
    listed = result.records().table
    assert None not in listed["record_id"].to_pylist()
    assert listed.drop_columns(["record_id"]).equals(result.table)


def test_bottleneck_has_its_money_and_norm(org: Workspace) -> None:
    result = org.metrics.velocity(show="bottleneck")
    rows = {one["stage"]: one for one in result.table.to_pylist()}
    assert next(iter(rows)) == "SQL"
    assert_row(rows["SQL"], bottleneck=True, units=10, standing=3, stuck=3, amount=270_000, waiting_share_before=None)
    assert_row(rows["MQL"], bottleneck=False, units=12, standing=2, stuck=2, amount=None, waiting_days=262.0)
    assert result.records().table.num_rows == 10


def test_detours_are_counted_and_listed(org: Workspace) -> None:
    result = org.metrics.velocity(show="detours")
    rows = {one["stage"]: one for one in result.table.to_pylist()}
    assert_row(rows["SAL"], units=10, skipped=2, began_later=0, regressions=0, re_entries=0)
    assert [one["evidence"] for one in result.records().table.to_pylist()] == ["skipped"] * 2


def test_distribution_is_the_curve(org: Workspace) -> None:
    result = org.metrics.velocity(show="distribution", measure="elapsed", from_stage="MQL")
    rows = result.table.to_pylist()
    assert [one["time_days"] for one in rows] == [*range(1, 9), 27]
    assert [one["at_risk"] for one in rows] == [12, 11, 10, 9, 8, 7, 6, 5, 4]
    for one in rows:
        assert one["survival"] + one["advanced_share"] + one["exited_share"] == pytest.approx(1.0, abs=ROUNDING)


def test_without_a_first_day_there_is_no_year_before(org: Workspace) -> None:
    rows = org.metrics.velocity(show="bottleneck", end=dt.date(2026, 3, 1)).table.to_pylist()
    assert rows
    assert {one["waiting_share_before"] for one in rows} == {None}
