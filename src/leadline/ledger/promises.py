"""What a source promises about a load, checked; and the hash that recognises the load."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadline import engines
from leadline.errors import LedgerError
from leadline.schema import Kind
from leadline.sources.staged import StagedLoad, StagedObject

if TYPE_CHECKING:
    import duckdb

SQL_TYPES: Final[dict[Kind, str]] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "decimal": "DECIMAL(28,8)",
    "rate": "DECIMAL(28,12)",
    "date": "DATE",
    "datetime": "TIMESTAMP",
}
"""What each kind of value is in DuckDB."""


_ARROW_TYPES: Final = {
    "VARCHAR": "string",
    "BOOLEAN": "bool",
    "BIGINT": "int64",
    "DOUBLE": "double",
    "DECIMAL(28,8)": "decimal128(28, 8)",
    "DECIMAL(28,12)": "decimal128(28, 12)",
    "DATE": "date32[day]",
    "TIMESTAMP": "timestamp[us]",
}


def fingerprint(staged: StagedLoad, spill: Path) -> str:
    """SHA-256 over moment, coverage and records; order of rows and files and the name do not count.

    Rows enter as the sum and the exclusive-or of a 64-bit hash each: fast, and only asked to
    recognise a load that comes a second time. `spill` is a folder for what does not fit into memory.

    Raises:
        LedgerError: the load is not what `StagedLoad` promises.
    """
    digest = hashlib.sha256(f"{moment_of(staged).isoformat()} {staged.coverage}".encode())
    con = engines.writer(":memory:", spill=spill)
    try:
        _check_objects(staged)
        for each in sorted(staged.objects, key=lambda each: each.object):
            _check_names(each)
            kinds = [(name, each.columns[name]) for name in sorted(each.columns)]
            sums = [str(value) for value in _sums(con, staged.name, each)]
            whole = ["whole"] if each.whole else []
            digest.update(json.dumps([each.object, kinds, sums, *whole]).encode())
    finally:
        con.close()
    return digest.hexdigest()


def moment_of(staged: StagedLoad) -> dt.datetime:
    """When a load was taken, UTC without zone.

    Raises:
        LedgerError: the load does not say in which zone.
    """
    if staged.extracted_at.tzinfo is None:
        raise LedgerError(f"The moment of {staged.name}, {staged.extracted_at}, has no time zone; give it as UTC.")
    return staged.extracted_at.astimezone(dt.UTC).replace(tzinfo=None)


def _sums(con: duckdb.DuckDBPyConnection, load: str, staged: StagedObject) -> tuple[Any, ...]:
    """Count, sum of hashes, exclusive-or of hashes; on the way every Id is seen to be there once."""
    import duckdb

    from leadline.sources.duplicates import hashes_seen_twice

    row = f"hash({', '.join(map(engines.quoted, sorted(staged.columns)))})"
    key = engines.quoted(next(name for name in staged.columns if name.casefold() == "id"))
    source = f"read_parquet({engines.file_list(staged.files)}, union_by_name = true)"
    try:
        sums = f"SELECT count(*), count({key}), sum({row}::HUGEINT), bit_xor({row}) FROM {source}"
        rows, ids, *hashes = (con.execute(sums).fetchone() if staged.files else None) or (0, 0, 0, 0)
        if rows and len(hashes_seen_twice(con, key, source)):
            (ids,) = con.execute(f"SELECT count(DISTINCT {key}) FROM {source}").fetchone() or (0,)
    except duckdb.Error as error:
        raise LedgerError(f"The staged files of {staged.object} in {load} cannot be read: {error}") from error
    if rows != ids or rows != staged.rows:
        raise LedgerError(
            f"{load} hands over {rows:,} records of {staged.object} with {ids:,} different ids and says {staged.rows:,}; "
            "every record must come once, with its Id."
        )
    return rows, *hashes


def _check_objects(staged: StagedLoad) -> None:
    names = [each.object for each in staged.objects]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise LedgerError(f"{staged.name} hands over {', '.join(twice)} twice; the files of an object belong together.")


def _check_names(staged: StagedObject) -> None:
    folded = [name.casefold() for name in staged.columns]
    if twice := sorted({name for name in folded if folded.count(name) > 1}):
        raise LedgerError(
            f"{staged.object} has columns that differ in case only: {', '.join(twice)}. Rename one of them."
        )
    if "id" not in folded:
        raise LedgerError(f"{staged.object} has no column Id; without it records cannot be followed.")
    if reserved := sorted(set(folded) & {"_valid_from", "_valid_to", "rowid"}):
        raise LedgerError(
            f"{staged.object} has columns named {', '.join(reserved)}, which the ledger needs itself. Rename them."
        )


def is_typed(source: Path, columns: dict[str, Kind]) -> bool:
    """Whether a file has exactly these columns, in their types, and is compressed."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(source)
    packed = not metadata.num_row_groups or metadata.row_group(0).column(0).compression != "UNCOMPRESSED"
    arrow = metadata.schema.to_arrow_schema()
    expected = {name: _ARROW_TYPES[SQL_TYPES[kind]] for name, kind in columns.items()}
    return packed and {field.name: str(field.type) for field in arrow} == expected


def cast(source: Path, target: Path, staged: StagedObject) -> None:
    """Write a file anew with the columns and types of its object, compressed.

    Raises:
        LedgerError: a value does not fit its type, or a column is missing.
    """
    import duckdb

    columns = ", ".join(
        f"CAST({engines.quoted(name)} AS {SQL_TYPES[kind]}) AS {engines.quoted(name)}"
        for name, kind in staged.columns.items()
    )
    con = engines.writer(":memory:")
    try:
        query = f"SELECT {columns} FROM read_parquet({engines.file_list([source])})"
        con.execute(f"COPY ({query}) TO {engines.literal(target)} (FORMAT parquet, COMPRESSION zstd)")
    except duckdb.Error as error:
        raise LedgerError(
            f"The staged file {source} does not hold the columns of {staged.object} it declares: {error}"
        ) from error
    finally:
        con.close()
