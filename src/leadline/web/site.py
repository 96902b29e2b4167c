"""What a running server holds: the workspace, its answers, its store, and who is let in how."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from leadline.config import ServeSettings
from leadline.errors import UsageError
from leadline.web.access.accounts import Accounts
from leadline.web.access.activity import Activity
from leadline.web.access.hosts import Hosts, allowed, is_loopback
from leadline.web.access.links import Links
from leadline.web.access.oidc import Provider
from leadline.web.access.secret import Secret
from leadline.web.access.sessions import Sessions
from leadline.web.answers import Answers
from leadline.web.store import FILE_NAME, Store
from leadline.workspace import Workspace

PORT: Final = 8765
"""Where the server listens unless told otherwise."""


@dataclass
class Site:
    """One server on one workspace.

    Attributes:
        workspace: whose numbers are shown.
        settings: table [serve] of leadline.toml.
        port: where it is reached.
        now: clock in UTC seconds.
        provider: who signs people in, for sign_in = "oidc".
        warm: whether the usual pages are worked out before anybody asks.

    Raises:
        UsageError: the secret of the environment is easy to guess, or app.sqlite is no store.
    """

    workspace: Workspace
    settings: ServeSettings
    port: int = PORT
    now: Callable[[], float] = time.time
    provider: Provider | None = None
    warm: bool = False
    store: Store = field(init=False)
    secret: Secret = field(init=False)
    hosts: Hosts = field(init=False)

    def __post_init__(self) -> None:
        self.hosts = allowed(self.port, self.settings.public_url, self.settings.hosts)
        self.store = Store(self.workspace.folder / FILE_NAME)
        self.secret = Secret(self.store)

    @cached_property
    def accounts(self) -> Accounts:
        """Names, roles, passwords."""
        return Accounts(self.store, tuple(self.settings.masked), self.now)

    @cached_property
    def sessions(self) -> Sessions:
        """Who is signed in."""
        return Sessions(self.store, self.settings.idle_minutes * 60, self.settings.session_hours * 3600, self.now)

    @cached_property
    def activity(self) -> Activity:
        """Who did what."""
        return Activity(self.store, self.now)

    @cached_property
    def links(self) -> Links:
        """Shared links."""
        return Links(self.store, self.secret, self.accounts, self.settings.default_role, self.now)

    @cached_property
    def answers(self) -> Answers:
        """Answers to questions, kept."""
        return Answers(self.workspace.folder)

    @property
    def tls(self) -> bool:
        """Whether people reach the server by https."""
        return (self.settings.public_url or "").startswith("https://")

    @property
    def cookie(self) -> str:
        """Name of the session's cookie; cookies know no ports, so without TLS the port stands in the name."""
        return "__Host-leadline" if self.tls else f"leadline_{self.port}"

    @property
    def visitor_cookie(self) -> str:
        """Name of the cookie that ties a sign-in form to the browser it was shown to."""
        return f"{self.cookie}_visitor"

    def close(self) -> None:
        """Close the store and the engines."""
        if "answers" in self.__dict__:
            self.answers.close()
        self.store.close()


def require_safe(host: str, settings: ServeSettings) -> None:
    """Refuse to be reached from other machines by anybody who has the one-time link only.

    Raises:
        UsageError: the address is not that of this machine alone, and no sign-in is configured.
    """
    if settings.sign_in == "link" and not is_loopback(host):
        raise UsageError(
            f"{host} can be reached from other machines, so people have to sign in: set sign_in in the table [serve] of "
            "leadline.toml to accounts, oidc or proxy, or leave --host out."
        )
