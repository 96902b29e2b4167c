"""Tiny snapshots for tests: two tables that hold one number throughout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

from leadline import engines

Meta = dict[str, str]


def describe(con: duckdb.DuckDBPyConnection, *tables: str) -> None:
    """The tables every snapshot has about itself."""
    rows = ", ".join(f"('{table}', 'k', 'numbers')" for table in tables)
    con.execute(f'CREATE TABLE _tables AS SELECT * FROM (VALUES {rows}) AS t ("table", key_columns, description)')
    con.execute('CREATE TABLE _columns ("table" VARCHAR, "column" VARCHAR, type VARCHAR, description VARCHAR)')


def meta_of(number: int) -> Meta:
    """Known an hour later for each number."""
    moment = f"2026-01-{1 + number // 24 % 28:02}T{number % 24:02}:00:00Z"
    return {"as_of": moment, "known_at": moment, "definitions": "1", "config": "c"}


def builder(number: int, rows: int = 100) -> Callable[[Path], Meta]:
    """A build whose tables `one` and `two` hold `number` in every row."""

    def build(path: Path) -> Meta:
        con = engines.writer(path, threads=1)
        con.execute(f"CREATE TABLE one AS SELECT range AS k, {number} AS v FROM range({rows})")
        con.execute(f"CREATE TABLE two AS SELECT range AS k, {number} AS v FROM range({2 * rows})")
        describe(con, "one", "two")
        con.close()
        return meta_of(number)

    return build


def number_in(con: duckdb.DuckDBPyConnection) -> int:
    """The number all rows agree on.

    Raises:
        AssertionError: they do not.
    """
    values = con.execute(
        "SELECT v, count(*) FROM (SELECT v FROM one UNION ALL SELECT v FROM two) GROUP BY v"
    ).fetchall()
    assert len(values) == 1, f"torn: {values}"
    rows = con.execute("SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM two)").fetchone()
    assert rows is not None
    assert (rows[0] * 2, rows[0] * 3) == (rows[1], values[0][1]), f"torn: {rows}"
    return int(values[0][0])
