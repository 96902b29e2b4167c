"""Shapley values of campaigns, in two games (Shapley 1953; Zhao, Mahboobi & Bagheri 2018).

`coverage`: a set of campaigns is worth the conversions of the journeys whose campaigns all lie in it.
Its value has a closed form, for each journey is a game of unanimity: split evenly among its distinct
campaigns. `rate`: a set is worth the conversion rate of those journeys; adding a campaign may lower it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from leadline.maths.paths.journeys import Floats, Ints, Journeys, added

PLAYERS = 15
"""Campaigns up to which every set is looked at: 2¹⁵ of them."""


@dataclass(frozen=True)
class Values:
    """Shapley values of one game, for conversions and for value.

    Attributes:
        conversions, value: shape (codes,), what each campaign is worth; they add up to the worth of all.
        error: shape (codes,), standard error of `conversions`; 0 where they are exact.
        draws: orders drawn; 0 where every set was looked at.
    """

    conversions: Floats
    value: Floats
    error: Floats
    draws: int


def coverage(given: Journeys) -> Values:
    """The game of conversions, by its closed form."""
    at, code = given.memberships
    share = 1.0 / np.bincount(at, minlength=len(given.lengths))[at]
    sums = [added(code, share * one[at], given.states) for one in (given.conversions, given.value)]
    return Values(sums[0], sums[1], np.zeros(given.states), 0)


def rate(given: Journeys, *, draws: int = 1_000, seed: int = 0) -> Values:
    """The game of conversion rates: exact up to 15 campaigns, else by orders drawn at random.

    Args:
        given: journeys; those without a touch stay out.
        draws: orders drawn above 15 campaigns; each is also taken backwards, which cancels much of its error.
        seed: of the draw.

    Raises:
        ValueError: fewer than two draws.
    """
    if draws < 2:
        raise ValueError("a standard error needs two draws or more")
    seen = given.kept(given.some & (given.weights > 0))
    players = np.flatnonzero(np.bincount(seen.touches, minlength=given.states))
    if len(players) <= PLAYERS:
        found, error, drawn = _exact(seen, players), np.zeros((2, len(players))), 0
    else:
        found, error, drawn = *_drawn(seen, players, draws, np.random.default_rng(seed)), draws
    full = np.zeros((3, given.states))
    full[:, players] = found[0], found[1], error[0]
    return Values(full[0], full[1], full[2], drawn)


def _exact(seen: Journeys, players: Ints) -> Floats:
    """Values of both games from all sets: shape (2, players)."""
    many = len(players)
    at, code = seen.memberships
    bits = np.left_shift(1, np.searchsorted(players, code))
    mask = added(at, bits, len(seen.lengths)).astype(np.int64)
    sums = np.stack([added(mask, one, 1 << many) for one in (seen.weights, *_worth(seen))])
    for player in range(many):
        # Sums over all subsets, one player after the other.
        pairs = sums.reshape(3, -1, 2, 1 << player)
        pairs[:, :, 1] += pairs[:, :, 0]
    worth = _rates(sums)
    size = np.bitwise_count(np.arange(1 << many)).astype(np.int64)
    chance = np.array([1 / (many * math.comb(many - 1, one)) for one in range(many)])
    found = np.zeros((2, many))
    for player in range(many):
        without = np.arange(1 << many).reshape(-1, 2, 1 << player)[:, 0].ravel()
        gain = worth[:, without | (1 << player)] - worth[:, without]
        found[:, player] = gain @ chance[size[without]]
    return found


def _drawn(seen: Journeys, players: Ints, draws: int, chance: np.random.Generator) -> tuple[Floats, Floats]:
    """Means over orders and their backward twins, and the standard errors of those means."""
    many = len(players)
    at, code = seen.memberships
    starts = np.flatnonzero(np.diff(at, prepend=-1))
    who = np.searchsorted(players, code)
    amounts = (seen.weights, *_worth(seen))
    total, square = np.zeros((2, many)), np.zeros((2, many))
    for _ in range(draws):
        order = chance.permutation(many)
        pair = (_gains(order, who, starts, amounts) + _gains(order[::-1], who, starts, amounts)) / 2
        total += pair
        square += pair**2
    mean = total / draws
    return mean, np.sqrt(np.maximum(square / draws - mean**2, 0) / (draws - 1))


def _gains(order: Ints, who: Ints, starts: Ints, amounts: tuple[Floats, ...]) -> Floats:
    """What each player adds when it joins in this order: shape (2, players)."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    complete = np.maximum.reduceat(place[who], starts)
    sums = np.cumsum([added(complete, one, len(order)) for one in amounts], axis=1)
    return np.diff(_rates(sums), axis=1, prepend=0.0)[:, place]


def _worth(seen: Journeys) -> tuple[Floats, Floats]:
    return seen.conversions, seen.value


def _rates(sums: Floats) -> Floats:
    """Conversions and value per journey; a set without a journey is worth nothing."""
    return np.divide(sums[1:], sums[0], out=np.zeros_like(sums[1:]), where=sums[0] > 0)
