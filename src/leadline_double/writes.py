"""Rows that a client writes: what the platform checks before it takes them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from leadline_double.ids import normal_id
from leadline_double.org import Org
from leadline_double.problems import ApiError
from leadline_double.schema import ObjectType
from leadline_double.values import typed

if TYPE_CHECKING:
    from leadline_double.service import Service

_ACCESS: Final = (
    "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is read/write "
    "for your profile or permission set."
)
_COMPUTED_MODELS: Final = frozenset({"3", "4", "5", "6"})


def named_values(entity: ObjectType, sent: Any) -> dict[str, Any]:
    """Values under the fields' own names; names a user cannot see are unknown.

    Raises:
        ApiError: INVALID_FIELD, for the whole request.
    """
    if not isinstance(sent, dict):
        raise ApiError("JSON_PARSER_ERROR", "Can not deserialize SObject from that")
    by_name = {name.lower(): name for name in entity.visible()}
    values = {}
    for name, value in sent.items():
        if name == "attributes":
            continue
        if name.lower() not in by_name:
            raise ApiError("INVALID_FIELD", f"No such column '{name}' on sobject of type {entity.name}")
        values[by_name[name.lower()]] = value
    return values


def _check_access(entity: ObjectType, values: dict[str, Any], right: str) -> None:
    closed = sorted(name for name in values if not getattr(entity.fields[name], right))
    if closed:
        raise ApiError("INVALID_FIELD_FOR_INSERT_UPDATE", _ACCESS.format(", ".join(closed)), fields=closed)


def _typed(entity: ObjectType, values: dict[str, Any]) -> dict[str, Any]:
    return {name: typed(entity.fields[name], value) for name, value in values.items()}


def _check_lookups(org: Org, entity: ObjectType, values: dict[str, Any]) -> None:
    for name, value in values.items():
        targets = [one for one in entity.fields[name].reference_to if one in org.tables]
        if entity.fields[name].type != "reference" or value is None or not targets:
            continue
        found = next((org.tables[one][value] for one in targets if value in org.tables[one]), None)
        if found is None or value in org.hidden_records:
            raise ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[])
        if found.get("IsDeleted"):
            raise ApiError("ENTITY_IS_DELETED", "entity is deleted", fields=[])


def _check_unique(org: Org, entity: ObjectType, values: dict[str, Any], own: str | None) -> None:
    for name, value in values.items():
        if not entity.fields[name].unique or value is None:
            continue
        for other in org.referring(entity.name, name, value):
            if other["Id"] != own and not other.get("IsDeleted"):
                message = f"duplicate value found: {name} duplicates value on record with id: {other['Id']}"
                raise ApiError("DUPLICATE_VALUE", message, fields=[])


def _check_required(entity: ObjectType, values: dict[str, Any], *, whole: bool) -> None:
    needed = [
        name
        for name, one in entity.visible().items()
        if one.createable and not one.nillable and not one.defaulted and one.type != "boolean"
    ]
    missing = [name for name in needed if (whole or name in values) and values.get(name) is None]
    if entity.name == "CampaignMember" and whole and not values.get("LeadId") and not values.get("ContactId"):
        missing = [*missing, "LeadId"]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise ApiError("REQUIRED_FIELD_MISSING", message, fields=missing)


def _check_member(org: Org, values: dict[str, Any]) -> None:
    for lookup in ("LeadId", "ContactId"):
        person = values.get(lookup)
        for other in org.referring("CampaignMember", lookup, person) if person else []:
            if other["CampaignId"] == values.get("CampaignId") and not other["IsDeleted"]:
                raise ApiError("DUPLICATE_VALUE", "Already a campaign member.", fields=[])
    _check_member_status(org, values.get("CampaignId"), values.get("Status"))


def _check_member_status(org: Org, campaign: Any, status: Any) -> None:
    labels = {one["Label"] for one in org.referring("CampaignMemberStatus", "CampaignId", campaign)}
    if org.rules.member_needs_status and status is not None and status not in labels:
        message = f"Status: bad value for restricted picklist field: {status}"
        raise ApiError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, fields=["Status"])


def _check_influence(org: Org, values: dict[str, Any], own: str | None) -> None:
    model = org.tables["CampaignInfluenceModel"].get(values["ModelId"], {})
    if model.get("ModelType") in _COMPUTED_MODELS:
        raise ApiError("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", fields=[])
    if not model.get("IsActive"):
        raise ApiError("FIELD_INTEGRITY_EXCEPTION", "The campaign influence model is not active", fields=["ModelId"])
    key = ("ModelId", "CampaignId", "ContactId")
    others = [
        one
        for one in org.referring("CampaignInfluence", "OpportunityId", values["OpportunityId"])
        if not one["IsDeleted"] and one["Id"] != own and one["ModelId"] == values["ModelId"]
    ]
    if any(all(one[name] == values.get(name) for name in key) for one in others):
        raise ApiError("DUPLICATE_VALUE", "duplicate value found: a row of this model exists already", fields=[])
    total = sum((one["Influence"] or Decimal(0) for one in others), Decimal(0)) + (values.get("Influence") or 0)
    if org.rules.influence_sum_limit and total > 100:
        raise ApiError("FIELD_INTEGRITY_EXCEPTION", "Influence percentages exceed 100%", fields=["Influence"])


def create_row(service: Service, entity: ObjectType, sent: Any) -> str:
    """A new record from a client; returns its id.

    Raises:
        ApiError: it is refused.
    """
    org = service.org
    if not entity.createable:
        raise ApiError(
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {entity.name}", fields=[]
        )
    values = named_values(entity, sent)
    if values.pop("Id", None):
        raise ApiError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", fields=["Id"])
    _check_access(entity, values, "createable")
    values = _typed(entity, values)
    _check_required(entity, values, whole=True)
    _check_lookups(org, entity, values)
    _check_unique(org, entity, values, None)
    if entity.name == "CampaignMember":
        _check_member(org, values)
    if entity.name == "CampaignInfluence":
        values.setdefault("Influence", Decimal(0))
        _check_influence(org, values, None)
    service.refused(entity.name, "insert", values)
    return org.create(entity.name, **values)


def update_row(service: Service, entity: ObjectType, record_id: Any, sent: Any) -> str:
    """Change a record; returns its id of 18 characters.

    Raises:
        ApiError: it is refused.
    """
    org = service.org
    key = normal_id(record_id, "Id")
    record = org.tables[entity.name].get(key)
    if record is None or key in org.hidden_records:
        raise ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", 404, fields=[])
    if record.get("IsDeleted"):
        raise ApiError("ENTITY_IS_DELETED", "entity is deleted", 404, fields=[])
    values = named_values(entity, sent)
    values.pop("Id", None)
    if entity.name == "Lead" and record["IsConverted"]:
        raise ApiError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", fields=[])
    _check_access(entity, values, "updateable")
    values = _typed(entity, values)
    _check_required(entity, values, whole=False)
    _check_lookups(org, entity, values)
    _check_unique(org, entity, values, key)
    if entity.name == "CampaignInfluence":
        _check_influence(org, {**record, **values}, key)
    if entity.name == "CampaignMember" and "Status" in values:
        _check_member_status(org, record["CampaignId"], values["Status"])
    service.refused(entity.name, "update", {"Id": key, **values})
    org.update(entity.name, key, **values)
    return key


def delete_row(service: Service, entity: ObjectType, record_id: Any, *, hard: bool = False) -> str:
    """A record into the recycle bin, or gone for good.

    Raises:
        ApiError: it is refused.
    """
    org, key = service.org, normal_id(record_id, "Id")
    if not entity.createable:
        raise ApiError("INSUFFICIENT_ACCESS_OR_READONLY", f"entity type cannot be deleted: {entity.name}", fields=[])
    if key not in org.tables[entity.name] or key in org.hidden_records:
        raise ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", 404, fields=[])
    service.refused(entity.name, "delete", {"Id": key})
    org.delete(entity.name, key)
    if hard:
        org.purge(key)
    return key


def find_external(org: Org, entity: ObjectType, field_name: str, value: Any) -> str | None:
    """The live record that an external id names; None where there is none.

    Raises:
        ApiError: the field is no external id, or several records match.
    """
    one = entity.visible().get(field_name)
    named = one is not None and (one.name == "Id" or one.external_id or bool(one.said and one.said["idLookup"]))
    if one is None or not named:
        message = f"Provided external ID field does not exist or is not accessible: {field_name}"
        raise ApiError("NOT_FOUND", message, 404)
    wanted = typed(one, value)
    if wanted is None:
        return None
    hits = [row["Id"] for row in org.referring(entity.name, one.name, wanted) if not row.get("IsDeleted")]
    if len(hits) > 1:
        raise ApiError(
            "DUPLICATE_EXTERNAL_ID", f"more than one record found for external id field: {hits}", 300, fields=[]
        )
    if one.name == "Id" and not hits:
        raise ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", 404, fields=[])
    return hits[0] if hits else None
