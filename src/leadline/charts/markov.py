"""The Markov chain of paths: states, the strongest transitions between them, and how paths begin and end.

See docs/charts/markov.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.errors import UsageError
from leadline.render import present
from leadline.results import Result

WIDTH, HEIGHT = 900, 560
STATES, ARROWS = 8, 20
"""How many states and transitions are drawn, the most frequent ones; the others are in the table."""

MIDDLE, ACROSS, DOWN = 0.49, 0.27, 0.35
"""Centre of the ring of states and its half axes, as shares of width and height."""

BEND, OUTWARD = 0.13, 0.24
"""How far an arrow bends aside, as a share of its length: so that the way back lies beside it, and around other states."""

CURVE = 61
"""Points of an arrow."""

LEAST, MOST = 11, 26
"""Pixels from the middle of a state to its edge."""

SAID = (0.34, 0.28, 0.4, 0.22, 0.46, 0.52, 0.16)
"""Where on an arrow its share may stand, the best place first: nearer to the state it is a share of."""

ROOM = 26
"""Pixels that a share wants between its middle and the edge of a state or the middle of another share."""

START, GOOD, BAD = "start", "good", "bad"
ENDS = {"opportunities": ("won", "lost")}
"""What the ends are called by unit; elsewhere as in the table."""


@dataclass(frozen=True, slots=True)
class Node:
    """A place of the drawing: x and y in pixels from the upper left, and half its width."""

    key: str
    name: str
    x: float
    y: float
    radius: float
    visits: float


@dataclass(frozen=True, slots=True)
class Move:
    """A transition between two places: how often, and its share of what leaves the first."""

    source: str
    target: str
    count: float
    share: float


def chart(result: Result, theme: Theme = "light") -> Any:
    """States as circles by how often they are visited, transitions as arrows by how often they happen.

    Raises:
        UsageError: nothing to draw.
    """
    tokens = THEMES[theme]
    nodes, moves, left_out = _graph(result)
    arrows = _with_places(
        [_arrow(nodes[move.source], nodes[move.target], move) for move in moves], list(nodes.values())
    )
    x, y = (
        alt.X("x", type="quantitative", axis=None, scale=alt.Scale(domain=[0, WIDTH], nice=False)),
        alt.Y("y", type="quantitative", axis=None, scale=alt.Scale(domain=[HEIGHT, 0], nice=False)),
    )
    layers = [
        *_lines(arrows, x, y, tokens),
        *_shares(arrows, x, y, tokens),
        *_nodes(list(nodes.values()), x, y, tokens),
    ]
    _, bad = _ends(result)
    aside = [
        f"number on an arrow: share of all that leave the state · width: how often · dashed: to {bad}",
        f"the {len(moves)} most frequent transitions" + (f"; {left_out} more in the table" if left_out else ""),
    ]
    drawn = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    return parts.finished(drawn, result, theme, summary(result), aside)


def summary(result: Result) -> str:
    """One sentence: where most paths begin, and after which of the states drawn they are won most often."""
    nodes, _, _ = _graph(result)
    good, _ = _ends(result)
    rows = parts.rows_of(result)
    begin = max((row for row in rows if row["from_state"] is None), key=lambda row: row["count"])
    told = f"{present.percent(begin['share'])} of paths begin with {present.clean(begin['to_state'])}"
    ends = [row for row in rows if row["end"] == "conversion" and f"state {row['from_state']}" in nodes]
    if not ends:
        return f"{told}; none of the states drawn is followed by {good}."
    best = max(ends, key=lambda row: row["share"])
    return f"{told}; {good} comes next most often after {present.clean(best['from_state'])}, {present.percent(best['share'])}."


def _ends(result: Result) -> tuple[str, str]:
    return ENDS.get(result.unit, ("conversion", "null"))


def _graph(result: Result) -> tuple[dict[str, Node], list[Move], int]:
    """The places by key, the transitions between them, the most frequent first, and how many are left out."""
    rows = parts.rows_of(result)
    visits: dict[str, float] = {}
    for row in rows:
        if row["from_state"] is not None:
            visits[row["from_state"]] = visits.get(row["from_state"], 0.0) + row["count"]
    if not visits:
        raise UsageError(f"{result.title}: there is no state, so there is nothing to draw.")
    shown = sorted(visits, key=lambda name: (-visits[name], name))[:STATES]
    moves = [Move(_source(row), _target(row), row["count"], row["share"]) for row in rows]
    drawn = [move for move in moves if _shown(move.source, shown) and _shown(move.target, shown)]
    drawn.sort(key=lambda move: (-move.count, move.source, move.target))
    return _placed(result, shown, visits, rows), drawn[:ARROWS], len(moves) - len(drawn[:ARROWS])


def _source(row: dict[str, Any]) -> str:
    return START if row["from_state"] is None else f"state {row['from_state']}"


def _target(row: dict[str, Any]) -> str:
    if row["to_state"] is not None:
        return f"state {row['to_state']}"
    return GOOD if row["end"] == "conversion" else BAD


def _shown(key: str, states: list[str]) -> bool:
    return key in (START, GOOD, BAD) or key.removeprefix("state ") in states


def _placed(result: Result, shown: list[str], visits: dict[str, float], rows: list[dict[str, Any]]) -> dict[str, Node]:
    """States on a ring, the most visited at the left, where paths come in; the ends at the right."""
    top = max(visits[name] for name in shown)
    ways = {way: sum(row["count"] for row in rows if _is(row, way)) for way in (START, GOOD, BAD)}
    good, bad = _ends(result)
    found = [
        Node(START, "start", 0.05 * WIDTH, 0.5 * HEIGHT, LEAST, ways[START]),
        Node(GOOD, good, 0.95 * WIDTH, 0.24 * HEIGHT, LEAST, ways[GOOD]),
        Node(BAD, bad, 0.95 * WIDTH, 0.76 * HEIGHT, LEAST, ways[BAD]),
    ]
    # Left, then turn by turn above and below, so that the least visited stand at the right.
    turns = sorted(
        np.arange(len(shown)) * 2 * np.pi / len(shown), key=lambda turn: (round(min(turn, 2 * np.pi - turn), 9), turn)
    )
    for name, turn in zip(shown, turns, strict=True):
        x = (MIDDLE - ACROSS * np.cos(turn)) * WIDTH
        y = (MIDDLE - DOWN * np.sin(turn)) * HEIGHT
        radius = LEAST + (MOST - LEAST) * float(np.sqrt(visits[name] / top))
        found.append(Node(f"state {name}", present.clean(name), float(x), float(y), radius, visits[name]))
    return {node.key: node for node in found}


def _is(row: dict[str, Any], way: str) -> bool:
    return way in (_source(row), _target(row))


def _arrow(source: Node, target: Node, move: Move) -> dict[str, Any]:
    """An arrow from edge to edge: between states bent to the left of its way, else away from the middle."""
    one, two = np.array([source.x, source.y]), np.array([target.x, target.y])
    aside = np.array([two[1] - one[1], one[0] - two[0]])
    if {source.key, target.key} & {START, GOOD, BAD}:
        outer = source if target.key in (GOOD, BAD) else target
        # Up is less. What lies on the middle line runs straight.
        aside = aside * OUTWARD * np.sign(aside[1]) * np.sign(np.round(outer.y - HEIGHT * 0.5))
    else:
        aside = aside * BEND
    t = np.linspace(0, 1, CURVE)[:, None]
    curve = (1 - t) ** 2 * one + 2 * t * (1 - t) * ((one + two) / 2 + aside) + t**2 * two
    outside = (np.hypot(*(curve - one).T) >= source.radius) & (np.hypot(*(curve - two).T) >= target.radius + 7)
    kept = curve[outside]
    if not len(kept):
        kept = curve[CURVE // 2 : CURVE // 2 + 1]
    step = kept[-1] - kept[max(len(kept) - 8, 0)]
    return {
        "key": f"{move.source} → {move.target}",
        "points": kept,
        # A triangle points up; angles run clockwise, as y does.
        "angle": float(np.degrees(np.arctan2(step[0], -step[1]))),
        "count": move.count,
        "share": move.share,
        "way": f"{source.name} → {target.name}",
        "dashed": move.target == BAD,
        "won": move.target == GOOD,
    }


def _with_places(arrows: list[dict[str, Any]], nodes: list[Node]) -> list[dict[str, Any]]:
    """Each arrow with `at`, where its share stands: the first place with room, or the one with most."""
    taken = [(node.x, node.y, node.radius) for node in nodes]
    taken += [(node.x, node.y + _beside(node, 14), LEAST) for node in nodes]
    found = []
    for arrow in arrows:
        places = [arrow["points"][int(share * (len(arrow["points"]) - 1))] for share in SAID]
        room = [min(np.hypot(x - px, y - py) - radius for px, py, radius in taken) for x, y in places]
        at = next(
            (place for place, free in zip(places, room, strict=True) if free >= ROOM), places[int(np.argmax(room))]
        )
        taken.append((at[0], at[1], 0.0))
        found.append({**arrow, "at": at})
    return found


def _lines(arrows: list[dict[str, Any]], x: alt.X, y: alt.Y, tokens: Tokens) -> list[Any]:
    most = max((arrow["count"] for arrow in arrows), default=1.0) or 1.0
    drawn = []
    for kind, colour, dash in (
        ("plain", tokens.axis, [1, 0]),
        ("won", tokens.main, [1, 0]),
        ("dashed", tokens.rest, [5, 3]),
    ):
        own = [arrow for arrow in arrows if _kind(arrow) == kind]
        if not own:
            continue
        points = [
            {"key": arrow["key"], "x": float(px), "y": float(py), "at": at, "wide": 0.8 + 5.2 * arrow["count"] / most}
            for arrow in own
            for at, (px, py) in enumerate(arrow["points"])
        ]
        width = alt.StrokeWidth("wide", type="quantitative", scale=None, legend=None)
        lines = alt.Chart(parts.data(points)).mark_line(color=colour, strokeDash=dash, opacity=1)
        drawn.append(
            lines.encode(
                x=x,
                y=y,
                strokeWidth=width,
                order=alt.Order("at", type="quantitative"),
                detail=alt.Detail("key", type="nominal"),
            )
        )
        heads = [
            {"x": float(arrow["points"][-1][0]), "y": float(arrow["points"][-1][1]), "angle": arrow["angle"]}
            for arrow in own
        ]
        pointed = alt.Chart(parts.data(heads)).mark_point(
            shape="triangle", size=75, filled=True, opacity=1, color=colour
        )
        drawn.append(pointed.encode(x=x, y=y, angle=alt.Angle("angle", type="quantitative", scale=None, legend=None)))
    return drawn


def _kind(arrow: dict[str, Any]) -> str:
    return "dashed" if arrow["dashed"] else "won" if arrow["won"] else "plain"


def _nodes(nodes: list[Node], x: alt.X, y: alt.Y, tokens: Tokens) -> list[Any]:
    told = [
        {
            "x": node.x,
            "y": node.y,
            "name_y": node.y + _beside(node, 10),
            "visits_y": node.y + _beside(node, 24),
            "size": np.pi * node.radius**2,
            "name": node.name,
            "visits": f"{node.visits:,g}",
            "square": node.key in (START, GOOD, BAD),
        }
        for node in nodes
    ]
    base = alt.Chart(parts.data(told)).encode(x=x, y=y, tooltip=parts.tips(name="state", visits="visits"))
    size = alt.Size("size", type="quantitative", scale=None, legend=None)
    drawn = [
        base.transform_filter(f"datum.square == {flag}")
        .mark_point(shape=shape, filled=True, opacity=1, fill=tokens.main_soft, stroke=tokens.main, strokeWidth=1.5)
        .encode(size=size)
        for flag, shape in (("false", "circle"), ("true", "square"))
    ]
    for field, bold in (("name", True), ("visits", False)):
        place = alt.Y(f"{field}_y", type="quantitative", axis=None, scale=alt.Scale(domain=[HEIGHT, 0], nice=False))
        drawn += _said(base, {"y": place}, field, tokens, bold=bold)
    return drawn


def _beside(node: Node, away: int) -> float:
    """Where words of a state stand: outside of the ring, the name nearer to it in either case."""
    above = node.y < HEIGHT * (MIDDLE - 0.1) and node.key not in (GOOD, BAD)
    return -(node.radius + 34 - away) if above else node.radius + away


def _shares(arrows: list[dict[str, Any]], x: alt.X, y: alt.Y, tokens: Tokens) -> list[Any]:
    told = [
        {
            "x": float(arrow["at"][0]),
            "y": float(arrow["at"][1]),
            "shown": f"{arrow['share'] * 100:.0f} %",
            "way": arrow["way"],
            "count": f"{arrow['count']:,g}",
        }
        for arrow in arrows
    ]
    base = alt.Chart(parts.data(told)).encode(
        x=x, y=y, tooltip=parts.tips(way="transition", shown="share", count="how often")
    )
    return _said(base, {}, "shown", tokens)


def _said(base: Any, more: dict[str, Any], field: str, tokens: Tokens, *, bold: bool = False) -> list[Any]:
    """Text with the ground around it, so that it can be read on lines."""
    text = alt.Text(field, type="nominal")
    style = {"align": "center", "baseline": "middle", "fontSize": 11, "fontWeight": "bold" if bold else "normal"}
    return [
        base.mark_text(stroke=tokens.ground, strokeWidth=4, color=tokens.ground, **style).encode(text=text, **more),
        base.mark_text(color=tokens.muted if field == "visits" else tokens.text, **style).encode(text=text, **more),
    ]
