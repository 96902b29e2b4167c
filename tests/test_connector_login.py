"""Logins: the three flows, tokens that expire and rotate, hosts, and secrets that never show."""

from __future__ import annotations

import datetime as dt
import json
import threading
from pathlib import Path
from urllib.parse import parse_qs

import jwt
import keyring
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from leadline.errors import LoginError
from leadline.sources.salesforce import hosts
from leadline.sources.salesforce.grants import CLIENT_SECRET, REFRESH_TOKEN, Account, Login, Token
from leadline.sources.salesforce.transport import Request, Response
from leadline.sources.salesforce.vault import FileVault, KeyringVault, Secret, has_keyring
from tests.connector_org import INSTANCE, Drawer, FakeOrg, lost, quick, refused

CANARY = "canary-5f1c-never-show-me"


def login(org: FakeOrg, folder: Path, account: Account, vault: Drawer) -> Login:
    return Login(account, vault, org, lock_file=folder / "lock", waiting=quick())


def client(org: FakeOrg, folder: Path) -> Login:
    return login(org, folder, Account("client", INSTANCE, "key"), Drawer(client_secret=CANARY))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / "key.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    path.chmod(0o600)
    return path


def test_a_signed_login_says_who_for_whom_and_for_how_long(key_file: Path, tmp_path: Path):
    org, now = FakeOrg(), dt.datetime.now(dt.UTC)
    account = Account("jwt", "https://test.salesforce.com", "consumer", "user@acme.test", key_file)
    Login(account, Drawer(), org, lock_file=tmp_path / "lock", waiting=quick(), now=lambda: now).token()
    form = parse_qs(org.log[0].body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    private = serialization.load_pem_private_key(key_file.read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    told = jwt.decode(form["assertion"][0], private.public_key(), ["RS256"], audience="https://test.salesforce.com")
    assert (told["iss"], told["sub"]) == ("consumer", "user@acme.test")
    # The platform takes logins that are valid for three minutes at most.
    assert 0 < told["exp"] - now.timestamp() <= 180
    assert isinstance(told["exp"], int)


def test_a_key_others_can_read_is_refused(key_file: Path, tmp_path: Path):
    key_file.chmod(0o644)
    account = Account("jwt", INSTANCE, "consumer", "user", key_file)
    with pytest.raises(LoginError, match="chmod 600"):
        login(FakeOrg(), tmp_path, account, Drawer()).token()


def test_a_file_that_is_no_key_is_refused_without_quoting_it(tmp_path: Path):
    path = tmp_path / "key.pem"
    path.write_text(f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n", encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(LoginError, match="no private RSA key") as refusal:
        login(FakeOrg(), tmp_path, Account("jwt", INSTANCE, "consumer", "user", path), Drawer()).token()
    assert CANARY not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_client_credentials_go_to_the_org_itself(tmp_path: Path):
    org = FakeOrg()
    assert client(org, tmp_path).token().instance == INSTANCE
    assert parse_qs(org.log[0].body.decode())["grant_type"] == ["client_credentials"]
    account = Account("client", "https://login.salesforce.com", "key")
    with pytest.raises(LoginError, match="My Domain"):
        login(org, tmp_path, account, Drawer(client_secret="x")).token()


def test_a_refresh_token_that_rotates_is_kept_before_it_is_used(tmp_path: Path):
    org, vault = FakeOrg(), Drawer(refresh_token="refresh-1")
    account = Account("refresh", INSTANCE, "key")
    found = login(org, tmp_path, account, vault)
    first = found.token()
    assert vault.held[REFRESH_TOKEN].reveal() == org.refresh_token != "refresh-1"
    second = found.renewed(first)
    assert second is not first
    # Another process takes up the token that this one stored.
    assert login(org, tmp_path, account, vault).token().instance == INSTANCE


def test_many_threads_refresh_once(tmp_path: Path):
    org, vault = FakeOrg(), Drawer(refresh_token="refresh-1")
    found = login(org, tmp_path, Account("refresh", INSTANCE, "key"), vault)
    old = found.token()
    got: list[Token] = []
    threads = [threading.Thread(target=lambda: got.append(found.renewed(old))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(token) for token in got}) == 1
    assert len(org.log) == 2


def test_a_rejected_grant_is_not_asked_for_again(tmp_path: Path):
    org = FakeOrg()
    found = login(org, tmp_path, Account("refresh", INSTANCE, "key"), Drawer(refresh_token="revoked"))
    for _ in range(3):
        with pytest.raises(LoginError, match=r"invalid_grant.*Pre-authorise"):
            found.token()
    assert len(org.log) == 1


def test_a_login_outlives_passing_faults(tmp_path: Path):
    org = FakeOrg()
    org.fail("oauth2/token", Response(503), lost(), Response(420))
    assert client(org, tmp_path).token().instance == INSTANCE
    assert len(org.log) == 4


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"access_token": "x"}'])
def test_an_answer_that_is_no_token_is_told_without_it(body: bytes, tmp_path: Path):
    org = FakeOrg()
    org.fail("oauth2/token", Response(200, {}, body))
    with pytest.raises(LoginError, match="no token"):
        client(org, tmp_path).token()


def test_a_token_for_a_foreign_host_is_refused(tmp_path: Path):
    org = FakeOrg()
    told = {"access_token": CANARY, "instance_url": "https://acme.my.salesforce.com.evil.test"}
    org.fail("oauth2/token", Response(200, {}, json.dumps(told).encode()))
    with pytest.raises(LoginError, match="no host of Salesforce's") as refusal:
        client(org, tmp_path).token()
    assert CANARY not in str(refusal.value)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("production", "https://login.salesforce.com"),
        ("sandbox", "https://test.salesforce.com"),
        ("acme.my.salesforce.com", "https://acme.my.salesforce.com"),
        ("https://acme--dev.sandbox.my.salesforce.com/", "https://acme--dev.sandbox.my.salesforce.com"),
    ],
)
def test_hosts_of_salesforce_are_taken(given: str, address: str):
    assert hosts.login_address(given) == address


@pytest.mark.parametrize(
    "given",
    [
        "evil.test",
        "salesforce.com.evil.test",
        "evilsalesforce.com",
        "http://acme.my.salesforce.com",
        "https://acme.my.salesforce.com@evil.test",
        "https://user:x@acme.my.salesforce.com",
        "https://acme.my.salesforce.com:8443",
        "https://acme.my.salesforce.com/path",
        "https://acme.my.salesforce.com?x=1",
        "127.0.0.1:8443",
        "https://",
    ],
)
def test_other_hosts_are_refused(given: str):
    with pytest.raises(LoginError, match="no login goes there"):
        hosts.login_address(given)


def test_the_environment_permits_one_host_for_tests(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(hosts.TEST_HOST, "127.0.0.1:8443")
    assert hosts.login_address("https://127.0.0.1:8443") == "https://127.0.0.1:8443"
    for given in ("http://127.0.0.1:8443", "https://127.0.0.1:8444"):
        with pytest.raises(LoginError):
            hosts.login_address(given)


@pytest.mark.parametrize(
    ("login_host", "meant_for"),
    [
        ("https://login.salesforce.com", "https://login.salesforce.com"),
        ("https://acme.my.salesforce.com", "https://login.salesforce.com"),
        ("https://test.salesforce.com", "https://test.salesforce.com"),
        ("https://acme--dev.sandbox.my.salesforce.com", "https://test.salesforce.com"),
    ],
)
def test_a_login_is_meant_for_its_kind_of_org(login_host: str, meant_for: str):
    assert hosts.audience(login_host) == meant_for


def test_secrets_in_a_file_are_private_and_ignored_by_version_control(tmp_path: Path):
    vault = FileVault(tmp_path)
    assert vault.get(CLIENT_SECRET) is None
    vault.put(CLIENT_SECRET, Secret(CANARY))
    vault.put(REFRESH_TOKEN, Secret("other"))
    assert vault.path.stat().st_mode & 0o777 == 0o600
    assert (vault.path.parent / ".gitignore").read_text(encoding="utf-8") == "*\n"
    kept = FileVault(tmp_path).get(CLIENT_SECRET)
    assert kept is not None
    assert kept.reveal() == CANARY
    vault.path.chmod(0o640)
    with pytest.raises(LoginError, match="Others can read"):
        vault.get(CLIENT_SECRET)
    vault.path.chmod(0o600)
    vault.path.write_text("{", encoding="utf-8")
    with pytest.raises(LoginError, match="damaged"):
        vault.get(CLIENT_SECRET)


class Ring(KeyringBackend):
    """A keyring in memory, open or locked."""

    priority = 5.0
    locked = False

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("locked")
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise KeyringLocked("locked")
        self.held[service, username] = password


def test_secrets_in_the_keyring_belong_to_their_workspace(tmp_path: Path):
    before, ring = keyring.get_keyring(), Ring()
    keyring.set_keyring(ring)
    try:
        assert has_keyring()
        KeyringVault(tmp_path / "a").put(CLIENT_SECRET, Secret(CANARY))
        assert KeyringVault(tmp_path / "a").get(CLIENT_SECRET) == Secret(CANARY)
        assert KeyringVault(tmp_path / "b").get(CLIENT_SECRET) is None
        ring.locked = True
        with pytest.raises(LoginError, match="--secrets file"):
            KeyringVault(tmp_path / "a").get(CLIENT_SECRET)
        with pytest.raises(LoginError, match="--secrets file"):
            KeyringVault(tmp_path / "a").put(CLIENT_SECRET, Secret(CANARY))
    finally:
        keyring.set_keyring(before)


def test_secrets_do_not_show_themselves():
    shown = Secret(CANARY)
    request = Request("POST", f"{INSTANCE}/services/oauth2/token", {"Authorization": CANARY}, CANARY.encode())
    token = Token(INSTANCE, shown, f"{INSTANCE}/id/00D/005")
    assert (token.org_id, token.user_id) == ("00D", "005")
    for one in (shown, request, Response(200, {"x": CANARY}, CANARY.encode()), token, {"a": shown}):
        assert CANARY not in f"{one!r} {one!s}"
    assert refused(400, "X").status == 400
