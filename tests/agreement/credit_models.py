"""Random credit models, as their files would write them."""

from __future__ import annotations

import random

from tests.oracle.credit import Model

MILESTONES = ("first", "lead_creation", "opportunity_creation", "closed", "last")
WEIGHTS = (1, 10, 22.5, 30, 40, 33.333, 0.1)
POINTS = (-40, -5, 0, 1, 3, 10, 25)
SOURCES = ("responses", "responses", "responses", "members", "modified_members")


def drawn(rng: random.Random) -> Model:
    """A model of some kind."""
    kind = rng.choice(["milestones", "milestones", "position", "decay", "points", "points"])
    made: Model = {"kind": kind, "touches": rng.choice(SOURCES)}
    if kind == "milestones":
        chosen = rng.sample(MILESTONES, rng.randrange(1, 5))
        made["weights"] = {name: rng.choice(WEIGHTS) for name in chosen}
        made["middle"] = rng.choice([0, 10, 12.5, 100])
    elif kind == "position":
        made |= {"first": rng.choice([0, 40]), "last": rng.choice([0, 35.5]), "rest": rng.choice([1, 20])}
    elif kind == "decay":
        made |= {"half_life_days": rng.choice([0.5, 7, 30.25]), "to": rng.choice(["goal", "opportunity_creation"])}
    else:
        made |= {
            "base": rng.choice(POINTS),
            "roles": rng.choice(["largest", "all"]),
            "rules": [rule(rng) for _ in range(rng.randrange(1, 5))],
        }
    return made


def rule(rng: random.Random) -> Model:
    """One rule of a model of points."""
    subject = rng.choice(["campaign_type", "lead_source", "status", "role", "touch", "recency"])
    made: Model = {"on": subject, "other": rng.choice(POINTS)}
    if subject == "recency":
        days = rng.sample([0, 1, 30, 90, 200], 3)
        made["bands"] = [{"up_to_days": day, "points": rng.choice(POINTS)} for day in days]
        made["to"] = rng.choice(["goal", "opportunity_creation"])
    elif subject == "campaign_type" and rng.random() < 0.5:
        made["words"] = {"SHOW": 7, "trade": -2, "webinar": 4}
    else:
        values = {
            "campaign_type": ["Webinar", "Trade Show", "Email"],
            "lead_source": ["Web", "Partner", "Event"],
            "status": ["Responded", "Attended", "Sent"],
            "role": ["Decision Maker", "Influencer"],
            "touch": ["first", "last", "origin"],
        }[subject]
        made["points"] = {value: rng.choice(POINTS) for value in values if rng.random() < 0.8} or {values[0]: 2}
    return made
