"""Which numbers rest on a field of the source: what breaks if it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import ibis
import pyarrow as pa

from leadline.address import Address
from leadline.errors import LeadlineError, UnknownNameError, UsageError
from leadline.explain.watched import Watched, fields_asked, known_fields, watched
from leadline.model import catalogue
from leadline.model.kept import Kept
from leadline.model.opened import Opened
from leadline.model.rests import ROWS, Place
from leadline.results import Column, Definition, Result
from leadline.schema import OBJECTS

COLUMNS = (
    Column("metric", "text", help="Address of the question"),
    Column("rests_on_it", "boolean", help="Whether its numbers change with the field"),
)
TABLE_COLUMNS = (
    Column("table", "text", help="Table of the model"),
    Column("columns", "text", help="Its columns that are made of the field; all rows: which rows there are"),
)

FORMS: tuple[str, ...] = (
    "volume",
    "volume?view=cohort",
    "volume?view=standing",
    "comparison",
    "fates",
    "newness",
    "pipeline",
    "conversion",
    "conversion?convention=eventual",
    "conversion?convention=summary",
    "conversion_matrix",
    "velocity",
    "velocity?measure=cycle",
    "velocity?measure=first-response",
    "velocity?stuck=true",
    "influence",
)
"""Questions whose fields are told: every metric in the form it has without options, and where other fields count."""

Ask = Callable[[Address, Opened], Result]
"""Answers an address on a snapshot that was opened."""


def field_table(name: str, opened: Opened, ask: Ask, forms: Iterable[str] = FORMS) -> Result:
    """Which metrics and which tables of the model rest on a field.

    Args:
        name: OBJECT.FIELD.
        opened: the snapshot; what its tables rest on was kept when it was published.
        ask: answers an address on a snapshot.
        forms: addresses of the questions to look at.

    Raises:
        UsageError: the name has no point, or the snapshot was published without its fields.
        UnknownNameError: no such object, or nothing in the workspace rests on such a field.
    """
    place = _place(name)
    known = known_fields(opened)
    if not known:
        raise UsageError("This snapshot does not say what its tables rest on; publish it anew with `leadline build`.")
    everything = {each for columns in known.values() for places in columns.values() for each in places}
    if place not in everything and place[1] not in OBJECTS.get(place[0], {}):
        names = [f"{held}.{field}" for held, field in everything if held == place[0]]
        raise UnknownNameError("field", name, names, "what this workspace reads")
    used = metric_fields(opened, ask, forms)
    rows = [(form, place in fields) for form, fields in used.items()]
    tables = [
        f"{info.name}: {_columns_text(known[info.name], place)}"
        for info in catalogue.PUBLISHED
        if info.name in known and any(place in places for places in known[info.name].values())
    ]
    return Result(
        kind="fields",
        title=f"What rests on {name}",
        definition=Definition(
            "Metrics whose questions read a column made of the field, or rows chosen by it; found in the questions.",
            opened.meta.get("definition_version", "1"),
        ),
        as_of=opened.moment,
        known_at=opened.known_at,
        snapshot=opened.snapshot,
        timezone=opened.zone,
        currency=opened.currency.code,
        unit="metrics",
        filters={"field": name},
        columns=COLUMNS,
        table=pa.table(
            {
                "metric": pa.array([form for form, _ in rows], pa.string()),
                "rests_on_it": pa.array([on for _, on in rows], pa.bool_()),
            }
        ),
        notes=tuple(tables) or (f"Nothing in this workspace rests on {name}.",),
    )


def metric_fields(opened: Opened, ask: Ask, forms: Iterable[str] = FORMS) -> dict[str, frozenset[Place]]:
    """Address → fields of the source it rests on; questions that make no sense for the funnel are left out.

    The questions are asked of a copy without records, which takes as long for ten million as for ten.
    """
    from leadline.address import parse

    known, bare = known_fields(opened), _without_records(opened)
    found: dict[str, frozenset[Place]] = {}
    for form in forms:
        memory: Watched = watched(bare)
        try:
            ask(parse(form), memory)
        except LeadlineError:
            continue
        found[form] = fields_asked(memory, known)
    return found


def _place(name: str) -> Place:
    held, point, field = name.partition(".")
    if not point or not field:
        raise UsageError(f"{name!r} is no field; write OBJECT.FIELD, e.g. Lead.Status.")
    if held not in OBJECTS:
        raise UnknownNameError("object", held, OBJECTS)
    return held, field


def _columns_text(columns: dict[str, frozenset[Place]], place: Place) -> str:
    named = sorted(name for name, places in columns.items() if name != ROWS and place in places)
    rows = place in columns.get(ROWS, frozenset())
    return ("all rows; " if rows else "") + ", ".join(named)


def _without_records(opened: Opened) -> Opened:
    """The same snapshot with its calendar and no records."""
    backend = ibis.duckdb.connect()
    tables = {}
    for name, table in opened.tables.items():
        if name == "days":
            tables[name] = backend.create_table(name, opened.arrow(table))
        else:
            tables[name] = backend.create_table(name, schema=table.schema())
    return replace(opened, backend=backend, tables=tables, kept=Kept())
