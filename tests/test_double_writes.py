"""What clients may write: checks of rows, collections, campaign influence."""

from __future__ import annotations

from typing import Any

import pytest

from leadline_double.org import Org
from leadline_double.problems import ApiError
from leadline_double.state import Rules
from tests.double.calling import Answer, Caller


@pytest.fixture
def caller() -> Caller:
    """A campaign, an opportunity of 1,000.00, a contact, an own influence model."""
    return furnished(Org())


def furnished(org: Org) -> Caller:
    """The same in any org; ids are kept as attributes of the caller's org by name."""
    caller = Caller(org)
    org.create("Campaign", Name="Webinar")
    org.create("Opportunity", Name="Deal", StageName="Prospecting", CloseDate="2026-09-01", Amount=1000)
    org.create("Contact", LastName="Person", Email="p@x.example")
    org.add_model("Own")
    return caller


def only(caller: Caller, name: str, position: int = -1) -> str:
    """The last record of an object."""
    return list(caller.org.tables[name])[position]


def influence(caller: Caller, **values: Any) -> dict[str, Any]:
    """A row of the own model."""
    return {
        "attributes": {"type": "CampaignInfluence"},
        "CampaignId": only(caller, "Campaign"),
        "OpportunityId": only(caller, "Opportunity"),
        "ContactId": only(caller, "Contact"),
        "ModelId": only(caller, "CampaignInfluenceModel"),
        "Influence": 25,
    } | values


def write(caller: Caller, *rows: dict[str, Any], method: str = "POST", all_or_none: bool = False) -> Answer:
    """A collection."""
    return caller(method, "/composite/sobjects", {"allOrNone": all_or_none, "records": list(rows)})


def codes(answer: Answer) -> list[str]:
    """What became of each row: its error, or ok."""
    return ["ok" if one["success"] else one["errors"][0]["statusCode"] for one in answer.data]


def test_rows_are_taken_or_refused_one_by_one(caller: Caller):
    rows = [{"attributes": {"type": "Contact"}, "LastName": name} for name in ("A", "", "C")]
    answer = write(caller, *rows)
    assert (answer.status, codes(answer)) == (200, ["ok", "REQUIRED_FIELD_MISSING", "ok"])
    assert answer.data[1] == {
        "success": False,
        "errors": [
            {
                "statusCode": "REQUIRED_FIELD_MISSING",
                "message": "Required fields are missing: [LastName]",
                "fields": ["LastName"],
            }
        ],
    }
    assert len(caller.org.tables["Contact"]) == 3


def test_all_or_none_undoes_everything(caller: Caller):
    before = caller.org.digest()
    rows = [{"attributes": {"type": "Contact"}, "LastName": name} for name in ("A", "", "C")]
    assert codes(write(caller, *rows, all_or_none=True)) == [
        "ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING", "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    ]  # fmt: skip
    assert caller.org.digest() == before


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"AccountId": "001000000000000"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"AccountId": "x"}, "MALFORMED_ID"),
        ({"Title": "x" * 129}, "STRING_TOO_LONG"),
        ({"CreatedDate": "2020-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"Id": "003000000000000AAA"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"Birthdate": "soon"}, "JSON_PARSER_ERROR"),
        ({"OwnerId": "Person"}, "MALFORMED_ID"),
    ],
)
def test_values_that_do_not_fit(caller: Caller, values: dict[str, Any], code: str):
    assert codes(write(caller, {"attributes": {"type": "Contact"}, "LastName": "A"} | values)) == [code]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([{"attributes": {"type": "Contact"}, "Nope": 1}], "INVALID_FIELD"),
        ([{"attributes": {"type": "Nope"}}], "INVALID_TYPE"),
        ([{"LastName": "A"}], "INVALID_INPUT"),
        ([{"attributes": {"type": "Contact"}, "LastName": "A"}] * 201, "EXCEEDED_MAX_SIZE_REQUEST"),
        ([{"attributes": {"type": one}, "Name": "A"} for one in ("Account", "Campaign")] * 6, "LIMIT_EXCEEDED"),
    ],
)
def test_whole_collections_are_refused(caller: Caller, rows: list[dict[str, Any]], code: str):
    before = caller.org.digest()
    assert write(caller, *rows).error == (400, code)
    assert caller.org.digest() == before


def test_updates_need_a_live_record_and_open_fields(caller: Caller):
    contact, gone = only(caller, "Contact"), caller.org.create("Contact", LastName="Gone")
    caller.org.delete("Contact", gone)
    head: dict[str, Any] = {"attributes": {"type": "Contact"}}
    rows: list[dict[str, Any]] = [
        head | {"Id": contact, "Title": "Boss"},
        head | {"Id": gone, "Title": "X"},
        head | {"Id": "003000000000000AAA", "Title": "X"},
        head | {"Title": "X"},
        head | {"Id": contact, "LastName": None},
        head | {"Id": contact, "SystemModstamp": "2020-01-01T00:00:00Z"},
    ]
    assert codes(write(caller, *rows, method="PATCH")) == [
        "ok", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "MISSING_ARGUMENT", "REQUIRED_FIELD_MISSING",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
    ]  # fmt: skip
    assert caller.org.record("Contact", contact)["Title"] == "Boss"


def test_a_converted_lead_is_closed_to_changes(caller: Caller):
    key = caller.org.create("Lead", LastName="L", Company="C", Status="Open")
    caller.org.convert(key)
    assert caller("PATCH", f"/sobjects/Lead/{key}", {"Title": "X"}).error == (400, "CANNOT_UPDATE_CONVERTED_LEAD")


def test_deleting_a_collection(caller: Caller):
    contact = only(caller, "Contact")
    answer = caller("DELETE", "/composite/sobjects", ids=f"{contact},003000000000000AAA")
    assert codes(answer) == ["ok", "INVALID_CROSS_REFERENCE_KEY"]
    assert caller.org.record("Contact", contact)["IsDeleted"] is True


def test_upserts_by_external_id_find_none_one_or_several(caller: Caller):
    caller.org.create("Contact", LastName="Twin", Email="t@x.example")
    caller.org.create("Contact", LastName="Twin", Email="t@x.example")
    rows = [{"attributes": {"type": "Contact"}, "LastName": "N", "Email": f"{one}@x.example"} for one in "pnt"]
    answer = caller("PATCH", "/composite/sobjects/Contact/Email", {"records": rows})
    assert codes(answer) == ["ok", "ok", "DUPLICATE_EXTERNAL_ID"]
    assert [one.get("created") for one in answer.data] == [False, True, None]
    assert caller("PATCH", "/sobjects/Contact/Email/t@x.example", {"LastName": "X"}).status == 300
    assert caller("PATCH", "/composite/sobjects/Contact/Title", {"records": rows}).status == 200
    assert codes(caller("PATCH", "/composite/sobjects/Contact/Title", {"records": rows[:1]})) == ["NOT_FOUND"]


def test_unique_fields_stay_unique(caller: Caller):
    caller.org.add_field("Contact", "Key__c", external_id=True, unique=True)
    head = {"attributes": {"type": "Contact"}, "LastName": "A", "Key__c": "k"}
    assert codes(write(caller, head, head)) == ["ok", "DUPLICATE_VALUE"]


def test_one_member_per_person_and_campaign(caller: Caller):
    row = {
        "attributes": {"type": "CampaignMember"},
        "CampaignId": only(caller, "Campaign"),
        "ContactId": only(caller, "Contact"),
    }
    assert codes(write(caller, row, row, row | {"ContactId": None})) == [
        "ok",
        "DUPLICATE_VALUE",
        "REQUIRED_FIELD_MISSING",
    ]


def test_influence_is_written_under_an_own_model(caller: Caller):
    answer = write(caller, influence(caller))
    row = caller.org.record("CampaignInfluence", answer.data[0]["id"])
    assert (row["Influence"], row["RevenueShare"]) == (25, 250)
    change = {"attributes": {"type": "CampaignInfluence"}, "Id": row["Id"]}
    assert codes(write(caller, change | {"Influence": 33.335}, method="PATCH")) == ["ok"]
    assert str(caller.org.record("CampaignInfluence", row["Id"])["Influence"]) == "33.34"
    refused = [{"CampaignId": row["CampaignId"]}, {"RevenueShare": 5}, {"ModelId": row["ModelId"]}]
    answers = [codes(write(caller, change | one, method="PATCH")) for one in refused]
    assert answers == [["INVALID_FIELD_FOR_INSERT_UPDATE"]] * 3
    assert codes(write(caller, influence(caller, RevenueShare=5))) == ["INVALID_FIELD_FOR_INSERT_UPDATE"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"Influence": 100.01}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ({"Influence": -1}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ({"ModelId": None}, "REQUIRED_FIELD_MISSING"),
        ({"OpportunityId": "006000000000000AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"ContactId": None}, "ok"),
    ],
)
def test_influence_rows_are_checked(caller: Caller, values: dict[str, Any], code: str):
    assert codes(write(caller, influence(caller, **values))) == [code]


def test_influence_has_one_row_per_model_campaign_and_contact(caller: Caller):
    row = influence(caller)
    assert codes(write(caller, row, row, row | {"ContactId": None})) == ["ok", "DUPLICATE_VALUE", "ok"]


@pytest.mark.parametrize(("model_type", "code"), [("1", "ok"), ("3", "INSUFFICIENT_ACCESS_OR_READONLY")])
def test_models_that_the_platform_counts_itself(caller: Caller, model_type: str, code: str):
    model = caller.org.add_model("Theirs", model_type=model_type)
    assert codes(write(caller, influence(caller, ModelId=model))) == [code]


def test_an_inactive_model_takes_nothing(caller: Caller):
    model = only(caller, "CampaignInfluenceModel")
    write(caller, influence(caller))
    caller.org.deactivate_model(model)
    assert caller.org.live("CampaignInfluence") == []
    assert codes(write(caller, influence(caller))) == ["FIELD_INTEGRITY_EXCEPTION"]


def test_models_are_made_in_setup_only(caller: Caller):
    row = {"attributes": {"type": "CampaignInfluenceModel"}}
    assert codes(write(caller, row)) == ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"]


@pytest.mark.parametrize("limited", [True, False])
def test_percents_may_be_limited_to_a_hundred(limited: bool):
    caller = furnished(Org(rules=Rules(influence_sum_limit=limited)))
    rows = [influence(caller, Influence=60), influence(caller, Influence=60, ContactId=None)]
    assert codes(write(caller, *rows)) == ["ok", "FIELD_INTEGRITY_EXCEPTION" if limited else "ok"]


def test_rows_can_be_refused_by_rule(caller: Caller):
    def locked(object_name: str, operation: str, values: dict[str, Any]) -> ApiError | None:
        if values.get("LastName") == "Locked":
            return ApiError("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record", fields=[])
        return None

    caller.service.row_rules.append(locked)
    rows = [{"attributes": {"type": "Contact"}, "LastName": name} for name in ("Free", "Locked")]
    assert codes(write(caller, *rows)) == ["ok", "UNABLE_TO_LOCK_ROW"]
