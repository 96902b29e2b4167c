"""What an administrator changes: fields, visibility, sharing, campaign influence models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from leadline_double.ids import PREFIXES
from leadline_double.lifecycle import Lifecycle
from leadline_double.schema import NUMERIC, Field, ObjectType, words
from leadline_double.state import Record
from leadline_double.values import typed

_AUDIT: Final = words("Id IsDeleted CreatedDate CreatedById LastModifiedDate LastModifiedById SystemModstamp")


class Administration(Lifecycle):
    """Changes to the shape of the org; none of them moves a stamp of a record."""

    def add_field(
        self, object_name: str, name: str, type: str = "string", *, default: Any = None, **traits: Any
    ) -> Field:
        """A new field, usually NAME__c; every record gets `default`. `traits` are those of `Field`."""
        with self.lock:
            scale = {"currency": 2, "percent": 2}.get(type)
            shape: dict[str, Any] = {"custom": name.endswith("__c"), "scale": scale}
            if type in {"string", "picklist", "email", "url", "phone"}:
                shape["length"] = 255
            if type in NUMERIC:
                shape["precision"] = 18
            one = Field(name, type, **(shape | traits))
            self.objects[object_name].fields[name] = one
            for record in self.tables[object_name].values():
                record[name] = typed(one, default)
            self.version += 1
            return one

    def add_formula(
        self, object_name: str, name: str, formula: Callable[[Record, Any], Any], type: str = "string", **traits: Any
    ) -> None:
        """A field worked out at each reading from the record and the org; it never moves a stamp."""
        with self.lock:
            self.add_field(object_name, name, type, calculated=True, createable=False, updateable=False, **traits)
            self.formulas[object_name][name] = formula

    def remove_field(self, object_name: str, name: str) -> None:
        """The field and its values are gone."""
        with self.lock:
            del self.objects[object_name].fields[name]
            self.formulas[object_name].pop(name, None)
            for record in self.tables[object_name].values():
                record.pop(name, None)
            self.version += 1

    def rename_field(self, object_name: str, name: str, new: str) -> None:
        """Another API name for the same values, at the same place in describe."""
        with self.lock:
            shape = self.objects[object_name]
            shape.fields = {
                new if key == name else key: replace(one, name=new) if key == name else one
                for key, one in shape.fields.items()
            }
            for record in self.tables[object_name].values():
                record[new] = record.pop(name)
            self.version += 1

    def retype_field(
        self, object_name: str, name: str, type: str, convert: Callable[[Any], Any] = lambda value: value, **traits: Any
    ) -> None:
        """Another type for a field; `convert` makes the new values, what does not fit becomes an error."""
        with self.lock:
            shape = self.objects[object_name]
            one = replace(shape.fields[name], type=type, said=None, **({"scale": None, "length": 0} | traits))
            shape.fields[name] = one
            for record in self.tables[object_name].values():
                record[name] = typed(one, None if record[name] is None else convert(record[name]))
            self.version += 1

    def hide_field(self, object_name: str, name: str) -> None:
        """Field-level security takes the field from the integration user."""
        with self.lock:
            self.objects[object_name].hidden_fields.add(name)
            self.version += 1

    def show_field(self, object_name: str, name: str) -> None:
        """Field-level security gives the field back."""
        with self.lock:
            self.objects[object_name].hidden_fields.discard(name)
            self.version += 1

    def hide_object(self, object_name: str, hidden: bool = True) -> None:
        """The user's profile loses (or regains) the object."""
        with self.lock:
            self.objects[object_name].hidden = hidden
            self.version += 1

    def hide_records(self, *record_ids: str) -> None:
        """Sharing takes records from the user: no query, no getDeleted, no Id shows them."""
        with self.lock:
            self.hidden_records.update(record_ids)
            self.version += 1

    def show_records(self, *record_ids: str) -> None:
        """Sharing gives records back; their stamps do not move."""
        with self.lock:
            self.hidden_records.difference_update(record_ids)
            self.version += 1

    def add_object(self, name: str, prefix: str = "a00", **fields: str) -> ObjectType:
        """A custom object with the audit fields, Name, OwnerId and the given fields (name → type)."""
        with self.lock:
            lead = self.objects["Lead"].fields
            own = {field: replace(lead[field], said=None) for field in [*_AUDIT, "OwnerId"]}
            own["Name"] = Field("Name", "string", length=80)
            made = ObjectType(name, prefix, own, custom=name.endswith("__c"))
            self.objects[name], self.tables[name] = made, {}
            PREFIXES.setdefault(name, prefix)
            for field, kind in fields.items():
                self.add_field(name, field, kind)
            return made

    def add_model(self, developer_name: str, *, model_type: str = "2", locked: bool = True, **values: Any) -> str:
        """A campaign influence model, made in Setup; type 2 is a custom model, type 1 the primary campaign source."""
        return self.create(
            "CampaignInfluenceModel",
            **{
                "DeveloperName": developer_name, "MasterLabel": developer_name.replace("_", " "), "ModelType": model_type,
                "IsModelLocked": locked, "IsActive": True, "RecordPreference": "AllRecords", "Language": "en_US",
            } | values,
        )  # fmt: skip

    def recalculate_influence(self) -> None:
        """The primary model's rows are made anew: what others wrote there is lost."""
        with self.lock:
            models = [one["Id"] for one in self.live("CampaignInfluenceModel") if one["ModelType"] == "1"]
            for row in [one for one in self.live("CampaignInfluence") if one["ModelId"] in models]:
                self.erase("CampaignInfluence", row["Id"])
            for model in models:
                for deal in self.live("Opportunity"):
                    if deal["CampaignId"]:
                        self.create(
                            "CampaignInfluence",
                            OpportunityId=deal["Id"], CampaignId=deal["CampaignId"], ModelId=model, Influence=100,
                        )  # fmt: skip

    def deactivate_model(self, model_id: str) -> None:
        """An inactive model loses its rows."""
        with self.lock:
            self.update("CampaignInfluenceModel", model_id, IsActive=False)
            for row in self.referring("CampaignInfluence", "ModelId", model_id):
                self.erase("CampaignInfluence", row["Id"])
