"""The pages everybody opens, worked out before anybody does: at the start, and after each publish."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from fastapi import HTTPException, Request

from leadline.errors import LeadlineError, SnapshotError
from leadline.web import locale
from leadline.web.access.who import LOCAL, Principal
from leadline.web.kept import Reading
from leadline.web.pages import definitions, explanation, funnel, influence, overview, records, trust, velocity

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
_MADE: Final = {**PAGES, "/explain": explanation.page, "/records": records.page, "/table": records.whole}

"""Path → handler, in the order in which a reader comes by."""

EVERY_S: Final = 2.0
"""Seconds between two looks for a new snapshot; looking reads one small file."""

LIKED: Final = 12
"""Pages beside the usual ones that are made anew after a publish: those that were read most."""

LONGEST_S: Final = 20.0
"""Seconds after which a new snapshot is shown, whatever is still to be worked out."""

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
        """Work out the pages of the newest snapshot, unless that is done, then show it; how many.

        Until then readers see the snapshot before, from what is kept of it.
        """
        answers = self._site.answers
        try:
            pin = answers.newest()
        except SnapshotError:
            return 0
        if pin.key == self._done:
            return 0
        made, until = 0, time.monotonic() + LONGEST_S
        with answers.ahead_of(pin):
            for wanted in self._wanted():
                if self._end.is_set():
                    return made
                if time.monotonic() < until:
                    self._make(wanted)
                    made += 1
        answers.show(pin)
        answers.pages.only(pin.key)
        self._done = pin.key
        return made

    def _wanted(self) -> list[Reading]:
        """The usual pages as whoever comes in by the usual door reads them, then what was read most."""
        usual = [Reading(path, b"", locale.SOURCE, self._usual_reader()) for path in PAGES]
        found = {one.key: one for one in (*usual, *self._site.answers.pages.most_read(LIKED))}
        return list(found.values())

    def _make(self, wanted: Reading) -> None:
        try:
            _MADE[wanted.path](self._request(wanted))
        except (LeadlineError, HTTPException):
            # Whoever opens this page is told why; the others may still be worked out.
            return

    def _work(self) -> None:
        while not self._end.is_set():
            self.once()
            self._end.wait(EVERY_S)

    def _usual_reader(self) -> Principal:
        linked = self._site.settings.sign_in == "link"
        return Principal(LOCAL, "admin", {}, masked=False, door="local") if linked else Principal(LOCAL)

    def _request(self, wanted: Reading) -> Request:
        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "path": wanted.path,
            "raw_path": wanted.path.encode(),
            "query_string": wanted.query,
            "headers": [(b"accept-language", wanted.language.encode())],
            "server": ("127.0.0.1", self._site.port),
            "app": self._app,
            "state": {"who": wanted.who, "session": "", "nonce": ""},
        }
        return Request(scope)
