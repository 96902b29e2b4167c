"""Parquet files, read as text like any other file: types are given by the schema, not by the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from leadline.errors import SourceError
from leadline.sources.archives import SourceFile
from leadline.sources.batches import Again, Batch, column_name
from leadline.sources.sql_text import quoted

_ROWS = 1 << 18


class ParquetReader:
    """A Parquet file; one in an archive is unpacked into `scratch` first, as it is read from its end.

    Raises:
        SourceError: it is no Parquet file, or damaged.
    """

    def __init__(self, source: SourceFile, scratch: Path) -> None:
        self._source = source
        self._path = source.path or _unpacked(source, scratch)
        self.notes: list[str] = []
        try:
            schema = pq.read_schema(self._path)
        except (pa.ArrowException, OSError) as fault:
            raise self._unreadable(fault) from fault
        self.names: list[str] = list(schema.names)

    def _unreadable(self, fault: Exception) -> SourceError:
        return SourceError(f"{self._source.name} cannot be read as Parquet: {fault}. Export it once more.")

    @property
    def encoding(self) -> str:
        """Text of Parquet files is always UTF-8."""
        return "utf-8"

    def count(self) -> int:
        """Rows of the file."""
        return int(pq.read_metadata(self._path).num_rows)

    def batches(self) -> Generator[Batch | Again, None, None]:
        """All rows, in order; a row's line is its number, from 1."""
        with pq.ParquetFile(self._path) as file, duckdb.connect() as con:
            con.execute("SET TimeZone = 'UTC'")
            done, total = 0, max(1, file.metadata.num_rows)
            pieces = file.iter_batches(batch_size=_ROWS)
            while (piece := self._next(pieces)) is not None:
                table = as_text(con, pa.Table.from_batches([piece]))
                yield _batch(table, done, (done + table.num_rows) / total)
                done += table.num_rows

    def _next(self, pieces: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
        try:
            return next(pieces, None)
        except (pa.ArrowException, OSError) as fault:
            raise self._unreadable(fault) from fault


def _unpacked(source: SourceFile, scratch: Path) -> Path:
    scratch.mkdir(parents=True, exist_ok=True)
    path = scratch / f"unpacked-{abs(hash(source.name)):x}.parquet"
    with source.open() as stream, path.open("wb") as target:
        while piece := stream.read(1 << 20):
            target.write(piece)
    return path


def as_text(con: duckdb.DuckDBPyConnection, table: pa.Table) -> pa.Table:
    """Every column as text; dates and instants become ISO, an empty text null."""
    table = table.rename_columns([column_name(index) for index in range(table.num_columns)])
    con.register("piece", table)
    wanted = ", ".join(f"nullif(CAST({quoted(name)} AS VARCHAR), '') AS {quoted(name)}" for name in table.column_names)
    text = con.sql(f"SELECT {wanted} FROM piece").to_arrow_table()
    con.unregister("piece")
    return text


def _batch(table: pa.Table, before: int, done: float) -> Batch:
    def text(row: int) -> str:
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow([column[row].as_py() for column in table.columns])
        return line.getvalue()

    return Batch(table, (), lambda row: before + row + 1, text, done)
