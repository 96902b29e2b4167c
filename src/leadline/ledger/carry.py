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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from leadline import engines
from leadline.errors import LedgerError
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


@dataclass(frozen=True, slots=True)
class Carried:
    """The loaded tables of one load.

    Attributes:
        database: the DuckDB file.
        relations: per object a query, for a connection that has the file attached as `incoming`,
            that yields its records with the columns and types of the load.
    """

    database: Path
    relations: dict[str, str]


def carry(workspace: Path, load: KeptLoad) -> Carried:
    """Load the files of a kept load into `.dlt/incoming.duckdb`.

    Raises:
        LedgerError: dlt or DuckDB failed; the kept load stays and the next run tries again.
    """
    import duckdb

    folder = workspace / FOLDER
    clear(workspace)
    folder.mkdir(parents=True, exist_ok=True)
    with _environment(folder):
        from dlt.common.exceptions import DltException

        try:
            _run(folder, load)
            return Carried(folder / DATABASE, _relations(folder / DATABASE, load))
        except (DltException, duckdb.Error, OSError) as error:
            raise LedgerError(
                f"The records of {load.name} could not be loaded: {_cause(error)} They are kept in {load.folder}: the next run "
                "tries again, or remove that folder to give the load up."
            ) from error


def clear(workspace: Path) -> None:
    """Remove dlt's folder with whatever package is pending; call with the writer lock only."""
    folder = workspace / FOLDER
    if (note := folder / _ELSEWHERE).exists():
        shutil.rmtree(note.read_text(encoding="utf-8"), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, load: KeptLoad) -> None:
    import dlt
    from dlt.destinations import duckdb as destination

    con = engines.writer(folder / DATABASE)
    con.execute("SET GLOBAL preserve_insertion_order = false")
    try:
        pipeline = dlt.pipeline(
            "ledger", pipelines_dir=str(_pipelines(folder)), destination=destination(con), dataset_name=_DATASET
        )
        pipeline.extract([_resource(*table) for table in _tables(load)], loader_file_format="parquet")
        pipeline.normalize()
        # One file at a time: DuckDB spreads each over all cores by itself, and memory stays flat.
        pipeline.load(workers=1)
        pipeline.deactivate()
        con.execute("CHECKPOINT")
    finally:
        con.close()


def _tables(load: KeptLoad) -> Iterator[tuple[str, StagedObject, Path]]:
    """One table per file: files of one object may order their columns differently."""
    for index, staged in enumerate(load.objects):
        for part, path in enumerate(staged.files):
            yield f"o{index}_{part}", staged, path


def _resource(name: str, staged: StagedObject, path: Path) -> Any:
    import dlt
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    # dlt rewrites a file whose columns may hold nulls where the hint says otherwise, or reversely.
    columns: dict[str, Any] = {
        field.name: {**_HINTS[SQL_TYPES[staged.columns[field.name]]], "nullable": field.nullable}
        for field in metadata.schema.to_arrow_schema()
    }

    def files() -> Iterator[Any]:
        yield dlt.mark.with_file_import(str(path.resolve()), "parquet", metadata.num_rows)

    return dlt.resource(files, name=name, write_disposition="append", columns=columns)


def _relations(database: Path, load: KeptLoad) -> dict[str, str]:
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
    parts: dict[str, list[str]] = {staged.object: [] for staged in load.objects}
    for name, staged, path in _tables(load):
        parts[staged.object].append(_selection(name, stored.get(name, []), path))
    empty = {staged.object: _no_rows(staged.columns) for staged in load.objects}
    return {name: " UNION ALL BY NAME ".join(queries) or empty[name] for name, queries in parts.items()}


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
