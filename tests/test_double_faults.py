"""Faults of the double: planned and drawn, in the answer and on the wire."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from leadline_double import Double, Faults, Org, serve
from leadline_double.faults import KINDS, SURVIVABLE
from tests.double.calling import Caller
from tests.scale import scaled

SOQL = "SELECT Id FROM Lead"


def org_of_leads(count: int = 30) -> Org:
    """An org with leads."""
    org = Org()
    for number in range(count):
        org.create("Lead", LastName=f"L{number}", Company="C" * 40, Status="Open")
    return org


@pytest.fixture
def caller() -> Caller:
    """A client of it."""
    return Caller(org_of_leads())


@pytest.mark.parametrize(
    ("kind", "status", "code", "part"),
    [
        ("500", 500, "UNKNOWN_EXCEPTION", ""),
        ("503", 503, "SERVER_UNAVAILABLE", ""),
        ("concurrent", 403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests"),
        ("daily", 403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests"),
        ("query_timeout", 400, "QUERY_TIMEOUT", "running for too long"),
        ("expire_token", 401, "INVALID_SESSION_ID", "expired"),
    ],
)
def test_errors_of_the_org(caller: Caller, kind: str, status: int, code: str, part: str):
    caller.service.faults.add(kind, "/query")
    answer = caller("GET", "/query", q=SOQL)
    assert answer.error == (status, code)
    assert part in answer.data[0]["message"]


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("502", 502), ("503html", 503), ("406", 406), ("420", 420)])
def test_pages_of_the_edge_are_no_json(caller: Caller, kind: str, status: int):
    caller.service.faults.add(kind)
    answer = caller("GET", "/query", q=SOQL)
    assert (answer.status, answer.content_type) == (status, "text/html; charset=UTF-8")
    assert caller("GET", "/query", q=SOQL).status == 200


def test_planned_faults_wait_and_repeat(caller: Caller):
    caller.service.faults.add("503", "/limits", method="GET", times=2, skip=1)
    assert [caller("GET", "/limits").status for _ in range(4)] == [200, 503, 503, 200]
    assert caller.service.faults.log == [("GET", "/services/data/v67.0/limits", "503")] * 2
    with pytest.raises(ValueError, match="no fault is called '999'"):
        caller.service.faults.add("999")


def test_a_lost_cursor(caller: Caller):
    caller.service.page_size = 10
    url = caller("GET", "/query", q=SOQL).data["nextRecordsUrl"]
    caller.service.faults.add("expire_locator", "/query/01g")
    assert caller("GET", url).error == (400, "INVALID_QUERY_LOCATOR")


def test_faults_of_bulk_pages(caller: Caller):
    faults = caller.service.faults
    faults.add("not_ready", "/results")
    assert caller.bulk(SOQL)[0].status == 204
    faults.add("short_page", "/results")
    assert [len(page.rows) for page in caller.bulk(SOQL, maxRecords="15")] == [5, 15, 10]
    faults.add("repeat_page", "/results", skip=1)
    pages = caller.bulk(SOQL, maxRecords="10")
    assert [len(page.rows) for page in pages] == [10, 10, 10, 10]
    assert (pages[1].text == pages[2].text, pages[2].text == pages[3].text) == (True, False)
    faults.add("no_locator", "/results")
    assert "Sforce-Locator" not in caller.bulk(SOQL)[0].headers


def test_a_job_that_fails_after_a_part_of_its_pages(caller: Caller):
    job = caller("POST", "/jobs/query", {"operation": "query", "query": SOQL}).data["id"]
    caller.service.faults.add("job_failed", f"/jobs/query/{job}")
    failed = caller("GET", f"/jobs/query/{job}").data
    assert (failed["state"], "InternalServerError" in failed["errorMessage"]) == ("Failed", True)


def test_a_short_page_of_a_query(caller: Caller):
    caller.service.faults.add("short_page", "/query")
    caller.service.page_size = 15
    first = caller("GET", "/query", q=SOQL).data
    assert (len(first["records"]), first["done"], first["totalSize"]) == (5, False, 30)


def drawn(seed: int, requests_made: list[tuple[str, str]]) -> list[str | None]:
    """What a seed makes of some requests."""
    faults = Faults()
    faults.random(seed, rate=0.3)
    return [faults.next(method, path) for method, path in requests_made]


def test_draws_depend_on_seed_and_request_only():
    base = "/services/data/v67.0"
    made = [("GET", f"{base}/jobs/query/750/results?locator={number % 40}") for number in range(400)]
    assert drawn(1, made) == drawn(1, made) != drawn(2, made)
    mixed = [one for pair in zip(made, [("GET", f"{base}/limits")] * 400, strict=True) for one in pair]
    assert drawn(1, mixed)[::2] == drawn(1, made)
    met = Counter(kind for kind in drawn(1, made) if kind)
    assert met.keys() <= SURVIVABLE < KINDS
    assert 60 < sum(met.values()) < 140
    assert drawn(1, [("POST", "/services/oauth2/token")] * 100) == [None] * 100


def test_after_two_in_a_row_a_request_passes():
    faults = Faults()
    faults.random(3, rate=1.0, kinds=["503"])
    path = "/services/data/v67.0/limits"
    assert [faults.next("GET", path) for _ in range(7)] == ["503", "503", None, "503", "503", None, "503"]
    faults.clear()
    assert faults.next("GET", path) is None


@pytest.fixture(scope="module")
def double() -> Iterator[Double]:
    """The same org on a real server."""
    with serve(org_of_leads(200)) as running:
        yield running


@pytest.fixture
def session(double: Double) -> Iterator[requests.Session]:
    """A session with a token."""
    with requests.Session() as session:
        session.trust_env, session.verify = False, str(double.ca_file)
        session.headers["Authorization"] = f"Bearer {double.token()}"
        yield session


def url(double: Double) -> str:
    """A query."""
    return f"{double.url}/services/data/v67.0/query?q={SOQL.replace(' ', '+')}"


def test_answers_are_gzipped_where_that_is_taken(double: Double, session: requests.Session):
    packed = session.get(url(double))
    plain = session.get(url(double), headers={"Accept-Encoding": "identity"})
    assert (packed.headers["Content-Encoding"], "Content-Encoding" in plain.headers) == ("gzip", False)
    assert packed.json()["records"] == plain.json()["records"]
    double.service.gzip = False
    assert "Content-Encoding" not in session.get(url(double)).headers
    double.service.gzip = True


def test_a_request_may_be_gzipped(double: Double, session: requests.Session):
    body = gzip.compress(json.dumps({"operation": "query", "query": SOQL}).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    assert session.post(f"{double.url}/services/data/v67.0/jobs/query", data=body, headers=headers).status_code == 200


def test_a_cut_body_breaks_the_connection(double: Double, session: requests.Session):
    double.faults.add("cut", "/query")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        session.get(url(double))
    assert session.get(url(double)).json()["totalSize"] == 200


def test_a_torn_body_looks_whole(double: Double, session: requests.Session):
    double.faults.add("torn", "/query")
    answer = session.get(url(double), headers={"Accept-Encoding": "identity"})
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with pytest.raises(ValueError, match=r"line 1"):
        answer.json()


def test_garbage_with_status_200(double: Double, session: requests.Session):
    double.faults.add("garbage", "/query")
    answer = session.get(url(double))
    assert (answer.status_code, answer.text.startswith("<html>")) == (200, True)


def test_a_gzip_that_does_not_unpack(double: Double, session: requests.Session):
    double.faults.add("bad_gzip", "/query", times=2)
    answer = session.get(url(double), stream=True)
    with pytest.raises((zlib.error, gzip.BadGzipFile)):
        gzip.decompress(answer.raw.read(decode_content=False))
    with pytest.raises(requests.exceptions.RequestException):
        session.get(url(double))


def test_a_lost_answer_means_that_it_was_done(double: Double, session: requests.Session):
    address = f"{double.url}/services/data/v67.0/sobjects/Account"
    double.faults.add("lost", "/sobjects/Account")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        session.post(address, json={"Name": "Lost"})
    double.faults.add("lost503", "/sobjects/Account")
    assert session.post(address, json={"Name": "Lost 503"}).status_code == 503
    assert [one["Name"] for one in double.org.live("Account")] == ["Lost", "Lost 503"]


def test_a_stalled_answer_leaves_others_alone(double: Double, session: requests.Session):
    double.faults.add("stall", "/query")
    with pytest.raises(requests.exceptions.ReadTimeout):
        session.get(url(double), timeout=0.2)
    double.faults.add("slow", "/query")
    assert session.get(url(double)).status_code == 200


class Patient:
    """A client that asks again whatever happens, and believes nothing that it cannot check."""

    def __init__(self, double: Double, session: requests.Session) -> None:
        self.double, self.session, self.tries = double, session, 0

    def ask(self, method: str, path: str, check: Callable[[requests.Response], Any], **more: Any) -> Any:
        """What `check` makes of the answer; it raises ValueError at one that cannot be."""
        for _ in range(12):
            self.tries += 1
            try:
                answer = self.session.request(method, f"{self.double.url}/services/data/v67.0{path}", **more)
                if answer.status_code == 401:
                    self.session.headers["Authorization"] = f"Bearer {self.double.token()}"
                if answer.status_code == 200:
                    return check(answer)
            except (requests.RequestException, ValueError, csv.Error):
                continue
        raise AssertionError(f"{method} {path} never came through: {self.double.faults.log[-12:]}")

    def export(self, soql: str) -> tuple[set[str], int]:
        """Ids of a bulk query, and how many rows the job says it has."""
        job = self.ask("POST", "/jobs/query", requests.Response.json, json={"operation": "query", "query": soql})["id"]
        info: dict[str, Any] = {"state": ""}
        while info["state"] != "JobComplete":
            info = self.ask("GET", f"/jobs/query/{job}", requests.Response.json)
        ids: set[str] = set()
        mark = ""
        while mark != "null":
            query = {"maxRecords": "400"} | ({"locator": mark} if mark else {})
            rows, mark = self.ask("GET", f"/jobs/query/{job}/results", page_of, params=query)
            ids |= {row["Id"] for row in rows}
        return ids, info["numberRecordsProcessed"]


def page_of(answer: requests.Response) -> tuple[list[dict[str, str]], str]:
    """Rows and locator of a page whose rows are as many as it says."""
    rows = list(csv.DictReader(io.StringIO(answer.content.decode(), newline=""), strict=True))
    if answer.headers["Content-Type"] != "text/csv" or len(rows) != int(answer.headers["Sforce-NumberOfRecords"]):
        raise ValueError("not the page that was asked for")
    return rows, answer.headers.get("Sforce-Locator", "null")


@pytest.fixture(scope="module")
def large() -> Iterator[Double]:
    """An org of 5,000 leads on a real server."""
    with serve(org_of_leads(5000)) as running:
        running.faults.slow_seconds = 0.001
        yield running


@pytest.mark.parametrize("seed", range(scaled(50)))
def test_a_patient_client_gets_everything_through_any_schedule(large: Double, seed: int):
    large.faults.random(seed, rate=0.4)
    before = len(large.faults.log)
    with requests.Session() as session:
        session.trust_env, session.verify = False, str(large.ca_file)
        patient = Patient(large, session)
        ids, count = patient.export(SOQL)
    large.faults.clear()
    assert ids == set(large.org.tables["Lead"])
    assert count == 5000
    assert len(large.faults.log) > before
