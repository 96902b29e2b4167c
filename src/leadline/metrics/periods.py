"""Periods of events: which one a local day belongs to, and which days are asked for."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.metrics.query import NO_PERIOD, Asked


def within(asked: Asked, table: ir.Table, day: str) -> ir.Table:
    """Rows whose day lies in the range asked for; without a range all rows."""
    kept = table
    if asked.start_day is not None:
        kept = kept.filter(kept[day] >= asked.start_day)
    if asked.end_day is not None:
        kept = kept.filter(kept[day] < asked.end_day)
    return kept


def ranged(asked: Asked) -> bool:
    """Whether a range of days is asked for."""
    return asked.start_day is not None or asked.end_day is not None


def with_period(asked: Asked, table: ir.Table, day: str) -> ir.Table:
    """Add `period_day`: first day of the period that holds `day`; 0 for one period of all."""
    grain = asked.query.grain
    if grain is None:
        return table.mutate(period_day=ibis.literal(0, "int64"))
    if grain == "day":
        return table.mutate(period_day=table[day].fill_null(NO_PERIOD))
    calendar = asked.opened["days"].select(_day="day", _first=grain)
    joined = table.left_join(calendar, [(day, "_day")])
    return joined.mutate(period_day=joined["_first"].fill_null(NO_PERIOD)).drop("_day", "_first")
