"""Velocity: how long units stand in each stage, open ones included, and where they wait.

Kaplan–Meier for leaving a stage by any exit, Aalen–Johansen for moving up; both on counts per
distinct length that the engine delivers.
"""

from __future__ import annotations

import math

import ibis
import ibis.expr.types as ir

from leadline.errors import UnknownNameError
from leadline.maths.survival import aalen_johansen, kaplan_meier
from leadline.metrics import dimensions, numbers, periods, standing, units
from leadline.metrics.assemble import Assembly
from leadline.metrics.grouping import Grouping, grouping
from leadline.metrics.lengths import NOTHING, Lengths, counted, number
from leadline.metrics.query import Asked, Query, ask
from leadline.model.funnels import waiting_stages
from leadline.model.opened import Opened
from leadline.results import Column, Result

MEASURES = ("sum",)

TEXT = (
    "Days in a stage, summed over the visits of each unit; open visits count up to as-of and are censored. "
    "Median and percentiles are Kaplan–Meier times to leave by any exit; advance_share is the Aalen–Johansen "
    "share that moves up. waiting_share is the stage's part of all days stood in waiting stages."
)

COLUMNS = (
    Column("period", "text", help="Period of the first entry into the stage"),
    Column("stage", "text", help="Stage of the funnel"),
    Column("to_stage", "text", help="Where it leads, for measures between two stages"),
    Column("measure", "text", help="sum: all visits of a unit together"),
    Column("n", "integer", help="Units with a known time in the stage"),
    Column("open", "integer", help="Of these, still standing there or before it (censored)"),
    Column("excluded", "integer", help="Units left out: the stage is only implied, or the time is negative"),
    Column("median_days", "number", "days", "Half have left by then; absent: not reached"),
    Column("median_low", "number", "days", "Lower end of its 95 % interval"),
    Column("median_high", "number", "days", "Upper end of its 95 % interval"),
    Column("p75_days", "number", "days", "Three quarters have left by then"),
    Column("p90_days", "number", "days", "Nine in ten have left by then"),
    Column("advance_share", "rate", help="Share that moves up in the end, other exits competing"),
    Column("advance_median_days", "number", "days", "Half of those that move up have done so by then"),
    Column("waiting_share", "rate", help="Part of all days stood in waiting stages in the period"),
    Column("stuck", "integer", help="Open visits older than nine in ten of those that moved up"),
    Column("sla_share", "rate", help="Share within the agreed time, where one is set"),
)


def velocity(
    opened: Opened,
    query: Query,
    *,
    measure: str = "sum",
    stuck: bool = False,
    from_stage: str | None = None,
    to_stage: str | None = None,
) -> Result:
    """Time in each stage; rows as the public contract lists them.

    Args:
        measure: sum (all visits of a unit in a stage together).
        stuck: the list of stuck records in place of the table.
        from_stage, to_stage: only stages between these two, both included.

    Raises:
        UnknownNameError: measure, stage, unit, funnel or dimension that does not exist.
        UsageError: a unit that does not stand in stages.
    """
    if measure not in MEASURES:
        raise UnknownNameError("measure", measure, MEASURES)
    asked = ask(opened, query)
    # Where a unit went afterwards and what it shares with other stages needs all visits: choose last.
    visits, stages = opened.keep(standing.measured(asked)), _stages(asked, from_stage, to_stage)
    group = grouping(asked)
    made = Assembly(asked, "velocity", f"Velocity of {asked.unit}", f"{TEXT} Unit: {asked.unit}.")
    if stuck:
        own = visits.filter(visits.stage_no.isin(stages))
        return _stuck_list(asked, made, _stuck(asked, own), group)
    return _table(asked, made, visits, group, stages)


def _stages(asked: Asked, start: str | None, end: str | None) -> list[int]:
    """Numbers of the stages asked for that have a duration."""
    first = 0 if start is None else asked.stage_number(start)
    last = len(asked.funnel.stages) if end is None else asked.stage_number(end)
    return [stage for stage in asked.stages if first <= stage <= last and stage in {0, *waiting_stages(asked.funnel)}]


def _table(asked: Asked, made: Assembly, visits: ir.Table, group: Grouping, stages: list[int]) -> Result:
    question = _marks(asked, visits, group)
    question = question.filter(question.stage_no.isin(stages))
    marks = asked.opened.keep(question)
    cells = counted(asked, marks, [*asked.by, "period_day", "stage_no"])
    excluded = _excluded(asked, group)
    waiting = _waiting(asked, visits, group)
    stuck = _stuck_counts(asked, visits, group)
    rows = []
    # A stage can be stood in, skipped or stuck in where nobody entered it.
    found = {key for part in (cells, excluded, waiting, stuck) for key in part if key[-1] in stages}
    for key in sorted(found, key=_sortable):
        *dims, period_day, stage_no = key
        cell = cells.get(key, NOTHING)
        rows.append(
            {
                **dict(zip(asked.by, dims, strict=True)),
                "period": asked.period_label(None if period_day == periods.NO_PERIOD else period_day),
                "stage": asked.stage_name(stage_no),
                "to_stage": None,
                "measure": "sum",
                "excluded": excluded.get(key, 0) + cell.negative,
                **_figures(cell),
                "waiting_share": waiting.get(key),
                "stuck": stuck.get(key, 0) if numbers.stuck_seconds(asked, stage_no) is not None else None,
                "sla_share": None,
            }
        )
    return made.result(
        COLUMNS,
        rows,
        query=question,
        units=marks,
        records=lambda: made.list_of(group, marks.mutate(at_s=marks.entered_s, evidence=marks.cause), "velocity"),
        notes=_notes(asked),
    )


def _sortable(key: tuple) -> tuple:
    *dims, period_day, stage_no = key
    return (*[(value is None, value or "") for value in dims], period_day, stage_no)


def _marks(asked: Asked, visits: ir.Table, group: Grouping) -> ir.Table:
    """One row per unit and stage: seconds, cause, period, dimensions."""
    sums = standing.summed(asked, visits)
    kept = periods.within(asked, sums, "entered_day")
    return group.of(periods.with_period(asked, kept, "entered_day").drop("last_stage", "standing", "won"))


def _figures(lengths: Lengths) -> dict[str, float | int | None]:
    """The survival figures of a row."""
    durations = lengths.durations()
    quantiles = kaplan_meier(durations).quantile([0.5, 0.75, 0.9])
    advance = aalen_johansen(durations, 0)
    half = advance.time_to([advance.final / 2])[0] if advance.final > 0 else math.nan
    return {
        "n": lengths.units,
        "open": lengths.waiting,
        "median_days": number(quantiles[0, 0]),
        "median_low": number(quantiles[0, 1]),
        "median_high": number(quantiles[0, 2]),
        "p75_days": number(quantiles[1, 0]),
        "p90_days": number(quantiles[2, 0]),
        "advance_share": advance.final if lengths.units else None,
        "advance_median_days": number(half),
    }


def _excluded(asked: Asked, group: Grouping) -> dict[tuple, int]:
    """Units for which the stage is only implied, per group and period of their next entry."""
    reached = units.stages(asked)
    implied = reached.filter(reached.known != "observed")
    kept = periods.within(asked, implied, "beyond_day")
    placed = group.of(periods.with_period(asked, kept, "beyond_day"))
    keys = [*asked.by, "period_day", "stage_no"]
    found = placed.group_by(*keys).aggregate(units=placed.count())
    return {tuple(row[key] for key in keys): row["units"] for row in asked.opened.arrow(found).to_pylist()}


def _waiting(asked: Asked, visits: ir.Table, group: Grouping) -> dict[tuple, float]:
    """Share of each waiting stage in all days stood within the range asked for, per group.

    Only without grain: a visit lies in many periods at once.
    """
    if asked.query.grain is not None:
        return {}
    stages = waiting_stages(asked.funnel)
    waits = visits.filter(visits.stage_no.isin(stages) & (visits.seconds >= 0))
    within = standing.overlap(waits, asked.opened["days"], asked.start_day, asked.end_day)
    joined = group.of(within)
    summed = joined.group_by(*asked.by, "stage_no").aggregate(seconds=joined.within_s.sum())
    rows = asked.opened.arrow(summed.filter(summed.seconds > 0)).to_pylist()
    total = sum(row["seconds"] for row in rows)
    return {(*[row[name] for name in asked.by], 0, row["stage_no"]): row["seconds"] / total for row in rows if total}


def _stuck(asked: Asked, visits: ir.Table) -> ir.Table:
    """Open visits older than the stage's limit: unit_id, stage_no, seconds, entered_s, entered_day."""
    limits = [
        (stage, limit)
        for stage in _stages(asked, None, None)
        if (limit := numbers.stuck_seconds(asked, stage)) is not None
    ]
    cases = [(visits.stage_no == stage, visits.seconds > limit) for stage, limit in limits]
    over = ibis.cases(*cases, else_=False) if cases else ibis.literal(False)
    return visits.filter(visits.is_open & over)


def _stuck_counts(asked: Asked, visits: ir.Table, group: Grouping) -> dict[tuple, int]:
    kept = periods.within(asked, _stuck(asked, visits), "entered_day")
    placed = group.of(periods.with_period(asked, kept, "entered_day"))
    keys = [*asked.by, "period_day", "stage_no"]
    found = placed.group_by(*keys).aggregate(units=placed.count())
    return {tuple(row[key] for key in keys): row["units"] for row in asked.opened.arrow(found).to_pylist()}


STUCK_COLUMNS = (
    Column("unit_id", "text", help="The unit that waits"),
    Column("stage", "text", help="Where it waits"),
    Column("since", "instant", help="When it entered"),
    Column("age_days", "number", "days", "How long it has stood there"),
    Column("campaign", "text", help="Origin campaign"),
    Column("person_id", "text", help="Person"),
    Column("opportunity_id", "text", help="Opportunity"),
    Column("amount", "money", help="Amount of the opportunity"),
)


def _stuck_list(asked: Asked, made: Assembly, stuck: ir.Table, group: Grouping) -> Result:
    kept = periods.within(asked, stuck, "entered_day")
    labelled = dimensions.attach(asked, group.with_links(group.of(kept)), ["campaign"])
    found = asked.opened.arrow(
        labelled.select(
            *asked.by,
            "unit_id",
            "stage_no",
            "entered_s",
            "seconds",
            "campaign",
            "person_id",
            "opportunity_id",
            "amount",
        ).order_by(ibis.desc("seconds"), "unit_id")
    )
    return made.stuck(STUCK_COLUMNS, found, labelled, _notes(asked))


def _notes(asked: Asked) -> list[str]:
    unknown = [
        asked.stage_name(stage)
        for stage in waiting_stages(asked.funnel)
        if stage in asked.stages and numbers.stuck_seconds(asked, stage) is None
    ]
    if not unknown:
        return []
    return [
        f"Stuck is not judged for {', '.join(unknown)}: fewer than {numbers.NEEDED} visits have moved up from there. "
        "Set stuck_days in leadline.toml to judge by a fixed number."
    ]
