"""Routes of the door: the one-time link, passwords, the provider, leaving, health."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from leadline.errors import LoginError, UsageError
from leadline.web.access.cookies import give
from leadline.web.access.csrf import csrf_token
from leadline.web.access.pages import onward, page, sign_in
from leadline.web.access.who import LOCAL
from leadline.web.site import Site

router = APIRouter()

_WRONG = "Name or password is wrong."


def _site(request: Request) -> Site:
    found: Site = request.app.state.site
    return found


@router.get("/health")
def health() -> Response:
    """Whether the server runs; says nothing else."""
    return PlainTextResponse("ok")


@router.get("/start")
def start(request: Request, code: str = "") -> Response:
    """The page of the one-time link: its form opens the door, so that a preview of the link does not use it up."""
    return page(request, "start.html", 200, code=code, csrf=csrf_token(request))


@router.post("/start")
def started(request: Request, code: Annotated[str, Form()]) -> Response:
    """Open the door to whoever holds the one-time code."""
    site = _site(request)
    if site.settings.sign_in != "link" or not site.sessions.redeem(code):
        site.activity.write("nobody", "log-in failed", way="link")
        raise HTTPException(
            403, "This link was used before or is too old. Stop the server and start it again for a new one."
        )
    return _let_in(request, LOCAL, "local", "/")


@router.get("/login")
def login(request: Request) -> Response:
    """The page where one signs in."""
    return sign_in(request, 200)


@router.post("/login")
def logged_in(
    request: Request,
    name: Annotated[str, Form()],
    password: Annotated[str, Form()],
    to: Annotated[str, Form()] = "/",
) -> Response:
    """Sign in with name and password."""
    site = _site(request)
    if site.settings.sign_in != "accounts":
        raise HTTPException(403, "Nobody signs in with a password here.")
    client = request.client.host if request.client else ""
    try:
        seconds = site.accounts.wait(name, client)
        who = None if seconds else site.accounts.check(name, password, client)
    except UsageError:
        # A name that no account can have.
        seconds, who = 0, None
    if seconds:
        site.activity.write(name, "log-in refused", way="account", client=client)
        minutes = -(-seconds // 60)
        response = sign_in(request, 429, f"Too many tries. Try again in {minutes} minutes.", name)
        response.headers["Retry-After"] = str(seconds)
        return response
    if who is None:
        site.activity.write(name, "log-in failed", way="account", client=client)
        return sign_in(request, 401, _WRONG, name)
    return _let_in(request, who.name, "account", onward(to))


@router.post("/logout")
def logout(request: Request) -> Response:
    """End the session at the server and take its cookie back."""
    site = _site(request)
    given = request.cookies.get(site.cookie)
    if given:
        site.sessions.end(given)
    site.activity.note(request, "log-out")
    response = RedirectResponse("/login", 303)
    give(response.headers, site.cookie, "", tls=site.tls, seconds=0)
    return response


@router.get("/oidc/begin")
def begin(request: Request, to: str = "/") -> Response:
    """Lead to the sign-in provider."""
    site = _site(request)
    if site.provider is None or request.state.who is not None:
        raise HTTPException(403, "Nobody signs in by a provider here, or you are signed in already.")
    return RedirectResponse(site.provider.begin(request.state.visitor, onward(to)), 303)


@router.get("/oidc/back")
def back(request: Request, state: str = "", code: str = "") -> Response:
    """Take whom the provider names in."""
    site = _site(request)
    if site.provider is None or request.state.who is not None:
        raise HTTPException(403, "Nobody signs in by a provider here, or you are signed in already.")
    try:
        name, to = site.provider.finish(request.state.visitor, state, code)
        who = site.accounts.principal(name, "oidc", site.settings.default_role)
    except (LoginError, UsageError) as error:
        site.activity.write("nobody", "log-in failed", way="oidc")
        return sign_in(request, 401, str(error))
    if who is None:
        site.activity.write(name, "log-in failed", way="oidc")
        return sign_in(request, 401, f"There is no account {name!r} here. Whoever runs this server can add it.")
    return _let_in(request, who.name, "oidc", to)


def _let_in(request: Request, name: str, door: str, to: str) -> Response:
    """A new session; the one held before ends."""
    site = _site(request)
    session = site.sessions.open(name, door, before=request.cookies.get(site.cookie))
    site.activity.write(name, "log-in", way=door)
    response = RedirectResponse(quote(to, safe="/?=&%,:;@+*~!$'()-._"), 303)
    give(response.headers, site.cookie, session, tls=site.tls)
    give(response.headers, site.visitor_cookie, "", tls=site.tls, seconds=0)
    return response
