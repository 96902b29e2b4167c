"""Who is one person (§2 Person, D3, D4)."""

from __future__ import annotations

import datetime as dt

from leadline.errors import IdentityError
from tests.oracle.clock import Clock, When
from tests.oracle.records import Records, Row, flag, text, when

LONGEST_CHAIN = 64
LAST = dt.datetime.max.replace(tzinfo=dt.UTC)


def next_pointer(name: str, row: Row) -> tuple[str, str] | None:
    """§2: a merged (deleted) record points at its survivor, a converted lead at its contact."""
    if flag(row, "IsDeleted"):
        master = text(row, "MasterRecordId")
        return (name, master) if master else None
    contact = text(row, "ConvertedContactId")
    if name == "Lead" and flag(row, "IsConverted") and contact:
        return ("Contact", contact)
    return None


def person_of(records: Records, name: str, record_id: str) -> str | None:
    """D3: the person is the last record of the chain that exists; None if none does."""
    last_existing: str | None = None
    place: tuple[str, str] | None = (name, record_id)
    for _ in range(LONGEST_CHAIN + 1):
        row = records.get(*place) if place else None
        if place is None or row is None:
            return last_existing
        if not flag(row, "IsDeleted"):
            last_existing = place[1]
        place = next_pointer(place[0], row)
    if place is None or records.get(*place) is None:
        return last_existing
    raise IdentityError(f"more than {LONGEST_CHAIN} pointers from {name} {record_id}")


def persons(records: Records) -> dict[str, str | None]:
    """Every lead and contact, deleted ones too → its person."""
    return {
        str(row["Id"]): person_of(records, name, str(row["Id"]))
        for name in ("Lead", "Contact")
        for row in records.all(name)
    }


class People:
    """Persons with their records, accounts and age."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self.person = persons(records)
        self._records = records
        self._clock = clock
        self.records_of: dict[str, list[tuple[str, Row]]] = {}
        for name in ("Lead", "Contact"):
            for row in records.all(name):
                person = self.person[str(row["Id"])]
                if person is not None:
                    self.records_of.setdefault(person, []).append((name, row))

    def created(self, person: str) -> When | None:
        """D14: creation of the person's earliest Lead or Contact record; None if unknown."""
        known = [moment for _, row in self.records_of[person] if (moment := when(row, "CreatedDate")) is not None]
        return min(known, key=lambda moment: self._clock.response(moment).key, default=None)

    def existed_on(self, person: str, day: dt.date) -> bool:
        """D14: on or before that local day, or unknown."""
        created = self.created(person)
        return created is None or self._clock.day(created) <= day

    def earliest_record(self, person: str) -> Row:
        """D22: of either kind by creation (unknown last), then id; merge losers included."""

        def age(row: Row) -> tuple[dt.datetime, str]:
            created = when(row, "CreatedDate")
            return (LAST if created is None else self._clock.response(created).key, str(row["Id"]))

        return min((row for _, row in self.records_of[person]), key=age)

    def own_record(self, person: str) -> Row:
        """The record whose id the person bears."""
        return next(row for _, row in self.records_of[person] if row["Id"] == person)

    def account(self, person: str) -> str | None:
        """§4 Units: persons by AccountId, leads by converted account."""
        row = self.own_record(person)
        if self._records.get("Contact", person) is not None:
            return text(row, "AccountId")
        return text(row, "ConvertedAccountId") if flag(row, "IsConverted") else None

    def of_member(self, member: Row) -> str | None:
        """D4: the contact, else the lead; D3: none if that record is not there."""
        record = text(member, "ContactId") or text(member, "LeadId")
        return self.person.get(record) if record else None
