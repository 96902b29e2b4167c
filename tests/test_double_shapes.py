"""The double's answers have the shape of what real orgs answered."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from leadline_double.ids import long_id
from leadline_double.schema import DATA, read
from tests.double.calling import Caller

RECORDED = read("recorded.json")


@pytest.fixture
def caller() -> Caller:
    """An org with an account, contacts and opportunities."""
    caller = Caller()
    org = caller.org
    account = org.create("Account", Name="Sitwell-Bluth", BillingStreet="Main 1", BillingCity="Reno")
    for number in range(6):
        org.create("Contact", LastName=f"Bluth {number}", Email=f"{number}@bluth.example", AccountId=account)
    org.create("Opportunity", Name="Espionage", StageName="Prospecting", CloseDate="2026-10-03", AccountId=account)
    org.create("RecordType", Name="A", DeveloperName="A", SobjectType="Account", IsActive=True)
    org.add_field("Contact", "Key__c", external_id=True, unique=True)
    return caller


def kind_of(value: Any) -> str:
    """A JSON type; whole and broken numbers are one."""
    names = {
        bool: "boolean",
        int: "number",
        float: "number",
        str: "text",
        type(None): "null",
        list: "list",
        dict: "object",
    }
    return names[type(value)]


def shape(value: Any) -> Any:
    """Keys and types of a JSON value; of a list, those of its first entry."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return kind_of(value)


def recorded(method: str, part: str, *, status: int = 200, holds: str = "") -> dict[str, Any]:
    """The first record of a method whose path and body hold these texts."""
    return next(
        one
        for one in RECORDED
        if one["method"] == method
        and part in one["path"]
        and one["status"] == status
        and holds in json.dumps(one["body"])
    )


def asked(one: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Path below the version, and parameters, of a recorded request."""
    url = urlsplit(one["path"])
    return "/" + url.path.split("/", 4)[4], dict(parse_qsl(url.query))


@pytest.mark.parametrize(
    "part",
    ["q=select+count%28Id%29+from+Account", "FROM+RecordType", "q=select+Email+from+Contact", "limits/recordCount"],
)
def test_a_recorded_query_is_answered_in_the_recorded_shape(caller: Caller, part: str):
    one = recorded("GET", part)
    path, query = asked(one)
    answer = caller("GET", path, **query)
    assert (answer.status, answer.content_type) == (one["status"], one["contentType"])
    assert shape(answer.data) == shape(one["body"])


def test_the_columns_of_a_recorded_query_come_in_its_order(caller: Caller):
    one = recorded("GET", "SELECT+Id%2C+AccountNumber")
    path, query = asked(one)
    # Two columns belong to a feature that the double's org does not have.
    query["q"] = (
        query["q"]
        .replace("CleanStatus, DunsNumber, ", "")
        .replace("NaicsCode, NaicsDesc, ", "")
        .replace("Tradestyle, ", "")
    )
    known = set(caller.org.objects["Account"].fields)
    columns = [name for name in query["q"].removeprefix("SELECT ").split(" FROM")[0].split(", ") if name in known]
    query["q"] = f"SELECT {', '.join(columns)} FROM Account WHERE Name != 'Sample Account for Entitlements'"
    row = caller("GET", path, **query).data["records"][0]
    wanted = [name for name in one["body"]["records"][0] if name in row]
    assert list(row) == wanted
    assert len(wanted) > 25
    assert shape(row["attributes"]) == shape(one["body"]["records"][0]["attributes"])


def test_an_address_is_an_object_in_recorded_order(caller: Caller):
    one = next(entry for entry in RECORDED if "/sobjects/Organization/" in entry["path"])
    answer = caller("GET", f"/sobjects/Organization/{caller.org.organization_id}")
    assert answer.content_type == one["contentType"]
    known = set(one["body"]) & set(answer.data)
    assert len(known) > 50
    assert (
        caller.query("SELECT BillingAddress FROM Account")[0]["BillingAddress"].keys() == one["body"]["Address"].keys()
    )


@pytest.mark.parametrize(("method", "path"), [("POST", "/composite/sobjects"), ("PATCH", "/composite/sobjects")])
def test_collections_answer_in_the_recorded_shape(caller: Caller, method: str, path: str):
    one = next(entry for entry in RECORDED if entry["method"] == method and entry["path"].endswith(path))
    contact = next(iter(caller.org.tables["Contact"]))
    row = {"attributes": {"type": "Contact"}, "LastName": "Cain"} | ({"Id": contact} if method == "PATCH" else {})
    answer = caller(method, path, {"allOrNone": False, "records": [row]})
    assert (answer.status, answer.content_type) == (one["status"], one["contentType"])
    assert shape(answer.data) == shape(one["body"])


def test_an_upsert_tells_what_it_created(caller: Caller):
    one = recorded("PATCH", "/composite/sobjects/Contact/Email")
    rows = [
        {"attributes": {"type": "Contact"}, "LastName": "Cain", "Email": email}
        for email in ("new@bluth.example", "1@bluth.example")
    ]
    answer = caller("PATCH", "/composite/sobjects/Contact/Email", {"allOrNone": False, "records": rows})
    assert shape(answer.data) == shape(one["body"])
    assert [entry["created"] for entry in answer.data] == [True, False]


def test_one_new_record_is_answered_as_recorded(caller: Caller):
    one = recorded("POST", "/sobjects/Account/", status=201)
    path, _ = asked(one)
    answer = caller("POST", path, one["requestBody"])
    assert (answer.status, shape(answer.data)) == (201, shape(one["body"]))


@pytest.mark.parametrize("number", range(5))
def test_composite_requests_are_answered_as_recorded(caller: Caller, number: int):
    one = [entry for entry in RECORDED if entry["path"].endswith("/composite")][number]
    body = json.loads(json.dumps(one["requestBody"]).replace("vxx.0", "v67.0"))
    answer = caller("POST", "/composite", body).data
    for got, was in zip(answer["compositeResponse"], one["body"]["compositeResponse"], strict=True):
        assert (got["httpStatusCode"], got["referenceId"], got["httpHeaders"]) == (
            was["httpStatusCode"], was["referenceId"], was["httpHeaders"],
        )  # fmt: skip
        assert set(got["body"] if isinstance(got["body"], dict) else got["body"][0]) == set(
            was["body"] if isinstance(was["body"], dict) else was["body"][0]
        )


def test_errors_are_worded_as_recorded(caller: Caller):
    entry = next(one for one in RECORDED if "XYZZY" in json.dumps(one.get("requestBody", "")))
    wanted = entry["body"]["compositeResponse"][1]["body"]
    assert caller("GET", "/query", q="select count() from XYZZY").data == wanted
    nothing = next(one for one in RECORDED if "/sobjects/Foo" in json.dumps(one.get("requestBody", "")))
    assert caller("GET", "/sobjects/Foo").data == nothing["body"]["compositeResponse"][0]["body"]
    assert caller("GET", "/connect/communities").data == recorded("GET", "/connect/communities")["body"]


@pytest.mark.parametrize("name", [path.stem for path in sorted((DATA / "describe").glob("[A-Z]*.json"))])
def test_describe_says_what_the_real_describe_said(caller: Caller, name: str):
    real = read(f"describe/{name}.json")
    ours = caller("GET", f"/sobjects/{name}/describe").data
    assert ours.keys() == real.keys()
    assert {key for key in ours if shape(ours[key]) != shape(real[key])} <= {"urls", "fields"}
    said = {one["name"]: one for one in real["fields"]}
    common = [one for one in ours["fields"] if one["name"] in said]
    assert len(common) >= len(said) - 9
    for one in common:
        differing = {key for key in one if one[key] != said[one["name"]][key]}
        # The real orgs saw the custom objects and record types of their own as targets, too.
        assert differing <= {"referenceTo"}, (name, one["name"], differing)


def test_the_list_of_objects_has_the_recorded_shape(caller: Caller):
    real = read("describe/_global.json")
    ours = caller("GET", "/sobjects").data
    assert (ours["encoding"], ours["maxBatchSize"]) == (real["encoding"], real["maxBatchSize"])
    entries = {one["name"]: one for one in ours["sobjects"]}
    # Two entries of the recording were made by hand: they lack the prefix.
    for one in (entry for entry in real["sobjects"] if entry["keyPrefix"]):
        assert entries[one["name"]].keys() == one.keys()
        for flag in ("createable", "queryable", "replicateable", "keyPrefix", "custom", "updateable", "mergeable"):
            assert entries[one["name"]][flag] == one[flag], (one["name"], flag)


def test_ids_have_the_checksum_of_real_ids():
    text = json.dumps(RECORDED)
    ids = {one for one in text.replace("\\", '"').replace("/", '"').split('"') if len(one) == 18 and one.isalnum()}
    real = [one for one in ids if "0x" not in one and any(letter.isdigit() for letter in one[:3])]
    assert len(real) > 90
    assert [one for one in real if long_id(one[:15]) != one] == []
