"""Return of campaigns in the first and the second half of their months: whose money brings less and less.

See docs/charts/roi_trend.md.
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
FALLING = "diminishing"


def chart(result: Result, theme: Theme = "light") -> Any:
    """A line per campaign from its early return (hollow) to its late one (filled), the dearest first.

    Raises:
        UsageError: no campaign has a return in both halves.
    """
    lines = _lines(result)
    shown = lines[: parts.MOST_ROWS]
    aside = [
        "won credit ÷ cost · hollow: first half of the months, filled: second half",
        parts.left_out(len(lines), len(shown)),
    ]
    return parts.finished(_drawn(shown, THEMES[theme]), result, theme, summary(result), aside)


def summary(result: Result) -> str:
    """One sentence: how many campaigns fall or rise for certain, and the dearest that falls."""
    lines = _lines(result)
    falling = [line for line in lines if line["trend"] == FALLING]
    rising = sum(line["trend"] == "rising" for line in lines)
    told = f"The return of {len(falling):,} of {len(lines):,} campaigns falls, that of {rising:,} rises"
    if not falling:
        return f"{told}."
    first = falling[0]
    return f"{told}; the dearest that falls is {first['name']}, from {first['early_shown']} to {first['late_shown']}."


def _lines(result: Result) -> list[dict[str, Any]]:
    rows = parts.rows_of(result) if result.table.num_rows else []
    known = [row for row in rows if row["early_roas"] is not None and row["late_roas"] is not None]
    if not known:
        raise UsageError(f"{result.title}: no campaign has a return in two halves of its months, nothing to draw.")
    known.sort(key=lambda row: (-row["cost"], str(row["campaign_id"])))
    return [
        {
            "name": present.clean(row["campaign"] or row["campaign_id"] or ""),
            "early": row["early_roas"],
            "late": row["late_roas"],
            "early_shown": f"{row['early_roas']:.2f}",
            "late_shown": f"{row['late_roas']:.2f}",
            "months": f"{row['months']:,}",
            "trend": row["trend"],
        }
        for row in known
    ]


def _drawn(shown: list[dict[str, Any]], tokens: Tokens) -> Any:
    top = max(max(line["early"], line["late"]) for line in shown) * 1.05 or 1.0
    scale = alt.Scale(domain=[min(0.0, *(min(line["early"], line["late"]) for line in shown)), top], nice=False)
    base = alt.Chart(parts.data(shown)).encode(
        y=parts.names_axis("name", shown),
        tooltip=parts.tips(name="campaign", early_shown="early", late_shown="late", months="months", trend="trend"),
    )
    colour = alt.condition(f"datum.trend == '{FALLING}'", alt.value(tokens.warn), alt.value(tokens.main))
    lines = base.mark_rule(strokeWidth=3).encode(
        x=alt.X("early", type="quantitative", scale=scale, axis=alt.Axis(title=None, tickCount=6)),
        x2="late",
        color=colour,
    )
    ground = base.mark_point(size=70, filled=True, opacity=1, color=tokens.ground)
    early = alt.X("early", type="quantitative", scale=scale)
    late = alt.X("late", type="quantitative", scale=scale)
    marks = [
        ground.encode(x=early),
        base.mark_point(size=70, strokeWidth=2, opacity=1).encode(x=early, color=colour),
        base.mark_point(size=80, filled=True, opacity=1).encode(x=late, color=colour),
    ]
    columns = [
        parts.text_column(base, "trend", WIDTH + 110, tokens, bold=True),
        parts.text_column(base, "months", WIDTH + 170, tokens, muted=True),
        parts.head("trend", WIDTH + 110, tokens),
        parts.head("months", WIDTH + 170, tokens),
    ]
    return alt.layer(lines, *marks, *columns).properties(width=WIDTH, height=alt.Step(parts.ROW_HEIGHT - 6))
