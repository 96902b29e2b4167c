"""Comparison: the ranges compared, equal elapsed days, cohorts of one age, the interval of a change."""

from __future__ import annotations

import datetime as dt
import random

import numpy as np
import pytest

from leadline.dates import Calendar, day_number, day_of
from leadline.errors import UsageError
from leadline.maths.counts import change_interval
from leadline.metrics.counts.compare import compared
from leadline.metrics.counts.ranges import Pair, notes, pairs
from leadline.metrics.query import UNITS, Query
from leadline.metrics.volume import VIEWS, volume
from leadline.model.opened import Opened
from tests.agreement.engine import built
from tests.demo_workspace import Demo, imported
from tests.oracle.tiny import Tiny

PLAIN = Calendar()
FAR = day_number(dt.date(2030, 1, 1))
# R prints its limits with seven digits after the point.
PRINTED = 5e-8


def of(text: str) -> int:
    """Day number of a date."""
    return day_number(dt.date.fromisoformat(text))


def one(first: str, end: str, compare: str, today: str | None = None) -> tuple[str, str, str, str]:
    """The one pair of a range without grain, as dates."""
    (pair,) = pairs(PLAIN, None, of(first), of(end), FAR if today is None else of(today), compare)
    return shown(pair)


def shown(pair: Pair) -> tuple[str, str, str, str]:
    """first, end, before_first, before_end."""
    bounds = (pair.first, pair.end, pair.before_first, pair.before_end)
    return tuple(day_of(bound).isoformat() for bound in bounds)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("first", "end", "compare", "before"),
    [
        ("2026-04-01", "2026-07-01", "previous", ("2026-01-01", "2026-04-01")),  # whole months: as many months
        ("2026-03-01", "2026-04-01", "previous", ("2026-02-01", "2026-03-01")),
        ("2026-03-05", "2026-03-15", "previous", ("2026-02-23", "2026-03-05")),  # any other range: as many days
        ("2024-02-01", "2024-03-01", "last-year", ("2023-02-01", "2023-03-01")),
        ("2024-02-29", "2024-03-01", "last-year", ("2023-02-28", "2023-03-01")),
        ("2025-02-01", "2025-03-01", "last-year", ("2024-02-01", "2024-02-29")),  # to the 28th, day for day
        ("2026-04-01", "2026-07-01", "2024-10-01:2025-01-01", ("2024-10-01", "2025-01-01")),
    ],
)
def test_what_a_range_is_compared_with(first: str, end: str, compare: str, before: tuple[str, str]) -> None:
    assert one(first, end, compare) == (first, end, *before)


def test_a_running_period_is_compared_over_equal_elapsed_days() -> None:
    assert one("2026-04-01", "2026-07-01", "previous", today="2026-04-10") == (
        "2026-04-01",
        "2026-04-11",
        "2026-01-01",
        "2026-01-11",
    )
    # 31 days of March so far, and February has no more than 28.
    assert one("2026-03-01", "2026-04-02", "2026-02-01:2026-03-01", today="2026-03-31")[2:] == (
        "2026-02-01",
        "2026-03-01",
    )


def test_periods_follow_the_fiscal_year_and_weeks_keep_their_weekdays() -> None:
    fiscal = Calendar(fiscal_year_start=2)
    found = pairs(fiscal, "quarter", of("2026-02-01"), of("2026-08-01"), FAR, "previous")
    assert [shown(pair)[::2] for pair in found] == [("2026-02-01", "2025-11-01"), ("2026-05-01", "2026-02-01")]
    assert [pair.before_label for pair in found] == ["FY2026-Q4", "FY2027-Q1"]
    (week,) = pairs(PLAIN, "week", of("2026-06-01"), of("2026-06-08"), FAR, "last-year")
    assert day_of(week.before_first) == dt.date(2025, 6, 2)
    assert day_of(week.before_first).weekday() == day_of(week.first).weekday()


def test_a_period_cut_at_the_edge_of_the_range_is_compared_with_the_same_days() -> None:
    found = pairs(PLAIN, "month", of("2026-02-10"), of("2026-04-03"), FAR, "previous")
    assert [shown(pair) for pair in found] == [
        ("2026-02-10", "2026-03-01", "2026-01-10", "2026-02-01"),
        ("2026-03-01", "2026-04-01", "2026-02-01", "2026-03-01"),
        ("2026-04-01", "2026-04-03", "2026-03-01", "2026-03-03"),
    ]
    assert any("not all periods" in note.lower() for note in notes(found))


def test_a_running_period_is_named() -> None:
    (pair,) = pairs(PLAIN, "month", of("2026-04-01"), None, of("2026-04-10"), "last-year")
    assert pair.running
    assert notes([pair]) == ["2026-04 is not over: its 10 days so far are compared with the first 10 days of 2025-04."]


@pytest.mark.parametrize(
    ("compare", "grain"), [("before", None), ("2026-01-01:2026-02-01", "month"), ("2026-02:x", None)]
)
def test_comparisons_that_say_nothing_are_refused(compare: str, grain: str | None) -> None:
    with pytest.raises(UsageError):
        pairs(PLAIN, grain, of("2026-01-01"), of("2026-03-01"), FAR, compare)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="needs periods"):
        pairs(PLAIN, None, None, None, FAR, "previous")


def test_the_interval_is_that_of_r() -> None:
    """R: poisson.test(c(11, 6+8+7), c(800, 1083+1050+878)): ratio 1.971488, 0.8584264 to 4.2772659."""
    low, high = change_interval(11, 21)
    exposure = (1083 + 1050 + 878) / 800
    assert (1 + float(low)) * exposure == pytest.approx(0.8584264, abs=PRINTED)
    assert (1 + float(high)) * exposure == pytest.approx(4.2772659, abs=PRINTED)


def test_the_interval_at_its_ends() -> None:
    low, high = change_interval([0, 5, 0], [5, 0, 0])
    assert low[0] == -1
    assert np.isinf(high[1])
    assert np.isnan([low[2], high[2]]).all()
    with pytest.raises(ValueError, match="negative"):
        change_interval(-1, 2)


def young() -> Opened:
    """Two cohorts of two leads; the older one has had a month longer to qualify."""
    org = Tiny()
    for name, responded, qualified in (
        ("L1", "2024-03-02T10:00", "2024-03-08"),
        ("L2", "2024-03-03T10:00", "2024-04-20"),
        ("L3", "2024-04-02T10:00", "2024-04-08"),
        ("L4", "2024-04-03T10:00", None),
    ):
        org.lead(name, "2024-01-01T00:00", MQL_Date__c=None if qualified is None else dt.date.fromisoformat(qualified))
        org.member(f"m{name}", name, responded)
    moment = dt.datetime(2024, 4, 25, 12, tzinfo=dt.UTC)
    return built(org.org, org.settings, moment)


def test_cohorts_are_compared_at_the_same_age() -> None:
    """By as-of two of the March cohort are MQL; at the age that April has (24 days) it was one."""
    query = Query(start=dt.date(2024, 4, 1), grain="month")
    found = {
        row["stage"]: (row["before"], row["count"]) for row in compared(young(), query, view="cohort").table.to_pylist()
    }
    assert found == {"Inquiry": (2, 2), "MQL": (1, 1)}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return imported(tmp_path_factory.mktemp("compare"), people=400, seed=5)


def test_each_side_is_the_volume_of_its_own_range(demo: Demo) -> None:
    opened, rng = demo.open(), random.Random(7)
    for view in ("entered", "standing"):
        for unit in UNITS:
            first = opened.moment.date() - dt.timedelta(days=rng.randrange(60, 200))
            query = Query(unit=unit, by=("campaign_type",), start=first, end=first + dt.timedelta(days=25))
            result = compared(opened, query, view=view, compare="previous")
            before = Query(unit=unit, by=("campaign_type",), start=first - dt.timedelta(days=25), end=first)
            assert side(result.table.to_pylist(), "count") == side(
                volume(opened, query, view=view).table.to_pylist(), "count"
            )
            assert side(result.table.to_pylist(), "before") == side(
                volume(opened, before, view=view).table.to_pylist(), "count"
            )
            listed = result.records().table["side"].to_pylist()
            assert listed.count("now") == sum(result.table["count"].to_pylist())
            assert listed.count("before") == sum(result.table["before"].to_pylist())


def side(rows: list[dict], column: str) -> dict[tuple, int]:
    """(dimension, stage) → count, where there is any."""
    return {(row["campaign_type"], row["stage"]): row[column] for row in rows if row[column]}


def test_changes_are_what_they_say(demo: Demo) -> None:
    query = Query(start=dt.date(2026, 1, 1), grain="quarter", unit="people")
    for view in VIEWS:
        for row in compared(demo.open(), query, view=view, compare="last-year").table.to_pylist():
            assert row["change"] == row["count"] - row["before"]
            assert row["small"] == (min(row["count"], row["before"]) < 30)
            assert row["change_share"] == (row["change"] / row["before"] if row["before"] else None)
            assert (row["change_low"] is None) == (view == "standing")
