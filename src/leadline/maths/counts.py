"""Counts of events compared: the interval of a change.

Source: Przyborowski & Wilenski 1940 (two Poisson counts, conditioned on their sum), with the exact
limits of Clopper & Pearson 1934 for the share.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def change_interval(now: ArrayLike, before: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Interval of the relative change between two Poisson counts over times of equal length.

    Given their sum, the later count is a share of it; exact limits p of that share give the ratio
    p ÷ (1 − p), and the change is that ratio less 1.

    Args:
        now, before: counts of the same shape, not negative.
        level: probability that the interval holds the true change.

    Returns:
        Low and high limit: −1 is "all gone", infinity "no upper limit"; NaN where both counts are 0.

    Raises:
        ValueError: a count is negative.
    """
    from scipy.special import betaincinv  # 0.1 s to import, and only comparisons need it

    a, b = np.asarray(now, dtype=np.float64), np.asarray(before, dtype=np.float64)
    if (a < 0).any() or (b < 0).any():
        raise ValueError("Counts cannot be negative.")
    tail = (1 - level) / 2
    some = a + b > 0
    low = np.where(a > 0, betaincinv(np.where(a > 0, a, 1.0), b + 1, tail), 0.0)
    high = np.where(b > 0, betaincinv(a + 1, np.where(b > 0, b, 1.0), 1 - tail), 1.0)
    with np.errstate(divide="ignore"):
        limits = [share / (1 - share) - 1 for share in (low, high)]
    return np.where(some, limits[0], np.nan), np.where(some, limits[1], np.nan)
