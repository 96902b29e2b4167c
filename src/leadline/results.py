"""What every metric returns: a table and everything needed to believe it.

`Result.to_json()` is the public JSON contract; the terminal, CSV, Parquet and charts are
renderings of the same object.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa

ColumnType = Literal["text", "integer", "number", "rate", "money", "date", "instant", "boolean"]


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
        table: one Arrow table; money is int64 in minor units here and decimal strings in JSON.
        columns: description of each column of `table`, in order.
        currency_digits: decimal places of `currency`.
        totals: a list of objects, one per combination asked for; money in minor units.
        records: makes the list behind the number, from the same query.
    """

    kind: str
    title: str
    definition: Definition
    as_of: dt.datetime
    known_at: dt.datetime
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
