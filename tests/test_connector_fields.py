"""Changes of an org's fields: twelve kinds on eight objects, none of them passed over in silence."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from leadline.config import SalesforceSettings, Settings, parse
from leadline.errors import FieldsChangedError
from leadline.schema import OBJECTS, Kind
from leadline.sources.salesforce import plan
from leadline.sources.salesforce.marks import Mark
from leadline.sources.salesforce.pull import settings_fields
from leadline.sources.salesforce.shapes import FieldShape, ObjectShape

NAMES = ("Lead", "Contact", "Account", "Campaign", "CampaignMember", "Opportunity", "OpportunityContactRole", "Task")
MOMENT = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
TYPES: dict[Kind, str] = {
    "id": "reference",
    "text": "string",
    "bool": "boolean",
    "integer": "int",
    "number": "double",
    "decimal": "currency",
    "rate": "double",
    "date": "date",
    "datetime": "datetime",
}


def field(name: str, kind: str) -> FieldShape:
    return FieldShape(name, kind, False, True, ())


def shape_of(name: str) -> ObjectShape:
    """An object with all fields Leadline knows, two custom ones, and one it does not read."""
    fields = {one: field(one, TYPES[kind]) for one, kind in OBJECTS[name].items()}
    fields |= {"Region__c": field("Region__c", "picklist"), "Score__c": field("Score__c", "double")}
    return ObjectShape(name, fields | {"Fax": field("Fax", "phone")}, replicateable=True)


def retyped(name: str, kind: str, shape: ObjectShape) -> ObjectShape:
    return replace(shape, fields=shape.fields | {name: replace(shape.fields[name], type=kind)})


def without(shape: ObjectShape, *names: str) -> ObjectShape:
    return replace(shape, fields={name: one for name, one in shape.fields.items() if name not in names})


def read(shape: ObjectShape) -> tuple[Mark, tuple[str, ...]]:
    fields = shape.selected(frozenset(), custom=True)
    return Mark(MOMENT, MOMENT, {one: shape.fields[one].type for one in fields}), fields


def changed(mark: Mark, name: str, shape: ObjectShape | None) -> list[str]:
    """Codes of findings when going on is asked for; FieldsChangedError is what stops otherwise."""
    shapes = {} if shape is None else {name: shape}
    with pytest.raises(FieldsChangedError, match=name):
        plan.changes({name: mark}, shapes, SalesforceSettings(), accept=False)
    accepted = plan.changes({name: mark}, shapes, SalesforceSettings(), accept=True)
    assert accepted == plan.changes({name: mark}, shapes, SalesforceSettings(on_field_change="evolve"), accept=False)
    return [one.code for one in accepted]


@pytest.mark.parametrize("name", NAMES)
def test_what_takes_values_away_stops(name: str):
    shape = shape_of(name)
    mark, _ = read(shape)
    renamed = without(shape, "Region__c")
    renamed.fields["Area__c"] = field("Area__c", "picklist")
    for now in (
        without(shape, "Score__c"),
        without(shape, "SystemModstamp"),
        renamed,
        retyped("Score__c", "string", shape),
        retyped("Region__c", "double", shape),
        retyped("CreatedDate", "date", shape),
        retyped("Region__c", "boolean", shape),
        without(shape, "Score__c", "Region__c"),
    ):
        assert changed(mark, name, now) == ["org-fields-changed"]
    assert changed(mark, name, None) == ["org-object-hidden"]


@pytest.mark.parametrize("name", NAMES)
def test_what_takes_nothing_away_goes_on(name: str):
    shape = shape_of(name)
    mark, fields = read(shape)
    for now in (
        retyped("Region__c", "string", shape),
        retyped("Score__c", "currency", shape),
        without(shape, "Fax"),
        shape,
    ):
        assert plan.changes({name: mark}, {name: now}, SalesforceSettings(), accept=False) == []
        assert not plan.plan(now, fields, mark, MOMENT + dt.timedelta(hours=1), SalesforceSettings()).whole


@pytest.mark.parametrize("name", NAMES)
def test_a_new_field_means_reading_all_of_it(name: str):
    shape = shape_of(name)
    mark, _ = read(shape)
    shape.fields["New__c"] = field("New__c", "string")
    fields = shape.selected(frozenset(), custom=True)
    assert "New__c" in fields
    assert plan.changes({name: mark}, {name: shape}, SalesforceSettings(), accept=False) == []
    assert plan.plan(shape, fields, mark, MOMENT + dt.timedelta(hours=1), SalesforceSettings()).whole


def test_fields_of_the_settings_are_found_wherever_they_stand():
    settings: Settings = parse(
        """
        [amount]
        field = "Net__c"
        [responses]
        date_field = "Responded__c"
        [dimensions.region]
        object = "Person"
        field = "Region__c"
        [funnel.people]
        stages = [{ name = "MQL", from = [{ object = "Lead", field = "MQL__c", stamp = true }] }]
        """
    )
    assert settings_fields(settings, "Opportunity") == {"Net__c"}
    assert settings_fields(settings, "CampaignMember") == {"Responded__c"}
    assert settings_fields(settings, "Lead") == {"MQL__c", "Region__c"}
    assert settings_fields(settings, "Contact") == {"Region__c"}
