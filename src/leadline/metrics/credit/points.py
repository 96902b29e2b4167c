"""The points engine: a model gives integer points to touches, credit is the amount split by them.

Credit is in minor units by largest remainder, so that the credits of an opportunity are its amount.
"""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from leadline.errors import UnknownNameError

GRID = 10**6
"""Upper bound of the sum of points of one opportunity."""


def _first(touches: ir.Table) -> ir.Table:
    return touches.mutate(points=(ibis.row_number().over(_in_order()) == 0).cast("int64"))


def _last(touches: ir.Table) -> ir.Table:
    backwards = ibis.window(group_by="opportunity_id", order_by=[ibis.desc("s"), ibis.desc("response_id")])
    return touches.mutate(points=(ibis.row_number().over(backwards) == 0).cast("int64"))


def _even(touches: ir.Table) -> ir.Table:
    return touches.mutate(points=ibis.literal(1, "int64"))


def _even_per_campaign(touches: ir.Table) -> ir.Table:
    """Every campaign weighs the same; its touches share it: weight 1 ÷ touches of the campaign."""
    campaign = ibis.window(group_by=["opportunity_id", "campaign_id"])
    counted = touches.mutate(same=touches.response_id.count().over(campaign))
    return _gridded(counted.mutate(weight=1.0 / counted.same)).drop("same", "weight")


def _gridded(weighted: ir.Table) -> ir.Table:
    """Real weights on the integer grid: first to 10**6 of the largest, then to a sum of at most 10**6.

    Each step is a column of its own, for a window cannot look at another window.
    """
    own = ibis.window(group_by="opportunity_id")
    sized = weighted.mutate(largest=weighted.weight.max().over(own))
    scaled = sized.mutate(scaled=(sized.weight * GRID / sized.largest).round().cast("int64"))
    summed = scaled.mutate(total=scaled.scaled.sum().over(own))
    whole = summed.scaled * GRID
    return summed.mutate(points=_quotient(whole - whole % summed.total, summed.total)).drop(
        "largest", "scaled", "total"
    )


def _in_order() -> object:
    return ibis.window(group_by="opportunity_id", order_by=["s", "response_id"])


MODELS: dict[str, Callable[[ir.Table], ir.Table]] = {
    "first": _first,
    "last": _last,
    "even": _even,
    "even_per_campaign": _even_per_campaign,
}
"""Models by name; each gives points to the touches of an opportunity (column `points`)."""

MODEL_TEXT = {
    "first": "all to the earliest touch",
    "last": "all to the latest touch",
    "even": "the same to every touch",
    "even_per_campaign": "the same to every campaign, shared by its touches",
}


def pointed(touches: ir.Table, model: str) -> ir.Table:
    """Touches with the points of a model (column `points`); all zero becomes even.

    Raises:
        UnknownNameError: no model of that name.
    """
    if model not in MODELS:
        raise UnknownNameError("model", model, MODELS)
    given = MODELS[model](touches)
    total = given.points.sum().over(ibis.window(group_by="opportunity_id"))
    return given.mutate(points=ibis.ifelse(total == 0, ibis.literal(1, "int64"), given.points))


def credited(pointed: ir.Table, amounts: ir.Table) -> ir.Table:
    """Split each opportunity's amount over its touches (column `credit`, minor units).

    Whole shares first; what is left goes, one unit each, to the largest remainders (ties: earlier
    response, then id). A negative amount is split by its absolute value. The products stay below
    2**63 because amounts are below 2**50 and points sum to at most 10**6: they are taken apart as
    (a ÷ S)·p + ((a mod S)·p) ÷ S.
    """
    joined = pointed.join(amounts.select("opportunity_id", "amount"), "opportunity_id")
    own = ibis.window(group_by="opportunity_id")
    sized = joined.mutate(total_points=joined.points.sum().over(own), size=joined.amount.abs())
    rest = sized["size"] % sized.total_points
    whole = _quotient(sized["size"] - rest, sized.total_points) * sized.points
    product = rest * sized.points
    remainder = product % sized.total_points
    shared = sized.mutate(share=whole + _quotient(product - remainder, sized.total_points), remainder=remainder)
    order = ibis.window(group_by="opportunity_id", order_by=[ibis.desc("remainder"), "s", "response_id"])
    ranked = shared.mutate(left=shared["size"] - shared.share.sum().over(own), nth=ibis.row_number().over(order))
    credit = ranked.share + (ranked.nth < ranked.left).cast("int64")
    sign = ibis.ifelse(ranked.amount < 0, -1, 1).cast("int64")
    return ranked.mutate(credit=credit * sign).drop("share", "remainder", "left", "nth", "size", "total_points")


def _quotient(multiple: ir.IntegerValue, divisor: ir.IntegerValue) -> ir.IntegerValue:
    """multiple ÷ divisor where it divides evenly: a float quotient below 2**53 is then exact."""
    return (multiple / divisor).round().cast("int64")
