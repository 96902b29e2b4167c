"""The explanation of one number, as a page and as what the side panel shows."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from leadline.web.state import Choice
from leadline.web.view import View

router = APIRouter()


@router.get("/explain")
def page(request: Request) -> Response:
    """The page."""
    view = View.of(request, [Choice("address", kind="address")])
    text = view.state.get("address")
    if not text:
        view.notices.append("This page explains one number: open it from one.")
        return view.render("explain.html", {"told": None, "address": ""})
    return view.render("explain.html", {"told": view.explain(text), "address": text})
