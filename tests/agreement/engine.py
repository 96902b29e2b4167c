"""Feeds an org of the oracle to the engine and opens what it builds."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend

from leadline.config import Settings
from leadline.model import build, catalogue
from leadline.model.opened import BASE_EXTRA, Opened
from leadline.model.source import TYPES, Source
from leadline.model.store import Store
from leadline.schema import DATE_ONLY, OBJECTS, Kind
from tests.oracle.records import Org, Row

ARROW = {kind: ibis.dtype(name).to_pyarrow() for kind, name in TYPES.items()}


def built(org: Org, settings: Settings, as_of: dt.datetime, known_at: dt.datetime | None = None) -> Opened:
    """The engine's model of an org at as-of, open for questions; it is known then unless told otherwise."""
    backend = ibis.duckdb.connect()
    store = Store(backend)
    done = build.build(source(org, backend), settings, known_at or as_of, store, as_of=as_of)
    names = [info.name for info in catalogue.PUBLISHED] + list(BASE_EXTRA)
    return Opened(
        backend=backend,
        tables={name: store[name] for name in names if name in store},
        settings=settings,
        zone=done.zone,
        currency=done.currency,
        as_of=done.as_of,
        moment=as_of,
        known_at=known_at or as_of,
        snapshot="agreement",
        numbers={},
        meta={},
    )


def source(org: Org, backend: Backend) -> Source:
    """The records as the ledger offers them: one typed table per object."""
    return Source(
        {name: backend.create_table(f"src_{name}", ibis.memtable(arrow(name, rows))) for name, rows in org.items()}
    )


def arrow(name: str, rows: list[Row]) -> pa.Table:
    """An object's records with the types of the schema; unknown columns are text."""
    kinds = OBJECTS.get(name, {})
    fields = list(dict.fromkeys(field for row in rows for field in row)) or list(kinds)
    columns: dict[str, Any] = {}
    for field in fields:
        kind = kinds.get(field, "text")
        columns[field] = pa.array([value_of(kind, row.get(field)) for row in rows], ARROW[kind])
    columns[DATE_ONLY] = pa.array([date_only(kinds, row) for row in rows], pa.string())
    return pa.table(columns)


def value_of(kind: Kind, value: Any) -> Any:
    """A value as the door types it; instants without zone in UTC, a date in a datetime field as its midnight."""
    if value is None:
        return None
    if kind == "datetime":
        return utc(value) if isinstance(value, dt.datetime) else dt.datetime(value.year, value.month, value.day)
    if kind in ("decimal", "rate"):
        return Decimal(str(value))
    if kind != "text":
        return value
    if isinstance(value, dt.datetime):
        return utc(value).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def utc(moment: dt.datetime) -> dt.datetime:
    """The same instant in UTC without a zone."""
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment


def date_only(kinds: dict[str, Kind], row: Row) -> str | None:
    """Names of the datetime fields whose value is only a date, between commas; None without any."""
    names = [
        field
        for field, value in row.items()
        if kinds.get(field) == "datetime" and isinstance(value, dt.date) and not isinstance(value, dt.datetime)
    ]
    return f",{','.join(names)}," if names else None


def rows(opened: Opened, name: str) -> list[dict[str, Any]]:
    """All rows of a table of the model; none where the funnel has no such table."""
    return opened.arrow(opened[name]).to_pylist() if name in opened else []
