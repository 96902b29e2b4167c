"""Goals: what has come against what should have come and the goal, and where the period will land.

See docs/charts/goals.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.errors import UsageError
from leadline.render import present
from leadline.results import Result

WIDTH = 380
SIZES = {"actual": "actual", "goal": "goal", "expected": "expected_to_date", "landing": "landing"}
ENDS = {"low": "landing_low", "high": "landing_high"}
LEGEND = "bar: actual · upright mark: expected to date · diamond: landing with its 90 % interval · long line: goal"


def chart(result: Result, theme: Theme = "light") -> alt.LayerChart:
    """A bar per goal in percent of it, with the mark of what should have come and the projected landing.

    Goals of 0 have no percentage and are left out.

    Raises:
        UsageError: nothing to draw.
    """
    tokens, lines = THEMES[theme], _lines(result)
    shown = lines[: parts.MOST_ROWS]
    drawn = alt.layer(*_marks(shown, tokens), *_columns(shown, tokens))
    drawn = drawn.properties(width=WIDTH, height=alt.Step(parts.ROW_HEIGHT))
    aside = [LEGEND, parts.left_out(len(lines), len(shown))]
    return parts.finished(drawn, result, theme, summary(result), aside)


def summary(result: Result) -> str:
    """One sentence: how many running goals keep pace, and which is furthest behind."""
    paced = [line for line in _lines(result) if line["state"] == "running" and line["pace"] is not None]
    if not paced:
        met = sum(line["actual_share"] >= 1 for line in _lines(result))
        return f"{met} of {len(_lines(result))} goals are met; none is running with a pace."
    ahead = sum(line["pace"] >= 1 for line in paced)
    last = min(paced, key=lambda line: line["pace"])
    told = f"{ahead} of {len(paced)} running goals keep pace"
    return f"{told}; the lowest is {last['name']} at {present.percent(last['pace'])} of what should have come."


def _lines(result: Result) -> list[dict[str, Any]]:
    rows = [row for row in parts.rows_of(result) if row["goal"] or row["goal_amount"]]
    if not rows:
        raise UsageError(f"{result.title}: every goal is 0, so there is nothing to draw a share of.")
    return [_line(result, row) for row in rows]


def _line(result: Result, row: dict[str, Any]) -> dict[str, Any]:
    """One goal with its figures as shares of it and as texts."""
    ending = "" if row["goal"] is not None else "_amount"
    goal = row[f"goal{ending}"]
    name = " · ".join(present.clean(str(row[key])) for key in ("period", "metric", "segment") if row[key])
    line: dict[str, Any] = {"name": name, "state": row["state"], "pace": row["pace"], "one": 1.0}
    for key, column in (SIZES | ENDS).items():
        value = row[f"{column}{ending}"]
        line[f"{key}_share"] = None if value is None else value / goal
        line[key] = present.NOTHING if value is None else f"{value:,.0f}"
    projected = row["state"] == "running"
    line["landing_share"] = line["landing_share"] if projected else None
    line["landed"] = _landed(line) if projected else ""
    line["expected_share"] = line["expected_share"] if projected else None
    line["paced"] = present.percent(row["pace"]) if projected else row["state"]
    line["reached"] = present.percent(row["attainment"])
    return line


def _landed(line: dict[str, Any]) -> str:
    band = f" ({line['low']}–{line['high']})" if line["low_share"] is not None else ""
    return f"{line['landing']}{band}"


def _marks(lines: list[dict[str, Any]], tokens: Tokens) -> list[alt.Chart]:
    base = alt.Chart(parts.data(lines)).encode(y=parts.names_axis("name", lines))
    reach = [line[key] for line in lines for key in ("actual_share", "landing_share", "high_share") if line[key]]
    scale = alt.Scale(domain=[0, max([1.0, *reach]) * 1.05], nice=False)
    axis = alt.Axis(title=None, tickCount=6, format=".0%")

    def x(field: str) -> alt.X:
        return alt.X(field, type="quantitative", scale=scale)

    tips = parts.tips(name="goal", actual="actual", goal="target", expected="expected to date", landed="landing")
    bars = base.mark_bar(color=tokens.main_soft, stroke=tokens.main, height=parts.BAR - 4)
    landing = base.transform_filter("isValid(datum.landing_share)")
    return [
        bars.encode(x=alt.X("actual_share", type="quantitative", scale=scale, axis=axis), tooltip=tips),
        base.mark_tick(color=tokens.rest, thickness=2, size=parts.ROW_HEIGHT, opacity=1).encode(x=x("one")),
        base.mark_tick(color=tokens.text, thickness=3, size=parts.BAR + 4, opacity=1).encode(x=x("expected_share")),
        base.mark_rule(color=tokens.warn, strokeWidth=2).encode(x=x("low_share"), x2="high_share"),
        base.mark_tick(color=tokens.warn, thickness=2, size=9, opacity=1).encode(x=x("low_share")),
        base.mark_tick(color=tokens.warn, thickness=2, size=9, opacity=1).encode(x=x("high_share")),
        landing.mark_point(
            shape="diamond", filled=True, color=tokens.ground, stroke=tokens.warn, strokeWidth=2, size=85, opacity=1
        ).encode(x=x("landing_share"), tooltip=tips),
    ]


def _columns(lines: list[dict[str, Any]], tokens: Tokens) -> list[alt.Chart]:
    base = alt.Chart(parts.data(lines)).encode(y=parts.names_axis("name", lines))
    drawn = []
    for field, label, x, bold in (
        ("actual", "actual", 96, True),
        ("goal", "goal", 186, False),
        ("reached", "of goal", 246, False),
        ("paced", "pace", 316, True),
        ("landed", "landing", 520, False),
    ):
        drawn.append(parts.text_column(base, field, WIDTH + x, tokens, bold=bold, muted=not bold))
        drawn.append(parts.head(label, WIDTH + x, tokens))
    return drawn
