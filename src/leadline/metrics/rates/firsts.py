"""How far the units of the first stage came: the share of the first beside the share of the previous stage.

The marks of the first transition are kept already, so only the units that came further are looked at:
each unit old enough is in the denominator anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from leadline.metrics import rollup, units
from leadline.metrics.query import Asked
from leadline.metrics.rates.steps import Transition

Key = tuple[Any, ...]
Cells = dict[Key, dict[str, Any]]


def ways(wanted: Sequence[Transition]) -> list[Transition]:
    """From the first stage to every later one, each within the windows of the steps up to there."""
    if not wanted:
        return []
    first = wanted[0].start
    passed = {first: 0}
    # A stage is come to from the nearest one before it; whatever starts at a stage stands behind what ends there.
    for one in sorted(wanted, key=lambda step: (step.end, -step.start)):
        if one.start in passed and one.end not in passed:
            passed[one.end] = passed[one.start] + one.window
    return [Transition(first, end, days) for end, days in sorted(passed.items()) if end != first]


def beyond(wanted: Sequence[Transition]) -> list[Transition]:
    """`ways` without the first one, whose share is that of the previous stage."""
    return [one for one in ways(wanted) if one.end != wanted[0].end]


def of_first(marks: ir.Table, wanted: Sequence[Transition]) -> ir.Table:
    """The marks of the first transition."""
    return marks.filter((marks.from_no == wanted[0].start) & (marks.to_no == wanted[0].end))


def shares(cells: Cells) -> dict[Key, float]:
    """Counts per (…, from_no, to_no) as shares per (…, to_no)."""
    return {(*key[:-2], key[-1]): cell["converted"] / cell["started"] for key, cell in cells.items() if cell["started"]}


def cohort(
    asked: Asked, wanted: Sequence[Transition], marks: ir.Table, broken: ir.Table | None = None
) -> dict[Key, float]:
    """Shares by the cohort convention; units of `broken` (unit_id, from_no, to_no) have not come in order."""
    further = beyond(wanted)
    return shares(jumps(asked, of_first(marks, wanted), further, broken)) if further else {}


def jumps(asked: Asked, marks: ir.Table, further: Sequence[Transition], broken: ir.Table | None = None) -> Cells:
    """Cohort counts (started, converted, too_young) of transitions over several stages, from marks of single steps.

    Args:
        marks: one per unit and earlier stage, of whatever transition.
        further: the transitions.
        broken: unit_id, from_no, to_no of what has not come in order.
    """
    timed = marks.filter(marks.reached_s.notnull())
    as_of = asked.opened.as_of.day
    old = {f"old_{days}": timed.reached_day + days < as_of for days in {one.window for one in further}}
    keys = [*asked.by, "period_day", "from_no"]
    totals = timed.group_by(*keys).aggregate(
        **{name: is_old.cast("int64").sum() for name, is_old in old.items()}, everyone=timed.count()
    )
    gone = _gone_further(asked, further, timed, broken)
    cells: Cells = {}
    for row in asked.opened.arrow(totals).to_pylist():
        place = tuple(row[key] for key in keys)
        for one in further:
            if one.start == row["from_no"]:
                counts = gone.get((*place, one.end), _NOBODY)
                old_ones = row[f"old_{one.window}"]
                cells[(*place, one.end)] = {
                    "started": old_ones - counts["old_backwards"],
                    "converted": counts["converted"],
                    "too_young": row["everyone"] - old_ones - counts["backwards"] + counts["old_backwards"],
                }
    rollup.rolled_up(asked.by, cells)
    return cells


_NOBODY = {"old_backwards": 0, "backwards": 0, "converted": 0}


def touched(asked: Asked, wanted: Sequence[Transition], marks: ir.Table) -> dict[Key, float]:
    """Shares of all units that were ever in the first stage."""
    further = beyond(wanted)
    if not further:
        return {}
    own = of_first(marks, wanted)
    keys = [*asked.by, "period_day"]
    ever = units.stages(asked).select("unit_id", end_no="stage_no")
    came = own.join(ever.filter(ever.end_no.isin([one.end for one in further])), "unit_id")
    counted = came.group_by(*keys, "end_no").aggregate(converted=came.count())
    converted = {
        (*[row[key] for key in keys], row["end_no"]): row["converted"]
        for row in asked.opened.arrow(counted).to_pylist()
    }
    cells: Cells = {}
    for row in asked.opened.arrow(own.group_by(*keys).aggregate(started=own.count())).to_pylist():
        place = tuple(row[key] for key in keys)
        for one in further:
            count = converted.get((*place, one.end), 0)
            cells[(*place, one.start, one.end)] = {"started": row["started"], "converted": count}
    rollup.rolled_up(asked.by, cells)
    return shares(cells)


def came(asked: Asked, further: Sequence[Transition], timed: ir.Table) -> ir.Table:
    """Units with each later stage they came to: end_no, end_s, end_day beside their marks."""
    later = units.passed(asked).select("unit_id", end_no="stage_no", end_s="later_s", end_day="later_day")
    later = later.filter(later.end_no.isin([one.end for one in further]) & later.end_s.notnull())
    joined = timed.join(later, "unit_id")
    return joined.filter(ibis.or_(*[(joined.from_no == one.start) & (joined.end_no == one.end) for one in further]))


def _gone_further(
    asked: Asked, further: Sequence[Transition], timed: ir.Table, broken: ir.Table | None
) -> dict[Key, dict[str, int]]:
    """Of the units that came to a later stage: out of order, the old ones among them, and in time."""
    joined = came(asked, further, timed)
    if broken is not None:
        marked = broken.select("unit_id", "from_no", end_no="to_no").mutate(broken=ibis.literal(True))
        joined = joined.left_join(marked, ["unit_id", "from_no", "end_no"])
        joined = joined.drop("unit_id_right", "from_no_right", "end_no_right")
    window = ibis.cases(*[((joined.from_no == one.start) & (joined.end_no == one.end), one.window) for one in further])
    known = joined.mutate(window=window.cast("int64"), backwards=joined.end_s < joined.reached_s)
    known = known.mutate(old=known.reached_day + known.window < asked.opened.as_of.day)
    on_time = known.old & ~known.backwards & (known.end_day - known.reached_day <= known.window)
    if broken is not None:
        on_time = on_time & known.broken.isnull()
    keys = [*asked.by, "period_day", "from_no", "end_no"]
    counted = known.group_by(*keys).aggregate(
        old_backwards=(known.old & known.backwards).cast("int64").sum(),
        backwards=known.backwards.cast("int64").sum(),
        converted=on_time.cast("int64").sum(),
    )
    return {tuple(row.pop(key) for key in keys): row for row in asked.opened.arrow(counted).to_pylist()}
