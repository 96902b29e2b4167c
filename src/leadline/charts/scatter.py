"""Two models against each other: a point per campaign, on the line where both agree.

See docs/charts/scatter.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.charts import parts, slope
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.render import present
from leadline.results import Result

SIZE = 360
NAMED = 6
"""Campaigns named in the drawing: those the two models disagree on most."""


def chart(result: Result, theme: Theme = "light") -> Any:
    """Share by the first model across, by the second one up; names where they differ most.

    Raises:
        UsageError: fewer than two models, or nothing to draw.
    """
    points, models = _points(result)
    aside = [f"share of the whole amount · above the line: more by {models[1]}"]
    return parts.finished(_drawn(points, models, THEMES[theme]), result, theme, summary(result), aside)


def summary(result: Result) -> str:
    """One sentence: what the second model favours most and least against the first."""
    points, models = _points(result)
    gains = sorted(points, key=lambda point: point["up"] - point["across"])
    low, high = gains[0], gains[-1]
    return (
        f"By {models[1]} {high['name']} has {high['up_shown']} ({high['across_shown']} by {models[0]}), "
        f"{low['name']} {low['up_shown']} ({low['across_shown']})."
    )


def _points(result: Result) -> tuple[list[dict[str, Any]], list[str]]:
    lines, models, _ = next(iter(slope.compared(result, most=None).values()))
    points = [
        {
            "name": line["name"],
            "across": line["shares"][0],
            "up": line["shares"][1],
            "across_shown": present.percent(line["shares"][0]),
            "up_shown": present.percent(line["shares"][1]),
            "said": "",
        }
        for line in lines
    ]
    for point in sorted(points, key=lambda point: -abs(point["up"] - point["across"]))[:NAMED]:
        point["said"] = point["name"]
    return points, models


def _drawn(points: list[dict[str, Any]], models: list[str], tokens: Tokens) -> Any:
    top = max(max(point["across"], point["up"]) for point in points) * 1.08 or 1.0
    scale = alt.Scale(domain=[0, top], nice=False)

    def axis(model: str) -> alt.Axis:
        return alt.Axis(title=model, format=".1~%", labelExpr="replace(datum.label, '%', ' %')", tickCount=5, grid=True)

    x = alt.X("across", type="quantitative", scale=scale, axis=axis(models[0]))
    y = alt.Y("up", type="quantitative", scale=scale, axis=axis(models[1]))
    same = alt.Chart(parts.data([{"across": 0, "up": 0}, {"across": top, "up": top}]))
    base = alt.Chart(parts.data(points)).encode(x=x, y=y)
    marks = base.mark_point(size=60, opacity=1, strokeWidth=1.5, stroke=tokens.main, fill=tokens.main_soft).encode(
        tooltip=parts.tips(name="campaign", across_shown=models[0], up_shown=models[1])
    )
    # Names stand outward of the line, where no other point of the same side is likely to lie.
    names = [
        base.transform_filter(f"datum.said != '' && datum.up {sign} datum.across")
        .mark_text(align="left", dx=8, dy=dy, fontSize=11, color=tokens.text)
        .encode(text=alt.Text("said", type="nominal"))
        for sign, dy in ((">=", -8), ("<", 10))
    ]
    line = same.mark_line(color=tokens.axis, strokeDash=[3, 3]).encode(x=x, y=y)
    return alt.layer(line, marks, *names).properties(width=SIZE, height=SIZE)
