"""The engine and the oracle answer alike, to the second and the minor unit, about random small orgs.

Orgs come in batches of 25, because an engine compiles the same model for one org and for many. Each
batch is compared whole (persons, responses, links, journeys, opportunities) and then asked some
questions of every metric, lists included. 40 batches, 1,000 orgs, at full scale.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from collections import Counter

import pytest

from leadline.config import OpportunitySettings
from tests.agreement import engine, model
from tests.agreement.compare import assert_same
from tests.agreement.deck import Deck
from tests.agreement.questions import Question, Sides
from tests.agreement.show import ORGS
from tests.agreement.volume import volume_differences
from tests.oracle.answers import Answers
from tests.oracle.batch import random_batch
from tests.oracle.oracle import answer
from tests.scale import scaled

TELLING = (6, 11, 16, 17, 26)
"""Batches whose settings differ most: what `make test` sees must not be all alike."""
BATCHES = [*TELLING, *(seed for seed in range(40) if seed not in TELLING)][: scaled(40)]
HANDS = max(1, scaled(30) // 10)


def sides_of(seed: int) -> Sides:
    """Both sides of a batch."""
    org, settings, as_of = random_batch(random.Random(seed), ORGS)
    return Sides(answer(org, settings, as_of), engine.built(org, settings, as_of))


@pytest.mark.parametrize("seed", BATCHES)
def test_engine_and_oracle_agree(seed: int) -> None:
    sides = sides_of(seed)
    lines = model.model_differences(sides.answers, sides.opened)
    for ask in Deck(sides, random.Random(seed)).hands(HANDS):
        lines += ask()
    assert_same(seed, lines)


@pytest.mark.parametrize("seed", BATCHES[: max(2, scaled(20))])
def test_they_agree_about_a_moment_before_the_load(seed: int) -> None:
    """D42: what only the present value of a record says is known of the load, not of an earlier as-of."""
    org, settings, as_of = random_batch(random.Random(seed), ORGS)
    load = as_of + dt.timedelta(days=200)
    answers = answer(org, settings, as_of, known_at=load)
    lines = model.model_differences(answers, engine.built(org, settings, as_of, load))
    assert_same(seed, lines)


def test_a_moment_before_the_load_knows_less() -> None:
    """The difference is there to be seen: some batch has present values without history."""
    known = Counter[str]()
    for seed in TELLING:
        org, settings, as_of = random_batch(random.Random(seed), ORGS)
        for name, load in (("then", as_of), ("later", as_of + dt.timedelta(days=200))):
            found = answer(org, settings, as_of, known_at=load)
            known[name] += sum(len(one.track.untimed) for one in found.journeys.values())
    assert known["later"] < known["then"]


@pytest.mark.parametrize("seed", BATCHES[: max(2, scaled(20))])
def test_they_agree_about_close_dates_by_the_field(seed: int) -> None:
    org, settings, as_of = random_batch(random.Random(seed), ORGS)
    by_field = settings.model_copy(update={"opportunities": OpportunitySettings(close_date="field")})
    sides = Sides(answer(org, by_field, as_of), engine.built(org, by_field, as_of))
    lines = model.model_differences(sides.answers, sides.opened)
    for ask in Deck(sides, random.Random(seed)).hands(1):
        lines += ask()
    assert_same(seed, lines)


def seen_in(answers: Answers) -> Counter[str]:
    """What a batch holds that is worth comparing."""
    seen = Counter(one.fate for one in answers.responses.values() if one.fate)
    seen.update(f"ended {one.ended_by}" for one in answers.journeys.values())
    seen.update(f"deal {one.state}" for one in answers.opportunities.values())
    seen.update(f"reason {one.reason}" for one in answers.opportunities.values())
    seen["no people"] = not answers.funnel.of_people
    seen["closed before won"] = "Closed" in answers.stages
    return seen


def test_the_first_batches_hold_what_there_is_to_compare() -> None:
    seen: Counter[str] = Counter()
    for seed in TELLING:
        seen.update(seen_in(answer(*random_batch(random.Random(seed), ORGS))))
    wanted = ["after_as_of", "excluded", "no_date", "duplicate_member", "tipped", "joined_before", "joined_after"]
    wanted += ["not_qualified", "ended closed", "ended dormant", "ended disqualified", "ended recycled", "ended None"]
    wanted += ["deal won", "deal lost", "deal open", "reason no_amount", "reason no_rate"]
    wanted += ["no people", "closed before won"]
    assert [name for name in wanted if not seen[name]] == []


def test_a_difference_is_seen() -> None:
    sides = sides_of(TELLING[0])
    question = Question("journeys", ("campaign",), "month")
    before = model.model_differences(sides.answers, sides.opened), volume_differences(sides, question, "entered")
    assert before == ([], [])
    name, journey = next((name, one) for name, one in sides.answers.journeys.items() if one.track.visits)
    moment = journey.track.visits[0].entered
    later = dataclasses.replace(moment, key=moment.key.replace(year=2001), day=moment.day.replace(year=2001))
    journey.track.visits[0].entered = later
    in_model = model.model_differences(sides.answers, sides.opened)
    assert {line.split(".")[0] for line in in_model} == {f"journey {name[0]}#{name[1]}"}
    assert any("only the oracle has it" in line for line in volume_differences(sides, question, "entered"))
