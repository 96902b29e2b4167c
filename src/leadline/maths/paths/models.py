"""Every model on journeys by one name, with credit that adds up to what the journeys hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from leadline.errors import UnknownNameError, UsageError
from leadline.maths.paths import markov, rules, shapley
from leadline.maths.paths.journeys import Floats, Journeys
from leadline.maths.paths.shares import proportional

ValueRule = Literal["expected", "proportional"]

TEXTS = {
    "first": "all to the first touch",
    "last": "all to the last touch",
    "even": "the same to every touch",
    "even_per_campaign": "the same to every distinct state of a path, however often it stands there",
    "u_shaped": "40 % to the first touch, 40 % to the last, 20 % to those between",
    "position": "fixed shares to the first and the last touch, the rest to those between",
    "time_decay": "weights that halve with each half-life of steps back from the end; a path has no times",
    "markov": "in proportion to removal effects of a Markov chain",
    "shapley_coverage": "Shapley values; a set of states is worth the conversions of the paths inside it",
    "shapley_rate": "Shapley values; a set of states is worth the conversion rate of the paths inside it",
}
"""Models by name, with what they do."""

EXACT_SETS = ("shapley_exact", "shapley_exact_set", "shapley_exactly")
"""Names by which people ask for the game that is refused."""


ELSEWHERE = {
    "first_touch": "first",
    "first_click": "first",
    "last_touch": "last",
    "last_click": "last",
    "linear": "even",
    "linear_touch": "even",
    "uniform": "even",
    "position_based": "position",
    "markov_model": "markov",
    "removal_effect": "markov",
    "shapley": "shapley_coverage",
}
"""What other path packages call a model, with its name here."""


@dataclass(frozen=True)
class Options:
    """What some models can be told.

    Attributes:
        order: of `markov`.
        removal: of `markov`: `null` or `refit`.
        value: of `markov`: `expected`, by effects on the expected value, or `proportional`, by those on conversions.
        first_share, last_share: of `position`.
        half_life: of `time_decay`, in steps.
        draws, seed: of `shapley_rate` above 15 states.
        memory: bytes that `markov` may take.
    """

    order: int = 1
    removal: markov.Removal = "null"
    value: ValueRule = "expected"
    first_share: float = 0.4
    last_share: float = 0.4
    half_life: float = 1.0
    draws: int = 1_000
    seed: int = 0
    memory: int = markov.MEMORY


@dataclass(frozen=True)
class Credit:
    """Credit per state, shape (states,) each; sums are those of the journeys with a touch.

    Attributes:
        conversions, value: the credit, unrounded.
        effect: removal effect, or what the state is worth in the game of rates; None for other models.
        error: standard error of `effect` where it was drawn.
        chain_states: states of the Markov chain.
        draws: orders drawn.
    """

    conversions: Floats
    value: Floats
    effect: Floats | None = None
    error: Floats | None = None
    chain_states: int = 0
    draws: int = 0


def credit(given: Journeys, model: str, options: Options | None = None) -> Credit:
    """The credit of one model.

    Raises:
        UnknownNameError: no such model.
        UsageError: the journeys or options do not fit the model.
    """
    told = options or Options()
    if model in EXACT_SETS:
        raise UsageError(
            "The game in which a set is worth only the journeys that hold exactly its campaigns is refused: its values "
            "do not add up to the conversions of all journeys. Take shapley_coverage or shapley_rate."
        )
    if model in ELSEWHERE:
        raise UsageError(f"There is no model {model!r}: it is called {ELSEWHERE[model]!r} here.")
    if model not in TEXTS:
        raise UnknownNameError("model", model, TEXTS)
    if model == "markov":
        return _markov(given, told)
    if model == "shapley_coverage":
        found = shapley.coverage(given)
        return Credit(found.conversions, found.value)
    if model == "shapley_rate":
        return _rate(given, told)
    return _rule(given, model, told)


def _rule(given: Journeys, model: str, told: Options) -> Credit:
    if model in ("first", "last"):
        return Credit(*rules.at_end(given, start=model == "first"))
    extra = {
        "position": {"first_share": told.first_share, "last_share": told.last_share},
        "time_decay": {"half_life": told.half_life},
    }.get(model, {})
    try:
        return Credit(*rules.credited(given, rules.WEIGHTS[model](given, **extra)))
    except ValueError as fault:
        raise UsageError(f"The model {model} cannot be asked so: {fault}.") from fault


def _markov(given: Journeys, told: Options) -> Credit:
    some = given.some
    conversions, value = given.conversions[some].sum(), given.value[some].sum()
    by_value = told.value == "expected"
    if by_value and (given.value < 0).any() and (given.value > 0).any():
        raise UsageError("Values of both signs have no removal effect between 0 and 1; ask for value = proportional.")
    try:
        found = markov.effects(given, told.order, told.removal, memory=told.memory)
    except ValueError as fault:
        raise UsageError(f"The model markov cannot be asked so: {fault}.") from fault
    if conversions and not found.conversions.any():
        raise UsageError(
            "Deleting a campaign and counting anew takes no conversion away from any of them: no journey of one "
            "campaign alone converts, so there is nothing to share by. Take removal = null."
        )
    worth = found.value if by_value and found.value.any() else found.conversions
    return Credit(
        proportional(conversions, found.conversions),
        proportional(value, worth),
        effect=found.conversions,
        chain_states=found.states,
    )


def _rate(given: Journeys, told: Options) -> Credit:
    some = given.some
    found = shapley.rate(given, draws=told.draws, seed=told.seed)
    value = found.value if found.value.sum() else found.conversions
    return Credit(
        proportional(given.conversions[some].sum(), found.conversions),
        proportional(given.value[some].sum(), value),
        effect=found.conversions,
        error=found.error if found.draws else None,
        draws=found.draws,
    )


def share(conversions: Floats, total: float) -> Floats:
    """Each state's part of all conversions; NaN where no state has credit."""
    return conversions / total if conversions.any() else np.full(len(conversions), np.nan)
