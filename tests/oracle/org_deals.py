"""Random opportunities, their histories and contact roles."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

from tests.oracle.clock import When
from tests.oracle.draw import Draw
from tests.oracle.org_people import Persona
from tests.oracle.records import Org, Row

OPEN_STAGES = ("Prospecting", "Proposal", "Negotiation", "Legacy")
CLOSED = {"Closed Won": True, "Closed Lost": False}
AMOUNTS = (None, "0", "-250.5", "1000", "33333.33", "0.005", "1234.565", "99.995", "7")


def add_deals(org: Org, draw: Draw, people: list[Persona], currencies: list[str]) -> None:
    """Zero to six opportunities, most with people."""
    for name in ("Opportunity", "OpportunityContactRole"):
        org[name] = []
    if draw.chance(0.9):
        org["OpportunityHistory"] = []
    org["OpportunityStage"] = [stage_row(draw, name, place) for place, name in enumerate([*OPEN_STAGES[:3], *CLOSED])]
    for _ in range(draw.rng.choice([0, 1, 2, 3, 4, 5, 6, 6])):
        deal = add_deal(org, draw, currencies)
        add_roles(org, draw, deal, people)
        link_lead(draw, deal, people)
    add_primary_campaigns(org)


def add_primary_campaigns(org: Org) -> None:
    """Most opportunities name a campaign; which one depends on their id alone, so that nothing else changes."""
    campaigns: list[object] = [row["Id"] for row in org.get("Campaign", [])]
    for row in org["Opportunity"]:
        chosen = random.Random(str(row["Id"])).choice([None, *campaigns, *campaigns])
        row["CampaignId"] = chosen


def stage_row(draw: Draw, name: str, place: int) -> Row:
    """A stage of the org; 'Legacy' is not among them."""
    return {
        "Id": draw.id("OpportunityStage"),
        "MasterLabel": name,
        "ApiName": name,
        "SortOrder": place + 1,
        "IsActive": True,
        "IsClosed": name in CLOSED,
        "IsWon": CLOSED.get(name, False),
    }


def add_deal(org: Org, draw: Draw, currencies: list[str]) -> Row:
    """One opportunity, with history or without."""
    created: When | None = None if draw.chance(0.03) else draw.when(0.25)
    row: Row = {
        "Id": draw.id("Opportunity"),
        "IsDeleted": draw.chance(0.05),
        "Name": "Deal",
        "AccountId": draw.rng.choice([*(one["Id"] for one in org["Account"]), None]),
        "CreatedDate": created,
    }
    if currencies:
        row["CurrencyIsoCode"] = None if draw.chance(0.05) else draw.rng.choice(currencies)
    history = stage_history(draw, row, created)
    if "OpportunityHistory" not in org or draw.chance(0.25):
        fill_without_history(draw, row, history)
        org["Opportunity"].append(row)
        return row
    org["OpportunityHistory"] += history
    last = max(history, key=lambda one: (one["CreatedDate"], one["Id"]))
    row |= {name: last[name] for name in ("StageName", "Amount", "CloseDate")}
    row["LastStageChangeDate"] = None
    if draw.chance(0.05):  # a change the history does not show
        row["StageName"] = draw.rng.choice([*OPEN_STAGES, *CLOSED])
        row["LastStageChangeDate"] = max((draw.instant(), last["CreatedDate"]), key=str)
    set_flags(row)
    org["Opportunity"].append(row)
    return row


def set_flags(row: Row) -> None:
    """IsClosed and IsWon as the stage says."""
    row["IsClosed"] = row["StageName"] in CLOSED
    row["IsWon"] = CLOSED.get(str(row["StageName"]), False)


def fill_without_history(draw: Draw, row: Row, history: list[Row]) -> None:
    """Only the present state, at times with the moment of the last change of stage."""
    last = history[-1]
    row |= {name: last[name] for name in ("StageName", "Amount", "CloseDate")}
    set_flags(row)
    row["LastStageChangeDate"] = last["CreatedDate"] if draw.chance(0.5) else None


def stage_history(draw: Draw, deal: Row, created: When | None) -> list[Row]:
    """Rows of OpportunityHistory: the first at creation, later ones with a change of stage, amount or close date."""
    first = created if isinstance(created, dt.datetime) else draw.instant(created)
    found: list[Row] = []
    stage = draw.rng.choice([*OPEN_STAGES, "Prospecting", "Prospecting", "Closed Won"])
    amount = amount_of(draw)
    for at in [first, *draw.instants(draw.rng.choice([0, 1, 1, 2, 3, 4, 5]), first)]:
        close_date = draw.day() if draw.chance(0.4) or stage not in CLOSED else draw.local_day(at)
        row = {
            "Id": draw.id("OpportunityHistory"),
            "OpportunityId": deal["Id"],
            "IsDeleted": False,
            "CreatedDate": at,
            "StageName": stage,
            "Amount": amount,
            "CloseDate": close_date,
        }
        found.append(row)
        if draw.chance(0.8):
            stage = draw.rng.choice([*OPEN_STAGES[:3], *OPEN_STAGES, *CLOSED, "Closed Won"])
        amount = amount_of(draw) if draw.chance(0.2) else amount
    if "CurrencyIsoCode" in deal:
        for row in found:
            row["CurrencyIsoCode"] = deal["CurrencyIsoCode"]
    return found


def amount_of(draw: Draw) -> Decimal | None:
    """An amount in major units: none, zero, negative, with too many decimals."""
    chosen = draw.rng.choice(AMOUNTS)
    return None if chosen is None else Decimal(chosen)


def add_roles(org: Org, draw: Draw, deal: Row, people: list[Persona]) -> None:
    """Up to three contacts on the deal, one of them primary at times, some twice."""
    contacts = [contact for persona in people for contact in persona.contacts]
    if not contacts or draw.chance(0.1):
        return
    chosen = [draw.rng.choice(contacts) for _ in range(draw.rng.choice([1, 1, 2, 3, 3]))]
    primary = draw.rng.choice([None, 0, 0, len(chosen) - 1])
    for place, contact in enumerate(chosen):
        org["OpportunityContactRole"].append(
            {
                "Id": draw.id("OpportunityContactRole"),
                "IsDeleted": draw.chance(0.05),
                "OpportunityId": deal["Id"],
                "ContactId": contact["Id"] if draw.chance(0.97) else draw.id("Contact"),
                "IsPrimary": place == primary,
                "Role": draw.rng.choice(["Decision Maker", "Influencer", None]),
                "CreatedDate": role_created(draw, deal),
            }
        )


def role_created(draw: Draw, deal: Row) -> object:
    """Mostly with the deal; at times later, after as-of, only a date, or unknown."""
    if draw.chance(0.6):
        return deal["CreatedDate"]
    return None if draw.chance(0.1) else draw.when(0.1)


def link_lead(draw: Draw, deal: Row, people: list[Persona]) -> None:
    """At times a converted lead brought the deal."""
    leads = [
        lead
        for persona in people
        for lead in persona.leads
        if lead["IsConverted"] and not lead["ConvertedOpportunityId"]
    ]
    if leads and draw.chance(0.5):
        draw.rng.choice(leads)["ConvertedOpportunityId"] = deal["Id"]
