"""Pages of the door: signing in, and why something was refused."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from leadline.web import locale
from leadline.web.access.csrf import csrf_token
from leadline.web.templating import environment

_LONGEST = 2000


def page(request: Request, template: str, answer: int, **told: Any) -> Response:
    """A page of the door in the reader's language."""
    language = locale.of(request.headers.get("accept-language"))
    with locale.speaking(language):
        text = environment().get_template(f"access/{template}").render(language=language, **told)
    return HTMLResponse(text, answer)


def refusal(request: Request, status: int, reason: str, reference: str = "") -> Response:
    """Why a request was refused, as a page, or as JSON for who asked for that."""
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"error": reason, **({"reference": reference} if reference else {})}, status)
    return page(request, "refused.html", status, status=status, reason=reason, reference=reference)


def sign_in(request: Request, status: int, problem: str = "", name: str = "") -> Response:
    """The page where one signs in, in the way that is configured."""
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse({"error": "Sign in first."}, status)
    query = f"?{request.url.query}" if request.url.query else ""
    given = request.query_params.get("next") if request.url.path == "/login" else request.url.path + query
    return page(
        request,
        "sign_in.html",
        status,
        way=request.app.state.site.settings.sign_in,
        onward=onward(given),
        problem=problem,
        name=name,
        csrf=csrf_token(request),
    )


def onward(given: str | None) -> str:
    """Where to go after signing in: a path of this server, else the first page."""
    if (
        not given
        or not given.startswith("/")
        or given.startswith(("//", "/\\", "/login", "/logout", "/start", "/s/", "/oidc"))
    ):
        return "/"
    if len(given) > _LONGEST or any(sign.isspace() or not sign.isprintable() or sign == "\\" for sign in given):
        return "/"
    return given
