"""A demo org modelled in memory, without files of a workspace: many seeds in the time one import takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from leadline.config import parse
from leadline.demo.org import CONFIG_TOML, generate
from leadline.metrics.times.learn import learned
from leadline.model import build, catalogue
from leadline.model.opened import BASE_EXTRA, Opened
from leadline.model.source import TYPES, Source
from leadline.model.store import Store
from leadline.schema import OBJECTS

ARROW = {kind: ibis.dtype(name).to_pyarrow() for kind, name in TYPES.items()}


def modelled(folder: Path, *, people: int, seed: int, planted: bool = True) -> Opened:
    """The model of a demo org at its extraction, with the windows learned from it; its files go below `folder`."""
    org = generate(folder / f"{seed}", people=people, seed=seed, format="parquet", planted=planted)
    backend, settings = ibis.duckdb.connect(), parse(CONFIG_TOML)
    tables = {
        name: pa.concat_tables([typed(name, pq.read_table(path)) for path in paths])
        for name, paths in org.paths.items()
    }
    source = Source({name: backend.create_table(f"src_{name}", table) for name, table in tables.items()})
    store = Store(backend)
    done = build.build(source, settings, org.extracted_at, store)
    names = [info.name for info in catalogue.PUBLISHED] + list(BASE_EXTRA)
    opened = Opened(
        backend=backend,
        tables={name: store[name] for name in names if name in store},
        settings=settings,
        zone=done.zone,
        currency=done.currency,
        as_of=done.as_of,
        moment=org.extracted_at,
        known_at=org.extracted_at,
        snapshot="demo",
        numbers={},
        meta={},
    )
    return replace(opened, numbers=learned(opened, {}))


def typed(name: str, table: pa.Table) -> pa.Table:
    """The columns as the ledger types them."""
    kinds = OBJECTS.get(name, {})
    columns = [
        table[column].cast(ARROW[kinds[column]]) if column in kinds else table[column].cast(pa.string())
        for column in table.column_names
    ]
    return pa.table(dict(zip(table.column_names, columns, strict=True)))
