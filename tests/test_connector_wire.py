"""Forms on the wire, read from what real orgs answered and from the official examples of bulk results."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pytest

from leadline.errors import SalesforceError
from leadline.schema import DATE_ONLY, OBJECTS
from leadline.sources.salesforce import rest, shapes, typed
from leadline.sources.salesforce.faults import Verdict, verdict
from leadline.sources.salesforce.recording import Recorder, mask
from leadline.sources.salesforce.shapes import FieldShape, ObjectShape
from leadline.sources.salesforce.transport import Request, Response
from tests.conftest import SHARED
from tests.connector_org import FakeOrg, as_csv, json_response, session_of

FACTS = SHARED / "salesforce"


def recorded() -> list[dict[str, Any]]:
    """Pairs of request and answer of real orgs."""
    return list(json.loads((FACTS / "recorded.json").read_text(encoding="utf-8")))


def answer_of(pair: dict[str, Any]) -> Response:
    return Response(pair["status"], {"content-type": pair["contentType"]}, json.dumps(pair["body"]).encode())


def described(name: str) -> ObjectShape:
    return shapes.shape_of(json.loads((FACTS / "describe" / f"{name}.json").read_text(encoding="utf-8")))


DESCRIBED = sorted(path.stem for path in (FACTS / "describe").glob("[A-Z]*.json"))


def queries() -> list[dict[str, Any]]:
    """Recorded queries without nested records."""
    found = [pair for pair in recorded() if "/query/" in pair["path"]]
    return [
        one
        for one in found
        if not any(isinstance(v, dict) for r in one["body"]["records"] for k, v in r.items() if k != "attributes")
    ]


def test_there_is_something_recorded():
    assert len(recorded()) == 94
    assert len(queries()) >= 12
    assert len(DESCRIBED) == 6


def test_every_recorded_answer_is_fine():
    assert {verdict(answer_of(pair)) for pair in recorded() if pair["status"] < 300} == {Verdict.FINE}


def test_every_recorded_page_of_a_query_is_read():
    for pair in queries():
        page = rest._answer(answer_of(pair))
        assert len(page["records"]) == len(pair["body"]["records"])
        assert page["done"] == pair["body"]["done"]
        assert int(page["totalSize"]) == pair["body"]["totalSize"]


@pytest.mark.parametrize("name", ["Account", "Contact"])
def test_recorded_records_become_rows_value_by_value(name: str):
    shape, compared = described(name), 0
    for pair in queries():
        soql = parse_qs(urlsplit(pair["path"]).query)["q"][0]
        records = pair["body"]["records"]
        if not records or records[0]["attributes"]["type"] != name or " from " not in soql.lower():
            continue
        fields = [one for one in records[0] if one in shape.fields]
        read = typed.from_records(rest._answer(answer_of(pair))["records"], shape, fields)
        rows = typed.typed(read, shape)
        for field in fields:
            expected = [one.get(field) for one in records]
            kind = OBJECTS[name].get(field, "text")
            found = rows.column(field).to_pylist()
            if kind == "datetime":
                expected = [one and dt.datetime.fromisoformat(one).replace(tzinfo=None) for one in expected]
            elif kind == "text" and shape.fields[field].type in ("int", "double", "boolean", "datetime"):
                continue
            assert found == expected, f"{name}.{field}"
            compared += len(found)
    assert compared > 20


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("0", "0"),
        ("0.0", "0"),
        ("-0.25", "-0.25"),
        ("1e-7", "0.0000001"),
        ("-0.00000012", "-0.00000012"),
        ("12.50", "12.5"),
        ("0.999999999999999999", "0.999999999999999999"),
        ("99999999999999999999", "99999999999999999999"),
    ],
)
def test_a_number_of_a_custom_field_is_kept_in_plain_digits(said: str, kept: str):
    read = typed.typed(pa.table({"Score__c": pa.array([said, None], pa.string())}), OPPORTUNITY)
    assert read["Score__c"].to_pylist() == [kept, None]


@pytest.mark.parametrize("name", DESCRIBED)
def test_describes_of_real_orgs_are_understood(name: str):
    shape = described(name)
    assert shape.cursor == "SystemModstamp"
    assert shape.replicateable
    selected = shape.selected(frozenset(), custom=True)
    assert selected[0] == "Id"
    known = [one for one in OBJECTS[name] if one in shape.fields]
    assert set(known) <= set(selected)
    assert not {shape.fields[one].type for one in selected} & shapes.COMPOUND
    assert rest.fits(f"SELECT {', '.join(selected)} FROM {name}")


def test_compound_fields_are_left_out_and_their_parts_are_not():
    shape = described("Account")
    assert shape.fields["BillingAddress"].type == "address"
    every = frozenset(shape.fields)
    selected = shape.selected(every, custom=True)
    assert "BillingAddress" not in selected
    assert {"BillingCity", "BillingCountry"} <= set(selected)


def shape_of(name: str = "Opportunity", **types: str) -> ObjectShape:
    fields = {field: FieldShape(field, kind, False, True, ()) for field, kind in types.items()}
    return ObjectShape(name, fields, replicateable=True)


OPPORTUNITY = shape_of(
    Id="id",
    Name="string",
    Amount="currency",
    Probability="percent",
    CloseDate="date",
    CreatedDate="datetime",
    IsWon="boolean",
    PushCount="int",
    CampaignId="reference",
    Score__c="double",
    Seen__c="datetime",
)


def page(*rows: str) -> bytes:
    header = ",".join(f'"{name}"' for name in OPPORTUNITY.fields)
    return "\n".join([header, *rows, ""]).encode()


def bulk(*rows: str) -> pa.Table:
    return typed.typed(typed.from_csv(page(*rows), list(OPPORTUNITY.fields)), OPPORTUNITY)


def test_bulk_values_keep_their_meaning():
    rows = bulk(
        '"006000000000001AAA","NA","2.57060529E8","55.0","2026-01-02","2026-01-02T03:04:05.000Z","true","3","","0.10","2026-01-02T03:04:05.000Z"',
        '"006000000000002AAA","a ""b""\nü,","1234567890123456.78","","","2026-01-02T03:04:05.123+0000","false","0","000000000000000AAA","7.0","2026-01-02T03:04:05.120Z"',
        '"006000000000003AAA","null","","","","2026-01-02T03:04:05Z","","","701000000000001AAA","1E2",""',
    ).to_pylist()
    assert [row["Name"] for row in rows] == ["NA", 'a "b"\nü,', "null"]
    assert [row["Amount"] for row in rows] == [Decimal("257060529.00000000"), Decimal("1234567890123456.78"), None]
    assert [row["Probability"] for row in rows] == [55.0, None, None]
    assert [row["CloseDate"] for row in rows] == [dt.date(2026, 1, 2), None, None]
    assert rows[1]["CreatedDate"] == dt.datetime(2026, 1, 2, 3, 4, 5, 123000)
    assert [row["IsWon"] for row in rows] == [True, False, None]
    assert [row["PushCount"] for row in rows] == [3, 0, None]
    assert [row["CampaignId"] for row in rows] == [None, None, "701000000000001AAA"]
    assert [row["Score__c"] for row in rows] == ["0.1", "7", "100"]
    assert [row["Seen__c"] for row in rows] == ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.12Z", None]
    assert {row[DATE_ONLY] for row in rows} == {None}


@pytest.mark.parametrize("text", ["NA", "N/A", "NULL", "None", "NaN", "#N/A", "null", "-", "true", "0", " "])
def test_words_for_nothing_are_data(text: str):
    rows = bulk(f'"006000000000001AAA","{text}","","","","","","","","",""')
    assert rows.column("Name").to_pylist() == [text]


def test_one_record_read_both_ways_is_one_record():
    record = {
        "attributes": {"type": "Opportunity"},
        "Id": "006000000000001AAA",
        "Name": 'x "y"\nz',
        "Amount": 1200.5,
        "Probability": 10.0,
        "CloseDate": "2026-01-02",
        "CreatedDate": "2026-01-02T03:04:05.000+0000",
        "IsWon": False,
        "PushCount": 2,
        "CampaignId": None,
        "Score__c": 257060529.0,
        "Seen__c": "2026-01-02T03:04:05.000+0000",
    }
    answer = rest._answer(json_response({"totalSize": 1, "done": True, "records": [record]}))
    by_rest = typed.typed(typed.from_records(answer["records"], OPPORTUNITY, list(OPPORTUNITY.fields)), OPPORTUNITY)
    csv = as_csv(list(OPPORTUNITY.fields), [record | {"Score__c": "2.57060529E8", "Amount": "1200.50"}])
    by_bulk = typed.typed(typed.from_csv(csv, list(OPPORTUNITY.fields)), OPPORTUNITY)
    assert by_rest.to_pylist() == by_bulk.to_pylist()
    assert by_rest.schema == by_bulk.schema == typed.schema("Opportunity", list(OPPORTUNITY.fields))


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'"Id","Name"\n"a","b"\n', page('"006000000000001AAA","cut'), page('"a","b"'), b"\xff\xfe\x00"],
)
def test_a_page_that_is_no_page_of_the_query_is_asked_again(body: bytes):
    with pytest.raises(ValueError):
        typed.from_csv(body, list(OPPORTUNITY.fields))


@pytest.mark.parametrize(
    ("field", "value"), [("Amount", "12,5"), ("CloseDate", "02.01.2026"), ("IsWon", "yes"), ("PushCount", "1.5")]
)
def test_a_value_of_another_type_ends_the_pull_without_being_told(field: str, value: str):
    row = [value if name == field else "" for name in OPPORTUNITY.fields]
    with pytest.raises(SalesforceError, match=rf"Opportunity\.{field}") as refusal:
        bulk(",".join(f'"{one}"' for one in row))
    assert value not in str(refusal.value)


@pytest.mark.parametrize(
    "records",
    [
        [{"Id": "1", "Name": {"nested": 1}}],
        [{"Id": "1"}],
        [{"Id": "1", "Name": ["x"]}],
    ],
)
def test_records_of_another_form_are_asked_for_again(records: list[dict[str, Any]]):
    with pytest.raises(ValueError):
        typed.from_records(records, OPPORTUNITY, ["Id", "Name"])


def test_history_is_followed_by_creation_unless_it_has_stamps():
    assert shape_of("LeadHistory", Id="id", CreatedDate="datetime").cursor == "CreatedDate"
    stamped = {"Id": "id", "CreatedDate": "datetime", "SystemModstamp": "datetime"}
    assert shape_of("OpportunityHistory", **stamped).cursor == "SystemModstamp"
    hidden = ObjectShape("Task", {"SystemModstamp": FieldShape("SystemModstamp", "datetime", False, False, ())}, True)
    assert hidden.cursor is None


def test_a_recording_shows_forms_and_no_contents(tmp_path: Path):
    org = FakeOrg()
    org.define("Lead", LastName="string", Email="email")
    org.insert("Lead", LastName="Ottokar", Email="otto@acme.test")
    recorder = Recorder(org)
    session = session_of(org, tmp_path / "lock")
    session._transport = recorder
    rest.records(session, "SELECT Id, LastName, Email, CreatedDate FROM Lead", "leads")
    recorder.send(Request("POST", "https://x/services/oauth2/token", {}, b"grant_type=client_credentials"))
    recorder.save(tmp_path / "recording.json")
    text = (tmp_path / "recording.json").read_text(encoding="utf-8")
    assert not [one for one in ("Ottokar", "otto", "acme", "00Dtoken", "2026") if one in text]
    (record,) = [pair["body"]["records"][0] for pair in json.loads(text) if "query" in pair["path"]]
    assert record["attributes"] == {"type": "Lead"}
    assert (record["LastName"], record["Email"]) == ("xxxxxxx", "xxxx@xxxx.xxxx")
    assert record["CreatedDate"] == "0000-00-00T00:00:00.000+0000"
    assert "oauth2" not in text


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("true", "true"),
        ("2026-01-02T03:04:05.000Z", "0000-00-00T00:00:00.000Z"),
        ("2026-01-02", "0000-00-00"),
        ("Größe 12", "xxxxx 00"),
    ],
)
def test_masks_keep_the_form(value: str, masked: str):
    assert mask(value) == masked


def test_ids_are_masked_alike():
    assert mask("00Q000000000001AAA") == mask("00Q000000000001AAA") != mask("00Q000000000002AAA")
    assert mask("00Q000000000001AAA").startswith("00Q")
