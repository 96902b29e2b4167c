"""Cost and return: what each campaign cost beside what it won.

See docs/charts/roi.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.errors import UsageError
from leadline.render import present
from leadline.results import Result

MOST = 18
WIDTH = 380


def chart(result: Result, theme: Theme = "light") -> Any:
    """A line per campaign from its cost to its won credit, with ROI and payback beside it.

    Raises:
        UsageError: no row has a cost.
    """
    bars = _bars(result)
    shown = bars[:MOST]
    models = sorted({bar["model"] for bar in bars})
    aside = [
        f"model {models[0]} · amounts in {result.currency}, on a scale of roots · hollow: cost, filled: won credit",
        parts.left_out(len(bars), len(shown)),
    ]
    return parts.finished(_drawn(shown, THEMES[theme]), result, theme, summary(result), aside)


def summary(result: Result) -> str:
    """One sentence: cost and won credit of all, and how many campaigns won more than they cost."""
    bars = _bars(result)
    cost, won = (sum(bar[name] for bar in bars) for name in ("cost", "won"))
    ahead = sum(bar["won"] >= bar["cost"] for bar in bars)
    return (
        f"{result.title}: cost {cost:,.0f} and won credit {won:,.0f} {result.currency}; "
        f"{ahead:,} of {len(bars):,} rows won at least their cost."
    )


def _bars(result: Result) -> list[dict[str, Any]]:
    """Rows of the first model with a cost above 0, the dearest first."""
    rows = [row for row in parts.rows_of(result) if row["cost"] and row["cost"] > 0]
    if not rows:
        raise UsageError(f"{result.title}: no row has a cost, so there is nothing to draw. Enter costs first.")
    own = [row for row in rows if row["model"] == rows[0]["model"]]
    names = _named(result, own)
    bars = [
        {
            "name": name,
            "model": row["model"],
            "cost": row["cost"],
            "won": row["won_amount"],
            "low": min(row["cost"], row["won_amount"]),
            "high": max(row["cost"], row["won_amount"]),
            "ahead": "won at least its cost" if row["won_amount"] >= row["cost"] else "won less than its cost",
            "cost_shown": f"{row['cost']:,.0f}",
            "won_shown": f"{row['won_amount']:,.0f}",
            "roi": present.percent(row["roi"]),
            "payback": _payback(row),
        }
        for name, row in zip(names, own, strict=True)
    ]
    return sorted(bars, key=lambda bar: -bar["cost"])


def _named(result: Result, rows: list[dict[str, Any]]) -> list[str]:
    if all(row["campaign_id"] is None for row in rows):
        return [name or "all" for name in parts.names_of(result, rows)]
    several = len({row["period"] for row in rows}) > 1
    names = [present.clean(row["campaign"] or row["campaign_id"]) for row in rows]
    return [f"{row['period']} · {name}" if several else name for row, name in zip(rows, names, strict=True)]


def _payback(row: dict[str, Any]) -> str:
    if row["payback_days"] is not None:
        return f"{row['payback_days']:,} d"
    return row["payback"] or ""


def _drawn(shown: list[dict[str, Any]], tokens: Tokens) -> Any:
    top = max(bar["high"] for bar in shown)
    # Roots, so that a small cost can be seen beside a large return, and 0 and refunds have a place.
    scale = alt.Scale(type="sqrt", domain=[min(0.0, *(bar["low"] for bar in shown)), top * 1.05], nice=False)
    axis = alt.Axis(
        title=None,
        format="~s",
        tickCount=6,
        labelOverlap="greedy",
        labelSeparation=14,
        labelExpr="datum.value ? replace(datum.label, 'G', 'B') : '0'",
    )
    base = alt.Chart(parts.data(shown)).encode(
        y=parts.names_axis("name", shown),
        tooltip=parts.tips(name="of", cost_shown="cost", won_shown="won credit", roi="ROI", payback="payback"),
    )
    colours = alt.Scale(domain=["won at least its cost", "won less than its cost"], range=[tokens.main, tokens.warn])
    colour = alt.Color("ahead", type="nominal", scale=colours, legend=alt.Legend(title=None, orient="top"))
    lines = base.mark_rule(strokeWidth=3).encode(
        x=alt.X("low", type="quantitative", scale=scale, axis=axis), x2="high", color=colour
    )
    costs = base.mark_point(size=70, filled=True, strokeWidth=2, opacity=1, color=tokens.ground).encode(
        x=alt.X("cost", type="quantitative", scale=scale)
    )
    rings = base.mark_point(size=70, strokeWidth=2, opacity=1).encode(
        x=alt.X("cost", type="quantitative", scale=scale), color=colour
    )
    won = base.mark_point(size=80, filled=True, opacity=1).encode(
        x=alt.X("won", type="quantitative", scale=scale), color=colour
    )
    columns = [
        parts.text_column(base, "roi", WIDTH + 84, tokens, bold=True),
        parts.text_column(base, "payback", WIDTH + 164, tokens, muted=True),
        parts.head("ROI", WIDTH + 84, tokens),
        parts.head("paid back after", WIDTH + 164, tokens),
    ]
    drawn = alt.layer(lines, costs, rings, won, *columns)
    return drawn.properties(width=WIDTH, height=alt.Step(parts.ROW_HEIGHT - 6))
