"""What describe answers: the recorded form, with the org's fields as they are now."""

from __future__ import annotations

from functools import cache
from typing import Any

from leadline_double.schema import NUMERIC, Field, ObjectType, read

_SOAP = {
    "id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int", "double": "xsd:double",
    "currency": "xsd:double", "percent": "xsd:double", "date": "xsd:date", "datetime": "xsd:dateTime",
    "address": "urn:address", "anyType": "xsd:anyType",
}  # fmt: skip
_UNGROUPED = frozenset({"datetime", "double", "currency", "percent", "textarea", "address", "anyType"})


@cache
def _templates() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A field, an object and an entry of the list of objects, as recorded."""
    role = read("describe/OpportunityContactRole.json")
    role_id = next(one for one in role["fields"] if one["name"] == "Role")
    return role_id, role, read("describe/_global.json")["sobjects"][0]


def picked(value: str) -> dict[str, Any]:
    """One value of a picklist."""
    return {"active": True, "defaultValue": False, "label": value, "validFor": None, "value": value}


def describe_field(one: Field) -> dict[str, Any]:
    """A field: what its real describe said, else the usual values of its type."""
    template = _templates()[0]
    shape = dict(one.said or template)
    if one.said is None:
        shape.update(
            byteLength=18 if one.type in {"id", "reference"} else 3 * one.length,
            groupable=one.type not in _UNGROUPED,
            aggregatable=one.type not in {"boolean", "textarea", "address", "anyType"},
            idLookup=one.type == "id" or one.external_id,
            nameField=one.name == "Name",
            permissionable=one.nillable,
            digits=8 if one.type == "int" else 0,
            soapType=_SOAP.get(one.type, "xsd:string"),
            picklistValues=[picked(value) for value in one.picklist],
            sortable=one.sortable,
            restrictedPicklist=one.restricted,
            polymorphicForeignKey=len(one.reference_to) > 1,
            label=one.label,
        )
    length = 18 if one.type in {"id", "reference"} else 0 if one.type in NUMERIC else one.length
    shape.update(
        name=one.name,
        type=one.type,
        nillable=one.nillable,
        createable=one.createable,
        updateable=one.updateable,
        filterable=one.filterable,
        calculated=one.calculated,
        custom=one.custom,
        defaultedOnCreate=one.defaulted,
        externalId=one.external_id,
        unique=one.unique,
        length=length,
        precision=one.precision,
        scale=one.scale or 0 if one.said is None else one.said["scale"],
        referenceTo=list(one.reference_to),
        relationshipName=one.relationship,
    )
    return shape


def _urls(name: str, version: str, urls: dict[str, str]) -> dict[str, str]:
    found = {}
    for key, url in urls.items():
        head, _, tail = url.partition("/sobjects/")
        parts = tail.split("/", 1)
        found[key] = f"/services/data/v{version}/sobjects/{name}/{parts[1]}" if len(parts) > 1 else head
        if tail and len(parts) == 1:
            found[key] = f"/services/data/v{version}/sobjects/{name}"
    return {key: url for key, url in found.items() if url.startswith("/services/")}


def describe_entry(entity: ObjectType, version: str) -> dict[str, Any]:
    """An object in the list of objects."""
    entry = dict(_templates()[2])
    said = entity.said or {}
    entry.update({key: said[key] for key in entry if key in said and key != "urls"})
    writeable = entity.createable
    entry.update(
        name=entity.name,
        keyPrefix=entity.prefix,
        custom=entity.custom,
        createable=writeable,
        updateable=writeable,
        deletable=writeable,
        undeletable=writeable and "IsDeleted" in entity.fields,
        mergeable=entity.name in {"Lead", "Contact", "Account"},
        queryable=True,
        retrieveable=True,
        replicateable=entity.replicateable,
        urls=_urls(entity.name, version, entry["urls"]),
    )
    if not said:
        label = entity.name.removesuffix("__c")
        entry.update(label=label, labelPlural=f"{label}s")
    return entry


def describe_object(entity: ObjectType, version: str) -> dict[str, Any]:
    """A whole describe: only fields that the user may see."""
    shape = dict(entity.said or _templates()[1])
    shape.update({key: one for key, one in describe_entry(entity, version).items() if key in shape and key != "urls"})
    shape["urls"] = _urls(entity.name, version, (entity.said or _templates()[1])["urls"])
    shape["fields"] = [describe_field(one) for one in entity.visible().values()]
    if entity.said is None:
        shape.update(
            childRelationships=[], recordTypeInfos=[], supportedScopes=[{"label": "All", "name": "everything"}]
        )
    return shape


def describe_global(objects: dict[str, ObjectType], version: str) -> dict[str, Any]:
    """The list of objects the user may see."""
    entries = [describe_entry(one, version) for _, one in sorted(objects.items()) if not one.hidden]
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": entries}
