"""Path models against their definitions: closed forms against removal and enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from leadline.errors import LeadlineError, UnknownNameError, UsageError
from leadline.maths.paths import bootstrap, markov, models, rules, shapley
from leadline.maths.paths.chain import chain
from leadline.maths.paths.journeys import journeys
from leadline.maths.paths.shares import whole
from tests.reference import path_brute as brute
from tests.reference import path_tables as tables
from tests.scale import scaled

# Two ways to solve one system of a few dozen equations differ by some units of the last of sixteen digits.
CLOSE = 1e-12


def coded(given, known=None):
    """The journeys of the reference as arrays."""
    known = known or brute.names(given)
    at = {name: number for number, name in enumerate(known)}
    flat = [at[name] for one in given for name in one.path]
    ends = np.cumsum([0, *(len(one.path) for one in given)])
    return journeys(
        flat,
        ends,
        [one.conversions for one in given],
        nulls=[one.nulls for one in given],
        value=[one.value for one in given],
        states=len(known),
    )


def random_cases(count, seed, **shape):
    """Random journeys that convert."""
    chance = np.random.default_rng(seed)
    for _ in range(count):
        yield brute.random_journeys(chance, **shape)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_closed_form_is_removal_one_by_one(order):
    """The campaign is taken out and the equations are solved again: 500 cases in full numbers."""
    for given in random_cases(scaled(500), 100 + order):
        apart = [one._replace(path=brute.collapsed(one.path)) for one in given]
        expected = brute.removal_effects(apart, order)
        found = markov.effects(coded(given), order)
        for column, name in enumerate(brute.names(given)):
            got = (found.conversions[column], found.value[column])
            np.testing.assert_allclose(got, expected[name], rtol=0, atol=CLOSE)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_chain_converts_as_often_as_its_journeys(order):
    for given in random_cases(scaled(500), 200 + order):
        found = markov.effects(coded(given), order)
        won, seen = sum(one.conversions for one in given), sum(one.conversions + one.nulls for one in given)
        assert found.probability == pytest.approx(won / seen, rel=CLOSE)
        assert (found.conversions >= 0).all()
        assert (found.conversions <= 1).all()


@pytest.mark.parametrize("order", [1, 2, 3])
def test_repeats_grouping_and_row_order_change_nothing(order):
    chance = np.random.default_rng(300 + order)
    for given in random_cases(scaled(300), 400 + order, many_names=3, longest=4):
        found = markov.effects(coded(given), order).conversions
        repeated = [
            one._replace(path=tuple(itertools.chain(*((name,) * int(chance.integers(1, 4)) for name in one.path))))
            for one in given
        ]
        shuffled = [given[number] for number in chance.permutation(len(given))]
        for other in (coded(repeated), coded(shuffled), coded(given).grouped(), coded(given + given)):
            np.testing.assert_allclose(markov.effects(other, order).conversions, found, rtol=0, atol=CLOSE)


def test_loops_of_order_one_may_stay_in():
    """Counted with its repeats, a chain of order 1 removes the same: the loop is left in the end."""
    for given in random_cases(scaled(100), 7):
        kept, apart = chain(coded(given), collapse=False), chain(coded(given))
        assert (kept.rows == kept.columns).sum() >= (apart.rows == apart.columns).sum() == 0
        expected = brute.removal_effects(given, 1)
        found = markov.effects(coded(given)).conversions
        np.testing.assert_allclose(found, [expected[name][0] for name in brute.names(given)], rtol=0, atol=CLOSE)


@pytest.mark.parametrize("order", [1, 2])
def test_deleting_and_counting_anew_has_a_closed_form(order):
    for given in random_cases(scaled(100), 500 + order, many_names=4, longest=3):
        expected = brute.refit_effects(given, order)
        found = markov.effects(coded(given), order, "refit").conversions
        np.testing.assert_allclose(found, [expected[name] for name in brute.names(given)], rtol=0, atol=CLOSE)


@pytest.mark.parametrize("order", [1, 2])
def test_sparse_factors_give_the_same(order, monkeypatch):
    given = coded(brute.random_journeys(np.random.default_rng(5), many_names=9, many=60))
    dense = markov.effects(given, order)
    monkeypatch.setattr(markov, "DENSE", 0)
    monkeypatch.setattr(markov, "COLUMNS", 7)
    monkeypatch.setattr(markov, "_large", lambda made, memory, order: markov._sparse(made, markov._ordering(made)[0]))
    sparse = markov.effects(given, order)
    np.testing.assert_allclose(sparse.conversions, dense.conversions, rtol=0, atol=CLOSE)
    np.testing.assert_allclose(sparse.value, dense.value, rtol=0, atol=CLOSE)


def long_line(many):
    """Journeys along a line of many states: thin factors."""
    touches = np.concatenate([np.arange(many), np.arange(many)])
    return journeys(touches, [0, many, 2 * many], [1, 0], nulls=[0, 1])


def test_many_states_are_solved_thinly_or_refused(monkeypatch):
    monkeypatch.setattr(markov, "DENSE", 100)
    found = markov.effects(long_line(400), memory=100_000)
    np.testing.assert_allclose(found.conversions, np.ones(400), rtol=0, atol=CLOSE)
    with pytest.raises(UsageError, match=r"400 states.*coarser dimension"):
        markov.effects(long_line(400), memory=1_000)
    with pytest.raises(UsageError, match=r"lower --order"):
        markov.effects(long_line(400), 2, memory=1_000)
    full = coded(brute.random_journeys(np.random.default_rng(6), many_names=20, many=300))
    monkeypatch.setattr(markov, "DENSE", 3)
    assert markov.effects(full).states == 20


def test_a_wrong_solution_is_never_credited(monkeypatch):
    given = coded(tables.THREE_PATHS)
    monkeypatch.setattr(markov, "_inverse", lambda matrix: np.eye(len(matrix)) * 1.5)
    with pytest.raises(LeadlineError, match="converts with probability"):
        markov.effects(given)


def test_the_three_paths_of_the_textbook():
    found = markov.effects(coded(tables.THREE_PATHS))
    assert dict(zip(("C1", "C2", "C3"), found.conversions, strict=True)) == pytest.approx(
        tables.THREE_PATHS_EFFECT,
        rel=CLOSE,  # solved against printed
    )
    assert found.probability == pytest.approx(tables.THREE_PATHS_PROBABILITY, rel=CLOSE)
    credit = models.credit(coded(tables.THREE_PATHS), "markov").conversions
    assert list(credit) == pytest.approx(list(tables.THREE_PATHS_CREDIT.values()), rel=CLOSE)
    again = brute.removal_effects(tables.THREE_PATHS, 1)
    assert {name: one[0] for name, one in again.items()} == pytest.approx(tables.THREE_PATHS_EFFECT, rel=CLOSE)


def test_the_four_paths_of_the_article():
    moves, _ = brute.counted(tables.FOUR_PATHS, 1)
    for (state, other), step in tables.FOUR_PATHS_STEPS.items():
        out = moves[state if state == "start" else (state,)]
        assert float(out[other if other in ("won", "lost") else (other,)] / sum(out.values())) == step
    found = markov.effects(coded(tables.FOUR_PATHS)).conversions
    assert list(found) == pytest.approx(list(tables.FOUR_PATHS_EFFECT.values()), rel=CLOSE)


def test_the_glove_game():
    """The enumeration of the reference is Shapley's value: a textbook game with its known values."""
    worth = {
        frozenset(one): float("left" in one and len(one) > 1)
        for n in range(4)
        for one in itertools.combinations(tables.GLOVES, n)
    }
    found = brute.shapley(list(tables.GLOVES), worth.__getitem__)
    assert {name: float(one) for name, one in found.items()} == pytest.approx(tables.GLOVES, rel=CLOSE)


def test_coverage_is_enumeration():
    """Zhao, Mahboobi and Bagheri 2018: the value over every set is the even split of each journey."""
    for given in random_cases(scaled(100), 8):
        found = shapley.coverage(coded(given))
        for amount, got in (("conversions", found.conversions), ("value", found.value)):
            expected = brute.shapley(brute.names(given), brute.coverage(given, amount))
            np.testing.assert_allclose(got, [float(one) for one in expected.values()], rtol=CLOSE)


def test_rate_is_enumeration():
    for given in random_cases(scaled(100), 9):
        found = shapley.rate(coded(given))
        assert found.draws == 0
        for amount, got in (("conversions", found.conversions), ("value", found.value)):
            expected = [float(one) for one in brute.shapley(brute.names(given), brute.rate(given, amount)).values()]
            # The value game is in minor units of up to 100,000 per conversion.
            np.testing.assert_allclose(got, expected, rtol=0, atol=CLOSE * (1 if amount == "conversions" else 1e5))


def test_drawn_rates_lie_within_their_standard_error(monkeypatch):
    given = coded(brute.random_journeys(np.random.default_rng(10), many_names=8, many=40))
    exact = shapley.rate(given)
    monkeypatch.setattr(shapley, "PLAYERS", 3)
    drawn = shapley.rate(given, draws=2_000, seed=3)
    assert drawn.draws == 2_000
    assert (drawn.error > 0).all()
    # Four standard errors: one of eight steps outside once in 2,000 seeds, and the seed is fixed.
    assert (np.abs(drawn.conversions - exact.conversions) <= 4 * drawn.error).all()
    assert drawn.conversions.sum() == pytest.approx(exact.conversions.sum(), rel=CLOSE)
    assert drawn.error.max() < 0.05
    again = shapley.rate(given, draws=2_000, seed=3)
    np.testing.assert_array_equal(again.conversions, drawn.conversions)


def by_hand(model, path):
    """Shares of one journey, written out."""
    size = len(path)
    if model == "first":
        return [1.0] + [0.0] * (size - 1)
    if model == "last":
        return [0.0] * (size - 1) + [1.0]
    if model == "even":
        return [1 / size] * size
    if model == "even_per_campaign":
        return [1 / len(set(path)) / path.count(name) for name in path]
    if model == "time_decay":
        weights = [0.5 ** (size - 1 - place) for place in range(size)]
        return [one / sum(weights) for one in weights]
    if size < 3:
        return [1 / size] * size
    return [0.4, *[0.2 / (size - 2)] * (size - 2), 0.4]


@pytest.mark.parametrize("model", sorted(rules.WEIGHTS))
def test_rules_by_hand(model):
    for given in random_cases(scaled(100), 11):
        found = models.credit(coded(given), model)
        expected = dict.fromkeys(brute.names(given), 0.0)
        for one in given:
            for name, share in zip(one.path, by_hand(model, one.path), strict=True):
                expected[name] += share * one.conversions
        np.testing.assert_allclose(found.conversions, list(expected.values()), rtol=CLOSE, atol=CLOSE)
        weights = rules.WEIGHTS[model](coded(given))
        sums = np.bincount(coded(given).owner, weights)
        np.testing.assert_allclose(sums, 1, rtol=CLOSE)


def test_even_per_campaign_is_shapley_coverage():
    given = coded(brute.random_journeys(np.random.default_rng(12), many=50))
    one, other = models.credit(given, "even_per_campaign"), models.credit(given, "shapley_coverage")
    np.testing.assert_allclose(one.conversions, other.conversions, rtol=CLOSE)


def test_shares_of_position_and_half_life_can_be_chosen():
    given = journeys([0, 1, 2, 0, 1], [0, 3, 5], [1, 1])
    weights = rules.position(given, 0.3, 0.6)
    assert list(weights) == pytest.approx([0.3, 0.1, 0.6, 1 / 3, 2 / 3], rel=CLOSE)
    decay = rules.time_decay(given, 2.0)
    assert decay[4] / decay[3] == pytest.approx(2**0.5, rel=CLOSE)
    for wrong in (models.Options(first_share=0.7, last_share=0.7), models.Options(first_share=-0.1)):
        with pytest.raises(UsageError, match="shares of first and last"):
            models.credit(given, "position", wrong)
    with pytest.raises(UsageError, match="half-life"):
        models.credit(given, "time_decay", models.Options(half_life=0))


@pytest.mark.parametrize("model", sorted(models.TEXTS))
def test_credit_adds_up_to_what_the_journeys_hold(model):
    for given in random_cases(scaled(60), 13):
        arrays = coded(given)
        found = models.credit(arrays, model)
        assert found.conversions.sum() == pytest.approx(arrays.conversions.sum(), rel=CLOSE)
        total = int(arrays.value.sum())
        parts = whole(found.value, total)
        assert int(parts.sum()) == total
        # A part moves by less than one unit, and the floats behind it by less than a millionth of one.
        assert (np.abs(parts - found.value) < 1 + 1e-6).all()


def test_value_in_proportion_to_the_effects_on_conversions():
    given = coded(brute.random_journeys(np.random.default_rng(14)))
    found = models.credit(given, "markov", models.Options(value="proportional"))
    share = found.conversions / found.conversions.sum()
    np.testing.assert_allclose(found.value, share * given.value.sum(), rtol=CLOSE)
    expected = models.credit(given, "markov")
    effects = markov.effects(given).value
    np.testing.assert_allclose(expected.value, effects / effects.sum() * given.value.sum(), rtol=CLOSE)


def test_models_refuse_what_they_cannot_answer():
    given = coded(tables.THREE_PATHS)
    with pytest.raises(UsageError, match="do not add up"):
        models.credit(given, "shapley_exact")
    with pytest.raises(UnknownNameError, match="Did you mean 'markov'"):
        models.credit(given, "markow")
    with pytest.raises(UsageError, match="no journey of one campaign alone"):
        models.credit(given, "markov", models.Options(removal="refit"))
    with pytest.raises(UsageError, match="order of a chain"):
        models.credit(given, "markov", models.Options(order=0))
    with pytest.raises(UsageError, match="too many"):
        models.credit(given, "markov", models.Options(order=40))
    both = journeys([0, 1], [0, 1, 2], [1, 1], value=[5, -5])
    with pytest.raises(UsageError, match="both signs"):
        models.credit(both, "markov")
    with pytest.raises(ValueError, match="two draws"):
        shapley.rate(given, draws=1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"offsets": [0, 1]}, "one entry more"),
        ({"offsets": [0, 2, 1]}, "never fall"),
        ({"offsets": [0, 1, 3]}, "never fall"),
        ({"touches": [0, -1]}, "outside the states"),
        ({"states": 1}, "outside the states"),
        ({"conversions": [1, -1]}, "not negative"),
        ({"nulls": [np.nan, 0]}, "finite"),
        ({"value": [0.5, 0]}, "whole"),
        ({"conversions": [1, 0], "value": [0, 7]}, "without a conversion"),
        ({"value": [2.0**53, 0]}, r"2\^53"),
    ],
)
def test_arrays_that_are_no_journeys(changed, message):
    given = {"touches": [0, 1], "offsets": [0, 1, 2], "conversions": [1, 1], **changed}
    with pytest.raises(ValueError, match=message):
        journeys(**given)


def test_parts_are_made_whole():
    assert whole(np.array([0.5, 0.5, 1.0]), 2).tolist() == [1, 0, 1]
    assert whole(np.array([-0.5, -0.5, -1.0]), -2).tolist() == [-1, 0, -1]
    assert whole(np.array([1.0000001, 1.9999999]), 3).tolist() == [1, 2]
    assert whole(np.array([1.0, 2.0 + 1e-12, 0.4, 0.6 - 1e-12]), 4).tolist() == [1, 2, 0, 1]
    assert whole(np.array([3.0, 2.0 - 1e-12, 1e-12]), 5).tolist() == [3, 2, 0]
    assert whole(np.zeros(0), 0).tolist() == []
    with pytest.raises(ValueError, match="cannot be made whole"):
        whole(np.array([1.0]), 9)


def test_grouping_adds_counts_in_order_of_appearance():
    given = journeys([1, 0, 1, 1, 0], [0, 2, 3, 3, 5], [1, 2, 3, 4], nulls=[0, 1, 0, 1], value=[5, 6, 7, 8])
    found = given.grouped()
    assert found.touches.tolist() == [1, 0, 1]
    assert found.offsets.tolist() == [0, 2, 3, 3]
    assert found.conversions.tolist() == [5, 2, 3]
    assert found.value.tolist() == [13, 6, 7]
    assert found.nulls.tolist() == [1, 1, 0]


def test_draws_are_samples_of_the_same_number():
    given = coded(brute.random_journeys(np.random.default_rng(15), many=40))
    drawn = list(bootstrap.redrawn(given, 50, seed=1))
    assert {one.weights.sum() for one in drawn} == {given.weights.sum()}
    again = list(bootstrap.redrawn(given, 50, seed=1))
    assert all((one.conversions == other.conversions).all() for one, other in zip(drawn, again, strict=True))
    with pytest.raises(ValueError, match="whole numbers"):
        next(bootstrap.redrawn(journeys([0], [0, 1], [0.5])))


def test_intervals_hold_the_share_and_say_who_is_alike():
    """Two twins and one that is far ahead, 400 journeys."""
    given = journeys([0, 1, 2], [0, 1, 2, 3], [200, 101, 99])
    shares = np.stack(
        [
            models.share(models.credit(one, "even").conversions, one.conversions.sum())
            for one in bootstrap.redrawn(given)
        ]
    )
    found = bootstrap.intervals(shares)
    assert (found.low < [0.5, 0.2525, 0.2475]).all()
    assert (found.high > [0.5, 0.2525, 0.2475]).all()
    assert found.alike(1, 2)
    assert not found.alike(0, 1)
    assert (found.rank_low.tolist(), found.rank_high.tolist()) == ([1, 2, 2], [1, 3, 3])
    # A binomial share: 1.645 standard deviations of √(p q ÷ n) on each side; 200 draws know a percentile to a tenth.
    spread = 1.645 * np.sqrt(0.25 / 400)
    assert found.high[0] - found.low[0] == pytest.approx(2 * spread, rel=0.099)
    with pytest.raises(ValueError, match="no draw"):
        bootstrap.intervals(np.full((3, 2), np.nan))
