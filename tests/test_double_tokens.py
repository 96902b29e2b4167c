"""The token endpoint: flows, refusals, sessions, rotation."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest

from leadline_double import ConnectedApp, Org
from leadline_double.org import USER_NAME
from leadline_double.server import key_pair
from leadline_double.service import Service
from leadline_double.tokens import JWT
from leadline_double.web import Request
from tests.double.calling import Answer, Caller

KEY, SECRET = "the-key", "the-secret-of-more-than-32-characters"


@pytest.fixture
def caller() -> Caller:
    """An org with one app."""
    app = ConnectedApp(KEY, SECRET, key_pair().public)
    return Caller(service=Service(Org(), (app,), site="https://localhost:1"))


def ask(caller: Caller, form: dict[str, str], host: str = "localhost", **headers: str) -> Answer:
    """A request to the token endpoint."""
    request = Request("POST", "/services/oauth2/token", "", {"host": host, **headers}, urlencode(form).encode())
    reply = caller.service.respond(request)
    return Answer(reply.status, reply.headers, reply.body.decode(), reply.content_type)


def claims_with(change: dict[str, Any]) -> dict[str, Any]:
    """Claims of an assertion that is good but for the change."""
    return {"iss": KEY, "sub": USER_NAME, "aud": "https://login.salesforce.com", "exp": int(time.time()) + 170} | change


def signed(**change: Any) -> dict[str, str]:
    """An assertion, with claims changed; `key` and `algorithm` sign it."""
    key, algorithm = change.pop("key", key_pair().private), change.pop("algorithm", "RS256")
    return {"grant_type": JWT, "assertion": jwt.encode(claims_with(change), key, algorithm=algorithm)}


def test_an_assertion_gives_a_session_and_no_refresh_token(caller: Caller):
    answer = ask(caller, signed()).data
    assert set(answer) == {
        "access_token", "instance_url", "id", "token_type", "issued_at", "signature", "scope", "api_instance_url",
    }  # fmt: skip
    assert answer["access_token"].startswith(caller.org.organization_id[:15] + "!")
    assert (answer["token_type"], answer["issued_at"].isdigit()) == ("Bearer", True)
    assert answer["instance_url"] == "https://localhost:1"
    caller.token = answer["access_token"]
    assert caller("GET", "/limits").status == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda _: {"aud": "https://localhost:1/"},
        lambda _: {"aud": "https://test.salesforce.com"},
        lambda end: {"exp": str(end)},
        lambda end: {"exp": end * 1000},
    ],
    ids=["site", "sandbox", "text", "milliseconds"],
)
def test_forms_of_assertions_that_known_clients_send(caller: Caller, change: Callable[[int], dict[str, Any]]):
    # The end is counted from now: from the collection of the tests it may long have passed.
    claims = claims_with(change(int(time.time()) + 170))
    # Text and milliseconds are refused by the library that signs, so claims go through as they are.
    token = jwt.api_jws.encode(json.dumps(claims).encode(), key_pair().private, algorithm="RS256")
    assert ask(caller, {"grant_type": JWT, "assertion": token}).status == 200


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"key": key_pair("other").private}, "invalid assertion"),
        ({"key": SECRET, "algorithm": "HS256"}, "invalid assertion"),
        ({"aud": "https://evil.example"}, "audience is invalid"),
        ({"exp": int(time.time()) - 5}, "expired"),
        ({"exp": int(time.time()) + 86_400}, "too long"),
        ({"exp": None}, "invalid assertion"),
        ({"sub": "other@double.example"}, "user hasn't approved this consumer"),
    ],
)
def test_assertions_that_are_refused(caller: Caller, change: dict[str, Any], part: str):
    if change.get("exp", 0) is None:
        claims = {"iss": KEY, "sub": USER_NAME, "aud": "https://login.salesforce.com"}
        form = {"grant_type": JWT, "assertion": jwt.encode(claims, key_pair().private, algorithm="RS256")}
    else:
        form = signed(**change)
    answer = ask(caller, form)
    assert (answer.status, answer.data["error"]) == (400, "invalid_grant")
    assert part in answer.data["error_description"]


def test_an_assertion_that_was_changed_is_refused(caller: Caller):
    form = signed()
    head, payload, signature = form["assertion"].split(".")
    form["assertion"] = f"{head}.{payload[:-4]}AAAA.{signature}"
    assert ask(caller, form).data["error"] == "invalid_grant"
    assert ask(caller, {"grant_type": JWT, "assertion": "x"}).data["error_description"] == "invalid assertion"


def test_unknown_apps_grants_and_methods(caller: Caller):
    assert ask(caller, signed(iss="nobody")).data["error"] == "invalid_client_id"
    assert ask(caller, {"grant_type": "password"}).data["error"] == "unsupported_grant_type"
    assert caller("GET", "/services/oauth2/token").data["error"] == "invalid_request"


def test_client_credentials_in_header_or_body_on_the_own_domain_only(caller: Caller):
    basic = "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
    form = {"grant_type": "client_credentials"}
    in_body = form | {"client_id": KEY, "client_secret": SECRET}
    assert (
        ask(caller, form, host=caller.service.domain, authorization=basic).data["instance_url"]
        == "https://double.my.salesforce.com"
    )
    assert ask(caller, in_body).status == 200
    assert ask(caller, in_body, host="login.salesforce.com").data["error"] == "invalid_grant"
    assert ask(caller, in_body | {"client_secret": "wrong"}).data["error"] == "invalid_client"


def test_a_refresh_token_works_once_and_gives_the_next(caller: Caller):
    first = caller.service.tokens.refresh_token_for(caller.service.apps[0])
    form = {"grant_type": "refresh_token", "client_id": KEY, "client_secret": SECRET, "refresh_token": first}
    answer = ask(caller, form).data
    assert ask(caller, form).data == {"error": "invalid_grant", "error_description": "expired access/refresh token"}
    assert ask(caller, form | {"refresh_token": answer["refresh_token"]}).status == 200


def test_without_rotation_it_stays():
    caller = Caller(service=Service(Org(), (ConnectedApp(KEY, SECRET, rotation=False),)))
    token = caller.service.tokens.refresh_token_for(caller.service.apps[0])
    form = {"grant_type": "refresh_token", "client_id": KEY, "refresh_token": token}
    answers = [ask(caller, form) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert "refresh_token" not in answers[0].data


def test_a_session_ends_after_two_hours_or_by_hand(caller: Caller):
    caller.org.clock.advance(hours=1, minutes=59)
    assert caller("GET", "/limits").status == 200
    caller.org.clock.advance(minutes=1)
    ended = caller("GET", "/limits")
    assert ended.error == (401, "INVALID_SESSION_ID")
    assert ended.data[0]["message"] == "Session expired or invalid"
    caller.login()
    caller.service.tokens.expire_all()
    assert caller("GET", "/limits").status == 401
