"""A published snapshot, opened for questions at its own as-of or another one."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, get_args

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from leadline import engines
from leadline.config import Funnel, OpportunitySettings, Settings
from leadline.errors import SnapshotError, UnknownNameError
from leadline.model import base, catalogue, derived
from leadline.model.asof import AsOf
from leadline.model.compiled import COMPILER
from leadline.model.kept import Kept
from leadline.model.money import Currency
from leadline.model.store import Store, table_names

BASE_EXTRA = ("days", "rates_static", "rates_dated", "findings", "finding_records", "_lineage", "_fields")

JOURNEY_FINDINGS, JOURNEY_DIMENSIONS, JOURNEY_TIMES = "journey_findings", "journey_dimensions", "journey_times"
"""Kept ready of journeys at the snapshot's own as-of: findings that touch each, dimensions, days in each stage."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Tables, settings and facts of one snapshot at one as-of.

    Attributes:
        tables: name → table of the model (base and derived).
        as_of: the moment events are cut at; `moment` is the same as an aware datetime.
        known_at: the load the snapshot rests on.
        numbers: learned windows and stuck limits, e.g. "window:default:journeys:MQL>SAL".
        meta: everything else the snapshot says of itself.
        records: dimension → value that the units of every question must have: what whoever asks may see.
    """

    backend: Backend
    tables: dict[str, ir.Table]
    settings: Settings
    zone: str
    currency: Currency
    as_of: AsOf
    moment: dt.datetime
    known_at: dt.datetime
    snapshot: str
    numbers: dict[str, int]
    meta: dict[str, str]
    kept: Kept = field(default_factory=Kept)
    records: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> ir.Table:
        """A table of the model.

        Raises:
            SnapshotError: the snapshot was published before Leadline had that table.
        """
        if name not in self.tables:
            raise SnapshotError(
                f"The snapshot {self.snapshot} has no table {name!r}: an earlier Leadline published it. "
                "Publish anew with `leadline build`."
            )
        return self.tables[name]

    def __contains__(self, name: str) -> bool:
        return name in self.tables

    def funnel(self, name: str | None) -> tuple[str, Funnel]:
        """The funnel of that name, or the first one."""
        known = self.settings.funnel
        if not known:
            raise SnapshotError(
                "No funnel is defined. Write one into leadline.toml, or have one proposed with `leadline init --propose`."
            )
        if name is None:
            name = next(iter(known))
        if name not in known:
            raise UnknownNameError("funnel", name, known, "leadline.toml")
        return name, known[name]

    def held_to(self, records: Mapping[str, str]) -> Self:
        """The same snapshot for somebody who may see only units with these values."""
        return replace(self, records={**self.records, **records})

    def keep(self, expression: ir.Table) -> ir.Table:
        """Run a question once into a temporary table, for the questions that build on it."""
        return self.kept.keep(self.backend, expression)

    def arrow(self, expression: ir.Table) -> Any:
        """Run a question: a PyArrow table."""
        return COMPILER.arrow(self.backend, expression)

    def sql(self, expression: ir.Table) -> str:
        """The SQL of a question."""
        return COMPILER.text(self.backend, expression)


def open_snapshot(
    path: Path,
    *,
    as_of: dt.datetime | None = None,
    close_date: str | None = None,
    spill: Path | None = None,
    memory_limit: str | None = None,
) -> Opened:
    """Open a snapshot; another as-of or close date than its own rebuilds the derived tables in memory.

    Args:
        as_of: the moment events are cut at; None is the snapshot's own.
        close_date: "history" or "field", as in the settings; None is what the snapshot was built with.
        spill: folder for what does not fit into memory.
        memory_limit: of the engine, e.g. "800MB"; None is that of `engines`.

    Raises:
        SnapshotError: the file is absent or damaged.
    """
    backend = engines.ibis_scratch(path, memory_limit, spill=spill)
    meta = _meta(backend)

    def store(found: dict[str, ir.Table]) -> Store:
        return Store(backend, temporary=True, found=found)

    return at_moment(meta, _published(backend), store, as_of=as_of, close_date=close_date, name=path.stem)


def at_moment(
    meta: dict[str, str],
    tables: dict[str, ir.Table],
    new_store: Callable[[dict[str, ir.Table]], Store],
    *,
    as_of: dt.datetime | None,
    close_date: str | None,
    name: str,
) -> Opened:
    """The tables of a snapshot, on whatever engine, at its own as-of and close date or at others.

    Args:
        meta: the table `_meta`.
        tables: those of the model, by name.
        new_store: where derived tables are made anew, beside those it is given; temporary ones.
        name: what the snapshot is called if `_meta` does not say it.
    """
    own = dt.datetime.fromisoformat(meta["as_of"])
    published = Settings.model_validate(json.loads(meta["settings"]))
    settings = published if close_date is None else _with_close_date(published, close_date)
    currency = Currency(**json.loads(meta["currency"]))
    moment = own if as_of is None else as_of.astimezone(dt.UTC)
    cut = AsOf.at(moment, meta["zone"])
    redated = settings != published
    if moment != own or redated:
        store = _rebuilt(new_store, tables, settings, currency, cut, redated=redated)
        tables = store.tables
    else:
        store = new_store(tables)
    return Opened(
        backend=store.backend,
        tables=tables,
        settings=settings,
        zone=meta["zone"],
        currency=currency,
        as_of=cut,
        moment=moment,
        known_at=dt.datetime.fromisoformat(meta["known_at"]),
        snapshot=meta.get("id", name),
        numbers=json.loads(meta.get("numbers", "{}")),
        meta=meta,
    )


def _with_close_date(settings: Settings, close_date: str) -> Settings:
    known = get_args(OpportunitySettings.model_fields["close_date"].annotation)
    if close_date not in known:
        raise UnknownNameError("close date", close_date, known)
    opportunities = settings.opportunities.model_copy(update={"close_date": close_date})
    return settings.model_copy(update={"opportunities": opportunities})


def _meta(backend: Backend) -> dict[str, str]:
    rows = COMPILER.arrow(backend, backend.table("_meta", database=(engines.SNAPSHOT_NAME, "main"))).to_pylist()
    return {row["key"]: row["value"] for row in rows}


def _published(backend: Backend) -> dict[str, ir.Table]:
    place = (engines.SNAPSHOT_NAME, "main")
    held = table_names(backend, *place)
    wanted = [info.name for info in catalogue.PUBLISHED] + [
        *BASE_EXTRA,
        JOURNEY_FINDINGS,
        JOURNEY_DIMENSIONS,
        JOURNEY_TIMES,
    ]
    return {name: backend.table(name, database=place) for name in wanted if name in held}


def _rebuilt(
    new_store: Callable[[dict[str, ir.Table]], Store],
    tables: dict[str, ir.Table],
    settings: Settings,
    currency: Currency,
    cut: AsOf,
    *,
    redated: bool,
) -> Store:
    """Base tables from the snapshot, derived tables made anew for another as-of or other close dates."""
    made = {info.name for info in (*catalogue.PUBLISHED, *catalogue.EXTRA) if info.derived}
    if redated:
        made.add("opportunity_versions")
    store = new_store({name: table for name, table in tables.items() if name not in made})
    if redated:
        base.keep_versions(store, settings, currency)
    derived.build(store, settings, currency, cut)
    store.forget()
    return store
