"""Path models from their definitions alone: dictionaries, one removal at a time, every set of players.

Slow and plain on purpose. A journey is (names, conversions, nulls, value).
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np


class Journey(NamedTuple):
    """A path, how often it converted and did not, and the value of its conversions."""

    path: tuple[str, ...]
    conversions: int
    nulls: int
    value: int = 0


def names(journeys):
    """Every name, in alphabetical order."""
    return sorted({name for one in journeys for name in one.path})


def collapsed(path):
    """A name that repeats the one before it counts once."""
    return tuple(name for place, name in enumerate(path) if place == 0 or path[place - 1] != name)


def counted(journeys, order):
    """Transitions of a chain: state → next state → count; a state is the tuple of the last names."""
    moves: Any = defaultdict(lambda: defaultdict(Fraction))
    worth: Any = defaultdict(Fraction)
    for path, conversions, nulls, value in journeys:
        if not path or not conversions + nulls:
            continue
        states = [()] + [path[max(0, end - order) : end] for end in range(1, len(path) + 1)]
        states = ["start", *states[1:]]
        for one, other in itertools.pairwise(states):
            moves[one][other] += conversions + nulls
        moves[states[-1]]["won"] += conversions
        moves[states[-1]]["lost"] += nulls
        worth[states[-1]] += value
    return moves, worth


def chain_value(journeys, order, removed=None):
    """Probability to convert and expected value from the start; every way into `removed` ends as a null.

    Solves the equations of first steps; `removed` is a name.
    """
    moves, worth = counted(journeys, order)
    states = list(moves)
    at = {state: number for number, state in enumerate(states)}
    matrix, ends = np.eye(len(states)), np.zeros((len(states), 2))
    for state, out in moves.items():
        total = sum(out.values())
        for other, count in out.items():
            if other == "won":
                ends[at[state], 0] += float(count / total)
            elif other != "lost" and not (removed is not None and removed in other):
                matrix[at[state], at[other]] -= float(count / total)
        ends[at[state], 1] += float(worth[state] / total)
    solved = np.linalg.solve(matrix, ends)
    return solved[at["start"]]


def removal_effects(journeys, order):
    """Share of conversions, and of value, lost by removing each name (Anderl et al. 2016)."""
    whole = chain_value(journeys, order)
    left = {name: chain_value(journeys, order, name) for name in names(journeys)}
    return {name: np.divide(whole - one, whole, out=np.zeros(2), where=whole != 0) for name, one in left.items()}


def refit_effects(journeys, order):
    """The same where the touches are deleted and the chain is counted anew; an emptied journey converts no more."""
    rate = chain_value(journeys, order)[0]
    everyone = sum(one.conversions + one.nulls for one in journeys if one.path)
    found = {}
    for name in names(journeys):
        left = [one._replace(path=tuple(other for other in one.path if other != name)) for one in journeys if one.path]
        share = sum(one.conversions + one.nulls for one in left if one.path) / everyone
        found[name] = 1 - (chain_value(left, order)[0] * share if share else 0.0) / rate
    return found


def shapley(players, worth):
    """Shapley values by the definition, over every set; `worth` takes a frozenset."""
    many = len(players)
    found = {}
    for player in players:
        rest = [one for one in players if one != player]
        total = 0
        for size in range(many):
            weight = Fraction(math.factorial(size) * math.factorial(many - size - 1), math.factorial(many))
            for chosen in itertools.combinations(rest, size):
                total += weight * (worth(frozenset(chosen) | {player}) - worth(frozenset(chosen)))
        found[player] = total
    return found


def coverage(journeys, amount="conversions"):
    """Worth of a set: what journeys inside it hold."""
    return lambda chosen: sum(
        Fraction(getattr(one, amount)) for one in journeys if one.path and set(one.path) <= chosen
    )


def rate(journeys, amount="conversions"):
    """Worth of a set: the same per journey inside it."""

    def worth(chosen):
        inside = [one for one in journeys if one.path and set(one.path) <= chosen]
        seen = sum(one.conversions + one.nulls for one in inside)
        return Fraction(sum(getattr(one, amount) for one in inside), seen) if seen else Fraction(0)

    return worth


def random_journeys(chance, many_names=5, many=12, longest=6):
    """Journeys with repeats, one-touch paths, paths that never convert and paths seen twice."""
    letters = [chr(ord("A") + number) for number in range(many_names)]
    found = []
    for _ in range(many):
        size = int(chance.integers(1, longest + 1))
        path = tuple(letters[number] for number in chance.integers(0, many_names, size))
        conversions = int(chance.integers(0, 4))
        value = int(chance.integers(0, 100_000)) if conversions else 0
        found.append(Journey(path, conversions, int(chance.integers(0, 6)), value))
    found.append(Journey((letters[0], letters[1], letters[0]), 2, 3, 5_000))
    return found
