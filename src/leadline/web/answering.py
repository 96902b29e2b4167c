"""A kept page is answered before anything is asked."""

from __future__ import annotations

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from leadline.web.kept import Page, fills, reading
from leadline.web.site import Site


class Answerer:
    """Middleware inside the gate: a page that is kept is answered here, without a thread of its own."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self.app = app
        self.site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] == "http":
            request = Request(scope, receive)
            pin = self.site.answers.known_pin()
            wanted = None if pin is None else reading(request)
            page = None if pin is None or wanted is None else self.site.answers.pages.find(pin, wanted)
            if page is not None:
                await _send(page, request, send)
                return
        await self.app(scope, receive, send)


async def _send(page: Page, request: Request, send: Send) -> None:
    packed = "gzip" in request.headers.get("accept-encoding", "")
    body = page.packed(fills(request)) if packed else page.plain(fills(request))
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"vary", b"Accept-Encoding, Accept-Language, Cookie"),
        *([(b"content-encoding", b"gzip")] if packed else []),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
