"""Which Host headers and origins are answered: a page of elsewhere cannot reach the server under a name of its own."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from leadline.errors import UsageError

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class Hosts:
    """The allow-list of one server.

    Attributes:
        hosts: answered Host headers, lower case, with the port where it is not the usual one.
        origins: pages that may send forms.
    """

    hosts: frozenset[str]
    origins: frozenset[str]

    def answers(self, host: str) -> bool:
        """Whether a Host header is one of ours, to the letter."""
        return host.lower() in self.hosts

    def is_own(self, origin: str) -> bool:
        """Whether an Origin header is one of our own pages."""
        return origin in self.origins


def allowed(port: int, public_url: str | None, more: Iterable[str] = ()) -> Hosts:
    """The allow-list: loopback names with the port, the public address, further hosts as written.

    Raises:
        UsageError: the public address is no address of a web page.
    """
    local = {f"{name}:{port}" for name in LOOPBACK} | (set(LOOPBACK) if port == 80 else set())
    hosts, origins = set(local), {f"http://{name}" for name in local}
    if public_url:
        scheme, host = _parts(public_url)
        hosts.add(host)
        origins.add(f"{scheme}://{host}")
    for name in more:
        hosts.add(name.lower())
        origins |= {f"http://{name.lower()}", f"https://{name.lower()}"}
    return Hosts(frozenset(hosts), frozenset(origins))


def is_loopback(host: str) -> bool:
    """Whether an address to bind to reaches this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parts(public_url: str) -> tuple[str, str]:
    parts = urlsplit(public_url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/") or "@" in parts.netloc:
        raise UsageError(f"serve.public_url {public_url!r} is no address; write one such as https://leads.example.com.")
    return parts.scheme, parts.netloc.lower()
