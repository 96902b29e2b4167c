"""How long units stood where: visits measured, summed per unit and stage, and what ended them."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from leadline.errors import UsageError
from leadline.metrics import units
from leadline.metrics.query import Asked
from leadline.metrics.times.spans import DayCount
from leadline.model.funnels import outcome_stages
from leadline.model.opened import JOURNEY_TIMES

STAGES = 1000
"""More than the stages of any funnel."""

DAYS_WIDE, DAY_OFFSET, SECOND_OFFSET = 2**18, 2**17, 2**33
"""Room for a day number beside a second in one number; the offsets keep both above 0 in the years of the calendar."""

ADVANCED, EXIT, CENSORED = "advanced", "exit", "censored"
CALENDAR = DayCount()


def require_standing(asked: Asked) -> None:
    """Refuse units that do not stand in stages by themselves.

    Raises:
        UsageError: the unit is neither journeys nor opportunities.
    """
    if asked.unit not in ("journeys", "opportunities"):
        raise UsageError(
            f"Time in stage is measured on journeys and opportunities, not {asked.unit}; add --unit journeys."
        )


def measured(asked: Asked, count: DayCount = CALENDAR) -> ir.Table:
    """Visits of waiting and first stages with their length in seconds; open ones end at as-of.

    In calendar days a visit whose both ends are instants is measured in seconds, any other in whole
    days. Adds: seconds, is_open, left_day (as-of's of an open visit), and in_days, from_s, to_s (see
    `spans.DayCount.measured`).
    """
    require_standing(asked)
    visits = _numbered(asked)
    ends = outcome_stages(asked.funnel)
    waits = visits.filter(~visits.stage_no.isin(ends)) if ends else visits
    known = until_as_of(asked, waits.mutate(is_open=waits.left_s.isnull()), "left")
    return count.measured(known, "entered", "left").select(
        "unit_id",
        "stage_no",
        "visit_no",
        "re_entry",
        "entered_s",
        "entered_day",
        "left_day",
        "is_open",
        "in_days",
        "from_s",
        "to_s",
        "seconds",
    )


def until_as_of(asked: Asked, table: ir.Table, name: str) -> ir.Table:
    """The moment `name`, as-of where it is null: as-of is an instant."""
    as_of = asked.opened.as_of
    is_open = table[f"{name}_s"].isnull()
    return table.mutate(
        **{
            f"{name}_s": ibis.ifelse(is_open, ibis.literal(as_of.second, "int64"), table[f"{name}_s"]),
            f"{name}_day": ibis.ifelse(is_open, ibis.literal(as_of.day, "int64"), table[f"{name}_day"]),
            f"{name}_is_date": ibis.ifelse(is_open, ibis.literal(False), table[f"{name}_is_date"].fill_null(False)),
        }
    )


def kept_sums(asked: Asked) -> ir.Table | None:
    """What `summed` gives of calendar days and all stages, as the snapshot keeps it ready; None if it does not."""
    if not (asked.unit == "journeys" and asked.numbered and JOURNEY_TIMES in asked.opened):
        return None
    return units.of_funnel(asked, JOURNEY_TIMES).rename(unit_id="journey_id")


def summed(asked: Asked, visits: ir.Table, stages: Sequence[int] | None = None) -> ir.Table:
    """Sum of visits per unit and stage with its cause, of some stages or of all.

    Columns: unit_id, stage_no, seconds, entered_day and entered_s (first visit), cause (advanced,
    exit, censored).
    """
    if stages is None:
        stages = [stage for stage in asked.stages if stage not in outcome_stages(asked.funnel)]
    # The last visit, found by a packed rank: sorting millions of visits takes three times as long.
    packed = (visits.visit_no * STAGES + visits.stage_no) * 2 + visits.is_open.cast("int64")
    # One pass over the visits, a set of columns per stage: grouping by a number takes less than by text and number.
    # The day is that of the first second, so one number holds both.
    entered = (visits.entered_s + SECOND_OFFSET) * DAYS_WIDE + visits.entered_day + DAY_OFFSET
    sums = {f"seconds_{stage}": visits.seconds.sum(where=visits.stage_no == stage) for stage in stages}
    sums |= {f"entered_{stage}": entered.min(where=visits.stage_no == stage) for stage in stages}
    wide = visits.group_by("unit_id").aggregate(last=packed.max(), **sums)
    won = _won(asked).filter(ibis._.won).select(won_id="unit_id")
    ended = wide.left_join(won, [("unit_id", "won_id")])
    known = asked.opened.keep(
        ended.select(
            "unit_id",
            *sums,
            last_stage=(ended.last // 2) % STAGES,
            standing=ended.last % 2 == 1,
            won=ended.won_id.notnull(),
        )
    )
    return ibis.union(*[_of_stage(known, stage) for stage in stages]) if stages else _of_stage(known, None)


def _of_stage(wide: ir.Table, stage: int | None) -> ir.Table:
    """Units that were in a stage, one row each; without a stage none."""
    if stage is None:
        return wide.filter(False).select(
            "unit_id", **{name: ibis.null("int64") for name in _SUMS}, cause=ibis.literal(EXIT)
        )
    there = wide.filter(wide[f"seconds_{stage}"].notnull())
    later = there.last_stage > stage
    return there.select(
        "unit_id",
        stage_no=ibis.literal(stage, "int64"),
        seconds=there[f"seconds_{stage}"].cast("int64"),
        entered_day=there[f"entered_{stage}"] % DAYS_WIDE - DAY_OFFSET,
        entered_s=there[f"entered_{stage}"] // DAYS_WIDE - SECOND_OFFSET,
        cause=ibis.cases((later | (~there.standing & there.won), ADVANCED), (there.standing, CENSORED), else_=EXIT),
    )


_SUMS = ("stage_no", "seconds", "entered_day", "entered_s")


def first_visits(asked: Asked, visits: ir.Table) -> ir.Table:
    """The first visit of each unit to each stage with its cause; columns as of `summed`."""
    first = following(asked, visits.filter(~visits.re_entry))
    went_on = moved_up(first)
    cause = ibis.cases((first.is_open, CENSORED), (went_on, ADVANCED), else_=EXIT)
    return first.select("unit_id", "stage_no", "seconds", "entered_day", "entered_s", cause=cause)


def following(asked: Asked, chosen: ir.Table) -> ir.Table:
    """Some visits of `measured` with the stage of the next one (next_stage, null after the last) and won."""
    # Visits of a unit are numbered without gaps, and most units have one only.
    visits = _numbered(asked)
    later = visits.filter(visits.visit_no > 0).select("unit_id", next_stage="stage_no", visit_no=visits.visit_no - 1)
    joined = chosen.left_join(later, ["unit_id", "visit_no"]).drop("unit_id_right", "visit_no_right")
    return joined.join(_won(asked), "unit_id")


def _numbered(asked: Asked) -> ir.Table:
    """Visits of units, numbered from 0 without gaps."""
    visits = units.visits(asked)
    if asked.unit == "journeys":
        return visits
    # Stages that opportunities cannot be seen in are left out, which leaves gaps.
    order = ibis.window(group_by="unit_id", order_by="visit_no")
    return visits.mutate(visit_no=ibis.row_number().over(order))


def moved_up(visits: ir.Table) -> ir.BooleanValue:
    """Whether a closed visit of `following` was followed by a later stage, or by winning."""
    went_on = (visits.next_stage > visits.stage_no).fill_null(False)
    return ~visits.is_open & (went_on | (visits.next_stage.isnull() & visits.won))


def _won(asked: Asked) -> ir.Table:
    """unit_id, won: whether the unit ended as won."""
    if asked.unit == "opportunities":
        deals = asked.opened["deals"]
        return deals.select(unit_id="opportunity_id", won=deals.state == "won")
    own = units.of_funnel(asked, "journeys")
    return own.select(unit_id="journey_id", won=own.outcome == "won")


def advanced_visits(asked: Asked, visits: ir.Table) -> ir.Table:
    """Closed visits that were followed by a later stage, or by winning."""
    known = following(asked, visits)
    return known.filter(moved_up(known))
