"""What readers of files hand to typing: columns of text and the rows that never got that far."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import pyarrow as pa


class Reject(NamedTuple):
    """A row that is not loaded: line in the file (from 1), column or "", reason, the row as it stands."""

    line: int
    column: str
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file, in file order.

    Attributes:
        table: text columns `c0`, `c1`, … of the rows that are well-formed; an empty cell is null.
        rejects: rows before, between and behind them that are not.
        line: line of the file (from 1) on which the row of `table` with this index starts.
        text: that row as it stands in the file.
        done: part of the file read so far, 0 to 1.
    """

    table: pa.Table
    rejects: tuple[Reject, ...]
    line: Callable[[int], int]
    text: Callable[[int], str]
    done: float

    @property
    def rows(self) -> int:
        """Rows of the file in this batch, good and bad."""
        return self.table.num_rows + len(self.rejects)


class Again:
    """In place of a batch: what the reader gave so far is void, and it would now read differently."""


class Reader(Protocol):
    """A file as named columns of text.

    Attributes:
        names: the file's own names of its columns, without blanks around them.
        notes: what was recognised or decided while reading.
    """

    names: list[str]
    notes: list[str]

    @property
    def encoding(self) -> str:
        """Name of the encoding that is used."""
        ...

    def count(self) -> int:
        """Rows of the file, good and bad."""
        ...

    def batches(self) -> Generator[Batch | Again, None, None]:
        """All rows, in order; each call reads from the start."""
        ...


def column_name(index: int) -> str:
    """Name of a file's column in a batch; names of the file itself may repeat or be empty."""
    return f"c{index}"
