"""Builds tiny orgs for tests worked on paper: short names instead of ids, ISO text instead of values."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from leadline.config import Funnel, Outcomes, Settings, Stage, StageSource, WorkspaceSettings
from tests.oracle.answers import Answers
from tests.oracle.clock import When
from tests.oracle.oracle import answer
from tests.oracle.records import Org, Row


def at(text: str | None) -> When | None:
    """`2024-05-01` as a date, `2024-05-01T10:00` as an instant in UTC."""
    if text is None:
        return None
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC) if "T" in text else dt.date.fromisoformat(text)


FULL = Funnel(
    stages=[
        Stage(name="Inquiry", sources=[StageSource(object="CampaignMember", milestone="response")]),
        Stage(
            name="MQL",
            sources=[
                StageSource(object="Lead", field="MQL_Date__c", stamp=True),
                StageSource(object="Contact", field="MQL_Date__c", stamp=True),
                StageSource(object="Lead", field="Status", values=["MQL"]),
            ],
        ),
        Stage(name="SAL", sources=[StageSource(object="Lead", field="Status", values=["Working"])]),
        Stage(name="SQL", sources=[StageSource(object="Opportunity", milestone="created")]),
        Stage(name="Proposal", sources=[StageSource(object="Opportunity", field="StageName", values=["Proposal"])]),
        Stage(name="Won", sources=[StageSource(object="Opportunity", milestone="won")]),
    ],
    outcomes=Outcomes(
        disqualified=[StageSource(object="Lead", field="Status", values=["Disqualified"])],
        recycled=[StageSource(object="Lead", field="Status", values=["Recycled"])],
    ),
)


class Tiny:
    """An org that grows by one call per record."""

    def __init__(self, zone: str = "UTC", funnel: Funnel = FULL) -> None:
        self.org: Org = {"OpportunityStage": []}
        self.settings = Settings(workspace=WorkspaceSettings(timezone=zone), funnel={"main": funnel})
        for name, won in {"Closed Won": True, "Closed Lost": False}.items():
            self.add("OpportunityStage", f"stage {name}", MasterLabel=name, ApiName=name, IsClosed=True, IsWon=won)

    def add(self, name: str, record: str, **fields: object) -> Row:
        """Any record."""
        row: Row = {"Id": record, "IsDeleted": False, **fields}
        self.org.setdefault(name, []).append(row)
        return row

    def lead(self, record: str, created: str | None = "2024-01-01T00:00", **fields: object) -> Row:
        """A lead, not converted."""
        return self.add(
            "Lead", record, **{"CreatedDate": at(created), "IsConverted": False, "Status": "Open", **fields}
        )

    def contact(self, record: str, created: str | None = "2024-01-01T00:00", **fields: object) -> Row:
        """A contact."""
        return self.add("Contact", record, **{"CreatedDate": at(created), **fields})

    def status(self, lead: str, when: str, old: str, new: str) -> None:
        """A row of LeadHistory."""
        rows = self.org.setdefault("LeadHistory", [])
        values = {"Field": "Status", "OldValue": old, "NewValue": new}
        self.add("LeadHistory", f"h{len(rows):02}", LeadId=lead, CreatedDate=at(when), **values)

    def member(self, record: str, person: str, responded: str | None, campaign: str = "camp", **fields: object) -> Row:
        """A member that responded: `responded` is FirstRespondedDate for a date, else the moment it was made."""
        moment = at(responded)
        by_date = responded is not None and "T" not in responded
        row: Row = {
            "CampaignId": campaign,
            "LeadId": person if person.startswith("L") else None,
            "ContactId": None if person.startswith("L") else person,
            "HasResponded": True,
            "FirstRespondedDate": moment if by_date else None,
            "CreatedDate": at("2024-01-01T00:00") if by_date or moment is None else moment,
            "LastModifiedDate": at("2025-01-01T00:00") if by_date or moment is None else moment,
        }
        return self.add("CampaignMember", record, **(row | fields))

    def deal(
        self, record: str, created: str | None, *steps: tuple[str, str], amount: str | None = "100", **fields: object
    ) -> Row:
        """An opportunity with its history: (moment, stage) in order; without steps it has none."""
        stage = steps[-1][1] if steps else "Prospecting"
        rows = self.org.setdefault("OpportunityHistory", [])
        money = None if amount is None else Decimal(amount)
        row: Row = {"CreatedDate": at(created), "StageName": stage, "Amount": money, "CloseDate": dt.date(2024, 12, 31)}
        row |= fields
        row |= {"IsClosed": str(row["StageName"]).startswith("Closed"), "IsWon": row["StageName"] == "Closed Won"}
        for moment, name in steps:
            values = {"StageName": name, "Amount": row["Amount"], "CloseDate": row["CloseDate"]}
            self.add("OpportunityHistory", f"o{len(rows):02}", OpportunityId=record, CreatedDate=at(moment), **values)
        return self.add("Opportunity", record, **row)

    def role(self, contact: str, deal: str, created: str | None = None, primary: bool = False) -> None:
        """A contact role."""
        rows = self.org.setdefault("OpportunityContactRole", [])
        name = f"r{len(rows):02}"
        values = {"OpportunityId": deal, "ContactId": contact, "IsPrimary": primary, "CreatedDate": at(created)}
        self.add("OpportunityContactRole", name, **values)

    def answer(self, as_of: str = "2024-12-31T12:00", known_at: str | None = None) -> Answers:
        """The answers; an as-of given as a date is the end of that UTC day (D1)."""
        if "T" in as_of:
            known = None if known_at is None else dt.datetime.fromisoformat(known_at).replace(tzinfo=dt.UTC)
            moment = dt.datetime.fromisoformat(as_of).replace(tzinfo=dt.UTC)
            return answer(self.org, self.settings, moment, known_at=known)
        end = dt.datetime.fromisoformat(as_of).replace(hour=23, minute=59, second=59, tzinfo=dt.UTC)
        return answer(self.org, self.settings, end, as_of_is_date=True)
