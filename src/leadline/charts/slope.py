"""Models side by side: how the credit of each campaign changes from model to model.

See docs/charts/slope.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.errors import UsageError
from leadline.render import present
from leadline.results import Result

MOST = 8
"""Campaigns with a line; the others are in the table."""

STEP, HEIGHT = 150, 340
LEAST_GAP = 15
"""Pixels between two names at the right, so that both can be read."""

DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])


def chart(result: Result, theme: Theme = "light") -> Any:
    """A line per campaign over the models asked for; names at the right end.

    Raises:
        UsageError: fewer than two models, or nothing to draw.
    """
    lines, models, total = shares(result)
    aside = [
        f"share of the whole amount, by model · {parts.left_out(total, len(lines))}".rstrip(" ·"),
        "lines that cross change places",
    ]
    return parts.finished(_drawn(lines, models, THEMES[theme]), result, theme, summary(result), aside)


def summary(result: Result) -> str:
    """One sentence: the campaign whose share changes most between two models."""
    lines, models, _ = shares(result)

    def span(line: dict[str, Any]) -> float:
        return max(line["shares"]) - min(line["shares"])

    most = max(lines, key=span)
    low, high = (models[most["shares"].index(find(most["shares"]))] for find in (min, max))
    ends = [present.percent(find(most["shares"])) for find in (min, max)]
    return f"{most['name']} changes most: {ends[0]} by {low}, {ends[1]} by {high}."


def shares(result: Result, most: int | None = MOST) -> tuple[list[dict[str, Any]], list[str], int]:
    """The largest campaigns with their share by model, the models in order, and how many campaigns there are.

    Args:
        result: credit of several models.
        most: how many campaigns; None is all.

    Raises:
        UsageError: fewer than two models, or no campaign has credit.
    """
    rows = parts.rows_of(result)
    models = list(dict.fromkeys(row["model"] for row in rows))
    if len(models) < 2:
        raise UsageError(f"{result.title}: one model has nothing beside it; ask for several, e.g. --model first,last.")
    sums: dict[tuple[str, str], float] = {}
    names: dict[str, str] = {}
    whole = dict.fromkeys(models, 0.0)
    for row in rows:
        amount = sum(row[f"{state}_amount"] or 0.0 for state in ("won", "open", "lost"))
        whole[row["model"]] += amount
        if row["bucket"] == "campaign":
            key = row["campaign_id"] or present.bucket_name(result, row)
            names[key] = present.bucket_name(result, row)
            sums[key, row["model"]] = sums.get((key, row["model"]), 0.0) + amount
    if not names:
        raise UsageError(f"{result.title}: no campaign has credit, so there is nothing to compare.")
    lines: list[dict[str, Any]] = [
        {
            "name": name,
            "shares": [sums.get((key, model), 0.0) / whole[model] if whole[model] else 0.0 for model in models],
        }
        for key, name in names.items()
    ]
    lines.sort(key=lambda line: (-max(line["shares"]), line["name"]))
    return lines[:most], models, len(lines)


def _drawn(lines: list[dict[str, Any]], models: list[str], tokens: Tokens) -> Any:
    points = [
        {"name": line["name"], "model": model, "share": share, "shown": present.percent(share)}
        for line in lines
        for model, share in zip(models, line["shares"], strict=True)
    ]
    top = max(point["share"] for point in points) * 1.06 or 1.0
    names = [line["name"] for line in lines]
    x = alt.X(
        "model",
        type="ordinal",
        sort=models,
        axis=alt.Axis(title=None, labelAngle=0, grid=True),
        scale=alt.Scale(padding=0.3),
    )
    y = alt.Y(
        "share",
        type="quantitative",
        scale=alt.Scale(domain=[0, top], nice=False),
        axis=alt.Axis(title=None, format=".0%", labelExpr="replace(datum.label, '%', ' %')", tickCount=5),
    )
    colours = alt.Scale(domain=names, range=[tokens.series[at % len(tokens.series)] for at in range(len(names))])
    dashes = alt.Scale(domain=names, range=[DASHES[at // len(tokens.series) % len(DASHES)] for at in range(len(names))])
    colour = alt.Color("name", type="nominal", scale=colours, legend=None)
    base = alt.Chart(parts.data(points)).encode(
        x=x, y=y, tooltip=parts.tips(name="campaign", model="model", shown="share")
    )
    drawn = [
        base.mark_line(strokeWidth=2).encode(
            color=colour, strokeDash=alt.StrokeDash("name", type="nominal", scale=dashes, legend=None)
        ),
        base.mark_point(size=45, filled=True, opacity=1).encode(color=colour),
        *[_name(label, colours, y, x) for label in _labels(lines, models[-1], top)],
    ]
    return alt.layer(*drawn).properties(width=STEP * len(models), height=HEIGHT)


def _labels(lines: list[dict[str, Any]], model: str, top: float) -> list[dict[str, Any]]:
    """Names at the right end, moved apart where they would lie on each other."""
    found, last = [], HEIGHT + LEAST_GAP * len(lines)
    for line in sorted(lines, key=lambda line: line["shares"][-1]):
        at = min(HEIGHT * (1 - line["shares"][-1] / top), last - LEAST_GAP)
        last = at
        found.append(
            {
                "name": line["name"],
                "model": model,
                "at": at,
                "said": f"{present.percent(line['shares'][-1])}  {line['name']}",
            }
        )
    return found


def _name(label: dict[str, Any], colours: alt.Scale, y: alt.Y, x: alt.X) -> Any:
    return (
        alt.Chart(parts.data([label]))
        .mark_text(align="left", dx=12, fontSize=11)
        .encode(
            x=x,
            y=alt.value(label["at"]),
            text=alt.Text("said", type="nominal"),
            color=alt.Color("name", type="nominal", scale=colours, legend=None),
        )
    )
