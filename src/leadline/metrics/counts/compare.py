"""Volume beside another period's: value before, value, change, with like compared with like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from leadline.errors import UnknownNameError
from leadline.maths.counts import change_interval
from leadline.metrics import units
from leadline.metrics.assemble import Assembly
from leadline.metrics.counts import ranges
from leadline.metrics.counts.ranges import Pair
from leadline.metrics.grouping import grouping
from leadline.metrics.listing import listed
from leadline.metrics.query import Asked, Query, ask
from leadline.metrics.volume import TEXT, VIEWS
from leadline.model.opened import Opened
from leadline.results import Column, Result

NOW, BEFORE = "now", "before"
FEW = 30
"""Counts below this are marked small, as everywhere."""

COLUMNS = (
    Column("period", "text", help="Period"),
    Column("before_period", "text", help="The period it is compared with"),
    Column("stage", "text", help="Stage of the funnel"),
    Column("view", "text", help="entered, cohort or standing"),
    Column("before", "integer", help="Count of the other period"),
    Column("count", "integer", help="Count of the period"),
    Column("change", "integer", help="count less before"),
    Column("change_share", "rate", help="change divided by before"),
    Column("change_low", "rate", help="Low 95 % limit of the change, of two Poisson counts; not for standing"),
    Column("change_high", "rate", help="High 95 % limit of the change; absent where there is none"),
    Column("small", "boolean", help="One of the two counts is under 30"),
    Column("days", "integer", help="Days of the period that have come"),
    Column("before_days", "integer", help="Days of the other that are compared with them"),
)

_LINKS = {
    "object": "object",
    "stage": "stage",
    "at": "at_s",
    "evidence": "view",
    "person_id": "person_id",
    "campaign_id": "campaign_id",
    "opportunity_id": "opportunity_id",
    "side": "side",
}
_SIDE = (Column("side", "text", help="now, or before: which of the two periods it counts in"),)


def compared(opened: Opened, query: Query, *, view: str = "entered", compare: str = "previous") -> Result:
    """Volume per stage beside that of another period.

    Args:
        view: entered; cohort (both looked at at the same age); standing (at the end of each period).
        compare: previous, last-year, or FIRST:END.

    Raises:
        UnknownNameError: view, unit, funnel or dimension that does not exist.
        UsageError: no periods to compare, or a comparison that cannot be read.
    """
    if view not in VIEWS:
        raise UnknownNameError("view", view, VIEWS)
    asked = ask(opened, query, numbered=True)
    found = ranges.pairs(
        asked.calendar,
        query.grain,  # type: ignore[arg-type]
        asked.start_day,
        asked.end_day,
        opened.as_of.day,
        compare,
    )
    group = grouping(asked)
    question = group.of(_MARKS[view](asked, found))
    marks = opened.keep(question)
    counted = marks.group_by(*asked.by, "period_day", "stage_no", "side").aggregate(count=marks.count())
    rows = _rows(asked, view, found, opened.arrow(counted).to_pylist())
    said = f"{TEXT[view]}, beside the same of another period. Unit: {asked.unit}."
    made = Assembly(asked, "volume", f"Volume of {asked.unit}: {view}, compared", said)
    result = made.result(
        COLUMNS,
        rows,
        totals=() if query.touched else _totals(rows),
        query=question,
        units=marks,
        records=lambda: listed(made, _named(asked, group.with_links(marks), view), _LINKS, _SIDE, kind="comparison"),
        notes=_notes(asked, view, found),
    )
    return replace(result, kind="comparison")


def _days_of(found: Sequence[Pair]) -> ir.Table:
    """Every day of every period and of what it is compared with.

    Columns: _day, period_day, side, until_day (the last day at which a cohort is looked at).
    """
    parts = []
    for pair in found:
        for side, first, end in ((NOW, pair.first, pair.end), (BEFORE, pair.before_first, pair.before_end)):
            days = np.arange(first, end, dtype=np.int64)
            parts.append(
                pa.table(
                    {
                        "_day": days,
                        "period_day": np.full(len(days), pair.first),
                        "side": pa.array([side] * len(days), pa.string()),
                        "until_day": np.full(len(days), first + pair.age),
                    }
                )
            )
    return ibis.memtable(pa.concat_tables(parts) if parts else _NO_DAYS)


_NO_DAYS = pa.table(
    {
        "_day": pa.array([], pa.int64()),
        "period_day": pa.array([], pa.int64()),
        "side": pa.array([], pa.string()),
        "until_day": pa.array([], pa.int64()),
    }
)


def _placed(marks: ir.Table, found: Sequence[Pair]) -> ir.Table:
    return marks.join(_days_of(found), [("day", "_day")]).drop("_day")


def _entered(asked: Asked, found: Sequence[Pair]) -> ir.Table:
    reached = units.stages(asked)
    own = reached.filter(reached.known == "observed")
    own = own.select("unit_id", "stage_no", day="entered_day", at_s="entered_s")
    return _placed(own, found).drop("until_day")


def _cohort(asked: Asked, found: Sequence[Pair]) -> ir.Table:
    """Stages a unit had reached at the same age of its cohort; what was reached at no known time is left out."""
    opened_on = units.units(asked).select("unit_id", "opened_day")
    reached = units.stages(asked).select("unit_id", "stage_no", "later_day", at_s="later_s")
    own = reached.join(opened_on, "unit_id").select("unit_id", "stage_no", "later_day", "at_s", day="opened_day")
    placed = _placed(own, found)
    return placed.filter(placed.later_day <= placed.until_day).drop("until_day", "later_day")


def _standing(asked: Asked, found: Sequence[Pair]) -> ir.Table:
    """Where units stand at the last day compared of each period."""
    ends = [(pair.first, NOW, pair.end - 1) for pair in found]
    ends += [(pair.first, BEFORE, pair.before_end - 1) for pair in found]
    table = pa.table(
        {
            "period_day": pa.array([one[0] for one in ends], pa.int64()),
            "side": pa.array([one[1] for one in ends], pa.string()),
            "day": pa.array([one[2] for one in ends], pa.int64()),
        }
    )
    days = asked.opened["days"].select("day", "ends")
    joined = ibis.memtable(table).join(days, "day")
    points = joined.select("period_day", "side", "day", point_s=asked.opened.as_of.cut(joined.ends))
    points = asked.opened.keep(points)
    places = units.places(asked)
    stood = places.join(
        points, [places.entered_s <= points.point_s, places.left_s.isnull() | (places.left_s > points.point_s)]
    )
    furthest = stood.group_by("unit_id", "period_day", "side", "day").aggregate(
        stage_no=stood.stage_no.max(), at_s=stood.point_s.max()
    )
    return furthest.select("unit_id", "stage_no", "day", "at_s", "period_day", "side")


_MARKS = {"entered": _entered, "cohort": _cohort, "standing": _standing}


def _rows(asked: Asked, view: str, found: Sequence[Pair], counted: list[dict]) -> list[dict]:
    """One row per dimension values, period and stage in which either side counts anything."""
    counts: dict[tuple, dict[str, int]] = {}
    for row in counted:
        key = (*[row[name] for name in asked.by], row["period_day"], row["stage_no"])
        counts.setdefault(key, {NOW: 0, BEFORE: 0})[row["side"]] = row["count"]
    keys = sorted(counts, key=lambda key: (*[(value is None, value or "") for value in key[:-2]], *key[-2:]))
    now, before = ([counts[key][side] for key in keys] for side in (NOW, BEFORE))
    lows, highs = change_interval(now, before)
    by_day = {pair.first: pair for pair in found}
    rows = []
    for at, key in enumerate(keys):
        pair = by_day[key[-2]]
        limits = (None, None) if view == "standing" else (_finite(lows[at]), _finite(highs[at]))
        rows.append(
            {
                **dict(zip(asked.by, key, strict=False)),
                "period": pair.label,
                "before_period": pair.before_label,
                "stage": asked.stage_name(key[-1]),
                "view": view,
                **_change(now[at], before[at]),
                "change_low": limits[0],
                "change_high": limits[1],
                "small": min(now[at], before[at]) < FEW,
                "days": pair.days,
                "before_days": pair.before_days,
            }
        )
    return rows


def _change(now: int, before: int) -> dict:
    return {
        "before": before,
        "count": now,
        "change": now - before,
        "change_share": (now - before) / before if before else None,
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _totals(rows: list[dict]) -> tuple[dict, ...]:
    sums: dict[tuple, dict] = {}
    for row in rows:
        key = (row["period"], row["stage"])
        total = sums.setdefault(key, {"period": key[0], "stage": key[1], "view": row["view"], "count": 0, "before": 0})
        total["count"] += row["count"]
        total["before"] += row["before"]
    return tuple(sums.values())


def _notes(asked: Asked, view: str, found: Sequence[Pair]) -> list[str]:
    said = ranges.notes(found)
    if view == "cohort":
        said.append(
            "Both cohorts are looked at as many days after their period began as the younger of the two has had; "
            "stages reached at no known time are left out of both."
        )
    if asked.query.touched:
        said.append("Counts overlap: a unit stands under every campaign it touched.")
    return said


def _named(asked: Asked, marks: ir.Table, view: str) -> ir.Table:
    names = [(marks.stage_no == number, ibis.literal(asked.stage_name(number))) for number in asked.stages]
    return marks.mutate(stage=ibis.cases(*names, else_=ibis.null("string")), view=ibis.literal(view))
