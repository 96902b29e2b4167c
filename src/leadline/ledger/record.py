"""What the ledger knows about its loads: the tables beside the records.

records."OBJECT"   versions of each record (objects of `schema.VERSIONED`) or its newest state
_loads             a load counts when its row is here; `key` sorts in order of time
_load_objects      what each load did to each object
_columns           columns per object, their kind and whether the newest load had them
_gone              ids that a full load lacked, with its moment
_findings          faults found by the source and by the ledger
_files             the account of every file read
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, Final

from leadline.engines import quoted
from leadline.findings import Finding
from leadline.ledger.kept import KeptLoad

if TYPE_CHECKING:
    import duckdb

TABLES: Final = """
    CREATE SCHEMA IF NOT EXISTS records;
    CREATE TABLE IF NOT EXISTS _loads (key VARCHAR, content VARCHAR, name VARCHAR, extracted_at TIMESTAMP,
        evidence VARCHAR, coverage VARCHAR, loaded_rows BIGINT);
    CREATE TABLE IF NOT EXISTS _load_objects (key VARCHAR, "object" VARCHAR, "rows" BIGINT, "new" BIGINT, changed BIGINT,
        unchanged BIGINT, gone BIGINT, returned BIGINT);
    CREATE TABLE IF NOT EXISTS _columns ("object" VARCHAR, "column" VARCHAR, kind VARCHAR, newest_kind VARCHAR,
        in_newest_load BOOLEAN);
    CREATE TABLE IF NOT EXISTS _gone ("object" VARCHAR, "Id" VARCHAR, gone_at TIMESTAMP);
    CREATE TABLE IF NOT EXISTS _findings (key VARCHAR, of_ledger BOOLEAN, code VARCHAR, severity VARCHAR, message VARCHAR,
        "object" VARCHAR, "rows" BIGINT, amount BIGINT, moves VARCHAR[], remedy VARCHAR, record_ids VARCHAR[]);
    CREATE TABLE IF NOT EXISTS _files (key VARCHAR, file VARCHAR, "object" VARCHAR, "rows" BIGINT, loaded BIGINT,
        rejected BIGINT, encoding VARCHAR, notes VARCHAR[]);
"""


@dataclass(frozen=True, slots=True)
class ObjectReport:
    """What a load did to one object: `rows = new + changed + unchanged`; `returned` are among `new`."""

    object: str
    rows: int
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    returned: int = 0


def count(con: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None = None) -> int:
    """The single number of a query, or the rows a statement touched."""
    (number,) = con.execute(sql, parameters or []).fetchone() or (0,)
    return int(number)


def load(con: duckdb.DuckDBPyConnection, kept: KeptLoad) -> None:
    """Enter a load, the account of its files and what its source found."""
    _insert(
        con,
        "_loads",
        [kept.key, kept.content, kept.name, kept.extracted_at, kept.evidence, kept.coverage, kept.rows],
    )
    for each in kept.accounts:
        _insert(
            con,
            "_files",
            [kept.key, each.file, each.object, each.rows, each.loaded, each.rejected, each.encoding, list(each.notes)],
        )
    findings(con, kept.key, kept.findings, of_ledger=False)


def report(con: duckdb.DuckDBPyConnection, key: str, done: ObjectReport) -> None:
    """Enter what a load did to an object."""
    _insert(con, "_load_objects", [key, *astuple(done)])


def findings(con: duckdb.DuckDBPyConnection, key: str, found: Iterable[Finding], *, of_ledger: bool) -> None:
    """Enter findings of a load."""
    for each in found:
        _insert(
            con,
            "_findings",
            [
                key,
                of_ledger,
                each.code,
                each.severity,
                each.message,
                each.object,
                each.rows,
                each.amount,
                list(each.moves),
                each.remedy,
                list(each.record_ids),
            ],
        )


def forget(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Remove an object with everything its loads did, to make it anew."""
    con.execute(f"DROP TABLE IF EXISTS records.{quoted(name)}")
    for table in ("_columns", "_gone", "_load_objects"):
        con.execute(f'DELETE FROM {table} WHERE "object" = ?', [name])
    con.execute('DELETE FROM _findings WHERE of_ledger AND "object" = ?', [name])


def between_loads(con: duckdb.DuckDBPyConnection, key: str) -> list[Finding]:
    """Enter anew what shows only between loads; returns the findings that concern one load.

    All are made anew because a load that comes late can be the earlier one.
    """
    con.execute("DELETE FROM _findings WHERE code IN ('object-missing', 'same-moment')")
    concerned = []
    for later, earlier, finding in [*_missing_objects(con), *_same_moments(con)]:
        findings(con, later, [finding], of_ledger=True)
        concerned += [finding] if key in (later, earlier) else []
    return concerned


Between = tuple[str, str, Finding]
"""The load a finding belongs to, the other one if there is one, and the finding."""


def _missing_objects(con: duckdb.DuckDBPyConnection) -> list[Between]:
    """Which objects of earlier loads a full load lacks."""
    found = con.execute(
        """SELECT l.key, l.name, e."object" FROM _loads AS l JOIN _load_objects AS e ON e.key < l.key
        WHERE l.coverage = 'full' AND NOT EXISTS (FROM _load_objects AS o WHERE o.key = l.key AND o."object" = e."object")
        GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    return [
        (
            key,
            "",
            Finding(
                "object-missing",
                "warning",
                f"{load_name} is a full load without {name}, which earlier loads had; its records stay as they were.",
                name,
                moves=("volume", "conversion", "velocity", "influence"),
                remedy=f"Export {name} along with the others.",
            ),
        )
        for key, load_name, name in found
    ]


def _same_moments(con: duckdb.DuckDBPyConnection) -> list[Between]:
    """Loads of one moment that have an object in common: which of them holds is fixed but arbitrary."""
    found = con.execute(
        """SELECT l.key, e.key, l.name, e.name, l.extracted_at, string_agg(o."object", ', ' ORDER BY o."object")
        FROM _loads AS l JOIN _loads AS e ON e.extracted_at = l.extracted_at AND e.key < l.key
        JOIN _load_objects AS o ON o.key = l.key JOIN _load_objects AS p ON p.key = e.key AND p."object" = o."object"
        GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    return [
        (
            later,
            earlier,
            Finding(
                "same-moment",
                "warning",
                f"{name} and {other} are different loads of {names} at {at:%Y-%m-%d %H:%M:%S} UTC; "
                f"where they differ, {name} (kept as {later}) holds.",
                remedy="If one is to correct the other, import it with a later --extracted-at.",
            ),
        )
        for later, earlier, name, other, at, names in found
    ]


def _insert(con: duckdb.DuckDBPyConnection, table: str, row: list[Any]) -> None:
    con.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
