"""Random small orgs made of the awkward cases."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from typing import Literal

from leadline.config import (
    AmountSettings,
    Funnel,
    Outcomes,
    ResponseSettings,
    Settings,
    Stage,
    StageSource,
    WorkspaceSettings,
)
from tests.oracle.draw import Draw
from tests.oracle.org_deals import add_deals
from tests.oracle.org_people import add_members, add_people
from tests.oracle.records import Org

TYPES = ("Webinar", "Trade Show", "Email", None)
Named = Literal["Lead", "Contact", "Opportunity"]
BUDGET = {"EUR": 0.92, "JPY": 151.37, "GBP": 0.8, "USD": 1.08}


def random_org(rng: random.Random) -> tuple[Org, Settings, dt.datetime]:
    """An org, its settings and an as-of instant (UTC)."""
    draw = Draw(rng)
    org: Org = {}
    add_organization(org, draw)
    add_campaigns(org, draw)
    people = add_people(org, draw)
    add_members(org, draw, people)
    currencies = add_currencies(org, draw)
    add_deals(org, draw, people, currencies)
    return org, random_settings(draw, org, currencies), draw.as_of


def add_organization(org: Org, draw: Draw) -> None:
    """The org's zone and accounts."""
    org["Organization"] = [{"Id": draw.id("Organization"), "Name": "Org", "TimeZoneSidKey": draw.zone.key}]
    org["Account"] = [
        {
            "Id": draw.id("Account"),
            "Name": f"Account {place}",
            "IsDeleted": False,
            "Type": draw.rng.choice(["Customer", None]),
        }
        for place in range(draw.rng.randrange(1, 4))
    ]


def add_campaigns(org: Org, draw: Draw) -> None:
    """Zero to six campaigns, some of one type, some deleted."""
    org["Campaign"] = [
        {
            "Id": draw.id("Campaign"),
            "Name": f"Campaign {place}",
            "Type": draw.rng.choice(TYPES),
            "IsDeleted": draw.chance(0.04),
            "StartDate": draw.day(),
        }
        for place in range(draw.rng.randrange(7))
    ]


def add_currencies(org: Org, draw: Draw) -> list[str]:
    """None for an org of one currency; else a corporate one and others, with dated rates at times."""
    if draw.chance(0.5):
        return []
    chosen = draw.rng.sample(["USD", "EUR", "JPY", "GBP", "KWD"], 3)
    digits = {"JPY": 0, "KWD": 3}
    org["CurrencyType"] = [
        {
            "Id": draw.id("CurrencyType"),
            "IsoCode": code,
            "ConversionRate": "1" if place == 0 else draw.rng.choice(["0.92", "151.3725", "0.307", "1.1", "3"]),
            "DecimalPlaces": digits.get(code, 2),
            "IsActive": True,
            "IsCorporate": place == 0,
        }
        for place, code in enumerate(chosen)
        if place < 2 or draw.chance(0.8)
    ]
    if draw.chance(0.6):
        org["DatedConversionRate"] = [
            row for code in chosen[1:] if draw.chance(0.85) for row in dated_rates(draw, code)
        ]
    return chosen


def dated_rates(draw: Draw, code: str) -> list[dict[str, object]]:
    """One to three rows that follow one another; some begin late or end early."""
    first = draw.day() if draw.chance(0.2) else dt.date(2000, 1, 1)
    starts = sorted({first, *(draw.day() for _ in range(draw.rng.randrange(3)))})
    ends = [*starts[1:], dt.date(9999, 12, 31) if draw.chance(0.7) else starts[-1] + dt.timedelta(days=31)]
    return [
        {
            "Id": draw.id("DatedConversionRate"),
            "IsoCode": code,
            "StartDate": start,
            "NextStartDate": end,
            "ConversionRate": draw.rng.choice(["0.9", "1.25", "149.5", "0.333333", "2"]),
        }
        for start, end in zip(starts, ends, strict=True)
    ]


def random_settings(draw: Draw, org: Org, currencies: list[str]) -> Settings:
    """A funnel of people, at times of opportunities only, with its switches."""
    reporting = draw.rng.choice([None, None, *currencies[:2]])
    return Settings(
        workspace=WorkspaceSettings(
            timezone=draw.zone.key if draw.chance(0.5) else None,
            currency=reporting,
            fiscal_year_start=draw.rng.choice([1, 2, 4]),
            week_start=draw.rng.choice(["monday", "saturday", "sunday"]),
        ),
        amount=AmountSettings(rate=draw.rng.choice(["dated", "dated", "static", "budget"]), budget=BUDGET),
        responses=response_settings(draw, org),
        funnel={"main": random_funnel(draw)},
    )


def response_settings(draw: Draw, org: Org) -> ResponseSettings:
    """Which members are responses, when they responded, what is excluded."""
    lists = draw.rng.choice(
        [{"*": ["Attended", "Responded"]}, {"Webinar": ["Attended"], "*": ["*"]}, {"Email": ["Responded"]}]
    )
    by_status = draw.chance(0.25)
    campaigns = [str(row["Id"]) for row in org["Campaign"]]
    return ResponseSettings(
        responded="statuses" if by_status else "HasResponded",
        statuses=lists if by_status else {},
        date_field="Responded_At__c" if draw.chance(0.25) else None,
        exclude_campaign_types=["Email"] if draw.chance(0.2) else [],
        exclude_campaigns=draw.rng.sample(campaigns, 1) if campaigns and draw.chance(0.1) else [],
    )


def values(name: Named, field: str, *taken: str) -> StageSource:
    """A stage source by field values."""
    return StageSource(object=name, field=field, values=list(taken))


def random_funnel(draw: Draw) -> Funnel:
    """Inquiry, MQL and SAL at times, SQL, opportunity stages at times, Won."""
    of_people = draw.chance(0.92)
    stages = people_stages(draw) if of_people else []
    sql = [StageSource(object="Opportunity", milestone="created"), values("Opportunity", "StageName", "Prospecting")]
    stages.append(Stage(name="SQL", sources=sql if draw.chance(0.4) else sql[:1]))
    if draw.chance(0.4):
        stages.append(Stage(name="Proposal", sources=[values("Opportunity", "StageName", "Proposal", "Negotiation")]))
    elif draw.chance(0.4):
        stages.append(Stage(name="Proposal", sources=[values("Opportunity", "StageName", "Proposal")]))
        stages.append(Stage(name="Negotiation", sources=[values("Opportunity", "StageName", "Negotiation")]))
    stages += closing_stages(draw)
    listed = draw.chance(0.15)  # "Legacy" counts as lost, whatever the flags say
    outcomes = Outcomes(
        won=[values("Opportunity", "StageName", "Closed Won")] if listed else [],
        lost=[values("Opportunity", "StageName", "Closed Lost", "Legacy")] if listed else [],
        disqualified=[values("Lead", "Status", "Disqualified")] if of_people else [],
        recycled=[values("Lead", "Status", "Recycled"), values("Contact", "Status__c", "Recycled")]
        if of_people
        else [],
    )
    names = [stage.name for stage in stages]
    days = {f"{a}>{b}": draw.rng.choice([1, 30, 45, 365]) for a, b in itertools.combinations(names, 2)}
    written = {
        "stages": [stage.model_dump(by_alias=True) for stage in stages],  # as written: names of days are checked
        "outcomes": outcomes,
        "window_days": {pair: window for pair, window in days.items() if draw.chance(0.15)},
        "stuck_days": {name: draw.rng.choice([1, 30, 90]) for name in names if draw.chance(0.3)},
        "look_back_days": draw.rng.choice([90, 90, 30, 0]),
        "dormancy_days": draw.rng.choice([180, 180, 60]),
    }
    return Funnel.model_validate(written)


def closing_stages(draw: Draw) -> list[Stage]:
    """Won, mostly by the milestone, at times by the value of StageName or after a stage Closed."""
    won = Stage(name="Won", sources=[StageSource(object="Opportunity", milestone="won")])
    if draw.chance(0.8):
        return [won]
    if draw.chance(0.5):
        return [Stage(name="Won", sources=[values("Opportunity", "StageName", "Closed Won")])]
    return [Stage(name="Closed", sources=[StageSource(object="Opportunity", milestone="closed")]), won]


def people_stages(draw: Draw) -> list[Stage]:
    """Inquiry, then MQL and SAL by stamp, status or conversion."""
    found = [Stage(name="Inquiry", sources=[StageSource(object="CampaignMember", milestone="response")])]
    mql = [
        StageSource(object="Lead", field="MQL_Date__c", stamp=True),
        StageSource(object="Contact", field="MQL_Date__c", stamp=True),
        values("Lead", "Status", "MQL", "Marketing Qualified"),
        values("Contact", "Status__c", "MQL"),
    ]
    sal = [
        values("Lead", "Status", "Working"),
        values("Contact", "Status__c", "Accepted"),
        StageSource(object="Lead", milestone="converted"),
    ]
    if draw.chance(0.8):
        found.append(Stage(name="MQL", sources=draw.rng.sample(mql, draw.rng.randrange(1, 5))))
    if draw.chance(0.6):
        found.append(Stage(name="SAL", sources=draw.rng.sample(sal, draw.rng.randrange(1, 4))))
    return found
