"""What is counted: journeys, people, accounts, opportunities, responses, and their dimensions (§4 Units, Dimensions)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.oracle.answers import Answers, Journey, Opportunity, Pass, Track
from tests.oracle.clock import Moment
from tests.oracle.records import text
from tests.oracle.responses import Response

NO_RESPONSE = "no response"
IN_JOURNEYS = ("tipped", "joined_before", "joined_after", "not_qualified")


@dataclass
class Unit:
    """One unit of a table.

    opened: when it began, None if undated. first: first timed entry per stage.
    reached: stages reached, timed or not. amount: minor units where the unit bears money.
    """

    id: str | Pass
    opened: Moment | None
    first: dict[str, Moment]
    reached: set[str]
    dimensions: dict[str, str | None]
    re_entries: list[tuple[str, Moment]] = field(default_factory=list)
    regressions: list[tuple[str, Moment]] = field(default_factory=list)
    requalifications: list[tuple[str, Moment]] = field(default_factory=list)
    amount: int | None = None


def stages_of(answers: Answers, unit: str) -> list[str]:
    """The stages of a table; D16: unit opportunities has those that rest on opportunities."""
    if unit != "opportunities":
        return answers.stages
    return [stage.name for stage in answers.funnel.stages if any(one.object == "Opportunity" for one in stage.sources)]


def units(answers: Answers, unit: str) -> list[Unit]:
    """Every unit of a table, those without a date too, ordered by id."""
    makers: dict[str, Callable[[Answers], list[Unit]]] = {
        "journeys": of_journeys,
        "people": of_people,
        "accounts": of_accounts,
        "opportunities": of_opportunities,
        "responses": of_responses,
    }
    return sorted(makers[unit](answers), key=lambda one: str(one.id))


def of_track(answers: Answers, track: Track) -> tuple[dict[str, Moment], set[str]]:
    """First timed entries and stages reached."""
    return track.first, track.reached(answers.stages)


def of_journeys(answers: Answers) -> list[Unit]:
    """§4: passes."""
    found = []
    for journey in answers.journeys.values():
        first, reached = of_track(answers, journey.track)
        found.append(
            Unit(
                id=journey.id,
                opened=journey.start,
                first=first,
                reached=reached,
                dimensions=journey_dimensions(answers, journey),
                re_entries=journey.track.re_entries,
                regressions=journey.track.regressions,
                requalifications=journey.track.requalifications,
            )
        )
    return found


def of_people(answers: Answers) -> list[Unit]:
    """§4: the union over all journeys of a person, first entries decide."""
    persons = sorted({journey.person for journey in answers.journeys.values()})
    return [union(answers, person, answers.passes_of(person)) for person in persons]


def of_accounts(answers: Answers) -> list[Unit]:
    """§4: the union over all journeys of the persons of an account; persons without one are outside."""
    by_account: dict[str, list[Journey]] = {}
    for journey in answers.journeys.values():
        account = answers.people.account(journey.person)
        if account is not None:
            by_account.setdefault(account, []).append(journey)
    return [union(answers, account, journeys) for account, journeys in by_account.items()]


def union(answers: Answers, name: str, journeys: list[Journey]) -> Unit:
    """Several journeys as one unit; its dimensions are those of the first journey."""
    dated = sorted((one for one in journeys if one.start is not None), key=lambda one: (start_key(one), one.id))
    first_journey = dated[0] if dated else min(journeys, key=lambda one: one.id)
    first: dict[str, Moment] = {}
    reached: set[str] = set()
    entries: list[tuple[str, Moment]] = []
    for journey in dated + [one for one in journeys if one.start is None]:
        entries += journey.track.entries
        reached |= journey.track.reached(answers.stages)
    again = []
    for stage, moment in sorted(entries, key=lambda pair: pair[1].key):
        if stage in first:
            again.append((stage, moment))
        first.setdefault(stage, moment)
    return Unit(
        id=name,
        opened=first_journey.start,
        first=first,
        reached=reached,
        dimensions=journey_dimensions(answers, first_journey),
        re_entries=again,
        regressions=[one for journey in journeys for one in journey.track.regressions],
        requalifications=[one for journey in journeys for one in journey.track.requalifications],
    )


def start_key(journey: Journey) -> dt.datetime:
    """Sort key of a journey's start."""
    return journey.start.key if journey.start else dt.datetime.max.replace(tzinfo=dt.UTC)


def of_opportunities(answers: Answers) -> list[Unit]:
    """D16: entries of the opportunity itself."""
    stages = stages_of(answers, "opportunities")
    return [
        Unit(
            id=deal.id,
            opened=deal.created,
            first=deal.track.first,
            reached=deal.track.reached(stages),
            dimensions=deal_dimensions(answers, deal),
            re_entries=deal.track.re_entries,
            regressions=deal.track.regressions,
            requalifications=deal.track.requalifications,
            amount=deal.amount,
        )
        for deal in answers.opportunities.values()
    ]


def of_responses(answers: Answers) -> list[Unit]:
    """§4: Inquiry = the last four fates; the later stages are those of the journey it tipped, with what is
    counted beside them."""
    found = []
    inquiry = answers.stages[0]
    for response in answers.responses.values():
        if response.fate not in IN_JOURNEYS or response.moment is None or response.journey is None:
            continue
        dims = response_dimensions(answers, response)
        unit = Unit(response.id, response.moment, {inquiry: response.moment}, {inquiry}, dims)
        if response.fate == "tipped":
            track = answers.journeys[response.journey].track
            unit.first |= {stage: moment for stage, moment in track.first.items() if stage != inquiry}
            unit.reached |= track.reached(answers.stages)
            for name in ("re_entries", "regressions", "requalifications"):
                setattr(unit, name, [pair for pair in getattr(track, name) if pair[0] != inquiry])
        found.append(unit)
    return found


def campaign_dimensions(answers: Answers, campaign: str) -> dict[str, str | None]:
    """A campaign and its type."""
    row = answers.records.get_alive("Campaign", campaign)
    return {"campaign": campaign, "campaign_type": text(row, "Type")}


def lead_source(answers: Answers, person: str | None) -> str | None:
    """D22: LeadSource of the person's earliest record."""
    return None if person is None else text(answers.people.earliest_record(person), "LeadSource")


def response_dimensions(answers: Answers, response: Response) -> dict[str, str | None]:
    """§4 Dimensions: response → its own."""
    return campaign_dimensions(answers, response.campaign) | {"lead_source": lead_source(answers, response.person)}


def journey_dimensions(answers: Answers, journey: Journey) -> dict[str, str | None]:
    """§4 Dimensions: journey → its tipping response's campaign (D11: its latest), else "no response"."""
    if journey.origin is None:
        found: dict[str, str | None] = {"campaign": NO_RESPONSE, "campaign_type": NO_RESPONSE}
    else:
        found = campaign_dimensions(answers, answers.responses[journey.origin].campaign)
    return found | {"lead_source": lead_source(answers, journey.person)}


def deal_dimensions(answers: Answers, deal: Opportunity) -> dict[str, str | None]:
    """§4 Dimensions: opportunity → its origin journey's; without one nobody responded (D38)."""
    if deal.origin is None:
        return {"campaign": NO_RESPONSE, "campaign_type": NO_RESPONSE, "lead_source": None}
    return journey_dimensions(answers, answers.journeys[deal.origin])
