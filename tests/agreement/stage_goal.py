"""Credit for reaching a stage on both sides: per journey and response, per campaign, and what is left of it."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from leadline.metrics.influence import influence as ask_engine
from leadline.metrics.query import Query
from tests.agreement.compare import differences
from tests.agreement.credit_models import drawn
from tests.agreement.influence import STATES, Credit
from tests.agreement.model import journey_name
from tests.agreement.questions import Sides, rows
from tests.oracle.credit import Model
from tests.oracle.influence import campaign_of
from tests.oracle.stage_goal import ONE, Reached, stage_goal
from tests.oracle.volume import Periods

MODELS = ("first", "last", "even", "even_per_campaign", "u_shaped", "w_shaped", "full_path", "time_decay", "position")


@dataclass(frozen=True)
class Reach:
    """What is asked: the stage, a preset or a written model, and the grain."""

    stage: str
    model: str
    written: Model | None = None
    grain: str | None = None

    def __str__(self) -> str:
        return f"reach {self.stage} {self.model} {self.grain or 'all'} {self.written or ''}".rstrip()


def drawn_question(rng: random.Random, stage: str) -> Reach:
    """Some model that looks at nothing but responses of a person."""
    written = drawn(rng) if rng.random() < 0.5 else None
    while written is not None and _of_deals(written):
        written = drawn(rng)
    model = "drawn" if written else rng.choice(MODELS)
    return Reach(stage, model, written, rng.choice([None, "month", "quarter"]))


def _of_deals(model: Model) -> bool:
    """Whether a model asks what only an opportunity can answer."""
    rules = [model, *model.get("rules", [])]
    asked = {rule.get("on") for rule in rules} | {rule.get("to") for rule in rules}
    origin = any(rule.get("on") == "touch" and "origin" in rule["points"] for rule in rules[1:])
    return model["touches"] != "responses" or bool(asked & {"role", "opportunity_creation"}) or origin


def stage_differences(sides: Sides, asked: Reach) -> list[str]:
    """Credits of each journey, rows of campaigns, what is unattributed and why, totals."""
    expected = stage_goal(sides.answers, asked.written or asked.model, asked.stage)
    known = Credit(asked.model, "role", "influenced", "created", written=asked.written).known
    result = ask_engine(
        sides.opened, Query(grain=asked.grain, unit="journeys"), models=[asked.model], goal=asked.stage, known=known
    )
    given, left = {}, {}
    for row in rows(result.records()):
        if row["bucket"] == "campaign":
            given[row["evidence"], row["unit_id"]] = parts(row["credit"])
        else:
            left[row["unit_id"]] = (row["evidence"], parts(row["credit"]))
    told = {(journey_name(one.journey), name): credit for one in expected for name, credit in one.credits.items()}
    lines = differences(f"credits {asked}", told, given)
    why = {journey_name(one.journey): (one.reason, ONE) for one in expected if one.reason}
    lines += differences(f"rest {asked}", why, left)
    lines += differences(f"rows {asked}", _oracle_rows(sides, expected, asked), _engine_rows(rows(result)))
    totals = {one["period"]: parts(one["journeys"]) for one in result.totals if one["journeys"]}
    counted = Counter(_period(sides, one, asked) for one in expected)
    return lines + differences(f"totals {asked}", {key: count * ONE for key, count in counted.items()}, totals)


def parts(journeys: float) -> int:
    """Journeys as the engine shows them in whole parts."""
    return round(journeys * ONE)


def _period(sides: Sides, one: Reached, asked: Reach) -> str | None:
    first = None if asked.grain is None else Periods(sides.answers, asked.grain).of(one.day)
    return sides.period(asked.grain, first)


def _oracle_rows(sides: Sides, expected: list[Reached], asked: Reach) -> dict[tuple, dict[str, Any]]:
    found: dict[tuple, dict[str, Any]] = {}
    journeys: dict[tuple, set[Any]] = defaultdict(set)
    for one in expected:
        for response, credit in one.credits.items():
            key = (_period(sides, one, asked), campaign_of(sides.answers, response))
            row = found.setdefault(key, dict.fromkeys(["responses", *STATES], 0))
            row["responses"] += 1
            row[one.state] += credit
            journeys[key].add(one.journey)
    return {key: row | {"journeys": len(journeys[key])} for key, row in found.items()}


def _engine_rows(found: list[dict[str, Any]]) -> dict[tuple, dict[str, Any]]:
    return {
        (row["period"], row["campaign_id"]): {
            **{name: row[name] for name in ("responses", "journeys")},
            **{state: parts(row[state]) for state in STATES},
        }
        for row in found
        if row["bucket"] == "campaign"
    }
