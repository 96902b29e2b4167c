"""Intervals and tests for proportions against published values."""

import numpy as np
import pytest
from scipy import stats

from leadline.maths.intervals import (
    Z95,
    benjamini_hochberg,
    clustered_proportions,
    newcombe,
    two_proportions,
    wilson,
)
from tests.scale import scaled

# Two correct implementations differ by the rounding of a few operations; of sums and roots, more.
ROUNDING = 1e-12
LONG_ROUNDING = 1e-9

# Newcombe 1998, Statistics in Medicine 17:857, table I, method 3 (score, no correction).
NEWCOMBE = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]


@pytest.mark.parametrize(("successes", "trials", "low", "high"), NEWCOMBE)
def test_published_wilson_intervals(successes, trials, low, high):
    got = np.array(wilson(successes, trials))
    # Four printed digits.
    np.testing.assert_allclose(got, [low, high], atol=5.1e-5, rtol=0)


def test_wilson_agrees_with_scipy():
    rng = np.random.default_rng(1)
    trials = rng.integers(1, 10_000, scaled(2000))
    successes = rng.integers(0, trials + 1)
    expected = [
        stats.binomtest(int(k), int(n)).proportion_ci(method="wilson") for k, n in zip(successes, trials, strict=True)
    ]
    np.testing.assert_allclose(np.column_stack(wilson(successes, trials)), expected, atol=ROUNDING, rtol=0)


def test_wilson_limits_solve_the_score_equation():
    """At each limit p the score (share − p) ÷ √(p(1−p)/n) is ±z."""
    low, high = wilson([7, 40, 99], [30, 100, 100])
    share, n = np.array([7 / 30, 0.4, 0.99]), np.array([30, 100, 100])
    for limit, sign in ((low, 1), (high, -1)):
        score = (share - limit) / np.sqrt(limit * (1 - limit) / n)
        np.testing.assert_allclose(score, sign * Z95, atol=LONG_ROUNDING, rtol=0)


def test_wilson_edges():
    low, high = wilson([0, 5, 0], [5, 5, 0])
    assert low[0] == 0
    assert high[1] == 1
    assert np.isnan([low[2], high[2]]).all()
    assert 0 < high[0] < 1
    assert 0 < low[1] < 1
    with pytest.raises(ValueError, match="between 0 and trials"):
        wilson([6], [5])


def test_published_two_proportion_test():
    """Physicians' Health Study (NEJM 1989; 321:129): 189 of 11,034 against 104 of 11,037.

    Agresti, Categorical Data Analysis, gives the pooled statistic as 5.00.
    """
    z, p = two_proportions(189, 11034, 104, 11037)
    assert round(float(z), 2) == 5.00
    assert float(p) == pytest.approx(2 * stats.norm.sf(float(z)), rel=ROUNDING)


def test_square_of_z_is_pearsons_statistic():
    rng = np.random.default_rng(2)
    for _ in range(scaled(200)):
        n, m = rng.integers(5, 500, 2)
        a, b = rng.integers(1, n), rng.integers(1, m)
        z, p = two_proportions(a, n, b, m)
        chi, expected = stats.chi2_contingency([[a, n - a], [b, m - b]], correction=False)[:2]
        assert float(z) ** 2 == pytest.approx(chi, rel=LONG_ROUNDING, abs=ROUNDING)
        assert float(p) == pytest.approx(expected, rel=LONG_ROUNDING)


def test_two_proportions_without_contrast():
    z, p = two_proportions([0, 5, 0], [10, 5, 0], [0, 7, 1], [10, 7, 2])
    np.testing.assert_array_equal(z, [0, 0, np.nan])
    np.testing.assert_array_equal(p, [1, 1, np.nan])


# The fifteen p-values of Benjamini & Hochberg 1995, section 4.1 (thrombolysis trial).
PAPER = [
    0.0001,
    0.0004,
    0.0019,
    0.0095,
    0.0201,
    0.0278,
    0.0298,
    0.0344,
    0.0459,
    0.3240,
    0.4262,
    0.5719,
    0.6528,
    0.7590,
    1.0,
]


def test_discoveries_of_the_paper():
    """The paper rejects the first four at q = 0.05."""
    assert (benjamini_hochberg(PAPER) <= 0.05).tolist() == [True] * 4 + [False] * 11


def test_adjusted_values_agree_with_scipy_in_any_order():
    rng = np.random.default_rng(3)
    shuffled = rng.permutation(PAPER)
    np.testing.assert_allclose(benjamini_hochberg(shuffled), stats.false_discovery_control(shuffled), rtol=ROUNDING)


def test_untested_values_are_passed_over():
    some = benjamini_hochberg([0.01, np.nan, 0.04])
    assert some[0] == 0.02
    assert np.isnan(some[1])
    assert some[2] == 0.04
    assert benjamini_hochberg([]).shape == (0,)


# Newcombe 1998, Statistics in Medicine 17:873, table II, method 10.
NEWCOMBE_DIFFERENCES = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 10, -0.2775, 0.2775),
    (10, 10, 0, 10, 0.6075, 1.0),
]


@pytest.mark.parametrize(("a", "n", "b", "m", "low", "high"), NEWCOMBE_DIFFERENCES)
def test_published_intervals_of_differences(a, n, b, m, low, high):
    # Four printed digits.
    np.testing.assert_allclose(np.array(newcombe(a, n, b, m)), [low, high], atol=5.1e-5, rtol=0)


def moments_of(part, hits, cluster):
    """What the clustered test takes, from single units: in the part or not, success or not, which cluster."""
    columns = np.stack([hits * part, part, hits, np.ones_like(hits)], axis=1).astype(float)
    sums = np.array([columns[cluster == one].sum(axis=0) for one in np.unique(cluster)])
    return [sums.T @ sums], [columns.sum(axis=0)]


def effect_of(part, hits, cluster):
    """The design effect from its definition, unit by unit."""
    inside = part == 1
    residuals = np.where(inside, 1 / inside.sum(), -1 / (~inside).sum()) * (hits - hits.mean())
    sums = np.array([residuals[cluster == one].sum() for one in np.unique(cluster)])
    return max((sums**2).sum() / (residuals**2).sum(), 1.0)


def test_clustered_test_is_the_ordinary_one_less_the_design_effect():
    rng = np.random.default_rng(5)
    effects = []
    for _ in range(scaled(200)):
        units = int(rng.integers(10, 200))
        cluster = rng.integers(0, max(3, units // 3), units)
        part, hits = rng.integers(0, 2, units), rng.integers(0, 2, units)
        if len({*part}) < 2 or len({*hits}) < 2:
            continue
        z, p, effect = (one[0] for one in clustered_proportions(*moments_of(part, hits, cluster)))
        inside = part == 1
        ordinary, _ = two_proportions(hits[inside].sum(), inside.sum(), hits[~inside].sum(), (~inside).sum())
        expected = float(ordinary) / np.sqrt(effect_of(part, hits, cluster))
        assert effect == pytest.approx(effect_of(part, hits, cluster), rel=LONG_ROUNDING)
        assert z == pytest.approx(expected, rel=LONG_ROUNDING, abs=LONG_ROUNDING)
        assert p == pytest.approx(2 * stats.norm.sf(abs(expected)), rel=LONG_ROUNDING, abs=LONG_ROUNDING)
        effects.append(effect)
    assert max(effects) > 1


def test_without_clusters_the_test_is_the_ordinary_one():
    part, hits = np.repeat([1, 0], [30, 70]), np.r_[np.ones(6, int), np.zeros(24, int), np.tile([1, 0], 35)]
    z, p, effect = clustered_proportions(*moments_of(part, hits, np.arange(100)))
    ordinary, likely = two_proportions([6], [30], [35], [70])
    assert z[0] == pytest.approx(ordinary[0], rel=ROUNDING)
    assert p[0] == pytest.approx(likely[0], rel=LONG_ROUNDING)
    assert effect[0] == pytest.approx(1, rel=ROUNDING)


def test_units_counted_twice_say_no_more_than_once():
    part, hits = np.repeat([1, 0], [20, 30]), np.tile([1, 0, 1, 1, 0], 10)
    once = clustered_proportions(*moments_of(part, hits, np.arange(50)))
    twice = clustered_proportions(*moments_of(np.repeat(part, 2), np.repeat(hits, 2), np.repeat(np.arange(50), 2)))
    assert twice[0][0] == pytest.approx(once[0][0], rel=ROUNDING)
    assert twice[2][0] == pytest.approx(2 * once[2][0], rel=ROUNDING)


def test_clustered_test_holds_its_level():
    """Clusters that succeed or fail as one: a test of single units would reject far too often."""
    rng = np.random.default_rng(11)
    draws = scaled(2000)
    rejected, naive = 0, 0
    for _ in range(draws):
        size, owner = 60, np.repeat(np.arange(60), 3)
        part, hits = rng.integers(0, 2, size)[owner], rng.integers(0, 2, size)[owner]
        _, p, _ = clustered_proportions(*moments_of(part, hits, owner))
        inside = part == 1
        _, alone = two_proportions(hits[inside].sum(), inside.sum(), hits[~inside].sum(), (~inside).sum())
        rejected, naive = rejected + (p[0] < 0.05), naive + (float(alone) < 0.05)
    assert rejected <= stats.binom.ppf(0.999, draws, 0.06)  # the normal law is a little too narrow for 60 clusters
    assert naive > stats.binom.ppf(0.999, draws, 0.15)


def test_clustered_test_where_there_is_nothing_to_tell():
    nobody = clustered_proportions([np.diag([0.0, 5, 0, 10])], [[0, 5, 0, 10]])
    assert [float(one[0]) for one in nobody] == [0.0, 1.0, 1.0]
    without_rest = clustered_proportions([np.ones((4, 4))], [[5, 10, 5, 10]])
    assert np.isnan([one[0] for one in without_rest]).all()
