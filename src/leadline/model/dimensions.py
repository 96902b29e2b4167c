"""Values of the dimensions that rest on a field of a record.

A dimension belongs to one kind of thing (campaign, person, account, opportunity); each thing has
one value of it. What is null is absent here, and stays apart from the text "Unknown".
"""

from __future__ import annotations

from functools import reduce

import ibis
import ibis.expr.types as ir

from leadline.config import Dimension, Settings
from leadline.model import users
from leadline.model.nothing import nothing
from leadline.model.source import Source

BUILT_IN: dict[str, Dimension] = {
    "campaign_type": Dimension(object="Campaign", field="Type"),
    "campaign_status": Dimension(object="Campaign", field="Status"),
    "lead_source": Dimension(object="Person", field="LeadSource"),
    "industry": Dimension(object="Lead", field="Industry"),
    "country": Dimension(object="Lead", field="Country"),
    "account_industry": Dimension(object="Account", field="Industry"),
    "account_type": Dimension(object="Account", field="Type"),
    "opportunity_type": Dimension(object="Opportunity", field="Type"),
    "opportunity_source": Dimension(object="Opportunity", field="LeadSource"),
    "stage_name": Dimension(object="Opportunity", field="StageName"),
    "owner": Dimension(object="User", field="Name"),
}
"""Dimensions every workspace has, as far as the source holds their field."""

ACCOUNT_FALLBACK: dict[str, str] = {"industry": "Industry"}
"""Built-in dimensions of a person that take this field of the person's account where the lead has none."""


def declared(settings: Settings) -> dict[str, Dimension]:
    """All dimensions that rest on a field, built-in and configured, by name."""
    return {**BUILT_IN, **settings.dimensions}


def kind_of(dimension: Dimension) -> str:
    """What a dimension belongs to: campaign, person, account or opportunity (also for its owner)."""
    if dimension.object in ("Lead", "Contact", "Person"):
        return "person"
    return "opportunity" if dimension.object == "User" else dimension.object.lower()


def values(source: Source, settings: Settings, persons: ir.Table) -> ir.Table:
    """Columns: dimension, kind, id (of the campaign, person, account or opportunity), value."""
    parts = [
        part
        for name, dimension in declared(settings).items()
        if (part := _values(source, name, dimension, persons)) is not None
    ]
    if not parts:
        return nothing(ibis.schema({"dimension": "string", "kind": "string", "id": "string", "value": "string"}))
    return reduce(ibis.union, parts)


def _values(source: Source, name: str, dimension: Dimension, persons: ir.Table) -> ir.Table | None:
    kind = kind_of(dimension)
    if dimension.object == "User":
        return _owners(source, name, dimension.field)
    objects: list[str] = ["Lead", "Contact"] if dimension.object == "Person" else [dimension.object]
    held = [one for one in objects if source.has(one, dimension.field)]
    if not held and not (name in ACCOUNT_FALLBACK and source.has("Account", ACCOUNT_FALLBACK[name])):
        return None
    held = held or objects
    if kind == "person":
        found = reduce(ibis.union, [_fields(source, one, dimension.field) for one in held])
        found = _of_earliest(found, persons)
        if name in ACCOUNT_FALLBACK and dimension == BUILT_IN[name]:
            found = _with_account(source, found, persons, ACCOUNT_FALLBACK[name])
    else:
        found = _fields(source, dimension.object, dimension.field)
    known = found.filter(found.value.notnull())
    return known.select(dimension=ibis.literal(name), kind=ibis.literal(kind), id="id", value="value")


def _owners(source: Source, name: str, field: str) -> ir.Table | None:
    """A field of the opportunity's owner; without a readable name the owner's id stands for it."""
    if not source.has("Opportunity", "OwnerId") or (field != "Name" and not source.has("User", field)):
        return None
    rows = source.with_deleted("User")
    value = users.full_name(rows) if field == "Name" else rows[field].cast("string")
    owned = source.table("Opportunity").select("OwnerId", id="Id")
    joined = owned.left_join(rows.select(owner_id="Id", named=value), [("OwnerId", "owner_id")])
    shown = ibis.coalesce(joined.named, joined.OwnerId) if field == "Name" else joined.named
    known = joined.select("id", value=shown).filter(ibis._.value.notnull())
    return known.select(dimension=ibis.literal(name), kind=ibis.literal("opportunity"), id="id", value="value")


def _fields(source: Source, name: str, field: str) -> ir.Table:
    rows = source.with_deleted(name) if name in ("Lead", "Contact") else source.table(name)
    return rows.select(id="Id", value=rows[field].cast("string"))


def _with_account(source: Source, found: ir.Table, persons: ir.Table, field: str) -> ir.Table:
    """The person's own value, else that of the account of the person's surviving record."""
    own = found.filter(found.value.notnull()).select("id", "value")
    survivors = persons.filter(persons.record_id == persons.person_id)
    without = survivors.select("account_id", id="person_id").anti_join(own, "id")
    accounts = _fields(source, "Account", field).rename(of_account="id")
    taken = without.join(accounts, [("account_id", "of_account")])
    return ibis.union(own, taken.select("id", "value"))


def _of_earliest(found: ir.Table, persons: ir.Table) -> ir.Table:
    """The value of the person's earliest record among those that have the field's object (D22)."""
    keys = persons.select("person_id", "created_s", id="record_id")
    joined = found.join(keys, "id")
    window = ibis.window(group_by="person_id", order_by=[joined.created_s.isnull(), "created_s", "id"])
    ranked = joined.mutate(nth=ibis.row_number().over(window))
    return ranked.filter(ranked.nth == 0).select("value", id="person_id")
