"""A dashboard on a free port of this machine, and a browser-like client without a browser."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from leadline.config import ServeSettings
from leadline.web.access.oidc import Provider
from leadline.web.app import create_app
from leadline.web.serving import listening, server
from leadline.web.site import Site
from leadline.workspace import Workspace
from leadline_double.server import run_to_its_end

LINK = ServeSettings()
ACCOUNTS = ServeSettings(sign_in="accounts")

START_S = 20.0
"""Longest that a server may take to begin: it imports the pages, on a machine that may be busy."""

_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass
class Clock:
    """A clock that a test turns forward."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Served:
    """A running dashboard; its clients are closed with it."""

    site: Site
    clock: Clock
    base: str
    clients: list[httpx.Client] = field(default_factory=list)

    def client(self, **headers: str) -> httpx.Client:
        """Somebody new; follows no redirects."""
        made = httpx.Client(base_url=self.base, headers=headers, follow_redirects=False, timeout=60)
        self.clients.append(made)
        return made

    def local(self) -> httpx.Client:
        """Whoever started the server, come in by the one-time link."""
        made, code = self.client(), self.site.sessions.code()
        answer = made.post("/start", data={"code": code, "csrf": token(made.get("/start", params={"code": code}))})
        assert answer.status_code == 303, answer.text
        return made

    def signed_in(self, name: str, password: str) -> httpx.Client:
        """Somebody with an account."""
        made = self.client()
        answer = self.sign_in(made, name, password)
        assert answer.status_code == 303, answer.text
        return made

    def sign_in(self, client: httpx.Client, name: str, password: str) -> httpx.Response:
        """What the sign-in form answers."""
        form = {"name": name, "password": password, "csrf": token(client.get("/login"))}
        return client.post("/login", data=form)


def token(page: httpx.Response) -> str:
    """The form token of a page."""
    found = _TOKEN.search(page.text)
    assert found, page.text[:500]
    return found.group(1)


def routes(site: Site) -> list[tuple[str, str]]:
    """Every method and path pattern the app of a site answers, from its router."""
    waiting: list[Any] = list(create_app(site).router.routes)
    found: list[tuple[str, str]] = []
    while waiting:
        one = waiting.pop()
        inner = getattr(one, "original_router", None)
        if inner is not None:
            waiting += inner.routes
        else:
            found += [(method, one.path) for method in sorted(getattr(one, "methods", None) or ["GET"])]
    return sorted(found)


@contextmanager
def served(workspace: Workspace, settings: ServeSettings = LINK, provider: Provider | None = None) -> Iterator[Served]:
    """The dashboard of a workspace while the block runs; its store is the one in the workspace."""
    clock = Clock()
    made = listening("127.0.0.1", 0)
    port = made.getsockname()[1]
    site = Site(workspace, settings, port, now=clock, provider=provider)
    running = server(site)
    thread = threading.Thread(target=run_to_its_end, args=(running, made), daemon=True)
    thread.start()
    until = time.monotonic() + START_S
    while not running.started and thread.is_alive() and time.monotonic() < until:
        time.sleep(0.01)
    assert running.started, "the server did not begin"
    found = Served(site, clock, f"http://127.0.0.1:{port}")
    try:
        yield found
    finally:
        for client in found.clients:
            client.close()
        # What the server has not seen closed yet would be left open with its loop.
        until = time.monotonic() + START_S
        while running.server_state.connections and time.monotonic() < until:
            time.sleep(0.01)
        running.should_exit = True
        thread.join(START_S)
        made.close()
