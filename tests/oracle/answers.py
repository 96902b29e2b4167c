"""What the oracle answers: plain records, stages by name."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from leadline.config import Funnel, Settings
from tests.oracle.clock import Clock, Moment
from tests.oracle.deals import Deal
from tests.oracle.entries import Entry
from tests.oracle.people import People
from tests.oracle.records import Records
from tests.oracle.responses import Response

Pass = tuple[str, int]
"""A journey's name: person and number of the pass."""


@dataclass
class Visit:
    """A maximal run of one position; `left` is None while it lasts (§4 Visit)."""

    stage: str
    entered: Moment
    left: Moment | None

    def as_tuple(self) -> tuple[str, dt.datetime, dt.datetime | None, bool, bool]:
        """(stage, entered key, left key, entered is a date, left is a date)."""
        left = self.left
        return (
            self.stage,
            self.entered.key,
            left.key if left else None,
            self.entered.is_date,
            bool(left and left.is_date),
        )


@dataclass
class Track:
    """How a journey, or an opportunity by itself, went through the stages.

    visits: non-outcome stages in order. outcomes: entries of outcome stages, at closes.
    untimed: stages entered at an unknown time.
    """

    visits: list[Visit] = field(default_factory=list)
    outcomes: list[tuple[str, Moment]] = field(default_factory=list)
    untimed: set[str] = field(default_factory=set)
    regressions: list[tuple[str, Moment]] = field(default_factory=list)
    requalifications: list[tuple[str, Moment]] = field(default_factory=list)

    @property
    def entries(self) -> list[tuple[str, Moment]]:
        """Every timed entry into a stage in order: visits and outcomes."""
        entered = [(one.stage, one.entered) for one in self.visits] + self.outcomes
        return sorted(entered, key=lambda pair: (pair[1].key, pair[1].is_date))

    @property
    def first(self) -> dict[str, Moment]:
        """First timed entry per stage."""
        found: dict[str, Moment] = {}
        for stage, moment in self.entries:
            found.setdefault(stage, moment)
        return found

    @property
    def re_entries(self) -> list[tuple[str, Moment]]:
        """Entries into a stage that was entered before."""
        seen: set[str] = set()
        again = []
        for stage, moment in self.entries:
            if stage in seen:
                again.append((stage, moment))
            seen.add(stage)
        return again

    def reached(self, stages: list[str]) -> set[str]:
        """§4 Reached: the stages at or before the furthest one, timed or not."""
        far = self.furthest(stages)
        return set() if far is None else set(stages[: stages.index(far) + 1])

    def furthest(self, stages: list[str]) -> str | None:
        """The last stage entered, timed or not."""
        entered = set(self.first) | self.untimed
        return max(entered, key=stages.index, default=None)


@dataclass
class Journey:
    """One pass of one person (§4 Journey).

    outcome: won, open, lost, disqualified, recycled, dormant. ended_by: closed, disqualified,
    recycled, dormant or None. start is None for the pass of a person with untimed entries only (D7).
    conflicts: (record, outcome, second) that would have ended it but for an open opportunity (D35).
    """

    person: str
    number: int
    start: Moment | None
    end: Moment | None = None
    ended_by: str | None = None
    outcome: str = "open"
    held: list[str] = field(default_factory=list)
    responses: list[str] = field(default_factory=list)
    origin: str | None = None
    qualified: bool = False
    conflicts: set[tuple[str, str, dt.datetime]] = field(default_factory=set)
    track: Track = field(default_factory=Track)

    @property
    def id(self) -> Pass:
        """Person and number."""
        return (self.person, self.number)


@dataclass
class Opportunity:
    """An opportunity at as-of.

    outside: no journey holds it ("without a person"). reason: no_amount, no_rate or None.
    track: its own entries (D16).
    """

    id: str
    state: str
    created: Moment | None
    close: Moment | None
    amount: int | None
    reason: str | None
    origin: Pass | None
    ever_won: bool
    reopened: bool
    outside: bool
    account: str | None
    track: Track
    deal: Deal
    entries: list[Entry] = field(default_factory=list)


@dataclass
class Answers:
    """Everything the metrics are computed from."""

    settings: Settings
    funnel: Funnel
    clock: Clock
    records: Records
    people: People
    persons: dict[str, str | None]
    responses: dict[str, Response]
    journeys: dict[Pass, Journey]
    opportunities: dict[str, Opportunity]
    stages: list[str]
    attached: set[tuple[str, str]]
    matches: dict[str, str] = field(default_factory=dict)
    """Person without an account of its own → the account it is matched to."""

    def passes_of(self, person: str) -> list[Journey]:
        """A person's journeys in order."""
        return sorted((one for one in self.journeys.values() if one.person == person), key=lambda one: one.number)
