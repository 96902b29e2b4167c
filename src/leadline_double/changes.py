"""Creating and updating records: stamps, fields that follow from others, and history."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Final

from leadline_double.schema import ROLL_UPS, Field
from leadline_double.state import Record, State
from leadline_double.values import typed

STAMPS: Final = ("CreatedDate", "LastModifiedDate", "SystemModstamp")
_HISTORY_OF: Final = {
    "Lead": ("LeadHistory", "LeadId"),
    "Contact": ("ContactHistory", "ContactId"),
    "Account": ("AccountHistory", "AccountId"),
    "Campaign": ("CampaignHistory", "CampaignId"),
    "Opportunity": ("OpportunityFieldHistory", "OpportunityId"),
}
_DATA_TYPES: Final = {"boolean": "Boolean", "currency": "Currency", "date": "DateOnly", "datetime": "DateTime"}
_WATCHED: Final = ("StageName", "Amount", "CloseDate", "Probability")


class Changes(State):
    """What people, integrations and the platform do to records."""

    def create(self, object_name: str, /, **values: Any) -> str:
        """Make a record and return its id.

        Values are typed as the field says. Stamps may be given, as in a migration that sets audit
        fields; SystemModstamp is the present second unless it is given too.
        """
        with self.lock:
            fields = self.objects[object_name].fields
            record: Record = dict.fromkeys(fields)
            record.update({name: typed(fields[name], value) for name, value in values.items()})
            record["Id"] = record.get("Id") or self.numbering.new(self.objects[object_name].prefix)
            self._fill(object_name, record)
            self.tables[object_name][record["Id"]] = record
            self.linked(object_name, record)
            self.version += 1
            self._follow(object_name, record, None)
            self._remember_creation(object_name, record)
            return str(record["Id"])

    def update(self, object_name: str, record_id: str, /, *, automated: bool = False, **values: Any) -> None:
        """Change fields; an automated change moves SystemModstamp only.

        Raises:
            KeyError: there is no such record.
        """
        with self.lock:
            record, fields = self.record(object_name, record_id), self.objects[object_name].fields
            before = dict(record)
            record.update({name: typed(fields[name], value) for name, value in values.items()})
            if any((object_name, name) in self._links for name in values):
                self.unlink(object_name)
            self.touch(object_name, record_id, automated=automated)
            self._follow(object_name, record, before)
            self._remember_changes(object_name, record, before)

    def touch(self, object_name: str, record_id: str, *, automated: bool = True) -> None:
        """Move the stamps of a record without another change."""
        with self.lock:
            record, fields = self.record(object_name, record_id), self.objects[object_name].fields
            if "SystemModstamp" in fields:
                record["SystemModstamp"] = self.now()
            if not automated and "LastModifiedDate" in fields:
                record["LastModifiedDate"] = self.now()
                record["LastModifiedById"] = self.user_id or record.get("LastModifiedById")
            self.version += 1

    def put(self, object_name: str, record_id: str, /, **values: Any) -> None:
        """Change fields without moving any stamp, as roll-ups and back-fills do."""
        with self.lock:
            fields = self.objects[object_name].fields
            self.record(object_name, record_id).update({name: typed(fields[name], one) for name, one in values.items()})
            self.unlink(object_name)
            self.version += 1

    def track(self, object_name: str, *field_names: str) -> None:
        """Switch history tracking on for fields; not retroactive."""
        self.tracked[object_name].update(field_names)

    def roll_up(self) -> None:
        """Count the campaigns' roll-up fields anew; no stamp moves."""
        with self.lock:
            members, deals = self.live("CampaignMember"), self.live("Opportunity")
            for campaign in self.live("Campaign"):
                own = [one for one in members if one["CampaignId"] == campaign["Id"]]
                held = [one for one in deals if one["CampaignId"] == campaign["Id"]]
                won = [one for one in held if one["IsWon"]]
                leads = [self.tables["Lead"].get(one["LeadId"], {}) for one in own if one["LeadId"]]
                amounts = [sum((one["Amount"] or Decimal(0) for one in some), Decimal(0)) for some in (held, won)]
                counts = [len(leads), sum(bool(one.get("IsConverted")) for one in leads)]
                counts += [sum(bool(one["ContactId"]) for one in own), sum(bool(one["HasResponded"]) for one in own)]
                campaign.update(zip(ROLL_UPS, [*counts, len(held), len(won), *amounts], strict=True))
            self.version += 1

    def _fill(self, object_name: str, record: Record) -> None:
        fields, now = self.objects[object_name].fields, self.now()
        for name, one in fields.items():
            if one.type == "boolean" and record[name] is None:
                record[name] = False
        created = record.get("CreatedDate") or now
        for name in STAMPS:
            if name in fields and record[name] is None:
                record[name] = now if name == "SystemModstamp" else created
        for name in ("CreatedById", "LastModifiedById", "OwnerId"):
            if name in fields and record[name] is None:
                record[name] = self.user_id or None
        if "CurrencyIsoCode" in fields and record["CurrencyIsoCode"] is None:
            record["CurrencyIsoCode"] = self.currency

    def _follow(self, object_name: str, record: Record, before: Record | None) -> None:
        """Fields that the platform sets from others."""
        if object_name in {"Lead", "Contact"}:
            record["Name"] = " ".join(part for part in (record["FirstName"], record["LastName"]) if part)
        elif object_name == "CampaignMember":
            self._follow_member(record)
        elif object_name == "Opportunity":
            self._follow_opportunity(record, before)
        elif object_name == "CampaignInfluence":
            amount = self.tables["Opportunity"].get(record["OpportunityId"], {}).get("Amount")
            share = None if amount is None or record["Influence"] is None else amount * record["Influence"] / 100
            record["RevenueShare"] = None if share is None else share.quantize(Decimal("0.01"))

    def _follow_member(self, record: Record) -> None:
        statuses = self.referring("CampaignMemberStatus", "CampaignId", record["CampaignId"])
        if record["Status"] is None:
            record["Status"] = next((one["Label"] for one in statuses if one["IsDefault"]), "Sent")
        responded = {one["Label"]: one["HasResponded"] for one in statuses} or {"Responded": True}
        record["HasResponded"] = bool(responded.get(record["Status"], False))
        if record["HasResponded"] and record["FirstRespondedDate"] is None:
            record["FirstRespondedDate"] = self.today()
        record["Type"] = "Contact" if record["ContactId"] else "Lead"
        record["LeadOrContactId"] = record["ContactId"] or record["LeadId"]
        person = self.tables[record["Type"]].get(record["LeadOrContactId"], {})
        for name in ("Name", "FirstName", "LastName", "Email", "Title"):
            record[name] = person.get(name)

    def _follow_opportunity(self, record: Record, before: Record | None) -> None:
        if before is not None and before["StageName"] == record["StageName"]:
            changed_probability = before["Probability"] != record["Probability"]
        else:
            stage: Record = next(
                (one for one in self.live("OpportunityStage") if one["ApiName"] == record["StageName"]), {}
            )
            record["IsClosed"], record["IsWon"] = bool(stage.get("IsClosed")), bool(stage.get("IsWon"))
            record["ForecastCategory"] = stage.get("ForecastCategory")
            changed_probability = before is not None and before["Probability"] != record["Probability"]
            if not changed_probability and (before is not None or record["Probability"] is None):
                record["Probability"] = stage.get("DefaultProbability")
            if before is not None:
                record["LastStageChangeDate"] = self.now()
        if record["Amount"] is not None and record["Probability"] is not None:
            record["ExpectedRevenue"] = (record["Amount"] * record["Probability"] / 100).quantize(Decimal("0.01"))

    def _remember_creation(self, object_name: str, record: Record) -> None:
        if object_name == "Opportunity":
            self._stage_row(record, None)
        if self.tracked.get(object_name):
            self.history_event(object_name, record["Id"], "created")

    def _remember_changes(self, object_name: str, record: Record, before: Record) -> None:
        if object_name == "Opportunity" and any(record[name] != before[name] for name in _WATCHED):
            self._stage_row(record, before)
        for name in sorted(self.tracked.get(object_name, ())):
            if record.get(name) != before.get(name):
                self._tracked_row(object_name, self.objects[object_name].fields[name], record, before)

    def _stage_row(self, record: Record, before: Record | None) -> None:
        """History holds the values after the change; the row that is no longer the newest is stamped again."""
        rows = self.referring("OpportunityHistory", "OpportunityId", record["Id"])
        if rows:
            max(rows, key=lambda one: (one["CreatedDate"], one["Id"]))["SystemModstamp"] = self.now()
        shared = (
            "StageName",
            "Amount",
            "ExpectedRevenue",
            "CloseDate",
            "Probability",
            "ForecastCategory",
            "CurrencyIsoCode",
        )
        values = {name: record[name] for name in shared if name in self.objects["OpportunityHistory"].fields}
        if before is not None:
            values |= {"PrevAmount": before["Amount"], "PrevCloseDate": before["CloseDate"]}
        self.create("OpportunityHistory", OpportunityId=record["Id"], **values)

    def _tracked_row(self, object_name: str, one: Field, record: Record, before: Record) -> None:
        old, new = before.get(one.name), record.get(one.name)
        if one.type != "reference":
            data_type = _DATA_TYPES.get(one.type, "Text")
            self.history_event(object_name, record["Id"], one.name, data_type, _plain(old), _plain(new))
            return
        short = one.name.removesuffix("Id")
        tables = [self.tables[target] for target in one.reference_to if target in self.tables]
        names = [next((rows[value].get("Name") for rows in tables if value in rows), None) for value in (old, new)]
        self.history_event(object_name, record["Id"], short, "EntityId", old, new)
        self.history_event(object_name, record["Id"], short, "Text", *names)

    def history_event(
        self, object_name: str, record_id: str, event: str, data_type: str = "Text", old: Any = None, new: Any = None
    ) -> None:
        """One row of tracked history."""
        history, parent = _HISTORY_OF[object_name]
        values = {parent: record_id, "Field": event, "DataType": data_type, "OldValue": old, "NewValue": new}
        self.create(history, **values)


def _plain(value: Any) -> Any:
    """Old and new values are of any type; the API writes them as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    return None if value is None else str(value)
