"""The engine agrees with the independent oracle on random orgs made of the awkward cases.

One batch is 25 small orgs under one zone, one set of settings and one as-of; 40 batches are the
1,000 orgs of the full numbers.
"""

from __future__ import annotations

import random

import pytest

from tests.agreement.compare import assert_same
from tests.agreement.conversion import conversion_differences
from tests.agreement.engine import built
from tests.agreement.influence import Credit, influence_differences
from tests.agreement.model import model_differences
from tests.agreement.questions import BY, UNITS, Question, Sides
from tests.agreement.velocity import stuck_differences, velocity_differences
from tests.agreement.volume import standing_differences, volume_differences
from tests.oracle.batch import random_batch
from tests.oracle.oracle import answer
from tests.scale import scaled

ORGS_OF_A_BATCH = 25
BATCHES = scaled(1000) // ORGS_OF_A_BATCH
GRAINS = (None, "month", "week", "quarter")
WINDOWS = (None, 0, 7, 30, 90, 400)


@pytest.fixture(scope="module", params=range(1, BATCHES + 1))
def batch(request: pytest.FixtureRequest) -> tuple[int, Sides]:
    """Both sides of one batch, and its seed."""
    seed = int(request.param)
    org, settings, as_of = random_batch(random.Random(seed), ORGS_OF_A_BATCH)
    return seed, Sides(answer(org, settings, as_of), built(org, settings, as_of))


def units_of(sides: Sides) -> tuple[str, ...]:
    """Units that the batch's funnel has."""
    return UNITS if sides.answers.funnel.of_people else ("opportunities",)


def question(luck: random.Random, unit: str) -> Question:
    """A random question of a unit."""
    return Question(unit, luck.choice(BY), luck.choice(GRAINS))


def test_records_become_the_same_people_journeys_and_deals(batch: tuple[int, Sides]) -> None:
    seed, sides = batch
    assert_same(seed, model_differences(sides.answers, sides.opened))


def test_volume_is_the_same(batch: tuple[int, Sides]) -> None:
    seed, sides = batch
    luck = random.Random(seed)
    for unit in units_of(sides):
        for view in ("entered", "cohort"):
            assert_same(seed, volume_differences(sides, question(luck, unit), view))
        assert_same(seed, standing_differences(sides, Question(unit, luck.choice(BY))))


def test_conversion_is_the_same(batch: tuple[int, Sides]) -> None:
    seed, sides = batch
    luck = random.Random(seed + 1)
    for unit in units_of(sides):
        assert_same(seed, conversion_differences(sides, question(luck, unit), luck.choice(WINDOWS)))


def test_velocity_is_the_same(batch: tuple[int, Sides]) -> None:
    seed, sides = batch
    luck = random.Random(seed + 2)
    for unit in ("journeys", "opportunities") if sides.answers.funnel.of_people else ("opportunities",):
        assert_same(seed, velocity_differences(sides, Question(unit, luck.choice(BY))))
        assert_same(seed, stuck_differences(sides, unit))


def test_influence_is_the_same(batch: tuple[int, Sides]) -> None:
    seed, sides = batch
    luck = random.Random(seed + 3)
    for scope in ("role", "primary role", "account"):
        for model in ("first", "last", "even"):
            window, date = luck.choice(("influenced", "sourced", "accelerated")), luck.choice(("created", "closed"))
            asked = Credit(model, scope, window, date, luck.choice((None, "month", "quarter")))
            assert_same(seed, influence_differences(sides, asked))
