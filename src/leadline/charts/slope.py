"""Models, or variations of one, side by side: how the credit of each campaign changes from one to the next.

See docs/charts/slope.md.
"""

from __future__ import annotations

import re
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
    """A line per campaign over the models asked for, or over what is varied of a model; names at the right end.

    Raises:
        UsageError: nothing to set side by side, or nothing to draw.
    """
    tokens, panels = THEMES[theme], {name: _in_order(one) for name, one in compared(result).items()}
    drawn = [_drawn(lines, sides, tokens) for lines, sides, _ in panels.values()]
    if len(panels) > 1:
        drawn = [parts.titled(one, f"Model {name}", tokens) for one, name in zip(drawn, panels, strict=True)]
    shown, total = (max(find(one) for one in panels.values()) for find in (lambda one: len(one[0]), lambda one: one[2]))
    what = "variation" if _VARIATION in result.table.column_names else "model"
    aside = [
        f"share of all there is to credit, by {what} · {parts.left_out(total, shown)}".rstrip(" ·"),
        "lines that cross change places",
    ]
    whole = (
        drawn[0]
        if len(drawn) == 1
        else alt.vconcat(*drawn, spacing=26).resolve_scale(color="independent", strokeDash="independent")
    )
    return parts.finished(whole, result, theme, summary(result), aside)


def summary(result: Result) -> str:
    """One sentence: the campaign whose share changes most between two sides."""
    lines, sides, _ = next(iter(compared(result).values()))

    def span(line: dict[str, Any]) -> float:
        return max(line["shares"]) - min(line["shares"])

    most = max(lines, key=span)
    low, high = (sides[most["shares"].index(find(most["shares"]))] for find in (min, max))
    ends = [present.percent(find(most["shares"])) for find in (min, max)]
    return f"{most['name']} changes most: {ends[0]} by {low}, {ends[1]} by {high}."


_VARIATION = "variation"

Compared = tuple[list[dict[str, Any]], list[str], int]
"""The largest campaigns with their share by side, the sides in order, and how many campaigns there are."""


def compared(result: Result, most: int | None = MOST) -> dict[str, Compared]:
    """What stands side by side: models, or for each model what is varied.

    Args:
        result: credit of several models, or of variations of one.
        most: how many campaigns; None is all.

    Raises:
        UsageError: nothing stands beside another, or no campaign has credit.
    """
    rows = [_row(result, row) for row in parts.rows_of(result)]
    groups = dict.fromkeys(row["group"] for row in rows)
    return {group: _shares(result, [row for row in rows if row["group"] == group], most) for group in groups}


def _in_order(one: Compared) -> Compared:
    """Days of look-back as numbers go, whichever is the usual one; all else as asked."""
    lines, sides, total = one
    days = [int(found[1]) for side in sides if (found := re.fullmatch(r"(\d+) days", side))]
    if len(days) < len(sides):
        return one
    order = sorted(range(len(sides)), key=lambda at: days[at])
    moved = [{**line, "shares": [line["shares"][at] for at in order]} for line in lines]
    return moved, [sides[at] for at in order], total


def _row(result: Result, row: dict[str, Any]) -> dict[str, Any]:
    """The parts of a row that are compared: who has how much of what, by which side."""
    varied, on_paths = _VARIATION in row, "state" in row
    amounts = next(names for names in _AMOUNTS if names[0] in row)
    held = row["state"] is not None if on_paths else row["bucket"] == "campaign"
    name = present.clean(row["state"] or "") if on_paths else present.bucket_name(result, row)
    return {
        "group": row["model"] if varied else "",
        "side": row[_VARIATION] if varied else row.get("model", ""),
        "key": name if on_paths else row["campaign_id"] or name,
        "name": name,
        "held": held,
        "amount": sum(row[amount] or 0.0 for amount in amounts),
    }


_AMOUNTS = (("credit",), ("conversions",), ("credited",), ("won_amount", "open_amount", "lost_amount"))
"""What is credited, by the columns a result has."""


def _shares(result: Result, rows: list[dict[str, Any]], most: int | None) -> Compared:
    sides = list(dict.fromkeys(row["side"] for row in rows))
    if len(sides) < 2:
        raise UsageError(f"{result.title}: one model has nothing beside it; ask for several, e.g. --model first,last.")
    sums: dict[tuple[str, str], float] = {}
    names: dict[str, str] = {}
    whole = dict.fromkeys(sides, 0.0)
    for row in rows:
        whole[row["side"]] += row["amount"]
        if row["held"]:
            names[row["key"]] = row["name"]
            sums[row["key"], row["side"]] = sums.get((row["key"], row["side"]), 0.0) + row["amount"]
    if not names:
        raise UsageError(f"{result.title}: no campaign has credit, so there is nothing to compare.")
    lines: list[dict[str, Any]] = [
        {
            "name": name,
            "shares": [sums.get((key, side), 0.0) / whole[side] if whole[side] else 0.0 for side in sides],
        }
        for key, name in names.items()
    ]
    lines.sort(key=lambda line: (-max(line["shares"]), line["name"]))
    return lines[:most], sides, len(lines)


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
        axis=alt.Axis(title=None, format=".1~%", labelExpr="replace(datum.label, '%', ' %')", tickCount=5),
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
