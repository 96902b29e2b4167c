"""The points engine: integer points of touches, and an amount split by them to the minor unit.

A kind of model gives points, or real weights that are put on an integer grid here. Credit is by
largest remainder, so that the credits of an opportunity and what is pending are its amount. Touches
of all models stand below each other in one narrow table: one pass serves them all, and only the few
deals with a unit left over are sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import ibis
import ibis.expr.types as ir

from leadline.metrics.credit.base import Share

GRID = 10**6
"""Upper bound of the sum of points of one opportunity."""

MODELS_APART = 10**12
"""Keys of one model's deals lie this far from those of the next."""

Keep = Callable[[ir.Table], ir.Table]


def credited(weighed: Sequence[tuple[ir.Table, Share]], deals: ir.Table, keep: Keep) -> ir.Table:
    """Credit of every touch with points: model_no, deal_no, nth, campaign_id, is_sourced, points, credit (minor units).

    Args:
        weighed: per model its touches (deal_no, nth, touch_count, campaign_id, is_sourced and what its
            share names); its place is its model_no.
        deals: deal_no and amount.
        keep: runs a table that is used several times, or hands it on.
    """
    rows = keep(reduce(ibis.union, [_pointed(number, table, share) for number, (table, share) in enumerate(weighed)]))
    amounts = keep(_amounts(rows, deals))
    shared = keep(_shared(rows, amounts))
    raised = _raised(shared, amounts).mutate(extra=ibis.literal(1, "int64"))
    joined = shared.left_join(raised, ["key", "nth"])
    credit = (shared.share + joined.extra.fill_null(0)) * shared.sign
    return joined.select("model_no", "deal_no", "nth", "campaign_id", "is_sourced", "points", credit=credit)


def _pointed(number: int, table: ir.Table, share: Share) -> ir.Table:
    """Touches of one model with integer points and what is pending of their deal; `even`: all share if nobody has points."""
    waits = table[f"{share.key}_pending"] if share.pending else ibis.literal(0, "int64")
    narrow = table.select(
        "deal_no",
        "nth",
        "touch_count",
        "campaign_id",
        "is_sourced",
        points=table[f"{share.key}_{'weight' if share.real else 'points'}"],
        pending=waits,
    )
    if share.real:
        narrow = _on_grid(narrow, ibis.literal(True))
    elif share.bound > GRID:
        summed = narrow.group_by("deal_no").aggregate(raw=narrow.points.sum() + narrow.pending.max())
        wide = narrow.join(summed, "deal_no")
        narrow = _on_grid(wide, wide.raw > GRID)
    return narrow.mutate(
        key=narrow.deal_no + number * MODELS_APART,
        model_no=ibis.literal(number, "int64"),
        even=ibis.literal(share.alone is None),
    )


def _on_grid(table: ir.Table, where: ir.BooleanValue) -> ir.Table:
    """Weights on the integer grid: first to 10**6 of the largest, then to a sum of at most 10**6.

    Halves are rounded up. What is pending takes part like a touch. Deals that are not `where` stay
    as they are.
    """
    chosen = table.mutate(large=where)
    tops = chosen.group_by("deal_no").aggregate(top=ibis.greatest(chosen.points.max(), chosen.pending.max()))
    sized = chosen.join(tops, "deal_no")
    scaled = sized.mutate(w=_scaled(sized.points, sized.top), waits=_scaled(sized.pending, sized.top))
    totals = scaled.group_by("deal_no").aggregate(total=(scaled.w.sum() + scaled.waits.max()).nullif(0))
    summed = scaled.join(totals, "deal_no")
    return summed.select(
        "deal_no",
        "nth",
        "touch_count",
        "campaign_id",
        "is_sourced",
        points=_either(summed, summed.w, summed.points),
        pending=_either(summed, summed.waits, summed.pending),
    )


def _scaled(weight: ir.NumericValue, top: ir.NumericValue) -> ir.IntegerValue:
    return ((weight * float(GRID)) / top.nullif(0) + 0.5).floor().fill_null(0).cast("int64")


def _either(summed: ir.Table, scaled: ir.IntegerValue, before: ir.NumericValue) -> ir.IntegerValue:
    on_grid = _divided(scaled * GRID, summed.total).fill_null(0)
    return ibis.ifelse(summed.large, on_grid, before.cast("int64"))


def _divided(number: ir.IntegerValue, divisor: ir.IntegerValue) -> ir.IntegerValue:
    """number div divisor: what is left is taken off first, so that the quotient of floats below 2**53 is exact."""
    return ((number - number % divisor) / divisor).round().cast("int64")


def _amounts(rows: ir.Table, deals: ir.Table) -> ir.Table:
    """Per deal and model: key, total points, size and sign of the amount, its whole parts and rest, what is kept.

    The amount is size ÷ S taken p times, and the rest of that division split by p: no product leaves 2**53.
    """
    summed = rows.group_by("key", "deal_no").aggregate(
        given=rows.points.sum(), pending=rows.pending.max(), even=rows.even.all(), touch_count=rows.touch_count.max()
    )
    points = summed.given + summed.pending
    settled = summed.mutate(
        nothing=(points == 0) & summed.even,
        # A divisor is needed; where nobody has points and nobody is to share, no row is left to be divided.
        total=ibis.greatest(ibis.ifelse((points == 0) & summed.even, summed.touch_count, points), 1),
    )
    joined = settled.join(deals.select("deal_no", "amount"), "deal_no")
    size = joined.amount.abs()
    sized = joined.mutate(size=size, rest=size % joined.total, each=_divided(size, joined.total))
    waits = sized.rest * sized.pending
    return sized.select(
        "key",
        "nothing",
        "total",
        "size",
        "rest",
        "each",
        sign=ibis.ifelse(sized.amount < 0, -1, 1).cast("int64"),
        kept=sized.each * sized.pending + _divided(waits, sized.total),
        kept_remainder=waits % sized.total,
    )


def _shared(rows: ir.Table, amounts: ir.Table) -> ir.Table:
    """Touches that have points, with their part in whole units and the remainder of the division."""
    joined = rows.join(amounts.select("key", "nothing", "total", "rest", "each", "sign"), "key")
    settled = joined.mutate(points=ibis.ifelse(joined.nothing, ibis.literal(1, "int64"), joined.points))
    having = settled.filter(settled.points > 0)
    product = having.rest * having.points
    return having.select(
        "key",
        "model_no",
        "deal_no",
        "nth",
        "campaign_id",
        "is_sourced",
        "points",
        "sign",
        share=having.each * having.points + _divided(product, having.total),
        remainder=product % having.total,
    )


def _raised(shared: ir.Table, amounts: ir.Table) -> ir.Table:
    """Touches that get one of the units left over: key, nth.

    The largest remainders come first, ties by the order of touches; what is pending stands behind the
    touches of its remainder.
    """
    used = shared.group_by("key").aggregate(used=shared.share.sum())
    known = amounts.join(used, "key")
    left = known.select("key", "kept_remainder", left=known["size"] - known.kept - known.used).filter(ibis._.left > 0)
    waiting = shared.filter(shared.remainder > 0).select("key", "nth", "remainder").join(left, "key")
    order = ibis.window(group_by="key", order_by=[waiting.remainder.desc(), waiting.nth])
    ranked = waiting.mutate(place=ibis.row_number().over(order))
    place = ranked.place + (ranked.kept_remainder > ranked.remainder).cast("int64")
    return ranked.filter(place < ranked.left).select("key", "nth")
