"""A Markov chain counted from journeys: states are the last k touches, shorter at the beginning.

A touch that repeats the one before it is no step: a chain of order 1 has the same effects either way,
and at higher orders only so does a repeat change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from leadline.maths.paths.journeys import Floats, Ints, Journeys, added, ranked


@dataclass(frozen=True)
class Chain:
    """Transitions between the states that the journeys hold.

    Attributes:
        start: shape (s,), share of journeys that begin in each state.
        rows, columns, steps: one entry per transition seen: from, to and its probability.
        converts: shape (s,), probability to convert next.
        worth: shape (s,), value gained next, in minor units per visit.
        members: shape (s, k), the codes a state is made of, newest first, −1 where it is shorter.
        visits: shape (s,), how often journeys left each state: for another one, converted or as a null.
        conversions, nulls, value: sums over the journeys.
    """

    start: Floats
    rows: Ints
    columns: Ints
    steps: Floats
    converts: Floats
    worth: Floats
    members: Ints
    visits: Floats
    conversions: float
    nulls: float
    value: float

    @property
    def size(self) -> int:
        """Number of states."""
        return len(self.start)

    def dense(self) -> Floats:
        """I − Q as an array of shape (s, s), in the column order that LAPACK wants."""
        matrix = np.zeros((self.size, self.size), order="F")
        matrix[self.rows, self.columns] = -self.steps
        matrix[np.arange(self.size), np.arange(self.size)] += 1.0
        return matrix

    def sparse(self) -> Any:
        """I − Q as a sparse matrix by columns."""
        from scipy import sparse

        moves = sparse.csc_array((self.steps, (self.rows, self.columns)), shape=(self.size, self.size))
        return sparse.csc_array(sparse.eye_array(self.size, format="csc") - moves)


def chain(given: Journeys, order: int = 1, *, collapse: bool = True) -> Chain:
    """Count the chain of the journeys that have touches and were seen at all.

    Args:
        given: the journeys.
        order: how many touches a state remembers.
        collapse: whether repeats in a row are one step; at order 1 the effects are the same.

    Raises:
        ValueError: an order below 1, or so many codes that states of that order cannot be numbered.
    """
    if order < 1:
        raise ValueError("the order of a chain is 1 or more")
    seen = given.kept(given.some & (given.weights > 0))
    if collapse and order > 1:
        seen = seen.collapsed()
    states, members = _states(seen, order)
    size = len(members)
    begin, end = seen.offsets[:-1], seen.offsets[1:] - 1
    rows, columns, counts = _moves(seen, states, size)
    if collapse and order == 1:
        other = rows != columns
        rows, columns, counts = rows[other], columns[other], counts[other]
    out = [added(states[end], one, size) for one in (seen.conversions, seen.nulls, seen.value)]
    visits = added(rows, counts, size) + out[0] + out[1]
    return Chain(
        start=np.bincount(states[begin], seen.weights, minlength=size) / max(seen.weights.sum(), 1e-300),
        rows=rows,
        columns=columns,
        steps=counts / visits[rows],
        converts=out[0] / visits,
        worth=out[2] / visits,
        members=members,
        visits=visits,
        conversions=float(seen.conversions.sum()),
        nulls=float(seen.nulls.sum()),
        value=float(seen.value.sum()),
    )


def _states(seen: Journeys, order: int) -> tuple[Ints, Ints]:
    """The state after each touch, numbered from 0, and the codes of each state."""
    base = seen.states + 1
    if base**order >= 2**63:
        raise ValueError(f"{seen.states} codes are too many for states of {order} touches")
    keys = seen.touches + 1
    for back in range(1, order):
        earlier = np.zeros(len(keys), dtype=np.int64)
        earlier[back:] = seen.touches[:-back] + 1
        keys = keys + np.where(seen.place >= back, earlier, 0) * base**back
    found, states = ranked(keys, base**order)
    members = np.stack([found // base**back % base - 1 for back in range(order)], axis=1)
    return states, members


def _moves(seen: Journeys, states: Ints, size: int) -> tuple[Ints, Ints, Floats]:
    """Transitions seen, with how often: from, to, count."""
    inside = seen.place[1:] > 0
    keys = (states[:-1] * size + states[1:])[inside]
    often = seen.weights[seen.owner[1:][inside]]
    found, place = ranked(keys, size * size)
    return found // max(size, 1), found % max(size, 1), added(place, often, len(found))
