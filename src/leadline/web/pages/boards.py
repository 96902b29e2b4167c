"""Boards: cards that a team arranged, and views it saved."""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from leadline import charts
from leadline.address import parse
from leadline.errors import LeadlineError, UsageError
from leadline.render import present
from leadline.web.access.who import Principal, needs
from leadline.web.boards import PAGES, Board, Boards, Card, Kept, moved, read, written
from leadline.web.state import Choice
from leadline.web.view import View

if TYPE_CHECKING:
    from leadline.results import Result
    from leadline.web.charts import Block
    from leadline.web.tables import Table

router = APIRouter()

ADD = (
    Choice("ask", kind="name"),
    Choice("show", ("table", "chart", "number")),
    Choice("chart", kind="name"),
    Choice("title", kind="name"),
)
SAVE = (Choice("page", kind="name"),)
ROWS = 15
"""Rows of a card's table; its records and files have all."""

Writer = Annotated[Principal, Depends(needs("analyst"))]
Text = Annotated[str, Form()]


@dataclass(frozen=True, slots=True)
class Shown:
    """A card with its answer, or why there is none.

    Attributes:
        at: its place, from 0.
        value: of a number, as text; address: of the number or table.
    """

    at: int
    card: Card
    title: str
    value: str = ""
    address: str = ""
    note: str = ""
    grade: str | None = None
    table: Table | None = None
    chart: Block | None = None
    fault: str = ""


@router.get("/boards")
def page(request: Request) -> Response:
    """All boards and saved views."""
    view = View.of(request)
    found = _boards(request).all()
    return view.render(
        "boards.html",
        {
            "boards": [one for one in found if one.board is None or not one.board.page],
            "views": [one for one in found if one.board is not None and one.board.page],
            "may_write": view.who.may("analyst"),
        },
    )


@router.get("/boards/add")
def add(request: Request) -> Response:
    """Put an answer on a board: which one, and how it is shown."""
    view = View.of(request, ADD)
    ask = view.state.get("ask")
    fault, preview = "", None
    if ask:
        preview = _shown(view, 0, _tentative(view))
        fault = preview.fault
    boards = [one for one in _boards(request).all() if one.board is not None and not one.board.page]
    context = {"ask": ask, "boards": boards, "preview": preview, "fault": fault, "charts": _charts_of(view, ask)}
    return view.render("board_add.html", {**context, "may_write": view.who.may("analyst")})


@router.post("/boards/add")
def added(
    request: Request,
    who: Writer,
    ask: Text,
    show: Text = "table",
    chart: Text = "",
    title: Text = "",
    board: Text = "",
    name: Text = "",
    wide: Text = "",
) -> Response:
    """Write the card into its board, a new one where that is wished."""
    boards = _boards(request)
    card = _card({"title": title.strip(), "ask": ask, "show": show, "chart": chart, "wide": bool(wide)})
    if board:
        kept = boards.get(board)
        _write(request, kept, _board(kept, cards=[*_cards(kept), card]))
        return _to(board)
    made = boards.free_name(name)
    boards.save(made, _checked({"title": name.strip() or "Board", "cards": [_said(card)]}))
    _noted(request, made)
    return _to(made)


@router.get("/boards/save")
def save(request: Request) -> Response:
    """Save a view under a name."""
    view = View.of(request, SAVE)
    page_name, query = _page_of(view.state.get("page"))
    return view.render("board_save.html", {"page": page_name, "query": query, "may_write": view.who.may("analyst")})


@router.post("/boards/save")
def saved(request: Request, who: Writer, page: Text, title: Text, query: Text = "", note: Text = "") -> Response:
    """Write the view as a file."""
    boards = _boards(request)
    name = boards.free_name(title)
    boards.save(name, _checked({"title": title.strip(), "page": page, "query": query, "note": note.strip()}))
    _noted(request, name)
    return RedirectResponse("/boards", status_code=303)


@router.get("/boards/{name}")
def board(request: Request, name: str) -> Response:
    """One board with its cards; a saved view leads to its page."""
    kept = _boards(request).get(name)
    if kept.board is not None and kept.board.page:
        return RedirectResponse(kept.board.link, status_code=303)
    view = View.of(request)
    cards = [_shown(view, at, card) for at, card in enumerate(_cards(kept))]
    return view.render("board.html", {"kept": kept, "cards": cards, "may_write": view.who.may("analyst")})


@router.get("/boards/{name}/edit")
def edit(request: Request, name: str) -> Response:
    """Title, order and cards of a board, or its file as text."""
    view = View.of(request)
    kept = _boards(request).get(name)
    text = "" if kept.board is None else written(kept.board)
    return view.render(
        "board_edit.html",
        {"kept": kept, "text": text, "charts": sorted(_all_charts()), "may_write": view.who.may("analyst")},
    )


@router.post("/boards/{name}/edit")
def edited(request: Request, name: str, who: Writer, version: Text, text: Text) -> Response:
    """Take the text of the file as it was edited; every fault is said at once."""
    kept = _boards(request).get(name)
    _write(request, replace(kept, version=version), read(text.encode(), f"{name}.toml"))
    return _to(name)


@router.post("/boards/{name}/card")
def card(
    request: Request, name: str, who: Writer, version: Text, at: Annotated[int, Form()], do: Text, title: Text = ""
) -> Response:
    """Move a card up or down, widen it, rename it, take it away."""
    kept = _boards(request).get(name)
    cards = _cards(kept)
    if not 0 <= at < len(cards):
        raise UsageError(f"The board {name!r} has no card {at + 1}.")
    if do in ("up", "down"):
        cards = moved(cards, at, -1 if do == "up" else 1)
    elif do == "remove":
        cards.pop(at)
    elif do == "widen":
        cards[at] = cards[at].model_copy(update={"wide": not cards[at].wide})
    elif do == "rename":
        cards[at] = _card({**_said(cards[at]), "title": title.strip()})
    else:
        raise UsageError(f"A card cannot be {do!r}; it can go up, down, wide, get a name, or be removed.")
    _write(request, replace(kept, version=version), _board(kept, cards=cards))
    return RedirectResponse(f"/boards/{name}/edit", status_code=303)


@router.post("/boards/{name}/delete")
def delete(request: Request, name: str, who: Writer, version: Text) -> Response:
    """Remove a board."""
    _boards(request).delete(name, version=version)
    request.app.state.site.activity.note(request, "board deleted", name=name)
    return RedirectResponse("/boards", status_code=303)


@router.get("/boards/{name}/file")
def file(request: Request, name: str) -> Response:
    """The file of a board, as it lies in the workspace."""
    kept = _boards(request).get(name)
    text = (_boards(request).folder / f"{kept.name}.toml").read_bytes()
    head = {"content-disposition": f'attachment; filename="{kept.name}.toml"'}
    return Response(text, media_type="text/plain; charset=utf-8", headers=head)


def _boards(request: Request) -> Boards:
    return Boards(request.app.state.site.workspace.folder)


def _shown(view: View, at: int, card: Card) -> Shown:
    """A card with its answer; what cannot be answered says why, and the others stand."""
    try:
        address = parse(card.ask)
        result = view.ask(address.table)
        title = card.title or result.title
        note = present.setting_text({key: value for key, value in result.filters.items() if key != "funnel"})
        base = Shown(at, card, title, address=str(address), note=note, grade=result.trust.grade)
        if card.show == "number":
            return replace(base, value=_number(result, address.column, result.row_of(address.cell)))
        if card.show == "chart":
            block = view.chart(result, card.chart or None, title=title)
            return (
                replace(base, chart=block)
                if block
                else replace(base, table=view.table(result, caption=title, limit=ROWS))
            )
        return replace(base, table=view.table(result, caption=title, limit=ROWS, all_href=view.links(address).records))
    except LeadlineError as fault:
        return Shown(at, card, card.title or card.ask, fault=str(fault))


def _number(result: Result, column: str, row: int) -> str:
    """A number as the tables write it."""
    only = replace(result, table=result.table.slice(row, 1))
    grid = present.grid(only, wide=True)
    place = [heading.name for heading in grid.headings].index(column)
    own = next(one for one in result.columns if one.name == column)
    text = grid.rows[0][place]
    return f"{text} {result.currency}" if own.type == "money" else text


def _tentative(view: View) -> Card:
    given = {
        "ask": view.state.get("ask"),
        "show": view.state["show"],
        "chart": view.state.get("chart"),
        "title": view.state.get("title"),
    }
    try:
        return _card(given)
    except UsageError as fault:
        view.notices.append(str(fault))
        return Card(title=str(given["title"]), ask="volume")


def _charts_of(view: View, ask: str) -> tuple[str, ...]:
    """Charts an answer can be shown as."""
    try:
        return charts.names_of(view.ask(parse(ask).table)) if ask else ()
    except LeadlineError:
        return ()


def _all_charts() -> set[str]:
    return {name for names in charts.NAMES.values() for name in names}


def _page_of(link: str) -> tuple[str, str]:
    """Page and state of a link of our own; the overview for anything else."""
    parts = urllib.parse.urlsplit(link)
    name = parts.path.strip("/") or "overview"
    return (name, parts.query) if name in PAGES and not parts.netloc and not parts.scheme else ("overview", "")


def _cards(kept: Kept) -> list[Card]:
    return [] if kept.board is None else list(kept.board.cards)


def _said(card: Card) -> dict[str, Any]:
    return card.model_dump(exclude_defaults=True)


def _card(given: dict[str, Any]) -> Card:
    return _checked(
        {"title": "a card", "cards": [{name: value for name, value in given.items() if value not in ("", False)}]}
    ).cards[0]


def _checked(given: dict[str, Any]) -> Board:
    """A board of what a form says, checked as its file is."""
    given = {name: value for name, value in given.items() if value not in ("", [])}
    cards = [Card.model_construct(**card) for card in given.get("cards", [])]
    drafted = Board.model_construct(**{**given, "cards": cards})
    return read(written(drafted).encode(), "the board")


def _board(kept: Kept, *, cards: list[Card]) -> Board:
    if kept.board is None:
        raise UsageError(f"The file of the board {kept.name!r} has faults; mend it first.")
    told = kept.board.model_dump(exclude_defaults=True) | {"cards": [_said(card) for card in cards]}
    return _checked(told)


def _write(request: Request, kept: Kept, board: Board) -> None:
    _boards(request).save(kept.name, board, version=kept.version)
    _noted(request, kept.name)


def _noted(request: Request, name: str) -> None:
    request.app.state.site.activity.note(request, "board saved", name=name)


def _to(name: str) -> Response:
    return RedirectResponse(f"/boards/{name}", status_code=303)
