"""What the numbers of a demo org must be.

Worked out from the stories of the generator, never from its files, by code that shares nothing
with the metrics: `truth_events` lists what the records let one see of each person, `truth_law`
walks that by the words of the definitions, and here it is counted. It holds for csv and parquet.
In the weekly export these differ: without status history a status has no time and nothing is
recycled or disqualified at a moment; without deleted records a member, role or conversion that
points at a merged record leads nowhere; without roles' IsPrimary the origin journey of a deal may
be another. Deals, amounts and responses of records never merged are the same there.

Test support: about five seconds for 20,000 people.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from leadline.demo.org import DemoOrg
from leadline.demo.params import CAMPAIGN_TYPES, INDUSTRIES, INQUIRY, LEAD_SOURCES, PURCHASED, SQL, STAGES, T_EVENT
from leadline.demo.stories import Stories
from leadline.demo.truth_dirt import campaign_dirt, count_dirt
from leadline.demo.truth_events import BlockEvents, tracking_from
from leadline.demo.truth_faults import faults as faults
from leadline.demo.truth_law import DAY, Journey, Moment
from leadline.demo.truth_measures import (
    ADVANCED,
    CENSORED,
    EXIT,
    NO_RESPONSE,
    By,
    Conversion,
    TrueJourney,
    Velocity,
    cause,
    classify,
    lasted,
    month,
)
from leadline.demo.truth_money import Influence, add_influence, block_id, campaign_id
from leadline.demo.world import World


@dataclass
class Truth:
    """The numbers; stage names are those of `params.STAGES`, months look like "2026-05".

    Attributes:
        people: people with at least one record that is there.
        fates: of all members that responded and are there; member_fates: by the member's id.
        journeys: every journey as the law reads it.
        entered: (stage, month, campaign type) → first visits of journeys, by month of entry.
        cohort: (stage, opening month) → journeys that opened then and reached the stage, timed or not.
        standing: stage → journeys that stand there at as-of.
        implied: stage → journeys that reached it or a later one without a time of their own in it.
        re_entries: stage → visits after the first; regressions: moves of the position backwards.
        requalifications: lower entries that did not move the position; conflicts: exits during a deal.
        outcomes: of journeys.
        deals: count of all, ever_won, won, lost, open, reopened, attached (to a person).
        open_pipeline: amounts of open deals in cents of USD.
        first_response: per journey with a timed MQL, seconds (whole days) to the first completed task
            or begun event at or after it, and ADVANCED; to the end of a journey that ended before, and
            EXIT; else to as-of, and CENSORED.
        planted: what was put in on purpose.
        dirt: kind → records.
    """

    as_of: Moment
    world: World
    people: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    member_fates: dict[str, str] = field(default_factory=dict)
    journeys: list[TrueJourney] = field(default_factory=list)
    entered: Counter[tuple[str, str, str | None]] = field(default_factory=Counter)
    cohort: Counter[tuple[str, str]] = field(default_factory=Counter)
    standing: Counter[str] = field(default_factory=Counter)
    implied: Counter[str] = field(default_factory=Counter)
    re_entries: Counter[str] = field(default_factory=Counter)
    regressions: int = 0
    requalifications: int = 0
    conflicts: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    deals: Counter[str] = field(default_factory=Counter)
    open_pipeline: int = 0
    influence: Influence = field(default_factory=Influence)
    first_response: list[tuple[int, int]] = field(default_factory=list)
    planted: dict[str, object] = field(default_factory=dict)
    dirt: Counter[str] = field(default_factory=Counter)

    def conversion(self, start: str, to: str, window_days: int, by: By | None = None) -> dict[str | None, Conversion]:
        """Cohort conversion from one stage to a later one, per value of `by` (or all under None).

        Days are local calendar days: B counts if its day is at most A's day + window. A journey's month
        is that of the first timed A, for implied ones of the first timed entry beyond A.
        """
        first, second = STAGES.index(start), STAGES.index(to)
        out: dict[str | None, Conversion] = {}
        for item in self.journeys:
            if item.journey.furthest < first:
                continue
            if by == "month":
                at = item.journey.first(first) or item.journey.first_from(first + 1)
                key = month(self.world, at) if at else None
            else:
                key = getattr(item, by) if by else None
            counts = out.setdefault(key, Conversion())
            classify(item.journey, first, second, window_days, self.as_of.day, counts)
        return out

    def velocity(self, stage: str, by: By | None = None, value: str | None = None) -> Velocity:
        """Time in a stage of every journey that was in it; `by` and `value` choose some of them."""
        number = STAGES.index(stage)
        seconds, causes, excluded = [], [], 0
        for item in self.journeys:
            if item.journey.furthest < number or (by and getattr(item, by) != value):
                continue
            visits = [visit for visit in item.journey.visits if visit.stage == number]
            if not visits:
                excluded += 1
                continue
            seconds.append(sum(lasted(visit.entered, visit.left or self.as_of) for visit in visits))
            causes.append(cause(item.journey, number))
        return Velocity(np.array(seconds, np.int64), np.array(causes, np.int64), excluded)

    def waited(self, first_day: dt.date, last_day: dt.date) -> dict[str, int]:
        """Stage → seconds stood in it within the days, over the stages between Inquiry and Won.

        A visit whose both ends are instants counts by the second, any other by whole days.
        """
        low, high = ((day - self.world.clock.date(0)).days for day in (first_day, last_day + dt.timedelta(days=1)))
        bounds = self.world.clock.midnight_utc(low), self.world.clock.midnight_utc(high)
        out = dict.fromkeys(STAGES[1:-1], 0)
        for item in self.journeys:
            for visit in item.journey.visits:
                if visit.stage == INQUIRY:
                    continue
                start, end = visit.entered, visit.left or self.as_of
                if start.date_only or end.date_only:
                    stood = (min(end.day, high) - max(start.day, low)) * DAY
                else:
                    stood = min(end.utc, bounds[1]) - max(start.utc, bounds[0])
                out[STAGES[visit.stage]] += max(stood, 0)
        return out


def truth(org: DemoOrg) -> Truth:
    """The numbers of a demo org, from its stories."""
    clock = org.world.clock
    result = Truth(Moment(clock.as_of_key, clock.days, False, clock.as_of_utc), org.world)
    first_change = tracking_from(org.world, org.stories())
    for stories in org.stories():
        _add_block(result, org.world, stories, first_change)
    result.dirt += campaign_dirt(org.world)
    result.planted = _planted(org.world)
    return result


def _add_block(result: Truth, world: World, stories: Stories, first_change: int) -> None:
    events = BlockEvents(world, stories, first_change)
    result.people += int(events.alive.sum())
    worked = _activities(events)
    for person, journeys in events.journeys():
        for journey in journeys:
            item = _described(events, person, journey)
            result.journeys.append(item)
            _count(result, world, item)
            _first_response(result, journey, worked.get(person, []))
    result.fates.update(events.fates.values())
    result.member_fates |= {block_id(events, "CampaignMember", row): fate for row, fate in events.fates.items()}
    for deal in events.deals.values():
        result.deals.update([deal.state, "all"])
        result.deals.update({"ever_won": int(deal.ever_won), "reopened": int(deal.reopened)})
    result.deals["attached"] += sum(len(known.attached) for known in events.people.values())
    result.open_pipeline += add_influence(result.influence, events)
    result.dirt += count_dirt(world, stories)


def _described(events: BlockEvents, person: int, journey: Journey) -> TrueJourney:
    people, accounts = events.stories.people, events.stories.accounts
    who = block_id(events, "Contact" if people["has_contact"][person] else "Lead", person)
    industry = INDUSTRIES[accounts["industry"][people["account"][person]]]
    source = LEAD_SOURCES[people["source"][person]]
    if journey.origin is None:
        return TrueJourney(journey, who, None, NO_RESPONSE, industry, source)
    campaign = journey.origin.campaign
    kind = CAMPAIGN_TYPES[events.world.campaigns["kind"][campaign]]
    return TrueJourney(journey, who, campaign_id(campaign), kind, industry, source)


def _count(result: Truth, world: World, item: TrueJourney) -> None:
    journey = item.journey
    result.outcomes[journey.outcome] += 1
    result.regressions += journey.regressions
    result.requalifications += journey.requalifications
    result.conflicts += journey.conflicts
    if journey.standing is not None:
        result.standing[STAGES[journey.standing]] += 1
    for number in range(INQUIRY, journey.furthest + 1):
        stage, first = STAGES[number], journey.first(number)
        result.re_entries[stage] += journey.re_entries(number)
        if first is None:
            result.implied[stage] += 1
        else:
            result.entered[stage, month(world, first), item.campaign_type] += 1
        if journey.start is not None:
            result.cohort[stage, month(world, journey.start)] += 1


def _activities(events: BlockEvents) -> dict[int, list[Moment]]:
    """Completed tasks and begun events of each person, up to as-of."""
    table = events.stories.activities
    utc = events.world.clock.utc(table["day"], table["second"])
    usable = table["done"] & (utc <= events.as_of.utc) & events.alive[table["person"]]
    out: dict[int, list[Moment]] = {}
    for row in np.flatnonzero(usable).tolist():
        day = int(table["day"][row])
        moment = Moment(day * DAY + int(table["second"][row]), day, False, int(utc[row]))
        out.setdefault(int(table["person"][row]), []).append(moment)
    return out


def _first_response(result: Truth, journey: Journey, worked: list[Moment]) -> None:
    entered = journey.first(1)
    if entered is None:
        return
    end = journey.visits[-1].left
    usable = [moment for moment in worked if moment.key >= entered.key and (end is None or moment.key <= end.key)]
    first = min(usable, default=None)
    how = ADVANCED if first else EXIT if end else CENSORED
    result.first_response.append((lasted(entered, first or end or result.as_of), how))


def _planted(world: World) -> dict[str, object]:
    rates = world.parameters
    return {
        "slow_campaign_type": CAMPAIGN_TYPES[T_EVENT],
        "slow_transition": (STAGES[2], STAGES[SQL]),
        "slow_factor": rates.slow_factor,
        "stuck_campaign": campaign_id(world.stuck),
        "stuck_stage": STAGES[2],
        "poor_lead_source": LEAD_SOURCES[PURCHASED],
        "poor_transition": (STAGES[1], STAGES[2]),
        "poor_factor": rates.poor_factor,
        "lift": dict(zip(CAMPAIGN_TYPES, rates.lift, strict=True)),
        "won_rate": rates.won,
    }
