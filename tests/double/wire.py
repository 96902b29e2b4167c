"""The way to a double without a network, for tests of the connector: its faults come as they would over HTTPS."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, MutableMapping
from typing import Any
from urllib.parse import unquote, urlsplit

from leadline.errors import OrgUnreachableError
from leadline.sources.salesforce.transport import Request, Response
from leadline_double.app import Application, ConnectionCutError
from leadline_double.service import Service

Message = MutableMapping[str, Any]


class Wire:
    """Carries requests of the connector to a double; `on_send` hears of each before it goes."""

    def __init__(self, service: Service) -> None:
        self._application = Application(service)
        self.on_send: Callable[[Request], None] = lambda request: None

    def send(self, request: Request) -> Response:
        """Send a request once.

        Raises:
            OrgUnreachableError: the answer is cut, or does not unpack.
        """
        self.on_send(request)
        sent: list[Message] = []
        try:
            asyncio.run(self._ask(request, sent))
        except ConnectionCutError:
            raise OrgUnreachableError(request.host, "cut") from None
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        body = b"".join(one.get("body", b"") for one in sent[1:])
        if headers.get("content-encoding") == "gzip":
            try:
                body = gzip.decompress(body)
            except (OSError, EOFError):
                raise OrgUnreachableError(request.host, "bad gzip") from None
        return Response(sent[0]["status"], headers, body)

    async def _ask(self, request: Request, sent: list[Message]) -> None:
        url = urlsplit(request.url)
        scope: Message = {
            "type": "http",
            "method": request.method,
            "path": unquote(url.path),
            "query_string": url.query.encode(),
            "headers": [
                (name.lower().encode(), value.encode())
                for name, value in {**request.headers, "host": url.netloc}.items()
            ],
        }

        async def receive() -> Message:
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._application(scope, receive, send)
