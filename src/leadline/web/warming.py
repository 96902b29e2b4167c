"""The pages everybody opens, worked out before anybody does: at the start, and after each publish."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request

from leadline.errors import LeadlineError, SnapshotError
from leadline.web.access.who import LOCAL, Principal
from leadline.web.pages import definitions, funnel, influence, overview, trust, velocity

if TYPE_CHECKING:
    from fastapi import FastAPI

    from leadline.web.site import Site

PAGES: Final = {
    "/": overview.page,
    "/funnel": funnel.page,
    "/velocity": velocity.page,
    "/influence": influence.page,
    "/trust": trust.page,
    "/definitions": definitions.page,
}
"""Path → handler, in the order in which a reader comes by."""

EVERY_S: Final = 2.0
"""Seconds between two looks for a new snapshot; looking reads one small file."""


PATIENCE_S: Final = 0.1
"""Seconds between two attempts to stop the question that is being asked."""


class Warmer:
    """Asks what the pages ask, as whoever comes in by the usual door would, so that they wait for nothing.

    Restricted accounts have answers of their own, which are worked out when they come.
    """

    def __init__(self, app: FastAPI, site: Site) -> None:
        self._app = app
        self._site = site
        self._done: str | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True, name="warming")

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """End now: nobody needs the answers any more."""
        self._end.set()
        while self.alive:
            self._site.answers.interrupt()
            self._thread.join(PATIENCE_S)

    @property
    def alive(self) -> bool:
        """Whether it is at work."""
        return self._thread.is_alive()

    def once(self) -> int:
        """Work out the pages of the current snapshot, unless that is done; how many."""
        try:
            key = self._site.answers.pin().key
        except SnapshotError:
            return 0
        if key == self._done:
            return 0
        for made, (path, handler) in enumerate(PAGES.items()):
            if self._end.is_set():
                return made
            try:
                handler(self._request(path))
            except LeadlineError:
                # Whoever opens this page is told why; the others may still be worked out.
                continue
        self._done = key
        return len(PAGES)

    def _work(self) -> None:
        while not self._end.is_set():
            self.once()
            self._end.wait(EVERY_S)

    def _request(self, path: str) -> Request:
        linked = self._site.settings.sign_in == "link"
        who = Principal(LOCAL, "admin", {}, masked=False, door="local") if linked else Principal(LOCAL)
        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [],
            "server": ("127.0.0.1", self._site.port),
            "app": self._app,
            "state": {"who": who, "session": "", "nonce": ""},
        }
        return Request(scope)
