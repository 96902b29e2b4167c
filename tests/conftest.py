"""Fixtures and guards shared by all tests."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests import canary

SHARED = Path(__file__).resolve().parents[2] / "shared"


class NetworkRefusedError(AssertionError):
    """A test reached for an address that is not this machine's loopback."""


def is_loopback(host: object) -> bool:
    """Whether `host` names this machine only; names other than localhost do not count."""
    text = host.decode() if isinstance(host, bytes) else str(host)
    if text in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def refuse_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: every connection and every look-up of a foreign name ends the test."""
    if event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        if isinstance(address, tuple) and not is_loopback(address[0]):
            raise NetworkRefusedError(f"a test tried to reach {address}; tests use nothing outside this machine")
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0]
        if host is not None and not is_loopback(host):
            raise NetworkRefusedError(f"a test looked up {host!r}; tests use nothing outside this machine")


# A hook of the interpreter, not a fixture: it holds in threads, in imports and between tests too.
sys.addaudithook(refuse_network)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test begins without secrets; those it makes are watched."""
    canary.watch()
    canary.forget()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """A test that shows a secret has failed."""
    report = yield
    if call.when == "call" and report.passed:
        folder = getattr(item, "funcargs", {}).get("tmp_path")
        shown = "".join(text for _, text in report.sections)
        if places := canary.leaks(shown, folder):
            report.outcome, report.longrepr = "failed", f"a secret shows in {', '.join(places)}"
    return report


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets beside the checkout; CI fails without it."""
    folder = SHARED / "data"
    if not folder.is_dir():
        message = f"the real data sets are not at {folder}; these facts were not checked"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
