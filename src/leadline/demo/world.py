"""What all blocks of people share: calendar, users, campaigns, rates."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from leadline.demo.clock import Clock
from leadline.demo.params import CAMPAIGN_TYPES, T_BLANK, T_CONTENT, T_EVENT, TYPE_SHARES, Parameters

Columns = dict[str, NDArray[Any]]
"""A table of the story: equally long arrays by name."""

HUMANS: Final = 24
INTEGRATIONS: Final = 3
RATE_MONTHS: Final = 25

_EVENT_DAYS: Final = 3
_LEAD_TIME: Final = 20


def rng_for(seed: int, block: int, name: str) -> np.random.Generator:
    """The random stream of one object in one block; streams do not depend on each other."""
    return np.random.default_rng(np.random.SeedSequence([seed, block + 1, zlib.crc32(name.encode())]))


def concat(parts: list[Columns]) -> Columns:
    """Tables below each other; all have the columns of the first."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def take(table: Columns, rows: NDArray[Any]) -> Columns:
    """The chosen rows of a table, by mask or by position."""
    return {name: column[rows] for name, column in table.items()}


@dataclass(frozen=True, slots=True)
class World:
    """Everything the blocks read.

    Attributes:
        campaigns: type (code), start and end (day numbers, NO_DAY = blank), parent (row or −1), cost
            (minor units, −1 = blank), currency (code), deleted. The leaves come first, then the programmes.
        stuck: row of the campaign whose leads never leave SAL.
        bulk: row of the campaign that lists are loaded into.
        deleted_campaign: row of the campaign that was deleted.
        rates: dated rates, shape (months, currencies), in ten-thousandths of a unit per USD.
        rate_days: first day of validity of each row of `rates`.
    """

    clock: Clock
    parameters: Parameters
    campaigns: Columns
    leaves: int
    stuck: int
    bulk: int
    deleted_campaign: int
    rates: NDArray[np.int64]
    rate_days: NDArray[np.int64]
    _starts: tuple[NDArray[np.int64], ...]
    _rows: tuple[NDArray[np.int64], ...]

    def pick_campaigns(
        self, kinds: NDArray[np.int64], days: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """A campaign of each type that had started by each day, one of the newest six."""
        out = np.zeros(kinds.shape, np.int64)
        back = rng.integers(0, 6, kinds.shape)
        for kind in range(len(CAMPAIGN_TYPES)):
            chosen = kinds == kind
            newest = np.searchsorted(self._starts[kind], days[chosen], side="right") - 1
            out[chosen] = self._rows[kind][np.maximum(newest - back[chosen], 0)]
        return out


def make_world(clock: Clock, parameters: Parameters) -> World:
    """The shared part of an org."""
    rng = rng_for(parameters.seed, -1, "world")
    leaves = int(np.clip(parameters.people // 250, 42, 2000))
    campaigns = _campaigns(rng, leaves, parameters)
    stuck, bulk, gone = leaves - 3, leaves - 2, leaves - 1
    kinds = campaigns["kind"][: leaves - 3]
    starts, rows = [], []
    for kind in range(len(CAMPAIGN_TYPES)):
        members = np.flatnonzero(kinds == kind)
        members = members[np.argsort(campaigns["start"][members], kind="stable")]
        rows.append(members)
        starts.append(campaigns["start"][members])
    rate_days = np.arange(RATE_MONTHS, dtype=np.int64) * 30 - 10
    return World(
        clock, parameters, campaigns, leaves, stuck, bulk, gone,
        _rates(rng), rate_days, tuple(starts), tuple(rows),
    )  # fmt: skip


def _campaigns(rng: np.random.Generator, leaves: int, parameters: Parameters) -> Columns:
    count = leaves - 3
    kinds = np.concatenate(
        [np.repeat(np.arange(len(CAMPAIGN_TYPES)), 2), rng.choice(len(CAMPAIGN_TYPES), count - 14, p=TYPE_SHARES)]
    )
    start = rng.integers(-_LEAD_TIME, parameters.days - 5, count)
    start[:14] = -_LEAD_TIME
    special_kind = [T_CONTENT, T_BLANK, T_EVENT]
    special_start = [parameters.days - parameters.stuck_days, parameters.bulk_days[0] - 5, 100]
    kind = np.concatenate([kinds, special_kind]).astype(np.int64)
    start = np.concatenate([start, special_start]).astype(np.int64)
    return _with_programmes(rng, kind, start)


def _with_programmes(rng: np.random.Generator, kind: NDArray[np.int64], start: NDArray[np.int64]) -> Columns:
    leaves = len(kind)
    half_year = np.maximum(start, 0) // 183
    programme = kind * 8 + half_year
    names, parent = np.unique(programme, return_inverse=True)
    parent = np.where(rng.random(leaves) < 0.1, -1, parent + leaves)
    length = np.where(
        np.isin(kind, (2, T_EVENT)), rng.integers(1, _EVENT_DAYS + 1, leaves), rng.integers(20, 120, leaves)
    )
    cost = np.round(rng.lognormal(9.0, 0.7, leaves), 2) * 100
    return {
        "kind": np.concatenate([kind, names // 8]),
        "start": np.concatenate([start, (names % 8) * 183]),
        "length": np.concatenate([length, np.full(len(names), 182)]),
        "parent": np.concatenate([parent, np.full(len(names), -1)]),
        "half_year": np.concatenate([half_year, names % 8]),
        "cost": np.concatenate([cost, np.zeros(len(names))]).astype(np.int64),
        "no_cost": np.concatenate([rng.random(leaves) < 0.15, np.ones(len(names), bool)]),
        "no_start": np.concatenate([rng.random(leaves) < 0.03, np.zeros(len(names), bool)]),
        "no_end": np.concatenate([rng.random(leaves) < 0.12, np.zeros(len(names), bool)]),
        "currency": np.concatenate([rng.choice(2, leaves, p=(0.85, 0.15)), np.zeros(len(names), np.int64)]),
        "owner": rng.integers(0, HUMANS, leaves + len(names)),
    }


def _rates(rng: np.random.Generator) -> NDArray[np.int64]:
    """Odd numbers: an amount divided by such a rate is never exactly half a cent."""
    euro = 9201 + 2 * np.cumsum(rng.integers(-40, 41, RATE_MONTHS))
    yen = 1_490_001 + 2 * np.cumsum(rng.integers(-9_000, 9_001, RATE_MONTHS))
    return np.stack([np.full(RATE_MONTHS, 10_000), euro, yen], axis=1).astype(np.int64)
