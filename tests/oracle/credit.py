"""Credit models read from the law (§8): what each touch of an opportunity weighs. Models are written as in their files."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from tests.oracle.clock import Clock, Moment

Model = dict[str, Any]
GRID = 10**6
DAY_SECONDS = 86_400
DIGITS = 60
"""Decimal places for powers of one half: far beyond what the grid of a million can show."""

PRESETS: dict[str, Model] = {
    "first": {"kind": "touch", "touch": "first"},
    "last": {"kind": "touch", "touch": "last"},
    "even": {"kind": "even", "per": "touch"},
    "even_per_campaign": {"kind": "even", "per": "campaign"},
    "u_shaped": {"kind": "milestones", "weights": {"first": 40, "lead_creation": 40}, "middle": 20},
    "w_shaped": {
        "kind": "milestones",
        "weights": {"first": 30, "lead_creation": 30, "opportunity_creation": 30},
        "middle": 10,
    },
    "full_path": {
        "kind": "milestones",
        "weights": {"first": 22.5, "lead_creation": 22.5, "opportunity_creation": 22.5, "closed": 22.5},
        "middle": 10,
    },
    "time_decay": {"kind": "decay", "half_life_days": 7},
    "position": {"kind": "position", "first": 40, "last": 40, "rest": 20},
    "primary_campaign": {"kind": "touch", "touch": "primary_campaign"},
    "lead_creation": {"kind": "touch", "touch": "lead_creation"},
    "opportunity_creation": {"kind": "touch", "touch": "opportunity_creation"},
    "salesforce_first": {"kind": "touch", "touch": "first", "touches": "members"},
    "salesforce_last": {"kind": "touch", "touch": "last", "touches": "modified_members"},
    "salesforce_even": {"kind": "even", "per": "campaign", "touches": "members"},
}


@dataclass(frozen=True)
class Touch:
    """A touch of one opportunity; `moment` is what orders it."""

    id: str
    person: str
    campaign: str
    status: str | None
    moment: Moment
    sourced: bool


@dataclass
class Facts:
    """What models ask of an opportunity beside its touches.

    lead, created: the last second up to which a touch precedes that milestone; None where there is none.
    end: the goal's moment; is_open: it is still to come. value_of: dimension, touch → value.
    """

    clock: Clock
    goal: str
    is_open: bool
    end: Moment | None
    created: Moment | None
    lead: dt.datetime | None
    primary_campaign: str | None
    origin: str | None
    roles: dict[str, list[str | None]]
    value_of: Callable[[str, Touch], str | None]


@dataclass
class Given:
    """What a model gives: points of touches, of what is still pending, or the reason why nobody gets anything."""

    points: list[int]
    pending: int = 0
    reason: str | None = None


def give(model: Model, touches: list[Touch], facts: Facts) -> Given:
    """§8: points of the touches (which there are); all zero → even."""
    if model["kind"] == "touch" and model["touch"] == "primary_campaign":
        held = [int(touch.campaign == facts.primary_campaign) for touch in touches]
        return Given(held, reason=None if any(held) else "no primary campaign")
    if model["kind"] in ("touch", "milestones", "position"):
        points, pending = milestone_points(*weights_of(model), touches, facts)
    else:
        points, pending = _others(model, touches, facts), 0
    if sum(points) + pending > GRID:
        *points, pending = on_grid([Fraction(one) for one in (*points, pending)])
    if not any(points) and not pending:
        points = [1] * len(touches)
    return Given(points, pending)


def _others(model: Model, touches: list[Touch], facts: Facts) -> list[int]:
    if model["kind"] == "even" and model["per"] == "touch":
        return [1] * len(touches)
    if model["kind"] == "even":
        campaigns = [touch.campaign for touch in touches]
        return on_grid([Fraction(1, campaigns.count(one)) for one in campaigns])
    if model["kind"] == "decay":
        return decay_points(model, touches, facts)
    return [max(0, sum(rule_points(model, touch, touches, facts))) for touch in touches]


def on_grid(weights: list[Fraction]) -> list[int]:
    """§8 real weights: w = round(10⁶ × weight ÷ largest), halves up; points = w × 10⁶ div the sum of w."""
    top = max(weights)
    if top == 0:
        return [0] * len(weights)
    scaled = [int((GRID * weight / top + Fraction(1, 2)) // 1) for weight in weights]
    return [one * GRID // sum(scaled) for one in scaled]


def weights_of(model: Model) -> tuple[dict[str, Fraction], Fraction]:
    """Weights of the milestones, and of the middle."""
    if model["kind"] == "touch":
        return {model["touch"]: Fraction(1)}, Fraction(0)
    if model["kind"] == "position":
        named = {name: Fraction(str(model[name])) for name in ("first", "last")}
        return named, Fraction(str(model["rest"]))
    named = {name: Fraction(str(weight)) for name, weight in model["weights"].items()}
    return named, Fraction(str(model.get("middle", 0)))


def milestone_points(
    weights: dict[str, Fraction], middle: Fraction, touches: list[Touch], facts: Facts
) -> tuple[list[int], int]:
    """§8 Milestones, in the order of operations (2) to (5), in whole numbers.

    A weight that several share is multiplied by their number first, so that each part is whole.
    """
    *numbers, middle = whole([*weights.values(), middle])
    weights = dict(zip(weights, numbers, strict=True))
    held: dict[str, int | None] = {}
    for name in weights:
        if name == "closed" and facts.goal == "closed" and facts.is_open:
            held[name] = None
            continue
        place = holder(name, touches, facts)
        if place is not None:
            held[name] = place
    left = {name: weights[name] for name in held}
    if not left:
        return [0] * len(touches), 0
    last = max(len(touches) if place is None else place for place in held.values())
    between = [place for place in range(last) if place not in held.values()]
    if not between:
        left = {name: weight + middle / len(left) for name, weight in left.items()}
    shares = [Fraction(0)] * len(touches)
    for name, place in held.items():
        if place is not None:
            shares[place] += left[name]
    for place in between:
        shares[place] += middle / len(between)
    pending = sum((left[name] for name, place in held.items() if place is None), Fraction(0))
    times = len(between) or len(left) if middle else 1
    return [int(share * times) for share in shares], int(pending * times)


def whole(weights: list[Fraction]) -> list[Fraction]:
    """The smallest whole numbers in the ratio of the weights."""
    common = lcm(*[one.denominator for one in weights])
    shared = gcd(*[int(one * common) for one in weights])
    return [one * common / shared for one in weights]


def holder(name: str, touches: list[Touch], facts: Facts) -> int | None:
    """Place of the touch of a reached milestone: the latest one at or before it; None where it is dropped."""
    if name == "first":
        return 0
    if name == "last" or (name == "closed" and facts.goal == "closed"):
        return len(touches) - 1
    if name == "closed":
        return None
    if name == "lead_creation":
        earlier = [] if facts.lead is None else [one for one in touches if one.moment.key <= facts.lead]
    else:
        earlier = [] if facts.created is None else [one for one in touches if one.sourced]
    return len(earlier) - 1 if earlier else None


def age(touch: Touch, facts: Facts, to: str) -> Decimal | None:
    """§8: whole calendar days if either end is a date, else fractional; None after the milestone or without it."""
    end = facts.created if to == "opportunity_creation" else facts.end
    if end is None or (to == "opportunity_creation" and not touch.sourced):
        return None
    if touch.moment.is_date or end.is_date:
        return Decimal((end.day - touch.moment.day).days)
    return Decimal(int((end.key - touch.moment.key).total_seconds())) / DAY_SECONDS


def decay_points(model: Model, touches: list[Touch], facts: Facts) -> list[int]:
    """§8 time decay: half as much for each half-life before the milestone."""
    weights = []
    with localcontext() as context:
        context.prec = DIGITS
        for touch in touches:
            old = age(touch, facts, model.get("to", "goal"))
            half_lives = None if old is None else old / Decimal(str(model["half_life_days"]))
            weights.append(Fraction(0) if half_lives is None else Fraction(Decimal("0.5") ** half_lives))
    return on_grid(weights)


def rule_points(model: Model, touch: Touch, touches: list[Touch], facts: Facts) -> list[int]:
    """What every touch has, and what each rule adds."""
    return [model.get("base", 0)] + [one_rule(rule, model, touch, touches, facts) for rule in model["rules"]]


def one_rule(rule: Model, model: Model, touch: Touch, touches: list[Touch], facts: Facts) -> int:
    """Points of one rule."""
    subject, other = rule["on"], int(rule.get("other", 0))
    if subject == "recency":
        old = age(Touch(touch.id, "", "", None, dated(touch.moment), touch.sourced), facts, rule.get("to", "goal"))
        fitting = [band for band in rule["bands"] if old is not None and old <= band["up_to_days"]]
        return min(fitting, key=lambda band: band["up_to_days"])["points"] if fitting else other
    if subject == "touch":
        is_place = {
            "first": touch is touches[0],
            "last": touch is touches[-1],
            "origin": touch.id == facts.origin,
        }
        named = [points for place, points in rule["points"].items() if is_place[place]]
        return sum(named) if named else other
    if subject == "role":
        held = [rule["points"].get(role, other) for role in facts.roles.get(touch.person, [])]
        if not held:
            return other
        return max(held) if model.get("roles", "largest") == "largest" else sum(held)
    value = touch.status if subject == "status" else facts.value_of(subject, touch)
    if "points" in rule:
        return int(rule["points"].get(value, other))
    said = [] if value is None else re.findall(r"\w+", value.lower())
    found = [points for word, points in rule["words"].items() if word.lower() in said]
    return sum(found) if found else other


def dated(moment: Moment) -> Moment:
    """A moment of which only the day counts."""
    return Moment(moment.key, True, moment.day)
