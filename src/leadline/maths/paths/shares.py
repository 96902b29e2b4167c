"""Real parts made whole: they add up to a total exactly, by largest remainder."""

from __future__ import annotations

import numpy as np

from leadline.maths.paths.journeys import Floats, Ints

SLACK = 1e-9
"""How far the sum of millions of floats may be from the sum they stand for, relatively."""


def whole(parts: Floats, total: int) -> Ints:
    """Whole numbers next to the parts that add up to the total.

    Each part is cut to the whole number below it; the units left over go one each to the largest
    remainders, an earlier part first where they tie. A negative total is split by its absolute value.

    Args:
        parts: shape (n,), adding up to `total` but for the error of floats.
        total: |total| < 2⁵³; 0 parts can only hold 0.

    Raises:
        ValueError: the parts add up to another number than the total.
    """
    if total < 0:
        return -whole(-parts, -total)
    if abs(parts.sum() - total) > max(0.5, SLACK * total):
        raise ValueError(f"parts that add up to {parts.sum()} cannot be made whole numbers that add up to {total}")
    below = np.floor(parts).astype(np.int64)
    remainder = parts - below
    left = total - int(below.sum())
    # Floats of the right sum may be a hair too large; then the smallest remainders give way.
    order = np.argsort(-remainder if left >= 0 else remainder, kind="stable")[: abs(left)]
    below[order] += np.sign(left)
    return below


def proportional(total: float, weights: Floats) -> Floats:
    """A total in proportion to weights; all 0 where the weights are."""
    together = weights.sum()
    return total * weights / together if together else np.zeros(len(weights))
