"""Search: one box over campaigns, deals, people, metrics, checks, settings and boards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from leadline.errors import LeadlineError
from leadline.web import search
from leadline.web.boards import Boards
from leadline.web.seen import seer
from leadline.web.state import Choice
from leadline.web.view import View

if TYPE_CHECKING:
    from leadline.web.desk import Desk

router = APIRouter()

MAIL = "@"
CHOICES = (Choice("q", kind="name"),)


@router.get("/search")
def page(request: Request) -> Response:
    """What bears the name or id that was typed; an e-mail address leads to its person."""
    view = View.of(request, CHOICES)
    text = search.wanted(request.query_params.get("q"))
    if MAIL in text and not view.who.masked:
        found = _person(view, text)
        if found:
            return RedirectResponse(f"/journey/{found}", status_code=303)
    boards = {one.name: one.title for one in Boards(view.site.workspace.folder).all()}
    key = ("search", text, tuple(boards.items()))
    groups = (
        view.run(
            key,
            lambda opened: search.find(
                opened.held_to(view.who.records), text, boards=boards, people=not view.who.masked
            ),
        )
        if text
        else ()
    )
    return view.render(
        "search.html",
        {"text": text, "groups": groups, "hits": sum(len(one.hits) for one in groups), "no_mail": MAIL in text},
    )


def _person(view: View, address: str) -> str | None:
    """The person with an e-mail address, if there is exactly one and the reader may see them."""
    from leadline.workspace.telling import person_id

    def look(desk: Desk) -> str | None:
        opened = desk.opened()
        try:
            found = person_id(desk.ledger, opened, address)
        except LeadlineError as fault:
            view.notices.append(str(fault))
            return None
        return found if seer(opened, view.who)("people", found) else None

    # Not kept: addresses of people do not stay in the memory of the server.
    return view.at_desk(None, look)
