"""Random leads, contacts, their histories and campaign members."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field

from tests.oracle.clock import When
from tests.oracle.draw import Draw
from tests.oracle.records import Org, Row

LEAD_STATUSES = ("Open", "MQL", "Marketing Qualified", "Working", "Disqualified", "Recycled", "Odd")
CONTACT_STATUSES = ("New", "MQL", "Accepted", "Recycled", "Odd")
SOURCES = ("Web", "Partner", "Unknown", None)


@dataclass
class Persona:
    """Records that may belong to one person; `contacts` may be used in roles."""

    leads: list[Row] = field(default_factory=list)
    contacts: list[Row] = field(default_factory=list)


class PeopleMaker:
    """Adds leads and contacts with their status histories."""

    def __init__(self, org: Org, draw: Draw) -> None:
        self.org, self.draw = org, draw
        self.tracked = {name: draw.chance(0.8) for name in ("Lead", "Contact")}
        self.tracked_since = {name: draw.instant() for name in ("Lead", "Contact")}
        for name in ("Lead", "Contact"):
            org[name] = []
            if self.tracked[name]:
                org[f"{name}History"] = []
                self._creation_row(name)

    def _creation_row(self, name: str) -> None:
        """At times a first history row, older than every record: tracking covers all of them."""
        if self.draw.chance(0.6):
            self.tracked_since[name] = self.draw.as_of - dt.timedelta(days=500)
            self._history(name, self.draw.id(name), self.tracked_since[name], "Open", "Odd")

    def _history(self, name: str, record: str, at: dt.datetime, old: str | None, new: str) -> None:
        self.org[f"{name}History"].append(
            {
                "Id": self.draw.id(f"{name}History"),
                f"{name}Id": record,
                "IsDeleted": self.draw.chance(0.02),
                "CreatedDate": at,
                "Field": "Status" if name == "Lead" else "Status__c",
                "OldValue": old,
                "NewValue": new,
            }
        )

    def _status(self, name: str, record: str, created: When) -> str:
        """Some changes of status, recorded since tracking began; the value that holds in the end."""
        statuses = LEAD_STATUSES if name == "Lead" else CONTACT_STATUSES
        first = created if isinstance(created, dt.datetime) else self.draw.instant(created)
        status = self.draw.rng.choice(statuses)
        for at in self.draw.instants(self.draw.rng.choice([0, 0, 1, 2, 3, 4, 6]), first):
            new = self.draw.rng.choice([one for one in statuses if one != status])
            if self.tracked[name] and at >= self.tracked_since[name] and not self.draw.chance(0.03):
                self._history(name, record, at, status, new)
            status = new
        return status

    def _row(self, name: str) -> Row:
        record = self.draw.id(name)
        created = min(self.draw.when(0.12), self.draw.when(0.12), key=self.draw.local_day)
        row: Row = {
            "Id": record,
            "IsDeleted": False,
            "MasterRecordId": None,
            "LastName": record[-6:],
            "LeadSource": self.draw.rng.choice(SOURCES),
            "CreatedDate": created,
            "MQL_Date__c": self.draw.when(0.6) if self.draw.chance(0.3) else None,
        }
        row["Status" if name == "Lead" else "Status__c"] = self._status(name, record, created)
        self.org[name].append(row)
        return row

    def contact(self) -> Row:
        """A contact, at times without account."""
        row = self._row("Contact")
        row["AccountId"] = self.draw.rng.choice([*(one["Id"] for one in self.org["Account"]), None])
        return row

    def lead(self) -> Row:
        """A lead that is not converted."""
        row = self._row("Lead")
        row |= {
            "IsConverted": False,
            "ConvertedDate": None,
            "ConvertedContactId": None,
            "ConvertedAccountId": None,
            "ConvertedOpportunityId": None,
        }
        return row

    def convert(self, lead: Row, contact: object, account: object) -> None:
        """The lead becomes a contact."""
        lead |= {"IsConverted": True, "ConvertedContactId": contact, "ConvertedAccountId": account}
        lead["ConvertedDate"] = self.draw.day()
        if self.draw.chance(0.5):
            lead["Status"] = "Qualified"

    def merge(self, loser: Row, survivor: object) -> None:
        """The loser is deleted and points at its survivor."""
        loser |= {"IsDeleted": True, "MasterRecordId": survivor}


def add_people(org: Org, draw: Draw) -> list[Persona]:
    """One to twelve persons of every shape."""
    maker = PeopleMaker(org, draw)
    shapes = (
        lead_only,
        contact_only,
        contact_only,
        converted,
        converted,
        two_leads,
        merged_leads,
        merged_contacts,
        broken,
    )
    return [draw.rng.choice(shapes)(maker) for _ in range(draw.rng.randrange(1, 13))]


def lead_only(maker: PeopleMaker) -> Persona:
    """A lead, at times deleted, at times with a converted-looking status."""
    lead = maker.lead()
    if maker.draw.chance(0.1):
        lead["IsDeleted"] = True
    elif maker.draw.chance(0.2):
        lead["Status"] = "Qualified"
    return Persona([lead])


def contact_only(maker: PeopleMaker) -> Persona:
    """A contact, at times deleted."""
    contact = maker.contact()
    contact["IsDeleted"] = maker.draw.chance(0.05)
    return Persona([], [contact])


def converted(maker: PeopleMaker) -> Persona:
    """A lead converted into a new or an existing contact."""
    contact, lead = maker.contact(), maker.lead()
    maker.convert(lead, contact["Id"], contact["AccountId"])
    return Persona([lead], [contact])


def two_leads(maker: PeopleMaker) -> Persona:
    """A duplicate lead converted into the same contact."""
    persona = converted(maker)
    twin = maker.lead()
    maker.convert(twin, persona.contacts[0]["Id"], persona.contacts[0]["AccountId"])
    return Persona([*persona.leads, twin], persona.contacts)


def merged_leads(maker: PeopleMaker) -> Persona:
    """A chain of merged leads; its survivor may be converted, or deleted."""
    leads = [maker.lead() for _ in range(maker.draw.rng.randrange(2, 5))]
    for loser, survivor in itertools.pairwise(leads):
        maker.merge(loser, survivor["Id"])
    if maker.draw.chance(0.5):
        contact = maker.contact()
        maker.convert(leads[-1], contact["Id"], contact["AccountId"])
        return Persona(leads, [contact])
    leads[-1]["IsDeleted"] = maker.draw.chance(0.1)
    return Persona(leads)


def merged_contacts(maker: PeopleMaker) -> Persona:
    """Merged contacts, with a lead converted into the one that lost."""
    loser, survivor, lead = maker.contact(), maker.contact(), maker.lead()
    maker.merge(loser, survivor["Id"])
    maker.convert(lead, loser["Id"], loser["AccountId"])
    return Persona([lead], [loser, survivor])


def broken(maker: PeopleMaker) -> Persona:
    """Pointers at records that are not there, or that are deleted without a survivor."""
    lead = maker.lead()
    if maker.draw.chance(0.4):
        maker.convert(lead, maker.draw.id("Contact"), maker.org["Account"][0]["Id"])
        return Persona([lead])
    if maker.draw.chance(0.3):
        maker.merge(lead, maker.draw.id("Lead"))
        return Persona([lead])
    contact = maker.contact()
    contact["IsDeleted"] = True
    maker.convert(lead, contact["Id"], contact["AccountId"])
    return Persona([lead], [contact])


def add_members(org: Org, draw: Draw, people: list[Persona]) -> None:
    """Memberships of every record in some campaigns, so that one person may be there twice."""
    org["CampaignMember"] = []
    share = draw.rng.choice([0.2, 0.5, 0.8])
    for campaign in org["Campaign"]:
        for persona in people:
            for row in persona.leads + persona.contacts:
                if draw.chance(share):
                    org["CampaignMember"].append(member(draw, campaign, row, row in persona.leads))


def member(draw: Draw, campaign: Row, record: Row, is_lead: bool) -> Row:
    """A campaign member with its dates, or without."""
    created = draw.when(0.08)
    status = draw.rng.choice(["Sent", "Responded", "Attended"])
    modified = (
        created + dt.timedelta(seconds=draw.rng.choice([0, 59, 60, 61, 86400]))
        if isinstance(created, dt.datetime)
        else draw.instant()
    )
    row: Row = {
        "Id": draw.id("CampaignMember"),
        "IsDeleted": draw.chance(0.03),
        "CampaignId": campaign["Id"],
        "LeadId": record["Id"] if is_lead else None,
        "ContactId": None if is_lead else record["Id"],
        "Status": status,
        "HasResponded": status != "Sent" if draw.chance(0.9) else draw.chance(0.5),
        "FirstRespondedDate": draw.day() if draw.chance(0.5) else None,
        "CreatedDate": created,
        "LastModifiedDate": modified,
        "Responded_At__c": draw.when(0.3) if draw.chance(0.3) else None,
    }
    if is_lead and record["ConvertedContactId"] is not None and draw.chance(0.5):
        row["ContactId"] = record["ConvertedContactId"]
    return row
