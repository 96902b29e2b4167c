"""Funnel: how many came how far, which share went on, how it changes, and what became of every response."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from leadline.address import Address
from leadline.metrics.rates.conventions import CONVENTIONS
from leadline.web.blocks import Card, Field, card, options
from leadline.web.state import Choice
from leadline.web.view import View, dimensions

router = APIRouter()

VIEWS = ("cohort", "entered", "standing")
GRAINS = ("", "week", "month", "quarter", "year")


@router.get("/funnel")
def page(request: Request) -> Response:
    """The page."""
    pin = request.app.state.site.answers.pin()
    split = ("", *dimensions(pin))
    steps = ("", *pin.stages()[:-1])
    view = View.of(
        request,
        [
            Choice("view", VIEWS),
            Choice("convention", tuple(CONVENTIONS)),
            Choice("grain", GRAINS),
            Choice("by", split),
            Choice("then", split),
            Choice("from_stage", steps),
            Choice("show", ("all", "volume", "conversion")),
        ],
    )
    return view.render("funnel.html", _context(view, split))


def _context(view: View, split: tuple[str, ...]) -> dict[str, object]:
    state = view.state
    by = ",".join(dict.fromkeys(name for name in (state.get("by"), state.get("then")) if name)) or None
    grain = state.get("grain") or None
    volume = state.address("volume", view=state["view"], by=by, grain=grain)
    plain = state.address("volume", view=state["view"])
    conversion = state.address("conversion", convention=_unless(state["convention"], "cohort"), by=by, grain=grain)
    step = state.get("from_stage") or next(iter(view.pin.stages()), "")
    triangle = state.address("conversion_triangle", from_stage=step, to_stage=_next(view, step))
    trend = state.address("volume", view=state["view"], grain=grain or "month")
    fates = state.address("fates", unit=None)
    matrix = state.address("conversion_matrix")
    view.ahead(plain, trend, conversion, volume, triangle, fates, matrix)
    return {
        "fields": _fields(view, split),
        "funnel": _chart(view, "funnel", plain, "Funnel"),
        "trend": _chart(view, "trend", trend, "Over time"),
        "volume": card(view, "volume", "Volume", volume, limit=60, notes=False) if by or grain else None,
        "conversion": card(view, "conversion", "Conversion", conversion, chart="", limit=60),
        "triangle": card(
            view, "triangle", f"Cohorts: {step} to {_next(view, step)}", triangle, chart="", limit=12, notes=False
        ),
        "matrix": card(view, "matrix", "From every stage to every other", matrix, chart="", limit=40, notes=False),
        "fates": card(view, "fates", "What became of every response", fates, chart="", notes=False),
        "step": step,
        "steps": options(view.pin.stages()[:-1]),
    }


def _chart(view: View, name: str, address: Address, title: str) -> Card:
    return card(view, name, title, address, chart=name, notes=False)


def _fields(view: View, split: tuple[str, ...]) -> list[Field]:
    state = view.state
    names = tuple(("", "–") if not name else (name, name.replace("_", " ")) for name in split)
    return [
        Field(
            "view",
            "Counted",
            state["view"],
            options(VIEWS, ("reached, by start", "entered in the period", "standing at as-of")),
        ),
        Field("convention", "Rate", state["convention"], options(tuple(CONVENTIONS))),
        Field(
            "grain",
            "Time",
            state.get("grain"),
            options(GRAINS, ("whole period", "by week", "by month", "by quarter", "by year")),
        ),
        Field("by", "Split by", state.get("by"), names),
        Field("then", "and by", state.get("then"), names),
    ]


def _next(view: View, stage: str) -> str:
    stages = view.pin.stages()
    return stages[stages.index(stage) + 1] if stage in stages[:-1] else ""


def _unless(value: str, usual: str) -> str | None:
    return None if value == usual else value
