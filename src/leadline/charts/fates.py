"""Fates: what became of every response, as bars that add up to all of them.

See docs/charts/fates.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme
from leadline.render import present
from leadline.render.present import percent
from leadline.results import Result


def chart(result: Result, theme: Theme = "light") -> alt.LayerChart:
    """A bar per fate; those that do not count as responses are outlined. Periods and dimensions are added up.

    Raises:
        UsageError: there are no responses.
    """
    tokens, bars = THEMES[theme], _bars(result)
    base = alt.Chart(parts.data(bars)).encode(y=parts.names_axis("name", bars))
    width = alt.Scale(domain=[0, max(bar["count"] for bar in bars) or 1])
    layers = [
        base.mark_bar(color=tokens.rest_soft, stroke=tokens.rest, height=parts.BAR - 1, cornerRadiusEnd=2).encode(
            x=alt.X("count", type="quantitative", axis=None, scale=width)
        ),
        base.mark_bar(color=tokens.main, height=parts.BAR, cornerRadiusEnd=2).encode(
            x=alt.X("counted", type="quantitative", axis=None)
        ),
        parts.text_column(base, "shown", parts.WIDTH + 70, tokens, bold=True),
        parts.text_column(base, "share", parts.WIDTH + 150, tokens),
        parts.head("responses", parts.WIDTH + 70, tokens),
        parts.head("of all", parts.WIDTH + 150, tokens),
    ]
    drawn = alt.layer(*layers).properties(width=parts.WIDTH, height=alt.Step(parts.ROW_HEIGHT))
    return parts.finished(drawn, result, theme, summary(result), ["outlined: does not count as a response"])


def summary(result: Result) -> str:
    """One sentence: how many count, and what most of them came to."""
    bars = _bars(result)
    whole, counted = sum(bar["count"] for bar in bars), sum(bar["counted"] for bar in bars)
    most = max(bars, key=lambda bar: bar["count"])
    return (
        f"Of {whole:,} members that responded {counted:,} count as responses; "
        f"most are {most['name']} ({most['shown']}, {most['share']})."
    )


def _bars(result: Result) -> list[dict[str, Any]]:
    rows = parts.rows_of(result)
    sums: dict[str, list[int]] = {}
    for row in sorted(rows, key=lambda row: list(_ORDER).index(row["fate"])):
        own = sums.setdefault(row["fate"], [0, 0])
        own[0] += row["count"]
        own[1] += row["count"] if row["counted"] else 0
    whole = sum(count for count, _ in sums.values())
    return [
        {
            "name": present.label(_ORDER[fate]),
            "count": count,
            "counted": counted,
            "shown": f"{count:,}",
            "share": percent(count / whole),
        }
        for fate, (count, counted) in sums.items()
    ]


_ORDER = {
    "tipped": "tipped a journey",
    "joined_before": "joined before qualification",
    "joined_after": "joined after",
    "not_qualified": "not qualified (yet)",
    "duplicate_member": "duplicate member",
    "no_date": "no date",
    "excluded": "excluded by rule",
    "after_as_of": "after as-of",
}
"""Fates in the order of the chart: what counts first."""
