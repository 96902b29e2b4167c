"""Additive rules of points models: what each says of a touch, as a column of its own."""

from __future__ import annotations

import re

import ibis
import ibis.expr.types as ir

from leadline import credit_models as models
from leadline.credit_models.kinds import RULE_SUBJECTS, Rule
from leadline.errors import UnknownNameError
from leadline.metrics import dimensions
from leadline.metrics.credit import touches
from leadline.metrics.credit.base import Touched
from leadline.model import dimensions as declared_dimensions

DAY = 86_400.0
_WORD = r"\w+"


def ruled(touched: Touched, table: ir.Table, model: models.Points, key: str) -> tuple[ir.Table, list[str]]:
    """The touches with one column of points per rule, and the names of these columns.

    Raises:
        UnknownNameError: a rule looks at what neither campaigns nor people have.
    """
    names = []
    for number, rule in enumerate(model.rules):
        name = f"{key}_rule_{number}"
        table = _with_rule(touched, table, model, rule, name)
        names.append(name)
    return table, names


def most(model: models.Points) -> int:
    """More points than a touch can have."""
    highest = [max([rule.other, *rule.points.values(), *[band.points for band in rule.bands]]) for rule in model.rules]
    added = [sum(max(points, 0) for points in (rule.words or rule.points).values()) for rule in model.rules]
    return max(model.base, 0) + sum(max(top, total, 0) for top, total in zip(highest, added, strict=True))


def of_deals(model: models.Model) -> bool:
    """Whether a model has a rule that only an opportunity answers: the role of a person on it, or its origin."""
    held = model.rules if isinstance(model, models.Points) else ()
    return any(rule.on == "role" or (rule.on == "touch" and "origin" in rule.points) for rule in held)


def label(rule: Rule) -> str:
    """What a rule is called beside its points."""
    return rule.on


def _with_rule(touched: Touched, table: ir.Table, model: models.Points, rule: Rule, name: str) -> ir.Table:
    if rule.on == "status":
        return table.mutate(**{name: _of_value(table.status, rule)})
    if rule.on == "role":
        return _by_role(touched, table, rule, name, largest=model.roles == "largest")
    if rule.on == "touch":
        return _by_place(touched, table, rule, name)
    if rule.on == "recency":
        return _by_age(touched, table, rule, name)
    return _by_dimension(touched, table, rule, name)


def _of_value(value: ir.StringValue, rule: Rule) -> ir.IntegerValue:
    """Points of a value: of the one it is, or of all words it holds; `other` where nothing fits."""
    other = ibis.literal(rule.other, "int64")
    if rule.points:
        cases = [(value == known, ibis.literal(points, "int64")) for known, points in rule.points.items()]
        return ibis.cases(*cases, else_=other)
    # Signs between words are spaces, so that "VP, Sales" holds the word "VP" and "MVP" does not.
    spaced = ibis.literal(" ").concat(value.lower().re_replace(r"[^\p{L}\p{N}_]+", " "), ibis.literal(" "))
    found = [
        (spaced.contains(f" {' '.join(re.findall(_WORD, word.lower()))} ").fill_null(False), points)
        for word, points in rule.words.items()
    ]
    total, anything = ibis.literal(0, "int64"), ibis.literal(False)
    for holds, points in found:
        total = total + ibis.ifelse(holds, ibis.literal(points, "int64"), ibis.literal(0, "int64"))
        anything = anything | holds
    return ibis.ifelse(anything, total, other)


def _by_dimension(touched: Touched, table: ir.Table, rule: Rule, name: str) -> ir.Table:
    """Worked out once per campaign or person, of whom there are fewer than touches."""
    link = f"{_kind(touched, rule.on)}_id"
    one = table.select(link).distinct()
    if link == "person_id":
        one = one.mutate(campaign_id=ibis.null("string"))
    labelled = dimensions.attach(touched.asked, one, [rule.on])
    pointed = labelled.select(link, **{name: _of_value(labelled[rule.on], rule)})
    return table.join(pointed, link)


def _kind(touched: Touched, name: str) -> str:
    fields = declared_dimensions.declared(touched.asked.opened.settings)
    own = {known: declared_dimensions.kind_of(field) for known, field in fields.items()}
    known = dict.fromkeys(dimensions.CAMPAIGN, "campaign") | {
        name: kind for name, kind in own.items() if kind in ("campaign", "person")
    }
    if name not in known:
        raise UnknownNameError("subject of a rule", name, [*known, *RULE_SUBJECTS], "a points model")
    return known[name]


def _by_role(touched: Touched, table: ir.Table, rule: Rule, name: str, *, largest: bool) -> ir.Table:
    opened = touched.asked.opened
    roles = opened["roles"]
    current = roles.filter(roles.created_s.isnull() | opened.as_of.happened(roles, "created"))
    pointed = current.select("opportunity_id", "person_id", role_points=_of_value(current.role, rule))
    grouped = pointed.group_by("opportunity_id", "person_id")
    points = pointed.role_points.max() if largest else pointed.role_points.sum()
    joined = table.left_join(grouped.aggregate(**{name: points}), ["opportunity_id", "person_id"])
    known = joined.drop(*[column for column in joined.columns if column.endswith("_right")])
    return known.mutate(**{name: known[name].fill_null(rule.other).cast("int64")})


def _by_place(touched: Touched, table: ir.Table, rule: Rule, name: str) -> ir.Table:
    """First, last and origin touch; what a touch is twice, it has twice."""
    holds: dict[str, ir.BooleanValue] = {}
    if "origin" in rule.points:
        origins = _origins(touched)
        joined = table.left_join(origins, "opportunity_id")
        table = joined.drop(*[column for column in joined.columns if column.endswith("_right")])
        holds["origin"] = (table.response_id == table.origin_response_id).fill_null(False)
    holds |= {"first": table.nth == 1, "last": table.nth == table.touch_count}
    total, anything = ibis.literal(0, "int64"), ibis.literal(False)
    for place, points in rule.points.items():
        total = total + ibis.ifelse(holds[place], ibis.literal(points, "int64"), ibis.literal(0, "int64"))
        anything = anything | holds[place]
    made = table.mutate(**{name: ibis.ifelse(anything, total, ibis.literal(rule.other, "int64"))})
    return made.drop("origin_response_id") if "origin" in rule.points else made


def _origins(touched: Touched) -> ir.Table:
    """The origin response of each opportunity's origin journey: opportunity_id, origin_response_id."""
    if "opportunity_origins" not in touched.asked.opened:
        # Without people there are no journeys, and so no origin.
        return touched.once.select("opportunity_id", origin_response_id=ibis.null("string"))
    opened, funnel = touched.asked.opened, touches.people_funnel(touched.asked)
    origins = opened["opportunity_origins"].filter(ibis._.funnel == funnel).select("opportunity_id", "journey_id")
    journeys = opened["journeys"].filter(ibis._.funnel == funnel).select("journey_id", "origin_response_id")
    return origins.join(journeys, "journey_id").select("opportunity_id", "origin_response_id")


def _by_age(touched: Touched, table: ir.Table, rule: Rule, name: str) -> ir.Table:
    """The narrowest band that holds the touch's age in whole days; what lies after the milestone is in none."""
    timed = _with_moment(touched, table, rule.to)
    days = _before(timed, rule.to, timed.goal_day - timed.day)
    bands = sorted(rule.bands, key=lambda band: band.up_to_days)
    cases = [(days <= band.up_to_days, ibis.literal(band.points, "int64")) for band in bands]
    made = timed.mutate(**{name: ibis.cases(*cases, else_=ibis.literal(rule.other, "int64"))})
    return made.drop("goal_s", "goal_day", "goal_is_date")


def aged(touched: Touched, table: ir.Table, to: str, name: str) -> ir.Table:
    """Touches with their age in days at a milestone; null after it or where the milestone has no time.

    In whole calendar days if either end is known by its date only, else with fractions.
    """
    timed = _with_moment(touched, table, to)
    whole = timed.is_date | timed.goal_is_date
    days = ibis.ifelse(whole, (timed.goal_day - timed.day).cast("float64"), (timed.goal_s - timed.s) / DAY)
    return timed.mutate(**{name: _before(timed, to, days)}).drop("goal_s", "goal_day", "goal_is_date")


def _with_moment(touched: Touched, table: ir.Table, to: str) -> ir.Table:
    """Touches with the moment `goal` of their deal."""
    goal = "created" if to == "opportunity_creation" else touched.base.goal
    ends = touches.ends(touched.asked, touched.once, goal)
    moments = ends.select("opportunity_id", goal_s="end_s", goal_day="end_day", goal_is_date="end_is_date")
    numbered = touched.deals.select("deal_no", "opportunity_id").join(moments, "opportunity_id").drop("opportunity_id")
    return table.join(numbered, "deal_no")


def _before(table: ir.Table, to: str, days: ir.NumericValue) -> ir.NumericValue:
    return ibis.ifelse(table.is_sourced, days, ibis.null("float64")) if to == "opportunity_creation" else days
