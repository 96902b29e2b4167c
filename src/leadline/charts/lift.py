"""Lift: how far responders of each campaign went on more often than comparable others, with its interval.

See docs/charts/lift.md.
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


def chart(result: Result, theme: Theme = "light") -> Any:
    """A point with its interval per campaign around no difference; filled where it differs.

    Raises:
        UsageError: no campaign could be compared.
    """
    points = _points(result)
    shown = points[: parts.MOST_ROWS]
    aside = [
        "difference of the two rates, 95 % interval · filled: differs at a false discovery rate of 10 %",
        " · ".join(part for part in ("association, not proof", parts.left_out(len(points), len(shown))) if part),
    ]
    return parts.finished(_drawn(shown, THEMES[theme]), result, theme, summary(result), aside)


def summary(result: Result) -> str:
    """One sentence: how many campaigns differ, and the one that is furthest above for certain."""
    points = _points(result)
    differing = [point for point in points if point["differs"]]
    best = points[0]
    return (
        f"{len(differing):,} of {len(points):,} campaigns differ from comparable journeys; "
        f"the highest lower end is {best['name']}: {best['rate']} against {best['others']}."
    )


def _points(result: Result) -> list[dict[str, Any]]:
    rows = [row for row in parts.rows_of(result) if row["difference"] is not None] if result.table.num_rows else []
    if not rows:
        raise UsageError(f"{result.title}: no campaign has comparable journeys. Widen the filters, or match by less.")
    return [
        {
            "name": present.clean(row["campaign"] or row["campaign_id"]),
            "difference": row["difference"],
            "low": row["difference_low"],
            "high": row["difference_high"],
            "differs": bool(row["differs"]),
            "rate": present.percent(row["rate"]),
            "others": present.percent(row["comparable_rate"]),
            "shown": f"{row['difference'] * 100:+.1f}",
            "count": f"{row['responders']:,}",
        }
        for row in rows
    ]


def _drawn(shown: list[dict[str, Any]], tokens: Tokens) -> Any:
    ends = [point[name] for point in shown for name in ("low", "high")]
    room = (max(ends) - min(ends)) * 0.04 or 0.01
    scale = alt.Scale(domain=[min(0.0, *ends) - room, max(0.0, *ends) + room], nice=False)
    axis = alt.Axis(
        title="difference in points of a percentage", tickCount=6, labelExpr="round(datum.value * 1000) / 10"
    )
    base = alt.Chart(parts.data(shown)).encode(
        y=parts.names_axis("name", shown),
        tooltip=parts.tips(name="of", rate="responders", others="comparable", shown="difference", count="responders"),
    )
    zero = alt.Chart(parts.data([{"at": 0}])).mark_rule(color=tokens.axis, strokeDash=[3, 3])
    spans = base.mark_rule(color=tokens.main, strokeWidth=2).encode(
        x=alt.X("low", type="quantitative", scale=scale, axis=axis), x2="high"
    )
    marks = base.mark_point(size=70, opacity=1, strokeWidth=2, stroke=tokens.main).encode(
        x=alt.X("difference", type="quantitative", scale=scale),
        fill=alt.condition("datum.differs", alt.value(tokens.main), alt.value(tokens.ground)),
    )
    columns = [
        parts.text_column(base, "rate", WIDTH + 76, tokens, bold=True),
        parts.text_column(base, "others", WIDTH + 146, tokens),
        parts.text_column(base, "count", WIDTH + 206, tokens, muted=True),
        parts.head("responders", WIDTH + 76, tokens),
        parts.head("others", WIDTH + 146, tokens),
        parts.head("n", WIDTH + 206, tokens),
    ]
    drawn = alt.layer(zero.encode(x=alt.X("at", type="quantitative", scale=scale)), spans, marks, *columns)
    return drawn.properties(width=WIDTH, height=alt.Step(parts.ROW_HEIGHT - 8))
