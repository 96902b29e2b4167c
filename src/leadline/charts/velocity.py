"""Velocity: how long units stand in a stage; median with interval, third quartile, ninetieth percentile.

See docs/charts/velocity.md.
"""

from __future__ import annotations

import math
from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.render.present import NOT_REACHED
from leadline.results import Result

WIDTH = 400
COLUMNS = {
    "median": "median_days",
    "p75": "p75_days",
    "p90": "p90_days",
    "low": "median_low",
    "high": "median_high",
}
MARKS = {"median": "circle", "p75": "diamond", "p90": "square"}


def chart(result: Result, theme: Theme = "light") -> alt.LayerChart:
    """A line from the median to the ninetieth percentile per stage; an arrow where it is not reached.

    Raises:
        UsageError: nothing to draw.
    """
    tokens, spans = THEMES[theme], _spans(result)
    shown = parts.drawn_of(spans)
    drawn = alt.layer(*_marks(shown, tokens), *_columns(shown, tokens))
    drawn = drawn.properties(width=WIDTH, height=alt.Step(parts.ROW_HEIGHT))
    aside = [_aside(result), parts.left_out(len(spans), len(shown))]
    return parts.finished(drawn, result, theme, summary(result), aside)


def summary(result: Result) -> str:
    """One sentence: where time goes longest, by the median."""
    spans = _spans(result)
    known = [span for span in spans if span["median"] is not None]
    slow = [span["name"] for span in spans if span["median"] is None and span["n"]]
    told = ""
    if known:
        longest = max(known, key=lambda span: span["median"])
        told = (
            f"The longest median is {longest['name']}: {longest['median']:,.1f} days ({longest['n']:,} {result.unit})."
        )
    return (
        " ".join(part for part in (told, f"Median not reached: {', '.join(slow)}." if slow else "") if part)
        or "No durations."
    )


def _spans(result: Result) -> list[dict[str, Any]]:
    every = parts.rows_of(result)
    # A row of units without any time has nothing to draw and takes the place of one that has.
    rows = [row for row in every if row["n"]] or every
    names = parts.names_of(result, rows)
    several = len({row["stage"] for row in rows}) > 1
    spans = []
    for row, name in zip(rows, names, strict=True):
        stage = f"{row['stage']} → {row['to_stage']}" if row["to_stage"] else row["stage"]
        label = " · ".join(part for part in (stage if several or not name else "", name) if part)
        span: dict[str, Any] = {
            "name": label,
            "stage": row["stage"],
            "period": row["period"],
            "n": row["n"] or 0,
            "open": f"{row['open'] or 0:,}",
        }
        span |= {key: _finite(row[column]) for key, column in COLUMNS.items()}
        spans.append(span | _texts(span))
    reach = max([span[key] for span in spans for key in COLUMNS if span[key] is not None] + [1.0])
    for span in spans:
        _extend(span, reach * 1.08)
    return spans


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _texts(span: dict[str, Any]) -> dict[str, str]:
    low, high = (f"{span[key]:,.1f}" if span[key] is not None else NOT_REACHED for key in ("low", "high"))
    median = NOT_REACHED if span["n"] else ""
    return {
        "shown": median if span["median"] is None else f"{span['median']:,.1f}",
        # Without a lower limit the band is undefined, not endless.
        "band": "" if span["low"] is None else f"{low} to {high}",
        "count": f"{span['n']:,}",
    }


def _extend(span: dict[str, Any], edge: float) -> None:
    """Where the line of a span begins and ends, and the arrow that says it goes on."""
    reached = [span[key] for key in ("median", "p75", "p90") if span[key] is not None]
    span["start"] = reached[0] if reached else 0.0
    span["end"] = span["p90"] if span["p90"] is not None else edge
    missing = [key for key in MARKS if span[key] is None]
    span["arrow"] = edge if missing and span["n"] else None
    span["missing"] = f"{missing[0]} {NOT_REACHED}" if missing and span["n"] else ""
    if not span["n"]:
        span["start"] = span["end"] = None
    if span["high"] is None and span["low"] is not None:
        span["high"] = edge


def _marks(spans: list[dict[str, Any]], tokens: Tokens) -> list[alt.Chart]:
    base = alt.Chart(parts.data(spans)).encode(y=parts.names_axis("name", spans))
    edge = max(span["arrow"] or 0 for span in spans) or max([span["end"] or 0 for span in spans] + [1.0]) * 1.05
    scale = alt.Scale(domain=[0, edge], nice=False)
    axis = alt.Axis(title=None, tickCount=6, labelExpr="datum.label + ' d'")
    line = base.mark_rule(color=tokens.main, strokeWidth=2)
    band = base.mark_bar(color=tokens.main_soft, stroke=tokens.main, height=13)
    return [
        line.encode(x=alt.X("start", type="quantitative", scale=scale, axis=axis), x2="end"),
        band.encode(x=alt.X("low", type="quantitative", scale=scale), x2="high"),
        _dots(spans, tokens, scale),
        *_arrows(base, tokens, scale),
    ]


def _dots(spans: list[dict[str, Any]], tokens: Tokens, scale: alt.Scale) -> alt.Chart:
    """Median, third quartile and ninetieth percentile, where they were reached."""
    points = [
        {"name": span["name"], "mark": mark, "days": span[mark], "shown": f"{span[mark]:,.1f}"}
        for span in spans
        # Where marks meet the smaller one lies on top, so that all are seen.
        for mark in reversed(MARKS)
        if span[mark] is not None
    ]
    marks = list(MARKS)
    sizes = alt.Scale(domain=marks, range=[60, 80, 150])
    fills = alt.Scale(domain=marks, range=[tokens.main, tokens.ground, tokens.ground])
    shapes = alt.Scale(domain=marks, range=list(MARKS.values()))
    dots = alt.Chart(parts.data(points)).mark_point(opacity=1, stroke=tokens.main, strokeWidth=2)
    return dots.encode(
        y=parts.names_axis("name", spans),
        x=alt.X("days", type="quantitative", scale=scale),
        shape=alt.Shape("mark", type="nominal", scale=shapes, legend=alt.Legend(title=None)),
        fill=alt.Fill("mark", type="nominal", scale=fills),
        size=alt.Size("mark", type="nominal", scale=sizes),
        tooltip=parts.tips(name="of", mark="mark", shown="days"),
    )


def _arrows(base: alt.Chart, tokens: Tokens, scale: alt.Scale) -> list[alt.Chart]:
    """Where a line goes on beyond what has been seen, and what was not reached."""
    arrows = base.transform_filter("isValid(datum.arrow)").encode(x=alt.X("arrow", type="quantitative", scale=scale))
    text = arrows.mark_text(align="right", baseline="bottom", dy=-8, dx=4, fontSize=11, color=tokens.muted)
    return [
        arrows.mark_point(shape="triangle-right", filled=True, color=tokens.main, size=70, opacity=1),
        text.encode(text="missing:N"),
    ]


def _columns(spans: list[dict[str, Any]], tokens: Tokens) -> list[alt.Chart]:
    base = alt.Chart(parts.data(spans)).encode(y=parts.names_axis("name", spans))
    drawn = []
    for field, label, x, bold in (
        ("shown", "median days", 92, True),
        ("band", "95 % interval", 240, False),
        ("count", "counted", 304, False),
        ("open", "still open", 376, False),
    ):
        drawn.append(parts.text_column(base, field, WIDTH + x, tokens, bold=bold, muted=not bold))
        drawn.append(parts.head(label, WIDTH + x, tokens))
    return drawn


def _aside(result: Result) -> str:
    measure, days = parts.setting(result, "measure"), result.filters.get("days")
    said = [
        f"measure {measure}" if measure else "",
        f"{days} days" if days else "",
        "open visits count as far as they have come (Kaplan-Meier)",
    ]
    return " · ".join(part for part in said if part)
