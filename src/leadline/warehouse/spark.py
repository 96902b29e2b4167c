"""Spark: a snapshot is a folder of Parquet, the pointer one file.

    SNAPSHOTS/ID/TABLE/        the tables of a snapshot
    SNAPSHOTS/ID/_snapshot.json  its sequence and meta
    SNAPSHOTS/current          the id readers take, switched by one replacement

The folders are reached by the driver and by all workers under the same path.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.pyspark import Backend
from ibis.backends.pyspark.datatypes import PySparkSchema
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from leadline import locks
from leadline.errors import SourceError, UsageError
from leadline.snapshots.files import DRAFT, write
from leadline.warehouse import content
from leadline.warehouse.engine import KEPT, TEMPORARY, Engine, Entry

DESCRIPTION: Final = "_snapshot.json"
CURRENT: Final = "current"
_SCRATCH: Final = ".scratch-"
_OWN: Final = "own"

_OPTIONS: Final = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "8",
}
"""Settings of a session, unless `[warehouse.options]` says otherwise."""


class _Compiler(PySparkCompiler):
    """Ibis' own compiler; Spark knows no escapes for two of the blanks to strip and would take the letters v and f."""

    def visit_Strip(self, op: Any, *, arg: Any) -> Any:  # noqa: N802
        blanks = self.f.concat(*(self.f.anon.char(ord(blank)) for blank in " \t\n\r\v\f"))
        return self.f.anon.btrim(arg, blanks)


class _Backend(Backend):
    """Ibis' own backend, with answers and tables held in memory as Arrow: by way of pandas integers become floats."""

    compiler = _Compiler()

    def prepared(self, expression: ir.Table) -> str:
        """The SQL of an expression, with what it holds in memory put where the engine finds it."""
        self._run_pre_execute_hooks(expression)
        return str(self.compile(expression))

    def _register_in_memory_table(self, op: Any) -> None:
        self._session.createDataFrame(op.data.to_pyarrow(op.schema)).createOrReplaceTempView(op.name)

    def to_pyarrow(self, expr: ir.Expr, /, **options: Any) -> Any:
        table = expr.as_table()
        self._run_pre_execute_hooks(table)
        found = self._session.sql(self.compile(table, **options)).toArrow()
        wanted = table.schema().to_pyarrow()
        return expr.__pyarrow_result__(found.cast(pa.schema(wanted)))


class Spark(Engine):
    """A Spark session.

    Args:
        url: the master, or `sc://…` for Spark Connect.
        source: folder with a folder (or file) of Parquet per table.
        snapshots: folder of the snapshots.
        options: settings of the session.

    Raises:
        UsageError: no session can be had.
    """

    def __init__(self, url: str, source: Path, snapshots: Path, options: dict[str, str] | None = None) -> None:
        super().__init__()
        self.source, self.folder = source, snapshots
        self.session = _session(url, {**_OPTIONS, **(options or {})})
        _Backend().register_options()
        self.backend = _Backend().connect(self.session)
        self.scratch = snapshots / f"{_SCRATCH}{secrets.token_hex(6)}"

    def raw(self) -> dict[str, ir.Table]:
        """Folders and files of Parquet in the loader's folder."""
        if not self.source.is_dir():
            raise SourceError(f"[warehouse] source: there is no folder {self.source}.")
        found = [path for path in sorted(self.source.iterdir()) if path.is_dir() or path.suffix == ".parquet"]
        return {
            path.name.removesuffix(".parquet"): self._read(path, re.sub(r"\W", "_", f"raw_{path.stem}"))
            for path in found
        }

    def view(self, name: str, expression: ir.Table) -> ir.Table:
        """A temporary view; Spark compares texts by their bytes anyway."""
        self.session.sql(self.backend.compile(expression)).createOrReplaceTempView(name)
        return self.backend.table(name)

    def make(self, name: str, expression: ir.Table, place: str | None) -> ir.Table:
        """A folder of Parquet with the rows of an expression."""
        self._write(name, expression, place, "errorifexists")
        return self._read(self._path(name, place), self._view(name, place), expression.schema())

    def append(self, name: str, expression: ir.Table, place: str | None) -> None:
        """More rows for a table."""
        # A draft's table is known to Ibis by the name of its view.
        table = name.removeprefix(self._view("", place))
        self._write(table, expression, place, "append")
        self._read(self._path(table, place), self._view(table, place), expression.schema())

    def drop(self, name: str, place: str | None) -> None:
        """Drop a table, if it is there."""
        table = name.removeprefix(self._view("", place))
        self.session.catalog.dropTempView(self._view(table, place))
        shutil.rmtree(self._path(table, place), ignore_errors=True)

    def table(self, name: str, place: str) -> ir.Table:
        """A table of a snapshot."""
        return self._read(self._path(name, place), self._view(name, place))

    def names(self, place: str) -> set[str]:
        """Folders of a snapshot."""
        found = {path.name for path in (self.folder / place).iterdir() if path.is_dir()}
        return {name.removeprefix(_OWN) if name.startswith(f"{_OWN}_") else name for name in found}

    def hashed(self, table: ir.Table) -> content.Sums:
        """Rows, and the sums of the halves of their MD5, each read from its last byte on as DuckDB does."""
        text = content.row_text(table.schema(), _as_text, "octet_length", "concat_ws")
        halves = ", ".join(
            f"cast(conv({content.little_endian('h', half)}, 16, 10) AS decimal(20, 0)) AS half_{half}"
            for half in (0, 1)
        )
        inner = f"SELECT md5({text}) AS h FROM ({self.backend.compile(table)})"
        row = self.session.sql(
            f"SELECT count(*), sum(half_0), sum(half_1) FROM (SELECT {halves} FROM ({inner}))"
        ).collect()[0]
        return content.whole(tuple(row))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A lock on the folder of the snapshots."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with locks.writing(self.folder):
            yield

    def draft(self, token: str) -> str:
        """Folder of a snapshot under way."""
        return f"{DRAFT}{token}"

    def home(self, key: str) -> str:
        """Folder of a published snapshot."""
        return key

    def begin(self, draft: str) -> None:
        """An empty folder; drafts that interrupted builds left behind go."""
        for left in self.folder.glob(f"{DRAFT}*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        (self.folder / draft).mkdir()

    def place(self, draft: str, entry: Entry) -> None:
        """Name the folder, then replace the pointer; the draft is whole before either."""
        home = self.folder / entry.id
        if home.is_dir():
            # The same content under the same definitions is there already.
            shutil.rmtree(self.folder / draft)
        else:
            (self.folder / draft).rename(home)
        write(home / DESCRIPTION, json.dumps({"sequence": entry.sequence, "meta": entry.meta}))
        write(self.folder / CURRENT, f"{entry.id}\n")
        for old in self.listed()[KEPT:]:
            shutil.rmtree(self.folder / old.id)

    def current(self) -> str:
        """The id in the pointer."""
        pointer = self.folder / CURRENT
        return pointer.read_text(encoding="ascii").strip() if pointer.exists() else ""

    def listed(self) -> list[Entry]:
        """Published snapshots, the newest first."""
        found = []
        for path in self.folder.glob(f"[0-9]*/{DESCRIPTION}"):
            said = json.loads(path.read_text(encoding="utf-8"))
            found.append(Entry(path.parent.name, said["sequence"], said["meta"]))
        return sorted(found, key=lambda entry: -entry.sequence)

    def close(self) -> None:
        """End the session; its temporary tables go."""
        self.session.stop()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _write(self, name: str, expression: ir.Table, place: str | None, mode: str) -> None:
        rows = self.session.sql(self.backend.prepared(expression))
        # Spark's own types of computed columns are narrower at times than those that Ibis reckons with.
        wanted = PySparkSchema.from_ibis(expression.schema())
        columns = [
            rows[f"`{own.name}`"]
            if own.dataType == its.dataType
            else rows[f"`{own.name}`"].cast(its.dataType).alias(own.name)
            for own, its in zip(rows.schema, wanted, strict=True)
        ]
        rows.select(*columns).write.mode(mode).parquet(str(self._path(name, place)))

    def _read(self, path: Path, view: str, schema: Any = None) -> ir.Table:
        """A folder as a view; a known schema spares Spark the look into its files, and Ibis the question."""
        reader = self.session.read if schema is None else self.session.read.schema(PySparkSchema.from_ibis(schema))
        reader.parquet(str(path)).createOrReplaceTempView(view)
        if schema is None:
            return self.backend.table(view)
        return ops.DatabaseTable(view, schema=schema, source=self.backend, namespace=ops.Namespace()).to_expr()

    def _path(self, name: str, place: str | None) -> Path:
        # Spark passes over folders whose name begins with an underscore.
        folder = f"{_OWN}{name}" if name.startswith("_") else name
        return (self.scratch if place is TEMPORARY else self.folder / place) / folder

    def _view(self, name: str, place: str | None) -> str:
        return name if place is TEMPORARY else re.sub(r"\W", "_", f"in_{place}__{name}")


def _session(url: str, options: dict[str, str]) -> SparkSession:
    builder = SparkSession.builder
    builder = builder.remote(url) if url.startswith("sc://") else builder.master(url).appName("leadline")
    for name, value in options.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except PySparkException as error:
        raise UsageError(f"[warehouse] url: Spark cannot be reached at {url} ({type(error).__name__}).") from error


def _as_text(name: str, kind: Any) -> str:
    """A value as DuckDB writes it."""
    return f"cast(`{name}` AS string)"
