"""Shared links: signed, for one page with its filters fixed, ending on a day, revocable.

Whoever opens one sees that page with the eyes of whoever shared it, never more: what is kept from
that account now is kept from the link as well, and what was kept when it was made stays kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from leadline.errors import UnknownNameError, UsageError
from leadline.web.access.accounts import Accounts
from leadline.web.access.secret import Secret, token
from leadline.web.access.who import LOCAL, Principal, Role
from leadline.web.store import Store

LONGEST_DAYS: Final = 365
USUAL_DAYS: Final = 30
PREFIX: Final = "/s/"
"""Path of shared links."""

_PURPOSE: Final = "link"
_DAY_S: Final = 86_400
_NOT_PAGES: Final = (PREFIX, "/static/", "/login", "/logout", "/start", "/oidc/", "/share")


@dataclass(frozen=True, slots=True)
class Links:
    """Makes, opens and revokes shared links.

    Attributes:
        default_role: of makers without an account, as in the settings.
        now: clock in UTC seconds.
    """

    store: Store
    secret: Secret
    accounts: Accounts
    default_role: Role | None = None
    now: Callable[[], float] = time.time

    def make(self, who: Principal, scope: str, days: int = USUAL_DAYS) -> str:
        """The path of a new link to a page.

        Args:
            who: whoever shares; the link shows what they may see.
            scope: path and query of the page.
            days: from 1 to `LONGEST_DAYS`.

        Raises:
            UsageError: it is no page of ours, or the link would hold for too long.
        """
        if not 1 <= days <= LONGEST_DAYS:
            raise UsageError(f"A shared link holds for 1 to {LONGEST_DAYS} days, not for {days}.")
        if not scope.startswith("/") or scope.startswith(("//", "/\\", *_NOT_PAGES)) or who.scope is not None:
            raise UsageError("Only a page of this server can be shared, by somebody who is signed in.")
        made, now = token()[:22], int(self.now())
        self.store.run(
            "INSERT INTO links (id, scope, made_by, records, masked, made_s, expires_s) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [made, scope, who.name, json.dumps(dict(who.records)), int(who.masked), now, now + days * _DAY_S],
        )
        return f"{PREFIX}{made}.{self.secret.signature(_PURPOSE, made)}"

    def open(self, given: str) -> Principal | None:
        """Who a link makes of its reader, with its page as `scope`; None for one that does not hold."""
        made, _, signature = given.partition(".")
        if not self.secret.signed(_PURPOSE, made, signature):
            return None
        row = next(iter(self.store.rows("SELECT * FROM links WHERE id = ?", [made])), None)
        if row is None or row["revoked"] or row["expires_s"] <= self.now():
            return None
        records, masked = json.loads(row["records"]), bool(row["masked"])
        if row["made_by"] != LOCAL:
            maker = self.accounts.principal(row["made_by"], "account", self.default_role)
            if maker is None or any(records.get(name, value) != value for name, value in maker.records.items()):
                return None
            records, masked = {**records, **maker.records}, masked or maker.masked
        return Principal(f"link {made[:8]}", "viewer", records, masked, "link", row["scope"])

    def list(self) -> list[dict[str, Any]]:
        """Every link that still holds, the newest first: id, scope, made_by, expires_s."""
        return self.store.rows(
            "SELECT id, scope, made_by, expires_s FROM links WHERE revoked = 0 AND expires_s > ? ORDER BY made_s DESC, id",
            [int(self.now())],
        )

    def revoke(self, made: str, who: Principal) -> None:
        """End a link before its day; whoever made it may, and admins.

        Raises:
            UnknownNameError: no such link, or none of theirs.
        """
        whose = [] if who.may("admin") else [who.name]
        clause = " AND made_by = ?" if whose else ""
        if not self.store.run(f"UPDATE links SET revoked = 1 WHERE id = ? AND revoked = 0{clause}", [made, *whose]):
            raise UnknownNameError("shared link", made, [])
