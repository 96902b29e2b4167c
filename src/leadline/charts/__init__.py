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
    "pipeline": ("stock", "waterfall"),
    "fates": ("fates",),
    "conversion": ("conversion", "conversion_trend"),
    "conversion-matrix": ("flow",),
    "conversion-triangle": ("triangle",),
    "velocity": ("velocity", "waiting"),
    "velocity-distribution": ("curves",),
    "velocity-stuck": ("stuck",),
    "influence": ("influence", "slope", "scatter"),
    "influence-stage": ("influence", "slope", "scatter"),
    "influence-compare": ("slope", "scatter"),
    "influence-sensitivity": ("slope", "scatter"),
    "influence-opportunity": ("timeline",),
    "paths": ("paths", "slope", "scatter"),
    "paths-transitions": ("markov",),
    "roi": ("roi",),
    "roi-trend": ("roi_trend",),
    "salesforce": ("reasons",),
    "lift": ("lift",),
    "formula": ("formula",),
    "goals": ("goals",),
}
"""Charts of each kind of result, the usual one first (over several periods: the trend)."""


def names_of(result: Result) -> tuple[str, ...]:
    """Charts of this result, the usual one first.

    Raises:
        UnknownNameError: results of this kind have no chart.
    """
    if result.kind not in NAMES:
        raise UnknownNameError("chart for results of kind", result.kind, NAMES)
    names = NAMES[result.kind]
    return names[::-1] if _is_trend(result) else names


def _is_trend(result: Result) -> bool:
    """Whether the usual chart is the one over time."""
    if result.kind == "conversion":
        from leadline.charts import conversion_trend

        return conversion_trend.available(result)
    if result.kind == "pipeline":
        return "standing" not in result.table.column("movement").to_pylist()
    several = "period" in result.table.column_names and len(set(result.table.column("period").to_pylist())) > 1
    return result.kind == "volume" and several


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
    from leadline.charts import (
        conversion,
        conversion_trend,
        curves,
        fates,
        flow,
        formula,
        funnel,
        goals,
        stock,
        stuck,
        trend,
        triangle,
        velocity,
        waiting,
        waterfall,
    )

    modules = _of_credit() | {
        "stock": stock,
        "waterfall": waterfall,
        "fates": fates,
        "funnel": funnel,
        "trend": trend,
        "conversion": conversion,
        "conversion_trend": conversion_trend,
        "flow": flow,
        "triangle": triangle,
        "velocity": velocity,
        "waiting": waiting,
        "curves": curves,
        "stuck": stuck,
        "formula": formula,
        "goals": goals,
    }
    return modules[wanted]


def _of_credit() -> dict[str, Any]:
    """Charts of what campaigns are credited with, and of what they cost."""
    from leadline.charts import influence, lift, markov, paths, reasons, roi, roi_trend, scatter, slope, timeline

    return {
        "influence": influence,
        "markov": markov,
        "paths": paths,
        "slope": slope,
        "scatter": scatter,
        "timeline": timeline,
        "roi": roi,
        "roi_trend": roi_trend,
        "reasons": reasons,
        "lift": lift,
    }


draw_with(draw)
