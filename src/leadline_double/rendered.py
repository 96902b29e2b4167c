"""Bulk results as one text with the place of each row, so that any page is a slice."""

from __future__ import annotations

import gzip
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from leadline_double.query import Found
from leadline_double.values import csv_value

_LEVEL = 1
"""Packing must not cost more than sending."""


@dataclass
class Rendered:
    """Rows as CSV, every value quoted: row n is `body[offsets[n]:offsets[n + 1]]`."""

    header: bytes
    body: bytes
    offsets: Any
    _packed: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def page(self, start: int, count: int) -> bytes:
        """Header and rows of a page."""
        stop = min(start + count, len(self))
        return self.header + self.body[int(self.offsets[start]) : int(self.offsets[stop])]

    def packer(self, start: int, count: int) -> Callable[[], bytes]:
        """Gives a page gzipped, worked out once."""

        def pack() -> bytes:
            key = (start, count)
            if key not in self._packed:
                self._packed[key] = gzip.compress(self.page(start, count), _LEVEL, mtime=0)
            return self._packed[key]

        return pack


def quoted(values: list[str]) -> str:
    """A header line without its end."""
    return '"' + '","'.join(value.replace('"', '""') for value in values) + '"'


def render(found: Found, ending: str, delimiter: str) -> Rendered:
    """Rows of a query in the order found."""
    between = f'"{delimiter}"'
    names = [".".join(one.steps) for one in found.columns]
    columns = []
    for path in found.columns:
        texts = [csv_value(path.get(row)) for row in found.rows]
        columns.append([text.replace('"', '""') if '"' in text else text for text in texts])
    lines = [f'"{between.join(cells)}"{ending}'.encode() for cells in zip(*columns, strict=True)]
    offsets = array("Q", accumulate(map(len, lines), initial=0))
    header = between.join(names)
    return Rendered(f'"{header}"{ending}'.encode(), b"".join(lines), offsets)
