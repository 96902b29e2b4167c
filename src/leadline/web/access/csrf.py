"""Form tokens: a change is taken only from a page of our own, shown to the same session."""

from __future__ import annotations

from typing import Final

from fastapi import HTTPException, Request

FIELD: Final = "csrf"
HEADER: Final = "X-CSRF-Token"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""

_PURPOSE: Final = "form"
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


def csrf_token(request: Request) -> str:
    """The token that forms of this page view carry in the field `csrf`."""
    signature: str = request.app.state.site.secret.signature(_PURPOSE, request.state.session)
    return signature


async def required(request: Request) -> None:
    """A dependency of the whole app: refuse changes without the token of the session.

    Raises:
        HTTPException: 403, the token is missing or another one.
    """
    if request.method in SAFE:
        return
    given = request.headers.get(HEADER)
    if given is None and request.headers.get("content-type", "").split(";")[0].strip().lower() in _FORMS:
        field = (await request.form()).get(FIELD)
        given = field if isinstance(field, str) else None
    if given is None or not request.app.state.site.secret.signed(_PURPOSE, request.state.session, given):
        raise HTTPException(403, "This form is no longer valid, or was sent from elsewhere. Open the page anew.")


def from_elsewhere(request: Request) -> bool:
    """Whether a browser says that another site's page sends the request."""
    origin, fetch_site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if origin is not None and not request.app.state.site.hosts.is_own(origin):
        return True
    return fetch_site not in (None, "same-origin", "none")
