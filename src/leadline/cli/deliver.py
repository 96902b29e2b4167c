"""A result on its way out: form, file, chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadline.cli.console import say
from leadline.errors import UsageError

if TYPE_CHECKING:
    from leadline.cli.options.question import Answer, Drawn, Form
    from leadline.results import Result

BY_ENDING = {".json": "json", ".csv": "csv", ".parquet": "parquet", ".xlsx": "xlsx"}
"""Format of a file by its ending, where `--format` does not say it."""


def deliver(result: Result, form: Form) -> None:
    """Write a result in the form asked for."""
    from leadline import render

    ending = form.output.suffix.lower() if form.output else ""
    render.write(
        result, form.format or BY_ENDING.get(ending, "table"), form.output, wide=form.wide, machine=form.machine
    )
    if form.output:
        say(f"Written: {form.output}")


def draw(result: Result, drawn: Drawn) -> None:
    """Draw the chart of a result if asked.

    Raises:
        UsageError: the name of a chart without a file for it.
        UnknownNameError: no such chart of this result, or another ending of the file.
    """
    if drawn.chart_name and not drawn.chart:
        raise UsageError(f"--chart-name {drawn.chart_name} draws nothing alone; add --chart FILE, such as chart.png.")
    if drawn.chart:
        from leadline import charts

        charts.save(charts.draw(result, drawn.chart_name), drawn.chart)
        say(f"Written: {drawn.chart}")


def deliver_metric(result: Result, answer: Answer) -> None:
    """Write a metric, or the records behind it, and draw its chart if asked."""
    draw(result, answer)
    deliver(result.records() if answer.list_records else result, answer)
