"""A segment against the rest when units come in clusters, such as the contacts of one deal.

Means and shares are compared; the variance takes each cluster as one observation (Liang & Zeger
1986), so contacts that move together because their deal moves do not count as independent proof.
Everything is computed from sums of products over clusters, which an engine delivers by group-by.
Source of the interval of a difference of shares: Newcombe 1998, method 10.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.maths.intervals import Floats, wilson

ENOUGH = 10
"""Units with and without the property that a segment must be expected to have for the normal test."""

VARIABLES = ("own_value", "own_units", "value", "units")
"""Of each cluster: sum of values and units inside the segment, then in all."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over clusters for one segment.

    Attributes:
        own: shape (4,), sums of `VARIABLES` over the clusters that touch the segment.
        products: shape (4, 4), sums of products of `VARIABLES` over these clusters.
        whole: shape (2,), value and units of everything.
        whole_products: shape (2, 2), their products over all clusters.
    """

    own: Floats
    products: Floats
    whole: Floats
    whole_products: Floats

    @property
    def units(self) -> tuple[float, float]:
        """Units of the segment and of the rest."""
        return float(self.own[1]), float(self.whole[1] - self.own[1])

    @property
    def means(self) -> tuple[float, float]:
        """Mean value of the segment and of the rest; NaN without units."""
        mine, others = self.units
        value = float(self.own[0])
        return (
            value / mine if mine else math.nan,
            (float(self.whole[0]) - value) / others if others else math.nan,
        )

    def spread(self, own_mean: float, rest_mean: float, own_weight: float, rest_weight: float) -> float:
        """Sum over clusters of (own_weight × own residuals − rest_weight × the rest's residuals)²."""
        weights = np.array(
            [
                own_weight + rest_weight,
                -own_weight * own_mean - rest_weight * rest_mean,
                -rest_weight,
                rest_weight * rest_mean,
            ]
        )
        # Clusters that do not touch the segment add their residuals of the rest only.
        alone = np.array([rest_weight, -rest_weight * rest_mean])
        touching = _square(self.products, weights) - _square(self.products[2:, 2:], alone)
        return max(touching + _square(self.whole_products, alone), 0.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A segment against the rest.

    Attributes:
        own, rest: their means.
        effect, low, high: ratio of the means or difference of the shares, with 95 % limits.
        p_value: two-sided; NaN where it cannot be tested.
    """

    own: float
    rest: float
    effect: float
    low: float
    high: float
    p_value: float


def ratio_of_means(sums: Sums) -> Comparison:
    """How many times the rest's mean the segment's is; limits on the log scale (delta method)."""
    mine, others = sums.means
    own_units, rest_units = sums.units
    if not (mine > 0 and others > 0):
        return Comparison(mine, others, math.nan, math.nan, math.nan, math.nan)
    spread = sums.spread(mine, others, 1 / (own_units * mine), 1 / (rest_units * others))
    error, gap = math.sqrt(spread), math.log(mine / others)
    # The spread of a small segment is itself estimated: Student's distribution, not the normal one.
    freedom = max(min(own_units, rest_units) - 1, 1.0)
    step = error * _student(freedom)
    return Comparison(
        mine, others, mine / others, math.exp(gap - step), math.exp(gap + step), _two_sided(gap, error, freedom)
    )


def difference_of_shares(sums: Sums) -> Comparison:
    """How many points the segment's share is above the rest's; values are 0 or 1 per unit.

    The test takes the variance under equal shares, or for small segments the binomial tail; that
    and Newcombe's limits take the number of units that clusters leave as independent.
    """
    mine, others = sums.means
    own_units, rest_units = sums.units
    if not (own_units and rest_units):
        return Comparison(mine, others, math.nan, math.nan, math.nan, math.nan)
    pooled = float(sums.whole[0] / sums.whole[1])
    error = math.sqrt(sums.spread(pooled, pooled, 1 / own_units, 1 / rest_units))
    effect = _design_effect(error, pooled, own_units, rest_units)
    trials = np.array([own_units, rest_units]) / effect
    low, high = wilson(np.array([mine, others]) * trials, trials)
    gap = mine - others
    below = math.hypot(mine - low[0], high[1] - others)
    above = math.hypot(high[0] - mine, others - low[1])
    few = min(trials[0] * others, trials[0] * (1 - others)) < ENOUGH
    p_value = _exact(mine * trials[0], trials[0], others) if few else _two_sided(gap, error)
    return Comparison(mine, others, gap, gap - below, gap + above, p_value)


def _exact(hits: float, trials: float, share: float) -> float:
    """Twice the smaller tail of a binomial with that share; hits and trials may be fractions of units.

    A small segment beside a large rest: the rest's share counts as known.
    """
    from scipy.special import betainc  # 0.1 s to import, and most commands never test anything

    above = 1.0 if hits <= 0 else float(betainc(hits, trials - hits + 1, share))
    below = 1.0 if hits >= trials else float(betainc(trials - hits, hits + 1, 1 - share))
    return min(2 * min(above, below), 1.0)


def _design_effect(error: float, pooled: float, own_units: float, rest_units: float) -> float:
    """How many dependent units weigh as much as one independent one, at least 1."""
    alone = pooled * (1 - pooled) * (1 / own_units + 1 / rest_units)
    return max(error**2 / alone, 1.0) if alone > 0 else 1.0


def _student(freedom: float) -> float:
    """The 97.5 % point of Student's distribution."""
    from scipy.special import stdtrit  # 0.1 s to import, and most commands never test anything

    return float(stdtrit(freedom, 0.975))


def _two_sided(gap: float, error: float, freedom: float = math.inf) -> float:
    if error == 0:
        return 1.0 if gap == 0 else 0.0
    if math.isinf(freedom):
        return math.erfc(abs(gap) / error / math.sqrt(2))
    from scipy.special import stdtr

    return float(2 * stdtr(freedom, -abs(gap) / error))


def _square(products: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    return float(weights @ products @ weights)
