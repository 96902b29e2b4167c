"""Time in stage, waiting days, stuck records (§7, D18)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from tests.oracle.answers import Answers, Journey, Opportunity, Pass, Track, Visit
from tests.oracle.clock import period_end
from tests.oracle.survival import Spell
from tests.oracle.units import deal_dimensions, journey_dimensions, stages_of
from tests.oracle.volume import Dims, Periods

SECONDS = 86400


@dataclass(frozen=True)
class Subject:
    """A journey, or without people an opportunity: where it went and how it ended."""

    id: str | Pass
    track: Track
    ended: bool
    won: bool
    dimensions: dict[str, str | None]


def subjects(answers: Answers, unit: str) -> list[Subject]:
    """All of a unit (journeys or opportunities)."""
    if unit == "journeys":
        return [_of_journey(answers, journey) for journey in answers.journeys.values()]
    return [_of_deal(answers, deal) for deal in answers.opportunities.values()]


def _of_journey(answers: Answers, journey: Journey) -> Subject:
    dims = journey_dimensions(answers, journey)
    return Subject(journey.id, journey.track, journey.end is not None, journey.outcome == "won", dims)


def _of_deal(answers: Answers, deal: Opportunity) -> Subject:
    return Subject(deal.id, deal.track, deal.close is not None, deal.state == "won", deal_dimensions(answers, deal))


def days_between(entered: dt.datetime, left: dt.datetime) -> Fraction:
    """Days with fractions between two instants, exact to the second (D21)."""
    span = left - entered
    return Fraction(span.days * SECONDS + span.seconds, SECONDS)


def visit_days(answers: Answers, visit: Visit) -> Fraction:
    """D18: seconds if both ends are instants, else whole calendar days; an open visit ends at as-of."""
    clock, left = answers.clock, visit.left
    left_is_date = left.is_date if left else clock.as_of_is_date
    if not visit.entered.is_date and not left_is_date:
        return days_between(visit.entered.key, left.key if left else clock.as_of)
    return Fraction(((left.day if left else clock.today) - visit.entered.day).days)


def spell(answers: Answers, subject: Subject, stage: str, stages: list[str]) -> Spell | None:
    """§7 Sum of visits: time in the stage and its cause; None if it was never there in time."""
    visits = [visit for visit in subject.track.visits if visit.stage == stage]
    if not visits:
        return None
    days = sum((visit_days(answers, visit) for visit in visits), Fraction(0))
    last = stages.index(subject.track.visits[-1].stage)
    if (subject.ended and subject.won) or last > stages.index(stage):
        return Spell(days, "advanced")
    return Spell(days, "exit" if subject.ended else None)


def velocity(
    answers: Answers, unit: str, stage: str, by: tuple[str, ...] = ()
) -> dict[Dims, list[tuple[str | Pass, Spell]]]:
    """Spells of a stage by dimensions, with the unit's id."""
    whole = velocity_in(answers, unit, stage, by, Periods(answers, None))
    return {dims: spells for (_, dims), spells in whole.items()}


def velocity_in(
    answers: Answers, unit: str, stage: str, by: tuple[str, ...], periods: Periods
) -> dict[tuple[dt.date | None, Dims], list[tuple[str | Pass, Spell]]]:
    """The same by period of the first entry into the stage; whole spells, whatever the period's end."""
    found: dict[tuple[dt.date | None, Dims], list[tuple[str | Pass, Spell]]] = {}
    for subject in subjects(answers, unit):
        one = spell(answers, subject, stage, answers.stages)
        if one is not None and periods.holds(day := subject.track.first[stage].day):
            key = (periods.of(day), tuple(subject.dimensions[name] for name in by))
            found.setdefault(key, []).append((subject.id, one))
    return found


def implied_only(
    answers: Answers, unit: str, stage: str, by: tuple[str, ...], periods: Periods
) -> dict[tuple[dt.date | None, Dims], int]:
    """§7: how many reached the stage without ever a time: excluded and counted.

    By period of the next timed entry; those without any stand under None unless days are asked for (D39).
    """
    stages = stages_of(answers, unit)
    found: Counter[tuple[dt.date | None, Dims]] = Counter()
    for subject in subjects(answers, unit):
        first = subject.track.first
        if stage not in subject.track.reached(stages) or stage in first:
            continue
        later = [first[one].day for one in stages[stages.index(stage) :] if one in first]
        if periods.holds(min(later)) if later else not periods.bounded:
            period = periods.of(min(later)) if later else None
            found[period, tuple(subject.dimensions[name] for name in by)] += 1
    return found


def waiting_stages(answers: Answers, unit: str) -> list[str]:
    """§7: all but Inquiry and outcomes; without people all open stages (outcomes have no visits)."""
    return [stage for stage in answers.stages if unit == "opportunities" or stage != answers.stages[0]]


def overlap_days(answers: Answers, visit: Visit, start: dt.date | None, end: dt.date | None) -> Fraction:
    """Days of a visit within the local days [start, end); D18 for what a day is."""
    clock, left = answers.clock, visit.left
    left_is_date = left.is_date if left else clock.as_of_is_date
    if not visit.entered.is_date and not left_is_date:
        lower, upper = visit.entered.key, left.key if left else clock.as_of
        lower = lower if start is None else max(lower, clock.start_of(start))
        upper = upper if end is None else min(upper, clock.start_of(end))
        return max(Fraction(0), days_between(lower, upper))
    first, after = visit.entered.day, left.day if left else clock.today
    first = first if start is None else max(first, start)
    after = after if end is None else min(after, end)
    return Fraction(max(0, (after - first).days))


def waiting_days(
    answers: Answers, unit: str, grain: str | None = None, by: tuple[str, ...] = ()
) -> dict[tuple[dt.date | None, Dims, str], Fraction]:
    """§7 waiting: days stood in each waiting stage per period, open and closed visits."""
    periods = Periods(answers, grain)
    found: dict[tuple[dt.date | None, Dims, str], Fraction] = {}
    for subject in subjects(answers, unit):
        dims = tuple(subject.dimensions[name] for name in by)
        for visit in subject.track.visits:
            if visit.stage in waiting_stages(answers, unit):
                for start, end in _periods_of(answers, visit, periods):
                    key = (start, dims, visit.stage)
                    found[key] = found.get(key, Fraction(0)) + overlap_days(answers, visit, start, end)
    return {key: days for key, days in found.items() if days}


def _periods_of(answers: Answers, visit: Visit, periods: Periods) -> list[tuple[dt.date | None, dt.date | None]]:
    """The periods a visit touches."""
    if periods.grain is None:
        return [(None, None)]
    last = visit.left.day if visit.left else answers.clock.today
    start = periods.of(visit.entered.day)
    found: list[tuple[dt.date | None, dt.date | None]] = []
    while start is not None and start <= last:
        found.append((start, period_end(start, periods.grain)))
        start = found[-1][1]
    return found


def stuck(answers: Answers, unit: str, stage: str, days: int) -> list[tuple[str | Pass, Fraction]]:
    """§7 Stuck: open visits of the stage older than a fixed number of days, with their age."""
    return [(subject.id, visit_days(answers, visit)) for subject, visit in _stuck(answers, unit, stage, days)]


def stuck_in(
    answers: Answers, unit: str, stage: str, days: int, by: tuple[str, ...], periods: Periods
) -> dict[tuple[dt.date | None, Dims], int]:
    """How many are stuck by period of the entry of that visit."""
    return Counter(
        (periods.of(visit.entered.day), tuple(subject.dimensions[name] for name in by))
        for subject, visit in _stuck(answers, unit, stage, days)
        if periods.holds(visit.entered.day)
    )


def _stuck(answers: Answers, unit: str, stage: str, days: int) -> list[tuple[Subject, Visit]]:
    standing = [
        (subject, subject.track.visits[-1])
        for subject in subjects(answers, unit)
        if subject.track.visits and subject.track.visits[-1].left is None
    ]
    return [
        (subject, visit) for subject, visit in standing if visit.stage == stage and visit_days(answers, visit) > days
    ]
