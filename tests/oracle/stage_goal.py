"""Credit for reaching a stage (§8 "MQL etc. for person goals"): each journey that reached it counts one, in millionths."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from tests.oracle.answers import Answers, Journey, Pass
from tests.oracle.clock import Moment
from tests.oracle.credit import PRESETS, Facts, Model, Touch, give
from tests.oracle.influence import split, value_of, why_none
from tests.oracle.records import text, when
from tests.oracle.units import IN_JOURNEYS

ONE = 10**6
"""Parts of a journey."""


@dataclass
class Reached:
    """A journey that reached the stage: when, what it is now, and who has how much of it."""

    journey: Pass
    day: dt.date
    state: str
    credits: dict[str, int] = field(default_factory=dict)
    reason: str | None = None


def stage_goal(answers: Answers, model: str | Model, stage: str) -> list[Reached]:
    """Every journey with a timed entry into the stage; of several entries the first counts."""
    rule = PRESETS[model] if isinstance(model, str) else model
    found = []
    for journey in answers.journeys.values():
        moment = journey.track.first.get(stage)
        if moment is not None:
            found.append(_split(answers, rule, journey, moment))
    return found


def _split(answers: Answers, model: Model, journey: Journey, moment: Moment) -> Reached:
    state = journey.outcome if journey.outcome in ("won", "open") else "lost"
    done = Reached(journey.id, moment.day, state)
    touches = _touches(answers, journey.person, moment)
    if not touches:
        done.reason = why_none(answers, {journey.person})
        return done
    given = give(model, touches, _facts(answers, journey.person, moment))
    for touch, points, parts in zip(touches, given.points, split(ONE, given.points), strict=True):
        if points:
            done.credits[touch.id] = parts
    return done


def _touches(answers: Answers, person: str, moment: Moment) -> list[Touch]:
    """Dated responses of the person, from the look-back before the stage up to it, whatever journey they lie in."""
    look_back = answers.settings.influence.look_back_days
    found = []
    for one in answers.responses.values():
        if one.person != person or one.fate not in IN_JOURNEYS or one.moment is None:
            continue
        if (moment.day - one.moment.day).days <= look_back and one.moment.key <= moment.key:
            status = text(answers.records.get("CampaignMember", one.id), "Status")
            found.append(Touch(one.id, person, one.campaign, status, one.moment, sourced=True))
    return sorted(found, key=lambda touch: (touch.moment.key, touch.id))


def _facts(answers: Answers, person: str, moment: Moment) -> Facts:
    """No opportunity: its creation and close are dropped; the goal has been reached, and ages run to it."""
    clock = answers.clock
    leads = []
    for name, row in answers.people.records_of.get(person, []):
        created = when(row, "CreatedDate")
        if name == "Lead" and created is not None and clock.happened(created):
            one = clock.response(created)
            leads.append(clock.end_of(one.day) if one.is_date else one.key)
    return Facts(
        clock=clock,
        goal="created",
        is_open=False,
        end=moment,
        created=None,
        lead=min(leads, default=None),
        primary_campaign=None,
        origin=None,
        roles={},
        value_of=lambda name, touch: value_of(answers, name, touch),
    )
