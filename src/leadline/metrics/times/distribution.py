"""The empirical curve of a measure: who still waits, and who has left by which way, after each time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leadline.maths.survival import Durations, aalen_johansen, kaplan_meier
from leadline.metrics.assemble import Assembly
from leadline.metrics.query import NO_PERIOD
from leadline.metrics.times.figures import NEEDED, is_thin
from leadline.metrics.times.lengths import Lengths, counted, number
from leadline.metrics.times.measures import TEXTS, Times
from leadline.results import Column, Result

MOST_STEPS = 400
"""A curve with more steps is told at whole days."""

COLUMNS = (
    Column("period", "text", help="Period of the first entry into the stage"),
    Column("stage", "text", help="Where the clock starts"),
    Column("to_stage", "text", help="Where it stops, for measures between two points"),
    Column("measure", "text", help="What is timed"),
    Column("time_days", "number", "days", "Days since the clock started"),
    Column("at_risk", "integer", help="Units that could still leave just before"),
    Column("survival", "rate", help="Kaplan–Meier share that still waits after that time"),
    Column("survival_low", "rate", help="Lower end of its 95 % interval"),
    Column("survival_high", "rate", help="Upper end of it"),
    Column("advanced_share", "rate", help="Aalen–Johansen share that has moved up by then"),
    Column("exited_share", "rate", help="Aalen–Johansen share that has left otherwise by then"),
)

TEXT = (
    "The curve behind the percentiles: after each time at which a unit left, the share that still waits, and the "
    "shares that have moved up or left otherwise; the three add up to 1. "
)


def distribution(times: Times) -> Result:
    """One row per time at which somebody left; curves of more than 400 such times at whole days."""
    asked = times.asked
    cells = counted(asked, times.marks, [*asked.by, "period_day", "stage_no"])
    made = Assembly(asked, "velocity", f"Distribution of {asked.unit} over time", TEXT + TEXTS[times.measure])
    rows: list[dict[str, Any]] = []
    for key in sorted(cells, key=_sortable):
        if is_thin(cells[key]):
            continue
        *dims, period_day, stage_no = key
        head = {
            **dict(zip(asked.by, dims, strict=True)),
            "period": asked.period_label(None if period_day == NO_PERIOD else period_day),
            "stage": asked.stage_name(stage_no),
            "to_stage": times.goals.get(stage_no),
            "measure": times.measure,
        }
        rows += [head | step for step in steps(cells[key])]
    marks = times.marks
    return made.result(
        COLUMNS,
        rows,
        query=times.question,
        units=marks,
        records=lambda: times.records(made),
        notes=[*times.notes, *_notes(cells)],
    )


def steps(lengths: Lengths) -> list[dict[str, float | int | None]]:
    """The curve of a group as rows."""
    durations = lengths.durations()
    waiting, up, out = kaplan_meier(durations), aalen_johansen(durations, 0), aalen_johansen(durations, 1)
    at = _times(durations)
    place = np.searchsorted(durations.times, at, side="left")
    at_risk = np.append(waiting.at_risk, 0)[place]
    values = np.column_stack([waiting.at(at)[:, [0, 2, 3]], up.at(at)[:, 0], out.at(at)[:, 0]])
    names = ("survival", "survival_low", "survival_high", "advanced_share", "exited_share")
    return [
        {"time_days": float(day), "at_risk": int(risk), **dict(zip(names, map(number, row), strict=True))}
        for day, risk, row in zip(at, at_risk, values.tolist(), strict=True)
    ]


def _times(durations: Durations) -> NDArray[np.float64]:
    """Times at which somebody left, or the whole days up to the last of them."""
    left = durations.times[durations.events.sum(axis=1) > 0]
    if len(left) <= MOST_STEPS:
        return left
    return np.arange(0.0, np.ceil(left[-1]) + 1)


def _notes(cells: dict[tuple, Lengths]) -> list[str]:
    thin = sum(is_thin(cell) for cell in cells.values())
    long = sum(int((cell.counts[:, :2].sum(axis=1) > 0).sum()) > MOST_STEPS for cell in cells.values())
    notes = []
    if thin:
        notes.append(f"{thin} of {len(cells)} groups have fewer than {NEEDED} units, or none that left: no curve.")
    if long:
        notes.append(f"{long} of {len(cells)} curves have more than {MOST_STEPS} steps; they are told at whole days.")
    return notes


def _sortable(key: tuple) -> tuple:
    *dims, period_day, stage_no = key
    return (*[(value is None, value or "") for value in dims], period_day, stage_no)
