"""Volume over time: one panel per stage, each with its own scale.

See docs/charts/trend.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme
from leadline.results import Result

PANEL = 62


def chart(result: Result, theme: Theme = "light") -> alt.VConcatChart:
    """Columns by period for each stage; of `standing` points, because nothing is added up there.

    Single-valued dimensions are added up.

    Raises:
        UsageError: nothing to draw, or counts that overlap.
    """
    points = _points(result)
    stages = list(dict.fromkeys(point["stage"] for point in points))
    panels = [_panel(result, points, stage, theme, last=stage == stages[-1]) for stage in stages]
    drawn = alt.vconcat(*panels, spacing=14).resolve_scale(x="shared")
    return parts.finished(drawn, result, theme, summary(result), [_aside(result)])


def summary(result: Result) -> str:
    """One sentence: the first and last period of the first and last stage."""
    points = _points(result)
    periods = [point["period"] for point in points]
    # What has no date is no end of a period.
    dated = [period for period in periods if period != "undated"] or periods
    first, last = min(dated), max(dated)
    stages = list(dict.fromkeys(point["stage"] for point in points))
    at = {(point["stage"], point["period"]): point["count"] for point in points}
    if first == last:
        counts = [f"{stage} {at.get((stage, first), 0):,}" for stage in stages]
        return f"{result.unit.capitalize()}: {', '.join(counts)}."
    told = [
        f"{stage} {at.get((stage, first), 0):,} and {at.get((stage, last), 0):,}"
        for stage in dict.fromkeys([stages[0], stages[-1]])
    ]
    return f"{result.unit.capitalize()} in {first} and in {last}: {'; '.join(told)}."


def _points(result: Result) -> list[dict[str, Any]]:
    parts.refuse_overlap(result)
    counts: dict[tuple[str, str], dict[str, Any]] = {}
    for row in parts.rows_of(result):
        key = (row["stage"], str(row["period"] or "undated"))
        point = counts.setdefault(key, {"stage": key[0], "period": key[1], "count": 0, "goal": None})
        point["count"] += row["count"]
        if row.get("goal") is not None:
            point["goal"] = (point["goal"] or 0) + row["goal"]
    for point in counts.values():
        point["shown"] = f"{point['count']:,}"
    order = parts.stages_of(result, parts.rows_of(result))
    return sorted(counts.values(), key=lambda point: order.index(point["stage"]))


def _panel(result: Result, points: list[dict[str, Any]], stage: str, theme: Theme, *, last: bool) -> Any:
    tokens = THEMES[theme]
    own = [point for point in points if point["stage"] == stage]
    labels = alt.Axis(title=None, labelAngle=0, labelOverlap="greedy", labelSeparation=12) if last else None
    x = alt.X("period", type="ordinal", sort="ascending", axis=labels, scale=alt.Scale(paddingInner=0.25))
    y = alt.Y(
        "count",
        type="quantitative",
        axis=alt.Axis(title=None, tickCount=2, labelColor=tokens.muted, labelFontSize=10, format=",d"),
    )
    base = alt.Chart(parts.data(own)).encode(
        x=x, y=y, tooltip=parts.tips(period="period", stage="stage", shown=result.unit)
    )
    if parts.setting(result, "view") == "standing":
        marks = base.mark_line(
            color=tokens.main, strokeWidth=2, point=alt.OverlayMarkDef(color=tokens.main, size=28, filled=True)
        )
    else:
        marks = base.mark_bar(color=tokens.main, cornerRadiusEnd=1.5)
    ends = base.transform_filter(
        alt.FieldOneOfPredicate("period", [min(p["period"] for p in own), max(p["period"] for p in own)])
    )
    layers: list[alt.Chart] = [marks, ends.mark_text(dy=-7, fontSize=11, fontWeight="bold").encode(text="shown:N")]
    if any(point["goal"] is not None for point in own):
        goal = alt.Chart(parts.data([point for point in own if point["goal"] is not None])).encode(
            x=x, y=alt.Y("goal", type="quantitative")
        )
        # A step per period, so that a goal reads as the level of its own days and no slope is invented.
        layers.append(goal.mark_line(color=tokens.warn, strokeWidth=1.5, strokeDash=[4, 2], interpolate="step"))
        layers.append(goal.mark_tick(color=tokens.warn, thickness=2.5))
    name = alt.Title(stage, anchor="start", fontSize=12, color=tokens.text, offset=8, frame="group")
    return alt.layer(*layers).properties(width=parts.WIDTH + 220, height=PANEL, title=name)


def _aside(result: Result) -> str:
    view = parts.setting(result, "view")
    goal = "dashed orange line: goal" if any(row.get("goal") is not None for row in parts.rows_of(result)) else ""
    return " · ".join(part for part in (f"view {view}" if view else "", "each stage has its own scale", goal) if part)
