"""Influence: every minor unit accounted for, whatever the model (§8, D10)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from fractions import Fraction

from tests.oracle.answers import Answers, Opportunity
from tests.oracle.clock import Moment
from tests.oracle.credit import PRESETS, Facts, Model, Touch, give
from tests.oracle.records import Row, flag, text, when
from tests.oracle.units import IN_JOURNEYS

MODELS = tuple(PRESETS)
GOALS = ("closed", "created")
SCOPES = ("role", "primary role", "account", "account + matched leads")
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
    pending: int = 0
    unattributed: int = 0
    reason: str | None = None
    day: dt.date | None = None

    def by_campaign(self, answers: Answers) -> dict[str, int]:
        """Credits per campaign."""
        found: dict[str, int] = {}
        for response, credit in self.credits.items():
            campaign = campaign_of(answers, response)
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


def campaign_of(answers: Answers, member: str) -> str:
    """Campaign of a campaign member."""
    return str(text(answers.records.get("CampaignMember", member), "CampaignId"))


def scope_persons(answers: Answers, deal: Opportunity, scope: str) -> set[str]:
    """§8 Scope: people with a (primary) contact role, all people of the account, or these and leads matched to it."""
    if scope == "account + matched leads":
        matched = {person for person, account in answers.matches.items() if account == deal.account}
        return scope_persons(answers, deal, "account") | matched
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


def in_window(answers: Answers, deal: Opportunity, moment: Moment | None, look_back: int) -> bool:
    """§8 Window `influenced`, D10: days before the anchor, and not after the close (or as-of)."""
    start = anchor(deal)
    if moment is None:
        return False
    end = deal.close.key if deal.close else answers.clock.as_of
    day = start.day if start else answers.clock.today
    return (day - moment.day).days <= look_back and moment.key <= end


def before_creation(deal: Opportunity, moment: Moment) -> bool:
    """§8 sourced: at or before creation; on the day of a date-only creation is before it (§1 Order)."""
    start = deal.created
    if start is None:
        return True
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


def why_no_member(answers: Answers, persons: set[str]) -> str:
    """The same where members of any status count."""
    rows = [row for row in answers.records.alive("CampaignMember") if answers.people.of_member(row) in persons]
    created = [when(row, "CreatedDate") for row in rows if text(row, "CampaignId")]
    known = [one for one in created if one is None or answers.clock.happened(one)]
    if not persons:
        return NO_PERSON
    if not known:
        return NOBODY
    return NOT_IN_WINDOW if any(one is not None for one in known) else UNDATED


def touches_of(
    answers: Answers, deal: Opportunity, persons: set[str], source: str, goal: str, only: str | None
) -> list[Touch]:
    """§8: dated responses (or members of any status) in the window, in order."""
    look_back = answers.settings.influence.look_back_days
    found = []
    for member, person, placed, ordered in _answered(answers, source):
        if person in persons and in_window(answers, deal, placed, look_back):
            sourced = before_creation(deal, placed)
            touch = Touch(
                str(member["Id"]),
                str(person),
                str(text(member, "CampaignId")),
                text(member, "Status"),
                ordered,
                sourced,
            )
            found.append(touch)
    if goal == "created":
        found = [touch for touch in found if touch.sourced]
    if only is not None:
        found = [touch for touch in found if touch.sourced == (only == "sourced")]
    return sorted(found, key=lambda touch: (touch.moment.key, touch.id))


def _answered(answers: Answers, source: str) -> list[tuple[Row, str | None, Moment, Moment]]:
    """What can be a touch: member, person, the moment that places it in a window, the moment that orders it."""
    found = []
    if source == "responses":
        for one in answers.responses.values():
            member = answers.records.get("CampaignMember", one.id)
            if one.fate in IN_JOURNEYS and one.moment is not None and member is not None:
                found.append((member, one.person, one.moment, one.moment))
        return found
    for member in answers.records.alive("CampaignMember"):
        created, modified = when(member, "CreatedDate"), when(member, "LastModifiedDate")
        if text(member, "CampaignId") and created is not None and answers.clock.happened(created):
            placed = answers.clock.response(created)
            order = modified if source == "modified_members" and modified is not None else created
            found.append((member, answers.people.of_member(member), placed, answers.clock.response(order)))
    return found


def facts_of(answers: Answers, deal: Opportunity, persons: set[str], goal: str) -> Facts:
    """What models ask of an opportunity."""
    clock, records = answers.clock, answers.records
    leads = []
    for person in persons:
        for name, row in answers.people.records_of.get(person, []):
            created = when(row, "CreatedDate")
            if name == "Lead" and created is not None and clock.happened(created):
                moment = clock.response(created)
                leads.append(clock.end_of(moment.day) if moment.is_date else moment.key)
    roles: dict[str, list[str | None]] = {}
    for role in records.alive("OpportunityContactRole"):
        created = when(role, "CreatedDate")
        whose = answers.persons.get(text(role, "ContactId") or "")
        if text(role, "OpportunityId") == deal.id and whose and (created is None or clock.happened(created)):
            roles.setdefault(whose, []).append(text(role, "Role"))
    journey = answers.journeys.get(deal.origin) if deal.origin else None
    now = Moment(clock.as_of, False, clock.today)
    end = deal.created if goal == "created" else deal.close if deal.state != "open" else now
    return Facts(
        clock=clock,
        goal=goal,
        is_open=deal.state == "open",
        end=end,
        created=deal.created,
        lead=min(leads, default=None),
        primary_campaign=text(deal.deal.row, "CampaignId"),
        origin=journey.origin if journey else None,
        roles=roles,
        value_of=lambda name, touch: value_of(answers, name, touch),
    )


def value_of(answers: Answers, name: str, touch: Touch) -> str | None:
    """A dimension of the touch's campaign or person."""
    if name == "campaign_type":
        campaign = answers.records.get("Campaign", touch.campaign)
        return None if campaign is None or flag(campaign, "IsDeleted") else text(campaign, "Type")
    assert name == "lead_source"
    return text(answers.people.earliest_record(touch.person), "LeadSource")


def allocate(
    answers: Answers,
    deal: Opportunity,
    model: Model,
    scope: str,
    window: str,
    *,
    goal: str = "closed",
    only: str | None = None,
) -> Allocation:
    """One opportunity with an amount."""
    done = Allocation(deal.id, deal.state, deal.amount or 0)
    source = model.get("touches", "responses")
    persons = scope_persons(answers, deal, scope if source == "responses" else "role")
    touches = touches_of(answers, deal, persons, source, goal, only)
    if not touches:
        why = why_none if source == "responses" else why_no_member
        done.unattributed, done.reason = done.amount, why(answers, persons)
        return done
    given = give(model, touches, facts_of(answers, deal, persons, goal))
    if given.reason:
        done.unattributed, done.reason = done.amount, given.reason
        return done
    *credits, done.pending = split(done.amount, [*given.points, given.pending])
    for touch, credit, share in zip(touches, credits, given.points, strict=True):
        if share == 0:
            continue
        part = "sourced" if touch.sourced else "accelerated"
        getattr(done, part)[touch.id] = credit
        if only or window in ("influenced", part):
            done.credits[touch.id] = credit
        else:
            done.other += credit
    return done


def influence(
    answers: Answers,
    model: str | Model = "even",
    window: str = "influenced",
    date: str = "created",
    scope: str = "role",
    start: dt.date | None = None,
    end: dt.date | None = None,
    goal: str = "closed",
) -> Influence:
    """All opportunities by CreatedDate, or (date = closed) the closed ones by close moment, in [start, end).

    `model` is a preset by name (even@sourced: on that window alone), or what a model file says.
    """
    only = None
    if isinstance(model, str):
        name, _, part = model.partition("@")
        model, only = PRESETS[name], part or None
    found = Influence()
    for deal in sorted(answers.opportunities.values(), key=lambda one: one.id):
        moment = deal.created if date == "created" else deal.close
        if moment is None or (start and moment.day < start) or (end and moment.day >= end):
            continue
        if deal.amount is None:
            found.outside[deal.id] = str(deal.reason)
            continue
        one = allocate(answers, deal, model, scope, window, goal=goal, only=only)
        one.day = moment.day
        found.allocations.append(one)
    return found
