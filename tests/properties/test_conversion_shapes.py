"""What must hold of every shape of conversion on every org."""

from __future__ import annotations

import functools
from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest

from leadline.dates import day_of
from leadline.errors import UsageError
from leadline.metrics.conversion import CONVENTIONS, conversion
from leadline.metrics.query import Query, ask
from leadline.metrics.rates.matrix import matrix
from leadline.metrics.rates.mix import apportioned, kitagawa, mix
from leadline.metrics.rates.problems import problems
from leadline.metrics.rates.triangle import triangle
from leadline.metrics.units import visits
from tests.properties import orgs
from tests.scale import costly, scaled

SEEDS = range(costly(20))
COUNTS = ("started", "converted", "too_young", "implied", "out_of_order", "undated")
# Sums of doubles in another order.
ROUNDING = 1e-12


@functools.cache
def opened(seed):
    """One model per org: questions change nothing in it."""
    return orgs.opened(orgs.drawn(seed))


def keyed(result, *keys):
    return {tuple(row[key] for key in keys): row for row in result.table.to_pylist()}


@pytest.mark.parametrize("seed", SEEDS)
def test_parts_add_up_in_every_convention(seed):
    found = opened(seed)
    for convention in CONVENTIONS:
        whole = keyed(conversion(found, Query(), convention=convention), "from_stage", "to_stage")
        sums: dict[tuple, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
        for row in conversion(
            found, Query(by=("campaign_type", "lead_source")), convention=convention
        ).table.to_pylist():
            for name in COUNTS:
                sums[row["from_stage"], row["to_stage"]][name] += row[name]
        assert {key: {name: row[name] for name in COUNTS} for key, row in whole.items()} == dict(sums), convention


@pytest.mark.parametrize("seed", SEEDS)
def test_in_order_is_never_more_than_cohort_and_cohort_never_more_than_touched(seed):
    found = opened(seed)
    tables = {one: keyed(conversion(found, Query(), convention=one), "from_stage", "to_stage") for one in CONVENTIONS}
    for key, row in tables["cohort"].items():
        ordered, touched = tables["in-order"][key], tables["touched"][key]
        assert ordered["converted"] <= row["converted"] <= touched["converted"]
        assert ordered["started"] == row["started"] <= touched["started"]
        assert touched["started"] == sum(row[name] for name in COUNTS if name != "converted")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_rolled_up_row_is_the_sum_of_what_it_holds(seed):
    found = opened(seed)
    rows = conversion(found, Query(by=("campaign_path",))).table.to_pylist()
    by_path = keyed(conversion(found, Query(by=("campaign_path",))), "campaign_path", "from_stage")
    for (path, stage), row in by_path.items():
        if path and path.endswith(" > *"):
            top = path.removesuffix(" > *")
            held = [
                one
                for one in rows
                if one["from_stage"] == stage
                and one["campaign_path"]
                and not one["campaign_path"].endswith(" > *")
                and (one["campaign_path"] == top or one["campaign_path"].startswith(f"{top} > "))
            ]
            assert {name: row[name] for name in COUNTS} == {name: sum(one[name] for one in held) for name in COUNTS}


@pytest.mark.parametrize("seed", SEEDS)
def test_matrix_agrees_with_the_table_and_its_moves_are_all_visits(seed):
    found = opened(seed)
    made = keyed(matrix(found, Query()), "from_stage", "to_stage")
    for key, row in keyed(conversion(found, Query()), "from_stage", "to_stage").items():
        for name in ("started", "converted", "too_young", "rate", "window_days"):
            assert made[key][name] == row[name]
    left: dict[str, int] = defaultdict(int)
    for (start, _), row in made.items():
        left[start] += row["moves"]
    asked = ask(found, Query())
    stood = visits(asked).group_by("stage_no").aggregate(visits=lambda rows: rows.count())
    counted = {asked.stage_name(row["stage_no"]): row["visits"] for row in found.arrow(stood).to_pylist()}
    assert {stage: moves for stage, moves in left.items() if moves} == counted


@pytest.mark.parametrize("seed", SEEDS)
def test_each_cell_of_a_triangle_is_the_rate_with_that_window(seed):
    found = opened(seed)
    query = Query(grain="quarter", by=("campaign_type",))
    cells = triangle(found, query, age="weeks", window_days=60).table.to_pylist()
    for age in {row["age_days"] for row in cells}:
        table = keyed(conversion(found, query, window_days=age), "campaign_type", "period", "from_stage")
        mine = {
            (row["campaign_type"], row["period"], row["from_stage"]): tuple(row[name] for name in COUNTS[:3])
            for row in cells
            if row["age_days"] == age
        }
        theirs = {
            key: tuple(row[name] for name in COUNTS[:3]) for key, row in table.items() if row["started"] and key[1]
        }
        assert mine == theirs


@pytest.mark.parametrize("seed", SEEDS)
def test_mix_and_rate_add_up_to_the_change(seed):
    found = opened(seed)
    start = found.as_of.day - 200
    query = Query(by=("campaign_type", "lead_source"), start=day_of(start), end=day_of(start + 60))
    result = mix(found, query, compare="previous", window_days=40)
    for total in result.totals:
        own = [row for row in result.table.to_pylist() if row["from_stage"] == total["from_stage"]]
        parts = sum(row["mix_effect"] + row["rate_effect"] for row in own)
        assert parts == pytest.approx(total["change"], abs=ROUNDING)
        assert total["mix_effect"] + total["rate_effect"] == pytest.approx(total["change"], abs=ROUNDING)
        told = sum(row["mix_points"] + row["rate_points"] for row in own)
        # What is shown adds up to the change as it is shown.
        assert round(10 * told) == round(1000 * total["change"])


def test_parts_of_a_change_are_exact_fractions():
    rng = np.random.default_rng(3)
    for _ in range(scaled(500)):
        sides = []
        for _ in range(2):
            started = rng.integers(0, 50, 6)
            sides.append({(str(at),): (int(n), int(rng.integers(0, n + 1))) for at, n in enumerate(started) if n})
        if not all(sides):
            continue
        totals = [Fraction(sum(y for _, y in side.values()), sum(n for n, _ in side.values())) for side in sides]
        effects = kitagawa(*sides).values()
        assert sum(one.mix + one.rate for one in effects) == totals[1] - totals[0]
        told = apportioned([part for one in effects for part in (one.mix, one.rate)], 1000)
        assert sum(told) == round((totals[1] - totals[0]) * 1000)


def test_a_change_against_all_parts_is_all_mix():
    # Both segments rise by a tenth, and the total falls, because the poor one has grown.
    base, now = {("good",): (90, 45), ("poor",): (10, 1)}, {("good",): (10, 6), ("poor",): (90, 18)}
    effects = kitagawa(base, now)
    assert sum(one.rate for one in effects.values()) == Fraction(1, 10)
    assert sum(one.mix for one in effects.values()) == Fraction(24, 100) - Fraction(46, 100) - Fraction(1, 10)


@pytest.mark.parametrize("seed", SEEDS)
def test_problems_are_worse_than_the_rest_and_listed(seed, monkeypatch):
    found = opened(seed)
    # Orgs of this size hold nothing that is certain: everything that is poorer at all is let through.
    monkeypatch.setattr("leadline.metrics.rates.problems.DISCOVERY_RATE", 1.0)
    monkeypatch.setattr("leadline.metrics.rates.problems.EXPECTED", 0)
    result = problems(found, Query())
    rows = result.table.to_pylist()
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    listed = result.records().table.to_pylist()
    for row in rows:
        assert row["rate"] < row["rest_rate"]
        assert row["started"] <= row["rest_started"]
        own = [one for one in listed if one["rank"] == row["rank"]]
        assert (len(own), sum(one["in_numerator"] for one in own)) == (row["started"], row["converted"])
        asked = Query(where={row["dimension"]: row["value"]})
        there = keyed(conversion(found, asked), "from_stage", "to_stage")[row["from_stage"], row["to_stage"]]
        assert (there["started"], there["converted"]) == (row["started"], row["converted"])


def test_problems_need_each_unit_once():
    found = opened(0)
    for query in (Query(touched=True), Query(grain="month")):
        with pytest.raises(UsageError, match="leave out --grain and --touched"):
            problems(found, query)
