"""What a snapshot file holds about itself, and the hash of its content.

Tables of every snapshot besides those of the model:

    _meta      key, value                              as_of, known_at, definitions, config …
    _tables    table, key_columns, description         all tables
    _columns   table, column, type, description
    _lineage   step, rows_in, rows_out, why
    _fields    table, column, object, field
    findings, finding_records  faults found in the data
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from leadline.engines import quoted
from leadline.errors import SnapshotError

if TYPE_CHECKING:
    import duckdb

META: Final = "_meta"
TABLES: Final = "_tables"
COLUMNS: Final = "_columns"
LINEAGE: Final = "_lineage"
FIELDS: Final = "_fields"

BESIDE: Final = frozenset(
    [
        "days",
        "rates_static",
        "rates_dated",
        "findings",
        "finding_records",
        "journey_dimensions",
        "journey_findings",
        "journey_times",
        LINEAGE,
        FIELDS,
        META,
        TABLES,
        COLUMNS,
    ]
)
"""Tables that are no content of their own: made from settings, names of files or wall times, or about the others."""

REQUIRED: Final = (META, TABLES, COLUMNS)
"""Tables without which a file is no snapshot."""

_PLAIN: Final = frozenset(
    [
        "BOOLEAN",
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "FLOAT",
        "DOUBLE",
        "DATE",
        "TIMESTAMP",
    ]
)
"""Types whose text never holds the separator and is never empty; all others count with their length."""


def content_hash(con: duckdb.DuckDBPyConnection) -> str:
    """SHA-256 over the tables of the model: those that `_tables` of the connection's database names, less `BESIDE`.

    Columns count by name, rows as a set with multiplicity: for each row the MD5 of its values,
    their 64-bit halves summed up exactly. Sums do not know order, so neither insertion order nor
    the number of threads nor a sort plays a role, and ten million rows take seconds. Load ids,
    wall times and lineage are not in those tables, so they are not in the hash.

    Raises:
        SnapshotError: a table named in `_tables` is absent.
    """
    columns = _columns(con)
    digest = hashlib.sha256()
    for name in sorted(set(_named_tables(con)) - BESIDE):
        if name not in columns:
            raise SnapshotError(f"The snapshot lists the table {name!r} but does not hold it.")
        digest.update(json.dumps([name, columns[name], _sums(con, name, columns[name])]).encode())
    return digest.hexdigest()


def fingerprint(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Per table of the connection's database but `_meta`: its columns, rows, and the exact sum of DuckDB's hash of them.

    Says within one process whether two readings gave the same rows, at a tenth of what the content
    hash costs. It says nothing beyond: DuckDB's hash may differ between its versions.
    """
    return {
        name: [str(columns), *_hash_sum(con, name, columns)] for name, columns in _columns(con).items() if name != META
    }


def _hash_sum(con: duckdb.DuckDBPyConnection, table: str, columns: list[tuple[str, str]]) -> list[str]:
    values = ", ".join(quoted(name) for name, _ in columns)
    row = con.execute(f"SELECT count(*), sum(hash({values})) FROM {quoted(table)}").fetchone()
    return [str(number) for number in row or ()]


def missing_tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Tables a snapshot must have that the connection's database has not."""
    return sorted(set(REQUIRED) - _columns(con).keys())


def read_meta(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The table `_meta` as a dictionary."""
    return dict(con.execute(f"SELECT key, value FROM {META} ORDER BY key").fetchall())


def _named_tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [name for (name,) in con.execute(f'SELECT DISTINCT "table" FROM {TABLES}').fetchall()]


def _columns(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, str]]]:
    """Per table the names and types of its columns, by name."""
    found = con.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = current_database() AND schema_name = 'main' ORDER BY ALL"
    ).fetchall()
    columns: dict[str, list[tuple[str, str]]] = {}
    for table, name, kind in found:
        columns.setdefault(table, []).append((name, kind))
    return columns


def _sums(con: duckdb.DuckDBPyConnection, table: str, columns: list[tuple[str, str]]) -> list[str]:
    """Rows, and the sums of the lower and the upper halves of their hashes."""
    halves = "(h & 18446744073709551615)::UBIGINT AS lower_half, (h >> 64)::UBIGINT AS upper_half"
    query = (
        "SELECT count(*), sum(lower_half), sum(upper_half) "
        f"FROM (SELECT {halves} FROM (SELECT md5_number({_row_text(columns)}) AS h FROM {quoted(table)}))"
    )
    return [str(number) for number in con.execute(query).fetchone() or ()]


def _row_text(columns: list[tuple[str, str]]) -> str:
    """One text per row that no other row of other values has: the values, then the length of each text (-1: null)."""
    values = [f"coalesce({quoted(name)}::VARCHAR, '')" for name, _ in columns]
    lengths = [f"coalesce(strlen({quoted(name)}::VARCHAR), -1)" for name, kind in columns if kind not in _PLAIN]
    return f"concat_ws('|', {', '.join([*values, *lengths])})"
