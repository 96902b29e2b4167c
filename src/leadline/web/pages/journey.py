"""The journey of a person: a time line of touches and stages, what was left out and why, and its credit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from leadline.web.access.who import GRANT
from leadline.web.seen import hidden, seer
from leadline.web.stories import credit_table, days_of
from leadline.web.view import View

if TYPE_CHECKING:
    from leadline.explain.stories import Story
    from leadline.web.desk import Desk

router = APIRouter()


@router.get("/journey/{person}")
def page(request: Request, person: str) -> Response:
    """Everything known of one person."""
    view = View.of(request)
    if view.who.masked:
        raise HTTPException(403, f"The journey of a person is shown to readers who may see personal data. {GRANT}")
    as_of, funnel = view.state.get("as_of") or None, view.state.get("funnel") or None

    def tell(desk: Desk) -> Story | None:
        story = desk.journey(person, as_of=as_of, funnel=funnel)
        sees = seer(desk.opened(as_of), view.who)
        return story if sees("people", story.facts["person_id"]) else None

    if "@" in person:
        # An address in the path would stand in the browser's history and in logs.
        raise hidden("an e-mail address; search for it")
    story = view.at_desk(("journey", person, as_of, funnel), tell)
    if story is None:
        raise hidden(person)
    context = {"here": "search", "story": story, "days": days_of(story, view.pin.zone), "credit": credit_table(story)}
    return view.render("journey.html", context)
