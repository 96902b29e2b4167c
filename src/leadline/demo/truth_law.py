"""One person's journeys, read from the law word by word, in plain Python.

Nothing here knows how the metrics are computed: a person is a list of events, walked in order.
Clear rather than fast: support for tests, for tens of thousands of people.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from leadline.demo.params import INQUIRY, SQL, WON

DAY: Final = 86_400
LOOK_BACK: Final = 90
DORMANCY: Final = 180

Ended = Literal["closed", "disqualified", "recycled", "dormant"]
State = Literal["open", "won", "lost"]


class Moment(NamedTuple):
    """A point in time.

    Attributes:
        key: local seconds since day 0; what events are ordered by.
        day: local day number.
        date_only: only the day is known.
        utc: seconds since 1970; of no meaning if only the day is known.
    """

    key: int
    day: int
    date_only: bool
    utc: int


class Response(NamedTuple):
    """A response that counts: dated, no duplicate, not after as-of."""

    moment: Moment
    member: int
    campaign: int


class Entry(NamedTuple):
    """A timed entry of a lead or contact into MQL or SAL."""

    moment: Moment
    stage: int
    record: str


class Exit(NamedTuple):
    """A lead was disqualified or recycled."""

    moment: Moment
    kind: Literal["disqualified", "recycled"]


@dataclass(slots=True)
class Deal:
    """An opportunity at as-of.

    Attributes:
        closed: the close moment, None while open.
        state: what it is at as-of; ever_won and reopened look at all its runs.
    """

    number: int
    created: Moment
    closed: Moment | None
    state: State
    ever_won: bool
    reopened: bool


class Created(NamedTuple):
    """A deal the person holds was created."""

    moment: Moment
    deal: Deal


class Closed(NamedTuple):
    """A deal the person holds closed."""

    moment: Moment
    deal: Deal


Event = Response | Entry | Created | Exit | Closed


class Visit(NamedTuple):
    """A run of one position; `left` is None while it lasts."""

    stage: int
    entered: Moment
    left: Moment | None


@dataclass(slots=True)
class Journey:
    """One pass of one person.

    Attributes:
        number: 1 for the first.
        start: None for a journey that only has entries without a time.
        won: first entry into Won.
        untimed: stages reached without a time.
        qualified_at: first timed entry beyond Inquiry.
        tip: the tipping response; origin: it, or the latest response of a journey not qualified.
    """

    person: int
    number: int
    start: Moment | None
    responses: list[Response] = field(default_factory=list)
    held: list[Deal] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    untimed: set[int] = field(default_factory=set)
    ended: Ended | None = None
    requalifications: int = 0
    conflicts: int = 0
    won: Moment | None = None
    qualified_at: Moment | None = None
    tip: Response | None = None
    origin: Response | None = None

    def first(self, stage: int) -> Moment | None:
        """The first timed entry into a stage."""
        if stage == WON:
            return self.won
        return next((visit.entered for visit in self.visits if visit.stage == stage), None)

    def first_from(self, stage: int) -> Moment | None:
        """The first timed entry into a stage or a later one."""
        known = (self.first(later) for later in range(stage, WON + 1))
        return min((moment for moment in known if moment is not None), default=None)

    @property
    def furthest(self) -> int:
        """The latest stage reached, with a time or without."""
        stages = {visit.stage for visit in self.visits} | self.untimed | ({WON} if self.won else set())
        return max(stages, default=INQUIRY)

    @property
    def outcome(self) -> str:
        """The first that applies: won, open, lost, disqualified, recycled, dormant, open."""
        states = {deal.state for deal in self.held}
        for state in ("won", "open", "lost"):
            if state in states:
                return state
        return self.ended or "open"

    @property
    def standing(self) -> int | None:
        """The stage it stands in at as-of, None when it has ended or has no time at all."""
        return self.visits[-1].stage if self.ended is None and self.visits else None

    @property
    def regressions(self) -> int:
        """Moves of the position to an earlier stage."""
        return sum(later.stage < earlier.stage for earlier, later in zip(self.visits, self.visits[1:], strict=False))

    def re_entries(self, stage: int) -> int:
        """Visits of a stage after the first."""
        return max(0, sum(visit.stage == stage for visit in self.visits) - 1)


_RANK: Final[dict[type, int]] = {Response: 0, Exit: 7, Closed: 8}


def in_order(events: list[Event]) -> list[Event]:
    """By key; ties: response, stages in funnel order, exits, close; an instant before a date; id."""

    def rank(event: Event) -> tuple[int, int, bool, int]:
        place, number = _RANK.get(type(event), SQL), 0
        if isinstance(event, Entry):
            # Ids of contacts (003…) come before those of leads (00Q…).
            place, number = event.stage, int(event.record == "lead")
        elif isinstance(event, Response):
            number = event.member
        elif isinstance(event, Created | Closed):
            number = event.deal.number
        return event.moment.key, place, event.moment.date_only, number

    return sorted(events, key=rank)


class Walk:
    """Walks one person's events in order and makes the journeys."""

    def __init__(self, person: int) -> None:
        self.person = person
        self.journeys: list[Journey] = []
        self._journey: Journey | None = None
        self._records: dict[str, int] = {}
        self._open: set[int] = set()
        self._active = 0

    def run(self, events: list[Event], as_of: Moment) -> list[Journey]:
        """All journeys of the person up to as-of."""
        for event in in_order(events):
            self._lapse(event.moment.day)
            if isinstance(event, Exit):
                self._exit(event)
            elif isinstance(event, Closed):
                self._close(event)
            else:
                self._go_on(event)
        self._lapse(as_of.day)
        for journey in self.journeys:
            _judge(journey)
        return self.journeys

    def _lapse(self, day: int) -> None:
        """Without an open deal a journey ends `DORMANCY` days after its last activity, at that day's start."""
        last = self._active + DORMANCY
        if self._journey is not None and not self._open and day >= last:
            self._end("dormant", Moment(last * DAY, last, True, 0))

    def _end(self, why: Ended, moment: Moment) -> None:
        journey = self._journey
        assert journey is not None
        last = journey.visits[-1]
        journey.visits[-1] = last._replace(left=moment)
        journey.ended = why
        self._journey = None

    def _exit(self, event: Exit) -> None:
        if self._journey is None:
            return
        if self._open:
            self._journey.conflicts += 1
        else:
            self._end(event.kind, event.moment)

    def _close(self, event: Closed) -> None:
        journey = self._journey
        assert journey is not None, "a held deal keeps its journey open"
        if event.deal.state == "won" and journey.won is None:
            journey.won = event.moment
        self._open.discard(event.deal.number)
        if not self._open:
            self._end("closed", event.moment)

    def _go_on(self, event: Response | Entry | Created) -> None:
        if self._journey is None:
            self._journey = Journey(self.person, len(self.journeys) + 1, event.moment)
            self.journeys.append(self._journey)
            self._records = {}
        journey = self._journey
        self._active = event.moment.day
        if isinstance(event, Response):
            journey.responses.append(event)
        elif isinstance(event, Created):
            journey.held.append(event.deal)
            self._open.add(event.deal.number)
        again = isinstance(event, Entry) and self._records.get(event.record) == event.stage
        if isinstance(event, Entry):
            self._records[event.record] = event.stage
        self._move(journey, event, again)

    def _move(self, journey: Journey, event: Response | Entry | Created, again: bool) -> None:
        """The position after an event; `again`: the record was in that stage already, one visit of it."""
        position = SQL if self._open else max(self._records.values(), default=INQUIRY)
        before = journey.visits[-1].stage if journey.visits else None
        if position != before:
            if journey.visits:
                journey.visits[-1] = journey.visits[-1]._replace(left=event.moment)
            journey.visits.append(Visit(position, event.moment, None))
        elif isinstance(event, Entry) and event.stage < position and not again:
            journey.requalifications += 1
        if position > INQUIRY and journey.qualified_at is None:
            journey.qualified_at = event.moment


def _judge(journey: Journey) -> None:
    """The tipping response and the origin."""
    at = journey.qualified_at
    if at is None:
        journey.origin = journey.responses[-1] if journey.responses else None
        return
    before = [r for r in journey.responses if r.moment.key <= at.key and at.day - r.moment.day <= LOOK_BACK]
    journey.tip = journey.origin = before[-1] if before else None


def fate(journey: Journey, response: Response) -> str:
    """Fate of a response that lies in a journey."""
    if journey.qualified_at is None:
        return "not qualified (yet)"
    if response is journey.tip:
        return "tipped a journey"
    return "joined before qualification" if response.moment.key <= journey.qualified_at.key else "joined after"


def add_untimed(person: int, journeys: list[Journey], first_values: set[int], current: set[int]) -> None:
    """Stages without a time: a first value belongs to the earliest journey, a present status to the latest."""
    if not first_values and not current:
        return
    if not journeys:
        journeys.append(Journey(person, 1, None))
    journeys[0].untimed |= first_values
    journeys[-1].untimed |= current
