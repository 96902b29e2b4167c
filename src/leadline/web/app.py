"""The app: gate, headers, pages, and what a reader sees where something fails."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as RoutingError

from leadline.errors import (
    BusyError,
    LeadlineError,
    OverLimitError,
    SnapshotError,
    UsageError,
    WriterBusyError,
)
from leadline.web.access import csrf, door, sharing
from leadline.web.access.gate import Gate, require_signed_in
from leadline.web.access.headers import Headers, secure
from leadline.web.access.pages import refusal
from leadline.web.access.secret import token
from leadline.web.answering import Answerer
from leadline.web.pages import ROUTERS
from leadline.web.site import Site
from leadline.web.templating import folder
from leadline.web.warming import Warmer

LOG = logging.getLogger("leadline.web")

RETRY_SECONDS = 2
"""After how long whoever was turned away may come back."""

_FIRST = "/data"

_STATUS: dict[type[LeadlineError], int] = {
    BusyError: 503,
    OverLimitError: 503,
    SnapshotError: 503,
    WriterBusyError: 409,
    UsageError: 400,
}


def create_app(site: Site) -> FastAPI:
    """The app of one site; `request.app.state.site` is the site."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        warmer = Warmer(app, site) if site.warm else None
        if warmer:
            warmer.start()
        yield
        if warmer:
            warmer.close()
        site.close()

    app = FastAPI(
        title="Leadline",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        dependencies=[Depends(require_signed_in), Depends(csrf.required)],
        redirect_slashes=False,
    )
    app.state.site = site
    app.mount("/static", StaticFiles(directory=folder("static")), name="static")
    for router in (door.router, sharing.router, *ROUTERS):
        app.include_router(router)
    app.add_exception_handler(RoutingError, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(LeadlineError, _told)
    app.add_exception_handler(Exception, _failed)
    # The last one added is the outermost.
    app.add_middleware(Answerer, site=site)
    app.add_middleware(Gate, site=site)
    app.add_middleware(Headers, tls=site.tls)
    return app


def _refused(request: Request, error: Exception) -> Response:
    """A refusal by the app itself: no such page, no right, too large."""
    assert isinstance(error, RoutingError)  # the handler is added for nothing else
    reasons = {404: "There is no page at this address.", 405: "This address takes no such request."}
    if error.status_code == 403 and isinstance(error, HTTPException):
        request.app.state.site.activity.note(request, "denied", method=request.method, path=request.url.path)
    response = refusal(request, error.status_code, reasons.get(error.status_code, str(error.detail)))
    response.headers.update(error.headers or {})
    return response


def _unreadable(request: Request, error: Exception) -> Response:
    """Parameters that cannot be read; which ones, and nothing of what they held."""
    assert isinstance(error, RequestValidationError)  # the handler is added for nothing else
    names = sorted({str(one["loc"][-1]) for one in error.errors()})
    return refusal(request, 422, f"These parameters are missing or cannot be read: {', '.join(names)}.")


def _told(request: Request, error: Exception) -> Response:
    """An error of ours says what is wrong itself; where the workspace lies is nobody's business."""
    site: Site = request.app.state.site
    if (
        isinstance(error, SnapshotError)
        and not request.url.path.startswith(_FIRST)
        and not site.workspace.snapshots.list()
    ):
        # Nothing is published yet: where data comes in.
        return RedirectResponse(_FIRST, 303)
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    if status == 500:
        return _failed(request, error)
    response = refusal(request, status, str(error).replace(str(site.workspace.folder), "the workspace"))
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _failed(request: Request, error: Exception) -> Response:
    """Anything else: the reader gets a reference, the log what happened."""
    reference = token()[:8]
    LOG.error("%s %s failed, reference %s", request.method, ascii(request.url.path), reference, exc_info=error)
    response = refusal(request, 500, "Something went wrong on the server; nothing was changed by it.", reference)
    # Outside of all middleware: the headers are added here.
    secure(response.headers, request.url.path, tls=request.app.state.site.tls)
    return response
