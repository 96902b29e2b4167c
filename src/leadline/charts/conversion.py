"""Conversion: the rate of each step with its 95 % interval, and who is too young to count.

See docs/charts/conversion.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.render.present import NOTHING, percent
from leadline.results import Result

WIDTH = 330


def chart(result: Result, theme: Theme = "light") -> Any:
    """Bars of rates; a panel per transition where there are several and rows differ otherwise.

    Raises:
        UsageError: nothing to draw.
    """
    tokens, bars = THEMES[theme], _bars(result)
    shown, dropped = _limited(bars)
    panels = list(dict.fromkeys(bar["panel"] for bar in shown))
    top = max([bar["high"] or bar["rate"] or 0 for bar in shown] + [0.01])
    drawn = [
        _panel(
            [bar for bar in shown if bar["panel"] == panel], panel, top, tokens, first=i == 0, last=i == len(panels) - 1
        )
        for i, panel in enumerate(panels)
    ]
    whole = drawn[0] if len(drawn) == 1 else alt.vconcat(*drawn, spacing=16)
    aside = [_aside(result, bars), f"{dropped} more rows in the table" if dropped else ""]
    return parts.finished(whole, result, theme, summary(result), aside)


def summary(result: Result) -> str:
    """One sentence: the highest and the lowest rate that is not small."""
    known = [bar for bar in _bars(result) if bar["rate"] is not None]
    if not known:
        return "No rate yet: no unit is old enough."
    solid = [bar for bar in known if not bar["small"]] or known
    high, low = max(solid, key=lambda bar: bar["rate"]), min(solid, key=lambda bar: bar["rate"])
    ends = f"{_told(high)} converts best with {percent(high['rate'])} ({high['basis']})"
    return f"{ends}." if high is low else f"{ends}, {_told(low)} least with {percent(low['rate'])} ({low['basis']})."


def _told(bar: dict[str, Any]) -> str:
    return " ".join(part for part in (bar["panel"], bar["name"] if bar["name"] != bar["panel"] else "") if part)


def _bars(result: Result) -> list[dict[str, Any]]:
    rows = parts.rows_of(result)
    names = parts.names_of(result, rows)
    bars = []
    for row, name in zip(rows, names, strict=True):
        if row["period"] is None and not row["started"] and not row["too_young"]:
            continue  # units without any time: in no rate, in no period, only in the table
        step = f"{row['from_stage']} → {row['to_stage']}"
        young, rate = row["too_young"] or 0, row["rate"]
        bars.append(
            {
                "panel": step if name else "",
                "name": name or step,
                "rate": rate,
                "low": row["rate_low"],
                "high": row["rate_high"],
                "small": bool(row["small"]),
                "shown": NOTHING if rate is None else percent(rate),
                "basis": _basis(row),
                "young": f"{young:,}" if young else "",
            }
        )
    return bars


def _basis(row: dict[str, Any]) -> str:
    if row["started"] is None or row["converted"] is None:
        return ""
    if not row["started"]:
        return "none old enough" if row["too_young"] else "none started"
    return f"{row['converted']:,} of {row['started']:,}" + (", small" if row["small"] else "")


def _limited(bars: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """At most MOST_ROWS bars of each panel, and how many were left out."""
    kept: list[dict[str, Any]] = []
    seen: dict[str, int] = {}
    for bar in bars:
        seen[bar["panel"]] = seen.get(bar["panel"], 0) + 1
        if seen[bar["panel"]] <= parts.MOST_ROWS:
            kept.append(bar)
    return kept, len(bars) - len(kept)


def _panel(bars: list[dict[str, Any]], title: str, top: float, tokens: Tokens, *, first: bool, last: bool) -> Any:
    scale = alt.Scale(domain=[0, top * 1.05 if top > 1 else min(1.0, top * 1.05)], nice=False)
    axis = alt.Axis(title=None, format=".0%", tickCount=5, labels=last, labelExpr="replace(datum.label, '%', ' %')")
    base = alt.Chart(parts.data(bars)).encode(y=parts.names_axis("name", bars))
    x = alt.X("rate", type="quantitative", scale=scale, axis=axis)
    ends = {"x": alt.X("low", type="quantitative", scale=scale), "x2": "high"}
    small = "datum.small"
    layers = [
        base.mark_bar(height=parts.BAR - 4, cornerRadiusEnd=2, strokeWidth=1).encode(
            x=x,
            fill=alt.condition(small, alt.value(tokens.main_soft), alt.value(tokens.main)),
            stroke=alt.value(tokens.main),
            tooltip=parts.tips(name="of", shown="rate", basis="converted of started", young="too young"),
        ),
        base.mark_rule(color=tokens.ground, strokeWidth=5).encode(**ends),
        base.mark_rule(color=tokens.text, strokeWidth=1.8).encode(**ends),
        base.mark_tick(color=tokens.text, thickness=1.8, height=9, opacity=1).encode(
            x=alt.X("low", type="quantitative", scale=scale)
        ),
        base.mark_tick(color=tokens.text, thickness=1.8, height=9, opacity=1).encode(
            x=alt.X("high", type="quantitative", scale=scale)
        ),
    ]
    columns = [("shown", "rate", 66, True), ("basis", "converted of started", 196, False)]
    if any(bar["young"] for bar in bars):
        columns.append(("young", "too young", 276, False))
    for field, label, x_offset, bold in columns:
        layers.append(parts.text_column(base, field, WIDTH + x_offset, tokens, bold=bold, muted=field == "young"))
        if first:
            layers.append(parts.head(label, WIDTH + x_offset, tokens))
    drawn = alt.layer(*layers).properties(width=WIDTH, height=alt.Step(parts.ROW_HEIGHT - 4))
    if title:
        drawn = drawn.properties(
            title=alt.Title(title, fontSize=12, color=tokens.text, offset=18 if first else 8, frame="group")
        )
    return drawn


def _aside(result: Result, bars: list[dict[str, Any]]) -> str:
    rows = parts.rows_of(result)
    conventions = sorted({row["convention"] for row in rows if row["convention"]})
    windows = sorted({row["window_days"] for row in rows if row["window_days"]})
    said = [f"convention {', '.join(conventions)}" if conventions else ""]
    said.append(f"within {' or '.join(map(str, windows))} days" if windows else "")
    said.append("line: 95 % interval (Wilson)")
    said.append(
        "outlined: under 30 started, small" if any(bar["small"] and bar["rate"] is not None for bar in bars) else ""
    )
    return " · ".join(part for part in said if part)
