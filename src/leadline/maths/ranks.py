"""How alike two rankings are: places with ties, and the correlations of Spearman 1904 and Kendall 1945 (tau-b)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def places(values: ArrayLike) -> NDArray[np.int64]:
    """The place of each value, 1 for the largest; equal ones share the best of their places (1, 2, 2, 4).

    Args:
        values: shape (n,).
    """
    own = np.asarray(values)
    return np.searchsorted(np.sort(-own), -own, side="left") + 1


def middle_places(values: ArrayLike) -> Floats:
    """The same where equal values share the mean of their places (1, 2.5, 2.5, 4)."""
    own = np.asarray(values)
    ordered = np.sort(-own)
    first, last = (np.searchsorted(ordered, -own, side=side) for side in ("left", "right"))
    return (first + last + 1) / 2


def spearman(one: ArrayLike, other: ArrayLike) -> float | None:
    """Spearman's rho: the correlation of the middle places of two series, −1 to 1.

    Args:
        one, other: shape (n,), the two values of each thing.

    Returns:
        None where one side has fewer than two different values: nothing is ranked there.
    """
    sides = [middle_places(side) for side in (one, other)]
    left, right = (side - side.mean() if len(side) else side for side in sides)
    spread = math.sqrt(float(left @ left) * float(right @ right))
    return float(left @ right) / spread if spread else None


def kendall(one: ArrayLike, other: ArrayLike) -> float | None:
    """Kendall's tau-b: pairs in the same order less pairs in the other one, by the pairs that are no ties, −1 to 1.

    Args:
        one, other: shape (n,), the two values of each thing.

    Returns:
        None where one side has fewer than two different values.
    """
    left, right = np.asarray(one), np.asarray(other)
    score = untied_left = untied_right = 0
    # One row of the n × n table of pairs at a time, which keeps the memory linear.
    for at in range(len(left) - 1):
        ahead = np.sign(left[at + 1 :] - left[at]).astype(np.int64)
        beside = np.sign(right[at + 1 :] - right[at]).astype(np.int64)
        score += int(ahead @ beside)
        untied_left += int(np.count_nonzero(ahead))
        untied_right += int(np.count_nonzero(beside))
    spread = math.sqrt(untied_left * untied_right)
    return score / spread if spread else None
