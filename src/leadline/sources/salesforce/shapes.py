"""What an org says of its objects: the fields the integration user can read, and how they may be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from leadline.errors import SalesforceError
from leadline.schema import HISTORY_PARENT, OBJECTS
from leadline.sources.salesforce.session import Session

COMPOUND: Final = frozenset({"address", "location", "base64", "complexvalue", "json"})
"""Types of fields that queries of the Bulk API refuse; the parts of compound ones are fields themselves."""

CURSORS: Final = ("SystemModstamp", "LastModifiedDate", "CreatedDate")


@dataclass(frozen=True, slots=True)
class FieldShape:
    """One field as its describe has it.

    Attributes:
        type: Salesforce's name of its type.
        calculated: a formula or roll-up of this org: its value moves without the record's stamps.
        to: objects a lookup points at.
    """

    name: str
    type: str
    calculated: bool
    filterable: bool
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ObjectShape:
    """One object as its describe has it; fields by name, in the order of the org."""

    name: str
    fields: dict[str, FieldShape]
    replicateable: bool

    @property
    def cursor(self) -> str | None:
        """The field by which changes are found, or None: then the object is always read whole."""
        usable = CURSORS if self.name not in HISTORY_PARENT or "SystemModstamp" in self.fields else CURSORS[2:]
        return next((name for name in usable if name in self.fields and self.fields[name].filterable), None)

    @property
    def has_formulas(self) -> bool:
        """Whether it has fields that change without a change of the record."""
        return any(field.calculated for field in self.fields.values())

    def selected(self, extra: frozenset[str], *, custom: bool) -> tuple[str, ...]:
        """The fields to read: those Leadline knows, those the settings name, and custom ones if wanted.

        Those of the schema come first, in its order; Id leads.
        """
        readable = [field.name for field in self.fields.values() if field.type not in COMPOUND]
        known = [name for name in OBJECTS[self.name] if name in readable]
        rest = [name for name in readable if name not in known and (name in extra or (custom and name.endswith("__c")))]
        return tuple(dict.fromkeys(["Id", *known, *sorted(rest)]))


def visible_objects(session: Session) -> frozenset[str]:
    """Names of the objects the integration user can query."""
    told = session.get(session.data("sobjects/"), "the list of objects")
    return frozenset(str(one["name"]) for one in told["sobjects"] if one.get("queryable"))


def describe(session: Session, name: str) -> ObjectShape:
    """One object.

    Raises:
        SalesforceError: the org does not describe it, or its describe has no Id.
    """
    shape = shape_of(describe_all(session, name))
    if "Id" not in shape.fields:
        raise SalesforceError(f"{name} has no readable Id in this org; it cannot be followed.")
    return shape


def describe_all(session: Session, name: str) -> dict[str, Any]:
    """All that an org says of one object."""
    told: dict[str, Any] = session.get(session.data(f"sobjects/{name}/describe/"), f"the fields of {name}")
    return told


def shape_of(told: dict[str, Any]) -> ObjectShape:
    """The part of a describe that counts here."""
    fields = {
        str(one["name"]): FieldShape(
            name=str(one["name"]),
            type=str(one["type"]),
            calculated=bool(one.get("calculated")) and bool(one.get("custom", str(one["name"]).endswith("__c"))),
            filterable=bool(one.get("filterable", True)),
            to=tuple(one.get("referenceTo") or ()),
        )
        for one in told["fields"]
    }
    return ObjectShape(str(told["name"]), fields, bool(told.get("replicateable")))
