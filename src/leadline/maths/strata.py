"""Two groups compared within strata, and the strata put together.

Sources: Mantel & Haenszel 1959 and Cochran 1954 (weights, test), Mantel & Fleiss 1980 (when the test
holds), Greenland & Robins 1985 (variance of the ratio), Newcombe 1998 and Yan & Su 2010 (interval of
the difference, which holds without any success too).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadline.maths.intervals import Z95, newcombe

Floats = NDArray[np.float64]

ENOUGH = 5
"""How far successes must be able to stray on either side of what is expected for the test (Mantel & Fleiss)."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """Two groups over all strata of each question; arrays of one length, NaN where nothing can be said.

    Attributes:
        rate, other_rate: success of each group, strata weighted alike (by n·m ÷ (n + m)).
        difference, low, high: of the two rates, with the limits of its interval.
        ratio, ratio_low, ratio_high: the same of their quotient; no limits without a success on each side.
        z, p_value: test of no difference, two-sided; NaN where it does not hold.
    """

    rate: Floats
    other_rate: Floats
    difference: Floats
    low: Floats
    high: Floats
    ratio: Floats
    ratio_low: Floats
    ratio_high: Floats
    z: Floats
    p_value: Floats


class _Strata:
    """Counts of strata that say something, and sums over those of each question."""

    def __init__(self, counts: tuple[ArrayLike, ...], question: ArrayLike, questions: int) -> None:
        a, n, c, m = (np.asarray(one, np.float64) for one in counts)
        some = (n > 0) & (m > 0)
        self.a, self.n, self.c, self.m = a[some], n[some], c[some], m[some]
        self.total = self.n + self.m
        self.codes = np.asarray(question, np.int64)[some]
        self.questions = questions

    def summed(self, values: Floats) -> Floats:
        sums: Floats = np.bincount(self.codes, weights=values, minlength=self.questions).astype(np.float64)
        return sums


def mantel_haenszel(
    counts: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike], question: ArrayLike, questions: int, z: float = Z95
) -> Pooled:
    """Rate of one group against another, within strata.

    Args:
        counts: successes and trials of the group, successes and trials of the other one; each holds
            one number per stratum of a question. A stratum without trials on a side says nothing.
        question: which question a stratum belongs to, from 0.
        questions: how many there are.
        z: point of the normal distribution, 95 % two-sided by default.
    """
    from scipy.special import ndtr  # 0.1 s to import, and most commands compare nothing

    of = _Strata(counts, question, questions)
    above, below = of.summed(of.a * of.m / of.total), of.summed(of.c * of.n / of.total)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = of.summed(of.n * of.m / of.total)
        rate, other = above / weight, below / weight
        low, high = _difference_limits(of, weight, rate, other, z)
        spread = of.summed(((of.a + of.c) * of.n * of.m - of.a * of.c * of.total) / of.total**2)
        wide = z * np.sqrt(spread / (above * below))
        ratio = above / below
        statistic = _test(of)
        p_value = 2 * ndtr(-np.abs(statistic))
        limits = [np.where(np.isfinite(wide), ratio * np.exp(sign * wide), np.nan) for sign in (-1, 1)]
    finite = np.where(np.isfinite(ratio), ratio, np.nan)
    return Pooled(rate, other, rate - other, low, high, finite, limits[0], limits[1], statistic, p_value)


def _difference_limits(of: _Strata, weight: Floats, rate: Floats, other: Floats, z: float) -> tuple[Floats, Floats]:
    """Newcombe's interval of as many units as have the variance of the weighted rates, were the rate the same everywhere."""
    shares = (of.n * of.m / of.total) / weight[of.codes]
    size, other_size = 1 / of.summed(shares**2 / of.n), 1 / of.summed(shares**2 / of.m)
    fit = np.isfinite(size) & np.isfinite(other_size)
    hits, n, other_hits, m = (
        np.where(fit, one, 0.0)
        for one in (np.clip(rate, 0, 1) * size, size, np.clip(other, 0, 1) * other_size, other_size)
    )
    return newcombe(np.minimum(hits, n), n, np.minimum(other_hits, m), m, z)


def _test(of: _Strata) -> Floats:
    """Cochran–Mantel–Haenszel statistic, without correction for continuity."""
    hits, misses = of.a + of.c, of.total - of.a - of.c
    expected = of.n * hits / of.total
    spread = of.summed(of.n * of.m * hits * misses / (of.total**2 * (of.total - 1)))
    least, most = np.maximum(0.0, of.n - misses), np.minimum(of.n, hits)
    room = np.minimum(of.summed(expected - least), of.summed(most - expected))
    return np.where(room >= ENOUGH, of.summed(of.a - expected) / np.sqrt(spread), np.nan)
