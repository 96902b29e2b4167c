"""How long something took: calendar days, or working days of the workspace's calendar."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from leadline.errors import UnknownNameError
from leadline.metrics.query import Asked
from leadline.model.calendar import DAY_SECONDS
from leadline.workdays import Workdays, workdays

DAYS = ("calendar", "working")


@dataclass(frozen=True, slots=True)
class DayCount:
    """What a day of a length is.

    Attributes:
        index: working days up to each day; None counts calendar days.
    """

    index: Workdays | None = None

    def measured(self, table: ir.Table, start: str, end: str) -> ir.Table:
        """Add the length between two moments of a table, none of them null.

        Args:
            start, end: names of moments (columns `_s`, `_day`, `_is_date`).

        Adds: seconds, and in_days, from_s, to_s, the scale it is measured on. In calendar days a
        length between two instants is measured in UTC seconds, any other on local midnights
        (day × 86,400). In working days each length is on the scale of the index: working days up
        to that day × 86,400, so a day that ends where it began counts 0.
        """
        if self.index is not None:
            return self._by_index(table, start, end)
        in_days = table[f"{start}_is_date"].fill_null(False) | table[f"{end}_is_date"].fill_null(False)
        known = table.mutate(in_days=in_days)
        scaled = known.mutate(
            from_s=ibis.ifelse(known.in_days, known[f"{start}_day"] * DAY_SECONDS, known[f"{start}_s"]),
            to_s=ibis.ifelse(known.in_days, known[f"{end}_day"] * DAY_SECONDS, known[f"{end}_s"]),
        )
        return scaled.mutate(seconds=scaled.to_s - scaled.from_s)

    def at_midnight(self, day: int) -> int:
        """Where the start of a local day lies on the scale of days, in seconds."""
        return (day if self.index is None else self.index.before(day)) * DAY_SECONDS

    def _by_index(self, table: ir.Table, start: str, end: str) -> ir.Table:
        assert self.index is not None
        index = ibis.memtable(self.index.table()).select("day", "workdays_before")
        begins = index.select(_from_day="day", _from_index="workdays_before")
        ends = index.select(_to_day="day", _to_index="workdays_before")
        joined = table.join(begins, [(f"{start}_day", "_from_day")]).join(ends, [(f"{end}_day", "_to_day")])
        scaled = joined.mutate(
            in_days=ibis.literal(True),
            from_s=joined["_from_index"] * DAY_SECONDS,
            to_s=joined["_to_index"] * DAY_SECONDS,
        )
        return scaled.mutate(seconds=scaled.to_s - scaled.from_s).drop(
            "_from_day", "_from_index", "_to_day", "_to_index"
        )


def day_count(asked: Asked, days: str) -> DayCount:
    """Calendar days, or the working days that the settings say.

    Raises:
        UnknownNameError: neither calendar nor working.
    """
    if days not in DAYS:
        raise UnknownNameError("kind of days", days, DAYS)
    if days == "calendar":
        return DayCount()
    work = asked.opened.settings.workspace
    return DayCount(workdays(tuple(work.holidays), tuple(work.workdays)))
