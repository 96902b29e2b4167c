"""What a model file may say: one class per kind of model.

A model gives points to the touches of an opportunity; its amount is split by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from leadline.config import TomlTable
from leadline.config_faults import Fault
from leadline.errors import did_you_mean

MOST_POINTS = 10**6
"""No single weight or rule may say more: points of an opportunity sum to at most as many."""

MILESTONES = ("first", "lead_creation", "opportunity_creation", "closed", "last")
"""What a milestone model can give a weight to."""

MILESTONE_TEXT = {
    "first": "the earliest touch",
    "lead_creation": "the latest touch up to the creation of the first lead",
    "opportunity_creation": "the latest touch up to the creation of the opportunity",
    "closed": "the latest touch up to the close",
    "last": "the latest touch",
}

Milestone = Literal["first", "lead_creation", "opportunity_creation", "closed", "last"]
Moment = Literal["goal", "opportunity_creation"]
RULE_SUBJECTS = ("status", "role", "touch", "recency")
"""What a rule can look at beside the dimensions of campaigns and people."""

TOUCH_NAMES = ("first", "last", "origin")


class Model(TomlTable):
    """What every model file may say."""

    kind: str
    title: str = Field("", description="What the model does, in a line")
    touches: Literal["responses", "members", "modified_members", "org_rows"] = Field(
        "responses",
        description="What can earn credit: responses, or as Salesforce counts campaign members of any status of people with a role, by their creation or their last change",
    )
    replaces: bool = Field(False, description="Takes the place of the shipped model of the same name")


class Touch(Model):
    """All to one touch; of a primary campaign with several touches, the same to each of them."""

    kind: Literal["touch"]
    touch: Literal["first", "last", "lead_creation", "opportunity_creation", "closed", "primary_campaign"]


class Even(Model):
    """The same to every touch, or to every campaign."""

    kind: Literal["even"]
    per: Literal["touch", "campaign"] = "touch"


class Milestones(Model):
    """Weights for milestones, and what the touches between them share."""

    kind: Literal["milestones"]
    weights: dict[Milestone, float] = Field(min_length=1)
    middle: float = Field(0, ge=0, le=MOST_POINTS, description="Weight that the touches without a milestone share")

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        weights = table.get("weights")
        for name, weight in weights.items() if isinstance(weights, dict) else ():
            if isinstance(weight, int | float) and not 0 < weight <= MOST_POINTS:
                yield ("weights", name), f"must be above 0 and at most {MOST_POINTS}"


class Position(Model):
    """Weights for the first touch, the last one, and all between them."""

    kind: Literal["position"]
    first: float = Field(40, ge=0, le=MOST_POINTS)
    last: float = Field(40, ge=0, le=MOST_POINTS)
    rest: float = Field(20, ge=0, le=MOST_POINTS)

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        if not any(table.get(name, field.default) for name, field in cls.model_fields.items() if name in _PLACES):
            yield "rest", "must be above 0 where first and last are 0: the model gives nothing to anyone"


_PLACES = ("first", "last", "rest")


class Decay(Model):
    """Half as much for each half-life that a touch lies before the milestone."""

    kind: Literal["decay"]
    half_life_days: float = Field(7, gt=0, le=36_500)
    to: Moment = Field("goal", description="The milestone from which the age is counted")


class Band(TomlTable):
    """Points of touches that are at most so many days old at the milestone."""

    up_to_days: int = Field(ge=0)
    points: int = Field(ge=-MOST_POINTS, le=MOST_POINTS)


class Rule(TomlTable):
    """One rule; what it says is added to what the others say."""

    on: str = Field(
        min_length=1, description="status, role, touch, recency, or a dimension of the campaign or the person"
    )
    points: dict[str, int] = Field(default_factory=dict, description="Value = points; below 0 takes away")
    words: dict[str, int] = Field(default_factory=dict, description="Word in the value = points; words add up")
    bands: list[Band] = Field(default_factory=list, description="For recency: days before the milestone = points")
    to: Moment = Field("goal", description="For recency: the milestone from which the age is counted")
    other: int = Field(0, ge=-MOST_POINTS, le=MOST_POINTS, description="Points of every other value")

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        subject = table.get("on")
        given = [name for name in ("points", "words", "bands") if table.get(name)]
        wanted = "bands" if subject == "recency" else "points"
        if len(given) != 1:
            yield "", "give exactly one of points = {...}, words = {...} and bands = [...]"
        elif (given[0] == "bands") != (wanted == "bands"):
            yield given[0], f"does not go with on = {subject!r}; give {wanted}"
        elif given[0] == "words" and subject in RULE_SUBJECTS:
            yield "words", f"does not go with on = {subject!r}; give {wanted}"
        for name in ("points", "words"):
            yield from _point_faults(name, table.get(name))
        if subject == "touch" and isinstance(table.get("points"), dict):
            for name in table["points"]:
                if name not in TOUCH_NAMES:
                    known = ", ".join(TOUCH_NAMES)
                    yield ("points", name), f"is none of {known}.{did_you_mean(name, TOUCH_NAMES)}"


def _point_faults(name: str, given: Any) -> Iterator[Fault]:
    for value, points in given.items() if isinstance(given, dict) else ():
        if isinstance(points, int) and abs(points) > MOST_POINTS:
            yield (name, value), f"must lie between -{MOST_POINTS} and {MOST_POINTS}"


class Points(Model):
    """Rules whose points add up, never below 0 for a touch."""

    kind: Literal["points"]
    base: int = Field(0, ge=-MOST_POINTS, le=MOST_POINTS, description="What every touch has before the rules")
    roles: Literal["largest", "all"] = Field(
        "largest", description="Of a person with several roles: the largest points, or all added"
    )
    rules: list[Rule] = Field(min_length=1)


class OrgRows(Model):
    """The influence rows that the org itself keeps, with the percentages that Salesforce wrote."""

    kind: Literal["org_rows"]
    touches: Literal["org_rows"] = "org_rows"


class Markov(Model):
    """Removal effect of each campaign on the chain of touches."""

    kind: Literal["markov"]
    order: int = Field(1, ge=1, le=3, description="How many touches make a state")
    value: Literal["expected", "proportional"] = "expected"
    by: str = Field("campaign_id", description="What a state is: a campaign, or a dimension of campaigns")
    nulls: bool = Field(True, description="Whether lost opportunities count as journeys without conversion")
    removal: Literal["null", "refit"] = Field(
        "null",
        description="What removal means: paths end where they would enter, or touches are deleted and counted anew",
    )


class Shapley(Model):
    """Share of each campaign in what all combinations of campaigns bring."""

    kind: Literal["shapley"]
    game: Literal["coverage", "rate"] = "coverage"
    by: str = Field("campaign_id", description="What a player is: a campaign, or a dimension of campaigns")


KINDS: dict[str, type[Model]] = {
    "touch": Touch,
    "even": Even,
    "milestones": Milestones,
    "position": Position,
    "decay": Decay,
    "points": Points,
    "org_rows": OrgRows,
    "markov": Markov,
    "shapley": Shapley,
}
"""Kinds of models by the word that a file writes for them."""
