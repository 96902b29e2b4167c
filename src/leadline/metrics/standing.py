"""How long units stood where: visits measured, summed per unit and stage, and what ended them."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.errors import UsageError
from leadline.metrics import units
from leadline.metrics.query import Asked
from leadline.model.calendar import DAY_SECONDS
from leadline.model.funnels import outcome_stages

STAGES = 1000
"""More than the stages of any funnel."""

ADVANCED, EXIT, CENSORED = "advanced", "exit", "censored"


def measured(asked: Asked) -> ir.Table:
    """Visits of waiting and first stages with their length in seconds; open ones end at as-of.

    A visit whose both ends are instants is measured in seconds, any other in whole calendar days.
    Adds: seconds, is_open, from_s and to_s (on the scale the length is measured on: UTC seconds, or
    local midnights as day × 86,400), in_days.
    """
    if asked.unit not in ("journeys", "opportunities"):
        raise UsageError(
            f"Time in stage is measured on journeys and opportunities, not {asked.unit}; add --unit journeys."
        )
    as_of = asked.opened.as_of
    visits = units.visits(asked)
    ends = outcome_stages(asked.funnel)
    waits = visits.filter(~visits.stage_no.isin(ends)) if ends else visits
    is_open = waits.left_s.isnull()
    left_s = ibis.ifelse(is_open, ibis.literal(as_of.second, "int64"), waits.left_s)
    left_day = ibis.ifelse(is_open, ibis.literal(as_of.day, "int64"), waits.left_day)
    in_days = waits.entered_is_date | ibis.ifelse(is_open, ibis.literal(False), waits.left_is_date.fill_null(False))
    known = waits.mutate(
        is_open=is_open,
        in_days=in_days,
        from_s=ibis.ifelse(in_days, waits.entered_day * DAY_SECONDS, waits.entered_s),
        to_s=ibis.ifelse(in_days, left_day * DAY_SECONDS, left_s),
    )
    return known.select(
        "unit_id",
        "stage_no",
        "visit_no",
        "entered_s",
        "entered_day",
        "is_open",
        "in_days",
        "from_s",
        "to_s",
        seconds=known.to_s - known.from_s,
    )


def summed(asked: Asked, visits: ir.Table) -> ir.Table:
    """Sum of visits per unit and stage with its cause.

    Columns: unit_id, stage_no, seconds, entered_day and entered_s (first visit), cause (advanced,
    exit, censored).
    """
    sums = visits.group_by("unit_id", "stage_no").aggregate(
        seconds=visits.seconds.sum(), entered_day=visits.entered_day.min(), entered_s=visits.entered_s.min()
    )
    # The last visit, found by a packed rank: sorting millions of visits takes three times as long.
    packed = (visits.visit_no * STAGES + visits.stage_no) * 2 + visits.is_open.cast("int64")
    final = visits.group_by("unit_id").aggregate(last=packed.max())
    final = final.select("unit_id", last_stage=(final.last // 2) % STAGES, standing=final.last % 2 == 1)
    joined = sums.join(final, "unit_id").join(_won(asked), "unit_id")
    later = joined.last_stage > joined.stage_no
    cause = ibis.cases((later | (~joined.standing & joined.won), ADVANCED), (joined.standing, CENSORED), else_=EXIT)
    return joined.mutate(cause=cause)


def _won(asked: Asked) -> ir.Table:
    """unit_id, won: whether the unit ended as won."""
    if asked.unit == "opportunities":
        deals = asked.opened["deals"]
        return deals.select(unit_id="opportunity_id", won=deals.state == "won")
    journeys = asked.opened["journeys"]
    own = journeys.filter(journeys.funnel == asked.funnel_name)
    return own.select(unit_id="journey_id", won=own.outcome == "won")


def advanced_visits(asked: Asked, visits: ir.Table) -> ir.Table:
    """Closed visits that were followed by a later stage, or by winning."""
    order = ibis.window(group_by="unit_id", order_by="visit_no")
    following = visits.mutate(next_stage=visits.stage_no.lead().over(order)).join(_won(asked), "unit_id")
    went_on = (following.next_stage > following.stage_no).fill_null(False)
    won = following.next_stage.isnull() & following.won
    return following.filter(~following.is_open & (went_on | won))


def overlap(visits: ir.Table, days: ir.Table, first_day: int | None, end_day: int | None) -> ir.Table:
    """Seconds of each visit that lie within local days `[first_day, end_day)`: column `within_s`."""
    bounds = _bounds(days, first_day, end_day)
    low = ibis.ifelse(visits.in_days, bounds[0], bounds[1])
    high = ibis.ifelse(visits.in_days, bounds[2], bounds[3])
    begin = ibis.greatest(visits.from_s, low)
    end = ibis.least(visits.to_s, high)
    return visits.mutate(within_s=ibis.greatest(end - begin, ibis.literal(0, "int64")))


def _bounds(days: ir.Table, first_day: int | None, end_day: int | None) -> tuple[ir.IntegerScalar, ...]:
    """Lower and upper bound on both scales: midnights, and the UTC seconds of these days."""
    far = 2**60
    if first_day is None:
        low = (ibis.literal(-far), ibis.literal(-far))
    else:
        low = (ibis.literal(first_day * DAY_SECONDS), days.filter(days.day == first_day).starts.max().as_scalar())
    if end_day is None:
        high = (ibis.literal(far), ibis.literal(far))
    else:
        high = (ibis.literal(end_day * DAY_SECONDS), days.filter(days.day == end_day).starts.max().as_scalar())
    return (*low, *high)
