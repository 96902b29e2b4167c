"""Stage flow: where units went next after each visit of a stage, back and out included.

Bands as in a Sankey diagram, drawn as areas through computed points. See docs/charts/flow.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
from numpy.typing import NDArray

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.errors import UsageError
from leadline.render.present import percent
from leadline.results import Result

WIDTH, HEIGHT = 860, 380
NODE = 0.06
"""Width of a stage; stages are 1 apart."""
STUB = 0.34
"""Length of a band that leads out of the funnel, or stays."""
POINTS = 25
"""Points of a curve."""
GAP = 0.04
"""Space between what goes on and what leaves, as a share of the highest stage."""
SAG = 0.16
"""How far a band that leads back hangs below the stages, as a share of the highest stage."""
THIN = 0.06
"""Bands thinner than this have their label beside them."""
BELOW = 0.035
MOVES = ("forward", "back", "exit", "standing")

Heights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Flow:
    """Visits of one stage that were followed by something.

    Attributes:
        start: place of the stage among those drawn.
        end: place of the next stage; None out of the funnel, or still there.
        name: what it leads to.
    """

    start: int
    end: int | None
    direction: str
    name: str
    moves: int


def chart(result: Result, theme: Theme = "light") -> Any:
    """Stages as upright bars, moves as bands between them as wide as they are frequent.

    Periods and dimensions of the matrix are added up.

    Raises:
        UsageError: nothing to draw: no visit, or a unit without flows.
    """
    tokens = THEMES[theme]
    stages, flows = _flows(result)
    bands, labels, nodes = _layout(stages, flows)
    scale = alt.Scale(domain=[-0.1, len(stages) - 1 + NODE + STUB + 0.15], nice=False)
    x = alt.X("x", type="quantitative", scale=scale, axis=None)
    layers = [
        _bands(bands, direction, x, tokens) for direction in MOVES if any(b["direction"] == direction for b in bands)
    ]
    layers += [*_nodes(nodes, x, tokens), *_labels(labels, x, tokens)]
    drawn = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    aside = ["bands: visits by what came next · dashed below: back to an earlier stage · down: left, or still there"]
    return parts.finished(drawn, result, theme, summary(result), aside)


def summary(result: Result) -> str:
    """One sentence: the most frequent way out of the first stage, and how often units went back."""
    stages, flows = _flows(result)
    first = [flow for flow in flows if flow.start == 0]
    most = max(first, key=lambda flow: flow.moves)
    back = sum(flow.moves for flow in flows if flow.direction == "back")
    total = sum(flow.moves for flow in first)
    told = f"After {percent(most.moves / total)} of visits of {stages[0]} came: {most.name}"
    return f"{told}. Units went back {back:,} times." if back else f"{told}. Nobody went back."


def _flows(result: Result) -> tuple[list[str], list[Flow]]:
    rows = [row for row in parts.rows_of(result) if row["moves"]]
    if not rows:
        raise UsageError(f"{result.title}: there are no moves between stages to draw; ask with --unit journeys.")
    # A stage units came from or went to, in funnel order: rows keep it, and what is later never comes first.
    names = [row["from_stage"] for row in parts.rows_of(result)]
    names += [row["to_stage"] for row in rows if row["direction"] in ("forward", "back")]
    stages = list(dict.fromkeys(names))
    sums: dict[tuple[str, str, str], int] = {}
    for row in rows:
        key = (row["from_stage"], row["to_stage"], row["direction"])
        sums[key] = sums.get(key, 0) + row["moves"]
    flows = [
        Flow(stages.index(start), stages.index(end) if way in ("forward", "back") else None, way, end, moves)
        for (start, end, way), moves in sums.items()
    ]
    return stages, sorted(
        flows, key=lambda flow: (flow.start, MOVES.index(flow.direction), -(flow.end or 0), flow.name)
    )


def _layout(
    stages: list[str], flows: list[Flow]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Bands as points of their edges, their labels, and the stages."""
    out = [sum(flow.moves for flow in flows if flow.start == at) for at in range(len(stages))]
    into = [sum(flow.moves for flow in flows if flow.end == at) for at in range(len(stages))]
    height = [max(pair) for pair in zip(out, into, strict=True)]
    unit = max(height)
    # Every stage stands on its top edge, so that what goes on runs straight and what leaves bends down.
    left, right = [float(unit)] * len(stages), [float(unit)] * len(stages)
    bands: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    ways = [flow for flow in flows if flow.direction == "forward"]
    for number, flow in enumerate(sorted(flows, key=lambda one: (one.direction != "forward", one.start))):
        top = right[flow.start]
        right[flow.start] -= flow.moves
        begin = flow.start + NODE
        if flow.end is not None and flow in ways:
            goal = left[flow.end]
            left[flow.end] -= flow.moves
            x = np.linspace(begin, flow.end, POINTS)
            upper = _eased(top, goal)
        elif flow.end is not None:
            x = np.linspace(begin, flow.end, POINTS)
            ends = _eased(unit - height[flow.start], unit - height[flow.end])
            upper = ends - SAG * unit * np.sin(np.linspace(0, np.pi, POINTS))
        else:
            x = np.linspace(begin, begin + STUB, POINTS)
            upper = _eased(top, top - GAP * unit * (1 + (flow.direction == "standing")))
        for at in range(POINTS):
            bands.append(
                {
                    "band": number,
                    "direction": flow.direction,
                    "x": float(x[at]),
                    "y": float(upper[at]),
                    "y2": float(upper[at] - flow.moves),
                }
            )
        labels.append(_label(flow, x, upper, unit, sum(1 for one in labels if one["above"] == flow.start)))
    nodes = [
        {
            "x": float(at),
            "x2": at + NODE,
            "y": float(unit),
            "y2": float(unit - height[at]),
            "name": name,
            "count": f"{out[at] or into[at]:,}",
        }
        for at, name in enumerate(stages)
    ]
    return bands, labels, nodes


def _label(flow: Flow, x: Heights, upper: Heights, unit: float, above: int) -> dict[str, Any]:
    """Where a band says how many it holds: in it if it is wide enough, else beside it.

    Args:
        above: how many labels of the same stage stand above the bands already.
    """
    wide = flow.moves >= THIN * unit
    if flow.end is None:
        place, text = POINTS - 1, f"{flow.name} {flow.moves:,}"
    elif flow.direction == "back":
        place, text = POINTS // 2, f"back to {flow.name} {flow.moves:,}"
    else:
        # Halfway to the next stage: further on it would stand on a stage that is passed by.
        place, text = (
            POINTS // (2 * (flow.end - flow.start)),
            f"{flow.moves:,}" if wide else f"to {flow.name} {flow.moves:,}",
        )
    at, y = float(x[place]), float(upper[place] - flow.moves / 2)
    if flow.direction == "back":
        y = float(upper[place] - flow.moves - BELOW * unit)
    is_above = flow.direction == "forward" and not wide
    if is_above:
        at, y = flow.start + 0.36 + 0.3 * above, unit * (1 + BELOW)
    return {"x": at, "y": y, "direction": flow.direction, "text": text, "above": flow.start if is_above else None}


def _eased(start: float, end: float) -> Heights:
    """A smooth step from one height to another."""
    t = np.linspace(0, 1, POINTS)
    eased: Heights = start + (end - start) * t * t * (3 - 2 * t)
    return eased


def _bands(bands: list[dict[str, Any]], direction: str, x: alt.X, tokens: Tokens) -> alt.Chart:
    fill, stroke = {
        "forward": (tokens.main_soft, tokens.main),
        "back": (tokens.ground, tokens.warn),
        "exit": (tokens.rest_soft, tokens.rest),
        "standing": (tokens.ground, tokens.rest),
    }[direction]
    own = [band for band in bands if band["direction"] == direction]
    dash = {"strokeDash": [4, 3]} if direction == "back" else {}
    marks = alt.Chart(parts.data(own)).mark_area(
        fill=fill, fillOpacity=0.75, line={"color": stroke, "strokeWidth": 1, **dash}, interpolate="monotone"
    )
    return marks.encode(
        x=x,
        y=alt.Y("y", type="quantitative", axis=None, stack=None),
        y2="y2",
        detail=alt.Detail("band", type="nominal"),
    )


def _nodes(nodes: list[dict[str, Any]], x: alt.X, tokens: Tokens) -> list[alt.Chart]:
    base = alt.Chart(parts.data(nodes)).encode(x=x)
    y = alt.Y("y", type="quantitative", axis=None)
    return [
        base.mark_rect(fill=tokens.main).encode(
            x2="x2", y=y, y2="y2", tooltip=parts.tips(name="stage", count="visits")
        ),
        base.mark_text(align="left", baseline="bottom", dy=-18, fontWeight="bold", color=tokens.text).encode(
            y=y, text=alt.Text("name", type="nominal")
        ),
        base.mark_text(align="left", baseline="bottom", dy=-4, color=tokens.muted).encode(
            y=y, text=alt.Text("count", type="nominal")
        ),
    ]


def _labels(labels: list[dict[str, Any]], x: alt.X, tokens: Tokens) -> list[alt.Chart]:
    inside = [label for label in labels if label["direction"] in ("forward", "back")]
    beside = [label for label in labels if label["direction"] not in ("forward", "back")]
    y = alt.Y("y", type="quantitative", axis=None)
    text = alt.Text("text", type="nominal")
    drawn = []
    if inside:
        base = alt.Chart(parts.data(inside)).encode(x=x, y=y, text=text)
        drawn.append(base.mark_text(align="center", fontSize=11, color=tokens.text))
    if beside:
        base = alt.Chart(parts.data(beside)).encode(x=x, y=y, text=text)
        drawn.append(base.mark_text(align="left", dx=4, fontSize=11, color=tokens.text))
    return drawn
