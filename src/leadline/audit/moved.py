"""What findings move, as values: numbers as they are and as they would be, and the digest of the worst.

`leadline.effects` measures them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SHOWN = 5
"""Findings of a digest."""


@dataclass(frozen=True, slots=True)
class Move:
    """What a finding does to one number.

    Attributes:
        metric, number, kind: as in `headline.Number`.
        before: the number as it is; after: with the records of the finding mended.
        low, high: between which it would lie; of exact faults both are `after`.
    """

    metric: str
    number: str
    kind: str
    before: float | None
    after: float | None
    low: float | None
    high: float | None

    @property
    def size(self) -> float:
        """Relative change, 0 for none; what appears out of nothing counts 1."""
        if self.before is None or self.after is None:
            return 0.0 if self.before == self.after else 1.0
        away = max(abs(one - self.before) for one in (self.after, self.low, self.high) if one is not None)
        return away / abs(self.before) if self.before else min(away, 1.0)

    def plain(self) -> dict[str, Any]:
        """As it is stored."""
        return {name: getattr(self, name) for name in self.__slots__}


Moves = dict[str, tuple[Move, ...]]
"""Code of a finding → what its records of all objects together move, the most moved number first."""


@dataclass(frozen=True, slots=True)
class Effect:
    """The number that a finding moves most.

    Attributes:
        code: of the finding.
        move: that number, as it is and as it would be.
        others: further numbers it moves.
    """

    code: str
    move: Move
    others: int


def digest(moves: Moves, present: set[str], most: int = SHOWN) -> tuple[Effect, ...]:
    """The findings that move a number, the largest relative change first.

    Args:
        present: codes to choose from, e.g. those nobody has accepted.
    """
    found = []
    for code in sorted(present & moves.keys()):
        changed = [one for one in moves[code] if one.size]
        if changed:
            found.append(Effect(code, changed[0], len(changed) - 1))
    return tuple(sorted(found, key=lambda one: (-one.move.size, one.code))[:most])
