"""The measures of velocity: what each one times, on which units, and in which words."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import ibis.expr.types as ir

from leadline.config import FIRST_RESPONSE
from leadline.metrics import periods, units
from leadline.metrics.assemble import Assembly
from leadline.metrics.grouping import Grouping, grouping
from leadline.metrics.query import Asked
from leadline.metrics.times import first_response, standing, stuck
from leadline.metrics.times.cycle import CLOSE, cycle
from leadline.metrics.times.first_response import RESPONSE
from leadline.metrics.times.spans import DayCount
from leadline.metrics.times.transitions import BEYOND, elapsed, pairs
from leadline.model.calendar import DAY_SECONDS
from leadline.model.journey_stages import OBSERVED
from leadline.results import Column, Result

MEASURES = ("sum", "first", "elapsed", "cycle", FIRST_RESPONSE)
OF_STANDING = ("sum", "first")
"""Measures of one stage, beside which waiting share and stuck units are shown."""

_CURVES = (
    "Who still waits is censored at as-of. Median and percentiles are Kaplan–Meier times to leave by any exit; "
    "advance_share is the Aalen–Johansen share that moves up."
)
_WAITING = "waiting_share is the stage's part of all days stood in waiting stages."
TEXTS = {
    "sum": f"Days in a stage, summed over the visits of each unit. {_CURVES} {_WAITING}",
    "first": f"Days of the first visit of each unit to a stage. {_CURVES} {_WAITING}",
    "elapsed": f"Days from the first entry into a stage to the first entry into a later one or beyond. {_CURVES}",
    "cycle": f"Days from the start of a journey, or the creation of an opportunity, to its close; won is moving up, "
    f"lost the other exit. {_CURVES}",
    FIRST_RESPONSE: f"Days from the first entry into a stage to the first completed task or begun event on the person "
    f"at or after it; a journey that ends before is the other exit. {_CURVES}",
}

MQL_NUMBER = 1
"""First response counts from the first stage after Inquiry unless another one is named."""


@dataclass(frozen=True)
class Times:
    """The times of one measure.

    Attributes:
        stages: numbers of the stages in which clocks start.
        goals: stage → what stands in `to_stage`.
        spells: one row per unit and stage; columns `transitions.SPELL`.
        visits: measured visits, for the measures of one stage.
    """

    asked: Asked
    measure: str
    count: DayCount
    stages: list[int]
    goals: dict[int, str | None]
    spells: ir.Table
    visits: ir.Table
    group: Grouping
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def question(self) -> ir.Table:
        """Times of the units and days asked for, with period and dimensions."""
        spells = self.spells.filter(self.spells.stage_no.isin(self.stages))
        kept = periods.within(self.asked, spells, "entered_day")
        return self.group.of(periods.with_period(self.asked, kept, "entered_day"))

    @cached_property
    def marks(self) -> ir.Table:
        """The question run once."""
        return self.asked.opened.keep(self.question)

    def records(self, made: Assembly) -> Result:
        """One row per unit timed, with its days and what ended them."""
        return listed(made, self.group, self.marks)

    @cached_property
    def calendar_visits(self) -> ir.Table:
        """Visits in calendar days, in which limits are learned."""
        if self.count.index is None:
            return self.visits
        return self.asked.opened.keep(standing.measured(self.asked))


LIST_COLUMNS = (Column("days", "number", "days", "How long it took, or has taken so far"),)


def listed(made: Assembly, group: Grouping, marks: ir.Table) -> Result:
    """The list behind times: evidence is what ended them (advanced, exit, censored)."""
    shown = marks.mutate(at_s=marks.entered_s, evidence=marks.cause, days=marks.seconds / DAY_SECONDS)
    return made.list_of(group, shown, "velocity", LIST_COLUMNS)


def measure_times(asked: Asked, measure: str, count: DayCount, start: str | None, end: str | None) -> Times:
    """The times a measure asks for.

    Raises:
        UnknownNameError: no such stage.
        UsageError: stages in the wrong order, or a unit the measure does not know.
        SnapshotError: first responses of a snapshot without activities.
    """
    if measure in OF_STANDING:
        return _in_stage(asked, measure, count, start, end)
    group = grouping(asked)
    nothing = asked.opened["days"].limit(0)
    if measure == "elapsed":
        steps = pairs(asked, start, end)
        goals = {one: None if two == BEYOND else asked.stage_name(two) for one, two in steps.items()}
        return Times(asked, measure, count, list(steps), goals, elapsed(asked, steps, count), nothing, group)
    if measure == "cycle":
        first = asked.stages[0]
        return Times(asked, measure, count, [first], {first: CLOSE}, cycle(asked, count), nothing, group)
    stage = asked.stage_number(start) if start is not None else min(MQL_NUMBER, asked.stages[-1])
    spells = first_response.first_response(asked, stage, count)
    if first_response.has_activities(asked):
        return Times(asked, measure, count, [stage], {stage: RESPONSE}, spells, nothing, group)
    missing = "The data hold no completed task and no event on a person: import Task and Event to see first responses."
    return Times(asked, measure, count, [], {}, spells.limit(0), nothing, group, (missing,))


def _in_stage(asked: Asked, measure: str, count: DayCount, start: str | None, end: str | None) -> Times:
    stages = stuck.between(asked, start, end)
    # Where a unit went afterwards and what it shares with other stages needs all visits: choose last.
    visits = standing.measured(asked, count)
    if count.index is not None:
        visits = asked.opened.keep(visits)
    return Times(
        asked, measure, count, stages, {}, _spells(asked, measure, count, visits, stages), visits, grouping(asked)
    )


def _spells(asked: Asked, measure: str, count: DayCount, visits: ir.Table, stages: list[int]) -> ir.Table:
    if measure == "first":
        return standing.first_visits(asked, visits)
    kept = standing.kept_sums(asked) if count.index is None else None
    return standing.summed(asked, visits, stages) if kept is None else kept


def excluded(times: Times) -> dict[tuple, int]:
    """Units for which the stage is only implied, per group and period of their next entry."""
    asked = times.asked
    if times.measure == "cycle" or not times.stages:
        return {}
    reached = units.stages(asked)
    implied = reached.filter((reached.known != OBSERVED) & reached.stage_no.isin(times.stages))
    kept = periods.within(asked, implied, "beyond_day")
    placed = times.group.of(periods.with_period(asked, kept, "beyond_day"))
    keys = [*asked.by, "period_day", "stage_no"]
    found = placed.group_by(*keys).aggregate(units=placed.count())
    return {tuple(row[key] for key in keys): row["units"] for row in asked.opened.arrow(found).to_pylist()}
