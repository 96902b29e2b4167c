"""The org's own rules: stamps, history, the bin, merges, conversions, fields, sharing."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from leadline_double import Org
from leadline_double.problems import ApiError
from leadline_double.state import Rules
from tests.double.calling import Caller


@pytest.fixture
def org() -> Org:
    """A furnished org."""
    return Org()


def stamps(org: Org, name: str, record_id: str) -> tuple[dt.datetime, ...]:
    """Created, last modified, system stamp."""
    row = org.record(name, record_id)
    return row["CreatedDate"], row["LastModifiedDate"], row["SystemModstamp"]


def lead(org: Org, **values: object) -> str:
    """A lead."""
    return org.create("Lead", **{"LastName": "L", "Company": "C", "Status": "Open"} | values)


def test_people_move_both_stamps_automation_one(org: Org):
    key, begin = lead(org), org.clock.now()
    first = org.clock.advance(seconds=5)
    org.update("Lead", key, automated=True, Title="A")
    assert stamps(org, "Lead", key) == (begin, begin, first)
    second = org.clock.advance(seconds=5)
    org.update("Lead", key, Title="B")
    assert stamps(org, "Lead", key) == (begin, second, second)
    org.clock.advance(seconds=5)
    org.put("Lead", key, Title="C")
    assert stamps(org, "Lead", key) == (begin, second, second)


def test_a_migrated_record_is_old_but_stamped_now(org: Org):
    key = lead(org, CreatedDate="2019-01-01T00:00:00Z")
    row = org.record("Lead", key)
    assert row["CreatedDate"].year == 2019
    assert row["SystemModstamp"] == org.clock.now()


def test_a_slow_transaction_shows_late_with_its_early_stamp(org: Org):
    caller, begin = Caller(org), org.clock.now()
    late = org.late(lambda: lead(org, LastName="Late"), seconds=1800)
    org.clock.advance(seconds=1799)
    assert caller.query("SELECT Id FROM Lead") == []
    org.clock.advance(seconds=1)
    rows = caller.query("SELECT Id, SystemModstamp FROM Lead")
    assert [row["Id"] for row in rows] == [late.result]
    assert org.record("Lead", late.result)["SystemModstamp"] == begin


def test_a_transaction_whose_record_went_is_rolled_back(org: Org):
    key = lead(org)
    late = org.late(lambda: org.update("Lead", key, Title="X"), seconds=60)
    org.erase("Lead", key)
    org.clock.advance(seconds=60)
    assert late.done is False


def test_a_formula_follows_without_a_stamp(org: Org):
    account = org.create("Account", Name="A")
    contact = org.create("Contact", LastName="C", AccountId=account)
    org.add_formula("Contact", "Of__c", lambda row, state: state.record("Account", row["AccountId"])["Name"])
    before = stamps(org, "Contact", contact)
    org.clock.advance(seconds=9)
    org.update("Account", account, Name="B")
    assert Caller(org).query("SELECT Of__c FROM Contact")[0]["Of__c"] == "B"
    assert stamps(org, "Contact", contact) == before


def test_roll_ups_lag_and_move_no_stamp(org: Org):
    campaign = org.create("Campaign", Name="C")
    before = stamps(org, "Campaign", campaign)
    org.create("CampaignMember", CampaignId=campaign, LeadId=lead(org), Status="Responded")
    org.create("Opportunity", Name="O", StageName="Closed Won", CloseDate="2026-07-01", CampaignId=campaign, Amount=10)
    org.clock.advance(seconds=9)
    assert org.record("Campaign", campaign)["NumberOfLeads"] is None
    org.roll_up()
    row = org.record("Campaign", campaign)
    assert (row["NumberOfLeads"], row["NumberOfResponses"], row["NumberOfWonOpportunities"]) == (1, 1, 1)
    assert row["AmountWonOpportunities"] == Decimal(10)
    assert stamps(org, "Campaign", campaign) == before


def test_a_member_responds_by_its_campaigns_statuses(org: Org):
    campaign = org.create("Campaign", Name="C")
    for label, default, responded in (("Invited", True, False), ("Attended", False, True)):
        org.create("CampaignMemberStatus", CampaignId=campaign, Label=label, IsDefault=default, HasResponded=responded)
    key = org.create("CampaignMember", CampaignId=campaign, LeadId=lead(org))
    assert (org.record("CampaignMember", key)["Status"], org.record("CampaignMember", key)["HasResponded"]) == (
        "Invited",
        False,
    )
    # 02:00 UTC is still the day before in New York.
    org.clock.advance(hours=14)
    org.update("CampaignMember", key, Status="Attended")
    row = org.record("CampaignMember", key)
    assert (row["HasResponded"], row["FirstRespondedDate"]) == (True, dt.date(2026, 7, 1))


def test_opportunity_history_holds_values_after_the_change(org: Org):
    key = org.create("Opportunity", Name="O", StageName="Prospecting", CloseDate="2026-09-01", Amount=100)
    org.clock.advance(minutes=1)
    org.update("Opportunity", key, StageName="Closed Won")
    changed = org.clock.now()
    org.clock.advance(minutes=1)
    org.update("Opportunity", key, Amount=90)
    org.update("Opportunity", key, NextStep="Call")
    rows = sorted(org.referring("OpportunityHistory", "OpportunityId", key), key=lambda one: one["CreatedDate"])
    assert [(one["StageName"], one["Amount"], one["Probability"]) for one in rows] == [
        ("Prospecting", 100, 10), ("Closed Won", 100, 100), ("Closed Won", 90, 100),
    ]  # fmt: skip
    assert rows[2]["PrevAmount"] == 100
    # A row that is followed by another is stamped again.
    assert rows[0]["SystemModstamp"] == changed
    assert rows[2]["SystemModstamp"] == rows[1]["SystemModstamp"] == org.clock.now()
    deal = org.record("Opportunity", key)
    assert (deal["IsClosed"], deal["IsWon"], deal["LastStageChangeDate"]) == (True, True, changed)


def test_tracked_fields_leave_rows_lookups_two(org: Org):
    org.track("Lead", "Status", "OwnerId")
    other = org.create(
        "User", LastName="Other", Name="Other", Username="o@double.example", Alias="o", Email="o@double.example"
    )
    key = lead(org)
    org.update("Lead", key, Status="Working", OwnerId=other)
    rows = [(one["Field"], one["OldValue"], one["NewValue"]) for one in org.referring("LeadHistory", "LeadId", key)]
    assert rows == [
        ("created", None, None),
        ("Owner", org.user_id, other),
        ("Owner", "Integration", "Other"),
        ("Status", "Open", "Working"),
    ]


def test_the_bin_gives_back_the_same_id_or_forgets(org: Org):
    caller, account = Caller(org), org.create("Account", Name="A")
    contact = org.create("Contact", LastName="C", AccountId=account)
    deleted_at = org.clock.advance(minutes=1)
    org.delete("Account", account)
    assert caller.query("SELECT Id FROM Contact") == []
    assert caller.query("SELECT Id, IsDeleted FROM Contact", everything=True)[0]["IsDeleted"] is True
    assert org.record("Contact", contact)["SystemModstamp"] == deleted_at
    org.undelete(account)
    assert caller.query("SELECT Id FROM Contact")[0]["Id"] == contact
    org.delete("Contact", contact)
    org.clock.advance(days=15)
    caller.login()
    assert caller.query("SELECT Id FROM Contact", everything=True) == []
    with pytest.raises(KeyError):
        org.undelete(contact)


def test_a_merge_gives_children_to_the_master_without_a_stamp(org: Org):
    caller, campaign = Caller(org), org.create("Campaign", Name="C")
    other = org.create("Campaign", Name="D")
    master, loser = (org.create("Contact", LastName=name) for name in ("M", "L"))
    moved = org.create("CampaignMember", CampaignId=campaign, ContactId=loser)
    org.create("CampaignMember", CampaignId=other, ContactId=master)
    double = org.create("CampaignMember", CampaignId=other, ContactId=loser)
    before = stamps(org, "CampaignMember", moved)
    org.clock.advance(minutes=1)
    org.merge("Contact", master, loser)
    assert org.record("CampaignMember", moved)["ContactId"] == master
    assert stamps(org, "CampaignMember", moved) == before
    assert org.record("CampaignMember", double)["IsDeleted"] is True
    row = caller.query(f"SELECT MasterRecordId, IsDeleted FROM Contact WHERE Id = '{loser}'", everything=True)[0]
    assert (row["MasterRecordId"], row["IsDeleted"]) == (master, True)
    with pytest.raises(KeyError):
        org.undelete(loser)
    with pytest.raises(ApiError, match="INVALID_ID_FIELD"):
        org.merge("Contact", master, loser)


def test_the_rule_that_children_of_a_merge_are_stamped():
    org = Org(rules=Rules(reparent_moves_stamp=True))
    master, loser = lead(org), lead(org)
    member = org.create("CampaignMember", CampaignId=org.create("Campaign", Name="C"), LeadId=loser)
    moment = org.clock.advance(minutes=1)
    org.merge("Lead", master, loser)
    assert org.record("CampaignMember", member)["SystemModstamp"] == moment


@pytest.mark.parametrize("keeps", [True, False])
def test_a_conversion_makes_records_and_members_follow(keeps: bool):
    org = Org(rules=Rules(member_keeps_lead=keeps))
    key = lead(org, FirstName="Ann", Company="Acme", LeadSource="Web")
    member = org.create("CampaignMember", CampaignId=org.create("Campaign", Name="C"), LeadId=key)
    org.clock.advance(hours=14)
    account, contact, deal = org.convert(key)
    row = org.record("Lead", key)
    assert (row["IsConverted"], row["ConvertedDate"], row["Status"]) == (True, dt.date(2026, 7, 1), "Qualified")
    assert (row["ConvertedAccountId"], row["ConvertedContactId"], row["ConvertedOpportunityId"]) == (
        account,
        contact,
        deal,
    )
    assert org.record("Contact", contact)["LeadSource"] == "Web"
    assert (
        org.record("OpportunityContactRole", next(iter(org.tables["OpportunityContactRole"])))["ContactId"] == contact
    )
    found = org.record("CampaignMember", member)
    assert (found["ContactId"], found["LeadId"]) == (contact, key if keeps else None)
    with pytest.raises(ApiError, match="CONVERTED_LEAD"):
        org.convert(key)


def test_a_conversion_into_an_existing_contact_fills_only_what_is_empty(org: Org):
    contact = org.create("Contact", LastName="Kept", Email=None)
    key = lead(org, LastName="New", Email="n@x.example", LeadSource="Web")
    _, into, deal = org.convert(key, contact_id=contact, opportunity=False)
    row = org.record("Contact", contact)
    assert (into, deal, row["LastName"], row["Email"], row["LeadSource"]) == (
        contact,
        None,
        "Kept",
        "n@x.example",
        None,
    )


def test_fields_come_go_hide_and_change_type(org: Org):
    caller, key = Caller(org), lead(org)
    names = lambda: [one["name"] for one in caller("GET", "/sobjects/Lead/describe").data["fields"]]  # noqa: E731
    org.add_field("Lead", "Score__c", "double", default="7")
    assert caller.query("SELECT Score__c FROM Lead")[0]["Score__c"] == 7
    org.retype_field("Lead", "Score__c", "string", lambda value: f"n{value}")
    assert caller.query("SELECT Score__c FROM Lead")[0]["Score__c"] == "n7"
    org.rename_field("Lead", "Score__c", "Points__c")
    assert "Points__c" in names()
    org.hide_field("Lead", "Points__c")
    assert "Points__c" not in names()
    assert caller("GET", "/query", q="SELECT Points__c FROM Lead").error == (400, "INVALID_FIELD")
    assert caller("PATCH", f"/sobjects/Lead/{key}", {"Points__c": "x"}).error == (400, "INVALID_FIELD")
    org.show_field("Lead", "Points__c")
    assert caller.query("SELECT Points__c FROM Lead")[0]["Points__c"] == "n7"
    org.remove_field("Lead", "Points__c")
    assert "Points__c" not in org.record("Lead", key)
    assert stamps(org, "Lead", key) == (org.clock.now(),) * 3


def test_objects_and_records_hide(org: Org):
    caller, key = Caller(org), lead(org)
    org.hide_records(key)
    assert caller.query("SELECT Id FROM Lead", everything=True) == []
    assert caller("GET", f"/sobjects/Lead/{key}").error == (404, "NOT_FOUND")
    org.show_records(key)
    org.hide_object("Lead")
    assert caller("GET", "/query", q="SELECT Id FROM Lead").error == (400, "INVALID_TYPE")
    assert "Lead" not in [one["name"] for one in caller("GET", "/sobjects").data["sobjects"]]
    org.hide_object("Lead", False)
    assert len(caller.query("SELECT Id FROM Lead")) == 1


def test_a_custom_object(org: Org):
    org.add_object("Touch__c", "a01", When__c="datetime", Lead__c="reference")
    key = org.create("Touch__c", Name="T", When__c="2026-01-01T00:00:00+02:00")
    row = Caller(org).query("SELECT Id, When__c, SystemModstamp FROM Touch__c")[0]
    assert (row["Id"], row["When__c"]) == (key, "2025-12-31T22:00:00.000+0000")


def test_influence_models_recalculate_and_die(org: Org):
    campaign = org.create("Campaign", Name="C")
    deal = org.create(
        "Opportunity", Name="O", StageName="Prospecting", CloseDate="2026-09-01", Amount=200, CampaignId=campaign
    )
    primary, own = next(iter(org.tables["CampaignInfluenceModel"])), org.add_model("Mine")
    rows = {"OpportunityId": deal, "CampaignId": campaign, "Influence": 25}
    written = org.create("CampaignInfluence", ModelId=primary, **rows)
    kept = org.create("CampaignInfluence", ModelId=own, **rows)
    assert org.record("CampaignInfluence", kept)["RevenueShare"] == 50
    org.recalculate_influence()
    assert written not in org.tables["CampaignInfluence"]
    assert sorted(one["Influence"] for one in org.live("CampaignInfluence")) == [25, 100]
    org.deactivate_model(own)
    assert kept not in org.tables["CampaignInfluence"]


def test_the_digest_tells_states_apart(org: Org):
    key, empty = lead(org), Org().digest()
    before = org.digest()
    assert empty != before
    org.update("Lead", key, Title="X")
    assert org.digest() != before
    org.put("Lead", key, Title=None)
    assert org.digest() == before


def test_the_clock_never_goes_back(org: Org):
    with pytest.raises(ValueError, match="cannot go back"):
        org.clock.advance(seconds=-1)
    with pytest.raises(ValueError, match="cannot go back"):
        org.clock.set(org.clock.now() - dt.timedelta(days=1))


def test_a_purged_record_takes_what_it_owns_along_also_out_of_the_bin_of_another():
    org = Org()
    org.track("Opportunity", "StageName")
    account = org.create("Account", Name="A")
    deal = org.create(
        "Opportunity", Name="D", AccountId=account, StageName="Prospecting", CloseDate="2026-12-31", Amount="1"
    )
    org.delete("Account", account)
    org.purge(deal)
    org.undelete(account)
    assert [one["Id"] for one in org.live("Account")] == [account]
    assert not org.tables["OpportunityFieldHistory"]
    assert not org.tables["OpportunityHistory"]
    assert not org.bin
