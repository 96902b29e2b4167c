"""What every metric returns: a table and everything needed to believe it.

`Result.to_json()` is the public JSON contract; the terminal, CSV, Parquet and charts are
renderings of the same object.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from leadline import dates, money
from leadline.address import Address
from leadline.errors import DependencyError, LeadlineError, UnknownNameError, UsageError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

ColumnType = Literal["text", "integer", "number", "rate", "money", "date", "instant", "boolean", "list"]
"""What a column holds; a list is one of objects with the same keys, e.g. the metrics a finding moves."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result: `unit` is e.g. "days", "USD", "journeys" or empty."""

    name: str
    type: ColumnType
    unit: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """What the number means, in words, and the version of that meaning."""

    text: str
    version: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way from records to the number."""

    step: str
    rows_in: int | None
    rows_out: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Trust:
    """How far the number can be believed: grade A to D or None, with its decomposition."""

    grade: Literal["A", "B", "C", "D"] | None = None
    clean_share: float | None = None
    evidence: dict[str, int] = field(default_factory=dict)
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """A metric's answer.

    Attributes:
        kind: volume, conversion, velocity, influence, …
        as_of, known_at: None for what rests on no snapshot, such as a plain table of paths.
        table: one Arrow table; money is int64 in minor units here and decimal strings in JSON.
        columns: description of each column of `table`, in order.
        currency_digits: decimal places of `currency`.
        totals: a list of objects, one per combination asked for; money in minor units.
        query: the SQL that made the table.
        list_records: makes the list behind the number, from the same query.
        asked: address of the table, where a metric was asked for it.
        explainer: explains a number of it by its address.
    """

    kind: str
    title: str
    definition: Definition
    as_of: dt.datetime | None
    known_at: dt.datetime | None
    snapshot: str
    timezone: str
    currency: str
    unit: str
    filters: dict[str, Any]
    columns: tuple[Column, ...]
    table: pa.Table
    totals: tuple[dict[str, Any], ...] = ()
    trust: Trust = Trust()
    lineage: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    currency_digits: int = 2
    query: str = field(default="", repr=False)
    list_records: Callable[[], Result] | None = field(default=None, repr=False)
    asked: Address | None = field(default=None, repr=False)
    explainer: Callable[[str], Any] | None = field(default=None, repr=False)

    def typed(self) -> pa.Table:
        """The table for typed files: money as decimals in major units, instants in UTC, no NaN."""
        columns = [_typed(self.table.column(column.name), column, self.digits_of(column)) for column in self.columns]
        return pa.table(dict(zip([column.name for column in self.columns], columns, strict=True)))

    def plain(self) -> pa.Table:
        """The table for text files: money, dates and instants as the text of the JSON contract."""
        typed = self.typed()
        columns = [_plain_column(typed.column(column.name), column.type) for column in self.columns]
        return pa.table(dict(zip(typed.column_names, columns, strict=True)))

    def digits_of(self, column: Column) -> int:
        """Decimal places of a money column; its unit may name another currency than the result's."""
        other = column.unit and column.unit != self.currency
        return money.digits(column.unit) if other else self.currency_digits

    def to_dict(self, *, rows: bool = True) -> dict[str, Any]:
        """The public contract as plain values, ready for JSON; without `rows` on request."""
        return {
            "kind": self.kind,
            "title": self.title,
            "definition": asdict(self.definition),
            "as_of": _plain_value(self.as_of),
            "known_at": _plain_value(self.known_at),
            "snapshot": self.snapshot,
            "timezone": self.timezone,
            "currency": self.currency,
            "unit": self.unit,
            "filters": _plain_value(self.filters),
            "columns": [asdict(column) for column in self.columns],
            "rows": self.plain().to_pylist() if rows else [],
            "totals": [_plain_total(total, self.currency_digits) for total in self.totals],
            "trust": _plain_value(asdict(self.trust)),
            "lineage": [asdict(step) for step in self.lineage],
            "notes": list(self.notes),
        }

    def to_json(self, indent: int | None = 2) -> str:
        """The public contract as JSON text."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    def to_pandas(self) -> pd.DataFrame:
        """A pandas frame; money is `Decimal` in major units.

        Raises:
            DependencyError: pandas is not installed.
        """
        _optional("to_pandas()", "pandas")
        return self.typed().to_pandas()

    def to_polars(self) -> pl.DataFrame:
        """A polars frame; money is decimal in major units.

        Raises:
            DependencyError: polars is not installed.
        """
        frame: pl.DataFrame = _optional("to_polars()", "polars").from_arrow(self.typed())
        return frame

    def records(self) -> Result:
        """The list behind the number: one row per unit counted, from the same query.

        Raises:
            LeadlineError: this result has no list.
        """
        if self.list_records is None:
            raise LeadlineError(f"The result {self.title!r} has no list behind it: it counts no records of its own.")
        return self.list_records()

    def address(self, row: int, column: str) -> str:
        """The address of one number of the table, as `leadline explain` takes it.

        Args:
            row: its place in `table`, from 0.
            column: name of its column.

        Raises:
            UnknownNameError: there is no such column.
            LeadlineError: this result answers no question to a metric.
        """
        if self.asked is None:
            raise LeadlineError(f"The result {self.title!r} has no address: no metric was asked for it.")
        if column not in self.table.column_names:
            raise UnknownNameError("column", column, self.table.column_names, self.title)
        keys = self.key_columns()
        values = {name: key_text(self.table.column(name)[row].as_py()) for name in keys}
        return str(replace(self.asked, column=column, cell=tuple(values.items())))

    def explain(self, row: int, column: str) -> Any:
        """Where one number comes from, as `leadline explain` tells it.

        Raises:
            UnknownNameError: there is no such column.
            LeadlineError: this result answers no question to the metrics of a workspace.
        """
        address = self.address(row, column)
        if self.explainer is None:
            raise LeadlineError(f"The result {self.title!r} is of no workspace; ask `explain` of the one it came from.")
        return self.explainer(address)

    def key_columns(self, *, constant: bool = False) -> list[str]:
        """The columns whose values tell one row from the others, in order; with `constant` also those that do not here."""
        dims = set() if self.asked is None else {name for text in self.asked.values("by") for name in text.split(",")}
        found = []
        for column in self.columns:
            named = column.name in dims
            if named or (column.type == "text" and column.name not in NO_KEYS) or column.name in MORE_KEYS:
                values = self.table.column(column.name)
                # A value that every row has tells nothing, unless the question itself asks to split by it.
                if named or constant or pc.count_distinct(values, mode="all").as_py() > 1:
                    found.append(column.name)
        return found

    def row_of(self, cell: Iterable[tuple[str, str | None]]) -> int:
        """The place of the row that has these values.

        Raises:
            UnknownNameError: a column the table does not have.
            UsageError: no row has them, or several do.
        """
        wanted = dict(cell)
        for name in wanted:
            if name not in self.table.column_names:
                raise UnknownNameError("column", name, self.table.column_names, self.title)
        told = {name: [key_text(value) for value in self.table.column(name).to_pylist()] for name in wanted}
        rows = [at for at in range(self.table.num_rows) if all(told[name][at] == wanted[name] for name in wanted)]
        if len(rows) != 1:
            raise UsageError(_not_one_row(self, wanted, len(rows)))
        return rows[0]

    def sql(self) -> str:
        """The query that made the table, for reading; empty if there was none."""
        return self.query

    def chart(self, name: str | None = None) -> Any:
        """An Altair chart of this result: the usual one of its kind, or another by name.

        Raises:
            UnknownNameError: there is no such chart for this kind of result.
            LeadlineError: charts were not loaded (`import leadline.charts`).
        """
        if not _drawing:
            raise LeadlineError("Charts are not loaded; write `import leadline.charts` first.")
        return _drawing[-1](self, name)


NO_KEYS = frozenset(
    [
        "view",
        "convention",
        "measure",
        "direction",
        "scope",
        "window",
        "campaign",
        "before_period",
        "base_period",
        "date_field",
        "driver",
        "driver_value",
        "sentence",
        "owner",
        "source",
        "title",
        "expression",
        "unit",
    ]
)
"""Columns of text that say more about a row and do not tell it from others."""

MORE_KEYS = frozenset({"age", "time_days"})
"""Columns of other kinds that tell rows apart."""


def key_text(value: Any) -> str | None:
    """A value of a row as it stands in an address."""
    if value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _not_one_row(result: Result, wanted: Mapping[str, str | None], found: int) -> str:
    said = ", ".join(f"{name}={value or ''}" for name, value in wanted.items()) or "no value"
    keys = ", ".join(result.key_columns()) or "nothing"
    if not found:
        return f"No row of {result.title!r} has {said}. Rows are told apart by: {keys}."
    return f"{found:,} rows of {result.title!r} have {said}. Name one by: {keys}."


_drawing: list[Callable[[Result, str | None], Any]] = []


def draw_with(draw: Callable[[Result, str | None], Any]) -> None:
    """Make `Result.chart` draw by `draw`: charts are a layer above and announce themselves here."""
    _drawing[:] = [draw]


def _optional(call: str, package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError as fault:
        raise DependencyError(
            f"{call} needs the package {package}, which is not installed here; install it with: pip install {package}"
        ) from fault


def _typed(values: pa.ChunkedArray, column: Column, digits: int) -> pa.ChunkedArray:
    if column.type == "money":
        whole = values.cast(pa.int64()).cast(pa.decimal128(19, 0))
        unit = pa.scalar(Decimal(1).scaleb(-digits), pa.decimal128(digits + 1, digits))
        return pc.multiply(whole, unit)
    if column.type == "instant":
        return values.cast(pa.timestamp("us", tz="UTC"))
    if pa.types.is_floating(values.type):
        return pc.if_else(pc.is_finite(values), values, pa.scalar(None, values.type))
    return values


def _plain_column(values: pa.ChunkedArray, kind: ColumnType) -> pa.ChunkedArray:
    if kind == "instant":
        # Arrow always writes six decimals of a second; whole seconds go without.
        text = pc.strftime(values, format="%Y-%m-%dT%H:%M:%SZ")
        return pc.replace_substring(text, pattern=".000000Z", replacement="Z")
    return values.cast(pa.string()) if kind in ("money", "date", "text") else values


def _plain_value(value: Any) -> Any:
    """Settings and totals as JSON knows them: dates as text, tuples as lists, no NaN."""
    if isinstance(value, Mapping):
        return {str(key): _plain_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain_value(inner) for inner in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, dt.datetime):
        return dates.format_instant(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Decimal) else value


def _plain_total(total: Mapping[str, Any], digits: int) -> dict[str, Any]:
    return {
        key: _plain_money(value, digits) if is_money_key(key) else _plain_value(value) for key, value in total.items()
    }


def is_money_key(key: str) -> bool:
    """Whether an entry of `totals` holds money in minor units."""
    return key in ("amount", "unattributed") or key.endswith("_amount")


def _plain_money(value: Any, digits: int) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain_money(inner, digits) for key, inner in value.items()}
    return money.format_minor(value, digits) if isinstance(value, int) else value
