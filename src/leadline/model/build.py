"""From the ledger's records to the tables of a snapshot."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb
import ibis

from leadline.config import Settings
from leadline.model import base, catalogue, derived
from leadline.model.asof import AsOf
from leadline.model.money import Currency
from leadline.model.source import Source
from leadline.model.store import Store, table_names
from leadline.sources.costs_file import CostsFile


@dataclass(frozen=True, slots=True)
class Built:
    """What was built: zone, currency, as-of, and rows per table."""

    zone: str
    currency: Currency
    as_of: AsOf
    rows: dict[str, int]


def build(
    source: Source,
    settings: Settings,
    known_at: dt.datetime,
    store: Store,
    *,
    as_of: dt.datetime | None = None,
    spent: CostsFile | None = None,
) -> Built:
    """Build all tables into `store` from a source, at `as_of` (default: known_at), with the costs of a file.

    Raises:
        CostsError: the file names no campaign of the source, or a currency without a rate.
        IdentityError: merge or conversion pointers without an end.
    """
    found = base.build(store, source, settings, known_at, spent)
    moment = AsOf.at(as_of or known_at, found.zone)
    derived.build(store, settings, found.currency, moment)
    store.forget()
    kept = {info.name: store.count(store[info.name]) for info in catalogue.PUBLISHED if info.name in store}
    return Built(found.zone, found.currency, moment, kept)


def source_of(connection: duckdb.DuckDBPyConnection) -> tuple[ibis.backends.duckdb.Backend, Source]:
    """The Ibis backend on a connection with an attached ledger (schema `src`), and its records."""
    backend = ibis.duckdb.from_connection(connection)
    views = [name for name in table_names(backend, backend.current_catalog, "src") if not name.startswith("_")]
    tables = {name: backend.table(name, database="src") for name in views if not name.endswith("__versions")}
    versions = {
        name.removesuffix("__versions"): backend.table(name, database="src")
        for name in views
        if name.endswith("__versions")
    }
    return backend, Source(tables, versions)
