"""Conventions that ask which stages a unit has seen, not only how far it came: touched, and in order."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from leadline.metrics import units
from leadline.metrics.query import Asked
from leadline.metrics.rates import steps
from leadline.metrics.rates.steps import Transition


def touched(asked: Asked, wanted: Sequence[Transition]) -> ir.Table:
    """Every unit that ever reached the earlier stage, known time or not; converted if it ever reached the later one.

    There is no window and nobody is too young: the share of an old group and of a young one differ by
    their age as well.
    """
    pairs = steps.paired(asked, wanted)
    ever = units.stages(asked).select("unit_id", to_no="stage_no").mutate(ever=ibis.literal(True))
    joined = pairs.left_join(ever, ["unit_id", "to_no"]).drop("unit_id_right", "to_no_right")
    marked = joined.mutate(**{"class": ibis.literal("started"), "converted": joined.ever.fill_null(False)})
    return steps.placed(asked, marked)


def in_order(asked: Asked, wanted: Sequence[Transition]) -> ir.Table:
    """The classes of the cohort; converted only if no stage between was skipped and none came before its turn.

    A stage came in its turn if it has a time and no later stage was entered before it. An optional stage
    may be without a time.
    """
    marked = steps.classified(asked, steps.paired(asked, wanted))
    out = broken(asked, wanted)
    joined = marked.left_join(out, ["unit_id", "from_no", "to_no"])
    joined = joined.drop("unit_id_right", "from_no_right", "to_no_right")
    return joined.mutate(converted=joined.converted & joined.broken.isnull()).drop("broken")


def broken(asked: Asked, wanted: Sequence[Transition]) -> ir.Table:
    """Units and transitions of which a stage, either end included, did not come in its turn.

    Columns: unit_id, from_no, to_no, broken (true).
    """
    rows = units.stages(asked)
    late = rows.entered_s.notnull() & (rows.entered_s > rows.later_s)
    skipped = rows.entered_s.isnull()
    optional = [number for number in asked.stages if asked.funnel.stages[number].optional]
    if optional:
        skipped = skipped & ~rows.stage_no.isin(optional)
    out = rows.filter(late | skipped).select("unit_id", "stage_no")
    parts = [
        out.filter((out.stage_no >= one.start) & (out.stage_no <= one.end))
        .select("unit_id", from_no=ibis.literal(one.start, "int64"), to_no=ibis.literal(one.end, "int64"))
        .distinct()
        for one in wanted
    ]
    # A funnel of one stage has no transition, so nothing in it can be broken.
    parts = parts or [out.filter(False).select("unit_id", from_no="stage_no", to_no="stage_no")]
    return ibis.union(*parts).mutate(broken=ibis.literal(True))
