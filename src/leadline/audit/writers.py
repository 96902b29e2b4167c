"""Checks of who writes the records: a tool or user that suddenly writes far more in a month, or nothing any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from leadline.audit.check import Audited, Hits, Whole
from leadline.audit.limits import limit
from leadline.model import moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

WRITTEN = ("Lead", "Contact", "CampaignMember", "Opportunity")
"""Objects whose records are counted by writer and month."""

MONTHS = 6
"""Months before a month that it is compared with."""

LEAST = 50
"""Records by which a month must exceed the usual one; below, nothing is called a jump."""

_STEP = "written_{}"
_SHOWN = 5

Series = dict[str, "NDArray[np.int64]"]
"""Writer → records of each whole month, from the first month of the object to the last one before as-of."""


def jump(at: Audited) -> Iterator[Hits]:
    """Months in which a writer created several times as many records as in the median of the months before."""
    factor = limit(at.settings, "writer-jump")
    for name in WRITTEN:
        written = _written(at, name)
        if written is None:
            continue
        months, series = _monthly(at, written)
        found = [
            (writer, month, count, usual)
            for writer, counts in sorted(series.items())
            for month, count, usual in _above(months, counts, factor)
        ]
        if found:
            columns = {"writer": [one[0] for one in found], "month": [one[1] for one in found]}
            chosen = ibis.memtable(
                pa.table(columns, schema=pa.schema([("writer", pa.string()), ("month", pa.int64())]))
            )
            records = written.semi_join(chosen, ["writer", "month"]).select("record_id")
            says = _jumps_told(name, found)
            yield Hits(name, records, at.source.table(name), says)


def silent(at: Audited) -> Iterator[Whole]:
    """Writers that created records month after month and then, for at least one whole month up to as-of, none."""
    least = limit(at.settings, "writer-silent")
    for name in WRITTEN:
        written = _written(at, name)
        if written is None:
            continue
        months, series = _monthly(at, written)
        now = at.store.rows(written.filter(written.month > months[-1]).select("writer").distinct()) if months else []
        alive = {row["writer"] for row in now}
        told = [
            f"{writer} none after {np.datetime64(months[last], 'D').astype('datetime64[M]')}, before {usual:,.0f} a month"
            for writer, counts in sorted(series.items())
            if writer not in alive and (last := _last(counts)) is not None
            for usual in [float(np.median(counts[last - MONTHS + 1 : last + 1]))]
            if usual >= least
        ]
        if told:
            yield Whole(name, f"Who wrote records of {name} every month no longer does: {'; '.join(told)}.")


def _written(at: Audited, name: str) -> ir.Table | None:
    """Records with their writer and the local month of their creation; None where the source does not say both."""
    if not (at.source.has(name, "CreatedById") and at.source.has(name, "CreatedDate")):
        return None
    dated = moments.of_instant(at.source.table(name), at["days"], "CreatedDate", "made")
    dated = dated.filter(dated.made_day.notnull() & (dated.made_day <= at.built.as_of.day))
    plain = dated.select(record_id="Id", creator="CreatedById", made_day="made_day")
    months = at["days"].select(made_day="day", month="month")
    users = at["users"].select("written_by", creator="user_id")
    joined = plain.join(months, "made_day").left_join(users, "creator")
    named = joined.select("record_id", "month", writer=ibis.coalesce(joined.written_by, joined.creator, "(none)"))
    return at.store.once(_STEP.format(name), named)


def _monthly(at: Audited, written: ir.Table) -> tuple[list[int], Series]:
    """The whole months before that of as-of, as day numbers of their first days, and the counts of each writer."""
    rows = at.store.rows(written.group_by("writer", "month").aggregate(count=written.count()))
    days = at["days"]
    (today,) = at.store.rows(days.filter(days.day == at.built.as_of.day).select("month"))
    first = min((row["month"] for row in rows), default=today["month"])
    told = days.filter((days.month >= first) & (days.month < today["month"])).select("month").distinct()
    months = sorted(row["month"] for row in at.store.rows(told))
    place = {month: index for index, month in enumerate(months)}
    series: Series = {}
    for row in rows:
        if row["month"] in place:
            counts = series.setdefault(row["writer"], np.zeros(len(months), np.int64))
            counts[place[row["month"]]] = row["count"]
    return months, series


def _above(months: list[int], counts: NDArray[np.int64], factor: float) -> Iterator[tuple[int, int, float]]:
    """Months far above the median of the months before: month, records, that median.

    A writer is known for `MONTHS` months before it can surprise: a new tool is no jump.
    """
    begun = np.flatnonzero(counts)
    for index in range(int(begun[0]) + MONTHS if len(begun) else len(months), len(months)):
        usual = float(np.median(counts[index - MONTHS : index]))
        count = int(counts[index])
        if count >= factor * usual and count - usual >= LEAST:
            yield months[index], count, usual


def _last(counts: NDArray[np.int64]) -> int | None:
    """The last month with records, if whole months without any follow it and enough months precede it."""
    written = np.flatnonzero(counts)
    last = int(written[-1]) if len(written) else 0
    return last if MONTHS - 1 <= last < len(counts) - 1 else None


def _jumps_told(name: str, found: list[tuple[str, int, int, float]]) -> str:
    most = sorted(found, key=lambda one: (one[3] - one[2], one[0], one[1]))[:_SHOWN]
    shown = "; ".join(
        f"{writer} in {np.datetime64(month, 'D').astype('datetime64[M]')}: {count:,}, usually {usual:,.0f}"
        for writer, month, count, usual in most
    )
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return (
        f"{{rows}} of {{among}} records of {name} were created in months in which their writer wrote several times as "
        f"much as in the median of the {MONTHS} months before: {shown}{more}."
    )
