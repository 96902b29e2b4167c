"""How long units took, counted per distinct length and group by the engine: what survival is estimated on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadline.maths.survival import Durations
from leadline.metrics.query import Asked
from leadline.metrics.times import standing
from leadline.model.calendar import DAY_SECONDS

_COUNTS = ("advanced", "exited", "censored")

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Lengths:
    """Units of one group by length.

    Attributes:
        seconds: shape (n,), distinct lengths of 0 or more.
        counts: shape (n, 3): units that advanced, left otherwise, or were still waiting.
        negative: units with a length below 0, which are in no estimate.
    """

    seconds: NDArray[np.int64]
    counts: NDArray[np.int64]
    negative: int

    @property
    def units(self) -> int:
        """Units with a length."""
        return int(self.counts.sum())

    @property
    def waiting(self) -> int:
        """Of these, still waiting."""
        return int(self.counts[:, 2].sum())

    @classmethod
    def together(cls, parts: Sequence[Lengths]) -> Lengths:
        """The units of several groups as one; lengths may repeat."""
        if not parts:
            return NOTHING
        return cls(
            np.concatenate([part.seconds for part in parts]),
            np.concatenate([part.counts for part in parts]),
            sum(part.negative for part in parts),
        )

    def durations(self) -> Durations:
        """For an estimate: in days, causes advanced (0) and left otherwise (1)."""
        return Durations.of(self.seconds / DAY_SECONDS, self.counts[:, :2], self.counts[:, 2])


NOTHING = Lengths(np.zeros(0, np.int64), np.zeros((0, 3), np.int64), 0)
"""No unit at all."""


def counted(asked: Asked, marks: ir.Table, keys: Sequence[str]) -> dict[Key, Lengths]:
    """Lengths per group.

    Args:
        marks: one row per unit with `keys`, seconds and cause (advanced, exit, censored).
        keys: columns that make a group.
    """
    question = marks.group_by(*keys, "seconds").aggregate(
        advanced=(marks.cause == standing.ADVANCED).cast("int64").sum(),
        exited=(marks.cause == standing.EXIT).cast("int64").sum(),
        censored=(marks.cause == standing.CENSORED).cast("int64").sum(),
    )
    return _grouped(asked.opened.arrow(question), keys)


def _grouped(found: pa.Table, keys: Sequence[str]) -> dict[Key, Lengths]:
    """One pass over whole columns: there may be as many lengths as units."""
    if not found.num_rows:
        return {}
    groups, place = np.unique(np.stack([_codes(found[key]) for key in keys], axis=1), axis=0, return_inverse=True)
    order = np.argsort(place.reshape(-1), kind="stable")
    ends = np.cumsum(np.bincount(place.reshape(-1), minlength=len(groups)))
    seconds = found["seconds"].to_numpy()[order]
    counts = np.stack([found[name].to_numpy()[order] for name in _COUNTS], axis=1)
    named = found.select(list(keys)).take(order[np.append(0, ends[:-1])]).to_pylist()
    begins = np.append(0, ends[:-1])
    return {
        tuple(name[key] for key in keys): _lengths(seconds[begin:end], counts[begin:end])
        for name, begin, end in zip(named, begins, ends, strict=True)
    }


def _codes(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """A number per distinct value, -1 for null."""
    encoded = column.combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def _lengths(seconds: NDArray[np.int64], counts: NDArray[np.int64]) -> Lengths:
    known = seconds >= 0
    return Lengths(seconds[known], counts[known], int(counts[~known].sum()))


def number(value: float) -> float | None:
    """An estimate as rows show it: absent where it is not reached."""
    return None if math.isnan(value) else float(value)
