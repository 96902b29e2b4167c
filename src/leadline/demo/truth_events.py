"""The events of each person that the records let one see, from the stories of a block."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from leadline.demo.clock import NO_DAY
from leadline.demo.params import (
    CLOSED_LOST,
    CLOSED_WON,
    MQL,
    S_DISQUALIFIED,
    S_MQL,
    S_RECYCLED,
    S_SAL,
    SAL,
)
from leadline.demo.stories import Stories
from leadline.demo.truth_law import (
    DAY,
    Closed,
    Created,
    Deal,
    Entry,
    Event,
    Exit,
    Journey,
    Moment,
    Response,
    State,
    Walk,
    add_untimed,
    fate,
)
from leadline.demo.world import World

_MINUTE = 60
_STAGE_OF_STATUS = {S_MQL: MQL, S_SAL: SAL}


@dataclass
class PersonEvents:
    """What is known about one person."""

    responses: list[Response] = field(default_factory=list)
    undated: int = 0
    entries: list[Entry] = field(default_factory=list)
    exits: list[Exit] = field(default_factory=list)
    held: list[Deal] = field(default_factory=list)
    attached: list[Deal] = field(default_factory=list)
    first_values: set[int] = field(default_factory=set)
    current: set[int] = field(default_factory=set)


class BlockEvents:
    """Events of every person of one block.

    Attributes:
        fates: member → fate, of those that responded; `journeys` completes it.
        deals: all that are not deleted, by number.
        scope: deal → people with a contact role on it.
    """

    def __init__(self, world: World, stories: Stories, tracking_from: int) -> None:
        self.world, self.stories = world, stories
        self.fates: dict[int, str] = {}
        self.people: dict[int, PersonEvents] = defaultdict(PersonEvents)
        self._tracking_from = tracking_from
        people = stories.people
        self.alive = ~people["deleted"]
        self.as_of = Moment(world.clock.as_of_key, world.clock.days, False, world.clock.as_of_utc)
        self._read_members()
        self._read_records()
        self._read_changes()
        self.deals = self._read_deals()
        self.scope = self._read_roles()

    def _moment(self, day: int, second: int) -> Moment:
        utc = int(self.world.clock.utc(np.array([day]), np.array([second]))[0])
        return Moment(day * DAY + second, day, False, utc)

    def _read_members(self) -> None:
        members = self.stories.members
        rows = np.flatnonzero(members["responded"] & ~members["deleted"])
        utc = self.world.clock.utc(members["day"], members["second"])
        candidates: dict[tuple[int, int], list[tuple[int, int, int, Response]]] = defaultdict(list)
        for row in rows.tolist():
            person, day = int(members["person"][row]), int(members["responded_day"][row])
            if day > self.world.clock.days:
                self.fates[row] = "after as-of"
            elif not self.alive[person]:
                self.fates[row] = "excluded by rule"
            elif day == NO_DAY and members["touched"][row] > _MINUTE:
                self.fates[row] = "no date"
                self.people[person].undated += 1
            else:
                moment = self._response_moment(row, day, int(utc[row]))
                response = Response(moment, row, int(members["campaign"][row]))
                candidates[person, response.campaign].append((moment.key, int(utc[row]), row, response))
        for (person, _), found in candidates.items():
            first = min(found)[3]
            self.people[person].responses.append(first)
            self.fates.update({row: "duplicate member" for _, _, row, _ in found if row != first.member})

    def _response_moment(self, row: int, responded_day: int, utc: int) -> Moment:
        if responded_day != NO_DAY:
            return Moment(responded_day * DAY, responded_day, True, 0)
        members = self.stories.members
        day, second = int(members["day"][row]), int(members["second"][row])
        return Moment(day * DAY + second, day, False, utc)

    def _read_records(self) -> None:
        """Stamps: the later of the start of their day and that day's last response."""
        people = self.stories.people
        for record in ("lead", "contact"):
            for stage, name in ((MQL, "mql"), (SAL, "sal")):
                days = people[f"{record}_{name}"]
                for person in np.flatnonzero(self.alive & people[f"has_{record}"] & (days != NO_DAY)).tolist():
                    day = int(days[person])
                    known = self.people[person].responses
                    key = max([day * DAY, *(r.moment.key for r in known if r.moment.day == day)])
                    self.people[person].entries.append(Entry(Moment(key, day, True, 0), stage, record))

    def _read_changes(self) -> None:
        """Status changes, then the value each lead began with and the one it has now."""
        people, changes = self.stories.people, self.stories.changes
        first = people["status"].copy()
        order = np.arange(len(changes["person"]))[::-1]
        first[changes["person"][order]] = changes["before"][order]
        timed: set[tuple[int, int]] = set()
        for row in range(len(changes["person"])):
            person, status = int(changes["person"][row]), int(changes["status"][row])
            if self.alive[person]:
                self._status(person, status, self._moment(int(changes["day"][row]), int(changes["second"][row])))
                timed.add((person, status))
        leads = np.flatnonzero(self.alive & people["has_lead"])
        for person in leads[np.isin(first[leads], (S_MQL, S_SAL))].tolist():
            made = self._moment(int(people["lead_day"][person]), int(people["lead_second"][person]))
            if self._tracking_from <= made.utc:
                self._status(person, int(first[person]), made)
                timed.add((person, int(first[person])))
            else:
                self.people[person].first_values.add(_STAGE_OF_STATUS[int(first[person])])
        for person in leads[np.isin(people["status"][leads], (S_MQL, S_SAL))].tolist():
            if (person, int(people["status"][person])) not in timed:
                self.people[person].current.add(_STAGE_OF_STATUS[int(people["status"][person])])

    def _status(self, person: int, status: int, moment: Moment) -> None:
        known = self.people[person]
        if status in _STAGE_OF_STATUS:
            known.entries.append(Entry(moment, _STAGE_OF_STATUS[status], "lead"))
        elif status == S_RECYCLED:
            known.exits.append(Exit(moment, "recycled"))
        elif status == S_DISQUALIFIED:
            known.exits.append(Exit(moment, "disqualified"))

    def _read_deals(self) -> dict[int, Deal]:
        deals, rows = self.stories.deals, self.stories.deal_rows
        runs: dict[int, list[tuple[State, int]]] = defaultdict(list)
        for row, (deal, stage) in enumerate(zip(rows["deal"].tolist(), rows["stage"].tolist(), strict=True)):
            state: State = "won" if stage == CLOSED_WON else "lost" if stage == CLOSED_LOST else "open"
            if not runs[deal] or runs[deal][-1][0] != state:
                runs[deal].append((state, row))
        found = {}
        for number in np.flatnonzero(~deals["deleted"]).tolist():
            states = [state for state, _ in runs[number]]
            row = runs[number][-1][1]
            moment = self._moment(int(rows["day"][row]), int(rows["second"][row]))
            created = self._moment(int(deals["day"][number]), int(deals["second"][number]))
            found[number] = Deal(
                number, created, None if states[-1] == "open" else moment, states[-1],
                "won" in states, any(state != "open" for state in states[:-1]),
            )  # fmt: skip
        return found

    def _read_roles(self) -> dict[int, set[int]]:
        """People with a role; those, and the lead a deal was made from, hold it if they existed by then."""
        people, roles = self.stories.people, self.stories.roles
        scope: dict[int, set[int]] = {number: set() for number in self.deals}
        for deal, person in zip(roles["deal"].tolist(), roles["person"].tolist(), strict=True):
            if deal in scope and self.alive[person]:
                scope[deal].add(person)
        linked = {number: set(persons) for number, persons in scope.items()}
        for person in np.flatnonzero(self.alive & (people["converted_deal"] >= 0)).tolist():
            number = int(people["converted_deal"][person])
            if number in linked:
                linked[number].add(person)
        for number, persons in linked.items():
            for person in persons:
                deal, known = self.deals[number], self.people[person]
                (known.held if self._born(person) <= deal.created.day else known.attached).append(deal)
        return scope

    def _born(self, person: int) -> int:
        """Day of the person's earliest lead or contact."""
        people, losers = self.stories.people, self.stories.losers
        days = [
            int(people[f"{record}_day"][person]) for record in ("lead", "contact") if people[f"has_{record}"][person]
        ]
        days += losers["day"][losers["person"] == person].tolist()
        return min(days)

    def journeys(self) -> Iterator[tuple[int, list[Journey]]]:
        """Every person with at least one journey; completes `fates`."""
        for person, known in self.people.items():
            events: list[Event] = [*known.responses, *known.entries, *known.exits]
            events += [Created(deal.created, deal) for deal in known.held]
            events += [Closed(deal.closed, deal) for deal in known.held if deal.closed is not None]
            found = Walk(person).run(events, self.as_of)
            add_untimed(person, found, known.first_values, known.current)
            for journey in found:
                self.fates.update({response.member: fate(journey, response) for response in journey.responses})
            if found:
                yield person, found


def tracking_from(world: World, blocks: Iterator[Stories]) -> int:
    """UTC second of the earliest recorded status change of any lead."""
    moments = [world.clock.utc(block.changes["day"], block.changes["second"]).min(initial=2**62) for block in blocks]
    return int(min(moments, default=2**62))
