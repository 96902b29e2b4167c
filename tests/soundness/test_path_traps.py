"""Wrong numbers that path tools are known for; each of these was somebody's result."""

from __future__ import annotations

import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import leadline
from leadline.maths.paths import markov, models
from leadline.maths.paths.journeys import journeys
from tests.reference import path_brute as brute


def credit(result):
    """Conversions by state."""
    return {row["state"]: row["conversions"] for row in result.to_dict()["rows"]}


def test_a_rare_state_has_no_error_of_simulation():
    """One conversion in a million: known to the last digit, and the same on each run."""
    found = [
        leadline.paths(["Common", "Rare > Common", "Common"], [999_999, 1, 0], nulls=[0, 0, 5_000_000])
        for _ in range(2)
    ]
    given = [
        brute.Journey(("Common",), 999_999, 5_000_000),
        brute.Journey(("Rare", "Common"), 1, 0),
    ]
    effects = brute.removal_effects(given, 1)
    expected = 1_000_000 * effects["Rare"][0] / sum(one[0] for one in effects.values())
    # Two ways to solve; the credit is a number of order one beside a million.
    assert credit(found[0])["Rare"] == pytest.approx(expected, abs=2e-6)
    assert found[0].to_dict()["rows"] == found[1].to_dict()["rows"]


def test_many_states_end_in_seconds():
    """1,200 states: one factorisation, not one per state."""
    chance = np.random.default_rng(1)
    lengths = np.clip(chance.geometric(0.3, 60_000), 1, 20)
    touches = chance.integers(0, 1_200, lengths.sum())
    won = (chance.random(60_000) < 0.3).astype(float)
    given = journeys(touches, np.concatenate([[0], np.cumsum(lengths)]), won, nulls=1 - won)
    began = time.process_time()
    found = markov.effects(given)
    # One inverse of this size is a second of computing even on a slow machine; 1,200 of them are an hour.
    assert time.process_time() - began < 60
    assert found.states == 1_200


@pytest.mark.parametrize("model", sorted(models.TEXTS))
def test_totals_are_shares_times_conversions(model):
    result = leadline.paths(["A > B", "B > C > A", "C"], [5, 7, 1], nulls=[3, 1, 2], model=model)
    for row in result.to_dict()["rows"]:
        # Credit is rounded to a millionth.
        assert row["conversions"] == pytest.approx(13 * row["share"], abs=1e-6)


def test_the_order_of_names_decides_nothing():
    """Touches stand as the path has them, not by the alphabet."""
    assert credit(leadline.paths(["Z > A"], [1], model="first")) == {"Z": 1, "A": 0}
    assert credit(leadline.paths(["Z > A"], [1], model="last")) == {"A": 1, "Z": 0}


def test_fractions_of_conversions_are_not_cut():
    found = credit(leadline.paths(["A > B > C"], [2.5], model="even"))
    assert sum(Decimal(repr(one)) for one in found.values()) == Decimal("2.5")
    assert found == {"A": 0.833334, "B": 0.833333, "C": 0.833333}


def test_repeated_paths_keep_their_revenue():
    rows = leadline.paths(["A > B"] * 3, [1, 1, 1], value=["10.01", "10.01", "0.01"], model="last").to_dict()["rows"]
    assert rows[0]["value"] == "20.03"
    assert rows[0]["conversions"] == 3


@pytest.mark.parametrize("model", sorted(models.TEXTS))
def test_conversions_without_touches_do_not_vanish(model):
    result = leadline.paths(["A", "", None], [4, 2, 1], nulls=[1, 1, 1], value=[4, 2, 1], model=model)
    found = {row["state"]: (row["conversions"], row["value"]) for row in result.to_dict()["rows"]}
    assert found == {"A": (4, "4.00"), None: (3, "3.00")}
    assert any("path without a state" in note for note in result.notes)


def test_states_in_the_middle_get_credit():
    """Credit to the ends alone was a fault, not a model."""
    for model in ("markov", "even", "time_decay", "u_shaped", "shapley_coverage", "shapley_rate"):
        found = credit(leadline.paths(["A > M > B"], [10], nulls=[10], model=model))
        assert found["M"] > 0


@pytest.mark.parametrize("paths", [[], [""], ["", None], ["A"]])
@pytest.mark.parametrize("model", sorted(models.TEXTS))
def test_empty_paths_and_no_conversions_crash_nothing(paths, model):
    result = leadline.paths(paths, [0] * len(paths), nulls=[3] * len(paths), model=model)
    assert any("nothing to credit" in note for note in result.notes)
    assert sum(result.table.column("conversions").to_pylist()) == 0


def test_names_never_merge():
    names = ["1", "11", "1 1", "A>B", "A", "B", "A,B", "a", "Ä", 'x"y', "(start)", "(conversion)", "(null)", "null"]
    found = credit(leadline.paths([" > ".join(names)], [len(names)], model="even"))
    assert found == dict.fromkeys(names, 1.0)
    chain = leadline.paths([" > ".join(names)], [1], model="markov")
    assert credit(chain).keys() == set(names)


def test_blanks_around_a_name_are_not_part_of_it():
    assert credit(leadline.paths(["A >B>  A"], [3], separator=">", model="even")) == {"A": 2, "B": 1}


def test_a_separator_that_never_occurs_is_said():
    result = leadline.paths(["A>B", "B"], [1, 1])
    assert any("hold '>'" in note and "--separator" in note for note in result.notes)
    assert not any("separator" in note for note in leadline.paths(["A > B", "A>B"], [1, 1]).notes)


def test_time_decay_adds_up_in_each_path():
    """Weights that are not divided by their sum give long paths more than a conversion."""
    found = leadline.paths([" > ".join("ABCDEFGH")], [1], model="time_decay")
    weights = {name: Fraction(2**place, 255) for place, name in enumerate("ABCDEFGH")}
    for name, got in credit(found).items():
        # Credit is rounded to a millionth.
        assert got == pytest.approx(float(weights[name]), abs=1e-6)


def test_a_touch_less_often_than_its_repeats():
    """Repeats in a row are one step of the chain; a loop must not make a state matter more."""
    once = leadline.paths(["A > B", "B"], [3, 2], nulls=[1, 6])
    often = leadline.paths(["A > A > A > B > B", "B > B"], [3, 2], nulls=[1, 6])
    assert credit(once) == credit(often)


def test_paths_that_never_convert_count_unless_they_are_not_given():
    with_nulls = credit(leadline.paths(["A > B", "B"], [3, 2], nulls=[30, 0]))
    without = credit(leadline.paths(["A > B", "B"], [3, 2]))
    assert with_nulls != without
    said = " ".join(leadline.paths(["A > B", "B"], [3, 2]).notes)
    assert "paths that did not convert were not given" in said


def test_a_game_of_exact_sets_is_refused():
    with pytest.raises(leadline.UsageError, match="do not add up"):
        leadline.paths(["A > B", "B"], [3, 2], model="shapley_exact")
