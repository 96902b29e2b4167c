"""Conversion over time: the rate of each start period with its interval; immature periods are hatched.

See docs/charts/conversion_trend.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.errors import UsageError
from leadline.render.present import clean, dimensions, percent
from leadline.results import Result

WIDTH = 640
PANEL = 84
STRIPES = 14
"""Stripes on a bar as high as the panel."""
MOST_PANELS = 12
LABELS = 16
"""Periods up to which every bar says its rate."""


def available(result: Result) -> bool:
    """Whether a result has rates of several periods and knows which are immature."""
    names = result.table.column_names
    return "immature" in names and len(set(result.table.column("period").to_pylist()) - {None}) > 1


def chart(result: Result, theme: Theme = "light") -> Any:
    """Bars by period, a panel per transition and segment.

    Raises:
        UsageError: nothing to draw.
    """
    tokens, points = THEMES[theme], _points(result)
    panels = list(dict.fromkeys(point["panel"] for point in points))
    shown = panels[:MOST_PANELS]
    top = max([point["high"] or point["rate"] for point in points if point["panel"] in shown])
    periods = sorted({str(row["period"]) for row in parts.rows_of(result) if row["period"] is not None})
    drawn = [
        _panel(
            [point for point in points if point["panel"] == panel], panel, periods, top, tokens, last=panel == shown[-1]
        )
        for panel in shown
    ]
    whole = alt.vconcat(*drawn, spacing=16).resolve_scale(x="shared")
    aside = ["line: 95 % interval · hatched: not all of its units have had their days · outlined: under 30 started"]
    return parts.finished(whole, result, theme, summary(result), [*aside, parts.left_out(len(panels), len(shown))])


def summary(result: Result) -> str:
    """One sentence: the first and the last mature rate of the first panel, and what is immature."""
    points = _points(result)
    panel = points[0]["panel"]
    mature = [point for point in points if point["panel"] == panel and not point["immature"]]
    young = sorted({point["period"] for point in points if point["immature"]})
    told = f"{panel}: {mature[0]['shown']} in {mature[0]['period']}" if mature else f"{panel}: no period is mature"
    if len(mature) > 1:
        told += f", {mature[-1]['shown']} in {mature[-1]['period']}"
    return f"{told}; immature: {', '.join(young)}." if young else f"{told}."


def _points(result: Result) -> list[dict[str, Any]]:
    found = []
    for row in parts.rows_of(result):
        if row["period"] is None or row["rate"] is None:
            continue
        segment = [clean(str(row[name])) if row[name] is not None else "(empty)" for name in dimensions(result)]
        found.append(
            {
                "panel": " · ".join([f"{row['from_stage']} → {row['to_stage']}", *segment]),
                "period": str(row["period"]),
                "rate": row["rate"],
                "low": row["rate_low"],
                "high": row["rate_high"],
                "small": bool(row["small"]),
                "immature": bool(row["immature"]),
                "shown": percent(row["rate"]),
                "basis": f"{row['converted']:,} of {row['started']:,}",
            }
        )
    if not found:
        raise UsageError(f"{result.title}: no period has a rate yet, so there is nothing to draw.")
    return found


def _panel(
    points: list[dict[str, Any]], title: str, periods: list[str], top: float, tokens: Tokens, *, last: bool
) -> Any:
    labels = alt.Axis(title=None, labelAngle=0, labelOverlap="greedy", labelSeparation=8) if last else None
    x = alt.X("period", type="ordinal", sort=periods, axis=labels, scale=alt.Scale(domain=periods, paddingInner=0.25))
    scale = alt.Scale(domain=[0, top * 1.12], nice=False)
    axis = alt.Axis(title=None, tickCount=3, format=".0%", labelColor=tokens.muted, labelFontSize=10)

    def y(field: str) -> alt.Y:
        return alt.Y(field, type="quantitative", scale=scale, axis=axis)

    base = alt.Chart(parts.data(points)).encode(x=x)
    bars = base.mark_bar(stroke=tokens.main, strokeWidth=1, cornerRadiusEnd=1.5).encode(
        y=y("rate"),
        fill=alt.condition("datum.small || datum.immature", alt.value(tokens.main_soft), alt.value(tokens.main)),
        tooltip=parts.tips(period="period", shown="rate", basis="converted of started"),
    )
    width = max(2.0, 0.7 * WIDTH / len(periods))
    stripes = alt.Chart(parts.data(_stripes(points, top))).encode(x=x, y=y("at"))
    layers = [bars, stripes.mark_tick(orient="horizontal", color=tokens.main, thickness=1, size=width, opacity=1)]
    banded = [point for point in points if point["low"] is not None]
    rules = alt.Chart(parts.data(banded)).encode(x=x, y=y("low"), y2="high")
    layers += [rules.mark_rule(color=tokens.ground, strokeWidth=4), rules.mark_rule(color=tokens.text, strokeWidth=1.5)]
    if len(periods) <= LABELS:
        highest = [{**point, "top": point["high"] or point["rate"]} for point in points]
        labelled = alt.Chart(parts.data(highest)).encode(x=x, y=y("top"), text=alt.Text("shown", type="nominal"))
        layers.append(labelled.mark_text(dy=-6, fontSize=10.5, color=tokens.text))
    name = alt.Title(title, anchor="start", fontSize=12, color=tokens.text, offset=8, frame="group")
    return alt.layer(*layers).properties(width=WIDTH, height=PANEL, title=name)


def _stripes(points: list[dict[str, Any]], top: float) -> list[dict[str, Any]]:
    """Where the stripes of the hatching lie on the bars of immature periods."""
    step = top / STRIPES
    return [
        {"period": point["period"], "at": float(at)}
        for point in points
        if point["immature"]
        for at in np.arange(step, point["rate"], step)
    ]
