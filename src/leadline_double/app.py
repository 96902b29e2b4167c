"""The double as an ASGI application; faults of the wire happen here."""

from __future__ import annotations

import asyncio
import email.utils
import gzip
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from leadline_double.faults import BODY, LOST
from leadline_double.service import Service, edge
from leadline_double.web import Reply, Request

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
CHUNK: Final = 1 << 18
_SMALLEST_PACKED: Final = 1000
_GARBAGE: Final = b"<html><head><title>Loading</title></head><body>Please wait.</body></html>"


class ConnectionCutError(Exception):
    """Ends a connection in the middle of an answer: the server drops it when the application fails."""


class Application:
    """ASGI callable around a service."""

    def __init__(self, service: Service) -> None:
        self.service = service

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = await _request(scope, receive)
        target = f"{request.path}?{request.query_string}" if request.query_string else request.path
        fault = self.service.faults.next(request.method, target)
        if fault == "slow":
            await asyncio.sleep(self.service.faults.slow_seconds)
        if fault == "stall":
            await _until_gone(receive)
            return
        reply = self.service.respond(request, fault)
        if fault == "lost503":
            reply = edge("503")
        await self._send(request, reply, fault, send)

    async def _send(self, request: Request, reply: Reply, fault: str | None, send: Send) -> None:
        packs = self.service.gzip and "gzip" in request.headers.get("accept-encoding", "")
        body, headers = reply.body, dict(reply.headers)
        # Time at the host is time in the org, so that a client's windows fit the stamps of records.
        headers["Date"] = email.utils.format_datetime(self.service.org.clock.now(), usegmt=True)
        if reply.status != 204:
            headers["Content-Type"] = reply.content_type
        if fault == "garbage" and reply.status == 200:
            body, headers["Content-Type"], packs = _GARBAGE, "text/html; charset=UTF-8", False
        if packs and len(body) > _SMALLEST_PACKED:
            body = reply.packed() if reply.packed else gzip.compress(body, 1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        if fault == "bad_gzip" and reply.status == 200:
            # The checksum at the end does not fit, so that it unpacks but for the last bytes.
            packed = gzip.compress(reply.body, 1, mtime=0)
            body, headers["Content-Encoding"] = packed[:-8] + b"\0\1\2\3" + packed[-4:], "gzip"
        if fault == "torn" and reply.status == 200:
            body = body[: len(body) * 2 // 3]
        await _write(send, reply.status, headers, body, cut=fault if fault in LOST | BODY else None)


async def _request(scope: MutableMapping[str, Any], receive: Receive) -> Request:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    # Clients that keep the address of an org with a slash at its end put another one before the path.
    path = "/" + scope["path"].lstrip("/")
    return Request(scope["method"], path, scope["query_string"].decode(), headers, b"".join(parts))


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, status: int, headers: dict[str, str], body: bytes, cut: str | None) -> None:
    if status != 204:
        headers["Content-Length"] = str(len(body))
    if cut == "lost":
        headers["Content-Length"] = str(max(1, len(body)))
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    if cut == "lost":
        raise ConnectionCutError
    if cut == "cut" and body:
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        raise ConnectionCutError
    for start in range(0, len(body), CHUNK):
        await send({"type": "http.response.body", "body": body[start : start + CHUNK], "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
