"""The files of a load into the workspace, by dlt.

dlt takes the Parquet files as they are (no row passes through Python, no file is rewritten),
proves them against explicit types, and lands them; DuckDB reads them where they then lie. Of
a run that was cut short nothing is used: the next one begins with an empty folder.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from leadline.errors import LedgerError
from leadline.ledger.promises import SQL_TYPES, cast, is_typed
from leadline.schema import Kind
from leadline.sources.staged import StagedObject

FOLDER: Final = ".dlt"
"""Everything dlt writes lies here, and only while a load is taken."""

_ELSEWHERE: Final = "elsewhere"
_DATASET: Final = "raw"

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
class Table:
    """Files on their way that agree in the order of their columns; each such group has a table of its own.

    Attributes:
        name: its name for dlt.
        object: what the files hold.
        names: their columns, in order.
        nullable: whether each column may hold nulls.
        columns: kinds of the columns.
        paths: the files.
    """

    name: str
    object: str
    names: list[str]
    nullable: list[bool]
    columns: dict[str, Kind]
    paths: list[Path]


def prepare(workspace: Path, objects: Sequence[StagedObject]) -> list[Table]:
    """The files of a load in the types they promise; those that are not are written anew.

    Raises:
        LedgerError: a file does not hold what it promises.
    """
    import pyarrow.parquet as pq

    clear(workspace)
    folder = workspace / FOLDER
    folder.mkdir(parents=True)
    tables: dict[tuple[object, ...], Table] = {}
    for index, staged in enumerate(objects):
        for part, path in enumerate(staged.files):
            if not is_typed(path, staged.columns):
                cast(path, folder / f"{index:03}_{part:04}.parquet", staged)
                path = folder / f"{index:03}_{part:04}.parquet"
            fields = [(field.name, field.nullable) for field in pq.read_schema(path)]
            name = f"part_{index:03}_{len(tables):04}"
            names, nullable = [name for name, _ in fields], [holds for _, holds in fields]
            new = Table(name, staged.object, names, nullable, staged.columns, [])
            tables.setdefault((index, *fields), new).paths.append(path)
    return list(tables.values())


def land(workspace: Path, tables: Sequence[Table]) -> dict[str, list[Path]]:
    """Where the files landed, by name of their table.

    Raises:
        LedgerError: dlt failed; nothing was taken.
    """
    if not tables:
        # A pull that found nothing new is a load without files.
        return {}
    folder = workspace / FOLDER
    with _environment(folder):
        from dlt.common.exceptions import DltException

        place = _place(folder)
        try:
            _run(place, tables)
            landed = {table.name: sorted((place / "landed" / _DATASET / table.name).iterdir()) for table in tables}
        except (DltException, OSError) as error:
            raise _not_taken(workspace, _cause(error)) from error
    for table in tables:
        # dlt hands files through, or makes one of them where it must rename a column: the rows tell.
        sent, arrived = _rows(table.paths), _rows(landed[table.name])
        if sent != arrived:
            raise _not_taken(workspace, f"{arrived:,} of {sent:,} rows of {table.object} arrived.")
    return landed


def _rows(paths: Sequence[Path]) -> int:
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(path).num_rows for path in paths)


def _not_taken(workspace: Path, why: str) -> LedgerError:
    return LedgerError(f"The files could not be taken into {workspace}: {why} Nothing was changed.")


def clear(workspace: Path) -> None:
    """Remove dlt's folder with whatever package is pending; call with the writer lock only."""
    folder = workspace / FOLDER
    if (note := folder / _ELSEWHERE).exists():
        shutil.rmtree(note.read_text(encoding="utf-8"), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def _run(place: Path, tables: Sequence[Table]) -> None:
    import dlt
    from dlt.destinations import filesystem

    destination = filesystem(bucket_url=str(place / "landed"), layout="{table_name}/{file_id}.{ext}")
    pipeline = dlt.pipeline(
        "ledger", pipelines_dir=str(place / "pipelines"), destination=destination, dataset_name=_DATASET
    )
    pipeline.extract([_resource(table) for table in tables], loader_file_format="parquet")
    pipeline.normalize()
    pipeline.load(workers=1)
    pipeline.deactivate()


def _resource(table: Table) -> Any:
    import dlt
    import pyarrow.parquet as pq

    # dlt rewrites a file whose columns may hold nulls where the hint says otherwise, or reversely.
    columns: dict[str, Any] = {
        name: {**_HINTS[SQL_TYPES[table.columns[name]]], "nullable": nullable}
        for name, nullable in zip(table.names, table.nullable, strict=True)
    }

    def files() -> Iterator[Any]:
        for path in table.paths:
            yield dlt.mark.with_file_import(str(path.resolve()), "parquet", pq.read_metadata(path).num_rows)

    return dlt.resource(files, name=table.name, write_disposition="append", columns=columns)


def _place(folder: Path) -> Path:
    """Where dlt works: in its folder, unless that has a path dlt cannot put into addresses and format strings."""
    if re.fullmatch(r"[\w\s./\\:+,=@()~-]*", str(folder.resolve())):
        return folder
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
