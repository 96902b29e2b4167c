"""The hash of a snapshot's content on an engine: the same number that `snapshots.content` finds in a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ibis.backends.sql.datatypes import DuckDBType

from leadline.snapshots.content import BESIDE

if TYPE_CHECKING:
    import ibis.expr.types as ir

Sums = tuple[int, int | None, int | None]
"""Rows of a table, and the sums of the lower and the upper halves of their hashes; no rows have no sums."""


def whole(row: Sequence[Any]) -> Sums:
    """Numbers of an engine as whole ones."""
    rows, lower, upper = (None if number is None else int(number) for number in row)
    return rows or 0, lower, upper


def content_hash(hashed: Callable[[ir.Table], Sums], tables: Mapping[str, ir.Table]) -> str:
    """SHA-256 over the tables of the model, as `snapshots.content.content_hash` defines it.

    Args:
        hashed: sums of a table, as the engine finds them.
        tables: of the snapshot, by name.
    """
    digest = hashlib.sha256()
    for name in sorted(set(tables) - BESIDE):
        table = tables[name]
        columns = sorted(table.columns)
        kinds = [(column, duckdb_type(table.schema()[column])) for column in columns]
        sums = [str(number) for number in hashed(table.select(*columns))]
        digest.update(json.dumps([name, kinds, sums]).encode())
    return digest.hexdigest()


def duckdb_type(kind: Any) -> str:
    """The name DuckDB has for a type."""
    return str(DuckDBType.to_string(kind)).replace("TEXT", "VARCHAR").replace(", ", ",")


def row_text(schema: Any, as_text: Callable[[str, Any], str], length: str, joined: str) -> str:
    """SQL of the text of a row, from which the hash is made.

    Args:
        schema: columns by name, in order.
        as_text: SQL of a column as text.
        length: function that counts the bytes of a text.
        joined: function that joins texts with a separator, nulls left out.
    """
    texts = {name: (as_text(name, kind), kind) for name, kind in schema.items()}
    values = [f"coalesce({text}, '')" for text, _ in texts.values()]
    # Texts of the other types never hold the separator and are never empty.
    lengths = [
        f"coalesce({length}({text}), -1)" for text, kind in texts.values() if kind.is_string() or kind.is_decimal()
    ]
    return f"{joined}('|', {', '.join([*values, *lengths])})"


def little_endian(digest: str, half: int) -> str:
    """SQL of one half of an MD5 in hexadecimal digits, its last byte first."""
    return "concat(" + ", ".join(f"substr({digest}, {at}, 2)" for at in range(15 + 16 * half, 16 * half, -2)) + ")"
