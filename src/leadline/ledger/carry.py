"""Kept loads into DuckDB tables, by dlt.

dlt takes the Parquet files as they are (no row passes through Python) and loads them into
`.dlt/incoming.duckdb`, a database of its own that exists for one load. What a kill leaves of a
package is thrown away and made again from the kept files: dlt would repeat a copy whose end it
did not see, and the rows would be there twice.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from leadline import engines
from leadline.errors import LedgerError
from leadline.ledger.kept import FOLDER as KEPT_FOLDER
from leadline.ledger.kept import SQL_TYPES, KeptLoad
from leadline.schema import Kind
from leadline.sources.staged import StagedObject

FOLDER: Final = ".dlt"
DATABASE: Final = "incoming.duckdb"
_DATASET: Final = "raw"
_ELSEWHERE: Final = "elsewhere"

_HINTS: Final[dict[str, dict[str, Any]]] = {
    "VARCHAR": {"data_type": "text"},
    "BOOLEAN": {"data_type": "bool"},
    "BIGINT": {"data_type": "bigint"},
    "DOUBLE": {"data_type": "double"},
    "DECIMAL(28,8)": {"data_type": "decimal", "precision": 28, "scale": 8},
    "DECIMAL(28,12)": {"data_type": "decimal", "precision": 28, "scale": 12},
    "DATE": {"data_type": "date"},
    "TIMESTAMP": {"data_type": "timestamp", "timezone": False},
}


Piece = tuple[KeptLoad, StagedObject]
"""One object of one load."""

Relations = dict[tuple[str, str], str]
"""Per key of a load and object a query, for a connection that has the database attached as
`incoming`, that yields the records with the columns and types of the load."""


def carry(workspace: Path, pieces: Sequence[Piece]) -> Relations:
    """Load the files of some objects of some kept loads into `.dlt/incoming.duckdb`.

    Raises:
        LedgerError: dlt or DuckDB failed; the kept loads stay and the next run tries again.
    """
    import duckdb

    folder = workspace / FOLDER
    clear(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    with _environment(folder):
        from dlt.common.exceptions import DltException

        try:
            _run(folder, pieces)
            return _relations(folder / DATABASE, pieces)
        except (DltException, duckdb.Error, OSError) as error:
            names = sorted({load.key for load, _ in pieces})
            raise LedgerError(
                f"The kept loads {', '.join(names)} could not be loaded into DuckDB: {_cause(error)} The next run tries again; "
                f"to give a load up, remove its folder from {workspace / KEPT_FOLDER}."
            ) from error


def clear(workspace: Path) -> None:
    """Remove dlt's folder with whatever package is pending; call with the writer lock only."""
    folder = workspace / FOLDER
    if (note := folder / _ELSEWHERE).exists():
        shutil.rmtree(note.read_text(encoding="utf-8"), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, pieces: Sequence[Piece]) -> None:
    import dlt
    from dlt.destinations import duckdb as destination

    con = engines.writer(folder / DATABASE)
    con.execute("SET GLOBAL preserve_insertion_order = false")
    try:
        pipeline = dlt.pipeline(
            "ledger", pipelines_dir=str(_pipelines(folder)), destination=destination(con), dataset_name=_DATASET
        )
        pipeline.extract([_resource(*table) for table in _tables(pieces)], loader_file_format="parquet")
        pipeline.normalize()
        # One file at a time: DuckDB spreads each over all cores by itself, and memory stays flat.
        pipeline.load(workers=1)
        pipeline.deactivate()
        con.execute("CHECKPOINT")
    finally:
        con.close()


def _tables(pieces: Sequence[Piece]) -> Iterator[tuple[str, Piece, Path]]:
    """One table per file: files of one object may order their columns differently."""
    for index, piece in enumerate(pieces):
        for part, path in enumerate(piece[1].files):
            yield f"piece{index}_{part}", piece, path


def _resource(name: str, piece: Piece, path: Path) -> Any:
    import dlt
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    # dlt rewrites a file whose columns may hold nulls where the hint says otherwise, or reversely.
    columns: dict[str, Any] = {
        field.name: {**_HINTS[SQL_TYPES[piece[1].columns[field.name]]], "nullable": field.nullable}
        for field in metadata.schema.to_arrow_schema()
    }

    def files() -> Iterator[Any]:
        yield dlt.mark.with_file_import(str(path.resolve()), "parquet", metadata.num_rows)

    return dlt.resource(files, name=name, write_disposition="append", columns=columns)


def _relations(database: Path, pieces: Sequence[Piece]) -> Relations:
    """Queries that give every column its own name back: dlt replaces quotes and line breaks in names."""
    con = engines.writer(database)
    try:
        found = con.execute(
            "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() WHERE schema_name = ? GROUP BY ALL",
            [_DATASET],
        ).fetchall()
    finally:
        con.close()
    stored = dict(found)
    parts: dict[tuple[str, str], list[str]] = {}
    for name, (load, staged), path in _tables(pieces):
        parts.setdefault((load.key, staged.object), []).append(_selection(name, stored.get(name, []), path))
    return {
        (load.key, staged.object): " UNION ALL BY NAME ".join(parts.get((load.key, staged.object), []))
        or _no_rows(staged.columns)
        for load, staged in pieces
    }


def _selection(table: str, stored: list[str], path: Path) -> str:
    import pyarrow.parquet as pq

    names = pq.read_schema(path).names
    columns = ", ".join(
        f"{engines.quoted(held)} AS {engines.quoted(name)}" for held, name in zip(stored, names, strict=True)
    )
    return f"SELECT {columns} FROM incoming.{_DATASET}.{engines.quoted(table)}"


def _no_rows(columns: dict[str, Kind]) -> str:
    typed = ", ".join(f"NULL::{SQL_TYPES[kind]} AS {engines.quoted(name)}" for name, kind in columns.items())
    return f"SELECT {typed} WHERE false"


def _pipelines(folder: Path) -> Path:
    """Where dlt works: in its folder, unless that has a path dlt cannot put into SQL and format strings."""
    if re.fullmatch(r"[\w\s./\\:+,=@()~-]*", str(folder.resolve())):
        return folder / "pipelines"
    elsewhere = tempfile.mkdtemp(prefix="leadline-")
    (folder / _ELSEWHERE).write_text(elsewhere, encoding="utf-8")
    return Path(elsewhere)


@contextmanager
def _environment(folder: Path) -> Iterator[None]:
    """dlt's settings, in force from before its import to the end of the load: no telemetry, nothing outside the folder."""
    wanted = {
        "DLT_DATA_DIR": str(folder),
        "DLT_PROJECT_DIR": str(folder),
        "DLT_LOCAL_DIR": str(folder),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "CRITICAL",
        "RESTORE_FROM_DESTINATION": "false",
        "SCHEMA__NAMING": "direct",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _cause(error: BaseException) -> str:
    """The innermost reason in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".") + "."
