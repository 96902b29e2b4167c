"""Influence: which campaign has credit for how much, and what belongs to none.

See docs/charts/influence.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme, Tokens
from leadline.render import present, totals
from leadline.results import Result

MOST_CAMPAIGNS = 12
STATES = ("won", "open", "lost")


def chart(result: Result, theme: Theme = "light") -> Any:
    """Stacked bars of won, open and lost credit; the remainder below; one panel per model.

    Raises:
        UsageError: nothing to draw.
    """
    tokens, bars = THEMES[theme], _bars(result)
    models = list(dict.fromkeys(bar["model"] for bar in bars))
    top = max([sum(max(bar[state], 0) for state in STATES) for bar in bars] + [1.0])
    panels = [
        _panel(
            [bar for bar in bars if bar["model"] == model],
            model if len(models) > 1 else "",
            top,
            tokens,
            last=i == len(models) - 1,
        )
        for i, model in enumerate(models)
    ]
    drawn = panels[0] if len(panels) == 1 else alt.vconcat(*panels, spacing=22)
    return parts.finished(
        drawn, result, theme, summary(result), [*totals.reconciliation(result, by_period=False), _aside(result)]
    )


def summary(result: Result) -> str:
    """One sentence: the leading campaign, and how much has no campaign."""
    bars = _bars(result)
    model = bars[0]["model"]
    own = [bar for bar in bars if bar["model"] == model]
    credited = [bar for bar in own if bar["kind"] == "campaign"]
    loose = sum(bar["share"] for bar in own if bar["bucket"] == "unattributed")
    lead = "No campaign has credit"
    if credited:
        best = max(credited, key=lambda bar: bar["total"])
        lead = f"{best['name']} leads with {best['shown']} {_measure(result)} ({best['percent']})"
    whole = "journeys" if _of_journeys(result) else "amount"
    return f"Model {model}: {lead}; {present.percent(loose)} of the {whole} is unattributed."


def _of_journeys(result: Result) -> bool:
    """Whether what is credited are journeys that reached a stage, and not money."""
    return "won_amount" not in result.table.column_names


def _measure(result: Result) -> str:
    return result.unit if _of_journeys(result) else result.currency


def _bars(result: Result) -> list[dict[str, Any]]:
    """Per model: the largest campaigns, the others as one, then what belongs to no campaign."""
    rows = parts.rows_of(result)
    bars = []
    for model in dict.fromkeys(row["model"] for row in rows):
        own = _distinct([_bar(result, row) for row in rows if row["model"] == model])
        whole = sum(bar[state] for bar in own for state in STATES)
        own = [{**bar, "whole": whole} for bar in own]
        campaigns = sorted(_added([bar for bar in own if bar["bucket"] == "campaign"]), key=lambda bar: -bar["total"])
        if len(campaigns) > MOST_CAMPAIGNS:
            rest = campaigns[MOST_CAMPAIGNS - 1 :]
            others = [{**bar, "name": f"{len(rest)} other campaigns", "kind": "others"} for bar in rest]
            campaigns = campaigns[: MOST_CAMPAIGNS - 1] + _added(others)
        bars += campaigns + _added([bar for bar in own if bar["bucket"] != "campaign"])
    return bars


def _bar(result: Result, row: dict[str, Any]) -> dict[str, Any]:
    amounts = {state: (row[state] if _of_journeys(result) else row[f"{state}_amount"]) or 0.0 for state in STATES}
    return {
        "model": row["model"],
        "bucket": row["bucket"],
        "kind": row["bucket"],
        "id": row["campaign_id"],
        "name": present.bucket_name(result, row),
        "whole": 0.0,
        **amounts,
    }


def _distinct(bars: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Campaigns that share a name are told apart by their id."""
    ids: dict[str, set[str | None]] = {}
    for bar in bars:
        ids.setdefault(bar["name"], set()).add(bar["id"])
    return [{**bar, "name": f"{bar['name']} {bar['id']}"} if len(ids[bar["name"]]) > 1 else bar for bar in bars]


def _added(bars: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Bars of one name as one: periods and dimensions add up, because credit does."""
    by_name: dict[str, dict[str, Any]] = {}
    for bar in bars:
        sums = by_name.setdefault(bar["name"], {**bar, **dict.fromkeys(STATES, 0.0)})
        for state in STATES:
            sums[state] += bar[state]
    for bar in by_name.values():
        bar["total"] = sum(bar[state] for state in STATES)
        bar["share"] = bar["total"] / bar["whole"] if bar["whole"] else 0.0
        bar["shown"] = f"{bar['total']:,.0f}"
        bar["percent"] = present.percent(bar["share"]) if bar["whole"] else ""
    return list(by_name.values())


def _panel(bars: list[dict[str, Any]], model: str, top: float, tokens: Tokens, *, last: bool) -> Any:
    pieces = [
        {
            "name": bar["name"],
            # The remainder has colours of its own; the blank keeps its states apart from the campaigns'.
            "state": state if bar["bucket"] == "campaign" else f"{state} ",
            "amount": bar[state],
            "shown": f"{bar[state]:,.2f}",
            "order": i,
        }
        for bar in bars
        for i, state in enumerate(STATES)
        if bar[state]
    ]
    names = [bar["name"] for bar in bars]
    y = alt.Y("name", type="nominal", sort=names, axis=alt.Axis(title=None, labelPadding=10))
    money = alt.Axis(
        title=None,
        format="~s",
        tickCount=5,
        labelExpr="datum.value ? replace(datum.label, 'G', 'B') : '0'",
        labels=last,
    )
    x = alt.X("amount", type="quantitative", stack="zero", axis=money, scale=alt.Scale(domainMax=top, nice=False))
    stacked = (
        alt.Chart(parts.data(pieces))
        .mark_bar(height=parts.BAR - 2, strokeWidth=1)
        .encode(
            y=y,
            x=x,
            order=alt.Order("order", type="quantitative"),
            tooltip=parts.tips(name="of", state="state", shown="amount"),
            **_colours(tokens),
        )
    )
    texts = alt.Chart(parts.data(bars)).encode(y=y)
    columns = [
        parts.text_column(texts, "shown", parts.WIDTH + 100, tokens, bold=True),
        parts.text_column(texts, "percent", parts.WIDTH + 164, tokens),
        parts.head("credit", parts.WIDTH + 100, tokens),
        parts.head("share", parts.WIDTH + 164, tokens),
    ]
    drawn = alt.layer(stacked, *columns).properties(width=parts.WIDTH, height=alt.Step(parts.ROW_HEIGHT - 6))
    return parts.titled(drawn, f"Model {model}", tokens) if model else drawn


def _colours(tokens: Tokens) -> dict[str, Any]:
    """Credit in the main colour, the remainder in grey; states by how solid the bar is."""
    states = [*STATES, *(f"{state} " for state in STATES)]
    fills = [tokens.main, tokens.main_soft, tokens.ground, tokens.rest, tokens.rest_soft, tokens.ground]
    lines = [tokens.main] * 3 + [tokens.rest] * 3
    legend = alt.Legend(title=None, values=list(STATES), symbolType="square")
    return {
        "fill": alt.Fill("state", type="nominal", scale=alt.Scale(domain=states, range=fills), legend=legend),
        "stroke": alt.Stroke("state", type="nominal", scale=alt.Scale(domain=states, range=lines), legend=None),
    }


def _aside(result: Result) -> str:
    rows = parts.rows_of(result)
    said = [
        f"{name} {', '.join(values)}"
        for name in ("scope", "window")
        if (values := sorted({row[name] for row in rows if row.get(name)}))
    ]
    return " · ".join([*said, f"credit in {_measure(result)}", "grey: belongs to no campaign"])
