"""Typed Arrow columns from arrays of a story."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadline.demo.clock import NO_DAY, Clock

INSTANT = pa.timestamp("ms", tz="UTC")
MONEY = pa.decimal128(18, 3)
RATE = pa.decimal128(18, 4)

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def _bitmap(valid: Mask | None) -> pa.Buffer | None:
    if valid is None or bool(valid.all()):
        return None
    return pa.py_buffer(np.packbits(valid, bitorder="little"))


def instants(seconds: Ints, valid: Mask | None = None) -> pa.Array:
    """UTC seconds since 1970 as timestamps; not `valid` is a null."""
    buffers = [_bitmap(valid), pa.py_buffer(np.ascontiguousarray(seconds * 1000))]
    return pa.Array.from_buffers(INSTANT, len(seconds), buffers)


def dates(clock: Clock, days: Ints) -> pa.Array:
    """Day numbers as dates; NO_DAY is a null."""
    values = np.ascontiguousarray(clock.epoch_day(days).astype(np.int32))
    return pa.Array.from_buffers(pa.date32(), len(days), [_bitmap(days != NO_DAY), pa.py_buffer(values)])


def decimals(units: Ints, kind: pa.DataType = MONEY, valid: Mask | None = None) -> pa.Array:
    """Integers in the last decimal place of `kind` as decimals."""
    words = np.empty((len(units), 2), np.int64)
    words[:, 0] = units
    words[:, 1] = units >> 63
    return pa.Array.from_buffers(kind, len(units), [_bitmap(valid), pa.py_buffer(words)])


def bools(values: Mask) -> pa.Array:
    """A column of true and false."""
    return pa.array(values)


def choice(codes: Ints, words: Sequence[str | None]) -> pa.Array:
    """The word of each code; the code −1 and the word None are null."""
    pool = pa.array([*words, None], pa.string())
    return pool.take(pa.array(np.where(codes < 0, len(words), codes)))


def constant(word: str | None, count: int) -> pa.Array:
    """One word in every row."""
    return pa.array([word], pa.string()).take(pa.array(np.zeros(count, np.int64)))


def numbered(numbers: Ints) -> pa.Array:
    """Numbers as text."""
    return pa.array(numbers).cast(pa.string())
