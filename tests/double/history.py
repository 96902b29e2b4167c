"""Random histories of an org: what people, integrations and the platform do over weeks, from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

from leadline_double.org import STAGES, Org
from leadline_double.problems import ApiError

LATEST: Final = 1800
"""Seconds that a slow transaction may take at the most."""

_NAMES: Final = ("Müller", "O'Hara", 'the "boss"', "two\nlines", "N/A", "null", "李", "a, b", "  spaced", "NaN")
_PAUSES: Final = (0, 0, 0, 1, 1, 7, 45, 300, 3600)


class History:
    """Does one random thing after the other; the same seed does the same in an equal org.

    `log` tells what was done. Ties within a second are common, since the clock often stands still.
    """

    def __init__(self, org: Org, seed: int | str, *, late: bool = True) -> None:
        self.org, self.dice, self.log = org, random.Random(seed), list[str]()
        self._deeds: dict[Callable[[], Any], int] = {
            self.person: 14, self.member: 14, self.deal: 8, self.role: 5, self.change: 30, self.automate: 8,
            self.delete: 7, self.undelete: 4, self.purge: 2, self.erase: 2, self.merge: 4, self.convert: 5,
        }  # fmt: skip
        if late:
            self._deeds[self.late] = 10
        org.track("Lead", "Status")
        org.track("Opportunity", "StageName")
        for number in range(3):
            org.create("Campaign", Name=f"Campaign {number}", IsActive=True)

    def run(self, steps: int) -> None:
        """Do so many things, with pauses between."""
        deeds, weights = list(self._deeds), list(self._deeds.values())
        for _ in range(steps):
            deed = self.dice.choices(deeds, weights)[0]
            try:
                self.log.append(f"{self.org.clock.now():%m-%d %H:%M:%S} {deed.__name__} {deed()}")
            except (ApiError, LookupError) as error:
                # Not everything can be done at any time: a record may be deleted or converted.
                self.log.append(f"{self.org.clock.now():%m-%d %H:%M:%S} {deed.__name__} not possible: {error!r}")
            self.org.clock.advance(seconds=self.dice.choice(_PAUSES))

    def _any(self, name: str) -> str:
        return str(self.dice.choice(self.org.live(name))["Id"])

    def _name(self) -> str:
        return self.dice.choice(_NAMES)

    def person(self) -> str:
        """A new lead, or a contact with or without an account."""
        if self.dice.random() < 0.6:
            return self.org.create("Lead", LastName=self._name(), Company=self._name(), Status="Open")
        accounts = self.org.live("Account")
        if not accounts or self.dice.random() < 0.4:
            return self.org.create(
                "Contact", LastName=self._name(), AccountId=self.org.create("Account", Name=self._name())
            )
        return self.org.create("Contact", LastName=self._name(), AccountId=self.dice.choice(accounts)["Id"])

    def member(self) -> str:
        """Somebody in a campaign, once per campaign."""
        kind = self.dice.choice(("Lead", "Contact"))
        person, campaign = self._any(kind), self._any("Campaign")
        if any(one["CampaignId"] == campaign for one in self.org.referring("CampaignMember", f"{kind}Id", person)):
            return "is one already"
        status = self.dice.choice(("Sent", "Responded"))
        return self.org.create("CampaignMember", CampaignId=campaign, Status=status, **{f"{kind}Id": person})

    def deal(self) -> str:
        """A new opportunity, on an account if there is one."""
        accounts = self.org.live("Account")
        values = {"AccountId": self.dice.choice(accounts)["Id"]} if accounts else {}
        amount = self.dice.choice((None, "0", "1234.5", "99999999.99"))
        return self.org.create(
            "Opportunity", Name=self._name(), StageName="Prospecting", CloseDate="2026-12-31", Amount=amount, **values
        )

    def role(self) -> str:
        """A contact's role on an opportunity."""
        return self.org.create(
            "OpportunityContactRole",
            OpportunityId=self._any("Opportunity"),
            ContactId=self._any("Contact"),
            Role="Other",
        )

    def change(self) -> str:
        """Somebody changes a record."""
        return self._change(automated=False)

    def automate(self) -> str:
        """The platform changes a record: LastModifiedDate stays."""
        return self._change(automated=True)

    def _change(self, *, automated: bool) -> str:
        name, field, values = self.dice.choice(
            [
                ("Lead", "Status", ("Open", "Working")),
                ("Lead", "Company", _NAMES),
                ("Contact", "Title", (*_NAMES, None)),
                ("Account", "Name", _NAMES),
                ("Campaign", "IsActive", (True, False)),
                ("CampaignMember", "Status", ("Sent", "Responded")),
                ("Opportunity", "StageName", tuple(stage[0] for stage in STAGES)),
                ("Opportunity", "Amount", ("1", "2.5", None)),
            ]
        )
        key = self._any(name)
        self.org.update(name, key, automated=automated, **{field: self.dice.choice(values)})
        return f"{name} {key} {field}"

    def late(self) -> str:
        """A transaction that commits up to half an hour after its stamp."""
        deed = self.dice.choice((self.person, self.member, self.deal, self.change, self.delete))
        self.org.late(deed, seconds=self.dice.randint(1, LATEST))
        return deed.__name__

    def delete(self) -> str:
        """A record into the bin, with its children."""
        name = self.dice.choice(
            ("Lead", "Contact", "Opportunity", "CampaignMember", "OpportunityContactRole", "Account")
        )
        key = self._any(name)
        self.org.delete(name, key)
        return f"{name} {key}"

    def undelete(self) -> str:
        """Something comes back from the bin."""
        key = self.dice.choice([one for one, (_, root) in self.org.bin.items() if root == one])
        self.org.undelete(key)
        return key

    def purge(self) -> str:
        """Something leaves the bin for good."""
        key = self.dice.choice(list(self.org.bin))
        self.org.purge(key)
        return key

    def erase(self) -> str:
        """A hard delete."""
        key = self._any("CampaignMember")
        self.org.erase("CampaignMember", key)
        return key

    def merge(self) -> str:
        """Two or three records of a kind become one."""
        name = self.dice.choice(("Lead", "Contact", "Account"))
        rows = [one["Id"] for one in self.org.live(name) if not one.get("IsConverted")]
        master, *losers = self.dice.sample(rows, min(len(rows), self.dice.choice((2, 2, 3)))) or [""]
        self.org.merge(name, master, *losers)
        return f"{name} {master} takes {losers}"

    def convert(self) -> str:
        """A lead becomes a contact, sometimes an existing one."""
        contacts = self.org.live("Contact")
        contact = self.dice.choice(contacts) if contacts and self.dice.random() < 0.4 else None
        account = contact["AccountId"] if contact else None
        return str(
            self.org.convert(
                self._any("Lead"),
                contact_id=contact["Id"] if contact else None,
                account_id=account,
                opportunity=self.dice.random() < 0.6,
            )
        )
