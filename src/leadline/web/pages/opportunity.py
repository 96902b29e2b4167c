"""A deal: its stages, its people with their touches, and its amount under every credit model in columns that add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response

from leadline.web.seen import hidden, seer
from leadline.web.stories import credit_table, days_of, hidden_people
from leadline.web.view import View

if TYPE_CHECKING:
    from leadline.explain.stories import Story
    from leadline.web.desk import Desk

router = APIRouter()


@router.get("/deal/{record}")
def page(request: Request, record: str) -> Response:
    """Everything known of one opportunity."""
    view = View.of(request)
    as_of, funnel = view.state.get("as_of") or None, view.state.get("funnel") or None

    def tell(desk: Desk) -> Story | None:
        story = desk.opportunity(record, as_of=as_of, funnel=funnel)
        sees = seer(desk.opened(as_of), view.who)
        return story if sees("opportunities", story.facts["opportunity_id"]) else None

    story = view.at_desk(("deal", record, as_of, funnel), tell)
    if story is None:
        raise hidden(record)
    if view.who.masked:
        story = hidden_people(story)
    context = {"here": "search", "story": story, "days": days_of(story, view.pin.zone), "credit": credit_table(story)}
    return view.render("deal.html", context)
