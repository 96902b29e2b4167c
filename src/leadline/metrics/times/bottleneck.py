"""The bottleneck: where most of the waiting happens, its own norm, its money and what drives it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import ibis
import ibis.expr.types as ir

from leadline.dates import day_of
from leadline.metrics import dimensions, units
from leadline.metrics.assemble import Assembly
from leadline.metrics.dimensions import NO_RESPONSE
from leadline.metrics.grouping import Grouping, grouping
from leadline.metrics.query import Asked
from leadline.metrics.times import standing, stuck, waiting
from leadline.metrics.times.spans import DayCount
from leadline.model.calendar import DAY_SECONDS
from leadline.model.funnels import waiting_stages
from leadline.results import Column, Result

DRIVERS = ("campaign_type", "lead_source", "industry", "country", "opportunity_type", "owner")
"""Built-in dimensions that are looked through for what drives the bottleneck."""

MOST_VALUES = 30
NEEDED = 10
"""A segment with fewer units in the stage drives nothing."""

COLUMNS = (
    Column("stage", "text", help="Stage that units wait in"),
    Column("bottleneck", "boolean", help="Whether it has the largest share"),
    Column("waiting_share", "rate", help="Part of all days stood in waiting stages in the period"),
    Column("waiting_share_before", "rate", help="The same of the 12 months before the first day"),
    Column("waiting_days", "number", "days", "Days stood there in the period, of all units together"),
    Column("units", "integer", help="Units that stood there in the period"),
    Column("standing", "integer", help="Units that stand there at as-of"),
    Column("amount", "money", help="Open opportunities of those that stand there, each once"),
    Column("stuck", "integer", help="Of those that stand there, older than the limit"),
    Column("driver", "text", help="Dimension of the segment that drives the waiting"),
    Column("driver_value", "text", help="That segment"),
    Column("driver_units", "integer", help="Its units that stood there in the period"),
    Column("driver_share", "rate", help="Its part of the days stood there"),
    Column("driver_unit_share", "rate", help="Its part of the units that stood there"),
)


@dataclass(frozen=True, slots=True)
class Driver:
    """The segment with the largest excess of its part of the days over its part of the units."""

    dimension: str
    value: str
    units: int
    day_share: float
    unit_share: float

    @property
    def excess(self) -> float:
        """By how much its part of the days is larger than its part of the units."""
        return self.day_share - self.unit_share


def bottleneck(asked: Asked, count: DayCount) -> Result:
    """Waiting stages, the one with the most waiting first; without days asked for, of the last 12 months."""
    asked = replace(asked, query=replace(_last_year(asked), by=(), grain=None))
    visits, group = asked.opened.keep(standing.measured(asked, count)), grouping(asked)
    calendar = visits if count.index is None else asked.opened.keep(standing.measured(asked))
    seconds = {key[-1]: value for key, value in waiting.stood(asked, visits, group, count).items()}
    earlier = _year_before(asked)
    stood_before = waiting.stood(earlier, visits, group, count) if earlier else {}
    before = {key[-1]: value for key, value in stood_before.items()}
    shares = {stage: value / sum(seconds.values()) for stage, value in seconds.items()}
    shares_before = {stage: value / sum(before.values()) for stage, value in before.items()}
    now = _standing_now(asked, calendar, group)
    within = group.of(waiting.overlap(asked, visits.filter(visits.stage_no.isin(_stages(asked))), count))
    stood = asked.opened.keep(_per_unit(within))
    order = sorted(seconds, key=lambda stage: (-seconds[stage], stage))
    made = Assembly(asked, "velocity", f"Bottleneck of {asked.unit}", _text(asked))
    driver = _driver(asked, stood, order[0]) if order else None
    held = _units(asked, stood)
    rows = [
        {
            "stage": asked.stage_name(stage),
            "bottleneck": stage == order[0],
            "waiting_share": shares[stage],
            "waiting_share_before": shares_before.get(stage),
            "waiting_days": seconds[stage] / DAY_SECONDS,
            "units": held.get(stage, 0),
            **now.get(stage, _NOBODY),
            "stuck": now.get(stage, _NOBODY)["stuck"] if stage in stuck.limits(asked) else None,
            **_driven(driver if stage == order[0] else None),
        }
        for stage in order
    ]
    return made.result(
        COLUMNS,
        rows,
        query=within,
        units=stood,
        records=lambda: made.list_of(group, _list(stood, order), "standing"),
        notes=_notes(rows),
    )


_NOBODY: dict[str, Any] = {"standing": 0, "amount": None, "stuck": 0}


def _stages(asked: Asked) -> list[int]:
    return [stage for stage in waiting_stages(asked.funnel) if stage in asked.stages]


def _last_year(asked: Asked) -> Any:
    """The query with the 12 months up to as-of, where it names no days."""
    if asked.start_day is not None or asked.end_day is not None:
        return asked.query
    end = day_of(asked.opened.as_of.day) + dt.timedelta(days=1)
    return replace(asked.query, start=_year_earlier(end), end=end)


def _year_before(asked: Asked) -> Asked | None:
    """The same question of the 12 months before its first day; None where no day is the first."""
    start = asked.query.start
    if start is None:
        return None
    return replace(asked, query=replace(asked.query, start=_year_earlier(start), end=start))


def _year_earlier(day: dt.date) -> dt.date:
    # 29 February has no day of its name a year before; 1 March keeps the range half-open and whole.
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return dt.date(day.year - 1, 3, 1)


def _per_unit(within: ir.Table) -> ir.Table:
    """Units that stood in a stage within the days asked for: unit_id, stage_no, days_s, entered_s."""
    some = within.filter((within.within_s > 0) & (within.seconds >= 0))
    return some.group_by("unit_id", "stage_no").aggregate(days_s=some.within_s.sum(), entered_s=some.entered_s.min())


def _units(asked: Asked, stood: ir.Table) -> dict[int, int]:
    rows = asked.opened.arrow(stood.group_by("stage_no").aggregate(units=stood.count())).to_pylist()
    return {row["stage_no"]: row["units"] for row in rows}


def _list(stood: ir.Table, stages: list[int]) -> ir.Table:
    """The units of the bottleneck."""
    own = stood.filter(stood.stage_no == (stages[0] if stages else -1))
    return own.mutate(period_day=ibis.literal(0, "int64"), at_s=own.entered_s, evidence=ibis.literal("stood there"))


def _standing_now(asked: Asked, visits: ir.Table, group: Grouping) -> dict[int, dict[str, Any]]:
    """Units that stand in each stage at as-of, the stuck among them, and their open opportunities."""
    there = group.of(
        visits.filter(visits.is_open & visits.stage_no.isin(_stages(asked))).select(
            "unit_id", "stage_no", "is_open", "seconds"
        )
    )
    late = stuck.stuck(asked, there)
    deals = stuck.open_deals(asked)
    held = (
        there.select("unit_id", "stage_no")
        .join(deals, "unit_id")
        .select("stage_no", "opportunity_id", "amount")
        .distinct()
    )
    parts = (
        there.group_by("stage_no").aggregate(standing=there.count()),
        late.group_by("stage_no").aggregate(stuck=late.count()),
        held.group_by("stage_no").aggregate(amount=held.amount.sum()),
    )
    found: dict[int, dict[str, Any]] = {}
    for part in parts:
        for row in asked.opened.arrow(part).to_pylist():
            place = found.setdefault(row["stage_no"], dict(_NOBODY))
            place |= {name: int(value) for name, value in row.items() if name != "stage_no" and value is not None}
    return found


def _driver(asked: Asked, stood: ir.Table, stage: int) -> Driver | None:
    """Of all values of the dimensions looked through, the one with the largest excess; None without any."""
    own = stood.filter(stood.stage_no == stage).select("unit_id", "days_s")
    # Only the units of one stage are looked up in each dimension.
    linked = asked.opened.keep(own.join(units.units(asked), "unit_id"))
    known = dimensions.names(asked)
    found = [
        driver
        for name in DRIVERS
        if name in known and name not in asked.query.where
        for driver in _drivers(asked, linked, name)
    ]
    return max(found, key=lambda one: (one.excess, one.dimension, one.value), default=None)


def _drivers(asked: Asked, linked: ir.Table, name: str) -> list[Driver]:
    """Segments of one dimension that wait more than their number explains."""
    joined = dimensions.attach(asked, linked, [name])
    counted = joined.group_by(name).aggregate(units=joined.count(), seconds=joined.days_s.sum())
    rows = asked.opened.arrow(counted).to_pylist()
    if not 2 <= len(rows) <= MOST_VALUES:
        return []
    days, all_units = sum(int(row["seconds"]) for row in rows), sum(row["units"] for row in rows)
    found = [
        Driver(name, row[name], row["units"], int(row["seconds"]) / days, row["units"] / all_units)
        for row in rows
        if row[name] not in (None, NO_RESPONSE) and row["units"] >= NEEDED
    ]
    return [one for one in found if one.excess > 0]


def _driven(driver: Driver | None) -> dict[str, Any]:
    names = ("driver", "driver_value", "driver_units", "driver_share", "driver_unit_share")
    if driver is None:
        return dict.fromkeys(names)
    values = (driver.dimension, driver.value, driver.units, driver.day_share, driver.unit_share)
    return dict(zip(names, values, strict=True))


def _text(asked: Asked) -> str:
    return (
        "Days stood in each waiting stage in the period ÷ days stood in all of them, open and closed visits; the "
        "largest is the bottleneck. The segment that drives it is the value, of all built-in dimensions with at most "
        f"{MOST_VALUES} values, whose part of these days exceeds its part of the units by most; values with fewer than "
        f"{NEEDED} units are passed over. Unit: {asked.unit}."
    )


def _notes(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return ["Nothing has waited in the period."]
    top = rows[0]
    if top["driver"] is None:
        return [f"No segment makes up more of the waiting in {top['stage']} than of its units."]
    return [
        f"{top['driver']} = {top['driver_value']} makes {top['driver_share']:.0%} of the days in {top['stage']} with "
        f"{top['driver_unit_share']:.0%} of the units ({top['driver_units']:,} of {top['units']:,})."
    ]
