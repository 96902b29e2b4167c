"""Waterfall: what moved the pipeline from the start to the end of the time asked for.

See docs/charts/waterfall.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme
from leadline.errors import UsageError
from leadline.render import present
from leadline.results import Result

LEVELS = ("start", "end")
INSIDE = ("advanced", "regressed", "moved")
"""Movements from stage to stage: they leave the whole as it is."""
BESIDE = ("pushed", "pulled")


def chart(result: Result, theme: Theme = "light") -> alt.LayerChart:
    """A floating bar per movement between the bars of start and end; `result` is one of pipeline movements.

    Stages, dimensions and periods are added up; without any amount the bars count opportunities.

    Raises:
        UsageError: the result has no movements.
    """
    tokens, bars = THEMES[theme], _bars(result)
    base = alt.Chart(parts.data(bars)).encode(y=parts.names_axis("name", bars))
    top = max(max(bar["low"], bar["high"]) for bar in bars)
    low = min(0.0, *[min(bar["low"], bar["high"]) for bar in bars])
    x = alt.X("low", type="quantitative", axis=None, scale=alt.Scale(domain=[low, top or 1]))
    marks = base.mark_bar(height=parts.BAR).encode(
        x=x,
        x2="high:Q",
        color=alt.Color(
            "kind",
            type="nominal",
            legend=None,
            scale=alt.Scale(
                domain=["level", "up", "down", "won"], range=[tokens.main, tokens.second, tokens.warn, tokens.rest]
            ),
        ),
        tooltip=parts.tips(name="movement", count="opportunities", amount=result.currency or "amount"),
    )
    layers = [
        marks,
        parts.text_column(base, "count", parts.WIDTH + 60, tokens, muted=True),
        parts.text_column(base, "amount", parts.WIDTH + 190, tokens, bold=True),
        parts.head("count", parts.WIDTH + 60, tokens),
        parts.head(f"amount {result.currency}".strip(), parts.WIDTH + 190, tokens),
    ]
    drawn = alt.layer(*layers).properties(width=parts.WIDTH, height=alt.Step(parts.ROW_HEIGHT))
    return parts.finished(drawn, result, theme, summary(result), [_aside(result)], title="What moved the pipeline")


def summary(result: Result) -> str:
    """One sentence: from how much to how much, and the largest movement."""
    sums = _sums(result)
    start, end = (sums.get(name, (0, 0)) for name in LEVELS)
    moved = {name: one for name, one in sums.items() if name not in (*LEVELS, *INSIDE, *BESIDE)}
    said = (
        f"The open pipeline went from {_money(result, start[1])} ({start[0]:,}) to {_money(result, end[1])} "
        f"({end[0]:,}) {result.currency}".rstrip()
    )
    if not moved:
        return f"{said}; nothing moved it."
    name, (count, amount) = max(moved.items(), key=lambda one: (abs(one[1][1]), abs(one[1][0])))
    return f"{said}; most by {present.label(name)}, {_money(result, amount, signed=True)} ({count:+,})."


def _sums(result: Result) -> dict[str, tuple[int, int]]:
    """Movement → count and amount in minor units: levels of the first start and the last end, the rest added up."""
    totals = [total for total in result.totals if "movement" in total]
    if not totals or any(total["movement"] == "standing" for total in totals):
        raise UsageError(f"{result.title}: nothing moved here; ask for --view movements with a first day.")
    periods = sorted({total["period"] for total in totals})
    edge = {"start": periods[0], "end": periods[-1]}
    sums: dict[str, tuple[int, int]] = {}
    for total in totals:
        name = total["movement"]
        if edge.get(name, total["period"]) == total["period"]:
            count, amount = sums.get(name, (0, 0))
            sums[name] = (count + total["count"], amount + total["amount"])
    return sums


def _bars(result: Result) -> list[dict[str, Any]]:
    sums = _sums(result)
    scale = 10**result.currency_digits
    by_amount = any(amount for _, amount in sums.values())
    bars, level = [], 0.0
    for name in ["start", *[one for one in sums if one not in (*LEVELS, *INSIDE, *BESIDE)], "end"]:
        count, amount = sums.get(name, (0, 0))
        value = amount / scale if by_amount else float(count)
        if name in LEVELS:
            low, level, kind = 0.0, value, "level"
        else:
            low, level, kind = level, level + value, _kind(name, value)
        bars.append(
            {
                "name": present.label(name),
                "low": low,
                "high": level,
                "kind": kind,
                "count": f"{count:,}" if name in LEVELS else f"{count:+,}" if count else "",
                "amount": _money(result, amount, signed=name not in LEVELS),
            }
        )
    return bars


def _kind(name: str, value: float) -> str:
    if name == "won":
        return "won"
    return "up" if value >= 0 else "down"


def _money(result: Result, minor: int, *, signed: bool = False) -> str:
    text = present.amount_text(result, minor)
    return f"+{text}" if signed and minor > 0 else text


def _aside(result: Result) -> str:
    start, end = result.filters.get("from"), result.filters.get("to")
    days = f"{start} to {end} (that day not included)" if end else f"from {start} to as-of"
    return f"{days} · start + movements = end"
