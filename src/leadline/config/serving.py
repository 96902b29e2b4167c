"""The table `[serve]`: who is let in by the web server. It changes no number and is no part of a snapshot."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from leadline.config.base import TomlTable, texts
from leadline.config_faults import Fault

Role = Literal["viewer", "analyst", "admin"]
MASKED: tuple[Role, ...] = ("viewer",)
"""Roles from which personal data is hidden unless told otherwise."""


def _text_fault(table: dict[str, Any], key: str, schemes: tuple[str, ...]) -> Iterator[Fault]:
    """An address that is none, or that is not the root of a server where it has to be."""
    address = table.get(key)
    if isinstance(address, str) and (urlsplit(address).scheme not in schemes or not urlsplit(address).hostname):
        yield key, f"is no address; write one such as '{schemes[0]}://leads.example.com'"


class OidcSettings(TomlTable):
    """Sign-in by an OpenID provider; the client's secret stands in the environment, never here."""

    issuer: str = Field(description="Address of the provider, as its tokens name it")
    client_id: str = Field(description="Name under which the provider knows this server")
    name_claim: str = Field("email", description="Claim that names the account; an e-mail address must be verified")
    scopes: list[str] = Field(default_factory=lambda: ["openid", "email"], description="Scopes asked for")

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        yield from _text_fault(table, "issuer", ("https", "http"))


class ProxySettings(TomlTable):
    """Sign-in by a proxy in front, which names the account in a header."""

    header: str = Field("X-Forwarded-User", description="Header that names the account")
    addresses: list[str] = Field(
        min_length=1, description="Addresses of the proxy; from elsewhere the header is ignored"
    )

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        for address in texts(table.get("addresses")):
            try:
                ipaddress.ip_address(address)
            except ValueError:
                yield "addresses", f"holds {address!r}, which is no IP address"


class ServeSettings(TomlTable):
    """How `leadline serve` lets people in and for how long."""

    sign_in: Literal["link", "accounts", "oidc", "proxy"] = Field(
        "link",
        description="link: the one-time link printed at start, on this machine only; accounts: names and passwords; oidc: a provider; proxy: a header of a proxy",
    )
    public_url: str | None = Field(None, description="Address under which people reach the server, e.g. behind TLS")
    hosts: list[str] = Field(default_factory=list, description="Further Host headers that are answered, with port")
    default_role: Role | None = Field(
        None,
        description="Role of people whom the provider or proxy names and who have no account; without it they stay outside",
    )
    masked: list[Role] = Field(
        default_factory=lambda: list(MASKED), description="Roles from which personal data is hidden"
    )
    idle_minutes: int = Field(60, ge=1, le=1440, description="Minutes without a page after which a session ends")
    session_hours: int = Field(12, ge=1, le=168, description="Hours after which a session ends in any case")
    upload_mb: int = Field(2048, ge=1, description="Size of the largest upload of records, in MB")
    oidc: OidcSettings | None = Field(None, description="The provider, for sign_in = 'oidc'")
    proxy: ProxySettings | None = Field(None, description="The proxy, for sign_in = 'proxy'")

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        yield from _text_fault(table, "public_url", ("https", "http"))
        for name in ("oidc", "proxy"):
            if table.get("sign_in") == name and not table.get(name):
                yield "sign_in", f"needs the table [serve.{name}]"
        if table.get("sign_in") == "oidc" and not table.get("public_url"):
            yield "sign_in", "needs public_url, to which the provider leads back"
