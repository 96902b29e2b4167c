"""Small pieces of DuckDB SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb


def literal(value: str) -> str:
    """A string as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def only_row(con: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The row of a query that has exactly one; the connection is free for the next query."""
    (row,) = con.execute(query).fetchall()
    return tuple(row)


def file_list(paths: tuple[Path, ...] | list[Path]) -> str:
    """Paths as an SQL list of literals."""
    return "[" + ", ".join(literal(str(path)) for path in paths) + "]"
