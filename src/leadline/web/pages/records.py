"""The records behind a number, and the filter that a form without script sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import pyarrow as pa
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from leadline.address import parse
from leadline.web import state
from leadline.web.state import Choice
from leadline.web.view import View, dimensions

if TYPE_CHECKING:
    from leadline.results import Result

router = APIRouter()

PAGE = 200
"""Records on one page of a list."""


@router.get("/records")
def page(request: Request) -> Response:
    """The records behind a number or a table."""
    view = _view(request)
    text = view.state.get("address")
    if not text:
        view.notices.append("This page lists the records of a number: open it from one.")
        return view.render("records.html", {"address": "", "listed": None})
    return _listing(view, text, view.records(parse(text)), behind=True)


@router.get("/table")
def whole(request: Request) -> Response:
    """A whole table, page by page."""
    view = _view(request)
    text = view.state.get("address")
    if not text:
        view.notices.append("This page shows a whole table: open it from one.")
        return view.render("records.html", {"address": "", "listed": None})
    return _listing(view, text, view.ask(parse(text).table), behind=False)


def _view(request: Request) -> View:
    return View.of(
        request, [Choice("address", kind="address"), Choice("page", kind="number"), Choice("sort", kind="name")]
    )


def _listing(view: View, text: str, result: Result, *, behind: bool) -> Response:
    """One page of the rows of a result.

    Args:
        view: whose page it is.
        text: the address.
        result: the records, or the table itself.
        behind: whether these are the records.
    """
    total = result.table.num_rows
    last = max(0, (total - 1) // PAGE)
    at = min(int(view.state.get("page") or "0"), last)
    chosen = _sorted(result.table, view.state.get("sort"))[at * PAGE : (at + 1) * PAGE]
    shown = view.table(result, limit=PAGE, chosen=chosen, linked=_linked(result.table))
    return view.render(
        "records.html",
        {
            "address": text,
            "listed": shown,
            "behind": behind,
            "total": total,
            "at": at,
            "last": last,
            "first_row": at * PAGE + 1 if total else 0,
            "last_row": min(total, (at + 1) * PAGE),
            "sortable": [head.name for head in shown.heads],
            "exports": {
                ending: f"{href}&records=1" if behind else href for ending, href in view.links(text).exports.items()
            },
        },
    )


@router.get("/filter")
def add(request: Request) -> Response:
    """A filter more on a page: where the form of a page without script leads."""
    told = request.query_params
    target = told.get("page", "/")
    # Only a path of this server: anything else would lead a reader away.
    path, _, query = target.partition("?")
    if not path.startswith("/") or path.startswith(("//", "/\\")) or not path.isprintable():
        path, query = "/", ""
    pin = request.app.state.site.answers.pin()
    dimension, value = told.get("dimension", ""), told.get("value", "")
    pairs = [
        (name, text) for name, text in parse_qsl(query) if not (name == "where" and text.partition("=")[0] == dimension)
    ]
    if dimension in dimensions(pin):
        pairs.append(("where", f"{dimension}={value[: state.MAX_LENGTH]}"))
    return RedirectResponse(state.written(path, pairs), status_code=303)


def _sorted(table: pa.Table, by: str) -> list[int]:
    """Places of the rows in the order asked for; `-name` is downwards."""
    import pyarrow.compute as pc

    name = by.removeprefix("-")
    if name not in table.column_names:
        return list(range(table.num_rows))
    order = "descending" if by.startswith("-") else "ascending"
    found: list[int] = pc.sort_indices(table.select([name]), sort_keys=[(name, order)]).to_pylist()
    return found


def _linked(table: pa.Table) -> Callable[[str, int], str]:
    """People lead to their journey, opportunities to theirs, records to the org where its address is known."""
    paths = {"person_id": "/journey/", "opportunity_id": "/deal/"}
    held = {name: table.column(name) for name in paths if name in table.column_names}

    def told(column: str, row: int) -> str:
        value = held[column][row].as_py() if column in held else None
        return f"{paths[column]}{value}" if value else ""

    return told
