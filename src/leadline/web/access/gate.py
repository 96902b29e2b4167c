"""The gate: every request passes here first. It looks at host, origin, size and who asks; what it does not know stays outside."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from fastapi import HTTPException, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leadline.errors import UsageError
from leadline.web.access import limits
from leadline.web.access.cookies import give
from leadline.web.access.csrf import SAFE, from_elsewhere
from leadline.web.access.links import PREFIX
from leadline.web.access.pages import refusal, sign_in
from leadline.web.access.secret import token
from leadline.web.access.who import GRANT, LOCAL, Principal
from leadline.web.site import Site

OPEN: Final = frozenset({"/health", "/login", "/start", "/oidc/begin", "/oidc/back"})
"""Paths that need no session; beside them only files of the page itself."""
OPEN_TO_VIEWERS: Final = frozenset({"/login", "/start", "/logout"})
"""Paths whose forms take no role."""
STATIC: Final = "/static/"


class Gate:
    """Middleware that lets in or refuses."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self.app = app
        self.site = site
        self._uploads = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with `request.state.who` and `request.state.session`; or answer it here."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            # No page needs a web socket; closing before accepting answers 403.
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["app"] = scope.get("app") or self.app
        request = Request(scope, receive)
        request.state.who, request.state.session = None, ""
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or not self.site.hosts.answers(hosts[0]):
            await PlainTextResponse("This server does not answer to that name.", 421)(scope, receive, send)
            return
        refused = await run_in_threadpool(self._refused, request)
        if refused is not None:
            await refused(scope, receive, self._with_visitor(request, send))
            return
        await self._bounded(request, scope, receive, self._with_visitor(request, send))

    def _refused(self, request: Request) -> Response | None:
        """Why a request is not passed on; None where it is. Tells the request who asks."""
        path, changes = request.url.path, request.method not in SAFE
        if path.startswith(PREFIX):
            return self._shared(request)
        self._recognise(request)
        who: Principal | None = request.state.who
        if who is None and path not in OPEN and not path.startswith(STATIC):
            return self._denied(request, sign_in(request, 401))
        if changes and from_elsewhere(request):
            return self._denied(request, refusal(request, 403, "This form was sent by a page of elsewhere."))
        if changes and path not in OPEN_TO_VIEWERS and (who is None or not who.may("analyst")):
            return self._denied(request, refusal(request, 403, f"Changes take the role analyst. {GRANT}"))
        return None

    def _shared(self, request: Request) -> Response | None:
        """Turn a shared link into the page it opens, for the reader it makes."""
        who = self.site.links.open(request.url.path.removeprefix(PREFIX))
        if who is None or request.url.query or request.method not in ("GET", "HEAD"):
            return self._denied(
                request, refusal(request, 403, "This link does not hold, or no longer. Ask for a new one.")
            )
        path, _, query = (who.scope or "").partition("?")
        request.scope["path"], request.scope["raw_path"] = path, quote(path).encode()
        request.scope["query_string"] = query.encode()
        # The request object keeps the address it has read once; what comes after reads the new one.
        request.state.who, request.state.session = who, f"link:{who.name}"
        return None

    def _recognise(self, request: Request) -> None:
        """Tell the request who asks and which session forms are tied to."""
        settings = self.site.settings
        if settings.sign_in == "proxy":
            self._by_proxy(request)
        elif given := request.cookies.get(self.site.cookie):
            session = self.site.sessions.find(given)
            # A session of another way in than the one configured now lets nobody in.
            if session is not None and session.door == _DOORS[settings.sign_in]:
                request.state.who = self._principal(session.name, session.door)
                request.state.session = f"session:{session.key}"
        if request.state.who is None:
            request.state.fresh_visitor = None
            visitor = request.cookies.get(self.site.visitor_cookie)
            if not visitor:
                visitor = request.state.fresh_visitor = token()
            request.state.visitor = visitor
            request.state.session = f"visitor:{visitor}"

    def _by_proxy(self, request: Request) -> None:
        proxy = self.site.settings.proxy
        client = request.client.host if request.client else ""
        if proxy is None or client not in proxy.addresses:
            return
        names = request.headers.getlist(proxy.header)
        if len(names) == 1 and names[0].strip():
            who = self._principal(names[0], "proxy")
            request.state.who, request.state.session = who, f"proxy:{who.name if who else ''}"

    def _principal(self, name: str, door: str) -> Principal | None:
        if door == "local":
            return Principal(LOCAL, "admin", {}, False, "local") if name == LOCAL else None
        default = None if door == "account" else self.site.settings.default_role
        try:
            return self.site.accounts.principal(name, door, default)  # type: ignore[arg-type]  # doors of sessions are ours
        except UsageError:
            # No account can have such a name.
            return None

    def _denied(self, request: Request, response: Response) -> Response:
        if request.state.who is not None or request.method not in SAFE or response.status_code != 401:
            self.site.activity.note(request, "denied", method=request.method, path=request.url.path)
        return response

    def _with_visitor(self, request: Request, send: Send) -> Send:
        """Send with the cookie that ties a sign-in form to this browser, where a page gave a new one."""
        fresh = getattr(request.state, "fresh_visitor", None)
        if not fresh:
            return send

        async def given(message: Message) -> None:
            if message["type"] == "http.response.start" and not request.url.path.startswith(STATIC):
                give(MutableHeaders(scope=message), self.site.visitor_cookie, fresh, tls=self.site.tls)
            await send(message)

        return given

    async def _bounded(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        upload = request.method == "POST" and request.url.path == limits.UPLOAD_PATH and request.state.who.may("admin")
        most = self.site.settings.upload_mb * 1024**2 if upload else limits.BODY_BYTES
        said = request.headers.get("content-length", "0")
        if not said.isdigit() or int(said) > most:
            await refusal(request, 413, limits.too_large(most))(scope, receive, send)
            return
        if not upload:
            await self.app(scope, limits.bounded(receive, most, limits.BODY_SECONDS), send)
            return
        if self._uploads >= limits.UPLOADS_AT_ONCE:
            await refusal(request, 503, "Other uploads are under way; try again later.")(scope, receive, send)
            return
        self._uploads += 1
        try:
            await self.app(scope, limits.bounded(receive, most, limits.UPLOAD_SECONDS), send)
        finally:
            self._uploads -= 1


_DOORS: Final = {"link": "local", "accounts": "account", "oidc": "oidc", "proxy": "proxy"}


def require_signed_in(request: Request) -> Principal:
    """A second look by the app itself: a page that is reached without the gate shows nothing.

    Raises:
        HTTPException: 401, nobody was recognised on a page that is not open.
    """
    who: Principal | None = getattr(request.state, "who", None)
    if who is None and request.url.path not in OPEN:
        raise HTTPException(401, "Sign in first.")
    return who  # type: ignore[return-value]  # open pages do not ask who it is
