"""The goals in a table of volume: its columns `goal` and `attainment`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from leadline.errors import GoalsError
from leadline.metrics.query import Asked, Query, ask
from leadline.metrics.targets.goals_file import Goal, Segment, read
from leadline.model.opened import Opened
from leadline.results import Result


def with_goals(result: Result, opened: Opened, query: Query, view: str, path: Path) -> Result:
    """A volume with the goals that are set for exactly what its rows count.

    That is: view entered, the same funnel, unit, stage and whole period, and a segment that is the
    filter of the question together with the dimensions of the row. Touched counts overlap and have
    no goals.

    Args:
        result: a result of volume.
        opened: the snapshot it was asked of.
        query: its question.
        view: its view.
        path: the file of goals; without one the result stays as it is, with faults a note says so.
    """
    if view != "entered" or query.grain is None or query.touched or not path.is_file():
        return result
    try:
        goals = read(path, opened)
    except GoalsError as fault:
        count = len(fault.faults)
        told = f"{path.name} has {count} fault{'s' if count > 1 else ''}, so no goals are shown: `leadline goals` names them."
        return replace(result, notes=(*result.notes, told))
    asked = ask(opened, query)
    targets = _targets(asked, goals)
    rows = result.table.select([*dict.fromkeys(["period", "stage", "count", *query.by])]).to_pylist()
    found = [targets.get((row["period"], row["stage"], _segment(query, row))) for row in rows]
    shares = [row["count"] / goal if goal else None for row, goal in zip(rows, found, strict=True)]
    table = result.table
    for name, values in (("goal", found), ("attainment", shares)):
        table = table.set_column(table.column_names.index(name), name, pa.array(values, pa.float64()))
    return replace(result, table=table)


def _targets(asked: Asked, goals: tuple[Goal, ...]) -> dict[tuple[str, str, Segment], float]:
    """Goals of these units in whole periods of this grain: by period, stage and segment."""
    own = [goal for goal in goals if (goal.funnel, goal.unit, goal.of_money) == (asked.funnel_name, asked.unit, False)]
    return {
        (goal.period.label, goal.metric, goal.segment): float(goal.value)
        for goal in _whole(asked, own)
        if goal.period.grain == asked.query.grain
    }


def _whole(asked: Asked, goals: list[Goal]) -> Iterator[Goal]:
    """Goals whose period the range of days asked for does not cut."""
    query = asked.query
    for goal in goals:
        after = query.start is None or goal.period.start >= query.start
        before = query.end is None or goal.period.end <= query.end
        if after and before:
            yield goal


def _segment(query: Query, row: dict) -> Segment:
    """What a row counts, as a goal would say it."""
    pairs = dict(query.where) | {name: row[name] or "" for name in query.by}
    return tuple(sorted(pairs.items()))
