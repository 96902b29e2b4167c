"""The passes of one person, event by event (§4 Journey, Position, Visit; D8, D9, D15, D20)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tests.oracle.answers import Journey, Track, Visit
from tests.oracle.clock import Clock, Moment
from tests.oracle.deals import Deal
from tests.oracle.entries import Entry
from tests.oracle.responses import Response

RESPONSE, STAGE, OUTCOME, CLOSE = 0, 1, 2, 3


@dataclass(frozen=True)
class Event:
    """Something that happens to a person.

    rank orders events of one key: "response, stages in funnel order, close" (§1), with disqualified
    and recycled between stages and close (D20); then instants before dates (D36), then the id.
    kind: response, hold (an opportunity is created), enter, outcome, close.
    enters: a creation that is itself, or comes with, an entry into `stage`.
    """

    moment: Moment
    rank: tuple[int, int]
    record: str
    kind: str
    stage: int = 0
    of_deal: bool = False
    enters: bool = False
    name: str = ""

    @property
    def order(self) -> tuple[dt.datetime, tuple[int, int], bool, str, bool]:
        """Total order of a person's events; of one record the creation comes first."""
        return (self.moment.key, self.rank, self.moment.is_date, self.record, self.kind != "hold")


def not_before(moment: Moment, earliest: Moment | None) -> Moment:
    """The later of the two keys, under the moment's own day and evidence."""
    if earliest is None or moment.key >= earliest.key:
        return moment
    return Moment(earliest.key, moment.is_date or earliest.is_date, earliest.day)


def deal_events(deal: Deal, entries: list[Entry], responses: list[Moment], clock: Clock) -> list[Event]:
    """An opportunity's events as one person sees them: creation, stages, close.

    A date-only creation lies at that day's last response of the person; nothing of the
    opportunity happens before it.
    """
    created = None if deal.created_at is None else clock.entry(deal.created_at, responses)
    close = None if deal.close is None else not_before(deal.close, created)
    found = []
    for entry in entries:
        if entry.at is not None and isinstance(entry.target, int):
            moment = not_before(clock.entry(entry.at, responses), created)
            if close is None or moment.key <= close.key:
                found.append(Event(moment, (STAGE, entry.target), deal.id, "enter", entry.target, of_deal=True))
    if created is not None:
        at_once = [event for event in found if event.moment.key == created.key]
        first = min(at_once, key=lambda event: event.order, default=None)
        moment, stage = (first.moment, first.stage) if first else (created, 0)
        found.append(Event(moment, (STAGE, stage), deal.id, "hold", stage, of_deal=True, enters=bool(at_once)))
    if close is not None:
        found.append(Event(close, (CLOSE, 0), deal.id, "close", of_deal=True))
    return sorted(found, key=lambda event: event.order)


def record_events(entries: list[Entry], responses: list[Moment], clock: Clock) -> list[Event]:
    """Timed entries of leads and contacts."""
    found = []
    for entry in entries:
        if entry.at is None:
            continue
        moment = clock.entry(entry.at, responses)
        if isinstance(entry.target, int):
            found.append(Event(moment, (STAGE, entry.target), entry.record, "enter", entry.target))
        else:
            found.append(Event(moment, (OUTCOME, 0), entry.record, "outcome", name=entry.target))
    return found


def response_events(responses: list[Response]) -> list[Event]:
    """Dated responses: the stage Inquiry."""
    return [Event(one.moment, (RESPONSE, 0), one.id, "response") for one in responses if one.moment is not None]


class Walk:
    """Where a person or an opportunity stands, event by event, and the visits that makes."""

    def __init__(self, stages: list[str]) -> None:
        self.track = Track()
        self.open_deals: set[str] = set()
        self._stages = stages
        self._record_stage: dict[str, int] = {}
        self._deal_stage: dict[str, int] = {}
        self._position: int | None = None

    def _now(self) -> int:
        """§4 Position: furthest stage of open held opportunities, else of lead or contact (D8), else Inquiry."""
        of_deals = [self._deal_stage[deal] for deal in self.open_deals if deal in self._deal_stage]
        return max(of_deals or self._record_stage.values(), default=0)

    def apply(self, event: Event) -> None:
        """Takes a response, a creation, an entry or a close."""
        if event.kind == "hold":
            self.open_deals.add(event.record)
        elif event.kind == "close":
            self.open_deals.discard(event.record)
        changed = False
        if event.kind == "enter" or event.enters:
            current = self._deal_stage if event.of_deal else self._record_stage
            changed = current.get(event.record) != event.stage
            current[event.record] = event.stage
        self._move(event, changed)

    def _move(self, event: Event, changed: bool) -> None:
        """§4 Visits, regressions and requalifications come from the position."""
        before, now = self._position, self._now()
        if before == now:
            if changed and event.stage < now:
                self.track.requalifications.append((self._stages[event.stage], event.moment))
            return
        self.leave(event.moment)
        if before is not None and now < before:
            self.track.regressions.append((self._stages[now], event.moment))
        self.track.visits.append(Visit(self._stages[now], event.moment, None))
        self._position = now

    def leave(self, moment: Moment) -> None:
        """The last visit ends: another position, or the end of the journey."""
        if self.track.visits:
            self.track.visits[-1].left = moment


class Passes:
    """Cuts a person's events into journeys."""

    def __init__(self, person: str, stages: list[str], dormancy_days: int, clock: Clock) -> None:
        self._person, self._stages, self._clock = person, stages, clock
        self._dormancy = dt.timedelta(days=dormancy_days)
        self.journeys: list[Journey] = []
        self._open: tuple[Journey, Walk] | None = None
        self._last_activity = dt.date.min

    def run(self, events: list[Event], outcome_stages: dict[str, list[int]]) -> list[Journey]:
        """All journeys, the last one as it stands at as-of."""
        for event in sorted(events, key=lambda one: one.order):
            self._sleep(event.moment.day)
            if event.kind == "outcome":
                self._outcome(event)
            elif event.kind == "close":
                self._close(event, outcome_stages[event.record])
            else:
                self._stage_event(event)
        self._sleep(self._clock.today)
        return self.journeys

    def _sleep(self, today: dt.date) -> None:
        """D9: without an open held opportunity it ends on the day `last activity + dormancy_days`."""
        if self._open is None or self._open[1].open_deals:
            return
        day = self._last_activity + self._dormancy
        if today >= day:
            self._end(Moment(self._clock.start_of(day), True, day), "dormant")

    def _stage_event(self, event: Event) -> None:
        if self._open is None:
            journey = Journey(self._person, len(self.journeys) + 1, event.moment)
            self._open = (journey, Walk(self._stages))
            journey.track = self._open[1].track
            self.journeys.append(journey)
        journey, walk = self._open
        if event.kind == "response":
            journey.responses.append(event.record)
        if event.kind == "hold":
            journey.held.append(event.record)
        walk.apply(event)
        self._last_activity = event.moment.day

    def _outcome(self, event: Event) -> None:
        """§4: ends the journey unless a held opportunity is open (a status conflict); opens none."""
        if self._open is None:
            return
        journey, walk = self._open
        if walk.open_deals:
            journey.conflicts.add((event.record, event.name, event.moment.key))
        else:
            self._end(event.moment, event.name)

    def _close(self, event: Event, outcome_stages: list[int]) -> None:
        """§4: the journey ends when its last open held opportunity closes."""
        if self._open is None:
            raise AssertionError(f"{event.record} closes outside of a journey")
        journey, walk = self._open
        journey.track.outcomes += [(self._stages[place], event.moment) for place in outcome_stages]
        if walk.open_deals == {event.record}:
            self._end(event.moment, "closed")
        else:
            walk.apply(event)

    def _end(self, moment: Moment, how: str) -> None:
        if self._open is None:
            return
        journey, walk = self._open
        walk.leave(moment)
        journey.end, journey.ended_by = moment, how
        self._open = None


def outcome(journey: Journey, deals: dict[str, Deal]) -> str:
    """§4 Outcome, first that applies."""
    states = [deals[deal].state for deal in journey.held]
    for state in ("won", "open", "lost"):
        if state in states:
            return state
    if journey.ended_by in ("disqualified", "recycled", "dormant"):
        return str(journey.ended_by)
    return "open"


def deal_track(deal: str, events: list[Event], outcome_stages: list[int], stages: list[str]) -> Track:
    """D16: an opportunity by itself, without people; before its first mapped stage it stands nowhere."""
    walk = Walk(stages)
    walk.open_deals.add(deal)
    for event in events:
        if event.kind == "close":
            walk.leave(event.moment)
            walk.track.outcomes += [(stages[place], event.moment) for place in outcome_stages]
        elif event.kind == "enter" or event.enters:
            walk.apply(event)
    return walk.track
