"""Transitions between stages, and every unit's way through one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from leadline.errors import UsageError
from leadline.metrics import periods, units
from leadline.metrics.query import Asked
from leadline.metrics.times import numbers

CLASSES = ("started", "too_young", "implied", "out_of_order", "undated")
"""What a unit that reached the earlier stage is to a rate; exclusive, the first that applies."""


@dataclass(frozen=True, slots=True)
class Transition:
    """From one stage to another within a number of days."""

    start: int
    end: int
    window: int


def transitions(asked: Asked, window_days: int | None, start: str | None, end: str | None) -> list[Transition]:
    """The transitions asked for, each with its window; by default each stage to the next one.

    An optional stage is passed over as well: from the stage before it to the next that is not optional.

    Raises:
        UnknownNameError: a stage that does not exist.
        UsageError: a transition backwards or a window below 0.
    """
    if window_days is not None and window_days < 0:
        raise UsageError(f"--window-days {window_days} is below 0.")
    pairs: Iterable[tuple[int, int]]
    if start is None and end is None:
        pairs = sorted({*pairwise(asked.stages), *pairwise(required(asked))})
    else:
        pairs = [between(asked, start, end)]
    return [windowed(asked, one, two, window_days) for one, two in pairs]


def between(asked: Asked, start: str | None, end: str | None) -> tuple[int, int]:
    """The two stages by name; without a name the first and the last one.

    Raises:
        UnknownNameError: a stage that does not exist.
        UsageError: the first does not come before the second.
    """
    first = asked.stage_number(start) if start else asked.stages[0]
    last = asked.stage_number(end) if end else asked.stages[-1]
    if first >= last:
        names = asked.stage_name(first), asked.stage_name(last)
        raise UsageError(f"{names[0]} does not come before {names[1]}; swap --from-stage and --to-stage.")
    return first, last


def windowed(asked: Asked, start: int, end: int, window_days: int | None) -> Transition:
    """A transition with the window asked for, else its own."""
    return Transition(start, end, numbers.window(asked, start, end) if window_days is None else window_days)


def required(asked: Asked) -> list[int]:
    """Stages that are not optional."""
    return [number for number in asked.stages if not asked.funnel.stages[number].optional]


def paired(asked: Asked, wanted: Sequence[Transition]) -> ir.Table:
    """Every unit that reached the earlier stage of a transition, with its first entry into the later one.

    Columns: unit_id, from_no, to_no, window, reached_s and reached_day (first timed entry into the
    earlier stage), beyond_day (into any stage beyond it), at_s and at_day (into the later stage or
    beyond; null if there is none).
    """
    following = dict(pairwise(asked.stages))
    steps = [one for one in wanted if following.get(one.start) == one.end]
    jumps = [one for one in wanted if following.get(one.start) != one.end]
    # A funnel of one stage has no transition: an empty plan gives the columns and no unit.
    parts = ([_steps(asked, steps)] if steps else []) + ([_jumps(asked, jumps)] if jumps or not steps else [])
    return ibis.union(*parts)


def _steps(asked: Asked, steps: list[Transition]) -> ir.Table:
    """To the next stage: what lies beyond a stage is known on its own row, so nothing is joined."""
    reached = units.stages(asked)
    reached = reached.filter(reached.stage_no.isin([one.start for one in steps]))
    to_no = ibis.cases(*[(reached.stage_no == one.start, one.end) for one in steps])
    window = ibis.cases(*[(reached.stage_no == one.start, one.window) for one in steps])
    return reached.select(
        "unit_id",
        "beyond_day",
        from_no="stage_no",
        to_no=to_no.cast("int64"),
        window=window.cast("int64"),
        reached_s="entered_s",
        reached_day="entered_day",
        at_s="beyond_s",
        at_day="beyond_day",
    ).select(*_PAIRED)


_PAIRED = ("unit_id", "from_no", "to_no", "window", "reached_s", "reached_day", "beyond_day", "at_s", "at_day")


def _jumps(asked: Asked, jumps: list[Transition]) -> ir.Table:
    earlier = units.stages(asked).select(
        "unit_id", "beyond_day", from_no="stage_no", reached_s="entered_s", reached_day="entered_day"
    )
    later = units.passed(asked).select("unit_id", to_no="stage_no", at_s="later_s", at_day="later_day")
    pairs = earlier.join(_plan(jumps), "from_no").left_join(later, ["unit_id", "to_no"])
    return pairs.drop("unit_id_right", "to_no_right").select(*_PAIRED)


def _plan(jumps: list[Transition]) -> ir.Table:
    columns = {
        "from_no": [one.start for one in jumps],
        "to_no": [one.end for one in jumps],
        "window": [one.window for one in jumps],
    }
    return ibis.memtable(pa.table({name: pa.array(values, pa.int64()) for name, values in columns.items()}))


def backwards(pairs: ir.Table) -> ir.BooleanValue:
    """Whether the later stage or one beyond it came before the earlier one."""
    return (pairs.at_s < pairs.reached_s).fill_null(False)


def classified(asked: Asked, pairs: ir.Table) -> ir.Table:
    """Every unit of `paired` with its class, whether it converted in time, and its period.

    Columns: those of `placed`; class is one of `CLASSES`.
    """
    known = ibis.cases(
        (pairs.reached_s.isnull() & pairs.beyond_day.isnull(), "undated"),
        (pairs.reached_s.isnull(), "implied"),
        (backwards(pairs), "out_of_order"),
        (pairs.reached_day + pairs.window >= asked.opened.as_of.day, "too_young"),
        else_="started",
    )
    marked = pairs.mutate(**{"class": known, "on_time": on_time(pairs)})
    return placed(asked, marked.mutate(converted=(marked["class"] == "started") & marked.on_time))


def on_time(pairs: ir.Table) -> ir.BooleanValue:
    """Whether the later stage or one beyond it was entered within the window."""
    return ((pairs.at_day - pairs.reached_day) <= pairs.window).fill_null(False)


MARK = ("unit_id", "from_no", "to_no", "class", "converted", "reached_s", "reached_day", "at_day", "period_day")


def placed(asked: Asked, marked: ir.Table, extra: Sequence[str] = ()) -> ir.Table:
    """Units within the days asked for, with the period they count in: columns `MARK` and the extra ones.

    A unit counts on the day of its first timed entry into the earlier stage, else into one beyond it.
    Nothing else comes along: there may be millions.
    """
    dated = marked.mutate(day=ibis.coalesce(marked.reached_day, marked.beyond_day))
    kept = periods.with_period(asked, periods.within(asked, dated, "day"), "day")
    return kept.select(*MARK, *extra)
