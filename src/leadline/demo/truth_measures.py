"""A journey's dimensions, its class in a conversion, its time in a stage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from leadline.demo.truth_law import DAY, Journey, Moment
from leadline.demo.world import World

NO_RESPONSE: Final = "no response"
"""Campaign type of a journey without an origin; None is an origin whose campaign has no type."""

CENSORED, ADVANCED, EXIT = range(3)
By = Literal["campaign_type", "industry", "campaign", "lead_source", "month"]


@dataclass(frozen=True, slots=True)
class TrueJourney:
    """A journey with the dimensions it is counted by.

    Campaign and its type are the origin's; industry and lead source are the same on every record
    of a person and on its account. `person_id` is the contact's, of somebody without one the lead's.
    """

    journey: Journey
    person_id: str
    campaign: str | None
    campaign_type: str | None
    industry: str | None
    lead_source: str | None


@dataclass(slots=True)
class Conversion:
    """Classes of the journeys that reached a stage.

    `undated` ones have no timed entry at that stage or beyond, hence no period; they stand apart.
    """

    started: int = 0
    converted: int = 0
    too_young: int = 0
    implied: int = 0
    out_of_order: int = 0
    undated: int = 0


@dataclass(frozen=True, slots=True)
class Velocity:
    """Sum of visits of each journey in one stage; equally long arrays.

    Attributes:
        seconds: days × 86,400; whole days where an end of a visit is only a date.
        cause: CENSORED, ADVANCED or EXIT.
        excluded: journeys that reached the stage without a time in it.
    """

    seconds: NDArray[np.int64]
    cause: NDArray[np.int64]
    excluded: int


def month(world: World, moment: Moment) -> str:
    """The calendar month, e.g. "2026-05"."""
    return f"{world.clock.date(moment.day):%Y-%m}"


def classify(journey: Journey, first: int, second: int, window: int, as_of_day: int, counts: Conversion) -> None:
    """The first class that applies."""
    entered, later = journey.first(first), journey.first_from(second)
    if entered is None:
        if journey.first_from(first + 1) is None:
            counts.undated += 1
        else:
            counts.implied += 1
    elif later is not None and later.key < entered.key:
        counts.out_of_order += 1
    elif entered.day + window >= as_of_day:
        counts.too_young += 1
    else:
        counts.started += 1
        counts.converted += later is not None and later.day - entered.day <= window


def lasted(start: Moment, end: Moment) -> int:
    """Seconds; whole calendar days if either end is only a date."""
    if start.date_only or end.date_only:
        return (end.day - start.day) * DAY
    return end.utc - start.utc


def cause(journey: Journey, stage: int) -> int:
    """How the time in a stage ended: moved up, left otherwise, or not yet."""
    position = journey.visits[-1].stage
    if journey.ended is None:
        return ADVANCED if position > stage else CENSORED
    return ADVANCED if journey.outcome == "won" or position > stage else EXIT
