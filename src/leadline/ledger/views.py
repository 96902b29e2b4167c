"""What the ledger offers the model: views over the attached ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from leadline.engines import quoted
from leadline.schema import DATE_ONLY, VERSIONED

if TYPE_CHECKING:
    import duckdb

SCHEMA: Final = "src"
"""Schema of the views, in the connection's own database."""

_NUMBERED: Final = "(SELECT row_number() OVER (ORDER BY key) AS load_id, * FROM ledger._loads)"

_TABLES: Final = {
    "_loads": f"SELECT load_id, name, extracted_at, coverage, loaded_rows FROM {_NUMBERED}",
    "_columns": 'SELECT "object", "column", kind, in_newest_load FROM ledger._columns',
    "_gone": "SELECT * FROM ledger._gone",
} | {
    table: f"SELECT load_id, t.* EXCLUDE (key) FROM ledger.{table} AS t JOIN {_NUMBERED} USING (key)"
    for table in ("_load_objects", "_findings", "_files")
}


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Make the views; the ledger is attached as `ledger`."""
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    for name, query in _queries(con).items():
        con.execute(f"CREATE OR REPLACE VIEW {SCHEMA}.{quoted(name)} AS {query}")


def drop(con: duckdb.DuckDBPyConnection) -> None:
    """Remove the views."""
    con.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def _queries(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    queries = dict(_TABLES)
    found = con.execute('SELECT "object", list("column" ORDER BY rowid) FROM ledger._columns GROUP BY ALL').fetchall()
    for name, columns in sorted(found):
        selected = ", ".join(map(quoted, [*columns, DATE_ONLY]))
        table = f"ledger.records.{quoted(name)}"
        queries[name] = f"SELECT {selected} FROM {table}"
        if name in VERSIONED:
            queries[name] += " WHERE _valid_to IS NULL"
            queries[f"{name}__versions"] = f"SELECT {selected}, _valid_from, _valid_to FROM {table}"
    return queries
