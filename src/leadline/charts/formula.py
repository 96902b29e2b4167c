"""A formula: a line over the periods of each group, or a bar for each group.

See docs/charts/formula.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.errors import UsageError
from leadline.render import present
from leadline.results import Column, Result

WIDTH = 400
PANEL = 120
MOST_PANELS = 8
"""Groups a trend shows; further ones are in the table."""


def chart(result: Result, theme: Theme = "light") -> Any:
    """A panel with a line per group where there are several periods, else a bar per group.

    Raises:
        UsageError: nothing to draw.
    """
    points = _points(result)
    over_time = len({point["period"] for point in points}) > 1
    drawn, left = (_trend if over_time else _bars)(result, points, THEMES[theme])
    return parts.finished(drawn, result, theme, summary(result), [_aside(points, over_time=over_time), left])


def summary(result: Result) -> str:
    """One sentence: first and last value of a single line, else the highest and the lowest value that is not small."""
    points = [point for point in _points(result) if point["value"] is not None]
    if not points:
        return f"{result.title}: no value."
    if len({point["group"] for point in points}) == 1 and len(points) > 1:
        first, last = points[0], points[-1]
        return f"{result.title}: {first['shown']} in {first['period']}, {last['shown']} in {last['period']}."
    solid = [point for point in points if not point["small"]] or points
    high, low = max(solid, key=lambda point: point["value"]), min(solid, key=lambda point: point["value"])
    if high is low:
        return f"{result.title}: {high['shown']}."
    return f"{result.title}: most {high['shown']} ({high['name']}), least {low['shown']} ({low['name']})."


def _points(result: Result) -> list[dict[str, Any]]:
    rows = parts.rows_of(result)
    column = next(one for one in result.columns if one.name == "value")
    stored = result.table.column("value").to_pylist()
    names = present.dimensions(result)
    points = []
    for row, value in zip(rows, stored, strict=True):
        group = " · ".join(present.EMPTY if row[name] is None else present.clean(str(row[name])) for name in names)
        period = present.UNDATED if row["period"] is None else str(row["period"])
        said = " · ".join(part for part in (period if period != present.ALL_TIME else "", group) if part)
        points.append(
            {
                "group": group,
                "period": period,
                "name": said or "all",
                "value": row["value"],
                "shown": present.NOTHING if value is None else _said(result, column, value),
                "low": row.get("value_low"),
                "high": row.get("value_high"),
                "small": bool(row.get("small")),
            }
        )
    if not any(point["value"] is not None for point in points):
        raise UsageError(f"{result.title}: no row has a value, so there is nothing to draw. Widen the filters.")
    return points


def _said(result: Result, column: Column, value: float) -> str:
    if column.type == "rate":
        return present.percent(value)
    if column.type == "money":
        return present.amount_text(result, int(value))
    return f"{value:,}" if column.type == "integer" else f"{value:,.1f}"


def _scale(points: list[dict[str, Any]]) -> alt.Scale:
    """From zero to a little beyond the largest value; below zero where values are."""
    known = [value for point in points for value in (point["value"], point["high"], point["low"]) if value is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    room = (high - low) * 0.05 or 1.0
    return alt.Scale(domain=[low - room if low < 0 else 0.0, high + room if high > 0 else 0.0], nice=False)


def _axis_labels(points: list[dict[str, Any]]) -> dict[str, Any]:
    if any(point["shown"].endswith("%") for point in points):
        return {"format": ".0%", "labelExpr": "replace(datum.label, '%', ' %')"}
    return {"format": "~s"}


def _bars(result: Result, points: list[dict[str, Any]], tokens: Tokens) -> tuple[Any, str]:
    shown = points[: parts.MOST_ROWS]
    base = alt.Chart(parts.data(shown)).encode(y=parts.names_axis("name", shown))
    scale = _scale(shown)
    axis = alt.Axis(title=None, tickCount=5, **_axis_labels(shown))
    bars = base.mark_bar(height=parts.BAR - 4, cornerRadiusEnd=2, strokeWidth=1).encode(
        x=alt.X("value", type="quantitative", scale=scale, axis=axis),
        fill=alt.condition("datum.small", alt.value(tokens.main_soft), alt.value(tokens.main)),
        stroke=alt.value(tokens.main),
        tooltip=parts.tips(name="of", shown="value"),
    )
    layers: list[Any] = [bars]
    if any(point["low"] is not None for point in shown):
        ends = {"x": alt.X("low", type="quantitative", scale=scale), "x2": "high"}
        layers += [
            base.mark_rule(color=tokens.ground, strokeWidth=5).encode(**ends),
            base.mark_rule(color=tokens.text, strokeWidth=1.8).encode(**ends),
        ]
    layers.append(parts.text_column(base, "shown", WIDTH + 96, tokens, bold=True))
    drawn = alt.layer(*layers).properties(width=WIDTH, height=alt.Step(parts.ROW_HEIGHT - 4))
    return drawn, parts.left_out(len(points), len(shown))


def _trend(result: Result, points: list[dict[str, Any]], tokens: Tokens) -> tuple[Any, str]:
    groups = list(dict.fromkeys(point["group"] for point in points))
    panels = [
        _panel([point for point in points if point["group"] == group], group, _scale(points), tokens)
        for group in groups[:MOST_PANELS]
    ]
    drawn = panels[0] if len(panels) == 1 else alt.vconcat(*panels, spacing=14).resolve_scale(x="shared")
    return drawn, parts.left_out(len(groups), len(panels))


def _panel(own: list[dict[str, Any]], group: str, scale: alt.Scale, tokens: Tokens) -> Any:
    x = alt.X(
        "period",
        type="ordinal",
        sort="ascending",
        axis=alt.Axis(title=None, labelAngle=0, labelOverlap="greedy", labelSeparation=12),
    )
    y = alt.Y(
        "value",
        type="quantitative",
        scale=scale,
        axis=alt.Axis(title=None, tickCount=3, labelColor=tokens.muted, labelFontSize=10, **_axis_labels(own)),
    )
    base = alt.Chart(parts.data(own)).encode(x=x, tooltip=parts.tips(period="period", shown="value"))
    layers: list[Any] = []
    if any(point["low"] is not None for point in own):
        band = base.mark_rule(color=tokens.main_soft, strokeWidth=6)
        layers.append(band.encode(y=alt.Y("low", type="quantitative", scale=scale), y2="high"))
    # A period without a value is a gap in the line, never a bridge over it.
    line = base.mark_line(color=tokens.main, strokeWidth=2, invalid="break-paths-show-domains")
    layers.append(line.encode(y=y))
    inside = alt.condition("datum.small", alt.value(tokens.ground), alt.value(tokens.main))
    layers.append(base.mark_point(size=30, opacity=1, stroke=tokens.main).encode(y=y, fill=inside))
    known = [point["period"] for point in own if point["value"] is not None]
    if known:
        ends = alt.FieldOneOfPredicate("period", [known[0], known[-1]])
        layers.append(
            base.transform_filter(ends)
            .mark_text(dy=-10, fontSize=11, fontWeight="bold")
            .encode(y=y, text=alt.Text("shown", type="nominal"))
        )
    drawn = alt.layer(*layers).properties(width=parts.WIDTH + 220, height=PANEL)
    if group:
        drawn = drawn.properties(title=alt.Title(group, anchor="start", fontSize=12, color=tokens.text, offset=8))
    return drawn


def _aside(points: list[dict[str, Any]], *, over_time: bool) -> str:
    interval = any(point["low"] is not None for point in points)
    said = [f"{'bar behind the point' if over_time else 'line'}: 95 % interval (Wilson)" if interval else ""]
    small = any(point["small"] and point["value"] is not None for point in points)
    said.append(f"{'hollow' if over_time else 'outlined'}: under 30 units, small" if small else "")
    return " · ".join(part for part in said if part)
