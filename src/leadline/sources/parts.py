"""Typed rows of a file → Parquet files of several batches each, written beside the typing.

Few large files rather than one per batch: each costs the ledger and its readers a fixed time.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

BATCHES: Final = 8
"""Batches of a file in one Parquet file; each is a row group, so that readers share the work."""
_WAITING: Final = 2
"""Batches that may wait to be written: more would only fill memory."""


class Piece(NamedTuple):
    """The rows of one batch (by its number); `kept` are the batch's rows among them, None for all in order."""

    batch: int
    rows: int
    kept: npt.NDArray[np.int64] | None


@dataclass
class Part:
    """A Parquet file and the batches in it, in order."""

    path: Path
    pieces: list[Piece] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows in the file."""
        return sum(piece.rows for piece in self.pieces)

    def by_piece(self, rows: npt.NDArray[np.int64]) -> dict[int, npt.NDArray[np.int64]]:
        """Rows of the file, ascending, as rows of its batches by their number."""
        found, start = {}, 0
        for batch, count, kept in self.pieces:
            own = rows[np.searchsorted(rows, start) : np.searchsorted(rows, start + count)] - start
            if len(own):
                found[batch] = own if kept is None else kept[own]
            start += count
        return found


class PartWriter:
    """Writes batches into `STEM-00000.parquet`, `STEM-00001.parquet`, … in a thread of its own.

    A file joins `parts` as soon as it is begun, so that whoever starts again can remove it. What
    goes wrong while writing is raised by a later call, at the latest at the end of the `with`.
    """

    def __init__(self, stem: Path, parts: list[Part]) -> None:
        self._stem = stem
        self._parts = parts
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._waiting: deque[Future[None]] = deque()
        self._writer: pq.ParquetWriter | None = None

    def add(self, typed: pa.Table, batch: int, kept: npt.NDArray[np.int64] | None) -> None:
        """Write the rows of a batch; all batches have the same columns."""
        full = bool(self._parts) and len(self._parts[-1].pieces) == BATCHES
        if full or not self._parts:
            self._parts.append(Part(self._stem.with_name(f"{self._stem.name}-{len(self._parts):05d}.parquet")))
        self._parts[-1].pieces.append(Piece(batch, typed.num_rows, kept))
        self._waiting.append(self._pool.submit(self._write, typed, self._parts[-1].path, full))
        while len(self._waiting) > _WAITING:
            self._waiting.popleft().result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        if self._writer is not None:
            self._writer.close()
        if fault is None:
            for written in self._waiting:
                written.result()

    def _write(self, typed: pa.Table, path: Path, begins: bool) -> None:
        if begins and self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._writer is None:
            self._writer = _opened(path, typed)
        self._writer.write_table(typed, row_group_size=max(1, typed.num_rows))


def _opened(path: Path, first: pa.Table) -> pq.ParquetWriter:
    """A file with the encodings that suit its first batch."""
    repeating = [name for name in first.column_names if _repeats(first.column(name))]
    moments = [field.name for field in first.schema if pa.types.is_timestamp(field.type)]
    return pq.ParquetWriter(
        path,
        first.schema,
        compression="snappy",
        use_dictionary=repeating,
        column_encoding=dict.fromkeys(moments, "DELTA_BINARY_PACKED"),
    )


def _repeats(values: pa.ChunkedArray) -> bool:
    """Whether a column of text has few different values, as its beginning shows."""
    return pa.types.is_string(values.type) and len(pc.unique(values.slice(0, 4096))) < 1024
