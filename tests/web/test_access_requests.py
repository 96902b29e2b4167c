"""What a request may do: forms, hosts, headers, sizes, errors, the log, providers and proxies (S6–S8, S14, S18, S21, S22)."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from leadline.config import OidcSettings, ProxySettings, ServeSettings
from leadline.web.access.headers import ALWAYS
from leadline.web.access.oidc import SECRET_VARIABLE, Provider
from leadline.web.access.pages import onward
from leadline.web.answers import Answers
from leadline.web.site import PORT
from leadline.workspace import create
from tests.web.served import ACCOUNTS, Served, routes, served, token

GOOD = "seventeen herons at dusk"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(create(tmp_path_factory.mktemp("house")), ACCOUNTS) as running:
        for role in ("viewer", "analyst", "admin"):
            running.site.accounts.add(role, role, GOOD)
        yield running


def concrete(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "x", path)


def test_every_change_takes_a_token_of_the_session(house: Served) -> None:
    admin, other = house.signed_in("admin", GOOD), house.signed_in("analyst", GOOD)
    strange = token(other.get("/login"))
    changing = [
        (method, concrete(path)) for method, path in routes(house.site) if method not in ("GET", "HEAD", "OPTIONS")
    ]
    assert len(changing) >= 5
    for method, path in changing:
        for form, headers in (
            ({}, {}),
            ({"csrf": "wrong"}, {}),
            ({"csrf": strange}, {}),
            ({}, {"content-type": "text/plain"}),
            ({"csrf": strange}, {"Origin": "https://evil.example"}),
            ({"csrf": strange}, {"Origin": "null"}),
            ({"csrf": strange}, {"Sec-Fetch-Site": "cross-site"}),
            ({"csrf": strange}, {"Sec-Fetch-Site": "same-site"}),
        ):
            answer = admin.request(method, path, data=form, headers=headers)
            # Where the form lacks other fields FastAPI still asks the token first.
            assert answer.status_code == 403, (method, path, form, headers, answer.status_code)


def test_a_right_token_from_elsewhere_is_refused_too(house: Served) -> None:
    admin = house.signed_in("admin", GOOD)
    csrf = token(admin.get("/login"))
    for headers in ({"Origin": "https://evil.example"}, {"Origin": f"http://127.0.0.1:{house.site.port + 1}"}):
        assert admin.post("/logout", data={"csrf": csrf}, headers=headers).status_code == 403
    own = {"Origin": house.base, "Sec-Fetch-Site": "same-origin"}
    assert admin.post("/logout", data={"csrf": csrf}, headers=own).status_code == 303


def test_a_viewer_changes_nothing(house: Served) -> None:
    viewer = house.signed_in("viewer", GOOD)
    csrf = token(viewer.get("/login"))
    for method, path in routes(house.site):
        if method not in ("GET", "HEAD", "OPTIONS") and path not in ("/login", "/start", "/logout"):
            assert viewer.request(method, concrete(path), data={"csrf": csrf}).status_code == 403, path
    assert viewer.get("/activity").status_code == 403


def test_only_own_names_are_answered(house: Served) -> None:
    port = house.site.port
    ours = [f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}", f"[::1]:{port}"]
    others = [
        "evil.com", f"evil.com:{port}", f"127.0.0.1.nip.io:{port}", f"localhost.:{port}", "127.0.0.1", "localhost",
        f"127.0.0.1:{port + 1}", f"127.0.0.1:{port}0", f"127.0.0.1.:{port}", f"127.1:{port}", f"2130706433:{port}",
        f"0x7f000001:{port}", f"0177.0.0.1:{port}", f"0.0.0.0:{port}", f"[::ffff:127.0.0.1]:{port}", f"::1:{port}",
        f"[0:0:0:0:0:0:0:1]:{port}", f"127.0.0.1:{port}@evil.com", f"evil.com@127.0.0.1:{port}", f"127.0.0.1:{port}/",
        f"127.0.0.1:{port}.evil.com", f"localhost:{port}, evil.com", f"127.0.0.2:{port}", f"xn--localhost:{port}", "",
    ]  # fmt: skip
    assert len(others) == 25
    client = house.client()
    for host in ours:
        assert client.get("/health", headers={"Host": host}).status_code == 200, host
    for host in others:
        assert client.get("/health", headers={"Host": host}).status_code in (400, 421), host
    for headers in (f"Host: 127.0.0.1:{port}\r\nHost: evil.com\r\n", ""):
        assert raw(house, f"GET /health HTTP/1.1\r\n{headers}Connection: close\r\n\r\n".encode())[-2:] != b"ok"
    upgrade = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n".encode()
    assert b" 101 " not in raw(house, upgrade, 64)


def raw(house: Served, request: bytes, most: int = 65536) -> bytes:
    with socket.create_connection(("127.0.0.1", house.site.port), timeout=20) as line:
        line.sendall(request)
        return line.recv(most)


def test_every_answer_carries_the_headers(house: Served) -> None:
    admin, stranger = house.signed_in("admin", GOOD), house.client()
    for client in (admin, stranger):
        for method, path in routes(house.site):
            if method in ("GET", "POST"):
                answer = client.request(method, concrete(path))
                for name, value in ALWAYS.items():
                    assert answer.headers.get(name) == value, (method, path, name)
                assert "server" not in answer.headers
                assert "access-control-allow-origin" not in answer.headers
                if not path.startswith("/static"):
                    assert answer.headers["cache-control"] == "no-store"
    policy = ALWAYS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_a_failure_tells_a_reference_and_nothing_else(
    house: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "SELECT 'canary' FROM /etc/passwd line 42"

    def broken(self: Answers) -> None:
        raise ZeroDivisionError(secret)

    monkeypatch.setattr(Answers, "pin", broken)
    admin = house.signed_in("admin", GOOD)
    pages = [path for method, path in routes(house.site) if method == "GET"]
    # The server closes the line behind a failure; a client that kept it would meet the closing.
    admin.headers["Connection"] = "close"
    failed = 0
    for path in pages:
        answer = admin.get(concrete(path))
        assert answer.status_code in (200, 303, 400, 403, 404, 405, 422, 500), path
        for told in ("canary", "Traceback", "ZeroDivision", "/src/", str(house.site.workspace.folder), "site-packages"):
            assert told not in answer.text, path
        if answer.status_code == 500:
            failed += 1
            found = re.search(r"<code>([\w-]{8})</code>", answer.text)
            assert found
            assert found.group(1) in caplog.text
            for name, value in ALWAYS.items():
                assert answer.headers.get(name) == value
    assert failed >= 5


def test_a_failing_look_at_rights_lets_nobody_in(house: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = house.signed_in("admin", GOOD)

    def broken(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(type(house.site.accounts), "principal", broken)
    admin.headers["Connection"] = "close"
    assert admin.get("/activity").status_code == 500
    assert "log-in" not in admin.get("/activity").text


def test_bodies_are_bounded(house: Served) -> None:
    admin = house.signed_in("admin", GOOD)
    csrf = token(admin.get("/login"))
    begun = time.monotonic()
    cookie = f"{house.site.cookie}={admin.cookies[house.site.cookie]}"
    head = f"POST /share HTTP/1.1\r\nHost: 127.0.0.1:{house.site.port}\r\nCookie: {cookie}\r\n"
    for said in (2 * 1024**3, 1024**2 + 1):
        kind = "Content-Type: application/x-www-form-urlencoded\r\n"
        assert b" 413 " in raw(house, f"{head}{kind}Content-Length: {said}\r\n\r\n".encode(), 64)

    def endless() -> Iterator[bytes]:
        for _ in range(64):
            yield b"x" * 65536

    form = {"content-type": "application/x-www-form-urlencoded"}
    assert admin.post("/share", content=endless(), headers=form).status_code in (400, 413)
    parts = b"".join(b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' for _ in range(10_000)) + b"--b--"
    many = admin.post("/share", content=parts, headers={"content-type": "multipart/form-data; boundary=b"})
    assert many.status_code == 400
    large = admin.post("/share", data={"csrf": csrf, "page": "/" + "x" * 2 * 1024**2})
    assert large.status_code == 413
    # Refusals take milliseconds; two seconds each leave room for a busy machine.
    assert time.monotonic() - begun < 10


def test_every_deed_leaves_one_line(house: Served) -> None:
    def events() -> list[dict[str, Any]]:
        return house.site.activity.newest()

    before = len(events())
    client = house.client()
    house.sign_in(client, "nobody\n\x1b[31mforged", "wrong password here")
    house.sign_in(client, "analyst", GOOD)
    csrf = token(client.get("/login"))
    client.get("/activity")
    client.post("/logout", data={"csrf": csrf})
    added = events()[: len(events()) - before][::-1]
    assert [(one["what"], one["who"]) for one in added] == [
        ("log-in failed", "nobody\n\x1b[31mforged"),
        ("log-in", "analyst"),
        ("denied", "analyst"),
        ("log-out", "analyst"),
    ]
    assert all(one["at"].endswith("Z") for one in added)
    assert all("\n" not in json.dumps(one) for one in added)
    for change in ("DELETE FROM activity", "UPDATE activity SET who = 'x'"):
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            house.site.store.run(change)
    page = house.signed_in("admin", GOOD).get("/activity")
    assert page.status_code in (200, 303)
    assert GOOD.encode() not in (house.site.store.path).read_bytes()


def test_after_signing_in_one_stays_on_this_server() -> None:
    for given in ("/funnel", "/funnel?by=campaign_type&from=2026-01-01", "/deal/006x"):
        assert onward(given) == given
    elsewhere = (
        None, "", "funnel", "//evil.com", "/\\evil.com", "https://evil.com", "javascript:alert(1)", "/a\r\nSet-Cookie: x",
        "/a b", "/\tevil", "/s/x", "/logout", "/x\\y", "/" + "x" * 3000,
    )  # fmt: skip
    assert {onward(given) for given in elsewhere} == {"/"}


def test_a_proxy_is_believed_from_its_own_address_only(tmp_path: Path) -> None:
    for addresses, wanted in ((["127.0.0.1"], 200), (["10.0.0.7"], 401)):
        settings = ServeSettings(sign_in="proxy", proxy=ProxySettings(header="X-User", addresses=addresses))
        with served(create(tmp_path / addresses[0]), settings) as running:
            running.site.accounts.add("ann", "admin")
            known = running.client(**{"X-User": "ann"})
            assert known.get("/openapi.json").status_code == wanted
            assert running.client(**{"X-User": "stranger"}).get("/openapi.json").status_code == 401
            assert running.client(**{"X-Forwarded-User": "ann"}).get("/openapi.json").status_code == 401
            assert running.client(**{"X-Forwarded-For": "127.0.0.1"}).get("/openapi.json").status_code == 401
            twice = f"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1:{running.site.port}\r\nX-User: ann\r\nX-User: bob\r\n\r\n"
            assert b" 401 " in raw(running, twice.encode(), 64)


class FakeProvider:
    """An OpenID provider in this process."""

    issuer = "https://id.example.com"

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "k"})
        self.claims: dict[str, Any] = {}
        self.signer = self.key

    def __call__(self, url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        if url.endswith("openid-configuration"):
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            return {"issuer": self.issuer, **{name: f"{self.issuer}/{name}" for name in names}}
        if url.endswith("jwks_uri"):
            return {"keys": [self.key.as_dict(private=False)]}
        assert form is not None
        assert form["code_verifier"]
        return {"id_token": jwt.encode({"alg": "RS256", "kid": "k"}, self.claims, self.signer)}


def test_a_provider_signs_in_whom_it_has_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "client secret of the test")
    fake = FakeProvider()
    settings = OidcSettings(issuer=fake.issuer, client_id="leadline")
    serve = ServeSettings(sign_in="oidc", oidc=settings, public_url=f"http://127.0.0.1:{PORT}")
    provider = Provider(settings, serve.public_url or "", fake)
    with served(create(tmp_path), serve, provider) as running:
        running.site.accounts.add("ann@example.com", "admin")

        def attempt(other_state: bool = False, **claims: Any) -> int:
            client = running.client()
            begun = client.get("/oidc/begin?to=/funnel")
            asked = dict(re.findall(r"(\w+)=([^&]+)", begun.headers["location"]))
            fake.claims = {
                "iss": fake.issuer, "aud": "leadline", "sub": "1", "iat": int(time.time()), "exp": int(time.time()) + 300,
                "nonce": asked["nonce"], "email": "ann@example.com", "email_verified": True, **claims,
            }  # fmt: skip
            if other_state:
                client = running.client()
            answer = client.get("/oidc/back", params={"state": asked["state"], "code": "c"})
            if answer.status_code == 303:
                assert answer.headers["location"] == "/funnel"
                assert client.get("/openapi.json").status_code == 200
                assert client.get("/oidc/back", params={"state": asked["state"], "code": "c"}).status_code == 403
            return answer.status_code

        assert attempt() == 303
        assert attempt(other_state=True) == 401
        mistakes: tuple[dict[str, Any], ...] = (
            {"iss": "https://other.example.com"}, {"aud": "another"}, {"nonce": "another"}, {"exp": int(time.time()) - 3600},
            {"email": "bob@example.com"}, {"email_verified": False}, {"email_verified": None}, {"email": None},
        )  # fmt: skip
        for wrong in mistakes:
            assert attempt(**wrong) == 401, wrong
        fake.signer = RSAKey.generate_key(2048, {"kid": "k"})
        assert attempt() == 401
