"""Cohort triangle: start periods down, age across, in each cell the share that has gone on by then.

See docs/charts/triangle.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.errors import UsageError
from leadline.render.present import clean, dimensions
from leadline.results import Result

CELL, HEIGHT = 46, 26
MOST_AGES = 16
DARKEST = 0.55
"""Opacity of the highest rate, at which text on it still has a contrast of 4.5:1 in both themes."""


def chart(result: Result, theme: Theme = "light") -> Any:
    """A heat map per transition and segment; the numbers stand in the cells.

    Raises:
        UsageError: nothing to draw.
    """
    tokens, found = THEMES[theme], _cells(result)
    panels = list(dict.fromkeys(cell["panel"] for cell in found))
    drawn = [_panel([cell for cell in found if cell["panel"] == panel], panel, tokens) for panel in panels]
    whole = drawn[0] if len(drawn) == 1 else alt.vconcat(*drawn, spacing=22)
    aside = ["each cell: percent that had gone on by that age · dashed and slanted: part of the cohort is younger"]
    ages = len({cell["age"] for cell in _rows(result)})
    left = f"{ages - MOST_AGES} more ages in the table" if ages > MOST_AGES else ""
    return parts.finished(whole, result, theme, summary(result), [*aside, left])


def summary(result: Result) -> str:
    """One sentence: the oldest complete share of the first and the last cohort that has one."""
    rows = _rows(result)
    first = rows[0]["panel"]
    whole = [row for row in rows if row["panel"] == first and row["age"] == row["last_complete_age"]]
    if not whole:
        return f"{first}: no cohort has reached any age as a whole yet."
    ends = [f"{row['shown']} % of {row['period']} by {row['age_days']} days" for row in (whole[0], whole[-1])]
    return f"{first}: {'; '.join(dict.fromkeys(ends))}."


def _rows(result: Result) -> list[dict[str, Any]]:
    rows = parts.rows_of(result)
    for row in rows:
        segment = [clean(str(row[name])) if row[name] is not None else "(empty)" for name in dimensions(result)]
        row["panel"] = " · ".join([f"{row['from_stage']} → {row['to_stage']}", *segment])
        row["shown"] = f"{100 * row['rate']:.1f}" if row["rate"] < 0.0995 else f"{100 * row['rate']:.0f}"
    return rows


def _cells(result: Result) -> list[dict[str, Any]]:
    rows = _rows(result)
    ages = sorted({row["age"] for row in rows})
    # Evenly spread, the first and the last always among them.
    kept = (
        {ages[round(at * (len(ages) - 1) / (MOST_AGES - 1))] for at in range(MOST_AGES)} if len(ages) > 1 else set(ages)
    )
    top = max(row["rate"] for row in rows)
    if not top:
        raise UsageError(f"{result.title}: nobody has gone on at any age, so there is nothing to draw.")
    return [
        {
            "panel": row["panel"],
            "period": str(row["period"]),
            "age": row["age"],
            "shade": DARKEST * row["rate"] / top,
            "shown": row["shown"],
            "complete": bool(row["complete"]),
            "basis": f"{row['converted']:,} of {row['started']:,}",
            "days": f"{row['age_days']} days",
        }
        for row in rows
        if row["age"] in kept
    ]


def _panel(found: list[dict[str, Any]], title: str, tokens: Tokens) -> Any:
    ages = sorted({cell["age"] for cell in found})
    x = alt.X("age", type="ordinal", sort=ages, axis=alt.Axis(title=None, orient="top", labelAngle=0))
    base = alt.Chart(parts.data(found)).encode(x=x, y=parts.names_axis("period", found))
    cells = base.mark_rect(fill=tokens.main, strokeWidth=1).encode(
        fillOpacity=alt.FillOpacity("shade", type="quantitative", scale=None, legend=None),
        tooltip=parts.tips(period="start", days="age", shown="percent", basis="went on"),
    )
    edges = base.mark_rect(filled=False, strokeWidth=1)
    numbers = base.mark_text(fontSize=11, color=tokens.text).encode(text=alt.Text("shown", type="nominal"))
    layers = [
        cells,
        edges.transform_filter("datum.complete").encode(stroke=alt.value(tokens.ground)),
        edges.transform_filter("!datum.complete")
        .mark_rect(filled=False, strokeWidth=1, strokeDash=[3, 2])
        .encode(stroke=alt.value(tokens.text)),
        numbers.transform_filter("datum.complete"),
        numbers.transform_filter("!datum.complete").mark_text(fontSize=11, fontStyle="italic", color=tokens.text),
    ]
    name = alt.Title(title, anchor="start", fontSize=12, color=tokens.text, offset=8, frame="group")
    return alt.layer(*layers).properties(width=alt.Step(CELL), height=alt.Step(HEIGHT), title=name)
