"""Orgs of a few records, written as CSV files and taken in by the door a user takes."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from leadline import workspace
from leadline.dates import parse_as_of
from leadline.workspace import Workspace

PREFIX = {
    "Lead": "00Q",
    "Contact": "003",
    "Account": "001",
    "Opportunity": "006",
    "Campaign": "701",
    "CampaignMember": "00v",
    "OpportunityContactRole": "00K",
    "LeadHistory": "017",
    "OpportunityHistory": "008",
    "OpportunityStage": "01J",
    "CurrencyType": "01L",
}

FUNNEL = """
[workspace]
timezone = "{zone}"
currency = "USD"
{more}

[funnel.main]
stages = [
  {{ name = "Inquiry", from = [{{ object = "CampaignMember", milestone = "response" }}] }},
  {{ name = "MQL", from = [{{ object = "Lead", field = "Status", values = ["MQL"] }}] }},
  {{ name = "SAL", from = [{{ object = "Lead", field = "Status", values = ["SAL"] }}] }},
  {{ name = "SQL", from = [{{ object = "Opportunity", milestone = "created" }}] }},
  {{ name = "Won", from = [{{ object = "Opportunity", milestone = "won" }}] }},
]
"""

STAMPED = FUNNEL.replace(
    '{{ object = "Lead", field = "Status", values = ["MQL"] }}',
    '{{ object = "Lead", field = "MQL_Date__c", stamp = true }}',
).replace(
    '{{ object = "Lead", field = "Status", values = ["SAL"] }}',
    '{{ object = "Lead", field = "SAL_Date__c", stamp = true }}',
)


def name_of(kind: str, number: int) -> str:
    """The 18-character id of the n-th record of an object."""
    return f"{PREFIX[kind]}{number:012d}AAA"


class Org:
    """An org that grows by one call per record; references are given by number."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def add(self, kind: str, number: int, **fields: Any) -> str:
        """A record with these fields; a missing CreatedDate is the first of January 2026, noon in UTC."""
        own = {"Id": name_of(kind, number), "CreatedDate": "2026-01-01T12:00:00.000Z", **fields}
        self.rows.setdefault(kind, []).append(own)
        return str(own["Id"])

    def lead(self, number: int, **fields: Any) -> str:
        return self.add("Lead", number, **{"LastName": f"Lead {number}", "IsConverted": "false", **fields})

    def contact(self, number: int, account: int = 1, **fields: Any) -> str:
        return self.add(
            "Contact", number, **{"LastName": f"Contact {number}", "AccountId": name_of("Account", account), **fields}
        )

    def campaign(self, number: int, **fields: Any) -> str:
        return self.add("Campaign", number, **{"Name": f"Campaign {number}", "Type": "Webinar", **fields})

    def response(self, number: int, campaign: int, who: str, on: str, **fields: Any) -> str:
        """A member that responded; `on` is a date (FirstRespondedDate) or an instant (its creation)."""
        person = {"ContactId" if who.startswith("003") else "LeadId": who}
        dated = {"CreatedDate": on, "LastModifiedDate": on} if "T" in on else {"FirstRespondedDate": on}
        own = {"CampaignId": name_of("Campaign", campaign), "Status": "Responded", "HasResponded": "true"}
        return self.add("CampaignMember", number, **{**own, **person, **dated, **fields})

    def deal(self, number: int, created: str, amount: Any, **fields: Any) -> str:
        """An opportunity; open unless told otherwise."""
        own = {"Name": f"Deal {number}", "StageName": "Proposal", "IsClosed": "false", "IsWon": "false"}
        dated = {"CreatedDate": created, "CloseDate": "2026-12-31", "Amount": amount}
        return self.add("Opportunity", number, **{**own, **dated, **fields})

    def role(self, number: int, deal: str, contact: str, *, primary: bool = False) -> str:
        return self.add(
            "OpportunityContactRole",
            number,
            OpportunityId=deal,
            ContactId=contact,
            IsPrimary=str(primary).lower(),
            Role="Buyer",
        )

    def status(self, number: int, lead: str, at: str, before: str, after: str) -> str:
        """A change of a lead's status in its history."""
        return self.add(
            "LeadHistory", number, LeadId=lead, Field="Status", OldValue=before, NewValue=after, CreatedDate=at
        )

    def workspace(
        self,
        folder: Path,
        *,
        settings: str = FUNNEL,
        zone: str = "UTC",
        more: str = "",
        extracted_at: str = "2026-07-01T00:00:00Z",
    ) -> Workspace:
        """The org imported and published."""
        files = folder / "export"
        files.mkdir(parents=True)
        for kind, rows in self.rows.items():
            columns = list(dict.fromkeys(name for row in rows for name in row))
            with (files / f"{kind}.csv").open("w", newline="", encoding="utf-8") as opened:
                writer = csv.DictWriter(opened, columns, restval="")
                writer.writeheader()
                writer.writerows(rows)
        made = workspace.create(folder / "workspace")
        (made.folder / "leadline.toml").write_text(settings.format(zone=zone, more=more), encoding="utf-8")
        made = workspace.open(made.folder)
        made.sources.import_files(files, extracted_at=parse_as_of(extracted_at, "UTC"))
        return made


def rows(result: Any) -> list[dict[str, Any]]:
    """The rows of a result."""
    return list(result.table.to_pylist())


def counts(result: Any, *keys: str, value: str = "count") -> dict[Any, Any]:
    """One value per key (or tuple of keys) of a result, nulls and zeros left out."""
    found = {tuple(row[key] for key in keys): row[value] for row in rows(result) if row[value]}
    return {key[0] if len(keys) == 1 else key: count for key, count in found.items()}
