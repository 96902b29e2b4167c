"""Counts of a rate per group, period and transition, and how rows show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis.expr.types as ir

from leadline.dates import day_number, day_of
from leadline.maths.intervals import wilson
from leadline.metrics import periods, rollup
from leadline.metrics.query import Asked
from leadline.metrics.rates.steps import CLASSES

SMALL = 30
"""Rates of fewer units than this are marked small."""

Key = tuple[Any, ...]
Cell = dict[str, Any]

NO_RATE: Cell = {"rate": None, "rate_low": None, "rate_high": None}


def counted(asked: Asked, marks: ir.Table) -> dict[Key, Cell]:
    """Counts per (dimensions, period_day, from_no, to_no): the classes, converted, and the youngest day.

    Campaigns that have others below them are there once more, rolled up.
    """
    keys = [*asked.by, "period_day", "from_no", "to_no"]
    question = marks.group_by(*keys).aggregate(
        **{name: (marks["class"] == name).cast("int64").sum() for name in CLASSES},
        converted=marks.converted.cast("int64").sum(),
        youngest=marks.reached_day.max(where=marks["class"].isin(["started", "too_young"])),
    )
    rows = asked.opened.arrow(question).to_pylist()
    cells = {tuple(row.pop(key) for key in keys): row for row in rows}
    rollup.rolled_up(asked.by, cells, largest=["youngest"])
    return cells


def rated(converted: int, started: int) -> Cell:
    """rate, rate_low, rate_high: the quotient with its Wilson interval; all absent without units."""
    if not started:
        return dict(NO_RATE)
    low, high = wilson([converted], [started])
    return {"rate": converted / started, "rate_low": float(low[0]), "rate_high": float(high[0])}


def ratio(part: int, whole: int) -> float | None:
    """A share, absent without a whole."""
    return part / whole if whole else None


def named(asked: Asked, key: Key) -> Cell:
    """The cells of a row that say what it is about: dimensions, period, from_stage, to_stage."""
    *dims, period_day, start, end = key
    return {
        **dict(zip(asked.by, dims, strict=True)),
        "period": asked.period_label(None if period_day == periods.NO_PERIOD else period_day),
        "from_stage": asked.stage_name(start),
        "to_stage": asked.stage_name(end),
    }


def ordered(keys: Sequence[Key]) -> list[Key]:
    """Keys of dimensions and then numbers in the order of rows: values first, then what has none."""
    return sorted(keys, key=lambda key: tuple(_place(part) for part in key))


def _place(part: str | int | None) -> tuple[bool, int, str]:
    return (part is None, part, "") if isinstance(part, int) else (part is None, 0, part or "")


def period_end(asked: Asked, period_day: int) -> int | None:
    """Day number of the last day of a period; None where periods have no end of their own."""
    grain = asked.query.grain
    if grain is None or period_day == periods.NO_PERIOD:
        return None
    return day_number(asked.calendar.following(day_of(period_day), grain)) - 1  # type: ignore[arg-type]


def mature_day(asked: Asked, period_day: int, youngest: int | None, window: int) -> int | None:
    """The first as-of day on which nobody of a cohort is too young; a period that runs may still take units in."""
    end = period_end(asked, period_day)
    last = end if end is not None and end >= asked.opened.as_of.day else youngest
    return None if last is None else last + window + 1
