"""Which opportunity belongs to which person (§4 Journey, D3, D14)."""

from __future__ import annotations

from dataclasses import dataclass

from tests.oracle.clock import Clock
from tests.oracle.deals import Deal
from tests.oracle.people import People
from tests.oracle.records import Records, flag, text, when


@dataclass
class Link:
    """A person on an opportunity; attached: it moves none of the person's stages."""

    person: str
    deal: str
    converted: bool = False
    role: bool = False
    primary: bool = False
    attached: bool = False


def links(records: Records, people: People, deals: dict[str, Deal], clock: Clock) -> list[Link]:
    """Every (person, opportunity) once."""
    found: dict[tuple[str, str], Link] = {}
    for lead in records.all("Lead"):
        person, deal = people.person[str(lead["Id"])], text(lead, "ConvertedOpportunityId")
        converted = when(lead, "ConvertedDate")
        if converted is not None and not clock.happened(converted):
            continue  # D23
        if person is not None and deal in deals and flag(lead, "IsConverted"):
            found.setdefault((person, deal), Link(person, deal)).converted = True
    for role in records.alive("OpportunityContactRole"):
        deal, created = text(role, "OpportunityId"), when(role, "CreatedDate")
        person = people.person.get(text(role, "ContactId") or "")
        if person is None or deal not in deals or (created is not None and not clock.happened(created)):
            continue  # "provided the role row's own CreatedDate, where present, ≤ as-of"
        link = found.setdefault((person, deal), Link(person, deal))
        link.role = True
        link.primary = link.primary or flag(role, "IsPrimary")
    for link in found.values():
        created_moment = deals[link.deal].created
        link.attached = created_moment is None or not people.existed_on(link.person, created_moment.day)
    return list(found.values())
