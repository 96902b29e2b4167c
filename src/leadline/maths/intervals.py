"""Intervals and tests for proportions.

Sources: Wilson 1927 (interval), Benjamini & Hochberg 1995 (false discovery rate).
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
