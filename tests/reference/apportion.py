"""Splitting whole amounts by points so that the parts add up, to the last minor unit.

The reference for the engine's split: largest remainder (Hamilton's method).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Integers = NDArray[np.int64]

POINTS_LIMIT = 1_000_000
AMOUNT_LIMIT = 2**50


def apportion(amounts: ArrayLike, group: ArrayLike, points: ArrayLike) -> Integers:
    """Credit of each row; the credits of a group add up to its amount exactly.

    Each row gets the whole part of amount × points ÷ Σ points; the minor units left over go
    one each to the largest remainders, an earlier row first where they tie. A negative amount
    is split by its absolute value.

    Args:
        amounts: shape (g,), minor units, |amount| < 2⁵⁰.
        group: shape (n,), index into `amounts`. Within a group rows stand in tie order:
            earlier response first, then id.
        points: shape (n,), not negative; their sum in a group is 1 to 10⁶.

    Returns:
        Shape (n,), minor units. An amount whose group has no row is split among nobody.

    Raises:
        ValueError: points or amounts outside those bounds.
    """
    amount, place = np.asarray(amounts, np.int64), np.asarray(group, np.int64)
    share = np.asarray(points, np.int64)
    total = _totals(share, place, len(amount))
    if (np.abs(amount) >= AMOUNT_LIMIT).any():
        raise ValueError("amounts must be below 2^50 minor units")
    size = np.abs(amount)[place]
    # amount × points may exceed 64 bits; the quotient and the rest by Σ points cannot.
    whole, rest = size // total[place], size % total[place]
    credit = whole * share + rest * share // total[place]
    remainder = rest * share % total[place]
    left = np.abs(amount) - _sums(credit, place, len(amount))
    credit += _rank(place, remainder) < left[place]
    return np.sign(amount)[place] * credit


def integer_points(weights: ArrayLike, group: ArrayLike, groups: int) -> Integers:
    """Real weights on the integer grid that every engine agrees on; Σ per group ≤ 10⁶.

    w = round(10⁶ × weight ÷ largest weight of the group), points = w × 10⁶ div Σ w. Negative
    weights count as 0; a group whose weights are all 0 is split evenly.

    Args:
        weights: shape (n,), finite.
        group: shape (n,), 0 ≤ group < groups.
        groups: number of groups.
    """
    raw, place = np.maximum(np.asarray(weights, np.float64), 0.0), np.asarray(group, np.int64)
    largest = np.zeros(groups)
    np.maximum.at(largest, place, raw)
    relative = np.where(largest[place] > 0, raw / np.where(largest[place] > 0, largest[place], 1.0), 1.0)
    grid = np.rint(POINTS_LIMIT * relative).astype(np.int64)
    return grid * POINTS_LIMIT // _sums(grid, place, groups)[place]


def _totals(points: Integers, place: Integers, groups: int) -> Integers:
    """Σ points per group, checked; a group without rows counts as 1 so that it divides."""
    if (points < 0).any():
        raise ValueError("points must not be negative")
    total = _sums(points, place, groups)
    used = np.bincount(place, minlength=groups) > 0
    if (total[used] < 1).any() or (total > POINTS_LIMIT).any():
        raise ValueError(f"the points of a group must add up to 1 to {POINTS_LIMIT}")
    return np.where(used, total, 1)


def _sums(values: Integers, place: Integers, groups: int) -> Integers:
    """Exact integer sums per group."""
    sums = np.zeros(groups, dtype=np.int64)
    np.add.at(sums, place, values)
    return sums


def _rank(place: Integers, remainder: Integers) -> Integers:
    """Rank within the group, 0 for the largest remainder, earlier rows first."""
    order = np.lexsort((np.arange(len(place)), -remainder, place))
    ordered = place[order]
    starts = np.searchsorted(ordered, ordered, side="left")
    rank = np.empty(len(place), dtype=np.int64)
    rank[order] = np.arange(len(place)) - starts
    return rank
