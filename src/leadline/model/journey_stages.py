"""Which stages a unit has reached, when first, and how that is known."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

OBSERVED, UNTIMED, SKIPPED, MID_FUNNEL = "observed", "untimed", "skipped", "mid_funnel"


def reached(visits: ir.Table, outcomes: ir.Table, untimed: ir.Table, key: str, stages: ir.Table) -> ir.Table:
    """One row per unit and stage up to the furthest it reached.

    Args:
        visits: `key`, stage_no, the moment `entered`, evidence.
        outcomes: entries into outcome stages: `key`, stage_no, the moment `entered`.
        untimed: `key`, stage_no of entries whose time is unknown.
        stages: stage_no 0 … of the funnel.

    Columns: `key`, stage_no, the moment `entered` (null if implied), evidence, known (observed;
    untimed, skipped, mid_funnel are implied), visits, later_s and later_day (first timed entry into
    this stage or a later one).
    """
    timed = _first_entries(visits, outcomes, key)
    bare = untimed.select(key, "stage_no").distinct()
    marked = ibis.union(timed.select(key, "stage_no"), bare)
    furthest = marked.group_by(key).aggregate(furthest=marked.stage_no.max())
    first = timed.group_by(key).aggregate(first_stage=_stage_of_first(timed))
    units = furthest.left_join(first, key).drop(f"{key}_right")
    grid = units.cross_join(stages).filter(ibis._.stage_no <= ibis._.furthest)
    joined = grid.left_join(timed, [key, "stage_no"]).drop(f"{key}_right", "stage_no_right")
    joined = joined.left_join(bare.mutate(is_untimed=ibis.literal(True)), [key, "stage_no"])
    joined = joined.drop(f"{key}_right", "stage_no_right")
    known = ibis.cases(
        (joined.entered_s.notnull(), OBSERVED),
        (joined.is_untimed.fill_null(False), UNTIMED),
        ((joined.stage_no < joined.first_stage).fill_null(False), MID_FUNNEL),
        else_=SKIPPED,
    )
    return _with_later(joined.mutate(known=known, visits=joined.visits.fill_null(0)), key)


def _first_entries(visits: ir.Table, outcomes: ir.Table, key: str) -> ir.Table:
    entries = ibis.union(
        visits.select(key, "stage_no", "entered_s", "entered_day", "entered_is_date", "evidence"),
        outcomes.select(
            key, "stage_no", "entered_s", "entered_day", "entered_is_date", evidence=ibis.literal("milestone")
        ),
    )
    keys = [key, "stage_no"]
    same = ibis.window(group_by=keys, order_by=["entered_s", "entered_is_date", "evidence"])
    ranked = entries.mutate(nth=ibis.row_number().over(same), visits=entries.count().over(ibis.window(group_by=keys)))
    return ranked.filter(ranked.nth == 0).drop("nth")


def _stage_of_first(timed: ir.Table) -> ir.IntegerScalar:
    """Lowest stage among the entries of the earliest moment, found by a packed rank."""
    return (timed.entered_s * 1000 + timed.stage_no).min() % 1000


def _with_later(joined: ir.Table, key: str) -> ir.Table:
    beyond = ibis.window(group_by=key, order_by=ibis.desc("stage_no"), rows=(None, -1))
    ahead = joined.mutate(
        beyond_s=joined.entered_s.min().over(beyond), beyond_day=joined.entered_day.min().over(beyond)
    )
    return ahead.select(
        key,
        "stage_no",
        "entered_s",
        "entered_day",
        "entered_is_date",
        "evidence",
        "known",
        "visits",
        "beyond_s",
        "beyond_day",
        later_s=_earlier(ahead.entered_s, ahead.beyond_s),
        later_day=_earlier(ahead.entered_day, ahead.beyond_day),
    )


def _earlier(own: ir.IntegerValue, beyond: ir.IntegerValue) -> ir.IntegerValue:
    """The smaller of two, the one that is known if the other is null."""
    return ibis.ifelse(beyond.isnull() | (own <= beyond).fill_null(False), own, beyond)
