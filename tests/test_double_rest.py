"""Queries, describes, replication and limits of the double, and what it refuses."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest

from tests.double.calling import Caller
from tests.scale import scaled

MISSING_IDS = "00Q000000000000"


@pytest.fixture
def caller() -> Caller:
    """Seven leads and an account with two contacts."""
    caller = Caller()
    org = caller.org
    for number in range(7):
        org.create(
            "Lead",
            LastName=f"L{number}",
            Company="Acme" if number % 2 else "acme Inc",
            Status="Open",
            Email=None if number == 3 else f"{number}@x.example",
            NumberOfEmployees=number * 10,
        )
        org.clock.advance(seconds=1)
    account = org.create("Account", Name="O'Hara \\ Sons", AnnualRevenue="1234567.89")
    for name in ("A", "B"):
        org.create("Contact", LastName=name, AccountId=account)
    org.create("Contact", LastName="C")
    return caller


def names(caller: Caller, condition: str) -> str:
    """Last digits of the leads that a condition keeps."""
    return "".join(row["LastName"][1:] for row in caller.query(f"SELECT LastName FROM Lead {condition}"))


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("WHERE NumberOfEmployees > 40", "56"),
        ("where numberofemployees >= 40 and LASTNAME != 'l6'", "45"),
        ("WHERE Company = 'ACME'", "135"),
        ("WHERE Company LIKE 'acme_inc'", "0246"),
        ("WHERE Email = null", "3"),
        ("WHERE Email != '1@x.example'", "023456"),
        ("WHERE LastName IN ('L1', 'L5')", "15"),
        ("WHERE LastName NOT IN ('L1', 'L5')", "02346"),
        ("WHERE NOT (LastName = 'L1' OR NumberOfEmployees < 30)", "3456"),
        ("WHERE (LastName = 'L1' OR LastName = 'L2') AND IsConverted = false", "12"),
        ("WHERE SystemModstamp >= 2026-07-01T12:00:02Z AND SystemModstamp < 2026-07-01T12:00:04.000+0000", "23"),
        ("WHERE CreatedDate < 2026-07-01T14:00:02+02:00", "01"),
        ("WHERE Owner.Name = 'integration'", "0123456"),
        ("ORDER BY NumberOfEmployees DESC LIMIT 2", "65"),
        ("ORDER BY Email NULLS LAST, LastName OFFSET 5", "63"),
        ("ORDER BY Email LIMIT 1", "3"),
    ],
)
def test_conditions_and_orders(caller: Caller, condition: str, wanted: str):
    assert names(caller, condition) == wanted


def test_quotes_and_backslashes_in_texts(caller: Caller):
    rows = caller.query(r"SELECT Id, AnnualRevenue FROM Account WHERE Name = 'O\'Hara \\ Sons'")
    assert [row["AnnualRevenue"] for row in rows] == [1234567.89]


def test_parents_are_objects_or_null(caller: Caller):
    rows = caller.query("SELECT LastName, Account.Name, Account.Owner.Alias FROM Contact ORDER BY LastName")
    assert rows[0]["Account"]["attributes"]["type"] == "Account"
    assert rows[0]["Account"]["Owner"]["Alias"] == "integ"
    assert rows[2]["Account"] is None


def test_aggregates(caller: Caller):
    one = caller.query("SELECT COUNT(Id), MAX(NumberOfEmployees) most, SUM(NumberOfEmployees) FROM Lead")
    assert one == [{"attributes": {"type": "AggregateResult"}, "expr0": 7, "most": 60, "expr1": 210}]
    groups = caller.query("SELECT AccountId, COUNT(Id) n FROM Contact GROUP BY AccountId")
    assert sorted(row["n"] for row in groups) == [1, 2]
    assert caller("GET", "/query", q="SELECT COUNT() FROM Lead").data == {"totalSize": 7, "done": True, "records": []}


@pytest.mark.parametrize(
    ("soql", "code", "part"),
    [
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id, FROM Lead", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Lead LIMIT x", "MALFORMED_QUERY", "unexpected token: 'x'"),
        ("SELECT Id FROM Lead WHERE Id = 1 AND Id = 2 OR Id = 3", "MALFORMED_QUERY", "unexpected token: 'OR'"),
        ("SELECT FIELDS(ALL) FROM Lead LIMIT 200", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "MALFORMED_QUERY", "unexpected token: '('"),
        ("SELECT TYPEOF Owner WHEN User THEN Id END FROM Lead", "MALFORMED_QUERY", "unexpected token"),
        ("UPDATE Lead", "MALFORMED_QUERY", "unexpected token: 'UPDATE'"),
        ("SELECT Id FROM Lead WHERE ConvertedDate > 2026-02-30", "MALFORMED_QUERY", "unexpected token: '2026-02-30'"),
        ("SELECT Id; FROM Lead", "MALFORMED_QUERY", "unexpected token: ';'"),
        ("SELECT Nope FROM Lead", "INVALID_FIELD", "No such column 'Nope' on entity 'Lead'"),
        ("SELECT Boss.Name FROM Lead", "INVALID_FIELD", "Didn't understand relationship 'Boss'"),
        ("SELECT Id, Id FROM Lead", "INVALID_FIELD", "duplicate field selected: Id"),
        (
            "SELECT Id FROM Lead WHERE SystemModstamp > '2026-01-01T00:00:00Z'",
            "INVALID_FIELD",
            "must be of type dateTime",
        ),
        ("SELECT Id FROM Lead WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Lead WHERE NumberOfEmployees = '5'", "INVALID_FIELD", "should not be enclosed in quotes"),
        ("SELECT Id FROM Lead WHERE LastName = 5", "INVALID_FIELD", "should be enclosed in quotes"),
        ("SELECT Id FROM Lead WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM LeadHistory WHERE NewValue = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM LeadHistory ORDER BY NewValue", "INVALID_FIELD", "can not be sorted"),
        ("SELECT Id FROM Lead WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: x"),
        ("SELECT LastName, COUNT(Id) FROM Lead", "MALFORMED_QUERY", "must be grouped"),
        ("SELECT Id FROM Nope__c", "INVALID_TYPE", "sObject type 'Nope__c' is not supported"),
    ],
)
def test_what_the_language_refuses(caller: Caller, soql: str, code: str, part: str):
    answer = caller("GET", "/query", q=soql)
    assert answer.error == (400, code)
    assert part in answer.data[0]["message"]


def test_any_text_is_a_query_or_malformed(caller: Caller):
    dice, kept = random.Random(5), 0
    phrases = ["WHERE Name = 'x'", "ORDER BY Id", "LIMIT 5", "AND Id = null", "SELECT Id", "FROM Lead", "NOT IN ('a')"]
    words = [
        *phrases,
        "SELECT",
        "Id",
        ",",
        "Name",
        "WHERE",
        "=",
        "(",
        ")",
        "'x'",
        "5",
        "2026-01-01",
        "OR",
        "COUNT",
        ";",
        "'",
    ]
    for _ in range(scaled(20_000)):
        text = " ".join(dice.choices(words, k=dice.randint(1, 9)))
        answer = caller("GET", "/query", q=f"SELECT Id FROM Lead {text}" if dice.random() < 0.5 else text)
        assert answer.status in {200, 400}, text
        kept += answer.status == 200
    assert kept > 0


def test_a_query_without_text_or_of_too_much(caller: Caller):
    assert caller("GET", "/query").error == (400, "MALFORMED_QUERY")
    assert caller("GET", "/query", q="SELECT Id FROM Lead" + " " * 100_000).error == (400, "QUERY_TOO_COMPLICATED")


def test_pages_and_the_life_of_a_cursor(caller: Caller):
    caller.service.page_size = 3
    first = caller("GET", "/query", q="SELECT Id, LastName FROM Lead").data
    assert (first["totalSize"], first["done"], len(first["records"])) == (7, False, 3)
    assert first["nextRecordsUrl"].startswith("/services/data/v67.0/query/01g")
    assert [row["LastName"] for row in caller.query("SELECT LastName FROM Lead")] == [
        f"L{number}" for number in range(7)
    ]
    caller.org.clock.advance(minutes=16)
    assert caller("GET", first["nextRecordsUrl"]).error == (400, "INVALID_QUERY_LOCATOR")


def test_the_eleventh_cursor_closes_the_first(caller: Caller):
    caller.service.page_size = 3
    urls = [caller("GET", "/query", q="SELECT Id FROM Lead").data["nextRecordsUrl"] for _ in range(11)]
    assert caller("GET", urls[0]).error == (400, "INVALID_QUERY_LOCATOR")
    assert caller("GET", urls[10]).status == 200


def test_versions_need_no_token_and_no_call(caller: Caller):
    caller.token = "none"
    answer = caller("GET", "/services/data")
    assert answer.data[-1] == {"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"}
    assert "Sforce-Limit-Info" not in answer.headers
    assert caller("GET", "/query", q="SELECT Id FROM Lead").error == (401, "INVALID_SESSION_ID")


@pytest.mark.parametrize(
    ("version", "wanted"), [("20.0", (410, "UNSUPPORTED_API_VERSION")), ("99.0", (404, "NOT_FOUND"))]
)
def test_versions_out_of_service(caller: Caller, version: str, wanted: tuple[int, str]):
    assert caller("GET", "/query", version=version, q="SELECT Id FROM Lead").error == wanted


def test_unknown_paths_and_methods(caller: Caller):
    assert caller("GET", "/nothing/here").error == (404, "NOT_FOUND")
    assert caller("GET", "/services/nothing").error == (404, "NOT_FOUND")
    assert caller("DELETE", "/query").error == (405, "METHOD_NOT_ALLOWED")
    assert caller("POST", "/jobs/query", []).error == (400, "JSON_PARSER_ERROR")
    assert caller("POST", "/sobjects/Lead", "{not json").error == (400, "JSON_PARSER_ERROR")


def test_every_call_counts_until_the_day_is_used_up(caller: Caller):
    caller.service.limits.daily = 3
    for used in (1, 2, 3):
        answer = caller("GET", "/limits")
        assert answer.headers["Sforce-Limit-Info"].startswith(f"api-usage={used}/3")
        assert answer.data["DailyApiRequests"] == {"Max": 3, "Remaining": 3 - used}
    refused = caller("GET", "/limits")
    assert refused.error == (403, "REQUEST_LIMIT_EXCEEDED")
    assert "TotalRequests" in refused.data[0]["message"]
    caller.org.clock.advance(days=1)
    caller.login()
    assert caller("GET", "/limits").status == 200


def span(caller: Caller, **back: int) -> dict[str, str]:
    """Start and end parameters: from some time ago until now."""
    now = caller.org.clock.now()
    return {"start": (now - dt.timedelta(**back)).isoformat(), "end": now.isoformat()}


def test_get_deleted_knows_bin_and_purged_but_not_what_is_back(caller: Caller):
    org = caller.org
    leads = list(org.tables["Lead"])
    for key in leads[:3]:
        org.delete("Lead", key)
    moment = org.clock.now()
    org.purge(leads[0])
    org.undelete(leads[1])
    org.clock.advance(minutes=5)
    answer = caller("GET", "/sobjects/Lead/deleted/", **span(caller, hours=1)).data
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    assert answer["deletedRecords"] == [{"id": leads[key], "deletedDate": text} for key in (0, 2)]
    assert answer["latestDateCovered"] == org.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    assert answer["earliestDateAvailable"] == "2026-06-16T12:05:07.000+0000"
    updated = caller("GET", "/sobjects/Lead/updated/", **span(caller, hours=1)).data
    assert set(updated["ids"]) == {*leads[3:], leads[1]}
    org.purge_delete_log("Lead")
    later = caller("GET", "/sobjects/Lead/deleted/", **span(caller, hours=1)).data
    assert (later["deletedRecords"], later["earliestDateAvailable"]) == ([], answer["latestDateCovered"])


def test_changes_under_way_are_not_covered(caller: Caller):
    org = caller.org
    begin = org.clock.now()
    org.late(lambda: None, seconds=1200)
    org.clock.advance(minutes=10)
    answer = caller("GET", "/sobjects/Lead/deleted/", **span(caller, hours=1)).data
    assert answer["latestDateCovered"] == begin.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


@pytest.mark.parametrize(
    ("path", "query", "wanted"),
    [
        ("/sobjects/Lead/deleted/", {"days": 16}, (400, "INVALID_REPLICATION_DATE")),
        ("/sobjects/Lead/deleted/", {"seconds": 30}, (400, "INVALID_REPLICATION_DATE")),
        ("/sobjects/Lead/updated/", {"days": 31}, (400, "INVALID_REPLICATION_DATE")),
        ("/sobjects/Organization/deleted/", {"days": 1}, (400, "INVALID_TYPE_FOR_OPERATION")),
        ("/sobjects/Nope/deleted/", {"days": 1}, (404, "NOT_FOUND")),
    ],
)
def test_spans_that_are_refused(caller: Caller, path: str, query: dict[str, int], wanted: tuple[int, str]):
    assert caller("GET", path, **span(caller, **query)).error == wanted


def test_a_span_needs_a_zone(caller: Caller):
    answer = caller("GET", "/sobjects/Lead/deleted/", start="2026-07-01T00:00:00", end="2026-07-01T01:00:00")
    assert answer.error == (400, "MALFORMED_QUERY")


def test_single_records_are_checked(caller: Caller):
    key = next(iter(caller.org.tables["Lead"]))
    assert caller("GET", f"/sobjects/Lead/{key[:15]}", fields="LastName").data["LastName"] == "L0"
    assert caller("GET", f"/sobjects/Lead/{key}", fields="Nope").error == (400, "INVALID_FIELD")
    assert caller("GET", f"/sobjects/Lead/{MISSING_IDS}").error == (404, "NOT_FOUND")
    assert caller("DELETE", f"/sobjects/Lead/{key}").status == 204
    assert caller("GET", f"/sobjects/Lead/{key}").error == (404, "ENTITY_IS_DELETED")


def test_a_query_can_ask_for_its_columns(caller: Caller):
    answer: dict[str, Any] = caller("GET", "/query", q="SELECT Id, Owner.Name FROM Lead", columns="true").data
    assert [one["columnName"] for one in answer["columnMetadata"]] == ["Id", "Owner.Name"]
    assert answer["entityName"] == "Lead"


def test_who_the_token_stands_for(caller: Caller):
    assert caller("GET", "/services/oauth2/userinfo").data["user_id"] == caller.org.user_id
    assert set(caller("GET", "/").data) >= {"sobjects", "jobs", "query"}
