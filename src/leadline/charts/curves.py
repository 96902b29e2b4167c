"""Curves: the share that still waits after each time, one line per stage, the median marked.

See docs/charts/curves.md.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.render.present import NOT_REACHED, percent
from leadline.results import Result

WIDTH, HEIGHT = 460, 260
MOST_LINES = 5
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4])
"""Each line has a dash of its own, so that they can be told apart without colour."""

LABEL_WIDTH = 60
"""Pixels that the number of days at a median takes."""
SYMBOL_SIZE = 900
"""Of the strokes of the legend: long enough for the longest dash to show."""

Line = dict[str, Any]


def chart(result: Result, theme: Theme = "light") -> alt.LayerChart:
    """A falling step line per group; a circle where half have left, a word at the end where they have not.

    Raises:
        UsageError: nothing to draw.
    """
    tokens, lines = THEMES[theme], _lines(result)
    shown = lines[:MOST_LINES]
    drawn = alt.layer(*_layers(shown, tokens)).properties(width=WIDTH, height=HEIGHT)
    aside = ["share that still waits, open ones censored at as-of", parts.left_out(len(lines), len(shown))]
    return parts.finished(drawn, result, theme, summary(result), aside)


def summary(result: Result) -> str:
    """One sentence: when half have left, per line."""
    told = [f"{line['name']} {line['said']}" for line in _lines(result)]
    return f"Half have left: {'; '.join(told)}."


def _lines(result: Result) -> list[Line]:
    """Groups with their points, each from the whole at time 0."""
    rows = parts.rows_of(result)
    names = parts.names_of(result, rows)
    found: dict[str, Line] = {}
    for row, name in zip(rows, names, strict=True):
        stage = f"{row['stage']} → {row['to_stage']}" if row["to_stage"] else row["stage"]
        label = " · ".join(part for part in (stage, name) if part)
        line = found.setdefault(label, {"name": label, "points": [{"days": 0.0, "share": 1.0}], "median": None})
        line["points"].append({"days": row["time_days"], "share": row["survival"]})
        if line["median"] is None and row["survival"] <= 1 / 2:
            line["median"] = row["time_days"]
    for line in found.values():
        last = line["points"][-1]
        reached = line["median"] is not None
        line["said"] = (
            f"after {line['median']:,.1f} days" if reached else f"{NOT_REACHED} ({percent(last['share'])} wait)"
        )
    return list(found.values())


def _layers(lines: list[Line], tokens: Tokens) -> list[alt.Chart]:
    names = [line["name"] for line in lines]
    points = [{"name": line["name"], **point} for line in lines for point in line["points"]]
    colours = alt.Scale(domain=names, range=tokens.series[: len(names)])
    dashes = alt.Scale(domain=names, range=list(DASHES[: len(names)]))
    x = alt.X("days", type="quantitative", axis=alt.Axis(title="days", tickCount=6), scale=alt.Scale(nice=False))
    y = alt.Y(
        "share", type="quantitative", axis=alt.Axis(title="still waiting", format="%"), scale=alt.Scale(domain=[0, 1])
    )
    legend = alt.Legend(
        title=None,
        symbolType="stroke",
        symbolSize=SYMBOL_SIZE,
        orient="top",
        columns=2,
        labelLimit=WIDTH // 2,
        labelExpr=f"({json.dumps({line['name']: _in_legend(line) for line in lines})})[datum.label]",
    )
    steps = alt.Chart(parts.data(points)).mark_line(interpolate="step-after", strokeWidth=2)
    return [
        steps.encode(
            x=x,
            y=y,
            color=alt.Color("name", type="nominal", scale=colours, legend=legend),
            strokeDash=alt.StrokeDash("name", type="nominal", scale=dashes, legend=legend),
        ),
        *_half(lines, tokens),
        *_ends(lines, tokens),
    ]


def _in_legend(line: Line) -> str:
    """The name of a line with its median."""
    median = NOT_REACHED if line["median"] is None else f"{line['median']:,.1f} d"
    return f"{line['name']} · median {median}"


def _half(lines: list[Line], tokens: Tokens) -> list[alt.Chart]:
    """The level of one half, and the medians on it."""
    level = alt.Chart(parts.data([{"share": 0.5}])).mark_rule(color=tokens.axis, strokeDash=[3, 3])
    # Medians that meet are written once.
    medians = sorted({line["median"] for line in lines if line["median"] is not None})
    longest = max(point["days"] for line in lines for point in line["points"])
    written = _apart(medians, longest * LABEL_WIDTH / WIDTH)
    dots = [{"days": days, "share": 0.5, "shown": f"{days:,.1f} d" if days in written else ""} for days in medians]
    y = alt.Y("share", type="quantitative")
    if not dots:
        return [level.encode(y=y)]
    base = alt.Chart(parts.data(dots)).encode(x=alt.X("days", type="quantitative"), y=y)
    return [
        level.encode(y=y),
        base.mark_point(shape="circle", filled=True, size=60, opacity=1, color=tokens.text),
        base.mark_text(align="left", baseline="bottom", dx=6, dy=-4, color=tokens.text).encode(
            text=alt.Text("shown", type="nominal")
        ),
    ]


def _apart(medians: Sequence[float], width: float) -> list[float]:
    """Those of the medians, ascending, whose number touches no other one; `width` in days. The legend has them all."""
    alone: list[float] = []
    for days, after in zip(medians, [*medians, math.inf][1:], strict=True):
        if days + width <= after and (not alone or alone[-1] + width <= days):
            alone.append(days)
    return alone


def _ends(lines: list[Line], tokens: Tokens) -> list[alt.Chart]:
    """What stands at the end of a line that never falls to one half."""
    open_ends = [{**line["points"][-1], "said": f"median {NOT_REACHED}"} for line in lines if line["median"] is None]
    if not open_ends:
        return []
    base = alt.Chart(parts.data(open_ends)).mark_text(align="right", baseline="bottom", dy=-6, color=tokens.muted)
    return [
        base.encode(
            x=alt.X("days", type="quantitative"),
            y=alt.Y("share", type="quantitative"),
            text=alt.Text("said", type="nominal"),
        )
    ]
