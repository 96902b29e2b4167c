"""Small pieces of DuckDB SQL."""

from __future__ import annotations

from pathlib import Path


def literal(value: str) -> str:
    """A string as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def file_list(paths: tuple[Path, ...] | list[Path]) -> str:
    """Paths as an SQL list of literals."""
    return "[" + ", ".join(literal(str(path)) for path in paths) + "]"
