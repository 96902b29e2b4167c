"""Influence: first, last, even; every minor unit accounted for (§8, D10)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from fractions import Fraction

from tests.oracle.answers import Answers, Opportunity
from tests.oracle.clock import Moment
from tests.oracle.records import flag, text, when
from tests.oracle.responses import Response
from tests.oracle.units import IN_JOURNEYS

MODELS = ("first", "last", "even")
SCOPES = ("role", "primary role", "account")
WINDOWS = ("influenced", "sourced", "accelerated")
NO_PERSON = "no person in scope"
NOBODY = "nobody responded"
UNDATED = "only undated responses"
NOT_IN_WINDOW = "no response in window"
EXCLUDED = "only excluded responses"


@dataclass
class Allocation:
    """What became of one opportunity's amount, in minor units.

    credits: touch with points → amount, of the window asked for. other: what the other part of the
    window took. sourced and accelerated: the two parts of the whole window, response → amount.
    """

    opportunity: str
    state: str
    amount: int
    credits: dict[str, int] = field(default_factory=dict)
    sourced: dict[str, int] = field(default_factory=dict)
    accelerated: dict[str, int] = field(default_factory=dict)
    other: int = 0
    unattributed: int = 0
    reason: str | None = None
    day: dt.date | None = None

    def by_campaign(self, answers: Answers) -> dict[str, int]:
        """Credits per campaign."""
        found: dict[str, int] = {}
        for response, credit in self.credits.items():
            campaign = answers.responses[response].campaign
            found[campaign] = found.get(campaign, 0) + credit
        return found


@dataclass
class Influence:
    """Allocations, and the opportunities that stand outside: id → no_amount or no_rate."""

    allocations: list[Allocation] = field(default_factory=list)
    outside: dict[str, str] = field(default_factory=dict)


def split(amount: int, points: list[int]) -> list[int]:
    """§8: by points, largest remainder; ties go to the earlier place; a negative amount by its absolute value."""
    total, absolute = sum(points), abs(amount)
    exact = [Fraction(absolute * point, total) for point in points]
    shares = [value.numerator // value.denominator for value in exact]
    left = absolute - sum(shares)
    neediest = sorted(range(len(points)), key=lambda place: (shares[place] - exact[place], place))
    for place in neediest[:left]:
        shares[place] += 1
    return [share if amount >= 0 else -share for share in shares]


def points(model: str, touches: int) -> list[int]:
    """Points of first, last and even (per touch)."""
    if model == "even":
        return [1] * touches
    chosen = 0 if model == "first" else touches - 1
    return [int(place == chosen) for place in range(touches)]


def scope_persons(answers: Answers, deal: Opportunity, scope: str) -> set[str]:
    """§8 Scope: people with a (primary) contact role, or all people of the account."""
    if scope == "account":
        persons = {person for person in answers.people.records_of if answers.people.account(person) is not None}
        return {person for person in persons if answers.people.account(person) == deal.account}
    found = set()
    for role in answers.records.alive("OpportunityContactRole"):
        created = when(role, "CreatedDate")
        in_time = created is None or answers.clock.happened(created)
        wanted = scope == "role" or flag(role, "IsPrimary")
        person = answers.persons.get(text(role, "ContactId") or "")
        if text(role, "OpportunityId") == deal.id and in_time and wanted and person is not None:
            found.add(person)
    return found


def anchor(deal: Opportunity) -> Moment | None:
    """§8: the window is anchored on creation, without CreatedDate on the close moment."""
    return deal.created or deal.close


def in_window(answers: Answers, deal: Opportunity, response: Response, look_back: int) -> bool:
    """§8 Window `influenced`, D10: days before the anchor, and not after the close (or as-of)."""
    start, moment = anchor(deal), response.moment
    if start is None or moment is None:
        return False
    end = deal.close.key if deal.close else answers.clock.as_of
    return (start.day - moment.day).days <= look_back and moment.key <= end


def before_creation(deal: Opportunity, response: Response) -> bool:
    """§8 sourced: at or before creation; on the day of a date-only creation is before it (§1 Order)."""
    start, moment = anchor(deal), response.moment
    if start is None or moment is None:
        return False
    return moment.day <= start.day if start.is_date else moment.key <= start.key


def why_none(answers: Answers, persons: set[str]) -> str:
    """§8: why the whole amount is unattributed."""
    if not persons:
        return NO_PERSON
    fates = {one.fate for one in answers.responses.values() if one.person in persons} - {"after_as_of"}
    if not fates:
        return NOBODY
    if fates & set(IN_JOURNEYS):
        return NOT_IN_WINDOW
    return UNDATED if "no_date" in fates else EXCLUDED


def allocate(answers: Answers, deal: Opportunity, model: str, scope: str, window: str, look_back: int) -> Allocation:
    """One opportunity with an amount."""
    done = Allocation(deal.id, deal.state, deal.amount or 0)
    persons = scope_persons(answers, deal, scope)
    touches = sorted(
        (
            one
            for one in answers.responses.values()
            if one.person in persons and one.fate in IN_JOURNEYS and in_window(answers, deal, one, look_back)
        ),
        key=lambda one: one.order,
    )
    if not touches:
        done.unattributed, done.reason = done.amount, why_none(answers, persons)
        return done
    given = points(model, len(touches))
    for touch, credit, share in zip(touches, split(done.amount, given), given, strict=True):
        if share == 0:
            continue
        part = "sourced" if before_creation(deal, touch) else "accelerated"
        getattr(done, part)[touch.id] = credit
        if window in ("influenced", part):
            done.credits[touch.id] = credit
        else:
            done.other += credit
    return done


def influence(
    answers: Answers,
    model: str = "even",
    window: str = "influenced",
    date: str = "created",
    scope: str = "role",
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> Influence:
    """All opportunities by CreatedDate, or (date = closed) the closed ones by close moment, in [start, end)."""
    found = Influence()
    for deal in sorted(answers.opportunities.values(), key=lambda one: one.id):
        moment = deal.created if date == "created" else deal.close
        if moment is None or (start and moment.day < start) or (end and moment.day >= end):
            continue
        if deal.amount is None:
            found.outside[deal.id] = str(deal.reason)
            continue
        one = allocate(answers, deal, model, scope, window, answers.settings.influence.look_back_days)
        one.day = moment.day
        found.allocations.append(one)
    return found
