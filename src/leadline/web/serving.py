"""A server for one site: the socket, the provider, uvicorn without its own ideas of who asks."""

from __future__ import annotations

import socket

import uvicorn

from leadline.config import ServeSettings
from leadline.errors import UsageError
from leadline.web.access.oidc import Provider
from leadline.web.app import create_app
from leadline.web.site import Site

_BACKLOG = 128


def listening(host: str, port: int) -> socket.socket:
    """A socket bound to an address, so that the port is known before anything is printed.

    Raises:
        UsageError: the address or port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, because asyncio sends small answers at once only where it knows that a socket speaks TCP.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise UsageError(
            f"{host}:{port} cannot be listened on: {error.strerror}. Take another port, or 0 for a free one."
        ) from error
    return made


def provider_of(settings: ServeSettings) -> Provider | None:
    """The sign-in provider of the settings, if that is the way in."""
    if settings.sign_in != "oidc" or settings.oidc is None or settings.public_url is None:
        return None
    return Provider(settings.oidc, settings.public_url)


def server(site: Site) -> uvicorn.Server:
    """The server of a site; run it with `serve(sockets=[…])`."""
    config = uvicorn.Config(
        create_app(site),
        # Whose address a request has is what the socket says; a header could say anything.
        proxy_headers=False,
        server_header=False,
        # Addresses hold filters and one-time codes; the activity log says what matters.
        access_log=False,
        log_level="warning",
        ws="none",
        timeout_keep_alive=30,
        limit_concurrency=512,
        h11_max_incomplete_event_size=64 * 1024,
    )
    return uvicorn.Server(config)


def run(site: Site, made: socket.socket) -> None:
    """Serve until the process is told to end."""
    server(site).run(sockets=[made])
