"""A snapshot of a warehouse, opened for questions."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import ibis.expr.types as ir

from leadline.model import catalogue
from leadline.model.opened import BASE_EXTRA, Opened, at_moment
from leadline.warehouse.engine import TEMPORARY, Engine, EngineKept, EngineStore


def opened(
    engine: Engine, key: str, meta: dict[str, str], *, as_of: dt.datetime | None = None, close_date: str | None = None
) -> Opened:
    """The tables of a published snapshot, at its own moment or another one.

    Args:
        key: its id.
        meta: what the warehouse lists of it.
    """
    place = engine.home(key)
    held = engine.names(place)
    wanted = [info.name for info in catalogue.PUBLISHED] + list(BASE_EXTRA)
    tables = {name: engine.table(name, place) for name in wanted if name in held}

    def store(found: dict[str, ir.Table]) -> EngineStore:
        return EngineStore(engine, TEMPORARY, found=found)

    return on_engine(at_moment(meta, tables, store, as_of=as_of, close_date=close_date, name=key), engine)


def on_engine(opened: Opened, engine: Engine) -> Opened:
    """Tables of an engine, ready for questions that keep answers there."""
    return replace(opened, kept=EngineKept(engine))
