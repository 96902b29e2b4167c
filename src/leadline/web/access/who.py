"""Who asks: a principal with a role, the records it may see, and whether personal data is masked for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from fastapi import HTTPException, Request

Role = Literal["viewer", "analyst", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the least to the most: each may do what those before it may."""

Door = Literal["local", "account", "oidc", "proxy", "link"]
"""How somebody came in: the one-time link, a password, a provider, a proxy, a shared link."""


LOCAL: Final = "local"
"""Name of whoever started the server and came in by the one-time link; no account has it."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who is let in.

    Attributes:
        name: of the account; "local" for whoever started the server.
        role: viewer reads, analyst also saves, admin also imports.
        records: dimension → the value every unit must have; forced on each question.
        masked: whether personal data is hidden.
        door: how they came in.
        scope: of a shared link the one page it opens, as path and query; else None.
    """

    name: str
    role: Role = "viewer"
    records: Mapping[str, str] = field(default_factory=dict)
    masked: bool = True
    door: Door = "account"
    scope: str | None = None

    def may(self, role: Role) -> bool:
        """Whether the role is at least this one; a shared link never does more than read."""
        return ROLES.index(self.role) >= ROLES.index(role)

    @property
    def sees_everything(self) -> bool:
        """Whether no record is kept from them and nothing is masked."""
        return not self.records and not self.masked


def needs(role: Role) -> Callable[[Request], Principal]:
    """A dependency of a route: let in from this role up, and say who can grant it to all others."""

    def required(request: Request) -> Principal:
        who: Principal = request.state.who
        if not who.may(role):
            raise HTTPException(403, f"This takes the role {role}; yours is {who.role}. {GRANT}")
        return who

    return required


GRANT = "Whoever runs this server can grant it: leadline users change NAME --role ROLE."
"""Who can open what is locked."""
