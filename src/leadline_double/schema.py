"""Objects and fields of the org, and what describe says of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from leadline_double.ids import PREFIXES

DATA: Final = Path(__file__).parent / "data"


def words(text: str) -> tuple[str, ...]:
    """Names written one after the other."""
    return tuple(text.split())


NUMERIC: Final = frozenset({"int", "double", "currency", "percent"})
_HISTORY: Final = frozenset(
    {
        "OpportunityHistory",
        "OpportunityFieldHistory",
        "LeadHistory",
        "ContactHistory",
        "AccountHistory",
        "CampaignHistory",
    }
)
_READ_ONLY_OBJECTS: Final = _HISTORY | {
    "CampaignInfluenceModel", "CurrencyType", "DatedConversionRate", "LeadStatus", "OpportunityStage", "Organization",
    "RecordType",
}  # fmt: skip
_SYSTEM: Final = frozenset(
    words(
        "Id IsDeleted MasterRecordId CreatedDate CreatedById LastModifiedDate LastModifiedById SystemModstamp LastActivityDate "
        "LastViewedDate LastReferencedDate"
    )
)
_DERIVED: Final = frozenset(
    words(
        "Name Salutation FirstName LastName Title Street City State PostalCode Country Email Phone Fax MobilePhone Description "
        "DoNotCall HasOptedOutOfEmail HasOptedOutOfFax LeadSource CompanyOrAccount Type HasResponded FirstRespondedDate "
        "LeadOrContactId LeadOrContactOwnerId"
    )
)
_READ_ONLY: Final[dict[str, frozenset[str]]] = {
    "CampaignMember": _DERIVED,
    "Lead": frozenset(words("IsConverted ConvertedDate ConvertedAccountId ConvertedContactId ConvertedOpportunityId")),
    "Opportunity": frozenset(words("PushCount AgeInDays LastActivityInDays LastStageChangeInDays")),
    "Task": frozenset(words("IsClosed IsHighPriority IsArchived CompletedDateTime AccountId WhoCount WhatCount")),
}
ROLL_UPS: Final = words(
    "NumberOfLeads NumberOfConvertedLeads NumberOfContacts NumberOfResponses NumberOfOpportunities "
    "NumberOfWonOpportunities AmountAllOpportunities AmountWonOpportunities"
)
"""Fields of Campaign that the platform counts, with delay, without moving any stamp."""

_UNCHANGEABLE: Final[dict[str, frozenset[str]]] = {
    "CampaignMember": frozenset({"CampaignId", "LeadId", "ContactId"}),
    "CampaignMemberStatus": frozenset({"CampaignId"}),
}
_LENGTHS: Final = {"CampaignMember": {"Status": 40}, "Campaign": {"Name": 80}}


@dataclass(frozen=True)
class Field:
    """One field. `said` is what its real describe said, where there is one."""

    name: str
    type: str
    nillable: bool = True
    reference_to: tuple[str, ...] = ()
    relationship: str | None = None
    createable: bool = True
    updateable: bool = True
    filterable: bool = True
    calculated: bool = False
    custom: bool = False
    external_id: bool = False
    unique: bool = False
    defaulted: bool = False
    restricted: bool = False
    length: int = 0
    precision: int = 0
    scale: int | None = None
    picklist: tuple[str, ...] = ()
    said: dict[str, Any] | None = field(default=None, compare=False, repr=False)

    @property
    def label(self) -> str:
        """The name people see."""
        return str(self.said["label"]) if self.said else self.name.removesuffix("__c").replace("_", " ")

    @property
    def sortable(self) -> bool:
        """Whether ORDER BY takes it."""
        return bool(self.said["sortable"]) if self.said else self.filterable and self.type not in {"address", "anyType"}


@dataclass
class ObjectType:
    """One object: fields in describe's order; `readable` and the like are of the integration user."""

    name: str
    prefix: str
    fields: dict[str, Field]
    createable: bool = True
    custom: bool = False
    replicateable: bool = True
    hidden: bool = False
    hidden_fields: set[str] = field(default_factory=set)
    said: dict[str, Any] | None = None

    def visible(self) -> dict[str, Field]:
        """Fields that field-level security lets the user see."""
        return {name: one for name, one in self.fields.items() if name not in self.hidden_fields}

    def parents(self) -> Iterator[Field]:
        """Lookups one can walk in a query."""
        return (one for one in self.visible().values() if one.relationship)


def read(name: str) -> Any:
    """A data file beside this module."""
    return json.loads((DATA / name).read_text(encoding="utf-8"))


@cache
def _facts() -> dict[str, dict[str, dict[str, Any]]]:
    return read("objects.json")


@cache
def _said(name: str) -> dict[str, Any] | None:
    return read(f"describe/{name}.json") if (DATA / "describe" / f"{name}.json").exists() else None


def _writeable(name: str, field_name: str, facts: dict[str, Any]) -> tuple[bool, bool]:
    read_only = (
        name in _READ_ONLY_OBJECTS
        or field_name in _SYSTEM
        or field_name in _READ_ONLY.get(name, ())
        or (name == "Campaign" and (field_name in ROLL_UPS or field_name.startswith(("Hierarchy", "Total", "Unique"))))
        or facts["type"] in {"address", "anyType"}
    )
    if read_only:
        return False, False
    updateable = field_name not in _UNCHANGEABLE.get(name, ())
    return bool(facts.get("createable", True)), bool(facts.get("updateable", updateable))


def _from_facts(name: str, field_name: str, facts: dict[str, Any]) -> Field:
    createable, updateable = _writeable(name, field_name, facts)
    kind = facts["type"]
    return Field(
        field_name,
        kind,
        nillable=bool(facts["nillable"]),
        reference_to=tuple(facts.get("referenceTo", ())),
        relationship=facts.get("relationshipName"),
        createable=createable,
        updateable=updateable,
        filterable=bool(facts.get("filterable", True)),
        calculated=name == "Campaign" and field_name in ROLL_UPS,
        defaulted=kind == "boolean" or field_name in {"OwnerId", "CurrencyIsoCode", "Status", "Priority"},
        length=int(facts.get("length", 0)) or _LENGTHS.get(name, {}).get(field_name, 0),
        precision=18 if kind in NUMERIC else 0,
        scale=_scale(name, field_name, kind),
        picklist=tuple(facts.get("picklist", ())),
    )


def _scale(name: str, field_name: str, kind: str) -> int | None:
    if kind == "currency" or (name == "CampaignInfluence" and field_name == "Influence"):
        return 2
    return 0 if kind == "percent" else None


def _from_describe(said: dict[str, Any], facts: Field) -> Field:
    return replace(
        facts,
        type=said["type"],
        nillable=said["nillable"],
        createable=said["createable"],
        updateable=said["updateable"],
        filterable=said["filterable"],
        calculated=said["calculated"],
        defaulted=said["defaultedOnCreate"],
        restricted=said["restrictedPicklist"],
        length=said["length"],
        precision=said["precision"],
        # A currency has the decimals of its currency, whatever the field says.
        scale=facts.scale if said["type"] == "currency" else said["scale"] if said["type"] in NUMERIC else None,
        picklist=tuple(one["value"] for one in said["picklistValues"]),
        relationship=said["relationshipName"],
        said=said,
    )


def every_field(name: str) -> dict[str, Field]:
    """All fields of an object whose type is known, also those that the describing users did not see."""
    said = _said(name)
    described = {one["name"]: one for one in said["fields"]} if said else {}
    fields = {}
    for field_name, facts in _facts()[name].items():
        if facts["type"] is not None:
            one = _from_facts(name, field_name, facts)
            fields[field_name] = _from_describe(described[field_name], one) if field_name in described else one
    return fields


def _object(name: str, multi_currency: bool) -> ObjectType:
    said, facts = _said(name), _facts()[name]
    fields = {
        field_name: one
        for field_name, one in every_field(name).items()
        if facts[field_name]["seen"] not in {"S", "R"} and (multi_currency or field_name != "CurrencyIsoCode")
    }
    stamped = "SystemModstamp" in fields or name in _HISTORY
    return ObjectType(
        name,
        PREFIXES[name],
        fields,
        createable=name not in _READ_ONLY_OBJECTS,
        replicateable=bool(said["replicateable"]) if said else stamped and name != "Organization",
        said=said,
    )


def standard_objects(*, multi_currency: bool = True) -> dict[str, ObjectType]:
    """Fresh objects of a new org, each with the fields an ordinary user sees."""
    names = [name for name in _facts() if multi_currency or name not in {"CurrencyType", "DatedConversionRate"}]
    return {name: _object(name, multi_currency) for name in names}
