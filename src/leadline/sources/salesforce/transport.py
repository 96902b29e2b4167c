"""The one way out: a request goes in, a response comes out. Tests pass an object with `send`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol, Self
from urllib.parse import urlsplit

from leadline.errors import OrgUnreachableError

_SECONDS: Final = 120.0
_CONNECT_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent; neither headers nor body show in a repr, for they can hold secrets."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def host(self) -> str:
        """Where it goes."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class Response:
    """What came back; names of headers in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


class Transport(Protocol):
    """Something that carries a request."""

    def send(self, request: Request) -> Response:
        """Send a request once.

        Raises:
            OrgUnreachableError: no whole answer came back.
        """


class HttpTransport:
    """Over HTTPS, with certificates checked, no redirect followed, and a limit on time.

    Certificates: the usual roots, or those of the file that `SSL_CERT_FILE` names.
    """

    def __init__(self) -> None:
        import httpx

        self._client = httpx.Client(
            timeout=httpx.Timeout(_SECONDS, connect=_CONNECT_SECONDS),
            follow_redirects=False,
            headers={"User-Agent": "leadline", "Accept-Encoding": "gzip"},
            limits=httpx.Limits(max_connections=16),
        )

    def send(self, request: Request) -> Response:
        """Send a request once.

        Raises:
            OrgUnreachableError: no whole answer came back.
        """
        import httpx

        try:
            # A response of httpx is part of a cycle: pages that it holds would pile up until they are collected.
            with self._client.stream(
                request.method, request.url, headers=dict(request.headers), content=request.body or None
            ) as answer:
                body = b"".join(answer.iter_bytes())
                headers = {name.lower(): value for name, value in answer.headers.items()}
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise OrgUnreachableError(request.host, type(error).__name__) from None
        return Response(answer.status_code, headers, body)

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
