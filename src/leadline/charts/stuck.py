"""Stuck: how old and how large the records are that have stood too long.

See docs/charts/stuck.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.render.present import clean
from leadline.results import Result

WIDTH, HEIGHT = 460, 260
STRIP = 36
"""Height of each stage in the strip of records without an amount."""

SHAPES = ("circle", "square", "triangle-up", "diamond", "cross")
"""Each stage has a shape of its own, so that they can be told apart without colour."""

NAMED = 5
"""Records named in the drawing: those with the most money × age."""

MOST = 250
"""Records drawn in each half; beyond that points only hide each other. The list has all of them."""


def chart(result: Result, theme: Theme = "light") -> alt.VConcatChart:
    """A point per record, age across and amount up; records without an amount in a strip below.

    Raises:
        UsageError: nothing to draw.
    """
    tokens, points = THEMES[theme], _points(result)
    stages = list(dict.fromkeys(point["stage"] for point in points))
    oldest = max(point["age"] for point in points)
    with_money = [point for point in points if point["amount"] is not None]
    without = [point for point in points if point["amount"] is None]
    drawn_money = sorted(with_money, key=lambda point: -point["amount"] * point["age"])[:MOST]
    drawn_without = sorted(without, key=lambda point: -point["age"])[:MOST]
    panels = []
    if with_money:
        panels.append(_panel(drawn_money, stages, oldest, tokens, money=result.currency).properties(height=HEIGHT))
    if without:
        panels.append(_panel(drawn_without, stages, oldest, tokens, money="").properties(height=alt.Step(STRIP)))
    drawn = alt.vconcat(*panels, spacing=14).resolve_scale(x="shared")
    aside = "open visits older than the limit of their stage" + (
        f"; below: {len(without):,} without an amount" if without else ""
    )
    lines = [aside]
    if len(drawn_money) + len(drawn_without) < len(points):
        lines.append(f"drawn: the {MOST} with the most money × age, and the {MOST} oldest without an amount")
    return parts.finished(drawn, result, theme, summary(result), lines)


def summary(result: Result) -> str:
    """One sentence: how many are stuck, the oldest of them, their money."""
    points = _points(result)
    oldest = max(points, key=lambda point: point["age"])
    money = sum(point["amount"] or 0 for point in points)
    held = f" They hold {money:,.2f} {result.currency}." if money else ""
    return (
        f"{len(points):,} {result.unit} are stuck, the oldest for {oldest['age']:,.0f} days in {oldest['stage']}.{held}"
    )


def _points(result: Result) -> list[dict[str, Any]]:
    points = [
        {
            "age": row["age_days"],
            "amount": row["amount"],
            "stage": clean(row["stage"]),
            "campaign": clean(row["campaign"] or ""),
            "owner": clean(row["owner"] or ""),
            "record": row["unit_id"],
            "shown": f"{row['age_days']:,.0f} days",
            "said": "",
        }
        for row in parts.rows_of(result)
    ]
    heaviest = sorted(points, key=lambda point: -(point["amount"] or 0) * point["age"])[:NAMED]
    for point in heaviest:
        if point["amount"]:
            point["said"] = point["owner"] or point["record"]
    return points


def _panel(points: list[dict[str, Any]], stages: list[str], oldest: float, tokens: Tokens, *, money: str) -> Any:
    x = alt.X(
        "age",
        type="quantitative",
        axis=alt.Axis(title="days since it entered", tickCount=6),
        scale=alt.Scale(domain=[0, oldest * 1.15], nice=False),
    )
    axis = alt.Axis(title=money, format="~s", tickCount=5)
    y = (
        alt.Y("amount", type="quantitative", axis=axis)
        if money
        else alt.Y("stage", type="nominal", axis=alt.Axis(title="no amount"))
    )
    shapes = alt.Scale(domain=stages, range=[SHAPES[at % len(SHAPES)] for at in range(len(stages))])
    colours = alt.Scale(domain=stages, range=[tokens.series[at % len(tokens.series)] for at in range(len(stages))])
    legend = alt.Legend(title=None, orient="top")
    base = alt.Chart(parts.data(points)).encode(x=x, y=y)
    marks = base.mark_point(size=55, opacity=0.85, strokeWidth=1.5).encode(
        shape=alt.Shape("stage", type="nominal", scale=shapes, legend=legend),
        color=alt.Color("stage", type="nominal", scale=colours, legend=legend),
        tooltip=parts.tips(record="record", stage="stage", shown="age", campaign="campaign", owner="owner"),
    )
    names = (
        base.transform_filter("datum.said != ''")
        .mark_text(align="left", dx=8, color=tokens.text, fontSize=11)
        .encode(text=alt.Text("said", type="nominal"))
    )
    return alt.layer(marks, names).properties(width=WIDTH)
