"""Moments: a source's instants and dates as (second, day, whether only a date was known).

A moment `m` is three columns: `m_s` UTC second (sort key), `m_day` local day number and
`m_is_date`. Instants and dates become moments here and nowhere else, by a join with `days`.
"""

from __future__ import annotations

from typing import Literal

import ibis
import ibis.expr.types as ir

from leadline.model.calendar import DAY_SECONDS
from leadline.schema import DATE_ONLY

Edge = Literal["starts", "ends"]


def of_instant(table: ir.Table, days: ir.Table, field: str, name: str, *, edge: Edge = "starts") -> ir.Table:
    """Add the moment `name` of a datetime field; a value that was only a date takes an edge of its day."""
    stripped = table[DATE_ONLY].contains(f",{field},").fill_null(False)
    return _add(table, days, table[field].epoch_seconds(), stripped, name, edge)


def of_date(table: ir.Table, days: ir.Table, field: str, name: str, *, edge: Edge = "starts") -> ir.Table:
    """Add the moment `name` of a date field."""
    second = table[field].cast("timestamp").epoch_seconds()
    return _add(table, days, second, ibis.literal(True), name, edge)


def of_text(table: ir.Table, days: ir.Table, field: str, name: str, *, edge: Edge = "starts") -> ir.Table:
    """Add the moment `name` of a text field that holds ISO dates or UTC instants; other text gives none."""
    text = table[field]
    readable = text.re_search(r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?$")
    known = table.mutate(_iso=ibis.ifelse(readable, text.substr(0, 10), ibis.null("string"))).left_join(
        days.select(_iso="day_iso", _iso_day="day"), "_iso"
    )
    timed = known["_iso"].notnull() & (known[field].length() == 20)
    clock = sum(
        ibis.ifelse(timed, known[field].substr(at, 2), ibis.literal("0")).cast("int64") * seconds
        for at, seconds in ((11, 3600), (14, 60), (17, 1))
    )
    spare = [column for column in ("_iso", "_iso_right", "_iso_day") if column in known.columns]
    second = known["_iso_day"] * DAY_SECONDS + ibis.ifelse(known["_iso_day"].isnull(), ibis.null("int64"), clock)
    return _add(known, days, second, ~timed.fill_null(False), name, edge).drop(*spare)


def of_field(table: ir.Table, days: ir.Table, field: str, name: str, *, edge: Edge = "starts") -> ir.Table:
    """Add the moment `name` of a field of any kind that can hold a date."""
    kind = table[field].type()
    if kind.is_date():
        return of_date(table, days, field, name, edge=edge)
    if kind.is_timestamp():
        return of_instant(table, days, field, name, edge=edge)
    return of_text(table, days, field, name, edge=edge)


def _add(
    table: ir.Table, days: ir.Table, second: ir.IntegerValue, is_date: ir.BooleanValue, name: str, edge: Edge
) -> ir.Table:
    utc_day = f"_{name}_utc_day"
    marked = table.mutate(**{f"{name}_s": second.cast("int64"), f"{name}_is_date": is_date}).mutate(
        **{utc_day: lambda t: (t[f"{name}_s"] // DAY_SECONDS).cast("int64")}
    )
    calendar = days.select(
        **{utc_day: "day", "_edge": edge, "_before": "offset_before", "_switches": "switches", "_after": "offset_after"}
    )
    joined = marked.left_join(calendar, utc_day)
    raw, dated = joined[f"{name}_s"], joined[f"{name}_is_date"]
    offset = ibis.ifelse(raw < joined["_switches"], joined["_before"], joined["_after"])
    local_day = ((raw + offset) // DAY_SECONDS).cast("int64")
    return joined.mutate(
        **{
            f"{name}_s": ibis.ifelse(dated, joined["_edge"], raw),
            f"{name}_day": ibis.ifelse(dated, joined[utc_day], local_day),
            f"{name}_is_date": dated & raw.notnull(),
        }
    ).drop(*_helper_columns(joined, utc_day))


def _helper_columns(joined: ir.Table, utc_day: str) -> list[str]:
    return [c for c in joined.columns if c in (utc_day, f"{utc_day}_right", "_edge", "_before", "_switches", "_after")]
