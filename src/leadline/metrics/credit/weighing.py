"""Kinds of models: what each gives to the touches of an opportunity.

A weigher takes the touches of a question and a model, and returns them with one more column: integer
points (`{key}_points`) or real weights (`{key}_weight`), never below 0.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import reduce
from math import gcd, lcm

import ibis
import ibis.expr.types as ir

from leadline import credit_models as models
from leadline.metrics.credit import data_driven, org_rows, rules, touches
from leadline.metrics.credit.base import Share, Touched
from leadline.metrics.credit.points import GRID

Weighed = tuple[ir.Table, Share]

ZERO = ibis.literal(0, "int64")


def weigh(touched: Touched, table: ir.Table, model: models.Model, key: str) -> Weighed:
    """The touches with the column of a model, and what that column is."""
    return KINDS[model.kind](touched, table, model, key)


def _touch(touched: Touched, table: ir.Table, model: models.Model, key: str) -> Weighed:
    assert isinstance(model, models.Touch)
    if model.touch == "primary_campaign":
        return _primary(touched, table, key)
    return _by_milestones(touched, table, {model.touch: 1}, 0, key)


def _primary(touched: Touched, table: ir.Table, key: str) -> Weighed:
    primary = touched.deals.select("deal_no", "primary_campaign_id")
    joined = table.join(primary, "deal_no")
    held = (joined.campaign_id == joined.primary_campaign_id).fill_null(False).cast("int64")
    return joined.mutate(**{f"{key}_points": held}).drop("primary_campaign_id"), Share(key, alone=touches.NO_PRIMARY)


def _even(touched: Touched, table: ir.Table, model: models.Model, key: str) -> Weighed:
    assert isinstance(model, models.Even)
    if model.per == "touch":
        return table.mutate(**{f"{key}_points": ibis.literal(1, "int64")}), Share(key)
    campaign = ibis.window(group_by=["deal_no", "campaign_id"])
    return table.mutate(**{f"{key}_weight": 1.0 / table.nth.count().over(campaign)}), Share(key, real=True)


def _milestones(touched: Touched, table: ir.Table, model: models.Model, key: str) -> Weighed:
    assert isinstance(model, models.Milestones)
    *weights, middle = whole([*model.weights.values(), model.middle])
    return _by_milestones(touched, table, dict(zip(model.weights, weights, strict=True)), middle, key)


def _position(touched: Touched, table: ir.Table, model: models.Model, key: str) -> Weighed:
    assert isinstance(model, models.Position)
    first, last, rest = whole([model.first, model.last, model.rest])
    return _by_milestones(touched, table, {"first": first, "last": last}, rest, key)


def whole(weights: list[float]) -> list[int]:
    """The smallest whole numbers in the same ratio: 22.5, 22.5, 10 → 9, 9, 4."""
    exact = [Decimal(repr(weight)).as_integer_ratio() for weight in weights]
    common = lcm(*[below for _, below in exact])
    scaled = [above * (common // below) for above, below in exact]
    shared = gcd(*scaled)
    return [one // shared for one in scaled]


def _by_milestones(touched: Touched, table: ir.Table, weights: dict[str, int], middle: int, key: str) -> Weighed:
    """Points by milestones in the order of operations of definitions, section 8, all in whole numbers.

    Weights are multiplied by the number of middle touches, so that each of these has the middle's
    weight; without middle touches by the number of remaining milestones, which share it.
    """
    places = {name: _place(touched, table, name) for name in weights}
    waits = _waits(touched, table, weights)
    there = [place > 0 for place in places.values()] + ([waits] if waits is not None else [])
    remaining = _added([one.cast("int64") for one in there])
    end = ibis.greatest(*places.values()) if len(places) > 1 else next(iter(places.values()))
    if waits is not None:
        end = ibis.ifelse(waits, table.touch_count + 1, end)
    holds = reduce(lambda one, other: one | other, [table.nth == place for place in places.values()])
    between = ibis.least(end, table.touch_count) - _distinct(list(places.values()))
    if middle:
        times = ibis.ifelse(between > 0, between, remaining)
        extra = ibis.ifelse(between > 0, ZERO, ibis.literal(middle, "int64"))
    else:
        times, extra = ibis.literal(1, "int64"), ZERO
    given = [ibis.ifelse(table.nth == place, times * weights[name] + extra, ZERO) for name, place in places.items()]
    if middle:
        given.append(ibis.ifelse((table.nth < end) & ~holds, ibis.literal(middle, "int64"), ZERO))
    made = {f"{key}_points": _added(given)}
    if waits is not None:
        made[f"{key}_pending"] = ibis.ifelse(waits, times * weights["closed"] + extra, ZERO)
    most = max(touched.most, len(weights) + 1) if middle else 1
    bound = (sum(weights.values()) + middle) * most
    return table.mutate(**made), Share(key, pending=waits is not None, bound=bound)


def _place(touched: Touched, table: ir.Table, milestone: str) -> ir.IntegerValue:
    """Number of the touch that a milestone holds; 0: it is dropped, or not reached yet."""
    if milestone == "first":
        return ibis.ifelse(table.touch_count > 0, ibis.literal(1, "int64"), ZERO)
    if milestone == "closed":
        if touched.base.goal != "closed":
            return ibis.ifelse(table.touch_count > 0, ZERO, ZERO)
        return ibis.ifelse(table.is_open, ZERO, table.touch_count)
    return {"last": table.touch_count, "lead_creation": table.lead_n, "opportunity_creation": table.created_n}[
        milestone
    ]


def _waits(touched: Touched, table: ir.Table, weights: dict[str, int]) -> ir.BooleanValue | None:
    """Whether the close, which has a weight, is still to come; None where the model gives it none."""
    return table.is_open if "closed" in weights and touched.base.goal == "closed" else None


def _distinct(places: list[ir.IntegerValue]) -> ir.IntegerValue:
    """How many different touches hold a milestone."""
    new = []
    for number, place in enumerate(places):
        fresh = place > 0
        for before in places[:number]:
            fresh = fresh & (place != before)
        new.append(fresh.cast("int64"))
    return _added(new)


def _added(parts: list[ir.IntegerValue]) -> ir.IntegerValue:
    return reduce(lambda one, other: one + other, parts)


def _decay(touched: Touched, table: ir.Table, model: models.Model, key: str) -> Weighed:
    """Weight 2 to the minus (age ÷ half-life); ages are taken from the youngest touch, which changes no share."""
    assert isinstance(model, models.Decay)
    aged = rules.aged(touched, table, model.to, f"{key}_age")
    youngest = aged.mutate(**{f"{key}_least": aged[f"{key}_age"].min().over(ibis.window(group_by="deal_no"))})
    halves = (youngest[f"{key}_age"] - youngest[f"{key}_least"]) / model.half_life_days
    weight = (ibis.literal(0.5) ** halves).fill_null(0.0)
    return youngest.mutate(**{f"{key}_weight": weight}).drop(f"{key}_age", f"{key}_least"), Share(key, real=True)


def _points(touched: Touched, table: ir.Table, model: models.Model, key: str) -> Weighed:
    assert isinstance(model, models.Points)
    ruled, names = rules.ruled(touched, table, model, key)
    total = _added([ruled[name] for name in names]) + model.base
    bound = rules.most(model) * touched.most
    if model.roles == "all":
        # How many roles a person has is not said by the rules: the sums themselves are looked at.
        bound = max(bound, GRID + 1)
    return ruled.mutate(**{f"{key}_points": ibis.greatest(total, 0)}), Share(key, bound=bound)


KINDS: dict[str, Callable[[Touched, ir.Table, models.Model, str], Weighed]] = {
    "touch": _touch,
    "even": _even,
    "milestones": _milestones,
    "position": _position,
    "decay": _decay,
    "points": _points,
    "org_rows": org_rows.weigh,
    "markov": data_driven.by_markov,
    "shapley": data_driven.by_shapley,
}
"""Weighers by kind of model."""


LEARNED = ("markov", "shapley")
"""Kinds that look at all closed deals, whichever are asked for."""


def asks_for_leads(model: models.Model) -> bool:
    """Whether a model rests on the creation of a lead."""
    named = model.weights if isinstance(model, models.Milestones) else [getattr(model, "touch", None)]
    return "lead_creation" in named
