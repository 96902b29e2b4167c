"""The records as Python values, tidied the way the door does it (§2 ids; D3 deleted records)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from leadline import schema
from tests.oracle.clock import When, whole_second

Row = dict[str, object]
Org = dict[str, list[Row]]

EMPTY_ID = "000000000000000AAA"
_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def eighteen(record_id: str) -> str:
    """§2: ids are 18 characters; the last three tell which of the 15 are capitals."""
    if len(record_id) != 15:
        return record_id
    suffix = ""
    for start in (0, 5, 10):
        bits = [character.isupper() for character in record_id[start : start + 5]]
        suffix += _SUFFIX[sum(1 << place for place, capital in enumerate(bits) if capital)]
    return record_id + suffix


def tidy_value(kind: str | None, value: object) -> object:
    """Empty text and the empty lookup are null; naive datetimes are UTC; instants are whole seconds (D21)."""
    if value == "" or (kind == "id" and value == EMPTY_ID):
        return None
    if kind == "id" and isinstance(value, str):
        return eighteen(value)
    if isinstance(value, dt.datetime):
        return whole_second(value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value)
    return value


class Records:
    """All records by object; `alive` leaves out what counts nowhere (D3)."""

    def __init__(self, org: Org) -> None:
        self._rows: dict[str, dict[str, Row]] = {}
        for name, rows in org.items():
            kinds = schema.OBJECTS.get(name, {})
            tidied = [{field: tidy_value(kinds.get(field), value) for field, value in row.items()} for row in rows]
            self._rows[name] = {str(row["Id"]): row for row in tidied}

    def all(self, name: str) -> list[Row]:
        """Every record of an object, deleted ones included."""
        return list(self._rows.get(name, {}).values())

    def alive(self, name: str) -> list[Row]:
        """D3: a record with IsDeleted true counts nowhere."""
        return [row for row in self.all(name) if row.get("IsDeleted") is not True]

    def get(self, name: str, record_id: str | None) -> Row | None:
        """A record by id, deleted or not; None if it is not there."""
        return self._rows.get(name, {}).get(record_id) if record_id else None

    def get_alive(self, name: str, record_id: str | None) -> Row | None:
        """A record by id that counts."""
        row = self.get(name, record_id)
        return None if row is None or row.get("IsDeleted") is True else row


def text(row: Row | None, field: str) -> str | None:
    """A text or id, None if empty or not there."""
    value = None if row is None else row.get(field)
    return None if value is None else str(value)


def flag(row: Row | None, field: str) -> bool:
    """A yes/no field; what is not there is not yes."""
    return row is not None and row.get(field) is True


def number(row: Row | None, field: str) -> Decimal | None:
    """An amount or a rate in exact decimals."""
    value = None if row is None else row.get(field)
    return None if value is None else Decimal(str(value))


def when(row: Row | None, field: str) -> When | None:
    """A date or an instant; ISO text counts, other text does not."""
    value = None if row is None else row.get(field)
    if isinstance(value, str):
        return from_iso(value)
    return value if isinstance(value, dt.date) else None


def from_iso(value: str) -> When | None:
    """`YYYY-MM-DD` as a date, `YYYY-MM-DDTHH:MM:SSZ` as an instant in UTC, anything else as None."""
    try:
        if len(value) == 10:
            return dt.date.fromisoformat(value)
        instant = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return instant.replace(tzinfo=dt.UTC) if instant.tzinfo is None else instant.astimezone(dt.UTC)


def ids(rows: Iterable[Row]) -> list[str]:
    """Ids of records."""
    return [str(row["Id"]) for row in rows]
