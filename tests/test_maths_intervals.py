"""Intervals and tests for proportions against published values."""

import numpy as np
import pytest
from scipy import stats

from leadline.maths.intervals import Z95, benjamini_hochberg, two_proportions, wilson
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
