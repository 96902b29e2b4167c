"""`app.sqlite`: what the web server keeps of people: accounts, sessions, shared links, activity.

Nothing of it changes a number, so it lies beside the ledger and the snapshots, readable by its
owner only.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from leadline.errors import UsageError

FILE_NAME: Final = "app.sqlite"
VERSION: Final = 1
"""Of the tables; a store of a later Leadline is refused."""

_TABLES: Final = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE accounts (
  name TEXT PRIMARY KEY, role TEXT NOT NULL, password TEXT, records TEXT NOT NULL, masked INTEGER,
  disabled INTEGER NOT NULL DEFAULT 0, made_s INTEGER NOT NULL
) STRICT;
CREATE TABLE sessions (
  token TEXT PRIMARY KEY, name TEXT NOT NULL, door TEXT NOT NULL, made_s INTEGER NOT NULL, seen_s INTEGER NOT NULL
) STRICT;
CREATE TABLE codes (code TEXT PRIMARY KEY, expires_s INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE links (
  id TEXT PRIMARY KEY, scope TEXT NOT NULL, made_by TEXT NOT NULL, records TEXT NOT NULL, masked INTEGER NOT NULL,
  made_s INTEGER NOT NULL, expires_s INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE activity (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at_s INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL
) STRICT;
CREATE TRIGGER activity_stays BEFORE DELETE ON activity BEGIN SELECT RAISE(ABORT, 'the activity log only grows'); END;
CREATE TRIGGER activity_holds BEFORE UPDATE ON activity BEGIN SELECT RAISE(ABORT, 'the activity log only grows'); END;
"""

_BUSY_MS: Final = 5000


class Store:
    """One connection for all threads; every call is a transaction of its own.

    Raises:
        UsageError: the file was made by a later Leadline, or is no store.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        # Made before SQLite sees it, so that it is never readable by others, not even for a moment.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        self._con = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._con.close()
            raise UsageError(
                f"{path} is no store of Leadline ({error}). Move it away to begin with a new one."
            ) from error

    def rows(self, sql: str, values: Iterable[Any] = ()) -> list[dict[str, Any]]:
        """Rows of a question, each by column name."""
        with self._lock:
            cursor = self._con.execute(sql, tuple(values))
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def run(self, sql: str, values: Iterable[Any] = ()) -> int:
        """Run one change and return how many rows it touched."""
        with self._lock:
            return self._con.execute(sql, tuple(values)).rowcount

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._con.close()

    def _prepare(self) -> None:
        self._con.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        self._con.execute("PRAGMA journal_mode = WAL")
        self._con.execute("BEGIN IMMEDIATE")
        (held,) = self._con.execute("PRAGMA user_version").fetchone()
        if held > VERSION:
            self._con.execute("ROLLBACK")
            self._con.close()
            raise UsageError(f"{self.path} was made by a later Leadline (version {held}, this one knows {VERSION}).")
        if held == 0:
            for statement in _statements(_TABLES):
                self._con.execute(statement)
            self._con.execute(f"PRAGMA user_version = {VERSION}")
        self._con.execute("COMMIT")


def _statements(script: str) -> Iterable[str]:
    """The statements of a script; a trigger holds semicolons of its own."""
    held = ""
    for line in script.strip().splitlines():
        held += line + "\n"
        if sqlite3.complete_statement(held):
            yield held
            held = ""
