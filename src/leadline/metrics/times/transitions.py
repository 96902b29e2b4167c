"""Time between stages: from the first entry into one to the first entry into a later one or beyond."""

from __future__ import annotations

from itertools import pairwise

import ibis
import ibis.expr.types as ir

from leadline.errors import UsageError
from leadline.metrics import units
from leadline.metrics.query import Asked
from leadline.metrics.times import standing
from leadline.metrics.times.spans import DayCount
from leadline.metrics.times.standing import ADVANCED, CENSORED, EXIT
from leadline.model.funnels import outcome_stages

BEYOND = -1
"""Stands for "whatever comes after the last stage": winning."""

BACKWARD = -1
"""Seconds of a span whose end lies before its start."""

SPELL = ("unit_id", "stage_no", "seconds", "entered_day", "entered_s", "cause")
"""Columns of every measured time: where the clock started (first moment), how long, and what ended it."""


def pairs(asked: Asked, start: str | None, end: str | None) -> dict[int, int]:
    """Stage the clock starts in → stage it stops in; each stage to the next one unless both are named.

    The last stage leads to `BEYOND`. Stages that stand for an outcome start no clock.

    Raises:
        UnknownNameError: no such stage.
        UsageError: the second stage does not come after the first.
    """
    following = dict(pairwise(asked.stages)) | {asked.stages[-1]: BEYOND}
    ends = outcome_stages(asked.funnel)
    steps = {first: second for first, second in following.items() if first not in ends}
    first = None if start is None else asked.stage_number(start)
    last = None if end is None else asked.stage_number(end)
    if first is not None and last is not None:
        if last <= first:
            raise UsageError(f"--to-stage {end!r} does not come after --from-stage {start!r}; exchange them.")
        return {first: last}
    if first is not None:
        return {first: following[first]}
    return steps if last is None else {one: two for one, two in steps.items() if two == last}


def elapsed(asked: Asked, steps: dict[int, int], count: DayCount) -> ir.Table:
    """Time from the first entry into each stage to the first entry into its goal or beyond; columns `SPELL`.

    Units that end without getting there are exits at their end, open ones are censored at as-of. Who
    was at the goal before the start has `BACKWARD` seconds.
    """
    standing.require_standing(asked)
    starts = _starts(asked, list(steps))
    ended = starts.join(ends(asked), "unit_id").left_join(_arrivals(asked, steps), ["unit_id", "stage_no"])
    ended = ended.drop("unit_id_right", "stage_no_right")
    there, over = ended.goal_s.notnull(), ended.ended_s.notnull()
    cause = ibis.cases((there | (over & ended.won), ADVANCED), (over, EXIT), else_=CENSORED)
    stopped = ended.mutate(
        cause=cause, **{f"at_{part}": ibis.coalesce(ended[f"goal_{part}"], ended[f"ended_{part}"]) for part in _PARTS}
    )
    spans = count.measured(standing.until_as_of(asked, stopped, "at"), "entered", "at")
    backward = (spans.goal_s < spans.entered_s).fill_null(False)
    return spans.mutate(seconds=ibis.ifelse(backward, ibis.literal(BACKWARD, "int64"), spans.seconds)).select(*SPELL)


def arrived(asked: Asked, steps: dict[int, int]) -> ir.Table:
    """Time from the first entry into each stage to the first entry into its goal itself, in calendar days.

    Only units that got there, and not before the start; columns `SPELL`.
    """
    standing.require_standing(asked)
    starts = _starts(asked, list(steps))
    goals = _starts(asked, list(steps.values()))
    cases = [(goals.stage_no == second, ibis.literal(first, "int64")) for first, second in steps.items()]
    goals = goals.select(
        "unit_id",
        goal_s="entered_s",
        goal_day="entered_day",
        goal_is_date="entered_is_date",
        stage_no=ibis.cases(*cases) if cases else ibis.null("int64"),
    )
    there = starts.join(goals, ["unit_id", "stage_no"])
    spans = DayCount().measured(there, "entered", "goal").mutate(cause=ibis.literal(ADVANCED))
    return spans.filter(spans.goal_s >= spans.entered_s).select(*SPELL)


_PARTS = ("s", "day", "is_date")


def _starts(asked: Asked, stages: list[int]) -> ir.Table:
    """First timed entries of units into stages: unit_id, stage_no and the moment `entered`."""
    reached = units.stages(asked)
    timed = reached.filter(reached.stage_no.isin(stages) & reached.entered_s.notnull())
    return timed.select("unit_id", "stage_no", "entered_s", "entered_day", "entered_is_date")


def _arrivals(asked: Asked, steps: dict[int, int]) -> ir.Table:
    """Per unit and start the first timed entry into the goal or beyond: unit_id, stage_no, the moment `goal`."""
    reached = units.stages(asked)
    timed = reached.filter(reached.entered_s.notnull())
    # Of a date and an instant at one second the instant comes first: the flag is the lowest digit.
    keyed = timed.select(
        "unit_id", "entered_day", goal_no="stage_no", packed=timed.entered_s * 2 + timed.entered_is_date.cast("int64")
    )
    starts = _starts(asked, list(steps)).select("unit_id", "stage_no")
    wanted = {first: second for first, second in steps.items() if second != BEYOND}
    cases = [(starts.stage_no == first, ibis.literal(second, "int64")) for first, second in wanted.items()]
    aimed = starts.mutate(aim_no=ibis.cases(*cases)) if cases else starts.mutate(aim_no=ibis.null("int64"))
    joined = aimed.filter(aimed.aim_no.notnull()).join(keyed, "unit_id")
    joined = joined.filter(joined.goal_no >= joined.aim_no)
    first = joined.group_by("unit_id", "stage_no").aggregate(
        packed=joined.packed.min(), goal_day=joined.entered_day.min()
    )
    return first.select(
        "unit_id", "stage_no", "goal_day", goal_s=(first.packed // 2).cast("int64"), goal_is_date=first.packed % 2 == 1
    )


def ends(asked: Asked) -> ir.Table:
    """When each unit ended: unit_id, won and the moment `ended` (null while open)."""
    if asked.unit == "opportunities":
        deals = asked.opened["deals"]
        return deals.select(
            unit_id="opportunity_id",
            won=deals.state == "won",
            ended_s="closed_s",
            ended_day="closed_day",
            ended_is_date="closed_is_date",
        )
    own = units.of_funnel(asked, "journeys")
    return own.select("ended_s", "ended_day", "ended_is_date", unit_id="journey_id", won=own.outcome == "won")
