"""How sure a share is: journeys drawn anew (Efron 1979), every model recomputed on each draw."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from leadline.maths.paths.journeys import Floats, Ints, Journeys

DRAWS = 200
LOW, HIGH = 5.0, 95.0
NAMED = 5
"""Pairs that cannot be told apart and are named."""


@dataclass(frozen=True)
class Intervals:
    """Shares on each draw, and what follows from them.

    Attributes:
        shares: shape (draws, states); a draw without credit is NaN and left out.
        low, high: shape (states,), 5th and 95th percentile of the share.
        rank_low, rank_high: shape (states,), the same of the place, 1 for the largest share.
    """

    shares: Floats
    low: Floats
    high: Floats
    rank_low: Ints
    rank_high: Ints

    def alike(self, one: int, other: int) -> bool:
        """Whether the two cannot be told apart: the interval of their difference holds 0."""
        gap = self.shares[:, one] - self.shares[:, other]
        low, high = np.percentile(gap, [LOW, HIGH])
        return bool(low <= 0 <= high)


def redrawn(given: Journeys, draws: int = DRAWS, seed: int = 0) -> Iterator[Journeys]:
    """The journeys as samples of their number would hold them.

    A converted journey that is drawn twice counts twice, with the mean value of its kind.

    Raises:
        ValueError: counts that are not whole, so that there is nothing to draw.
    """
    cells = np.concatenate([given.conversions, given.nulls])
    if (cells != np.rint(cells)).any():
        raise ValueError("conversions and nulls must be whole numbers to draw journeys anew")
    total = int(cells.sum())
    chance = np.random.default_rng(seed)
    mean = np.divide(given.value, given.conversions, out=np.zeros_like(given.value), where=given.conversions > 0)
    for _ in range(draws if total else 0):
        counts = chance.multinomial(total, cells / total).astype(np.float64)
        conversions, nulls = np.split(counts, 2)
        yield given.counted(conversions, nulls, mean * conversions)


def intervals(shares: Floats) -> Intervals:
    """Percentiles of shares and ranks over draws.

    Args:
        shares: shape (draws, states); rows that are not finite are draws without credit.

    Raises:
        ValueError: no draw has credit.
    """
    some = shares[np.isfinite(shares).all(axis=1)]
    if not len(some):
        raise ValueError("no draw has any credit")
    order = np.argsort(-some, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, some.shape[1] + 1)[None, :], axis=1)
    low, high = np.percentile(some, [LOW, HIGH], axis=0)
    rank_low = np.percentile(ranks, LOW, axis=0, method="lower")
    rank_high = np.percentile(ranks, HIGH, axis=0, method="higher")
    return Intervals(some, low, high, rank_low.astype(np.int64), rank_high.astype(np.int64))


def alike(found: Intervals, order: Sequence[int], names: Sequence[str]) -> str:
    """Neighbours that cannot be told apart, as text: "A and B; B and C"; empty if there are none.

    Args:
        found: intervals of the shares.
        order: states from the largest share down.
        names: of all states.
    """
    pairs = [f"{names[one]} and {names[other]}" for one, other in itertools.pairwise(order) if found.alike(one, other)]
    more = f", and {len(pairs) - NAMED:,} more pairs of neighbours" if len(pairs) > NAMED else ""
    return "; ".join(pairs[:NAMED]) + more
