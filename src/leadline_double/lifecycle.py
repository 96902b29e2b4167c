"""Deletes, the recycle bin, merges and conversions."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from leadline_double.changes import Changes
from leadline_double.problems import ApiError
from leadline_double.state import Record

OWNED: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "Account": (("Contact", "AccountId"), ("Opportunity", "AccountId"), ("AccountHistory", "AccountId")),
    "Campaign": (
        ("CampaignMember", "CampaignId"), ("CampaignMemberStatus", "CampaignId"), ("CampaignInfluence", "CampaignId"),
        ("CampaignHistory", "CampaignId"),
    ),
    "Contact": (("CampaignMember", "ContactId"), ("OpportunityContactRole", "ContactId"), ("ContactHistory", "ContactId")),
    "Lead": (("CampaignMember", "LeadId"), ("LeadHistory", "LeadId")),
    "Opportunity": (
        ("OpportunityContactRole", "OpportunityId"), ("OpportunityHistory", "OpportunityId"),
        ("OpportunityFieldHistory", "OpportunityId"), ("CampaignInfluence", "OpportunityId"),
    ),
}  # fmt: skip
"""Object → children that go with it: object and lookup."""

MERGEABLE: Final = frozenset({"Lead", "Contact", "Account"})


class Lifecycle(Changes):
    """What happens to whole records."""

    def delete(self, object_name: str, record_id: str) -> None:
        """Into the recycle bin, with the children it owns.

        Raises:
            KeyError: no such record.
            ApiError: ENTITY_IS_DELETED.
        """
        with self.lock:
            if self.record(object_name, record_id).get("IsDeleted"):
                raise ApiError("ENTITY_IS_DELETED", "entity is deleted")
            self._bin(object_name, record_id, record_id)

    def _bin(self, object_name: str, record_id: str, root: str) -> None:
        record = self.record(object_name, record_id)
        for child, lookup in OWNED.get(object_name, ()):
            for one in self.referring(child, lookup, record_id):
                if not one.get("IsDeleted"):
                    self._bin(child, one["Id"], root)
        record["IsDeleted"] = True
        if "SystemModstamp" in record:
            record["SystemModstamp"] = self.now()
        # The 15 days count from what the user saw, not from the begin of a slow transaction.
        self.bin[record_id] = (self.clock.now(), root)
        self.delete_log[object_name].append((record_id, self.now()))
        self.version += 1

    def undelete(self, record_id: str) -> None:
        """Out of the bin under the same id, with what went in with it.

        Raises:
            KeyError: it is not in the bin, or lies there as part of another or as the loser of a merge.
        """
        with self.lock:
            _, root = self.bin[record_id]
            if root != record_id or (self.record(self.object_of(record_id) or "", record_id).get("MasterRecordId")):
                raise KeyError(record_id)
            for key in [one for one, (_, other) in self.bin.items() if other == record_id]:
                name = self.object_of(key) or ""
                self.record(name, key)["IsDeleted"] = False
                self.touch(name, key)
                del self.bin[key]

    def purge(self, record_id: str) -> None:
        """Out of the bin for good: queryAll no longer knows it, the delete log does."""
        with self.lock:
            for key in [one for one, (_, root) in self.bin.items() if root == record_id or one == record_id]:
                self._purge(key)

    def _purge(self, record_id: str) -> None:
        """One record with what it owns, also where all of it went into the bin with something else."""
        name = self.object_of(record_id) or ""
        for child, lookup in OWNED.get(name, ()) if record_id in self.bin else ():
            for one in self.referring(child, lookup, record_id):
                if one["Id"] in self.bin:
                    self._purge(one["Id"])
        self.forget(record_id)

    def empty_bin(self) -> None:
        """Purge everything that lies in the bin."""
        with self.lock:
            for key in list(self.bin):
                self.forget(key)

    def erase(self, object_name: str, record_id: str) -> None:
        """Delete and purge at once (a hard delete)."""
        with self.lock:
            self.delete(object_name, record_id)
            self.purge(record_id)

    def purge_delete_log(self, object_name: str) -> None:
        """Forget all deletions so far, as the platform does where the log is long."""
        with self.lock:
            self.delete_log[object_name].clear()
            self.log_begins[object_name] = self.clock.now()

    def merge(self, object_name: str, master: str, *losers: str) -> None:
        """Losers go to the bin with MasterRecordId; their children become the master's, without triggers.

        Of two members of one campaign, the loser's is deleted.

        Raises:
            ApiError: the object cannot be merged, more than two losers, or one of them is gone.
        """
        with self.lock:
            if object_name not in MERGEABLE or not 1 <= len(losers) <= 2:
                raise ApiError("INVALID_OPERATION", f"cannot merge {len(losers)} of {object_name}")
            rows = [self.tables[object_name].get(one, {"IsDeleted": True}) for one in (master, *losers)]
            if any(one.get("IsDeleted") for one in rows) or master in losers:
                raise ApiError("INVALID_ID_FIELD", "a record to merge is deleted or named twice")
            for loser in losers:
                self._reparent(object_name, loser, master)
                self._bin(object_name, loser, loser)
                self.record(object_name, loser)["MasterRecordId"] = master
                if self.tracked.get(object_name):
                    self.history_event(object_name, master, f"{object_name.lower()}Merged")
            self.touch(object_name, master, automated=False)

    def _reparent(self, object_name: str, loser: str, master: str) -> None:
        for name, one in self.objects.items():
            for field in one.fields.values():
                if object_name not in field.reference_to or field.name == "MasterRecordId":
                    continue
                for child in self.referring(name, field.name, loser):
                    self._give(name, field.name, child, master)

    def _give(self, object_name: str, field_name: str, child: Record, master: str) -> None:
        if object_name == "CampaignMember" and field_name in {"LeadId", "ContactId"}:
            others = self.referring("CampaignMember", field_name, master)
            if not child["IsDeleted"] and any(
                one["CampaignId"] == child["CampaignId"] and not one["IsDeleted"] for one in others
            ):
                self._bin("CampaignMember", child["Id"], child["Id"])
        child[field_name] = master
        self.unlink(object_name)
        if self.rules.reparent_moves_stamp and "SystemModstamp" in child:
            child["SystemModstamp"] = self.now()
        self.version += 1

    def convert(
        self,
        lead_id: str,
        *,
        account_id: str | None = None,
        contact_id: str | None = None,
        opportunity: bool = True,
        opportunity_id: str | None = None,
        status: str | None = None,
    ) -> tuple[str, str, str | None]:
        """Convert a lead; returns the ids of account, contact and opportunity (None where none was made).

        Records named are used, others made. Only empty fields of an existing contact are filled.

        Raises:
            ApiError: the lead is converted or deleted.
        """
        with self.lock:
            lead = self.record("Lead", lead_id)
            if lead["IsConverted"] or lead["IsDeleted"]:
                raise ApiError("CANNOT_UPDATE_CONVERTED_LEAD", "the lead is converted or deleted")
            account_id = account_id or self.create("Account", Name=lead["Company"])
            contact_id = self._contact_of(lead, contact_id, account_id)
            if opportunity_id is None and opportunity:
                opportunity_id = self._deal_of(lead, account_id, contact_id)
            values: dict[str, Any] = {
                "IsConverted": True, "ConvertedDate": self.today(), "ConvertedAccountId": account_id,
                "ConvertedContactId": contact_id, "ConvertedOpportunityId": opportunity_id,
                "Status": status or self._converted_status() or lead["Status"],
            }  # fmt: skip
            self.update("Lead", lead_id, **values)
            if self.tracked.get("Lead"):
                self.history_event("Lead", lead_id, "leadConverted")
            for member in self.referring("CampaignMember", "LeadId", lead_id):
                self._member_follows(member, contact_id)
            return account_id, contact_id, opportunity_id

    def _converted_status(self) -> str | None:
        return next((one["ApiName"] for one in self.live("LeadStatus") if one["IsConverted"]), None)

    def _contact_of(self, lead: Record, contact_id: str | None, account_id: str) -> str:
        values = {name: lead[name] for name in ("FirstName", "LastName", "Email", "Title", "Phone") if lead.get(name)}
        if contact_id is None:
            made = self.create("Contact", AccountId=account_id, LeadSource=lead["LeadSource"], **values)
            if self.tracked.get("Contact"):
                self.history_event("Contact", made, "contactCreatedFromLead")
            return made
        present = self.record("Contact", contact_id)
        self.update("Contact", contact_id, **{name: one for name, one in values.items() if not present[name]})
        if self.tracked.get("Contact"):
            self.history_event("Contact", contact_id, "contactUpdatedByLead")
        return contact_id

    def _deal_of(self, lead: Record, account_id: str, contact_id: str) -> str:
        open_stages = [one for one in self.live("OpportunityStage") if not one["IsClosed"]]
        stage = min(open_stages, key=lambda one: one["SortOrder"] or 0, default={"ApiName": "Prospecting"})
        made = self.create(
            "Opportunity",
            Name=f"{lead['Company']}-",
            AccountId=account_id,
            StageName=stage["ApiName"],
            CloseDate=self.today() + dt.timedelta(days=90),
            LeadSource=lead["LeadSource"],
        )
        self.create("OpportunityContactRole", OpportunityId=made, ContactId=contact_id, IsPrimary=True)
        if self.tracked.get("Opportunity"):
            self.history_event("Opportunity", made, "opportunityCreatedFromLead")
        return made

    def _member_follows(self, member: Record, contact_id: str) -> None:
        known = {one["CampaignId"] for one in self.referring("CampaignMember", "ContactId", contact_id)}
        if member["CampaignId"] in known or member["IsDeleted"]:
            return
        member["ContactId"] = contact_id
        self.unlink("CampaignMember")
        if not self.rules.member_keeps_lead:
            member["LeadId"] = None
        member["Type"], member["LeadOrContactId"] = "Contact", contact_id
        self.touch("CampaignMember", member["Id"])
