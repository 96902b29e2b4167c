"""Overview: are we on plan, and can we believe it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from leadline.errors import OverLimitError, PendingError, SnapshotError, UsageError
from leadline.render.present import percent
from leadline.snapshots.frozen import previous_of
from leadline.web.blocks import Field, card, options
from leadline.web.cells import addresses
from leadline.web.charts import spark
from leadline.web.periods import LAST_TWELVE, last_twelve
from leadline.web.state import Choice
from leadline.web.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadline.address import Address
    from leadline.results import Result
    from leadline.web.desk import Desk

router = APIRouter()

COMPARE = ("previous", "last-year")
FINDINGS = 6
CAMPAIGNS = 8


@dataclass(frozen=True, slots=True)
class Kpi:
    """A headline number.

    Attributes:
        value, delta, pace: text; empty where there is none.
        direction: good, bad or same.
        before, period: the count it is compared with, and the first day of that period and the day after its last.
        spark, spark_told: points of its line, and the line in words.
    """

    label: str
    value: str
    address: str
    grade: str | None
    delta: str = ""
    direction: str = "same"
    before: int | None = None
    period: tuple[str, str] = ("", "")
    spark: str = ""
    spark_told: str = ""
    pace: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """A number in this snapshot and in the one before."""

    label: str
    before: str
    now: str
    change: str
    address: str


@router.get("/")
def page(request: Request) -> Response:
    """The page."""
    view = View.of(request, [Choice("compare", COMPARE)])
    view.usual_period = LAST_TWELVE
    return view.render("overview.html", _context(view))


def questions(view: View) -> dict[str, Address]:
    """Every question of the page by name."""
    state = view.state
    start, end = _period(view)
    period = {"from_": start, "to": end}
    all_time = {"from_": None, "to": None}
    compare = None if state["compare"] == "previous" else state["compare"]
    return {
        "compared": state.address("comparison", compare=compare, **period),
        "monthly": state.address("volume", grain="month", **period),
        "funnel": state.address("volume", view="cohort", **period),
        "conversion": state.address("conversion", **period),
        "bottleneck": state.address("velocity", show="bottleneck", **all_time),
        "credit": state.address("influence", model="even", unit=None, **period),
        "problems": state.address("problems"),
        "trend": state.address("roi_trend", unit=None, **all_time),
        "goals": state.address("goals"),
    }


def _context(view: View) -> dict[str, Any]:
    asked = questions(view)
    view.ahead(*asked.values())
    goals = card(view, "goals", "Plan", asked["goals"], notes=False)
    credit = card(view, "campaigns", "Campaigns with the most won", asked["credit"], notes=False)
    trend = card(view, "falling", "Campaigns whose return falls", asked["trend"], notes=False)
    return {
        "fields": [
            Field(
                "compare", "Against", view.state["compare"], options(COMPARE, ("the period before", "the year before"))
            )
        ],
        "kpis": _headlines(view, asked, goals.result),
        "period": _period(view),
        "funnel": card(view, "funnel", "Funnel", asked["funnel"], chart="funnel", notes=False),
        "conversion": card(view, "conversion", "Conversion", asked["conversion"], chart="", notes=False),
        "bottleneck": _bottleneck(view, asked["bottleneck"]),
        "bottlenecks": card(view, "bottleneck", "Bottleneck", asked["bottleneck"], notes=False),
        "problems": card(view, "problems", "Problem areas", asked["problems"], columns=_PROBLEM, limit=6, notes=False),
        "campaigns": credit
        if credit.pending
        else card(
            view,
            "campaigns",
            "Campaigns with the most won",
            asked["credit"],
            columns=_CREDIT,
            chosen=_best(credit.result),
            limit=CAMPAIGNS,
            notes=False,
        ),
        "falling": trend
        if trend.pending
        else card(
            view,
            "falling",
            "Campaigns whose return falls",
            asked["trend"],
            chosen=_falling(trend.result),
            limit=CAMPAIGNS,
            notes=False,
        ),
        "goals": goals,
        "found": _found(view),
        "moves": _moves(view),
    }


_PROBLEM = (
    "dimension",
    "value",
    "from_stage",
    "to_stage",
    "started",
    "rate",
    "rest_rate",
    "wins_lost",
    "amount_at_stake",
)
_CREDIT = ("campaign", "responses", "won_amount", "open_amount", "share")


def _period(view: View) -> tuple[str, str]:
    """The period of the page: the one of the address, or the last twelve months."""
    pair = (view.state.get("from"), view.state.get("to"))
    return pair if any(pair) else last_twelve(view.today).pair


def _headlines(view: View, asked: Mapping[str, Address], goals: Result | None) -> list[Kpi] | None:
    """The headlines; None while they are being worked out."""
    try:
        return _kpis(view, asked, goals)
    except PendingError:
        return None


def _kpis(view: View, asked: Mapping[str, Address], goals: Result | None) -> list[Kpi]:
    """One headline per stage."""
    try:
        compared = view.ask(asked["compared"])
    except PendingError:
        raise
    except (UsageError, OverLimitError):
        # A period open at one end has no other to compare with: the counts stand alone.
        return _plain_kpis(view, asked, goals)
    lines = _lines(view, asked)
    told = addresses(compared)
    made = []
    for at, row in enumerate(compared.table.to_pylist()):
        line = lines.get(row["stage"], ())
        made.append(
            Kpi(
                label=row["stage"],
                value=f"{row['count']:,}",
                address=told(at, "count"),
                grade=compared.trust.grade,
                delta="" if row["change_share"] is None else f"{row['change_share']:+.1%}".replace("%", " %"),
                direction=_direction(row),
                before=row["before"],
                period=_pair(row["before_period"]),
                spark=spark(line),
                spark_told=_line_told(row["stage"], line),
                pace=_pace(goals, row["stage"]),
            )
        )
    return made


def _plain_kpis(view: View, asked: Mapping[str, Address], goals: Result | None) -> list[Kpi]:
    address = view.state.address("volume", from_=_period(view)[0], to=_period(view)[1])
    try:
        result = view.ask(address)
    except PendingError:
        raise
    except (UsageError, OverLimitError) as fault:
        view.notices.append(str(fault))
        return []
    told, lines = addresses(result), _lines(view, asked)
    return [
        Kpi(
            label=row["stage"],
            value=f"{row['count']:,}",
            address=told(at, "count"),
            grade=result.trust.grade,
            spark=spark(lines.get(row["stage"], ())),
            spark_told=_line_told(row["stage"], lines.get(row["stage"], ())),
            pace=_pace(goals, row["stage"]),
        )
        for at, row in enumerate(result.table.to_pylist())
    ]


def _lines(view: View, asked: Mapping[str, Address]) -> dict[str, tuple[float, ...]]:
    """Stage → counts by month."""
    try:
        monthly = view.ask(asked["monthly"])
    except PendingError:
        raise
    except (UsageError, OverLimitError):
        return {}
    found: dict[str, list[float]] = {}
    for row in monthly.table.select(["period", "stage", "count"]).to_pylist():
        if row["period"] is not None:
            found.setdefault(row["stage"], []).append(float(row["count"]))
    return {stage: tuple(counts) for stage, counts in found.items()}


def _line_told(stage: str, line: tuple[float, ...]) -> str:
    return f"{stage} by month: from {line[0]:,.0f} to {line[-1]:,.0f}, at most {max(line):,.0f}" if line else ""


def _direction(row: Mapping[str, Any]) -> str:
    low, high = row["change_low"], row["change_high"]
    if row["change_share"] is None or low is None or (high is not None and low <= 0 <= high):
        return "same"
    return "good" if row["change_share"] > 0 else "bad"


def _pair(period: str) -> tuple[str, str]:
    """`2024-07-01:2025-07-01` as its first day and the day after its last."""
    first, _, end = period.partition(":")
    return first, end


def _pace(goals: Result | None, stage: str) -> str:
    """How much of the running goal has come, and how much of it was to come by now."""
    if goals is None:
        return ""
    for row in goals.table.to_pylist():
        if row["metric"] == stage and row["segment"] is None and row["state"] == "running" and row["goal"]:
            expected = percent(row["expected_to_date"] / row["goal"])
            return f"{percent(row['attainment'])} of the goal of {row['period']}, {expected} expected by today"
    return ""


def _bottleneck(view: View, address: Address) -> dict[str, Any] | None:
    """The stage with most of the waiting, in a sentence."""
    try:
        rows = view.ask(address).table.to_pylist()
    except (UsageError, OverLimitError):
        return None
    if not rows:
        return None
    top = rows[0]
    before = top["waiting_share_before"]
    return {
        "stage": top["stage"],
        "share": percent(top["waiting_share"]),
        "before": "" if before is None else percent(before),
        "standing": top["standing"],
        "stuck": top["stuck"],
        "driver": None if top["driver"] is None else f"{top['driver'].replace('_', ' ')}: {top['driver_value']}",
        "driver_share": percent(top["driver_share"]),
        "href": view.state.elsewhere("/velocity"),
    }


def _best(result: Result | None) -> list[int]:
    if result is None:
        return []
    rows = result.table.select(["bucket", "won_amount"]).to_pylist()
    named = [at for at, row in enumerate(rows) if row["bucket"] == "campaign" and row["won_amount"] > 0]
    return sorted(named, key=lambda at: (-rows[at]["won_amount"], at))


def _falling(result: Result | None) -> list[int]:
    if result is None:
        return []
    return [at for at, trend in enumerate(result.table.column("trend").to_pylist()) if trend == "diminishing"]


def _found(view: View) -> list[dict[str, Any]] | None:
    """The findings nobody has accepted, the worst first; None where the reader may not see all records."""
    if view.who.records:
        return None
    table = view.at_desk("findings", lambda desk: desk.audit.table(effects=False), aside=True).table
    rows = table.select(["code", "severity", "object", "rows", "message", "accepted"]).to_pylist()
    return [row for row in rows if not row["accepted"]][:FINDINGS]


def _moves(view: View) -> list[Move] | str | None:
    """How far every stage is from where it was in the snapshot before; None if there is none before, "pending" as yet."""
    earlier = view.at_desk("previous", _previous, aside=True)
    if earlier is None:
        return None
    now = view.state.address("volume", view="cohort")
    try:
        before = view.ask(view.state.address("volume", view="cohort", snapshot=earlier))
        here = view.ask(now)
    except PendingError:
        return "pending"
    except (UsageError, OverLimitError, SnapshotError):
        return None
    then = {row["stage"]: row["count"] for row in before.table.to_pylist()}
    told = addresses(here)
    return [
        Move(
            row["stage"],
            f"{then[row['stage']]:,}",
            f"{row['count']:,}",
            f"{row['count'] - then[row['stage']]:+,}",
            told(at, "count"),
        )
        for at, row in enumerate(here.table.to_pylist())
        if row["stage"] in then
    ]


def _previous(desk: Desk) -> str | None:
    found = previous_of(desk.snapshots, desk.snapshots.get(desk.pin.key))
    return None if found is None else found.id
