"""Days stood in waiting stages within periods: exact, of open and closed visits, additive by segment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from leadline.dates import day_number, day_of
from leadline.metrics import periods
from leadline.metrics.grouping import Grouping
from leadline.metrics.query import Asked
from leadline.metrics.times.spans import DayCount
from leadline.model.funnels import waiting_stages

Key = tuple[Any, ...]


def stood(asked: Asked, visits: ir.Table, group: Grouping, count: DayCount) -> dict[Key, int]:
    """Seconds stood per (dimensions, first day of the period or 0, stage), above 0 only.

    A visit adds to every period it lies in. Days asked for cut the periods at both ends.
    """
    stages = waiting_stages(asked.funnel)
    waits = visits.filter(visits.stage_no.isin(stages) & (visits.seconds >= 0))
    if asked.query.grain is None:
        within = group.of(overlap(asked, waits, count))
        summed = within.group_by(*asked.by, "stage_no").aggregate(seconds=within.within_s.sum())
        rows = asked.opened.arrow(summed.filter(summed.seconds > 0)).to_pylist()
        return {(*[row[name] for name in asked.by], 0, row["stage_no"]): int(row["seconds"]) for row in rows}
    return _by_period(asked, waits, group, count)


def shares(seconds: dict[Key, int]) -> dict[Key, float]:
    """Part of each in all days of its period; the parts of one period add up to 1."""
    totals: dict[Any, int] = defaultdict(int)
    for key, value in seconds.items():
        totals[key[-2]] += value
    return {key: value / totals[key[-2]] for key, value in seconds.items()}


def overlap(asked: Asked, visits: ir.Table, count: DayCount) -> ir.Table:
    """Seconds of each visit that lie within the days asked for: column `within_s`."""
    low, high = (_bound(asked, day, count) for day in (asked.start_day, asked.end_day))
    begin, end = visits.from_s, visits.to_s
    if low is not None:
        begin = ibis.greatest(begin, ibis.ifelse(visits.in_days, *low))
    if high is not None:
        end = ibis.least(end, ibis.ifelse(visits.in_days, *high))
    return visits.mutate(within_s=ibis.greatest(end - begin, ibis.literal(0, "int64")))


def _bound(asked: Asked, day: int | None, count: DayCount) -> tuple[ir.IntegerScalar, ir.IntegerScalar] | None:
    """The start of a local day on both scales: that of days, and UTC seconds."""
    if day is None:
        return None
    days = asked.opened["days"]
    starts = days.filter(days.day == day).starts.max().as_scalar()
    return ibis.literal(count.at_midnight(day), "int64"), starts


def _by_period(asked: Asked, waits: ir.Table, group: Grouping, count: DayCount) -> dict[Key, int]:
    """Days stood in each period out of two sums per piece of time.

    What is stood before a moment t is the sum of t − start over the visits begun by then, less the
    same of their ends. So the engine only adds up starts and ends by the piece of time they lie in;
    no visit is repeated for each period it crosses.
    """
    kept = asked.opened.keep(
        group.of(waits.select("unit_id", "stage_no", "in_days", "from_s", "to_s", "entered_day", "left_day"))
    )
    starts = _pieces(asked, kept, "entered_day", "from_s")
    ends = _pieces(asked, kept, "left_day", "to_s")
    bounds = _bounds(asked, [key[-1] for key in (*starts, *ends)])
    seconds = _starts_of(asked, bounds)
    begun, ended = _sorted(starts), _sorted(ends)
    found: dict[Key, int] = defaultdict(int)
    for cell in begun:
        *dims, stage_no, in_days = cell
        marks = [count.at_midnight(day) if in_days else seconds[day] for day in bounds]
        before = [
            start - end
            for start, end in zip(_before(begun[cell], bounds, marks), _before(ended[cell], bounds, marks), strict=True)
        ]
        for day, low, high in zip(bounds, before, before[1:], strict=False):
            found[*dims, _period(asked, day), stage_no] += high - low
    return {key: within for key, within in found.items() if within > 0}


def _pieces(asked: Asked, table: ir.Table, day: str, second: str) -> dict[Key, tuple[int, int]]:
    """How many and the sum of seconds per (dimensions, stage, in_days, first day of the piece of time)."""
    placed = periods.with_period(asked, table, day)
    piece = placed.period_day
    for edge in (asked.start_day, asked.end_day):
        if edge is not None:
            piece = ibis.ifelse(placed[day] >= edge, ibis.greatest(piece, ibis.literal(edge, "int64")), piece)
    cut = placed.mutate(piece_day=piece)
    keys = [*asked.by, "stage_no", "in_days", "piece_day"]
    summed = cut.group_by(*keys).aggregate(visits=cut.count(), seconds=cut[second].sum())
    rows = asked.opened.arrow(summed).to_pylist()
    return {tuple(row[key] for key in keys): (int(row["visits"]), int(row["seconds"])) for row in rows}


def _sorted(part: dict[Key, tuple[int, int]]) -> dict[Key, list[tuple[int, int, int]]]:
    """Pieces per cell in the order of time: (first day, visits, seconds)."""
    found: dict[Key, list[tuple[int, int, int]]] = defaultdict(list)
    for key, (visits, seconds) in sorted(part.items(), key=lambda item: item[0][-1]):
        found[key[:-1]].append((key[-1], visits, seconds))
    return found


def _before(pieces: Sequence[tuple[int, int, int]], bounds: list[int], marks: list[int]) -> list[int]:
    """For each bound the sum of bound − moment over the moments before it."""
    found, visits, seconds, at = [], 0, 0, 0
    for bound, mark in zip(bounds, marks, strict=True):
        while at < len(pieces) and pieces[at][0] < bound:
            visits, seconds, at = visits + pieces[at][1], seconds + pieces[at][2], at + 1
        found.append(mark * visits - seconds)
    return found


def _bounds(asked: Asked, pieces: list[int]) -> list[int]:
    """First days of the pieces of time asked for, without gaps, and the day after the last of them."""
    grain = asked.query.grain
    assert grain is not None
    first = asked.start_day if asked.start_day is not None else min(pieces, default=None)
    last = asked.end_day - 1 if asked.end_day is not None else max(pieces, default=None)
    if first is None or last is None or last < first:
        return []
    starts = asked.calendar.period_starts(day_of(first), day_of(last), grain)  # type: ignore[arg-type]
    after = day_number(asked.calendar.following(starts[-1], grain))  # type: ignore[arg-type]
    if asked.end_day is not None:
        after = asked.end_day
    return [*(max(day_number(day), first) for day in starts), after]


def _period(asked: Asked, day: int) -> int:
    """First day of the period that holds a day."""
    return day_number(asked.calendar.start(day_of(day), asked.query.grain))  # type: ignore[arg-type]


def _starts_of(asked: Asked, bounds: list[int]) -> dict[int, int]:
    """UTC second at which each of these local days starts."""
    days = asked.opened["days"]
    wanted = days.filter(days.day.isin(bounds)) if bounds else days.limit(0)
    return {row["day"]: row["starts"] for row in asked.opened.arrow(wanted.select("day", "starts")).to_pylist()}
