"""One file's text → typed Parquet, batch by batch, with the account of every row."""

from __future__ import annotations

from collections import Counter
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from leadline.errors import AmbiguousDatesError, SourceError
from leadline.schema import DATE_ONLY, Kind
from leadline.sources import dates_in
from leadline.sources.batches import Batch, Reject, column_name
from leadline.sources.dates_in import orders_that_read
from leadline.sources.file_task import Choices, FileTask
from leadline.sources.parts import PartWriter
from leadline.sources.regular import has_year_zero, taken
from leadline.sources.typing_sql import CURRENCY, BatchSql, Handling

ARROW_TYPES: Final[dict[Kind, pa.DataType]] = {
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


class FileStage:
    """Types the batches of one file.

    `add` says whether it went well; False means that something was found out that changes how the
    object's earlier rows are read, noted in `choices`: everything of the object is read again.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        task: FileTask,
        choices: Choices,
        columns: dict[str, Kind],
        writer: PartWriter,
    ) -> None:
        self._con = con
        self._task = task
        self._choices = choices
        self._columns = columns
        self._writer = writer
        self._batches = 0

    def _sql(self) -> BatchSql:
        task = self._task
        return BatchSql(task.handlings, task.order, task.zone, self._choices.derive_currency)

    def add(self, batch: Batch) -> bool:
        """Type one batch.

        Raises:
            AmbiguousDatesError: dates whose order must be declared.
            SourceError: several currency signs in one column.
        """
        self._look(batch.table)
        while True:
            met = Counter[tuple[str, str]]()
            self._con.register("batch", batch.table)
            if any(handling.full for handling in self._task.handlings) and not self._examine(met):
                return False
            typed = self._typed(batch.table)
            loose = self._ill_read(batch.table, typed)
            if not loose:
                break
            if not self._thoroughly(loose):
                return False
        wrong: list[Reject] = []
        kept = None
        if any(what == "bad" for _, what in met):
            wrong, kept = self._wrong(batch)
            typed = typed.take(pa.array(kept))
        if typed.num_rows:
            self._writer.add(typed, self._batches, kept)
        self._finish(batch, wrong, met)
        return True

    def empty(self) -> None:
        """Write the columns of a file without rows."""
        names = [column_name(index) for index in range(len(self._task.reader.names))]
        nothing = pa.table({name: pa.array([], pa.string()) for name in names})
        self._con.register("batch", nothing)
        self._writer.add(self._typed(nothing), 0, None)

    def _typed(self, table: pa.Table) -> pa.Table:
        """The object's columns: what is regular by Arrow, the others by SQL."""
        known = {key: taken(handling, table) for key, handling in enumerate(self._task.handlings)}
        found = {self._task.handlings[key].column.name: values for key, values in known.items() if values is not None}
        if query := self._sql().typed({key for key, values in known.items() if values is not None}):
            answer = self._con.sql(query).to_arrow_table()
            found |= dict(zip(answer.column_names, answer.columns, strict=True))
        rows = table.num_rows
        types = {name: ARROW_TYPES[kind] for name, kind in self._columns.items()} | {DATE_ONLY: pa.string()}
        return pa.table(
            {name: found[name].cast(kind) if name in found else pa.nulls(rows, kind) for name, kind in types.items()}
        )

    def _look(self, table: pa.Table) -> None:
        """Take the form of dates from the first value of each column that has none yet."""
        sql = self._sql()
        for key, handling in enumerate(self._task.handlings):
            unknown = handling.column.kind == "text" and not handling.column.known
            if handling.form is not None or not (handling.has_dates or unknown):
                continue
            value = _first_value(table, handling)
            if value is None:
                continue
            name = handling.column.name
            instants = handling.column.kind == "datetime" or name in self._choices.timed
            handling.form = dates_in.form_of(value, instants)
            if unknown:
                handling.dated = self._is_dated(name, value)
            handling.full = handling.has_dates and (handling.full or not sql.has_fast(key))
            handling.form = "any" if handling.full else handling.form

    def _is_dated(self, name: str, value: str) -> bool:
        wanted = name in self._task.stamps and dates_in.looks_dated(value, "ymd")
        return self._choices.dated.setdefault(name, wanted or dates_in.looks_dated(value, self._task.order))

    def _ill_read(self, table: pa.Table, typed: pa.Table) -> list[Handling]:
        """Columns read fast whose typed values show that something else is in them."""
        loose = []
        for handling in self._task.handlings:
            identity = handling.column.name == "Id"
            if handling.full or not (handling.checked or identity):
                continue
            expected = 0 if identity else table.column(handling.column.sources[0]).null_count
            values = typed.column(handling.column.name)
            if values.null_count != expected or has_year_zero(values):
                loose.append(handling)
        return loose

    def _thoroughly(self, handlings: list[Handling]) -> bool:
        """Read columns thoroughly from now on; False if the object must be read again."""
        timed = {one.column.name for one in handlings if one.dated and one.form == "midnight"}
        for handling in handlings:
            handling.full = True
            handling.form = "any" if handling.has_dates else handling.form
        self._choices.timed |= timed
        return not timed

    def _examine(self, met: Counter[tuple[str, str]]) -> bool:
        """Count what the values are; False if the object must be read again."""
        sql = self._sql()
        answer = self._con.execute(sql.met())
        names = [column[0] for column in answer.description or []]
        counts = dict(zip(names, *answer.fetchall(), strict=True))
        sound = True
        for key, handling in enumerate(self._task.handlings):
            if not handling.full:
                continue
            found = {what.rpartition("_")[0]: count for what, count in counts.items() if what.endswith(f"_{key}")}
            if found.get("undeclared"):
                self._refuse_order(key)
            sound = self._choose(handling, found) and sound
            met.update({(handling.column.name, what): n for what, n in found.items() if isinstance(n, int) and n})
        return sound

    def _refuse_order(self, key: int) -> None:
        handling = self._task.handlings[key]
        if handling.dated and handling.column.name not in self._task.stamps:
            return
        examples = self._con.execute(self._sql().examples(key, "undeclared")).fetchall()
        shown = ", ".join(repr(value) for (value,) in examples)
        readable = orders_that_read([value for (value,) in examples])
        hint = f"Only {readable[0]} reads these. " if len(readable) == 1 else ""
        raise AmbiguousDatesError(
            f"In {self._task.source.name} the column {handling.column.name} has dates whose day and month can be "
            f"mistaken for each other: {shown}. {hint}Say how they are written with --date-order mdy, dmy or ymd, or for "
            f'this file alone with date_order = "mdy" in the table [files."{self._task.source.base}"] of leadline.toml.'
        )

    def _choose(self, handling: Handling, found: dict[str, int | list[str]]) -> bool:
        """Draw conclusions about a column; False if earlier rows were read under another one."""
        name, choices = handling.column.name, self._choices
        if handling.dated and found["bad"]:
            choices.dated[name] = False
            return False
        if not handling.has_numbers:
            return True
        if handling.declared:
            return self._choose_currency(handling, found)
        if handling.style == "comma" and found["point"]:
            choices.settled.add(name)
            del choices.style[name]
            return False
        if handling.style == "point" and found["comma"] and name not in choices.settled:
            choices.style[name] = "comma"
            return False
        return self._choose_currency(handling, found)

    def _choose_currency(self, handling: Handling, found: dict[str, int | list[str]]) -> bool:
        name, signs, codes = handling.column.name, found["signs"], found["codes"]
        if isinstance(signs, list) and signs:
            self._task.signs.setdefault(name, set()).update(signs)
            if len(self._task.signs[name]) > 1:
                raise SourceError(
                    f"In {self._task.source.name} the column {name} has several currency signs "
                    f"({' '.join(sorted(self._task.signs[name]))}) . Export the amounts with their CurrencyIsoCode."
                )
        known = any(one.column.name == CURRENCY for one in self._task.handlings)
        if codes and handling.column.kind == "decimal" and not known and not self._choices.derive_currency:
            self._choices.derive_currency = True
            return False
        return True

    def _wrong(self, batch: Batch) -> tuple[list[Reject], npt.NDArray[np.int64]]:
        """Rows with a wrong value, and the numbers of the others."""
        count = batch.table.num_rows
        numbered = batch.table.append_column("_row", pa.array(np.arange(count, dtype=np.int64)))
        self._con.register("batch", numbered)
        rows = self._con.execute(self._sql().wrong_rows()).fetchall()
        kept = np.ones(count, np.bool_)
        kept[[row for row, _, _ in rows]] = False
        rejects = [Reject(batch.line(row), column, reason, batch.text(row)) for row, column, reason in rows]
        return rejects, np.flatnonzero(kept)

    def _finish(self, batch: Batch, wrong: list[Reject], met: Counter[tuple[str, str]]) -> None:
        task = self._task
        for handling in task.handlings:
            if handling.form == "local":
                met[handling.column.name, "zoneless"] += 1
        task.met.update(met)
        task.rejects.add(sorted([*batch.rejects, *wrong]))
        task.rows += batch.rows
        self._batches += 1


def _first_value(table: pa.Table, handling: Handling) -> str | None:
    if not handling.column.sources:
        return handling.column.constant
    for chunk in table.column(handling.column.sources[0]).chunks:
        if chunk.null_count < len(chunk):
            return str(chunk.drop_null()[0].as_py())
    return None
