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
    marked = ibis.union(timed.select(key, "stage_no"), untimed.select(key, "stage_no"))
    furthest = marked.group_by(key).aggregate(furthest=marked.stage_no.max())
    first = timed.group_by(key).aggregate(first_stage=_stage_of_first(timed, key))
    grid = furthest.cross_join(stages).filter(ibis._.stage_no <= ibis._.furthest)
    joined = grid.left_join(timed, [key, "stage_no"]).drop(f"{key}_right", "stage_no_right")
    joined = joined.left_join(first, key).drop(f"{key}_right")
    bare = untimed.select(key, "stage_no").distinct().mutate(is_untimed=ibis.literal(True))
    joined = joined.left_join(bare, [key, "stage_no"]).drop(f"{key}_right", "stage_no_right")
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
    same = ibis.window(group_by=[key, "stage_no"], order_by=["entered_s", "entered_is_date", "evidence"])
    ranked = entries.mutate(nth=ibis.row_number().over(same))
    counted = entries.group_by(key, "stage_no").aggregate(visits=entries.count())
    return ranked.filter(ranked.nth == 0).drop("nth").join(counted, [key, "stage_no"])


def _stage_of_first(timed: ir.Table, key: str) -> ir.IntegerScalar:
    """Lowest stage among the entries of the earliest moment, found by a packed rank."""
    return (timed.entered_s * 1000 + timed.stage_no).min() % 1000


def _with_later(joined: ir.Table, key: str) -> ir.Table:
    onward = ibis.window(group_by=key, order_by=ibis.desc("stage_no"), rows=(None, 0))
    beyond = ibis.window(group_by=key, order_by=ibis.desc("stage_no"), rows=(None, -1))
    return joined.select(
        key,
        "stage_no",
        "entered_s",
        "entered_day",
        "entered_is_date",
        "evidence",
        "known",
        "visits",
        later_s=joined.entered_s.min().over(onward),
        later_day=joined.entered_day.min().over(onward),
        beyond_s=joined.entered_s.min().over(beyond),
        beyond_day=joined.entered_day.min().over(beyond),
    )
