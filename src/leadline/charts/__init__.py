"""Charts: one specification each, for notebook, PNG, SVG, PDF and HTML, drawn without a network.

Importing this package makes `Result.chart()` work; nothing heavy is loaded until one is drawn.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from leadline.charts.theme import Theme
from leadline.errors import UnknownNameError
from leadline.results import Result, draw_with

NAMES: dict[str, tuple[str, ...]] = {
    "volume": ("funnel", "trend"),
    "conversion": ("conversion",),
    "velocity": ("velocity", "waiting"),
    "influence": ("influence",),
}
"""Charts of each kind of result, the usual one first (of a volume over several periods: trend)."""


def names_of(result: Result) -> tuple[str, ...]:
    """Charts of this result, the usual one first.

    Raises:
        UnknownNameError: results of this kind have no chart.
    """
    if result.kind not in NAMES:
        raise UnknownNameError("chart for results of kind", result.kind, NAMES)
    names = NAMES[result.kind]
    if (
        result.kind == "volume"
        and "period" in result.table.column_names
        and len(set(result.table.column("period").to_pylist())) > 1
    ):
        return names[::-1]
    return names


def draw(result: Result, name: str | None = None, theme: Theme = "light") -> Any:
    """An Altair chart of a result.

    Args:
        result: what to draw.
        name: one of `names_of(result)`; the usual one without.
        theme: light or dark.

    Raises:
        UnknownNameError: no such chart for this kind of result.
        UsageError: the result has nothing to draw.
    """
    return _module(result, name).chart(result, theme)


def summary(result: Result, name: str | None = None) -> str:
    """What the chart shows in one sentence, for those who do not see it."""
    return str(_module(result, name).summary(result))


def svg(result: Result, name: str | None = None, theme: Theme = "light") -> str:
    """A chart as SVG text; arguments and errors as for `draw`."""
    from leadline.charts import files

    return files.svg(draw(result, name, theme))


def has_waiting(result: Result) -> bool:
    """Whether the chart `waiting` has anything to show."""
    from leadline.charts import waiting

    return waiting.available(result)


def save(chart: Any, path: Path) -> None:
    """Write a chart to a file: .png, .svg, .pdf or .html, by its ending.

    Args:
        chart: an Altair chart, or a result, of which the usual chart is drawn.
        path: the file, replaced if it is there.

    Raises:
        UnknownNameError: another ending, or a kind of result without a chart.
        UsageError: the result has nothing to draw.
    """
    from leadline.charts import files

    files.save(draw(chart) if isinstance(chart, Result) else chart, path)


def _module(result: Result, name: str | None) -> Any:
    names = names_of(result)
    wanted = names[0] if name is None else name
    if wanted not in names:
        raise UnknownNameError("chart", wanted, names, f"results of kind {result.kind!r}")
    from leadline.charts import conversion, funnel, influence, trend, velocity, waiting

    modules = {
        "funnel": funnel,
        "trend": trend,
        "conversion": conversion,
        "velocity": velocity,
        "waiting": waiting,
        "influence": influence,
    }
    return modules[wanted]


draw_with(draw)
