"""Tables as a loader left them → the objects and fields Leadline reads.

Names match without case and underscores, so `CampaignMember`, `campaign_member` and `MQL_Date__c`,
`mql_date_c` need no map. What a loader adds (a mark of deletion, the time a version holds, the time
of loading) is known for Fivetran, Airbyte, dlt and dbt snapshots; `[warehouse]` names others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final

import ibis
import ibis.expr.types as ir

from leadline.config import Settings, WarehouseSettings
from leadline.errors import SourceError, did_you_mean
from leadline.model.source import TYPES, Source
from leadline.schema import OBJECTS, VERSIONED, Kind
from leadline.sources.naming import folded
from leadline.warehouse.engine import Engine

DELETED: Final = ("_fivetran_deleted", "_ab_cdc_deleted_at", "_sdc_deleted_at")
VALID_FROM: Final = ("_fivetran_start", "_dlt_valid_from", "dbt_valid_from")
VALID_TO: Final = ("_fivetran_end", "_dlt_valid_to", "dbt_valid_to")
SYNCED: Final = ("_fivetran_synced", "_airbyte_extracted_at", "_airbyte_emitted_at", "_sdc_batched_at")
"""What loaders call these columns."""

_OWN: Final = re.compile(r"_(fivetran|airbyte|ab|dlt|sdc)_\w+|dbt_\w+", re.IGNORECASE)
_FOREVER: Final = "9999-01-01"
"""From this day on the end of a version stands for none: Fivetran writes the last instant of 9999."""

_NO_ID: Final = "000000000000000AAA"
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CAPITALS: Final = _LETTERS + _LETTERS.lower() + "0123456789"
_MARKS: Final = "1" * 26 + "0" * 36
"""What each character of an id becomes, so that 1 stands where a capital stood."""

_CHECK: Final = _LETTERS + "012345"
_FIVES: Final = ",".join(f"{number:05b}"[::-1] for number in range(32))
"""The patterns of five characters in the order of their letter in `_CHECK`."""

_CUSTOM: Final = re.compile(r"\w+__c")


@dataclass(frozen=True, slots=True)
class Stamps:
    """Columns of one table that the loader added, as far as they are there."""

    deleted: str | None
    valid_from: str | None
    valid_to: str | None
    synced: str | None

    @classmethod
    def of(cls, columns: Iterable[str], settings: WarehouseSettings) -> Stamps:
        """What the settings name, else what a loader is known to add."""
        held = {folded(column): column for column in columns}

        def column(named: str | None, usual: tuple[str, ...]) -> str | None:
            names = (named,) if named else usual
            return next((held[folded(name)] for name in names if folded(name) in held), None)

        return cls(
            column(settings.deleted, DELETED),
            column(settings.valid_from, VALID_FROM),
            column(settings.valid_to, VALID_TO),
            column(settings.synced, SYNCED),
        )


@dataclass(frozen=True, slots=True)
class Mapped:
    """The source, and for each object the table and the stamps it was made from."""

    source: Source
    raw: dict[str, ir.Table]
    stamps: dict[str, Stamps]


def mapped(engine: Engine, settings: Settings) -> Mapped:
    """The records of a warehouse as the model reads them.

    Raises:
        SourceError: no table is one of an object, names are missing or not unique, or a table holds an id twice.
    """
    found = _objects(engine.raw(), settings.warehouse)
    if not found:
        raise SourceError(
            f"[warehouse] source: {settings.warehouse.source} holds no table named after an object of Salesforce "
            "(Lead, CampaignMember, Opportunity …). Name its tables under [warehouse.tables]."
        )
    custom = custom_fields(settings)
    tables: dict[str, ir.Table] = {}
    versions: dict[str, ir.Table] = {}
    stamps: dict[str, Stamps] = {}
    for name, raw in found.items():
        stamps[name] = Stamps.of(raw.columns, settings.warehouse)
        rows = _long_ids(engine, name, raw, _fields(name, raw, settings.warehouse, custom))
        tables[name] = engine.view(f"src_{name}", _newest(rows, raw, stamps[name]))
        _one_row_each(engine, name, tables[name])
        if name in VERSIONED and stamps[name].valid_from and stamps[name].valid_to:
            versions[name] = engine.view(f"src_{name}__versions", _versions(rows, raw, stamps[name]))
    return Mapped(Source(tables, versions), found, stamps)


def known_at(mapped: Mapped) -> ir.Table:
    """One row with the newest moment that the loader stamped, else that Salesforce stamped: `known_at`."""
    moments = [
        raw.select(at=_instant(raw[mapped.stamps[name].synced]))
        for name, raw in mapped.raw.items()
        if mapped.stamps[name].synced
    ]
    if not moments:
        held = [mapped.source.with_deleted(name) for name in mapped.source.objects()]
        moments = [rows.select(at="SystemModstamp") for rows in held if "SystemModstamp" in rows.columns]
    newest = [rows.aggregate(at=rows["at"].max()) for rows in moments]
    both = reduce(ibis.union, newest)
    return both.aggregate(known_at=both["at"].max())


def custom_fields(settings: Settings) -> dict[str, str]:
    """Custom fields that the settings name, by their folded name."""
    return {folded(text): text for text in sorted(_texts(settings.model_dump(mode="json"))) if _CUSTOM.fullmatch(text)}


def _texts(value: Any) -> Iterator[str]:
    """All texts in a tree of settings, keys of tables too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _texts(key)
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _objects(raw: Mapping[str, ir.Table], settings: WarehouseSettings) -> dict[str, ir.Table]:
    """Object → its table."""
    held: dict[str, list[str]] = {}
    for name in sorted(raw):
        held.setdefault(folded(name), []).append(name)
    found = {}
    for name in OBJECTS:
        told = settings.tables.get(name)
        if told is not None and told not in raw:
            raise SourceError(f"[warehouse.tables] {name}: there is no table {told!r}.{did_you_mean(told, raw)}")
        fitting = [told] if told else held.get(folded(name), [])
        if len(fitting) > 1 and name in fitting:
            fitting = [name]
        if len(fitting) > 1:
            raise SourceError(
                f"The tables {' and '.join(fitting)} are both named after {name}. Say which under [warehouse.tables]."
            )
        if fitting:
            found[name] = raw[fitting[0]]
    return found


def _fields(name: str, raw: ir.Table, settings: WarehouseSettings, custom: Mapping[str, str]) -> dict[str, ir.Value]:
    """Field → its column with the type the model wants; columns of the loader are left out."""
    kinds = OBJECTS[name]
    wanted = {folded(field): field for field in kinds} | dict(custom)
    told = {key.partition(".")[2]: column for key, column in settings.columns.items() if key.startswith(f"{name}.")}
    found: dict[str, str] = {}
    for column in raw.columns:
        if _OWN.fullmatch(column) or column in told.values():
            continue
        field = wanted.get(folded(column), column)
        if field in found and column != field:
            if found[field] == field:
                continue
            raise SourceError(
                f"The columns {found[field]} and {column} of {name} are both named after {field}. "
                "Say which under [warehouse.columns]."
            )
        found[field] = column
    for field, column in told.items():
        if column not in raw.columns:
            raise SourceError(
                f"[warehouse.columns] {name}.{field}: its table has no column {column!r}."
                f"{did_you_mean(column, raw.columns)}"
            )
        found[field] = column
    if "Id" not in found:
        raise SourceError(f"The table of {name} has no column Id. Name it under [warehouse.columns].")
    return {field: _typed(raw[column], kinds.get(field)).name(field) for field, column in found.items()}


def _typed(column: Any, kind: Kind | None) -> Any:
    """A column with the type of its kind; of what the schema does not know, only instants lose their zone."""
    if kind is None:
        return _instant(column) if column.type().is_timestamp() else column
    if kind in ("id", "text"):
        text = column.cast("string").nullif("")
        return text.nullif(_NO_ID) if kind == "id" else text
    if kind == "datetime":
        return _instant(column)
    if kind == "bool" and column.type().is_string():
        return column.strip().lower().isin(["true", "1", "t"])
    if column.type().is_string():
        column = column.strip().nullif("")
    return column.cast(TYPES[kind])


def _long_ids(engine: Engine, name: str, raw: ir.Table, rows: dict[str, ir.Value]) -> dict[str, ir.Value]:
    """Ids of 15 characters, as reports write them, as those of 18; columns that hold none stay as they are."""
    kinds = OBJECTS[name]
    ids: dict[str, Any] = {field: column for field, column in rows.items() if kinds.get(field) == "id"}
    # Completing every id of every table would cost more than asking once which columns hold short ones.
    asked = raw.aggregate(**{field: (column.length() == 15).cast("int8").max() for field, column in ids.items()})
    short = engine.backend.to_pyarrow(asked).to_pylist()[0]
    return rows | {field: _id_18(column).name(field) for field, column in ids.items() if short[field]}


def _id_18(column: Any) -> Any:
    marks = column.translate(_CAPITALS, _MARKS)
    ends = column
    for start in (0, 5, 10):
        at = ibis.literal(_FIVES).find(marks.substr(start, 5)) // 6
        ends = ends + ibis.literal(_CHECK).substr(at, 1)
    return ibis.ifelse(column.re_search("^[0-9A-Za-z]{15}$"), ends, column)


def _instant(column: Any) -> Any:
    """A moment in UTC without zone, of an instant with one, a text, or a moment that is in UTC already."""
    if column.type().is_string():
        column = column.nullif("").cast("timestamp('UTC')")
    return column.cast(TYPES["datetime"])


def _newest(rows: dict[str, ir.Value], raw: ir.Table, stamps: Stamps) -> ir.Table:
    """The newest state of each record; one that the loader marks deleted is deleted."""
    columns = dict(rows)
    if stamps.deleted:
        mark: Any = raw[stamps.deleted]
        gone = mark.fill_null(False) if mark.type().is_boolean() else mark.notnull()
        own: Any = rows.get("IsDeleted")
        columns["IsDeleted"] = gone if own is None else own.fill_null(False) | gone
    if stamps.valid_to:
        raw = raw.filter(_end(raw, stamps).isnull())
    return raw.select(**columns)


def _one_row_each(engine: Engine, name: str, newest: ir.Table) -> None:
    """Refuse a table that a loader appends to: each state of a record would count as a record of its own."""
    key: Any = newest["Id"]
    held = engine.backend.to_pyarrow(newest.aggregate(states=key.count(), records=key.nunique())).to_pylist()[0]
    if held["states"] > held["records"]:
        raise SourceError(
            f"The table of {name} holds {held['states']} rows of {held['records']} ids: its loader appends each state "
            "of a record. Make a view with the newest row of each id and name it under [warehouse.tables]; where the "
            "table has the times a version holds, name those as valid_from and valid_to under [warehouse]."
        )


def _versions(rows: dict[str, ir.Value], raw: ir.Table, stamps: Stamps) -> ir.Table:
    """All versions, with the times they hold."""
    assert stamps.valid_from is not None, "asked only for tables with both times"
    return raw.select(**rows, _valid_from=_instant(raw[stamps.valid_from]), _valid_to=_end(raw, stamps))


def _end(raw: ir.Table, stamps: Stamps) -> Any:
    end = _instant(raw[stamps.valid_to])
    return ibis.ifelse(end < ibis.literal(_FOREVER).cast(TYPES["datetime"]), end, ibis.null(TYPES["datetime"]))
