"""All questions that can be asked of a batch, and a hand drawn from them: every metric in each hand."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Callable

from tests.agreement.conversion import conversion_differences
from tests.agreement.credit_models import drawn
from tests.agreement.influence import Credit, influence_differences
from tests.agreement.questions import BY, GRAINS, UNITS, Question, Sides
from tests.agreement.stage_goal import drawn_question, stage_differences
from tests.agreement.velocity import stuck_differences, velocity_differences
from tests.agreement.volume import standing_differences, touched_differences, volume_differences
from tests.oracle.clock import add_months
from tests.oracle.influence import MODELS, SCOPES, WINDOWS
from tests.oracle.units import stages_of

Ask = Callable[[], list[str]]
WINDOW_DAYS = (None, None, 0, 1, 30, 89, 365)
IN_HAND = {"volume": 3, "standing": 1, "conversion": 3, "velocity": 2, "influence": 5, "stage_goal": 2}
"""Questions of each metric in one hand."""


class Deck:
    """Draws questions for one batch."""

    def __init__(self, sides: Sides, rng: random.Random) -> None:
        self.sides, self.rng = sides, rng
        self.units = UNITS if sides.answers.funnel.of_people else ("opportunities",)

    def hands(self, count: int) -> list[Ask]:
        """`count` hands of questions."""
        makers: dict[str, Callable[[], Ask]] = {
            "volume": self._volume,
            "standing": self._standing,
            "conversion": self._conversion,
            "velocity": self._velocity,
            "influence": self._influence,
            "stage_goal": self._stage_goal,
        }
        return [makers[metric]() for _ in range(count) for metric, size in IN_HAND.items() for _ in range(size)]

    def _question(self, units: tuple[str, ...]) -> Question:
        unit, by, grain = self.rng.choice(units), self.rng.choice(BY), self.rng.choice(GRAINS)
        if self.rng.random() < 0.7:
            return Question(unit, by, grain)
        return Question(unit, by, grain, *self._days())

    def _days(self) -> tuple[dt.date, dt.date]:
        """Some days of the two years before as-of."""
        start = self.sides.answers.clock.today - dt.timedelta(days=self.rng.randrange(700))
        return start, start + dt.timedelta(days=self.rng.randrange(1, 300))

    def _volume(self) -> Ask:
        question, view = self._question(self.units), self.rng.choice(["entered", "entered", "cohort"])
        if self.rng.random() < 0.15 and len(self.units) > 1:
            unit = self.rng.choice(["journeys", "people"])
            return lambda: touched_differences(self.sides, unit)
        return lambda: volume_differences(self.sides, question, view)

    def _standing(self) -> Ask:
        question = Question(self.rng.choice(self.units), self.rng.choice(BY))
        return lambda: standing_differences(self.sides, question)

    def _conversion(self) -> Ask:
        question, window = self._question(self.units), self.rng.choice(WINDOW_DAYS)
        far = list(itertools.combinations(stages_of(self.sides.answers, question.unit), 2))
        pair = self.rng.choice(far) if far and self.rng.random() < 0.25 else None
        return lambda: conversion_differences(self.sides, question, window, pair)

    def _velocity(self) -> Ask:
        units = tuple(unit for unit in self.units if unit in ("journeys", "opportunities"))
        unit, by, drawn = self.rng.choice(units), self.rng.choice(BY), self.rng.random()
        if drawn < 0.15:
            return lambda: stuck_differences(self.sides, unit)
        if drawn < 0.4:
            first = self.sides.answers.clock.today.replace(day=1)
            first = add_months(first, -self.rng.randrange(15))
            return lambda: velocity_differences(self.sides, Question(unit, by, None, first, add_months(first, 1)))
        grain = self.rng.choice([None, None, *GRAINS])
        return lambda: velocity_differences(self.sides, Question(unit, by, grain))

    def _stage_goal(self) -> Ask:
        beyond = self.sides.answers.stages[1:]
        if not self.sides.answers.funnel.of_people or not beyond:
            return list
        asked = drawn_question(self.rng, self.rng.choice(beyond))
        return lambda: stage_differences(self.sides, asked)

    def _influence(self) -> Ask:
        rng = self.rng
        written = drawn(rng) if rng.random() < 0.5 else None
        part = rng.choice(["", "", "@sourced", "@accelerated"])
        asked = Credit(
            model="drawn" if written else rng.choice(MODELS) + part,
            scope=rng.choice(SCOPES),
            window=rng.choice(WINDOWS),
            date=rng.choice(["created", "closed"]),
            grain=rng.choice([None, "month", "quarter"]),
            goal=rng.choice(["closed", "closed", "created"]),
            written=written,
        )
        return lambda: influence_differences(self.sides, asked)
