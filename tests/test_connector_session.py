"""Calls: what is asked again and what is not, tokens that expire, the budget, answers in words."""

from __future__ import annotations

import inspect
from pathlib import Path

import httpx
import pytest

from leadline.errors import ApiError, ApiLimitError, LoginError, OrgUnreachableError, SalesforceError
from leadline.sources.salesforce import faults
from leadline.sources.salesforce.faults import Verdict
from leadline.sources.salesforce.session import Session, from_json
from leadline.sources.salesforce.transport import HttpTransport, Request, Response
from leadline.sources.salesforce.waiting import TRIES
from tests.connector_org import FakeOrg, json_response, lost, refused, session_of

SECRET_BODY = "the-body-of-an-answer"


@pytest.fixture
def org() -> FakeOrg:
    return FakeOrg()


@pytest.fixture
def session(org: FakeOrg, tmp_path: Path) -> Session:
    found = session_of(org, tmp_path / "lock")
    assert found.version == "67.0"
    return found


def limits(session: Session) -> object:
    return session.get(session.data("limits/"), "the limits")


def asked(org: FakeOrg) -> int:
    return sum("limits" in request.url for request in org.log)


PASSING: list[Response | Exception] = [
    Response(429),
    Response(503, {}, b"<html>"),
    Response(502),
    Response(504),
    Response(500, {}, b"oops"),
    Response(406),
    Response(420, {}, b""),
    refused(503, "SERVER_UNAVAILABLE"),
    refused(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
    Response(200, {}, b'{"cut": '),
    Response(200, {}, b"<html>We are setting things up</html>"),
    Response(200, {}, b"\xff\xfe"),
    lost(),
]


@pytest.mark.parametrize("number", range(len(PASSING)))
def test_passing_faults_are_asked_again(number: int, session: Session, org: FakeOrg):
    fault = PASSING[number]
    org.fail("limits", fault, fault)
    assert limits(session) == {"DailyApiRequests": {"Max": "15000", "Remaining": str(15000 - org.used)}}
    assert asked(org) == 3


def test_waiting_grows_and_ends(org: FakeOrg, tmp_path: Path):
    slept: list[float] = []
    session = session_of(org, tmp_path / "lock", slept)
    org.fail("limits", *[Response(503)] * TRIES)
    with pytest.raises(OrgUnreachableError, match=f"HTTP 503; {TRIES} tries"):
        limits(session)
    assert asked(org) == TRIES
    assert slept == sorted(slept)
    assert len(slept) == TRIES - 1


STANDING: list[tuple[Response, type[SalesforceError]]] = [
    (refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), ApiLimitError),
    (refused(400, "INVALID_FIELD", SECRET_BODY), ApiError),
    (refused(400, "INVALID_TYPE", SECRET_BODY), ApiError),
    (refused(400, "QUERY_TIMEOUT", SECRET_BODY), ApiError),
    (refused(404, "NOT_FOUND", SECRET_BODY), ApiError),
    (refused(403, "INSUFFICIENT_ACCESS", SECRET_BODY), ApiError),
    (refused(400, "UNSUPPORTED_API_VERSION", SECRET_BODY), ApiError),
    (Response(301, {"location": "https://evil.test"}), ApiError),
    (Response(400, {}, SECRET_BODY.encode()), ApiError),
]


@pytest.mark.parametrize("number", range(len(STANDING)))
def test_what_cannot_be_helped_is_asked_once(number: int, session: Session, org: FakeOrg):
    answer, kind = STANDING[number]
    org.fail("limits", answer)
    with pytest.raises(kind) as refusal:
        limits(session)
    assert asked(org) == 1
    assert SECRET_BODY not in str(refusal.value)


def test_every_code_has_words():
    for code in faults.WORDS:
        assert faults.WORDS[code] in str(faults.refusal(refused(400, code), "something"))
    assert "HTTP 418" in str(faults.refusal(Response(418), "something"))
    # A code that is no code is text of a stranger.
    assert "<b>" not in str(faults.refusal(refused(400, "<b>"), "something"))


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (Response(204), Verdict.NOT_READY),
        (refused(412, "JOB_NOT_COMPLETE"), Verdict.NOT_READY),
        (Response(201), Verdict.FINE),
        (refused(401, "INVALID_SESSION_ID"), Verdict.LOG_IN),
        (refused(403, "INVALID_SESSION_ID"), Verdict.LOG_IN),
        (refused(409, "VERSION_MISMATCH"), Verdict.REFUSED),
    ],
)
def test_answers_mean_what_they_say(answer: Response, meaning: Verdict):
    assert faults.verdict(answer) is meaning


def test_a_session_that_expires_is_renewed_at_once(session: Session, org: FakeOrg):
    org.valid_token = "another"
    limits(session)
    assert asked(org) == 2
    assert sum("oauth2" in request.url for request in org.log) == 2


def test_a_session_that_is_never_accepted_ends_the_call(session: Session, org: FakeOrg):
    org.fail("limits", *[refused(401, "INVALID_SESSION_ID")] * 2)
    with pytest.raises(LoginError, match="does not accept"):
        limits(session)


def test_an_old_org_is_asked_in_its_newest_version(org: FakeOrg, tmp_path: Path):
    org.fail("GET .*/services/data/$", json_response([{"version": "64.0"}, {"version": "65.0"}]))
    assert session_of(org, tmp_path / "lock").version == "65.0"


def test_numbers_keep_their_digits():
    assert from_json(Response(200, {}, b'{"a": 0.10, "b": 257060529.123456789012, "c": 7}')) == {
        "a": "0.10",
        "b": "257060529.123456789012",
        "c": "7",
    }


def test_calls_are_counted_and_end_at_the_allowance(session: Session, org: FakeOrg):
    session.usage.allowance = session.usage.own + 2
    limits(session)
    limits(session)
    assert (session.usage.used, session.usage.limit) == (org.used, 15000)
    with pytest.raises(ApiLimitError, match="api_share"):
        limits(session)


def foreign_errors() -> list[type[Exception]]:
    """Every exception httpx can raise while it carries a request."""
    found = [one for _, one in inspect.getmembers(httpx, inspect.isclass) if issubclass(one, Exception)]
    return [one for one in found if not issubclass(one, httpx.HTTPStatusError | httpx.CookieConflict)]


@pytest.mark.parametrize("kind", foreign_errors(), ids=lambda one: one.__name__)
def test_errors_of_the_way_are_mapped_in_one_place(kind: type[Exception]):
    def broken(request: httpx.Request) -> httpx.Response:
        raise kind("https://secret.test/?token=x") if "message" in inspect.signature(kind).parameters else kind()

    with HttpTransport() as transport:
        transport._client = httpx.Client(transport=httpx.MockTransport(broken))
        with pytest.raises(OrgUnreachableError, match=kind.__name__) as refusal:
            transport.send(Request("GET", "https://acme.my.salesforce.com/services/data/"))
    assert "secret" not in str(refusal.value)


def test_the_transport_carries_both_ways():
    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            201, headers={"Sforce-Locator": "null"}, content=request.content + request.method.encode()
        )

    with HttpTransport() as transport:
        transport._client = httpx.Client(transport=httpx.MockTransport(echo))
        answer = transport.send(Request("POST", "https://acme.my.salesforce.com/x", {"A": "b"}, b"body "))
    assert (answer.status, answer.headers["sforce-locator"], answer.body) == (201, "null", b"body POST")
