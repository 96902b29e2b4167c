"""The entries behind goals: counted per day and segment, and listed, from the same marks as volume's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadline.errors import did_you_mean
from leadline.metrics import periods, units
from leadline.metrics.assemble import Assembly
from leadline.metrics.grouping import Grouping, grouping
from leadline.metrics.query import Asked, Query, ask
from leadline.metrics.targets.goals_file import Goal, Segment, segment_text
from leadline.metrics.targets.pace import Series
from leadline.model.opened import Opened
from leadline.results import Column, Result

GOAL_COLUMNS = (
    Column("goal_period", "text", help="Period of the goal"),
    Column("metric", "text", help="Metric of the goal"),
    Column("segment", "text", help="Segment of the goal"),
)
"""What the list has beside the columns of every list: a unit counts once for each goal it counts for."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The entries behind the goals of one unit, per day, stage and segment."""

    asked: Asked
    group: Grouping
    marks: ir.Table
    cells: pa.Table
    goals: tuple[Goal, ...]


def count(opened: Opened, funnel: str, unit: str, wanted: Sequence[Goal]) -> Counted:
    """First visits of the stages that goals of one unit name, counted per day and segment."""
    own = tuple(goal for goal in wanted if goal.unit == unit)
    dims = tuple(sorted({name for goal in own for name, _ in goal.segment}))
    first = min(goal.period.start for goal in own)
    end = max(goal.period.end for goal in own)
    # The range says what trust is about; what is counted goes back further, to learn the usual course.
    asked = ask(opened, Query(by=dims, unit=unit, funnel=funnel, start=first, end=end), numbered=True)
    group = grouping(asked)
    reached = units.stages(asked)
    entered = reached.filter(
        (reached.known == "observed") & reached.stage_no.isin(sorted({goal.stage_no for goal in own}))
    )
    marks = group.of(
        entered.select(
            "unit_id",
            "stage_no",
            day="entered_day",
            at_s="entered_s",
            mark=ibis.literal("count"),
            period_day=ibis.literal(0, "int64"),
        )
    )
    marks = opened.keep(marks)
    money = {"amount": marks.amount.sum()} if unit == "opportunities" else {}
    counted = marks.group_by(*dims, "day", "stage_no").aggregate(count=marks.count(), **money)
    return Counted(asked, group, marks, opened.arrow(counted), own)


def chosen(part: Counted, stage_no: int, segment: Segment) -> pa.Table:
    """The cells of one stage and segment."""
    kept = pc.equal(part.cells["stage_no"], stage_no)
    for name, value in segment:
        column = part.cells[name]
        kept = pc.and_(kept, pc.fill_null(pc.equal(column, value), False) if value else pc.is_null(column))
    return part.cells.filter(kept)


def series(cells: pa.Table, column: str) -> Series:
    """One column of cells by day: count, or amount in minor units."""
    days = cells["day"].to_numpy().astype(np.int64)
    return Series(days, pc.fill_null(cells[column].cast(pa.int64()), 0).to_numpy())


def within(part: Counted) -> ir.Table:
    """The marks from the first goal's first day to the last one's last: what the numbers count."""
    return periods.within(part.asked, part.marks, "day")


def unknown_values(parts: Sequence[Counted]) -> list[str]:
    """Segments whose value no counted unit has: a goal with nothing behind it is often a slip of the pen."""
    notes = {}
    for part in parts:
        for goal in part.goals:
            for name, value in goal.segment:
                known = [one for one in part.cells[name].unique().to_pylist() if one is not None]
                if value and value not in known:
                    near = did_you_mean(value, known)
                    notes[name, value] = f"goals.csv line {goal.line}: nothing counted has {name} {value!r}.{near}"
    return list(notes.values())


def listed(parts: Sequence[Counted]) -> Result:
    """One row per goal and unit that counts for it, from the same marks."""
    made = [_list_of(part) for part in parts]
    names = [column.name for column in made[0].columns]
    return replace(made[0], kind="goals", table=pa.concat_tables([one.table.select(names) for one in made]))


def _list_of(part: Counted) -> Result:
    plan = ibis.memtable(_plan(part))
    marks, dims = part.marks, part.asked.by
    joined = marks.join(
        plan,
        [marks.stage_no == plan.goal_stage_no, marks.day >= plan.goal_start_day, marks.day < plan.goal_end_day],
    )
    for name in dims:
        value = joined[f"goal_{name}"]
        none = (value == "") & joined[name].isnull()
        joined = joined.filter(value.isnull() | none | (joined[name] == value).fill_null(False))
    own = joined.select(*marks.columns, "goal_no")
    made = Assembly(part.asked, "volume", "Goals: the records", "The records counted for each goal.")
    result = made.list_of(part.group, own, "entered", extra=(Column("goal_no", "integer", help="Goal"),))
    return _named(result, part.goals, dims)


def _plan(part: Counted) -> pa.Table:
    """The goals as a table to join entries with."""
    own = part.goals
    columns: dict[str, pa.Array] = {
        "goal_no": pa.array(range(len(own)), pa.int64()),
        "goal_stage_no": pa.array([goal.stage_no for goal in own], pa.int64()),
        "goal_start_day": pa.array([goal.period.span[0] for goal in own], pa.int64()),
        "goal_end_day": pa.array([goal.period.span[1] for goal in own], pa.int64()),
    }
    for name in part.asked.by:
        columns[f"goal_{name}"] = pa.array([dict(goal.segment).get(name) for goal in own], pa.string())
    return pa.table(columns)


def _named(result: Result, own: Sequence[Goal], dims: tuple[str, ...]) -> Result:
    """The list with the words of each goal in place of its number; dimensions are in the segment already."""
    number = result.table["goal_no"].combine_chunks()
    words = (
        [goal.period.label for goal in own],
        [goal.metric for goal in own],
        [segment_text(goal.segment) or None for goal in own],
    )
    table = result.table.drop_columns(["goal_no", "period", *dims])
    for at, (column, values) in enumerate(zip(GOAL_COLUMNS, words, strict=True)):
        table = table.add_column(at, column.name, pa.array(values, pa.string()).take(number))
    kept = [column for column in result.columns if column.name in table.column_names]
    return replace(result, columns=(*GOAL_COLUMNS, *kept), table=table)
