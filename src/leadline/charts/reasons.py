"""The org's influence rows and ours: how many rows each reason explains, and whose they are.

See docs/charts/reasons.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.errors import UsageError
from leadline.render import present
from leadline.results import Result

WIDTH = 360
LONGEST = 420
"""Pixels for a reason: the longest one is read whole."""


def chart(result: Result, theme: Theme = "light") -> Any:
    """A bar per reason with its rows, and both amounts beside it; periods are added up.

    Raises:
        UsageError: neither side has a row.
    """
    bars = _bars(result)
    aside = ["rows: an opportunity, a person and a campaign · filled: both sides have it"]
    return parts.finished(_drawn(bars, THEMES[theme]), result, theme, summary(result), aside)


def summary(result: Result) -> str:
    """One sentence: on how many rows both sides agree, and what explains most of the others."""
    bars = _bars(result)
    total = sum(bar["rows"] for bar in bars)
    same = sum(bar["rows"] for bar in bars if bar["reason"] == "the same")
    others = [bar for bar in bars if bar["reason"] != "the same"]
    told = f"{same:,} of {total:,} rows are the same"
    if not others:
        return f"{told}."
    most = max(others, key=lambda bar: bar["rows"])
    return f"{told}; most others: {most['reason']} ({most['difference']}), {most['rows']:,}."


def _bars(result: Result) -> list[dict[str, Any]]:
    sums: dict[tuple[str, str], dict[str, Any]] = {}
    for row in parts.rows_of(result):
        key = (row["difference"], row["reason"])
        bar = sums.setdefault(key, {"difference": key[0], "reason": key[1], "rows": 0, "org": 0.0, "ours": 0.0})
        bar["rows"] += row["count"]
        bar["org"] += row["org_amount"] or 0.0
        bar["ours"] += row["our_amount"] or 0.0
    if not sums:
        raise UsageError(f"{result.title}: neither side has a row, so there is nothing to draw.")
    for bar in sums.values():
        bar["name"] = present.clean(f"{bar['difference']}: {bar['reason']}")
        bar["rows_shown"] = f"{bar['rows']:,}"
        bar["org_shown"], bar["ours_shown"] = (f"{bar[name]:,.0f}" for name in ("org", "ours"))
        bar["both"] = bar["difference"] == "both"
    return list(sums.values())


def _drawn(bars: list[dict[str, Any]], tokens: Tokens) -> Any:
    scale = alt.Scale(domain=[0, max(bar["rows"] for bar in bars) * 1.05], nice=False)
    base = alt.Chart(parts.data(bars)).encode(
        y=alt.Y(
            "name",
            type="nominal",
            sort=[bar["name"] for bar in bars],
            axis=alt.Axis(title=None, labelPadding=10, labelLimit=LONGEST),
        ),
        tooltip=parts.tips(name="reason", rows_shown="rows", org_shown="org", ours_shown="ours"),
    )
    drawn = base.mark_bar(height=parts.BAR, stroke=tokens.main, strokeWidth=1.5).encode(
        x=alt.X("rows", type="quantitative", scale=scale, axis=alt.Axis(title="rows", tickMinStep=1, tickCount=5)),
        fill=alt.condition("datum.both", alt.value(tokens.main), alt.value(tokens.ground)),
    )
    columns = [
        parts.text_column(base, "rows_shown", WIDTH + 60, tokens, bold=True),
        parts.text_column(base, "org_shown", WIDTH + 160, tokens),
        parts.text_column(base, "ours_shown", WIDTH + 260, tokens),
        parts.head("rows", WIDTH + 60, tokens),
        parts.head("org", WIDTH + 160, tokens),
        parts.head("ours", WIDTH + 260, tokens),
    ]
    return alt.layer(drawn, *columns).properties(width=WIDTH, height=alt.Step(parts.ROW_HEIGHT))
