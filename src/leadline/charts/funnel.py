"""Funnel: how many units each stage has, of the stage before and of the first.

See docs/charts/funnel.md.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.render.present import percent
from leadline.results import Result

STRIPES = 84
"""Stripes on a bar as long as the track."""


def chart(result: Result, theme: Theme = "light") -> alt.LayerChart:
    """Bars by stage; `result` is a volume result with one row per stage, period and dimension.

    Periods and single-valued dimensions are added up; of `standing` the last period is shown.

    Raises:
        UsageError: nothing to draw, or counts that overlap.
    """
    tokens, stages = THEMES[theme], _stages(result)
    base = alt.Chart(parts.data(stages)).encode(y=parts.names_axis("stage", stages))
    width = alt.Scale(domain=[0, max(max(stage["first"], stage["count"]) for stage in stages) or 1])
    x = alt.X("count", type="quantitative", axis=None, scale=width)
    layers = [
        base.mark_bar(color=tokens.grid, height=parts.BAR, cornerRadiusEnd=2).encode(
            x=alt.X("first", type="quantitative", axis=None)
        ),
        base.mark_bar(color=tokens.main_soft, stroke=tokens.main, height=parts.BAR - 1, cornerRadiusEnd=2).encode(x=x),
        base.mark_bar(color=tokens.main, height=parts.BAR, cornerRadiusEnd=2).encode(
            x=alt.X("timed", type="quantitative", axis=None)
        ),
        _hatching(stages, width, tokens),
        *_columns(base, stages, result, tokens),
    ]
    drawn = alt.layer(*layers).properties(width=parts.WIDTH, height=alt.Step(parts.ROW_HEIGHT))
    return parts.finished(drawn, result, theme, summary(result), [_aside(result, stages)])


def summary(result: Result) -> str:
    """One sentence: the ends of the funnel and its largest loss."""
    stages = _stages(result)
    first, last, view = stages[0], stages[-1], parts.setting(result, "view")
    if view == "standing":
        return f"{first['count']:,} {result.unit} stand at {first['stage']}, {last['count']:,} at {last['stage']}."
    if view == "entered":
        sentence = (
            f"{first['count']:,} {result.unit} entered {first['stage']}, {last['count']:,} entered {last['stage']}."
        )
    else:
        sentence = f"Of {first['count']:,} {result.unit} at {first['stage']}, {last['count']:,} ({last['of_first']}) reached {last['stage']}."
    shares = [
        (after["count"] / before["count"], before, after)
        for before, after in itertools.pairwise(stages)
        if before["count"]
    ]
    if shares:
        share, before, after = min(shares, key=lambda one: one[0])
        sentence += f" The smallest step is {before['stage']} to {after['stage']}, {percent(share)}."
    return sentence


def _stages(result: Result) -> list[dict[str, Any]]:
    parts.refuse_overlap(result)
    rows = parts.rows_of(result)
    if parts.setting(result, "view") == "standing":
        last = max(row["period"] or "" for row in rows)
        rows = [row for row in rows if (row["period"] or "") == last]
    counts = {stage: [0, 0] for stage in parts.stages_of(result, rows)}
    for row in rows:
        counts[row["stage"]][0] += row["count"]
        counts[row["stage"]][1] += row["count"] - row["observed"]
    first = next(iter(counts.values()))[0]
    stages, previous = [], None
    for stage, (count, implied) in counts.items():
        stages.append(
            {
                "stage": stage,
                "count": count,
                "timed": count - implied,
                "first": first,
                "shown": f"{count:,}",
                "of_previous": percent(count / previous) if previous else "",
                "of_first": percent(count / first) if first else "",
                "implied": f"{implied:,}" if implied else "",
            }
        )
        previous = count
    return stages


def _hatching(stages: list[dict[str, Any]], width: alt.Scale, tokens: Tokens) -> alt.Chart:
    """Upright stripes over the part of each bar that is only implied."""
    step = max(max(stage["first"], stage["count"]) for stage in stages) / STRIPES or 1
    stripes = [
        {"stage": stage["stage"], "at": stage["timed"] + step * number}
        for stage in stages
        for number in range(1, math.ceil((stage["count"] - stage["timed"]) / step))
    ]
    base = alt.Chart(parts.data(stripes)).encode(
        y=parts.names_axis("stage", stages), x=alt.X("at", type="quantitative", axis=None, scale=width)
    )
    return base.mark_tick(orient="vertical", color=tokens.main, thickness=1, size=parts.BAR - 1, opacity=1)


def _columns(base: alt.Chart, stages: list[dict[str, Any]], result: Result, tokens: Tokens) -> list[alt.Chart]:
    columns = [("shown", result.unit, True)]
    if parts.setting(result, "view") != "standing":
        columns += [("of_previous", "of previous", False), ("of_first", "of first", False)]
    if any(stage["implied"] for stage in stages):
        columns.append(("implied", "implied", False))
    drawn = []
    for i, (field, label, bold) in enumerate(columns):
        x = parts.WIDTH + 84 * (i + 1)
        drawn += [
            parts.text_column(base, field, x, tokens, bold=bold, muted=field == "implied"),
            parts.head(label, x, tokens),
        ]
    return drawn


def _aside(result: Result, stages: list[dict[str, Any]]) -> str:
    view = parts.setting(result, "view")
    implied = "hatched: reached without a time of its own" if any(stage["implied"] for stage in stages) else ""
    flow = "shares are entries per entry of the same time, not of one cohort" if view == "entered" else ""
    return " · ".join(part for part in (f"view {view}" if view else "", flow, implied) if part)
