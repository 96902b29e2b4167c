"""Journeys as flat arrays: the touches of all of them in one line, and where each begins."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LIMIT = 2.0**53
"""Sums stay below it, so that whole numbers in float64 are exact."""

TABLE = 1 << 24
"""Keys up to this are counted in a table instead of being sorted."""


@dataclass(frozen=True)
class Journeys:
    """Journeys of touches, each with how often it was seen.

    Attributes:
        touches: shape (n,), codes 0 … states − 1, journey after journey, each in its order.
        offsets: shape (m + 1,); journey j is `touches[offsets[j]:offsets[j + 1]]`, which may be empty.
        conversions: shape (m,), how many of it converted, not negative.
        nulls: shape (m,), how many of it did not.
        value: shape (m,), whole minor units of all its conversions.
        states: how many codes there are.
    """

    touches: Ints
    offsets: Ints
    conversions: Floats
    nulls: Floats
    value: Floats
    states: int

    @cached_property
    def lengths(self) -> Ints:
        """Shape (m,): touches of each journey."""
        return np.diff(self.offsets)

    @cached_property
    def owner(self) -> Ints:
        """Shape (n,): the journey of each touch."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @cached_property
    def place(self) -> Ints:
        """Shape (n,): place of each touch in its journey, from 0."""
        return np.arange(len(self.touches)) - np.repeat(self.offsets[:-1], self.lengths)

    @cached_property
    def some(self) -> NDArray[np.bool_]:
        """Shape (m,): whether a journey has a touch."""
        return self.lengths > 0

    @cached_property
    def weights(self) -> Floats:
        """Shape (m,): how often each was seen, converted or not."""
        return self.conversions + self.nulls

    @cached_property
    def memberships(self) -> tuple[Ints, Ints]:
        """Journey and code of every distinct (journey, code), by journey, then code."""
        keys = distinct(self.owner * self.states + self.touches)
        return keys // max(self.states, 1), keys % max(self.states, 1)

    def counted(self, conversions: Floats, nulls: Floats, value: Floats) -> Journeys:
        """The same journeys, seen at other frequencies."""
        return dataclasses.replace(self, conversions=conversions, nulls=nulls, value=value)

    def kept(self, which: NDArray[np.bool_]) -> Journeys:
        """Only the journeys marked, shape (m,)."""
        if which.all():
            return self
        return Journeys(
            self.touches[np.repeat(which, self.lengths)],
            np.concatenate(([0], np.cumsum(self.lengths[which]))),
            self.conversions[which],
            self.nulls[which],
            self.value[which],
            self.states,
        )

    def collapsed(self) -> Journeys:
        """A touch that repeats the one before it counts once."""
        fresh = np.ones(len(self.touches), dtype=bool)
        fresh[1:] = self.touches[1:] != self.touches[:-1]
        fresh[self.offsets[:-1][self.some]] = True
        if fresh.all():
            return self
        before = np.concatenate(([0], np.cumsum(fresh)))
        return dataclasses.replace(self, touches=self.touches[fresh], offsets=before[self.offsets])

    def grouped(self) -> Journeys:
        """Identical journeys as one, their counts and values added; in order of first appearance."""
        node = np.zeros(len(self.lengths), dtype=np.int64)
        known = 1
        live = np.flatnonzero(self.some)
        # One step per place: a journey's node and its next touch make the next node, exactly.
        for step in range(int(self.lengths.max(initial=0))):
            live = live[self.lengths[live] > step]
            keys = node[live] * self.states + self.touches[self.offsets[live] + step]
            met, inverse = np.unique(keys, return_inverse=True)
            node[live] = known + inverse
            known += len(met)
        _, first, group = np.unique(node, return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        chosen = self.kept(np.isin(np.arange(len(node)), first))
        sums = [added(rank[group], one, len(first)) for one in (self.conversions, self.nulls, self.value)]
        return chosen.counted(*sums)


def journeys(
    touches: ArrayLike,
    offsets: ArrayLike,
    conversions: ArrayLike,
    *,
    nulls: ArrayLike | None = None,
    value: ArrayLike | None = None,
    states: int | None = None,
) -> Journeys:
    """Checked journeys.

    Args:
        touches, offsets, conversions: as in `Journeys`.
        nulls: default none.
        value: whole minor units; default 0.
        states: how many codes there are; default the largest code + 1.

    Raises:
        ValueError: shapes that do not fit, a code outside the states, counts that are negative or not
            finite, a value that is not whole, a value without a conversion, or sums of 2**53 and more.
    """
    codes, ends = np.asarray(touches, np.int64), np.asarray(offsets, np.int64)
    counts = np.asarray(conversions, np.float64)
    blank = np.zeros(len(counts))
    lost = blank if nulls is None else np.asarray(nulls, np.float64)
    worth = blank if value is None else np.asarray(value, np.float64)
    top = int(codes.max(initial=-1)) + 1
    found = Journeys(codes, ends, counts, lost, worth, top if states is None else states)
    _check(found, top)
    return found


def _check(given: Journeys, top: int) -> None:
    many = len(given.conversions)
    if len(given.offsets) != many + 1 or len(given.nulls) != many or len(given.value) != many:
        raise ValueError("offsets must have one entry more than conversions, nulls and value, which are equally long")
    if given.offsets[0] != 0 or given.offsets[-1] != len(given.touches) or (given.lengths < 0).any():
        raise ValueError("offsets must run from 0 to the number of touches and never fall")
    if (given.touches < 0).any() or top > given.states:
        raise ValueError("a touch lies outside the states")
    for name, counts in (("conversions", given.conversions), ("nulls", given.nulls)):
        if not np.isfinite(counts).all() or (counts < 0).any():
            raise ValueError(f"{name} must be finite and not negative")
    if not np.isfinite(given.value).all() or (given.value != np.rint(given.value)).any():
        raise ValueError("value must be whole minor units")
    if ((given.conversions == 0) & (given.value != 0)).any():
        raise ValueError("a journey without a conversion has a value")
    if given.weights.sum() >= LIMIT or np.abs(given.value).sum() >= LIMIT:
        raise ValueError("conversions, nulls and value must each add up to less than 2^53")


def added(keys: Ints, amounts: Floats, size: int) -> Floats:
    """Sums of amounts per key: shape (size,)."""
    return np.bincount(keys, amounts, minlength=size).astype(np.float64, copy=False)


def ranked(keys: Ints, size: int) -> tuple[Ints, Ints]:
    """The distinct keys in ascending order, and the place of each key among them.

    Args:
        keys: shape (n,), 0 ≤ key < size.
        size: bound of the keys; a small one makes this a matter of a table.
    """
    if size > TABLE:
        found = distinct(keys)
        return found, np.searchsorted(found, keys)
    there = np.zeros(size, dtype=bool)
    there[keys] = True
    found = np.flatnonzero(there)
    places = np.zeros(size, dtype=np.int64)
    places[found] = np.arange(len(found))
    return found, places[keys]


def distinct(keys: Ints) -> Ints:
    """The distinct keys in ascending order; by one sort, which millions of them want."""
    ordered = np.sort(keys)
    fresh = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    return ordered[fresh]
