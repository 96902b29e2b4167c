"""Routes of shared links and of the activity log."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from leadline.web.access.links import USUAL_DAYS
from leadline.web.access.who import Principal, needs
from leadline.web.site import Site
from leadline.web.view import View

router = APIRouter()


@router.get("/share")
def share(request: Request, page: str = "/") -> Response:
    """The page to share another page from, with the links that hold."""
    return _page(request, page, None)


@router.post("/share")
def shared(
    request: Request,
    who: Annotated[Principal, Depends(needs("analyst"))],
    page: Annotated[str, Form()],
    days: Annotated[int, Form()] = USUAL_DAYS,
) -> Response:
    """Make a link to a page, its filters fixed."""
    site: Site = request.app.state.site
    path = site.links.make(who, page, days)
    site.activity.note(request, "share", page=page.partition("?")[0], days=days)
    return _page(request, page, str(request.base_url).rstrip("/") + path)


@router.post("/share/revoke")
def revoked(
    request: Request, who: Annotated[Principal, Depends(needs("analyst"))], link: Annotated[str, Form()]
) -> Response:
    """End a link before its day."""
    site: Site = request.app.state.site
    site.links.revoke(link, who)
    site.activity.note(request, "share revoked", link=link[:8])
    return RedirectResponse("/share", 303)


@router.get("/activity")
def activity(request: Request, _: Annotated[Principal, Depends(needs("admin"))]) -> Response:
    """Who did what, the newest first."""
    return View.of(request).render("access/activity.html", {"events": request.app.state.site.activity.newest()})


def _page(request: Request, page: str, made: str | None) -> Response:
    site: Site = request.app.state.site
    who: Principal = request.state.who
    held = [
        {**row, "until": dt.datetime.fromtimestamp(row["expires_s"], tz=dt.UTC).date()}
        for row in site.links.list()
        if who.may("admin") or row["made_by"] == who.name
    ]
    return View.of(request).render("access/share.html", {"page": page, "made": made, "held": held, "days": USUAL_DAYS})
