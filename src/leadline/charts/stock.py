"""Stock: open opportunities and their amount in each stage, at the last instant asked for.

See docs/charts/stock.md.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from leadline.charts import parts
from leadline.charts.theme import THEMES, Theme
from leadline.errors import UsageError
from leadline.render import present
from leadline.results import Result


def chart(result: Result, theme: Theme = "light") -> alt.LayerChart:
    """A bar per stage; `result` is a standing pipeline. Dimensions are added up, the last period is shown.

    Raises:
        UsageError: nothing stands.
    """
    tokens, bars = THEMES[theme], _bars(result)
    base = alt.Chart(parts.data(bars)).encode(y=parts.names_axis("name", bars))
    width = alt.Scale(domain=[0, max(bar["value"] for bar in bars) or 1])
    layers = [
        base.mark_bar(color=tokens.main, height=parts.BAR, cornerRadiusEnd=2).encode(
            x=alt.X("value", type="quantitative", axis=None, scale=width)
        ),
        parts.text_column(base, "count", parts.WIDTH + 60, tokens, muted=True),
        parts.text_column(base, "amount", parts.WIDTH + 190, tokens, bold=True),
        parts.head("open", parts.WIDTH + 60, tokens),
        parts.head(f"amount {result.currency}".strip(), parts.WIDTH + 190, tokens),
    ]
    drawn = alt.layer(*layers).properties(width=parts.WIDTH, height=alt.Step(parts.ROW_HEIGHT))
    return parts.finished(drawn, result, theme, summary(result))


def summary(result: Result) -> str:
    """One sentence: how much is open, and where most of it stands."""
    bars = _bars(result)
    count, minor = sum(bar["n"] for bar in bars), sum(bar["minor"] for bar in bars)
    most = max(bars, key=lambda bar: (bar["minor"], bar["n"]))
    amount = f"{present.amount_text(result, minor)} {result.currency}".rstrip()
    return f"{count:,} opportunities are open, worth {amount}; most stands in {most['name']} ({most['amount']})."


def _bars(result: Result) -> list[dict[str, Any]]:
    rows = result.table.to_pylist()
    if not rows or any(row["movement"] != "standing" for row in rows):
        raise UsageError(f"{result.title}: nothing stands here; ask for --view standing.")
    last = rows[-1]["period"]
    sums: dict[str, tuple[int, int]] = {}
    for row in rows:
        if row["period"] == last:
            name = "(not known)" if row["stage"] is None else present.clean(row["stage"])
            count, minor = sums.get(name, (0, 0))
            sums[name] = (count + row["count"], minor + (row["amount"] or 0))
    by_amount = any(minor for _, minor in sums.values())
    return [
        {
            "name": name,
            "n": count,
            "minor": minor,
            "value": max(minor / 10**result.currency_digits if by_amount else count, 0),
            "count": f"{count:,}",
            "amount": present.amount_text(result, minor),
        }
        for name, (count, minor) in sums.items()
    ]
