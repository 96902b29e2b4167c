"""Waiting share: in which stage the days of waiting were spent; the largest is the bottleneck.

See docs/charts/waiting.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme
from leadline.errors import UsageError
from leadline.render.present import percent
from leadline.results import Result


def chart(result: Result, theme: Theme = "light") -> alt.LayerChart:
    """A bar per waiting stage, the largest of each period marked; `result` is a velocity result.

    Raises:
        UsageError: no stage has a waiting share.
    """
    tokens, every = THEMES[theme], _bars(result)
    bars = parts.drawn_of(every)
    base = alt.Chart(parts.data(bars)).encode(y=parts.names_axis("name", bars))
    scale = alt.Scale(domain=[0, max(bar["share"] for bar in bars) or 1])
    largest = "datum.largest"
    layers = [
        base.mark_bar(height=parts.BAR, cornerRadiusEnd=2).encode(
            x=alt.X("share", type="quantitative", axis=None, scale=scale),
            color=alt.condition(largest, alt.value(tokens.warn), alt.value(tokens.rest)),
        ),
        parts.text_column(base, "shown", parts.WIDTH + 70, tokens, bold=True),
        parts.text_column(base, "stuck", parts.WIDTH + 140, tokens, muted=True),
        base.mark_text(align="left", baseline="middle", dx=12, color=tokens.warn, fontWeight="bold").encode(
            x=alt.value(parts.WIDTH + 140), text="said:N"
        ),
        parts.head("of waiting days", parts.WIDTH + 70, tokens),
        parts.head("stuck", parts.WIDTH + 140, tokens),
    ]
    drawn = alt.layer(*layers).properties(width=parts.WIDTH, height=alt.Step(parts.ROW_HEIGHT))
    aside = "days stood in each stage ÷ days stood in all waiting stages, open and closed visits"
    said = [aside, parts.left_out(len(every), len(bars))]
    return parts.finished(drawn, result, theme, summary(result), said, title="Where the waiting happens")


def summary(result: Result) -> str:
    """One sentence: the bottleneck by name, over several periods that of the newest."""
    largest = [bar for bar in _bars(result) if bar["largest"]][-1]
    stuck = f" {largest['stuck']} {result.unit} are stuck there." if largest["stuck"] else ""
    return f"The bottleneck is {largest['name']}: {largest['shown']} of all waiting days.{stuck}"


def available(result: Result) -> bool:
    """Whether the result has any waiting share."""
    return (
        "waiting_share" in result.table.column_names
        and result.table.column("waiting_share").null_count < result.table.num_rows
    )


def _bars(result: Result) -> list[dict[str, Any]]:
    if not available(result):
        raise UsageError(f"{result.title}: no stage has a waiting share here; ask for --measure sum.")
    rows = parts.rows_of(result)
    names = parts.names_of(result, rows)
    bars: list[dict[str, Any]] = [
        {
            "name": " · ".join(part for part in (row["stage"], name) if part),
            "stage": row["stage"],
            "period": row["period"],
            "share": row["waiting_share"],
            "shown": percent(row["waiting_share"]),
            "stuck": f"{row['stuck']:,}" if row["stuck"] else "",
        }
        for row, name in zip(rows, names, strict=True)
        if row["waiting_share"] is not None
    ]
    # The shares of each period add up to one, so each has its own bottleneck; of equal ones the first.
    largest: dict[str, dict[str, Any]] = {}
    for bar in bars:
        if bar["share"] > largest.get(bar["period"], {"share": -1.0})["share"]:
            largest[bar["period"]] = bar
    for bar in bars:
        bar["largest"] = bar is largest.get(bar["period"])
        bar["said"] = "bottleneck" if bar["largest"] else ""
    return bars
