"""Amounts by product: an opportunity's amount split by the totals of its line items, to the minor unit."""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from leadline.errors import UsageError
from leadline.metrics.query import Asked

PRODUCT = ("product", "product_family")
"""Dimensions of which one opportunity can have several values: each has its part of the amount."""

NOTE = (
    "Amounts are split by the totals of line items; an opportunity without a line item above 0 has no value of it. "
    "Opportunities count under every value they have."
)

_WIDE = "decimal(38, 0)"


def split(asked: Asked, valued: ir.Table, names: Sequence[str]) -> ir.Table:
    """One row per opportunity and value of these dimensions, its `amount` the part that belongs there.

    Lines of one value are added first; lines below 0 count as nothing. Without a line above 0 the
    whole amount has no value of the dimensions. What is left over goes to the largest remainders.

    Args:
        asked: the question.
        valued: opportunities with a known amount.
        names: some of `PRODUCT`.
    """
    if "opportunity_products" not in asked.opened:
        raise UsageError(
            f"Snapshot {asked.opened.snapshot} was built before line items were kept; run `leadline build` once."
        )
    lines = asked.opened["opportunity_products"]
    sold = lines.filter(lines.line_amount > 0)
    sold = sold.group_by("opportunity_id", *names).aggregate(_weight=sold.line_amount.sum())
    own = ibis.window(group_by="opportunity_id")
    summed = sold.mutate(_whole=sold["_weight"].sum().over(own))
    joined = valued.left_join(summed, "opportunity_id").drop("opportunity_id_right")
    # An opportunity without lines is one part with the whole weight.
    weighed = joined.mutate(
        _weight=joined["_weight"].fill_null(1), _whole=joined["_whole"].fill_null(1), _size=joined.amount.abs()
    )
    shared = _floor_share(weighed)
    order = ibis.window(group_by="opportunity_id", order_by=[ibis.desc("_over"), *names])
    ranked = shared.mutate(
        _left=shared["_size"] - shared["_share"].sum().over(own), _place=ibis.row_number().over(order)
    )
    part = ranked["_share"] + (ranked["_place"] < ranked["_left"]).cast("int64")
    signed = ranked.mutate(amount=ibis.ifelse(ranked.amount < 0, -part, part))
    return signed.select(*valued.columns, *names)


def _floor_share(weighed: ir.Table) -> ir.Table:
    """`_share`, the whole minor units of size × weight ÷ whole, and `_over`, the remainder of that division.

    The quotient of floats is off by less than one, because sizes are below 2**50; decimals settle it.
    """
    size, weight, whole = (weighed[name].cast(_WIDE) for name in ("_size", "_weight", "_whole"))
    times = (size * weight).cast(_WIDE)
    near = (times.cast("float64") / whole.cast("float64")).floor().cast("int64")
    placed = weighed.mutate(_times=times, _near=near)
    over = placed["_times"] - _times(placed["_near"], placed["_whole"])
    behind, ahead = over >= placed["_whole"].cast(_WIDE), over < 0
    fixed = placed.mutate(_share=placed["_near"] + behind.cast("int64") - ahead.cast("int64"))
    rest = (fixed["_times"] - _times(fixed["_share"], fixed["_whole"])).cast(_WIDE)
    return fixed.mutate(_over=rest).drop("_times", "_near")


def _times(one: ir.IntegerValue, other: ir.IntegerValue) -> ir.DecimalValue:
    return (one.cast(_WIDE) * other.cast(_WIDE)).cast(_WIDE)
