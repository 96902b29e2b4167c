"""All answers about one org: persons, responses, journeys, opportunities."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from leadline.config import Funnel, Settings
from tests.oracle.answers import Answers, Journey, Opportunity, Pass
from tests.oracle.clock import Clock, Moment, whole_second
from tests.oracle.deals import Deal, Deals
from tests.oracle.entries import FIRST_VALUE, Entry, EntryReader
from tests.oracle.journeys import Event, Passes, deal_events, deal_track, outcome, record_events, response_events
from tests.oracle.links import Link, links
from tests.oracle.people import People
from tests.oracle.records import Org, Records, text
from tests.oracle.responses import Response, read


def answer(
    org: Org,
    settings: Settings,
    as_of: dt.datetime,
    *,
    as_of_is_date: bool = False,
    known_at: dt.datetime | None = None,
) -> Answers:
    """What the definitions say about an org at as-of, for the first funnel of the settings."""
    known_now = known_at is None or known_at <= as_of
    return _Reading(Records(org), settings, as_of, as_of_is_date, known_now).answers()


def reporting_zone(records: Records, settings: Settings) -> zoneinfo.ZoneInfo:
    """§1: the workspace's zone, else the org's, else UTC."""
    org_zone = next((text(row, "TimeZoneSidKey") for row in records.alive("Organization")), None)
    return zoneinfo.ZoneInfo(settings.workspace.timezone or org_zone or "UTC")


class _Reading:
    def __init__(
        self, records: Records, settings: Settings, as_of: dt.datetime, as_of_is_date: bool, known_now: bool
    ) -> None:
        self.records, self.settings = records, settings
        self.funnel: Funnel = settings.funnel[settings.default_funnel or ""]
        self.stages = self.funnel.stage_names
        as_of = as_of.replace(tzinfo=dt.UTC) if as_of.tzinfo is None else as_of
        self.clock = Clock(reporting_zone(records, settings), whole_second(as_of), as_of_is_date)
        self.people = People(records, self.clock)
        self.responses = read(records, self.people, settings.responses, self.clock)
        self.deals = Deals(records, settings, self.funnel, self.clock).read()
        self.reader = EntryReader(records, self.funnel, self.clock, known_now)
        self.deal_entries = {deal.id: self.reader.of_deal(deal) for deal in self.deals.values()}
        self.outcome_stages = {deal.id: self.reader.outcome_stages(deal) for deal in self.deals.values()}
        self.links = links(records, self.people, self.deals, self.clock) if self.funnel.of_people else []
        self.journeys: dict[Pass, Journey] = {}

    def answers(self) -> Answers:
        if self.funnel.of_people:
            for person in sorted(self.people.records_of):
                for journey in self._journeys_of(person):
                    self.journeys[journey.id] = journey
        for response in self.responses:
            response.fate = response.fate or "not_qualified"  # a funnel without people has no journeys
        return Answers(
            settings=self.settings,
            funnel=self.funnel,
            clock=self.clock,
            records=self.records,
            people=self.people,
            persons=self.people.person,
            responses={response.id: response for response in self.responses},
            journeys=self.journeys,
            opportunities={deal.id: self._opportunity(deal) for deal in self.deals.values()},
            stages=self.stages,
            attached={(link.person, link.deal) for link in self.links if link.attached},
        )

    def _journeys_of(self, person: str) -> list[Journey]:
        mine = [one for one in self.responses if one.person == person and one.fate is None]
        moments = [one.moment for one in mine if one.moment is not None]
        entries = [entry for name, row in self.people.records_of[person] for entry in self.reader.of_record(name, row)]
        held = [self.deals[link.deal] for link in self.links if link.person == person and not link.attached]
        events = response_events(mine) + record_events(entries, moments, self.clock)
        for deal in held:
            events += self._events(deal, moments)
        journeys = Passes(person, self.stages, self.funnel.dormancy_days, self.clock).run(events, self.outcome_stages)
        journeys = self._add_untimed(person, journeys, entries)
        for journey in journeys:
            journey.outcome = outcome(journey, self.deals)
            self._tip(journey, mine)
        return journeys

    def _events(self, deal: Deal, responses: list[Moment]) -> list[Event]:
        return deal_events(deal, self.deal_entries[deal.id], responses, self.clock)

    def _add_untimed(self, person: str, journeys: list[Journey], entries: list[Entry]) -> list[Journey]:
        """D7: reached without a time in the latest (first value: earliest) journey, or in one without a start."""
        untimed = [entry for entry in entries if entry.at is None and isinstance(entry.target, int)]
        if untimed and not journeys:
            journeys = [Journey(person, 1, None)]
        for entry in untimed:
            journey = journeys[0] if entry.untimed == FIRST_VALUE else journeys[-1]
            journey.track.untimed.add(self.stages[int(entry.target)])
        for journey in journeys:
            for deal in journey.held:
                journey.track.untimed |= self._untimed_of_deal(deal)
        return journeys

    def _untimed_of_deal(self, deal: str) -> set[str]:
        entries = self.deal_entries[deal]
        return {
            self.stages[int(entry.target)] for entry in entries if entry.at is None and isinstance(entry.target, int)
        }

    def _tip(self, journey: Journey, responses: list[Response]) -> None:
        """§4 Tipping response, D10, D11, D17: the origin, and the fates of the journey's responses."""
        mine = sorted((one for one in responses if one.id in journey.responses), key=lambda one: one.order)
        beyond = [moment for stage, moment in journey.track.entries if stage != self.stages[0]]
        qualified = min(beyond, key=lambda moment: moment.key, default=None)
        journey.qualified = qualified is not None
        before = [one for one in mine if qualified is None or self._key(one) <= qualified.key]
        journey.origin = before[-1].id if before and self._may_tip(before[-1], qualified) else None
        for one in mine:
            one.journey = journey.id
            one.fate = self._fate(one, qualified, journey.origin)

    def _may_tip(self, response: Response, qualified: Moment | None) -> bool:
        """D10: by calendar days; D11: a journey that has not qualified has its latest response."""
        if qualified is None or response.moment is None:
            return True
        return (qualified.day - response.moment.day).days <= self.funnel.look_back_days

    def _fate(self, response: Response, qualified: Moment | None, origin: str | None) -> str:
        """§3 Fate, D17."""
        if qualified is None:
            return "not_qualified"
        if response.id == origin:
            return "tipped"
        return "joined_before" if self._key(response) <= qualified.key else "joined_after"

    @staticmethod
    def _key(response: Response) -> dt.datetime:
        if response.moment is None:
            raise AssertionError(f"{response.id} has no date")
        return response.moment.key

    def _opportunity(self, deal: Deal) -> Opportunity:
        origin = self._origin(deal)
        track = deal_track(deal.id, self._events(deal, []), self.outcome_stages[deal.id], self.stages)
        track.untimed |= self._untimed_of_deal(deal.id)
        return Opportunity(
            id=deal.id,
            state=deal.state,
            created=deal.created,
            close=deal.close,
            amount=deal.money.minor,
            reason=deal.money.reason,
            origin=origin.id if origin else None,
            ever_won=deal.ever_won,
            reopened=deal.reopened,
            outside=origin is None,
            account=text(deal.row, "AccountId"),
            track=track,
            deal=deal,
        )

    def _origin(self, deal: Deal) -> Journey | None:
        """§4: converted lead, then primary role, then earliest start, then id."""
        by_person: dict[str, Link] = {link.person: link for link in self.links if link.deal == deal.id}
        holding = [journey for journey in self.journeys.values() if deal.id in journey.held]

        def precedence(journey: Journey) -> tuple[bool, bool, dt.datetime, str]:
            link = by_person[journey.person]
            start = journey.start.key if journey.start else dt.datetime.max.replace(tzinfo=dt.UTC)
            return (not link.converted, not link.primary, start, journey.person)

        return min(holding, key=precedence, default=None)
