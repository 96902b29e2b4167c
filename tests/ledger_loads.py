"""Small staged loads for tests of the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from leadline.engines import quoted
from leadline.ledger import Ledger
from leadline.schema import DATE_ONLY, OBJECTS, Kind
from leadline.sources.staged import Coverage, StagedLoad, StagedObject

ARROW: dict[Kind, pa.DataType] = {
    "id": pa.string(),
    "text": pa.string(),
    "bool": pa.bool_(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "decimal": pa.decimal128(28, 8),
    "rate": pa.decimal128(28, 12),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
}

Rows = Sequence[Mapping[str, Any]]


def moment(text: str) -> dt.datetime:
    """An instant in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def staged_object(
    folder: Path, name: str, rows: Rows, kinds: Mapping[str, Kind] | None = None, parts: int = 1
) -> StagedObject:
    """Rows as Parquet, with the columns of the first row; unknown columns are text unless told."""
    folder.mkdir(parents=True, exist_ok=True)
    names = list(rows[0]) if rows else list(kinds or {"Id": "id"})
    known = OBJECTS.get(name, {}) | dict(kinds or {})
    columns: dict[str, Kind] = {each: known.get(each, "text") for each in names if each != DATE_ONLY}
    columns[DATE_ONLY] = "text"
    schema = pa.schema([(each, ARROW[kind]) for each, kind in columns.items()])
    files = []
    for part in range(parts):
        share = [{**dict.fromkeys(columns), **row} for row in rows[part::parts]]
        path = folder / f"{name}-{part}.parquet"
        pq.write_table(pa.Table.from_pylist(share, schema=schema), path, compression="zstd")
        files.append(path)
    return StagedObject(name, tuple(files), columns, len(rows))


def staged_load(
    folder: Path,
    at: str,
    objects: Mapping[str, Rows] | Sequence[StagedObject],
    coverage: Coverage = "full",
    name: str = "export.zip",
) -> StagedLoad:
    """A load of rows per object, or of objects staged already."""
    made = (
        tuple(staged_object(folder, each, rows) for each, rows in objects.items())
        if isinstance(objects, Mapping)
        else tuple(objects)
    )
    return StagedLoad(made, (), moment(at), "declared", coverage, name)


def content(workspace: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Everything the ledger offers the model, per view, in a fixed order; names of loads aside."""
    con = duckdb.connect()
    ledger = Ledger(workspace)
    ledger.attach(con)
    try:
        views = [
            name for (name,) in con.execute("SELECT view_name FROM duckdb_views() WHERE schema_name = 'src'").fetchall()
        ]
        found: dict[str, list[tuple[Any, ...]]] = {}
        for view in sorted(views):
            query = f"SELECT {'* EXCLUDE (name)' if view == '_loads' else '*'} FROM src.{quoted(view)}"
            columns = [row[0] for row in con.execute(f"DESCRIBE {query}").fetchall()]
            rows = sorted(con.execute(query).fetchall(), key=repr)
            found[view] = [tuple(columns), *rows]
        return found
    finally:
        con.close()


def rows_of(workspace: Path, view: str, columns: str = "*") -> list[tuple[Any, ...]]:
    """Rows of one view, ordered by their text."""
    con = duckdb.connect()
    Ledger(workspace).attach(con)
    try:
        return sorted(con.execute(f"SELECT {columns} FROM src.{quoted(view)}").fetchall(), key=repr)
    finally:
        con.close()
