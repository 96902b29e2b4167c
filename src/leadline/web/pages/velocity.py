"""Velocity: how long units stand, where most of the waiting is, what is stuck, and what is late."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from leadline import charts
from leadline.web.blocks import Field, card, options
from leadline.web.state import Choice
from leadline.web.view import View, dimensions

if TYPE_CHECKING:
    from leadline.address import Address
    from leadline.results import Result
    from leadline.web.charts import Block

router = APIRouter()

MEASURES = ("sum", "first", "elapsed", "cycle")
MEASURE_TEXTS = ("all days in the stage", "the first visit", "to the next stage", "through the funnel")
DAYS = ("calendar", "working")
_WAITING = ("stage", "waiting_share", "waiting_share_before", "waiting_days", "standing", "stuck")
_STUCK = ("unit_id", "stage", "since", "age_days", "campaign", "owner", "opportunity_id", "amount")


@router.get("/velocity")
def page(request: Request) -> Response:
    """The page."""
    pin = request.app.state.site.answers.pin()
    split = ("", *dimensions(pin))
    view = View.of(
        request,
        [Choice("measure", MEASURES), Choice("days", DAYS), Choice("by", split), Choice("stuck_by", ("", *split[1:]))],
    )
    return view.render("velocity.html", _context(view, split))


def _context(view: View, split: tuple[str, ...]) -> dict[str, object]:
    state = view.state
    measure = None if state["measure"] == "sum" else state["measure"]
    own = {"measure": measure, "days": None if state["days"] == "calendar" else state["days"]}
    times = state.address("velocity", by=state.get("by") or None, **own)
    curves = state.address("velocity", show="distribution", **own)
    # Periods choose the stays that began in them; what stands now is asked at as-of, over all time.
    now = {"from_": None, "to": None}
    bottleneck = state.address("velocity", show="bottleneck", **now)
    stuck = state.address("velocity", stuck="true", **now)
    slow = state.address("velocity", show="slow", by=state.get("by") or None)
    detours = state.address("velocity", show="detours")
    answer = state.address("velocity", measure="first-response")
    view.ahead(times, curves, bottleneck, stuck, slow, detours, answer)
    made = card(view, "times", "Time in stage", times, chart="velocity", limit=60)
    return {
        "fields": _fields(view, split),
        "times": made,
        "waiting": _waiting(view, made.result),
        "curves": card(view, "curves", "How long it takes", curves, chart="", notes=False, limit=40),
        "bottleneck": card(
            view,
            "bottleneck",
            "Bottleneck",
            bottleneck,
            notes=False,
            columns=_WAITING,
            lead="Of the last twelve months, beside the twelve before; the chart above is of the period of the page.",
        ),
        "stuck": card(
            view,
            "stuck",
            "Stuck",
            stuck,
            chart="",
            notes=False,
            limit=25,
            columns=_STUCK,
            linked=_case(view, stuck),
            all_href=view.links(stuck).records,
        ),
        "slow": card(view, "slow", "Slower than the rest", slow, notes=False, limit=10),
        "detours": card(view, "detours", "Detours", detours, notes=False),
        "answer": card(view, "answer", "Time to first response", answer, notes=False),
    }


def _waiting(view: View, result: Result | None) -> Block | None:
    """The share of all waiting in each stage, where the measure knows it."""
    if result is None or not charts.has_waiting(result):
        return None
    return view.chart(result, "waiting", title="Where the waiting is")


def _case(view: View, address: Address) -> Callable[[str, int], str]:
    """Rows of the stuck list lead to their journey or deal."""
    held: dict[str, list[str | None]] = {}

    def told(column: str, row: int) -> str:
        if not held:
            table = view.ask(address).table
            held.update(
                {
                    name: table.column(name).to_pylist()
                    for name in ("person_id", "opportunity_id")
                    if name in table.column_names
                }
            )
        person, deal = (held.get(name, [None] * (row + 1))[row] for name in ("person_id", "opportunity_id"))
        if column in ("unit_id", "person_id") and person:
            return f"/journey/{person}"
        return f"/deal/{deal}" if column in ("unit_id", "opportunity_id") and deal else ""

    return told


def _fields(view: View, split: tuple[str, ...]) -> list[Field]:
    state = view.state
    names = tuple(("", "–") if not name else (name, name.replace("_", " ")) for name in split)
    return [
        Field("measure", "Measured", state["measure"], options(MEASURES, MEASURE_TEXTS)),
        Field("days", "Days", state["days"], options(DAYS)),
        Field("by", "Split by", state.get("by"), names),
    ]
