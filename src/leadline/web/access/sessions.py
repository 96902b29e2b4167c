"""Sessions kept by the server: a cookie holds a random token, the store its fingerprint."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from leadline.web.access.secret import fingerprint, token
from leadline.web.store import Store

CODE_SECONDS: Final = 15 * 60
"""How long the one-time link printed at start opens the door."""

_TOUCH_SECONDS: Final = 60
"""A session is marked as seen at most this often: reading pages should not write all the time."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody's open session: `key` is the fingerprint of its token."""

    key: str
    name: str
    door: str


@dataclass(frozen=True, slots=True)
class Sessions:
    """Opens, finds and ends sessions.

    Attributes:
        idle_s: seconds without a page after which a session ends.
        longest_s: seconds after which it ends in any case.
        now: clock in UTC seconds.
    """

    store: Store
    idle_s: int
    longest_s: int
    now: Callable[[], float] = time.time

    def open(self, name: str, door: str, before: str | None = None) -> str:
        """Begin a session and return its token; the session held `before` ends, so that none outlives a login."""
        now = int(self.now())
        self.store.run("DELETE FROM sessions WHERE made_s < ? OR seen_s < ?", [now - self.longest_s, now - self.idle_s])
        if before:
            self.end(before)
        fresh = token()
        self.store.run("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", [fingerprint(fresh), name, door, now, now])
        return fresh

    def find(self, given: str) -> Session | None:
        """The open session of a token, or None."""
        now, key = int(self.now()), fingerprint(given)
        rows = self.store.rows("SELECT * FROM sessions WHERE token = ?", [key])
        if not rows or now - rows[0]["made_s"] >= self.longest_s or now - rows[0]["seen_s"] >= self.idle_s:
            return None
        if now - rows[0]["seen_s"] >= _TOUCH_SECONDS:
            self.store.run("UPDATE sessions SET seen_s = ? WHERE token = ?", [now, key])
        return Session(key, rows[0]["name"], rows[0]["door"])

    def end(self, given: str) -> None:
        """End the session of a token."""
        self.store.run("DELETE FROM sessions WHERE token = ?", [fingerprint(given)])

    def code(self) -> str:
        """A one-time code for whoever started the server; those before it are void."""
        fresh = token()
        self.store.run("DELETE FROM codes")
        self.store.run(
            "INSERT INTO codes (code, expires_s) VALUES (?, ?)", [fingerprint(fresh), int(self.now()) + CODE_SECONDS]
        )
        return fresh

    def redeem(self, code: str) -> bool:
        """Use a one-time code up; whether it still held."""
        changed = self.store.run(
            "UPDATE codes SET used = 1 WHERE code = ? AND used = 0 AND expires_s > ?",
            [fingerprint(code), int(self.now())],
        )
        return changed == 1
