"""Bulk API 2.0 of the double: query and ingest jobs, pages, locators, and what they refuse."""

from __future__ import annotations

from decimal import Decimal

import pytest

from leadline_double.prepared import Prepared, member_rows
from leadline_double.values import double_text
from tests.double.calling import Caller


@pytest.fixture
def caller() -> Caller:
    """Ten leads of odd names."""
    caller = Caller()
    for number in range(10):
        caller.org.create(
            "Lead", LastName=f'"L"\n{number}', Company="Ümlaut, Ltd", Status="Open", AnnualRevenue=number * 10**8
        )
    return caller


def test_pages_cover_all_rows_once(caller: Caller):
    pages = caller.bulk("SELECT Id, LastName, AnnualRevenue, IsConverted, Title FROM Lead", maxRecords="4")
    assert [page.headers["Sforce-NumberOfRecords"] for page in pages] == ["4", "4", "2"]
    assert pages[-1].headers["Sforce-Locator"] == "null"
    assert {page.content_type for page in pages} == {"text/csv"}
    assert all(page.text.startswith('"Id","LastName","AnnualRevenue","IsConverted","Title"\n') for page in pages)
    rows = [row for page in pages for row in page.rows]
    assert {row["Id"] for row in rows} == set(caller.org.tables["Lead"])
    assert {row["LastName"] for row in rows} == {f'"L"\n{number}' for number in range(10)}
    assert {row["AnnualRevenue"] for row in rows} == {"0.0", *(f"{number}.0E8" for number in range(1, 10))}
    assert {(row["IsConverted"], row["Title"]) for row in rows} == {("false", "")}


@pytest.mark.parametrize(
    ("number", "text"),
    [("0", "0.0"), ("26000", "26000.0"), ("1234.50", "1234.5"), ("257060529", "2.57060529E8"), ("-0.05", "-0.05"),
     ("10000000", "1.0E7"), ("9999999.9", "9999999.9"), ("0.0001", "1.0E-4"), ("-12000000", "-1.2E7")],
)  # fmt: skip
def test_numbers_are_printed_as_doubles(number: str, text: str):
    assert double_text(Decimal(number)) == text
    assert Decimal(text) == Decimal(number)


def test_order_is_promised_only_where_asked(caller: Caller):
    free = [row["Id"] for row in caller.bulk("SELECT Id FROM Lead")[0].rows]
    ordered = [row["Id"] for row in caller.bulk("SELECT Id FROM Lead ORDER BY Id")[0].rows]
    assert ordered == sorted(free) != free


def test_query_all_line_ends_and_delimiters(caller: Caller):
    caller.org.delete("Lead", next(iter(caller.org.tables["Lead"])))
    assert len(caller.bulk("SELECT Id FROM Lead")[0].rows) == 9
    assert len(caller.bulk("SELECT Id FROM Lead", operation="queryAll")[0].rows) == 10
    wish = {
        "operation": "query",
        "query": "SELECT Id, Company FROM Lead",
        "lineEnding": "CRLF",
        "columnDelimiter": "PIPE",
    }
    job = caller("POST", "/jobs/query", wish).data["id"]
    for _ in range(2):
        caller("GET", f"/jobs/query/{job}")
    assert caller("GET", f"/jobs/query/{job}/results").text.startswith('"Id"|"Company"\r\n"00Q')


def test_the_life_of_a_job(caller: Caller):
    made = caller("POST", "/jobs/query", {"operation": "query", "query": "SELECT Id FROM Lead"}).data
    path = f"/jobs/query/{made['id']}"
    assert (made["state"], made["apiVersion"], made["concurrencyMode"], made["object"]) == (
        "UploadComplete",
        67.0,
        "Parallel",
        "Lead",
    )
    early = caller("GET", f"{path}/results")
    assert (early.status, early.text) == (204, "")
    assert caller("DELETE", path).error == (400, "INVALIDJOBSTATE")
    assert caller("GET", path).data["state"] == "InProgress"
    done = caller("GET", path).data
    assert (done["state"], done["numberRecordsProcessed"], done["jobType"], done["isPkChunkingSupported"]) == (
        "JobComplete", 10, "V2Query", True,
    )  # fmt: skip
    assert caller("GET", f"{path}/results", version="66.0").error == (409, "CONFLICT")
    assert caller("GET", f"{path}/results", locator="MTAw").error == (400, "INVALID_QUERY_LOCATOR")
    assert caller("PATCH", path, {"state": "Aborted"}).error == (400, "INVALIDJOBSTATE")
    assert caller("GET", "/jobs/query").data["records"][0]["id"] == made["id"]
    deleted = caller("DELETE", path)
    assert (deleted.status, deleted.text) == (204, "")
    assert caller("GET", path).error == (404, "NOT_FOUND")


def test_an_aborted_job_gives_nothing(caller: Caller):
    job = caller("POST", "/jobs/query", {"operation": "query", "query": "SELECT Id FROM Lead"}).data["id"]
    assert caller("PATCH", f"/jobs/query/{job}", {"state": "Aborted"}).data["state"] == "Aborted"
    assert caller("GET", f"/jobs/query/{job}/results").error == (400, "INVALIDJOBSTATE")


def test_results_asked_too_early_may_be_an_error(caller: Caller):
    caller.service.unready_status = 412
    job = caller("POST", "/jobs/query", {"operation": "query", "query": "SELECT Id FROM Lead"}).data["id"]
    assert caller("GET", f"/jobs/query/{job}/results").error == (412, "JOB_NOT_COMPLETE")


def test_a_field_that_goes_before_the_job_runs_fails_it(caller: Caller):
    caller.org.add_field("Lead", "Score__c")
    job = caller("POST", "/jobs/query", {"operation": "query", "query": "SELECT Score__c FROM Lead"}).data["id"]
    caller.org.hide_field("Lead", "Score__c")
    caller("GET", f"/jobs/query/{job}")
    failed = caller("GET", f"/jobs/query/{job}").data
    assert failed["state"] == "Failed"
    assert "INVALID_FIELD" in failed["errorMessage"]


def test_rows_are_those_of_the_moment_the_job_ran(caller: Caller):
    job = caller("POST", "/jobs/query", {"operation": "query", "query": "SELECT Id FROM Lead"}).data["id"]
    for _ in range(2):
        caller("GET", f"/jobs/query/{job}")
    for key in list(caller.org.tables["Lead"]):
        caller.org.erase("Lead", key)
    assert len(caller("GET", f"/jobs/query/{job}/results").rows) == 10
    caller.org.clock.advance(days=8)
    caller.login()
    assert caller("GET", f"/jobs/query/{job}").error == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("soql", "part"),
    [
        ("SELECT COUNT() FROM Lead", "Aggregate"),
        ("SELECT Status, COUNT(Id) FROM Lead GROUP BY Status", "Aggregate"),
        ("SELECT Id FROM Lead LIMIT 5 OFFSET 2", "OFFSET"),
        ("SELECT Address FROM Lead", "compound"),
        ("SELECT Nope FROM Lead", "No such column"),
        ("SELECT Id FROM", "unexpected token"),
        ("SELECT Id FROM Lead WHERE Description = 'x'", "can not be filtered"),
    ],
)
def test_queries_that_bulk_refuses(caller: Caller, soql: str, part: str):
    answer = caller("POST", "/jobs/query", {"operation": "query", "query": soql})
    assert answer.error == (400, "API_ERROR")
    assert part in answer.data[0]["message"]


def test_objects_and_jobs_that_bulk_refuses(caller: Caller):
    caller.service.no_bulk.add("LeadStatus")
    wish = {"operation": "query", "query": "SELECT Id FROM LeadStatus"}
    assert caller("POST", "/jobs/query", wish).error == (400, "INVALIDENTITY")
    assert caller("POST", "/jobs/query", wish | {"operation": "read"}).error == (400, "INVALIDJOB")
    assert caller("POST", "/jobs/query", wish | {"contentType": "JSON"}).error == (400, "INVALIDJOB")
    ingest = {"operation": "insert", "object": "Nope"}
    assert caller("POST", "/jobs/ingest", ingest).error == (400, "INVALIDENTITY")
    assert caller("POST", "/jobs/ingest", {"operation": "upsert", "object": "Lead"}).error == (400, "INVALIDJOB")


def test_ingest_takes_good_rows_and_names_bad_ones(caller: Caller):
    text = 'LastName,Company,Status,AnnualRevenue\nA,"C, D",Open,12\n,E,Open,1\nB,F,Open,abc\n'
    job = caller.ingest("insert", "Lead", text)
    info = caller("GET", f"/jobs/ingest/{job}").data
    assert (info["state"], info["numberRecordsProcessed"], info["numberRecordsFailed"]) == ("JobComplete", 3, 2)
    good = caller("GET", f"/jobs/ingest/{job}/successfulResults/").rows
    assert [(row["sf__Created"], row["Company"]) for row in good] == [("true", "C, D")]
    assert caller.org.record("Lead", good[0]["sf__Id"])["AnnualRevenue"] == 12
    bad = {row["Company"]: row["sf__Error"] for row in caller("GET", f"/jobs/ingest/{job}/failedResults/").rows}
    assert bad["E"] == "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    assert bad["F"].startswith("JSON_PARSER_ERROR:Cannot deserialize instance of double")
    assert caller("GET", f"/jobs/ingest/{job}/unprocessedrecords/").rows == []


def test_ingest_update_upsert_and_delete(caller: Caller):
    caller.org.add_field("Lead", "Key__c", external_id=True, unique=True)
    keys = list(caller.org.tables["Lead"])
    caller.org.put("Lead", keys[0], Key__c="k0", Title="Old")
    caller.org.put("Lead", keys[1], Title="Old")
    job = caller.ingest("update", "Lead", f"Id,Title,Company\n{keys[0]},,New\n{keys[1]},#N/A,\n")
    assert len(caller("GET", f"/jobs/ingest/{job}/successfulResults").rows) == 2
    assert [caller.org.record("Lead", key)["Title"] for key in keys[:2]] == ["Old", None]
    assert [caller.org.record("Lead", key)["Company"] for key in keys[:2]] == ["New", "Ümlaut, Ltd"]
    text = "Key__c,LastName,Company,Status\nk0,X,C,Open\nk9,Y,C,Open\n"
    job = caller.ingest("upsert", "Lead", text, externalIdFieldName="Key__c")
    rows = {row["Key__c"]: row for row in caller("GET", f"/jobs/ingest/{job}/successfulResults").rows}
    assert (rows["k0"]["sf__Id"], rows["k0"]["sf__Created"], rows["k9"]["sf__Created"]) == (keys[0], "false", "true")
    caller.ingest("delete", "Lead", f"Id\n{keys[0]}\n")
    caller.ingest("hardDelete", "Lead", f"Id\n{keys[1]}\n")
    assert caller.org.record("Lead", keys[0])["IsDeleted"] is True
    assert keys[1] not in caller.org.tables["Lead"]


def test_an_ingest_job_that_fails_leaves_its_rows_unprocessed(caller: Caller):
    job = caller.ingest("insert", "Lead", "LastName,Nope\nA,1\nB,2\n")
    info = caller("GET", f"/jobs/ingest/{job}").data
    assert (info["state"], info["errorMessage"]) == ("Failed", "InvalidBatch : Field name not found : Nope")
    assert [row["LastName"] for row in caller("GET", f"/jobs/ingest/{job}/unprocessedrecords").rows] == ["A", "B"]


def test_an_ingest_job_takes_one_upload_while_open(caller: Caller):
    made = caller("POST", "/jobs/ingest", {"operation": "insert", "object": "Lead"}).data
    path = f"/jobs/ingest/{made['id']}"
    assert (made["state"], made["contentUrl"]) == ("Open", f"services/data/v67.0{path}/batches")
    assert caller("DELETE", path).error == (400, "INVALIDJOBSTATE")
    for broken in (b'LastName\n"A', b"LastName\n\xff\n", b""):
        assert caller("PUT", f"{path}/batches", broken).error == (400, "INVALIDBATCH")
    assert caller("PUT", f"{path}/batches", "LastName\nA\n").status == 201
    assert caller("PUT", f"{path}/batches", "LastName\nA\n").error == (400, "INVALIDJOBSTATE")
    assert caller("PATCH", path, {"state": "Aborted"}).data["state"] == "Aborted"
    assert [row["LastName"] for row in caller("GET", f"{path}/unprocessedrecords").rows] == ["A"]
    assert caller("PATCH", path, {"state": "UploadComplete"}).error == (400, "INVALIDJOBSTATE")
    assert caller("DELETE", path).status == 204


def test_prepared_rows_answer_bulk_queries(caller: Caller):
    caller.service.prepared["CampaignMember"] = Prepared(member_rows(1000))
    pages = caller.bulk("SELECT Id, Status, LeadId FROM CampaignMember WHERE IsDeleted = false", maxRecords="300")
    rows = [row for page in pages for row in page.rows]
    assert len({row["Id"] for row in rows}) == len(rows) == 1000
    assert rows[0].keys() == {"Id", "Status", "LeadId"}
    assert pages[0].text.startswith('"Id","Status","LeadId"\n"00v')
    assert caller("GET", "/query", q="SELECT COUNT() FROM CampaignMember").data["totalSize"] == 1000
