"""The answers as plain tables, key → values, ready to be compared with another implementation."""

from __future__ import annotations

import datetime as dt

from tests.oracle.answers import Answers, Journey, Opportunity, Pass
from tests.oracle.clock import Moment

Values = dict[str, object]


def key_of(moment: Moment | None) -> dt.datetime | None:
    """Sort key, UTC."""
    return moment.key if moment else None


def day_of(moment: Moment | None) -> dt.date | None:
    """Local calendar day."""
    return moment.day if moment else None


def responses(answers: Answers) -> dict[str, Values]:
    """Member id → fate, evidence, key, day, person, campaign, journey."""
    return {
        one.id: {
            "fate": one.fate,
            "evidence": one.evidence,
            "key": one.key,
            "day": day_of(one.moment),
            "person": one.person,
            "campaign": one.campaign,
            "journey": one.journey,
        }
        for one in answers.responses.values()
    }


def journeys(answers: Answers) -> dict[Pass, Values]:
    """(person, pass) → what the journey was; stages by name."""
    return {one.id: _journey(answers, one) for one in answers.journeys.values()}


def _journey(answers: Answers, journey: Journey) -> Values:
    track = journey.track
    reached = track.reached(answers.stages)
    return {
        "start": key_of(journey.start),
        "start_day": day_of(journey.start),
        "end": key_of(journey.end),
        "ended_by": journey.ended_by,
        "outcome": journey.outcome,
        "held": sorted(journey.held),
        "origin": journey.origin,
        "qualified": journey.qualified,
        "furthest": track.furthest(answers.stages),
        "first": {stage: (moment.key, moment.day) for stage, moment in track.first.items()},
        "without_time": reached - set(track.first),
        "untimed": set(track.untimed),
        "visits": [visit.as_tuple() for visit in track.visits],
        "regressions": len(track.regressions),
        "re_entries": len(track.re_entries),
        "requalifications": len(track.requalifications),
        "conflicts": len(journey.conflicts),
    }


def opportunities(answers: Answers) -> dict[str, Values]:
    """Opportunity id → state, close, money, origin."""
    return {one.id: _opportunity(answers, one) for one in answers.opportunities.values()}


def _opportunity(answers: Answers, deal: Opportunity) -> Values:
    return {
        "state": deal.state,
        "created": key_of(deal.created),
        "close": key_of(deal.close),
        "close_day": day_of(deal.close),
        "amount": deal.amount,
        "reason": deal.reason,
        "origin": deal.origin,
        "ever_won": deal.ever_won,
        "reopened": deal.reopened,
        "outside": deal.outside,
        "furthest": deal.track.furthest(answers.stages),
        "first": {stage: (moment.key, moment.day) for stage, moment in deal.track.first.items()},
        "visits": [visit.as_tuple() for visit in deal.track.visits],
    }
