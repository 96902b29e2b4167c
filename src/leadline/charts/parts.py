"""What all charts share: title, text columns beside bars, names of rows, drawing to text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from leadline.charts.theme import THEMES, Theme, Tokens, config
from leadline.errors import UsageError
from leadline.render import present
from leadline.results import Result

Row = dict[str, Any]

WIDTH = 420
BAR = 20
ROW_HEIGHT = 34
MOST_ROWS = 24
"""Rows a panel shows; further ones are in the table, and the subtitle says how many."""


def rows_of(result: Result) -> list[Row]:
    """The rows as dictionaries; money in major units as floats, for positions on an axis only.

    Raises:
        UsageError: there is nothing to draw.
    """
    if not result.table.num_rows:
        raise UsageError(f"{result.title}: there are no rows, so there is nothing to draw. Widen the filters.")
    scale = {column.name: 10 ** result.digits_of(column) for column in result.columns if column.type == "money"}
    return [
        {name: value / scale[name] if name in scale and value is not None else value for name, value in row.items()}
        for row in result.table.to_pylist()
    ]


def names_of(result: Result, rows: Sequence[Row]) -> list[str]:
    """A name per row out of what varies between rows: its period and dimensions."""
    keys = [key for key in ["period", *present.dimensions(result)] if len({row[key] for row in rows}) > 1]
    return [" · ".join(_name(key, row[key]) for key in keys) for row in rows]


def _name(key: str, value: Any) -> str:
    if value is None:
        return present.UNDATED if key == "period" else present.EMPTY
    return present.clean(str(value))


def stages_of(result: Result, rows: Sequence[Row]) -> list[str]:
    """Stages in funnel order, which every group of rows keeps but may show with gaps."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in ["period", *present.dimensions(result)]), []).append(row["stage"])
    order: list[str] = []
    for stages in groups.values():
        place = 0
        for stage in stages:
            if stage in order:
                place = order.index(stage) + 1
            else:
                order.insert(place, stage)
                place += 1
    return order


def setting(result: Result, name: str) -> str:
    """A setting of the question that is the same in every row, such as the view; else empty."""
    values = set(result.table.column(name).to_pylist()) if name in result.table.column_names else set()
    return str(values.pop() or "") if len(values) == 1 else ""


def refuse_overlap(result: Result) -> None:
    """Touched units are counted once per touch: their counts may not be added into one bar.

    A volume without totals is one that overlaps; that is how the contract says so.

    Raises:
        UsageError: the result overlaps.
    """
    if result.table.num_rows and not result.totals:
        raise UsageError(
            f"{result.title}: units that touched several values overlap, so no funnel can be drawn of them."
        )


def data(rows: Sequence[Row]) -> alt.InlineData:
    """Rows as data inside the chart."""
    return alt.InlineData(values=list(rows))


def text_column(
    base: alt.Chart, field: str, x: float, tokens: Tokens, *, muted: bool = False, bold: bool = False
) -> alt.Chart:
    """A column of text right of the bars, at `x` pixels, right-aligned."""
    return base.mark_text(
        align="right",
        baseline="middle",
        color=tokens.muted if muted else tokens.text,
        fontWeight="bold" if bold else "normal",
    ).encode(x=alt.value(x), text=alt.Text(field, type="nominal"))


def tips(**fields: str) -> list[alt.Tooltip]:
    """What a pointer on a mark shows: field=label, in order."""
    return [alt.Tooltip(field, type="nominal", title=label) for field, label in fields.items()]


def head(label: str, x: float, tokens: Tokens) -> alt.Chart:
    """A heading above a text column."""
    return (
        alt.Chart(alt.InlineData(values=[{}]))
        .mark_text(align="right", baseline="bottom", color=tokens.muted, fontSize=11, text=label)
        .encode(x=alt.value(x), y=alt.value(-6))
    )


def names_axis(field: str, rows: Sequence[Row]) -> alt.Y:
    """Rows in the order given, each name left of its bar.

    The order is written out: left to itself, the drawing puts rows without a value last.
    """
    order = list(dict.fromkeys(row[field] for row in rows))
    return alt.Y(field, type="nominal", sort=order, axis=alt.Axis(title=None, labelPadding=10))


def finished(
    chart: Any, result: Result, theme: Theme, description: str, aside: Sequence[str] = (), title: str = ""
) -> Any:
    """The chart with title, subtitle, description and theme.

    Args:
        chart: what to finish.
        result: where title and as-of come from.
        theme: light or dark.
        description: one sentence for those who do not see the chart.
        aside: further lines below the title.
        title: in place of the result's own.
    """
    stamp = result.unit
    if result.as_of is not None:
        moment = present.local_time(result.as_of, result.timezone)
        stamp += f" · as of {moment} · {result.timezone} · snapshot {result.snapshot}"
    lines = [present.clean(line) for line in (*aside, stamp) if line]
    head_line = alt.Title(present.clean(title or result.title), subtitle=lines)
    return chart.properties(title=head_line, description=description).configure(**config(THEMES[theme]))


def titled(panel: Any, name: str, tokens: Tokens) -> Any:
    """One of several panels, with its name above it."""
    return panel.properties(title=alt.Title(name, fontSize=12, color=tokens.text, offset=20, frame="group"))


def drawn_of(rows: list[Row]) -> list[Row]:
    """The rows of stages that are drawn: of a course over time alone the newest, else the first `MOST_ROWS`."""
    is_course = len({row["period"] for row in rows}) > 1
    is_split = len({(row["period"], row["stage"]) for row in rows}) < len(rows)
    return rows[-MOST_ROWS:] if is_course and not is_split else rows[:MOST_ROWS]


def left_out(total: int, shown: int) -> str:
    """The line that says how many rows are only in the table."""
    return f"{total - shown} more in the table" if total > shown else ""
