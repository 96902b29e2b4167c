"""Intervals and tests for proportions.

Sources: Wilson 1927 (interval), Newcombe 1998 (interval of a difference, his method 10), Liang &
Zeger 1986 (variance of clustered units), Benjamini & Hochberg 1995 (false discovery rate).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# The 97.5 % point of the standard normal distribution: two-sided 95 %.
Z95 = 1.959963984540054


def wilson(successes: ArrayLike, trials: ArrayLike, z: float = Z95) -> tuple[Floats, Floats]:
    """Wilson's score interval of a proportion.

    Args:
        successes: whole numbers between 0 and `trials`.
        trials: whole numbers of the same shape.
        z: point of the normal distribution, 95 % two-sided by default.

    Returns:
        Low and high limit, within 0..1; NaN where there are no trials.

    Raises:
        ValueError: a count is negative or successes exceed trials.
    """
    hits, n = _checked(successes, trials)
    some = n > 0
    safe = np.where(some, n, 1.0)
    share, square = hits / safe, z * z
    centre = (share + square / (2 * safe)) / (1 + square / safe)
    half = z * np.sqrt(share * (1 - share) / safe + square / (4 * safe**2)) / (1 + square / safe)
    # At 0 and at all successes the limit is 0 and 1 exactly; rounding must not step over it.
    low = np.where(hits == 0, 0.0, np.maximum(centre - half, 0.0))
    high = np.where(hits == n, 1.0, np.minimum(centre + half, 1.0))
    return np.where(some, low, np.nan), np.where(some, high, np.nan)


def two_proportions(
    successes: ArrayLike, trials: ArrayLike, other_successes: ArrayLike, other_trials: ArrayLike
) -> tuple[Floats, Floats]:
    """Two-sided test that two proportions are equal, with pooled variance.

    Returns:
        The statistic z (positive where the first share is larger) and its p-value. Both
        samples without a difference in outcome at all give 0 and 1; no trials give NaN.
    """
    from scipy.special import ndtr  # 0.1 s to import, and most commands never test anything

    a, n = _checked(successes, trials)
    b, m = _checked(other_successes, other_trials)
    some = (n > 0) & (m > 0)
    n_safe, m_safe = np.where(some, n, 1.0), np.where(some, m, 1.0)
    pooled = (a + b) / (n_safe + m_safe)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / n_safe + 1 / m_safe))
    gap = a / n_safe - b / m_safe
    z = np.divide(gap, spread, out=np.zeros(np.shape(gap)), where=spread > 0)
    p = 2 * ndtr(-np.abs(z))
    return np.where(some, z, np.nan), np.where(some, p, np.nan)


def newcombe(
    successes: ArrayLike, trials: ArrayLike, other_successes: ArrayLike, other_trials: ArrayLike, z: float = Z95
) -> tuple[Floats, Floats]:
    """Interval of the difference of two independent proportions, made of their Wilson intervals.

    Counts may be fractions, such as effective sample sizes.

    Returns:
        Low and high limit of share − other share, within -1..1; NaN without trials.
    """
    a, n = _checked(successes, trials)
    b, m = _checked(other_successes, other_trials)
    p, q = a / np.where(n > 0, n, np.nan), b / np.where(m > 0, m, np.nan)
    (p_low, p_high), (q_low, q_high) = wilson(a, n, z), wilson(b, m, z)
    gap = p - q
    return (
        gap - np.sqrt((p - p_low) ** 2 + (q_high - q) ** 2),
        gap + np.sqrt((p_high - p) ** 2 + (q - q_low) ** 2),
    )


def clustered_proportions(moments: ArrayLike, sums: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Two-sided test of a part against the rest where units of one cluster hang together.

    The pooled two-proportion test with its variance multiplied by the design effect: the sum over
    clusters of the squared sums of residuals, as a multiple of the sum over units of their squares.
    A cluster may have units on both sides; an effect below 1 counts as 1.

    Args:
        moments: shape (n, 4, 4): per test the sum over clusters of the products of (successes of the part,
            units of the part, successes of all, units of all) in that cluster.
        sums: shape (n, 4): the same four, summed over clusters.

    Returns:
        The statistic z (negative where the part's share is smaller), its p-value, and the design effect.
        NaN where one side has no units; 0, 1 and 1 where the outcome never differs.
    """
    from scipy.special import ndtr

    together, totals = np.asarray(moments, np.float64), np.asarray(sums, np.float64)
    hits, part, all_hits, everyone = totals.T
    rest = everyone - part
    some = (part > 0) & (rest > 0)
    # Where nobody or everybody succeeds there is nothing to tell apart.
    varies = some & (all_hits > 0) & (all_hits < everyone)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = all_hits / everyone
        ends = 1 / part + 1 / rest
        weights = np.stack([ends, -pooled * ends, -1 / rest, pooled / rest], axis=1)
        clustered, single = (
            np.einsum("ni,nij,nj->n", weights, products, weights) for products in (together, _of_units(totals))
        )
        effect = np.where(varies, np.maximum(clustered / single, 1.0), np.where(some, 1.0, np.nan))
        gap = hits / part - (all_hits - hits) / rest
        z = gap / np.sqrt(pooled * (1 - pooled) * ends * effect)
    z = np.where(varies, z, np.where(some, 0.0, np.nan))
    return z, 2 * ndtr(-np.abs(z)), effect


def _of_units(sums: Floats) -> Floats:
    """The moments if every unit were a cluster of its own: shape (n, 4, 4)."""
    hits, part, all_hits, everyone = sums.T
    return np.stack(
        [
            np.stack([hits, hits, hits, hits], axis=1),
            np.stack([hits, part, hits, part], axis=1),
            np.stack([hits, hits, all_hits, all_hits], axis=1),
            np.stack([hits, part, all_hits, everyone], axis=1),
        ],
        axis=1,
    )


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Adjusted p-values: those at or below q are the discoveries at false discovery rate q.

    Args:
        p_values: shape (n,), within 0..1; NaN means "not tested": it stays NaN and is not
            counted among the tests.
    """
    p = np.asarray(p_values, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    adjusted = np.full(p.shape, np.nan)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def _checked(successes: ArrayLike, trials: ArrayLike) -> tuple[Floats, Floats]:
    hits, n = np.broadcast_arrays(np.asarray(successes, np.float64), np.asarray(trials, np.float64))
    if (hits < 0).any() or (hits > n).any():
        raise ValueError("successes must lie between 0 and trials")
    return hits, n
