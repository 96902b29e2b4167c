"""Influence: campaigns and models side by side, what adds up, what moved, cost and return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from fastapi import APIRouter, Request, Response

from leadline.errors import OverLimitError, PendingError, UsageError
from leadline.metrics.influence import DATES, WINDOWS
from leadline.render import present, totals
from leadline.web.blocks import Card, Field, card, options
from leadline.web.cells import addresses
from leadline.web.state import Choice
from leadline.web.view import View, dimensions

if TYPE_CHECKING:
    from leadline.address import Address
    from leadline.model.opened import Opened
    from leadline.results import Result
    from leadline.web.charts import Block
    from leadline.web.desk import Desk

router = APIRouter()

SCOPES = ("role", "primary role", "account")
USUAL = ("even", "first")
SHOWN = 25
DEALS = 12
"""Opportunities shown of which models differ most."""
DEEPEST = 60
"""Campaigns of the hierarchy shown."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A campaign under one model: won amount as text, its address, its place, and how many places it is above the first model's."""

    text: str
    address: str
    place: int
    moved: int


@dataclass(frozen=True, slots=True)
class Row:
    """A campaign under every model chosen; None where a model gives it nothing."""

    name: str
    href: str
    standings: tuple[Standing | None, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the reconciliation of one model: label, amount as text, and its share of the whole in tenths of a percent."""

    label: str
    text: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Branch:
    """A campaign of the hierarchy with all below it: amounts as text, each with its address; `depth` 0 is the top."""

    name: str
    depth: int
    cost: str
    won: str
    roi: str
    cost_address: str
    won_address: str
    roi_address: str


@dataclass(frozen=True, slots=True)
class Moved:
    """An opportunity, its name, and how much of its amount two models give to different campaigns."""

    record: str
    name: str
    amount: str


_RETURN = ("campaign", "cost", "won_amount", "roi", "responses", "cost_per_response", "wins", "cost_per_win", "payback")


@router.get("/influence")
def page(request: Request) -> Response:
    """The page."""
    pin = request.app.state.site.answers.pin()
    split = ("", *dimensions(pin))
    models = tuple(View.of(request).at_desk("model names", lambda desk: tuple(desk.metrics.known_models()), aside=True))
    view = View.of(
        request,
        [
            Choice("model", models, "choices", ",".join(USUAL)),
            Choice("scope", ("", *SCOPES)),
            Choice("window", WINDOWS),
            Choice("date", DATES),
            Choice("by", split),
            Choice("hierarchy", ("own", "total")),
            Choice("first", ("", *models)),
            Choice("second", ("", *models)),
        ],
    )
    return view.render("influence.html", _context(view, split, models))


def _context(view: View, split: tuple[str, ...], models: tuple[str, ...]) -> dict[str, object]:
    state = view.state
    given = [name for name in (state.get("first"), state.get("second")) if name] or state.several("model")
    chosen = list(dict.fromkeys(given))
    own = {
        "scope": state.get("scope") or None,
        "window": None if state["window"] == "influenced" else state["window"],
        "date": None if state["date"] == "created" else state["date"],
        "unit": None,
    }
    by = state.get("by") or None
    credit = state.address("influence", model=",".join(chosen), by=by, **own)
    first = state.address("influence", model=chosen[0], by=by, **own)
    money = {"model": chosen[0], "scope": own["scope"], "date": own["date"], "unit": None}
    roi = state.address("roi", hierarchy=None if state["hierarchy"] == "own" else "total", **money)
    trend = state.address("roi_trend", model=chosen[0], scope=own["scope"], unit=None, from_=None, to=None)
    tree = state.address("roi", hierarchy="total", **money)
    view.ahead(credit, first, roi, trend)
    made = card(view, "credit", "Credit", credit, limit=SHOWN)
    return {
        "fields": _fields(view, split, models, chosen),
        "chosen": chosen,
        "credit": made,
        "rows": _side_by_side(view, made.result, chosen) if made.result is not None and by is None else (),
        "parts": _reconciliation(made.result) if made.result is not None else (),
        "sums": totals.reconciliation(made.result, by_period=False) if made.result is not None else (),
        "ranked": card(view, "ranked", f"Won, open and lost by {chosen[0]}", first, chart="influence", notes=False),
        "slope": _chart(view, made.result, "slope", "Places by model") if len(chosen) > 1 else None,
        "scatter": _chart(view, made.result, "scatter", "One model against the other") if len(chosen) > 1 else None,
        "roi": card(view, "roi", "Cost and return", roi, chart="", columns=_RETURN, notes=False),
        "trend": _falling(view, trend),
        "tree": _tree(view, tree),
        "moved": _moved(view, credit, chosen) if len(chosen) == 2 and made.result is not None else (),
        "hierarchies": options(("own", "total"), ("campaign alone", "with all below it")),
    }


def _chart(view: View, result: Result | None, name: str, title: str) -> Block | None:
    if result is None:
        return None
    try:
        return view.chart(result, name, title=title)
    except UsageError:
        # A chart of two models has nothing to say of another number of them.
        return None


def _side_by_side(view: View, result: Result, models: Sequence[str]) -> tuple[Row, ...]:
    """Campaigns by the won amount under the first model, with their place under every other."""
    told = addresses(result)
    found: dict[str, dict[str, tuple[int, int]]] = {}
    names: dict[str, str] = {}
    for at, row in enumerate(
        result.table.select(["bucket", "campaign_id", "campaign", "model", "won_amount"]).to_pylist()
    ):
        if row["bucket"] == "campaign" and row["campaign_id"]:
            names[row["campaign_id"]] = row["campaign"] or row["campaign_id"]
            found.setdefault(row["model"], {})[row["campaign_id"]] = (row["won_amount"], at)
    places = {model: _places(found.get(model, {})) for model in models}
    base = places[models[0]]
    order = sorted(names, key=lambda one: (base.get(one, len(names) + 1), names[one], one))
    return tuple(
        Row(
            names[one],
            view.state.filtered("campaign", names[one]),
            tuple(_standing(result, told, found.get(model, {}), places[model], base, one) for model in models),
        )
        for one in order[:SHOWN]
    )


def _places(amounts: dict[str, tuple[int, int]]) -> dict[str, int]:
    order = sorted(amounts, key=lambda one: (-amounts[one][0], one))
    return {one: place for place, one in enumerate(order, start=1)}


def _standing(
    result: Result,
    told: Callable[[int, str], str],
    amounts: dict[str, tuple[int, int]],
    places: dict[str, int],
    base: dict[str, int],
    one: str,
) -> Standing | None:
    if one not in amounts:
        return None
    amount, row = amounts[one]
    moved = base[one] - places[one] if one in base else 0
    return Standing(present.amount_text(result, amount), told(row, "won_amount"), places[one], moved)


def _reconciliation(result: Result) -> tuple[tuple[str, tuple[Part, ...]], ...]:
    """One bar per model: credited, pending, unattributed, other window, which together are the whole."""
    bars: list[tuple[str, tuple[Part, ...]]] = []
    for total in result.totals:
        whole = total.get("total_amount") or 0
        if whole <= 0:
            continue
        parts, at = [], 0.0
        for name in ("credited", "pending", "unattributed", "other_window"):
            amount = total.get(f"{name}_amount") or 0
            if amount > 0:
                width = 1000 * amount / whole
                parts.append(
                    Part(name.replace("_", " "), present.amount_text(result, amount), round(at, 2), round(width, 2))
                )
                at += width
        bars.append((str(total.get("model", "")), tuple(parts)))
    return tuple(bars)


def _falling(view: View, address: Address) -> Card:
    made = card(view, "trend", "Return falling or rising", address, notes=False)
    if made.result is None:
        return made
    trends = made.result.table.column("trend").to_pylist()
    chosen = [at for at, trend in enumerate(trends) if trend in ("diminishing", "rising")]
    return card(view, "trend", "Return falling or rising", address, notes=False, chosen=chosen)


def _tree(view: View, address: Address) -> tuple[Branch, ...] | None:
    """The hierarchy from the top down; empty where no campaign has one above it, None as yet."""
    parents = view.at_desk("campaign parents", lambda desk: _parents(desk.opened()), aside=True)
    if not any(parents.values()):
        return ()
    try:
        result = view.ask(address)
    except PendingError:
        return None
    except (UsageError, OverLimitError):
        return ()
    told = addresses(result)
    rows = {row["campaign_id"]: (at, row) for at, row in enumerate(result.table.to_pylist())}
    below: dict[str | None, list[str]] = {}
    for one in rows:
        above = parents.get(one)
        below.setdefault(above if above in rows else None, []).append(one)
    in_trees = [one for one in below.get(None, []) if one in below]
    waiting = [(one, 0) for one in reversed(in_trees)]
    made: list[Branch] = []
    while waiting and len(made) < DEEPEST:
        one, depth = waiting.pop()
        at, row = rows[one]
        cost = present.NOTHING if row["cost"] is None else present.amount_text(result, row["cost"])
        made.append(
            Branch(
                row["campaign"] or one,
                min(depth, 4),
                cost,
                present.amount_text(result, row["won_amount"]),
                present.percent(row["roi"]),
                told(at, "cost"),
                told(at, "won_amount"),
                told(at, "roi"),
            )
        )
        waiting += [(child, depth + 1) for child in reversed(below.get(one, []))]
    return tuple(made)


def _parents(opened: Opened) -> dict[str, str | None]:
    """Campaign → the one above it."""
    table = opened.arrow(opened["campaigns"].select("campaign_id", "parent_id"))
    return dict(zip(table.column("campaign_id").to_pylist(), table.column("parent_id").to_pylist(), strict=True))


def _moved(view: View, address: Address, models: Sequence[str]) -> tuple[Moved, ...] | None:
    """The opportunities of which two models give the most to different campaigns; None as yet."""
    result = view.ask(address)

    def work(desk: Desk) -> list[tuple[str, str, int]]:
        found = _shifted(desk.metrics.ask(str(address)).records().table, models[0])
        names = _deal_names(desk.opened(), [record for record, _ in found])
        return [(record, names.get(record) or "", amount) for record, amount in found]

    try:
        found = view.at_desk(f"moved {address}", work)
    except PendingError:
        return None
    return tuple(Moved(record, name, present.amount_text(result, amount)) for record, name, amount in found)


def _deal_names(opened: Opened, records: Sequence[str]) -> dict[str, str | None]:
    """Opportunity → its name."""
    deals = opened["opportunities"]
    table = opened.arrow(deals.filter(deals["opportunity_id"].isin(records)).select("opportunity_id", "opportunity"))
    return dict(zip(table.column("opportunity_id").to_pylist(), table.column("opportunity").to_pylist(), strict=True))


def _shifted(credits: pa.Table, first: str) -> list[tuple[str, int]]:
    """Opportunity → half the sum of what differs between its campaigns, the most first."""
    named = credits.filter(pc.is_valid(credits.column("campaign_id")))
    sign = pc.if_else(pc.equal(named.column("model"), first), 1, -1)
    signed = named.select(["opportunity_id", "campaign_id"]).append_column(
        "credit", pc.multiply(named.column("credit").cast(pa.int64()), sign)
    )
    apart = signed.group_by(["opportunity_id", "campaign_id"]).aggregate([("credit", "sum")])
    apart = apart.set_column(2, "credit_sum", pc.abs(apart.column("credit_sum")))
    per = apart.group_by("opportunity_id").aggregate([("credit_sum", "sum")])
    order = per.sort_by([("credit_sum_sum", "descending"), ("opportunity_id", "ascending")]).slice(0, DEALS)
    return [
        (row["opportunity_id"], row["credit_sum_sum"] // 2) for row in order.to_pylist() if row["credit_sum_sum"] > 1
    ]


def _fields(view: View, split: tuple[str, ...], models: tuple[str, ...], chosen: Sequence[str]) -> list[Field]:
    state = view.state
    names = tuple(("", "–") if not name else (name, name.replace("_", " ")) for name in split)
    second = chosen[1] if len(chosen) > 1 else ""
    return [
        Field("first", "Model", chosen[0], options(models)),
        Field("second", "beside", second, (("", "–"), *options(models))),
        Field("scope", "Whose responses", state.get("scope"), (("", "as in the settings"), *options(SCOPES))),
        Field("window", "Touches", state["window"], options(WINDOWS)),
        Field("date", "Dated by", state["date"], options(DATES)),
        Field("by", "Split by", state.get("by"), names),
    ]
