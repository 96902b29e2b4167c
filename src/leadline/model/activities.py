"""Activities on people: tasks that were completed and events that took place.

First response time rests on them. Open tasks are plans and stand nowhere.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.model import moments
from leadline.model.source import Source

COMPLETED = "Completed"
"""The platform's own status of a task that is done, for sources without IsClosed."""


def activities(source: Source, days: ir.Table, persons: ir.Table) -> ir.Table:
    """Every completed task and every event on a lead or contact that is there.

    Columns: activity_id, kind (task, event), person_id, evidence (completed: CompletedDateTime;
    start: StartDateTime or ActivityDateTime; date: ActivityDate alone), the moment `done`. A date
    alone is the end of its day: on the day of qualification it is not before it.
    """
    both = ibis.union(_tasks(source, days), _events(source, days))
    known = both.filter(both.done_s.notnull())
    joined = known.join(persons.select("record_id", "person_id"), [("who", "record_id")])
    return joined.select("activity_id", "kind", "person_id", "evidence", "done_s", "done_day", "done_is_date")


def _tasks(source: Source, days: ir.Table) -> ir.Table:
    rows = source.table("Task").filter(ibis._.WhoId.notnull())
    table = moments.of_instant(rows, days, "CompletedDateTime", "completed")
    table = moments.of_date(table, days, "ActivityDate", "due", edge="ends")
    closed = table.IsClosed if source.has("Task", "IsClosed") else table.Status == COMPLETED
    done = table.filter(table.completed_s.notnull() | closed.fill_null(False))
    return _moment(done, "task", [("completed", "completed"), ("due", "date")])


def _events(source: Source, days: ir.Table) -> ir.Table:
    rows = source.table("Event").filter(ibis._.WhoId.notnull())
    table = moments.of_instant(rows, days, "StartDateTime", "start")
    table = moments.of_instant(table, days, "ActivityDateTime", "activity")
    table = moments.of_date(table, days, "ActivityDate", "due", edge="ends")
    return _moment(table, "event", [("start", "start"), ("activity", "start"), ("due", "date")])


def _moment(table: ir.Table, kind: str, choices: list[tuple[str, str]]) -> ir.Table:
    """The first moment that is present, with its evidence."""
    present = [(table[f"{name}_s"].notnull(), name, label) for name, label in choices]
    columns: dict[str, ir.Value] = {
        f"done_{part}": ibis.cases(*[(there, table[f"{name}_{part}"]) for there, name, _ in present])
        for part in ("s", "day", "is_date")
    }
    evidence = ibis.cases(*[(there, ibis.literal(label)) for there, _, label in present])
    return table.select(activity_id="Id", kind=ibis.literal(kind), who="WhoId", evidence=evidence, **columns)
