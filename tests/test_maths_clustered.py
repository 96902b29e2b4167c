"""A segment against the rest: by first principles, by units one by one, and under chance alone."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from leadline.maths.clustered import Sums, difference_of_shares, ratio_of_means
from tests.scale import scaled

# Sums and products of some hundred doubles in another order.
ROUNDING = 1e-9


def sums_of(clusters, own, values):
    """Sums over clusters out of single units: cluster number, whether in the segment, value."""
    clusters, own, values = (np.asarray(part) for part in (clusters, own, values))
    names = np.unique(clusters)
    rows = np.array(
        [
            [
                values[(clusters == name) & own].sum(),
                ((clusters == name) & own).sum(),
                values[clusters == name].sum(),
                (clusters == name).sum(),
            ]
            for name in names
        ],
        dtype=float,
    )
    touching = rows[rows[:, 1] > 0]
    return Sums(touching.sum(axis=0), touching.T @ touching, rows[:, 2:].sum(axis=0), rows[:, 2:].T @ rows[:, 2:])


def sample(seed, units=60, shared=15):
    rng = np.random.default_rng(seed)
    return rng.integers(0, shared, units), rng.random(units) < 0.4, rng.exponential(20, units)


@pytest.mark.parametrize("seed", range(scaled(30)))
def test_spread_is_the_sum_over_clusters_of_squared_residuals(seed):
    clusters, own, values = sample(seed)
    residuals = np.where(own, 0.7 * (values - 11.0), -0.3 * (values - 17.0))
    expected = sum(residuals[clusters == name].sum() ** 2 for name in np.unique(clusters))
    assert sums_of(clusters, own, values).spread(11.0, 17.0, 0.7, 0.3) == pytest.approx(expected, rel=ROUNDING)


def test_means_and_their_ratio():
    found = ratio_of_means(sums_of(range(6), [True, True, True, False, False, False], [2, 4, 6, 1, 2, 3]))
    assert (found.own, found.rest, found.effect) == pytest.approx((4, 2, 2))
    # Log scale: (8 ÷ 9) ÷ 16 and (2 ÷ 9) ÷ 4 are the variances of the logarithms of the two means.
    error = math.sqrt(8 / 9 / 16 + 2 / 9 / 4)
    assert math.log(found.high / found.effect) == pytest.approx(stats.t(2).ppf(0.975) * error, rel=ROUNDING)
    assert found.p_value == pytest.approx(2 * stats.t(2).sf(math.log(2) / error), rel=ROUNDING)


def test_shares_without_clusters_are_the_usual_test():
    """40 of 50 against 300 of 600: Newcombe's interval out of Wilson's, z with the pooled share."""
    own = np.arange(650) < 50
    values = np.concatenate([np.arange(50) < 40, np.arange(600) < 300]).astype(float)
    found = difference_of_shares(sums_of(range(650), own, values))
    assert found.effect == pytest.approx(0.3)
    low, high = stats.binomtest(40, 50).proportion_ci(method="wilson")
    low_rest, high_rest = stats.binomtest(300, 600).proportion_ci(method="wilson")
    # Residuals about the pooled share leave a design effect of a few per cent above 1 at most.
    assert found.low == pytest.approx(0.3 - math.hypot(0.8 - low, high_rest - 0.5), abs=2e-2)
    assert found.high == pytest.approx(0.3 + math.hypot(high - 0.8, 0.5 - low_rest), abs=2e-2)
    assert 1e-6 < found.p_value < 1e-3


def test_small_segments_take_the_binomial_tail():
    own = np.arange(106) < 6
    values = np.concatenate([np.ones(6), np.arange(100) < 50]).astype(float)
    found = difference_of_shares(sums_of(range(106), own, values))
    assert found.p_value == pytest.approx(2 * 0.5**6, rel=ROUNDING)
    none = difference_of_shares(sums_of(range(106), own, np.concatenate([np.zeros(6), np.arange(100) < 50])))
    assert none.p_value == pytest.approx(2 * 0.5**6, rel=ROUNDING)


def test_contacts_of_one_deal_are_one_observation():
    """Ten units of one cluster prove less than ten of ten."""
    own = np.arange(210) < 10
    values = np.concatenate([np.ones(10), np.arange(200) < 100]).astype(float)
    apart = difference_of_shares(sums_of(range(210), own, values))
    together = difference_of_shares(sums_of([max(at, 10) for at in range(210)], own, values))
    assert apart.p_value < 0.01 < together.p_value
    assert together.low < apart.low


def test_nothing_to_compare_is_nothing():
    alone = sums_of([0, 1], [True, True], [1.0, 2.0])
    for compared, found in product((ratio_of_means, difference_of_shares), (alone,)):
        assert math.isnan(compared(found).p_value)


def test_chance_alone_is_seldom_called_a_difference():
    """Of tests without any difference at most about one in twenty is below 0.05."""
    rounds = max(200, scaled(2_000))
    hits = {ratio_of_means: 0, difference_of_shares: 0}
    for seed in range(rounds):
        clusters, own, values = sample(seed, units=120, shared=100)
        hits[ratio_of_means] += ratio_of_means(sums_of(clusters, own, values)).p_value < 0.05
        hits[difference_of_shares] += difference_of_shares(sums_of(clusters, own, values > 15.0)).p_value < 0.05
    # What a true 5 % exceeds once in ten thousand, and one point more: both tests rest on large numbers.
    allowed = stats.binom(rounds, 0.06).ppf(1 - 1e-4)
    assert all(count <= allowed for count in hits.values()), (hits, allowed)
