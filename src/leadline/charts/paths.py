"""Credit on paths: each state's share of the conversions, model by model.

See docs/charts/paths.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.render import present
from leadline.results import Result

NOBODY = "(paths without a state)"


def chart(result: Result, theme: Theme = "light") -> Any:
    """A bar per state, the largest first, with its interval where there is one; a panel per model.

    Raises:
        UsageError: nothing to draw.
    """
    tokens, rows = THEMES[theme], _rows(result)
    models = list(dict.fromkeys(row["model"] for row in rows))
    top = max([row["high"] for row in rows] + [row["share"] for row in rows]) * 1.02 or 1.0
    low = min(0.0, *(row["low"] for row in rows), *(row["share"] for row in rows))
    panels = [_panel([row for row in rows if row["model"] == model], (low, top), tokens) for model in models]
    drawn = panels[0] if len(panels) == 1 else alt.vconcat(*panels, spacing=24)
    most = max(sum(row["model"] == model for row in _all(result)) for model in models)
    aside = [
        "share of all conversions" + (" · line: 5th to 95th percentile of paths drawn anew" if _drawn(result) else "")
    ]
    return parts.finished(drawn, result, theme, summary(result), [*aside, parts.left_out(most, parts.MOST_ROWS)])


def summary(result: Result) -> str:
    """One sentence per model: the state with the largest share."""
    found: dict[str, dict[str, Any]] = {}
    for row in _rows(result):
        if row["name"] != NOBODY and row["share"] > found.get(row["model"], {"share": float("-inf")})["share"]:
            found[row["model"]] = row
    if not found:
        return "No state has credit."
    told = [f"{row['name']} has most{model and f' by {model}'}, {row['shown']}" for model, row in found.items()]
    return f"{'; '.join(told)}."


def _drawn(result: Result) -> bool:
    return "share_low" in result.table.column_names


def _all(result: Result) -> list[dict[str, Any]]:
    return [{**row, "model": row.get("model") or ""} for row in parts.rows_of(result)]


def _rows(result: Result) -> list[dict[str, Any]]:
    """The largest states of each model."""
    found: list[dict[str, Any]] = []
    shown: dict[str, int] = {}
    for row in _all(result):
        shown[row["model"]] = shown.get(row["model"], 0) + 1
        if shown[row["model"]] > parts.MOST_ROWS:
            continue
        share = row["share"] or 0.0
        sure = row.get("share_low") is not None
        found.append(
            {
                "model": row["model"],
                "name": present.clean(row["state"]) if row["state"] is not None else NOBODY,
                "share": share,
                "low": row["share_low"] if sure else share,
                "high": row["share_high"] if sure else share,
                "sure": sure,
                "shown": present.percent(share),
                "conversions": f"{row['conversions']:,.1f}",
            }
        )
    return found


def _panel(rows: list[dict[str, Any]], ends: tuple[float, float], tokens: Tokens) -> Any:
    y = parts.names_axis("name", rows)
    axis = alt.Axis(title=None, format=".1~%", labelExpr="replace(datum.label, '%', ' %')", tickCount=5)
    x = alt.X("share", type="quantitative", axis=axis, scale=alt.Scale(domain=list(ends), nice=False))
    base = alt.Chart(parts.data(rows)).encode(y=y)
    tips = parts.tips(name="state", shown="share", conversions="conversions")
    marks = [
        base.mark_bar(height=parts.BAR - 4, color=tokens.main_soft, stroke=tokens.main).encode(x=x, tooltip=tips),
        base.transform_filter("datum.sure")
        .mark_rule(color=tokens.text, strokeWidth=1.5)
        .encode(x=alt.X("low", type="quantitative"), x2="high"),
        parts.text_column(base, "shown", parts.WIDTH + 64, tokens, bold=True),
        parts.text_column(base, "conversions", parts.WIDTH + 142, tokens),
        parts.head("share", parts.WIDTH + 64, tokens),
        parts.head("conversions", parts.WIDTH + 142, tokens),
    ]
    drawn = alt.layer(*marks).properties(width=parts.WIDTH, height=alt.Step(parts.ROW_HEIGHT - 8))
    return parts.titled(drawn, f"Model {rows[0]['model']}", tokens) if rows[0]["model"] else drawn
