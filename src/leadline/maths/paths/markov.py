"""Removal effects of a Markov chain, exact, by one factorisation.

The effect of a campaign is the share of conversions that is lost when every way into it ends as a
null (Anderl et al. 2016). With N = (I − Q)⁻¹, u = a N the expected visits and h = N r the probability
to convert from each state, the probability to convert through a set S of states is u[S] N[S,S]⁻¹ h[S];
for a single state that is u ÷ N[i,i] × h.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from leadline.errors import LeadlineError, UsageError
from leadline.maths.paths.chain import Chain, chain
from leadline.maths.paths.journeys import Floats, Ints, Journeys, added

DENSE = 5_000
"""States up to which the inverse is made as a whole."""

MEMORY = 4 * 1024**3
"""Bytes that a factorisation may take unless told otherwise."""

SLACK = 1e-9
"""How far a probability may be from what counting gives; solving loses some of sixteen digits."""

COLUMNS = 128
"""Columns of the inverse that sparse factors are asked for at once."""

Removal = Literal["null", "refit"]


@dataclass(frozen=True)
class Effects:
    """What removing each campaign would cost.

    Attributes:
        conversions: shape (codes,), share of conversions lost, 0 to 1.
        value: shape (codes,), share of value lost.
        probability: of converting, by the chain.
        states: how many states the chain has.
    """

    conversions: Floats
    value: Floats
    probability: float
    states: int


def effects(given: Journeys, order: int = 1, removal: Removal = "null", *, memory: int = MEMORY) -> Effects:
    """Removal effects of all campaigns.

    Args:
        given: journeys; empty ones have nothing to remove and stay out.
        order: touches a state remembers.
        removal: `null`: each way into the campaign ends as a null. `refit`: its touches are deleted,
            journeys left without a touch convert no more, and the chain is counted anew. The new chain
            converts as often as its journeys do, so the effect is the share of conversions of
            journeys that hold no other campaign, at every order.
        memory: bytes a factorisation may take.

    Raises:
        UsageError: more states than fit into that memory.
        LeadlineError: a check of the result failed.
    """
    if removal == "refit":
        return _refitted(given)
    made = chain(given, order)
    if not made.conversions:
        return Effects(np.zeros(given.states), np.zeros(given.states), 0.0, made.size)
    solved = _dense(made) if made.size <= DENSE else _large(made, memory, order)
    probability = float(made.start @ solved.converts)
    expected = float(made.start @ solved.worth)
    rate = made.conversions / (made.conversions + made.nulls)
    if abs(probability - rate) > SLACK:
        raise LeadlineError(
            f"The chain converts with probability {probability!r}, its journeys with {rate!r}: the solution is wrong, "
            "nothing was credited."
        )
    lost, worth = _lost(solved, made, given.states)
    return Effects(_checked(lost / probability), worth / expected if expected else worth * 0, probability, made.size)


@dataclass(frozen=True)
class _Solved:
    """`visits` u, `converts` h and `worth` of each state, and a way to the blocks of N."""

    visits: Floats
    converts: Floats
    worth: Floats
    blocks: Callable[[list[Ints]], Iterator[Floats]]

    def through(self, states: Ints, block: Floats) -> Floats:
        """Conversions and value per journey that pass through one of the states, given their block of N."""
        ends = np.stack([self.converts[states], self.worth[states]], axis=1)
        if len(states) == 1:
            return self.visits[states[0]] / block[0, 0] * ends[0]
        return self.visits[states] @ np.linalg.solve(block, ends)


def _dense(made: Chain) -> _Solved:
    inverse = _inverse(made.dense())
    return _Solved(
        visits=made.start @ inverse,
        converts=inverse @ made.converts,
        worth=inverse @ made.worth,
        blocks=lambda groups: (inverse[np.ix_(states, states)] for states in groups),
    )


def _inverse(matrix: Floats) -> Floats:
    """The inverse, in the place of the matrix."""
    from scipy.linalg import lapack

    factors, pivots, failed = lapack.dgetrf(matrix, overwrite_a=True)
    size, _ = lapack.dgetri_lwork(len(matrix))
    inverse, failed_too = lapack.dgetri(factors, pivots, lwork=int(size), overwrite_lu=True)[:2]
    if failed or failed_too:
        raise LeadlineError("The chain has a state that no journey leaves; nothing was credited.")
    return inverse


def _large(made: Chain, memory: int, order: int) -> _Solved:
    """Sparse where the factors stay thin, dense where they would not, refused where neither fits."""
    order_of, filled = _ordering(made)
    if 24 * filled <= memory and 10 * filled <= made.size**2:
        return _sparse(made, order_of)
    if 16 * made.size**2 > memory:
        what = f"{made.size:,} states" + (f" of up to {order} touches each" if order > 1 else "")
        remedy = "a lower --order (order in a model file), or a coarser dimension (campaign type in place of campaign)"
        raise UsageError(
            f"The chain has {what}: its factors may take {min(24 * filled, 16 * made.size**2) / 1024**3:,.1f} GiB, the "
            f"limit is {memory / 1024**3:,.1f} GiB. Take {remedy if order > 1 else remedy.partition('or ')[2]}."
        )
    return _dense(made)


def _ordering(made: Chain) -> tuple[Ints, int]:
    """An order of elimination, and a bound of the entries of its factors: their envelope.

    Two orders are tried: neighbours close to each other, and few-linked states before hubs. I − Q is
    diagonally dominant by rows, so the factors need no pivoting and stay inside the envelope.
    """
    from scipy import sparse

    pattern = sparse.csr_array((np.ones(len(made.rows)), (made.rows, made.columns)), shape=(made.size, made.size))
    links = np.bincount(made.rows, minlength=made.size) + np.bincount(made.columns, minlength=made.size)
    orders = [
        sparse.csgraph.reverse_cuthill_mckee(sparse.csr_array(pattern + pattern.T), symmetric_mode=True),
        np.argsort(links, kind="stable"),
    ]
    bounds = [_envelope(made, np.asarray(one, np.int64)) for one in orders]
    best = int(np.argmin(bounds))
    return np.asarray(orders[best], np.int64), bounds[best]


def _envelope(made: Chain, order: Ints) -> int:
    """Entries between the first one of each row, and of each column, and the diagonal."""
    place = np.empty(made.size, dtype=np.int64)
    place[order] = np.arange(made.size)
    rows, columns = place[made.rows], place[made.columns]
    total = made.size
    for one, other in ((rows, columns), (columns, rows)):
        nearest = np.arange(made.size)
        np.minimum.at(nearest, one, other)
        total += int((np.arange(made.size) - nearest).sum())
    return total


def _sparse(made: Chain, order: Ints) -> _Solved:
    from scipy.sparse.linalg import splu

    matrix = made.sparse()[order][:, order]
    factors = splu(matrix.tocsc(), permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    place = np.empty(made.size, dtype=np.int64)
    place[order] = np.arange(made.size)

    def solved(side: Floats, how: str = "N") -> Floats:
        return factors.solve(side[order], how)[place]

    def blocks(groups: list[Ints]) -> Iterator[Floats]:
        # Many columns at once: a solve of one reads all of the factors.
        ends = np.cumsum([len(states) for states in groups])
        for part in np.split(np.arange(len(groups)), np.flatnonzero(np.diff(ends // COLUMNS)) + 1):
            columns = np.concatenate([groups[one] for one in part])
            unit = np.zeros((made.size, len(columns)))
            unit[place[columns], np.arange(len(columns))] = 1.0
            found, at = factors.solve(unit), 0
            for one in part:
                yield found[place[groups[one]], at : at + len(groups[one])]
                at += len(groups[one])

    return _Solved(solved(made.start, "T"), solved(made.converts), solved(made.worth), blocks)


def _lost(solved: _Solved, made: Chain, codes: int) -> Floats:
    """Conversions and value per journey that pass through each campaign: shape (2, codes)."""
    lost = np.zeros((2, codes))
    state, place = np.nonzero(made.members >= 0)
    pairs = np.unique(made.members[state, place] * made.size + state)
    of = pairs // made.size
    groups = np.split(pairs % made.size, np.flatnonzero(np.diff(of)) + 1)
    for code, states, block in zip(np.unique(of), groups, solved.blocks(groups), strict=True):
        lost[:, code] = solved.through(states, block)
    return lost


def _checked(found: Floats) -> Floats:
    if len(found) and (found.min() < -SLACK or found.max() > 1 + SLACK):
        raise LeadlineError(
            f"A removal effect lies between {found.min()!r} and {found.max()!r} instead of 0 and 1: the solution is "
            "wrong, nothing was credited."
        )
    return np.clip(found, 0.0, 1.0)


def _refitted(given: Journeys) -> Effects:
    """Share of conversions, and of value, of journeys that hold one campaign alone."""
    at, code = given.memberships
    alone = np.bincount(at, minlength=len(given.lengths))[at] == 1
    some = given.some
    lost = []
    for amount in (given.conversions, given.value):
        total = amount[some].sum()
        sums = added(code[alone], amount[at[alone]], given.states)
        lost.append(sums / total if total else sums)
    weight = given.weights[some].sum()
    return Effects(lost[0], lost[1], float(given.conversions[some].sum() / weight) if weight else 0.0, given.states)
