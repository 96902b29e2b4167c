"""One opportunity through time: its touches, and what each model credits to them.

See docs/charts/timeline.md.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.dates import end_of_day
from leadline.errors import UsageError
from leadline.render import present
from leadline.results import Result

WIDTH = 520
HOLDS, COLUMN = 190, 84
"""Pixels for the milestones, and for each model beside them."""

LINE = 13
"""Pixels between names of milestones, one above the other."""

MOST_MODELS = 4
NOTHING = "no credit of any model"


def chart(result: Result, theme: Theme = "light") -> Any:
    """A row per model with its touches in time, their size the credit; below a line per response.

    Raises:
        UsageError: the opportunity has no touch.
    """
    marks = _marks(result)
    aside = [
        f"size: credit in {result.currency} · filled: before the creation, ring: after it, cross: nothing",
        parts.left_out(len({mark["id"] for mark in marks}), parts.MOST_ROWS),
        *[_left(result, total) for total in result.totals if total["total_amount"] != total["credited_amount"]],
    ]
    drawn = _drawn(marks, _milestones(result), THEMES[theme])
    return parts.finished(drawn, result, theme, summary(result), aside)


def summary(result: Result) -> str:
    """One sentence: how many touches there are, from when to when, and who has most by the first model."""
    marks = _marks(result)
    first = [mark for mark in marks if mark["row"] == marks[0]["row"] and mark["credit"]]
    days = sorted(mark["day"] for mark in marks)
    told = f"{result.title}: {len({mark['id'] for mark in marks}):,} responses from {days[0]} to {days[-1]}"
    if not first:
        return f"{told}; none has credit."
    most = max(first, key=lambda mark: abs(mark["credit"]))
    return f"{told}; by {most['row']} {most['campaign']} has most, {most['shown']} {result.currency}."


def _left(result: Result, total: dict[str, Any]) -> str:
    said = [
        f"{name} {present.amount_text(result, total[f'{name}_amount'])}"
        for name in ("pending", "unattributed")
        if total[f"{name}_amount"]
    ]
    return f"{total['model']}: {', '.join(said)}"


def _marks(result: Result) -> list[dict[str, Any]]:
    marks = []
    for row in parts.rows_of(result):
        if row["at"] is None:
            continue
        local = present.local_time(row["at"], result.timezone)
        credit = row["credit"] or 0.0
        marks.append(
            {
                "row": row["model"] or NOTHING,
                "at": row["at"].strftime("%Y-%m-%dT%H:%M:%SZ"),
                "day": local[:10],
                "id": row["response_id"],
                "campaign": present.clean(row["campaign"] or row["campaign_id"] or ""),
                "credit": credit,
                "size": abs(credit),
                "part": row["part"] or "sourced",
                "holds": row["holds"] or "",
                "why": row["why"] or "",
                "shown": f"{credit:,.2f}",
            }
        )
    if not marks:
        raise UsageError(f"{result.title}: there is no response on a day, so there is nothing to draw.")
    return marks


def _milestones(result: Result) -> list[dict[str, Any]]:
    """When the milestones were, the earliest first; one known by its day at the end of it."""
    when = result.totals[0].get("milestones", {}) if result.totals else {}
    found = []
    for name, told in when.items():
        is_date = not told.endswith("Z")
        at = end_of_day(dt.date.fromisoformat(told), result.timezone) if is_date else dt.datetime.fromisoformat(told)
        day = told if is_date else present.local_time(at, result.timezone)[:10]
        found.append({"name": name, "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "day": day})
    return sorted(found, key=lambda one: str(one["at"]))


def _drawn(marks: list[dict[str, Any]], milestones: list[dict[str, Any]], tokens: Tokens) -> Any:
    drawn = [_in_time(marks, milestones, tokens), _credits(marks, tokens)]
    return alt.vconcat(*drawn, spacing=30)


def _in_time(marks: list[dict[str, Any]], milestones: list[dict[str, Any]], tokens: Tokens) -> Any:
    rows = list(dict.fromkeys(mark["row"] for mark in marks))
    x = alt.X(
        "at",
        type="temporal",
        scale=alt.Scale(type="utc", nice=False, padding=18),
        axis=alt.Axis(title=None, format="%Y-%m-%d", labelOverlap="greedy", labelSeparation=14, grid=True),
    )
    base = alt.Chart(parts.data(marks)).encode(
        x=x,
        y=alt.Y("row", type="nominal", sort=rows, axis=alt.Axis(title=None, labelPadding=10, grid=True)),
        tooltip=parts.tips(campaign="campaign", day="day", shown="credit", part="part", holds="milestone", why="why"),
    )
    size = alt.Size("size", type="quantitative", scale=alt.Scale(range=[14, 700]), legend=None)
    before = base.transform_filter("datum.size > 0 && datum.part != 'accelerated'")
    after = base.transform_filter("datum.size > 0 && datum.part == 'accelerated'")
    nothing = base.transform_filter("datum.size <= 0")
    drawn = [
        *_rules(milestones, x, tokens),
        before.mark_point(filled=True, opacity=1, color=tokens.main).encode(size=size),
        after.mark_point(opacity=1, strokeWidth=2.5, stroke=tokens.main, fill=tokens.ground).encode(size=size),
        nothing.mark_point(shape="cross", size=34, opacity=1, strokeWidth=1, filled=True, color=tokens.rest),
    ]
    return alt.layer(*drawn).properties(width=WIDTH, height=alt.Step(46))


def _rules(milestones: list[dict[str, Any]], x: alt.X, tokens: Tokens) -> list[Any]:
    """A line through all models per milestone, its name above; names take turns in height, so that neighbours stay apart."""
    drawn = []
    for at, one in enumerate(milestones):
        base = alt.Chart(parts.data([one])).encode(x=x, tooltip=parts.tips(name="milestone", day="day"))
        drawn.append(base.mark_rule(color=tokens.text, strokeDash=[4, 3], strokeWidth=1))
        words = base.mark_text(align="center", baseline="bottom", fontSize=11, color=tokens.muted)
        drawn.append(words.encode(y=alt.value(-4 - LINE * (at % 3)), text=alt.Text("name", type="nominal")))
    return drawn


def _credits(marks: list[dict[str, Any]], tokens: Tokens) -> Any:
    """A line per response with its day, campaign and milestones, and the credit of each model."""
    lines: dict[str, dict[str, Any]] = {}
    for mark in marks:
        line = lines.setdefault(mark["id"], {**mark, "credits": {}})
        line["credits"][mark["row"]] = mark["shown"] if mark["size"] else "–"
        line["holds"] = line["holds"] or mark["holds"]
    models = [name for name in dict.fromkeys(mark["row"] for mark in marks) if name != NOTHING][:MOST_MODELS]
    ordered = sorted(lines.values(), key=lambda line: (line["at"], line["id"]))
    told = [
        {"line": f"{at}. {line['day']}  {line['campaign']}", "holds": line["holds"], **_columns(line, models)}
        for at, line in enumerate(ordered[: parts.MOST_ROWS], start=1)
    ]
    base = alt.Chart(parts.data(told)).encode(y=parts.names_axis("line", told))
    texts = []
    for at, model in enumerate(models):
        place = HOLDS + COLUMN * (at + 1)
        texts += [parts.text_column(base, f"m{at}", place, tokens), parts.head(model, place, tokens)]
    held = base.mark_text(align="left", baseline="middle", color=tokens.muted, fontSize=11)
    texts.append(held.encode(x=alt.value(0), text=alt.Text("holds", type="nominal")))
    return alt.layer(*texts).properties(width=WIDTH, height=alt.Step(20))


def _columns(line: dict[str, Any], models: list[str]) -> dict[str, str]:
    return {f"m{at}": line["credits"].get(name, "–") for at, name in enumerate(models)}
