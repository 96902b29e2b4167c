"""The commands connect, pull and doctor; and a canary secret that must show nowhere."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadline.cli.app import run
from leadline.config import parse
from leadline.errors import ConfigError
from leadline.sources.salesforce.vault import FileVault
from leadline.workspace.org import Org
from tests.connector_org import ORG_ID, FakeOrg, json_response, lost, refused

CANARY = "canary-b7e2-never-show-me"


@pytest.fixture
def org(monkeypatch: pytest.MonkeyPatch) -> FakeOrg:
    """An org that every command meets, with a clock of its own."""
    found = FakeOrg()
    found.define("Lead", LastName="string", Status="picklist")
    for number in range(4):
        found.insert("Lead", LastName=f"L{number}", Status="Open")
    monkeypatch.setattr(Org, "_way", lambda self: contextlib.nullcontext(found))
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{CANARY}\n"))
    yield tmp_path / "here"
    kept = tmp_path / "here" / ".secrets" / "salesforce.json"
    leaks = [
        path
        for path in (tmp_path / "here").rglob("*")
        if path.is_file() and path != kept and CANARY.encode() in path.read_bytes()
    ]
    assert not leaks, f"the secret stands in {leaks}"


def connect(folder: Path, *more: str) -> int:
    place = ["--workspace", str(folder), "--secrets", "file"]
    return run(
        ["connect", *place, "--domain", "acme.my.salesforce.com", "--client-id", "key", "--flow", "client", *more]
    )


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed; a secret is never among it."""
    captured = capsys.readouterr()
    text = captured.out + captured.err
    assert CANARY not in text
    return text


def test_connect_pull_doctor(org: FakeOrg, folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert connect(folder) == 0
    assert f"Connected to org {ORG_ID}" in shown(capsys)
    held = FileVault(folder).get("client_secret")
    assert held is not None
    assert held.reveal() == CANARY
    assert run(["pull", "--workspace", str(folder), "--no-build"]) == 0
    text = shown(capsys)
    assert "all, rest" in text
    assert "API calls of the org's day: 10" in text
    assert run(["doctor", "--workspace", str(folder), "--record", str(tmp_path / "seen.json")]) == 0
    text = shown(capsys)
    assert "Give the integration user read access to Contact" in text
    assert "[salesforce]" in text
    assert json.loads((tmp_path / "seen.json").read_text(encoding="utf-8"))
    assert run(["doctor", "--workspace", str(folder), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    states = {one["name"]: one["state"] for one in told["checks"]}
    assert states["Contact"] == "refuted"
    assert states["list of deleted records"] == "confirmed"
    assert states["sharing"] == "unknown"
    assert states["API calls"] == "confirmed"
    assert CANARY not in "".join(request.url for request in org.log)


def test_doctor_changes_nothing(org: FakeOrg, folder: Path, capsys: pytest.CaptureFixture[str]):
    connect(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert run(["doctor", "--workspace", str(folder)]) == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    written = [
        request for request in org.log if request.method not in ("GET", "DELETE") and "oauth2" not in request.url
    ]
    assert {request.url.rpartition("/")[2] for request in written} <= {"query"}
    shown(capsys)


FAILURES: list[tuple[str, Any]] = [
    ("oauth2", json_response({"error": "invalid_grant", "error_description": CANARY}, 400)),
    ("oauth2", refused(401, "X", CANARY)),
    ("describe", refused(400, "INVALID_TYPE", CANARY)),
    ("limits", refused(403, "REQUEST_LIMIT_EXCEEDED", CANARY)),
]


@pytest.mark.parametrize("number", range(len(FAILURES)))
def test_no_failure_shows_a_secret(number: int, org: FakeOrg, folder: Path, capsys: pytest.CaptureFixture[str]):
    connect(folder)
    org.fail(*FAILURES[number])
    assert run(["pull", "--workspace", str(folder), "--no-build"]) == 1
    assert "leadline: " in shown(capsys)


def test_a_lost_connection_says_how_to_go_on(org: FakeOrg, folder: Path, capsys: pytest.CaptureFixture[str]):
    org.fail("oauth2", *[lost()] * 7)
    assert connect(folder) == 1
    assert "run the command again" in shown(capsys)


def test_only_hosts_of_salesforce(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert connect(folder, "--domain", "salesforce.com.evil.test") == 1
    assert "no login goes there" in shown(capsys)
    assert not folder.exists()


def test_a_login_needs_its_parts(org: FakeOrg, folder: Path, capsys: pytest.CaptureFixture[str]):
    assert connect(folder, "--flow", "jwt") == 2
    assert "--key-file" in shown(capsys)
    assert connect(folder, "--flow", "refresh") == 1
    assert "invalid_grant" in shown(capsys)
    assert connect(folder) == 2
    assert "type it, or pipe it in" in shown(capsys)


def test_the_schedule_names_this_workspace(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["pull", "--workspace", str(folder), "--schedule"]) == 0
    text = shown(capsys)
    assert f"--workspace {folder}" in text
    assert "OnCalendar=*-*-* 03:17:00" in text
    assert "17 3 * * * " in text


def test_unknown_objects_are_told(org: FakeOrg, folder: Path, capsys: pytest.CaptureFixture[str]):
    connect(folder)
    assert run(["pull", "--workspace", str(folder), "--objects", "leed"]) == 2
    assert "Did you mean 'Lead'" in shown(capsys)
    assert run(["pull", "--workspace", str(folder), "--objects", "lead", "--no-build"]) == 0


@pytest.mark.parametrize("key", ["password", "client_secret", "refresh_token", "security_token"])
def test_a_secret_in_the_settings_is_refused_and_not_repeated(key: str):
    with pytest.raises(ConfigError, match="must not stand here") as refusal:
        parse(f'[salesforce]\n{key} = "{CANARY}"\n')
    assert CANARY not in str(refusal.value)


def test_objects_and_fields_of_the_settings_must_exist():
    with pytest.raises(ConfigError, match=r"Did you mean 'Lead'(?s:.*)Contact\.Birth_Date__c"):
        parse('[salesforce]\nobjects = ["Leed"]\nexclude = ["Birth_Date__c"]\n')
