"""First response time: from qualification to the first thing somebody did about the person."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.errors import SnapshotError, UsageError
from leadline.metrics.query import Asked
from leadline.metrics.times.spans import DayCount
from leadline.metrics.times.standing import ADVANCED, CENSORED, EXIT, until_as_of
from leadline.metrics.times.transitions import SPELL, ends
from leadline.metrics.units import of_funnel
from leadline.metrics.units import stages as reached_stages

RESPONSE = "First response"
"""What stands in `to_stage`: the first completed task or begun event."""


def first_response(asked: Asked, stage_no: int, count: DayCount) -> ir.Table:
    """Time from the first entry into a stage to the first activity at or after it. Columns `SPELL`.

    Answered is cause `advanced`. A journey that ended before anybody did anything is an exit at its
    end; without either it is censored at as-of.

    Raises:
        UsageError: the unit is not journeys.
        SnapshotError: the snapshot was built before activities were kept.
    """
    entered = _entered(asked, stage_no)
    joined = entered.join(ends(asked), "unit_id")
    done = _first_activity(asked, entered)
    known = joined.left_join(done, "unit_id").drop("unit_id_right")
    answered = (known.done_s.notnull() & (known.ended_s.isnull() | (known.done_s <= known.ended_s))).fill_null(False)
    cause = ibis.cases((answered, ADVANCED), (known.ended_s.notnull(), EXIT), else_=CENSORED)
    columns = {
        f"at_{part}": ibis.ifelse(answered, known[f"done_{part}"], known[f"ended_{part}"])
        for part in ("s", "day", "is_date")
    }
    spans = count.measured(until_as_of(asked, known.mutate(cause=cause, **columns), "at"), "entered", "at")
    return spans.mutate(stage_no=ibis.literal(stage_no, "int64")).select(*SPELL)


def has_activities(asked: Asked) -> bool:
    """Whether the data hold any completed task or event.

    Raises:
        SnapshotError: the snapshot was built before activities were kept.
    """
    table = _activities(asked)
    return bool(asked.opened.arrow(table.limit(1)).num_rows)


def _activities(asked: Asked) -> ir.Table:
    if "activities" not in asked.opened:
        raise SnapshotError(
            "This snapshot was built before tasks and events were kept. Run `leadline build` to make a new one."
        )
    return asked.opened["activities"]


def _entered(asked: Asked, stage_no: int) -> ir.Table:
    """First entries into the stage: unit_id, person_id and the moment `entered`."""
    if asked.unit != "journeys":
        raise UsageError(f"First response is measured on journeys, not {asked.unit}; add --unit journeys.")
    reached = reached_stages(asked)
    timed = reached.filter((reached.stage_no == stage_no) & reached.entered_s.notnull())
    people = of_funnel(asked, "journeys").select("person_id", unit_id="journey_id")
    return timed.select("unit_id", "entered_s", "entered_day", "entered_is_date").join(people, "unit_id")


def _first_activity(asked: Asked, entered: ir.Table) -> ir.Table:
    """The first activity on the person at or after the entry: unit_id and the moment `done`."""
    table = _activities(asked)
    as_of = asked.opened.as_of
    happened = table.filter(as_of.happened(table, "done")).select(
        "person_id", "done_day", done_s=as_of.cut(table.done_s), by_date=table.done_is_date.cast("int64")
    )
    joined = entered.select("unit_id", "person_id", "entered_s").join(happened, "person_id")
    later = joined.filter(joined.done_s >= joined.entered_s)
    first = later.group_by("unit_id").aggregate(
        packed=(later.done_s * 2 + later.by_date).min(), done_day=later.done_day.min()
    )
    return first.select(
        "unit_id", "done_day", done_s=(first.packed // 2).cast("int64"), done_is_date=first.packed % 2 == 1
    )
