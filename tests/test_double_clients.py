"""A client that others wrote drives the double as it is: simple-salesforce, unchanged."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from leadline_double import Double, Org, serve
from leadline_double.org import USER_NAME
from leadline_double.server import key_pair

with warnings.catch_warnings():
    # Its SOAP library parses with a module that warns on import.
    warnings.simplefilter("ignore")
    from simple_salesforce import Salesforce
    from simple_salesforce.exceptions import (
        SalesforceAuthenticationFailed,
        SalesforceExpiredSession,
        SalesforceMalformedRequest,
    )

VERSION = "67.0"
ODD = [
    "Müller & Söhne",
    'says "no"',
    "two\nlines",
    "comma, here",
    "N/A",
    "null",
    "NaN",
    "東京",
    "tab\there",
    " padded ",
]


class ToDouble(HTTPAdapter):
    """Brings requests for any host to the double; the Host header stays."""

    def __init__(self, double: Double) -> None:
        super().__init__()
        self._site = urlsplit(double.url)

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        url = urlsplit(request.url)
        request.headers["Host"] = url.netloc
        request.url = url._replace(scheme=self._site.scheme, netloc=self._site.netloc).geturl()
        return super().send(request, *args, **kwargs)


def session_to(double: Double) -> requests.Session:
    """A session that trusts the double and finds it under every name."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(double.ca_file)
    session.mount("https://", ToDouble(double))
    return session


@pytest.fixture(scope="module")
def double() -> Iterator[Double]:
    """An org with 450 leads of odd names, five of them deleted."""
    org = Org()
    for number in range(450):
        company = None if number % 7 == 0 else ODD[number % len(ODD)]
        org.create("Lead", LastName=f"Lead {number:03d}", Company="X", Status="Open", Title=company)
    for lead in list(org.tables["Lead"])[:5]:
        org.delete("Lead", lead)
    with serve(org) as running:
        running.service.page_size = 200
        yield running


@pytest.fixture
def client(double: Double) -> Iterator[Any]:
    """A client with a session of its own, on the loopback address itself."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(double.ca_file)
    with session:
        yield Salesforce(instance_url=double.url, session_id=double.token(), version=VERSION, session=session)


def test_it_logs_in_with_a_signed_assertion(double: Double):
    with session_to(double) as session:
        client: Any = Salesforce(
            username=USER_NAME,
            consumer_key=double.app.consumer_key,
            privatekey=key_pair().private.decode(),
            version=VERSION,
            session=session,
        )
        assert client.sf_instance == double.service.domain
        assert client.query("SELECT COUNT() FROM Lead")["totalSize"] == 445


def test_it_logs_in_with_client_credentials(double: Double):
    with session_to(double) as session:
        client: Any = Salesforce(
            consumer_key=double.app.consumer_key,
            consumer_secret=double.app.consumer_secret,
            domain="double.my",
            version=VERSION,
            session=session,
        )
        assert client.query("SELECT Id FROM User")["records"][0]["Id"] == double.org.user_id


@pytest.mark.parametrize(
    "change", [{"privatekey": key_pair("other").private}, {"consumer_key": "unknown"}, {"username": "x@y.example"}]
)
def test_it_is_refused_with_a_wrong_key_app_or_user(double: Double, change: dict[str, Any]):
    wish = {"username": USER_NAME, "consumer_key": double.app.consumer_key, "privatekey": key_pair().private} | change
    with session_to(double) as session, warnings.catch_warnings():
        # It warns of apps that nobody approved.
        warnings.simplefilter("ignore")
        with pytest.raises(SalesforceAuthenticationFailed):
            Salesforce(**wish, version=VERSION, session=session)


def test_a_login_by_password_is_off(double: Double):
    with session_to(double) as session, pytest.raises(SalesforceAuthenticationFailed, match="INVALID_OPERATION"):
        Salesforce(username=USER_NAME, password="secret", security_token="", version="59.0", session=session)


def test_a_query_of_three_pages(client: Any, double: Double):
    rows = client.query_all("SELECT Id, LastName, Title FROM Lead ORDER BY LastName")["records"]
    assert [row["LastName"] for row in rows] == [f"Lead {number:03d}" for number in range(5, 450)]
    assert {row["Title"] for row in rows} == {None, *ODD}
    first = client.query("SELECT Id FROM Lead")
    assert (first["done"], len(first["records"]), first["nextRecordsUrl"][-4:]) == (False, 200, "-200")


def test_query_all_sees_the_recycle_bin(client: Any):
    rows = client.query_all("SELECT Id, IsDeleted FROM Lead", include_deleted=True)["records"]
    assert (len(rows), sum(row["IsDeleted"] for row in rows)) == (450, 5)


def test_a_bulk_export_of_three_pages(client: Any, double: Double):
    pages = list(client.bulk2.Lead.query("SELECT Id, LastName, Title, CreatedDate FROM Lead", max_records=200, wait=0))
    assert len(pages) == 3
    rows = [row for page in pages for row in csv.DictReader(io.StringIO(page, newline=""))]
    held = {one["Id"]: one for one in double.org.live("Lead")}
    assert {row["Id"]: (row["LastName"], row["Title"]) for row in rows} == {
        key: (one["LastName"], one["Title"] or "") for key, one in held.items()
    }
    assert {row["CreatedDate"] for row in rows} == {"2026-07-01T12:00:00.000Z"}
    assert all('"' in page.splitlines()[0] for page in pages)


def test_a_bulk_ingest_with_a_failing_row(client: Any, double: Double):
    rows = [
        {"LastName": "Good", "Company": "Umläute & Co", "Status": "Open"},
        {"LastName": "", "Company": "no, name", "Status": "Open"},
        {"LastName": "two\nlines", "Company": "C", "Status": "Open"},
    ]
    done = client.bulk2.Lead.insert(records=rows, wait=0)[0]
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (3, 1)
    failed = list(csv.DictReader(io.StringIO(client.bulk2.Lead.get_failed_records(done["job_id"]), newline="")))
    assert [row["Company"] for row in failed] == ["no, name"]
    assert failed[0]["sf__Error"].startswith("REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]")
    good = list(csv.DictReader(io.StringIO(client.bulk2.Lead.get_successful_records(done["job_id"]), newline="")))
    assert {row["LastName"] for row in good} == {"Good", "two\nlines"}
    assert {double.org.record("Lead", row["sf__Id"])["Company"] for row in good} == {"Umläute & Co", "C"}
    for row in good:
        client.Lead.delete(row["sf__Id"])
        double.org.purge(row["sf__Id"])


def test_single_records(client: Any, double: Double):
    made = client.Account.create({"Name": "Acme", "NumberOfEmployees": "12"})["id"]
    assert client.Account.get(made)["NumberOfEmployees"] == 12
    assert client.Account.update(made, {"Name": "Acme 2"}) == 204
    assert double.org.record("Account", made)["Name"] == "Acme 2"
    assert client.Account.delete(made) == 204
    moment = double.org.clock.now()
    gone = client.Account.deleted(moment.replace(hour=0), moment.replace(hour=23))
    assert [row["id"] for row in gone["deletedRecords"]] == [made]
    assert client.Account.describe()["name"] == "Account"
    assert client.limits()["DailyApiRequests"]["Max"] == 100_000


def test_errors_reach_it_as_the_platform_words_them(client: Any):
    with pytest.raises(SalesforceMalformedRequest) as found:
        client.query("SELECT Nope FROM Lead")
    content: Any = found.value.content
    assert content[0]["errorCode"] == "INVALID_FIELD"


def test_an_ended_session_is_told(double: Double):
    with requests.Session() as session:
        session.trust_env, session.verify = False, str(double.ca_file)
        client: Any = Salesforce(instance_url=double.url, session_id="00D!gone", version=VERSION, session=session)
        with pytest.raises(SalesforceExpiredSession):
            client.query("SELECT Id FROM Lead")
