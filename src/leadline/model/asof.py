"""The as-of: what has happened by then (decisions D1, D2)."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from leadline.model.calendar import day_number


@dataclass(frozen=True, slots=True)
class AsOf:
    """A moment: `second` UTC seconds since 1970, `day` its local day number."""

    second: int
    day: int

    @classmethod
    def at(cls, moment: dt.datetime, zone: str) -> AsOf:
        """The as-of of an aware datetime in the reporting zone."""
        local = moment.astimezone(zoneinfo.ZoneInfo(zone))
        return cls(int(moment.timestamp() // 1), day_number(local.date()))

    def happened(self, table: ir.Table, name: str) -> ir.BooleanValue:
        """Whether the moment `name` is not after as-of: by day where only a date is known. No moment: False."""
        return self.happened_at(table, f"{name}_s", f"{name}_day", f"{name}_is_date")

    def happened_at(self, table: ir.Table, second: str, day: str, is_date: str) -> ir.BooleanValue:
        """`happened` for a moment whose three columns have names of their own."""
        by_date = table[is_date].fill_null(False)
        return ibis.ifelse(by_date, table[day] <= self.day, table[second] <= self.second).fill_null(False)

    def cut(self, second: ir.IntegerValue) -> ir.IntegerValue:
        """Sort keys never lie after as-of."""
        return ibis.ifelse(second > self.second, ibis.literal(self.second, "int64"), second)
