"""Accounts: made on the command line only; who they are is looked up with every page, so a change holds at once."""

from __future__ import annotations

import json
import time
import unicodedata
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from leadline.errors import UnknownNameError, UsageError
from leadline.web.access import passwords
from leadline.web.access.who import LOCAL, ROLES, Door, Principal, Role
from leadline.web.store import Store

WINDOW_S: Final = 15 * 60
PER_CLIENT: Final = 5
"""Passwords one client may try on one account within the window."""
PER_ACCOUNT: Final = 10
"""Passwords all clients together may try on one account within the window."""

LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of a workspace.

    Attributes:
        masked_roles: roles from which personal data is hidden unless the account says otherwise.
        now: clock in UTC seconds.
    """

    store: Store
    masked_roles: Iterable[str] = ("viewer",)
    now: Callable[[], float] = time.time
    _tries: dict[str, deque[tuple[float, str]]] = field(default_factory=lambda: defaultdict(deque))

    def add(self, name: str, role: Role, password: str | None = None, records: Mapping[str, str] | None = None) -> None:
        """Make an account; without a password it is only for sign-in by a provider or a proxy.

        Raises:
            UsageError: the name is taken or no name, or the password is guessed.
            UnknownNameError: no such role.
        """
        _require_role(role)
        kept = _folded(name)
        if self._row(kept) is not None:
            raise UsageError(f"There is an account {kept!r} already.")
        if password is not None:
            passwords.require_good(password, kept)
        self.store.run(
            "INSERT INTO accounts (name, role, password, records, made_s) VALUES (?, ?, ?, ?, ?)",
            [kept, role, None if password is None else passwords.hashed(password), _written(records), int(self.now())],
        )

    def list(self) -> list[dict[str, Any]]:
        """Every account by name, without what it signs in with."""
        return [
            {
                "name": row["name"],
                "role": row["role"],
                "records": json.loads(row["records"]),
                "masked": self._masked(row),
                "disabled": bool(row["disabled"]),
                "password": row["password"] is not None,
            }
            for row in self.store.rows("SELECT * FROM accounts ORDER BY name")
        ]

    def change(
        self,
        name: str,
        *,
        role: Role | None = None,
        records: Mapping[str, str] | None = None,
        masked: bool | None = None,
        disabled: bool | None = None,
        password: str | None = None,
    ) -> None:
        """Change what is given; a new password and disabling end the account's sessions.

        Raises:
            UnknownNameError: no such account or role.
            UsageError: the password is guessed.
        """
        kept = self._known(name)
        if role is not None:
            _require_role(role)
            self.store.run("UPDATE accounts SET role = ? WHERE name = ?", [role, kept])
        if records is not None:
            self.store.run("UPDATE accounts SET records = ? WHERE name = ?", [_written(records), kept])
        if masked is not None:
            self.store.run("UPDATE accounts SET masked = ? WHERE name = ?", [int(masked), kept])
        if password is not None:
            passwords.require_good(password, kept)
            self.store.run("UPDATE accounts SET password = ? WHERE name = ?", [passwords.hashed(password), kept])
        if disabled is not None:
            self.store.run("UPDATE accounts SET disabled = ? WHERE name = ?", [int(disabled), kept])
        if password is not None or disabled:
            self.store.run("DELETE FROM sessions WHERE name = ?", [kept])

    def remove(self, name: str) -> None:
        """Remove an account, its sessions and its shared links.

        Raises:
            UnknownNameError: no such account.
        """
        kept = self._known(name)
        for table, column in (("sessions", "name"), ("accounts", "name")):
            self.store.run(f"DELETE FROM {table} WHERE {column} = ?", [kept])
        self.store.run("UPDATE links SET revoked = 1 WHERE made_by = ?", [kept])

    def principal(self, name: str, door: Door, default: Role | None = None) -> Principal | None:
        """Who an account is now; None if it is disabled, or absent without a default role."""
        kept = _folded(name)
        row = self._row(kept)
        if row is None:
            return None if default is None else Principal(kept, default, {}, default in self.masked_roles, door)
        if row["disabled"]:
            return None
        return Principal(kept, row["role"], json.loads(row["records"]), self._masked(row), door)

    def wait(self, name: str, client: str) -> int:
        """Seconds until a password may be tried again; 0 for now, which counts as a try."""
        now, tries = self.now(), self._tries[_folded(name)]
        while tries and now - tries[0][0] >= WINDOW_S:
            tries.popleft()
        own = [at for at, who in tries if who == client]
        if len(own) >= PER_CLIENT:
            return int(WINDOW_S - (now - own[0])) + 1
        if len(tries) >= PER_ACCOUNT:
            return int(WINDOW_S - (now - tries[0][0])) + 1
        tries.append((now, client))
        if len(self._tries) > _MOST_NAMES:
            # Made-up names must not fill the memory; the ones tried longest ago go.
            del self._tries[next(iter(self._tries))]
        return 0

    def check(self, name: str, password: str, client: str) -> Principal | None:
        """Whom a name and a password belong to; ask `wait` first."""
        kept = _folded(name)
        row = self._row(kept)
        if not passwords.matches(None if row is None else row["password"], password):
            return None
        found = self.principal(kept, "account")
        if found is not None:
            tries = self._tries[kept]
            others = [one for one in tries if one[1] != client]
            tries.clear()
            tries.extend(others)
        return found

    def _masked(self, row: Mapping[str, Any]) -> bool:
        return row["role"] in self.masked_roles if row["masked"] is None else bool(row["masked"])

    def _row(self, kept: str) -> dict[str, Any] | None:
        return next(iter(self.store.rows("SELECT * FROM accounts WHERE name = ?", [kept])), None)

    def _known(self, name: str) -> str:
        kept = _folded(name)
        if self._row(kept) is None:
            raise UnknownNameError(
                "account", kept, [row["name"] for row in self.store.rows("SELECT name FROM accounts")]
            )
        return kept


_MOST_NAMES: Final = 10_000


def _folded(name: str) -> str:
    """A name as it is kept: case and look-alike forms make no second account."""
    kept = unicodedata.normalize("NFKC", name).strip().casefold()
    if not kept or len(kept) > LONGEST_NAME or any(unicodedata.category(sign).startswith("C") for sign in kept):
        raise UsageError(f"{name!r} is no name of an account: write up to {LONGEST_NAME} letters, no control signs.")
    if kept == LOCAL or kept.startswith("link "):
        raise UsageError(f"The name {kept!r} is not free: the server uses it itself.")
    return kept


def _require_role(role: str) -> None:
    if role not in ROLES:
        raise UnknownNameError("role", role, ROLES)


def _written(records: Mapping[str, str] | None) -> str:
    return json.dumps(dict(records or {}), sort_keys=True, ensure_ascii=False)
