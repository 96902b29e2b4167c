"""A result as a table in the terminal."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from leadline.render import present, totals
from leadline.render.present import Grid
from leadline.results import Result

# Given up first, last one last, where the screen is too narrow for the whole table.
_GIVEN_UP = (
    "source",
    "workdays_passed",
    "workdays",
    "so_far",
    "accelerated_amount",
    "sourced_amount",
    "observed",
    "requalifications",
    "regressions",
    "re_entries",
    "period_ratio",
    "rate_of_first",
    "advance_median_days",
    "out_of_order",
    "undated",
    "excluded",
    "roi",
    "cost",
    "responses",
    "lost_amount",
    "implied",
    "opportunities",
)
_BEYOND_ANY_SCREEN = 10_000


def text(result: Result, *, wide: bool = False, to_screen: bool = False) -> str:
    """The table with its title, settings, totals, notes and trust, as text that ends in a newline.

    Args:
        result: what to show.
        wide: every column, and lines as long as they need to be.
        to_screen: fit the width of the terminal and use its colours; otherwise plain text.
    """
    width = shutil.get_terminal_size().columns if to_screen else _BEYOND_ANY_SCREEN
    console = Console(
        file=io.StringIO(), width=_BEYOND_ANY_SCREEN if wide else width, force_terminal=to_screen, soft_wrap=wide
    )
    show(result, console, wide=wide)
    assert isinstance(console.file, io.StringIO)
    # Rich pads lines of a wide table to the console's width; a file wants none of it.
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def show(result: Result, console: Console, *, wide: bool = False) -> None:
    """Print a result on a Rich console."""
    grid = present.grid(result, wide=wide)
    console.print(Text(present.clean(result.title), style="bold"), highlight=False)
    for line in (_facts(result), _constants(grid)):
        if line:
            console.print(Text(line, style="dim"), highlight=False)
    if grid.rows:
        table, left_out = _fitting(grid, console, wide)
        console.print(table)
    else:
        left_out = ()
        console.print(Text("No rows: nothing matches."))
    for line, style in _footer(result, left_out):
        console.print(Text(line, style=style), highlight=False)


def _facts(result: Result) -> str:
    return " · ".join(f"{label} {value}" for label, value in present.facts(result))


def _constants(grid: Grid) -> str:
    return " · ".join(f"{label} {value}" for label, value in grid.constants if value)


def _footer(result: Result, left_out: Sequence[str]) -> list[tuple[str, str]]:
    lines = [(line, "bold") for line in totals.lines(result)]
    lines += [(f"Note: {present.clean(note)}", "") for note in result.notes]
    if left_out:
        names = ", ".join(present.label(name) for name in left_out)
        lines.append((f"Too narrow for: {names}. --wide shows every column.", "dim"))
    lines.append(
        (f"Definition {present.clean(result.definition.version)}: {present.clean(result.definition.text)}", "dim")
    )
    lines.append((present.trust_line(result), ""))
    return lines


def _fitting(grid: Grid, console: Console, wide: bool) -> tuple[Table, tuple[str, ...]]:
    """The table with as many columns as fit, and the names of those given up."""
    left_out: list[str] = []
    table = _table(grid, left_out)
    for name in _GIVEN_UP:
        if (
            wide
            or Measurement.get(console, console.options.update(max_width=_BEYOND_ANY_SCREEN), table).maximum
            <= console.width
        ):
            break
        if any(heading.name == name for heading in grid.headings):
            left_out.append(name)
            table = _table(grid, left_out)
    return table, tuple(left_out)


def _table(grid: Grid, left_out: Sequence[str]) -> Table:
    kept = [i for i, heading in enumerate(grid.headings) if heading.name not in left_out]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for i in kept:
        heading = grid.headings[i]
        table.add_column(Text(heading.label), justify="right" if heading.numeric else "left", overflow="fold")
    for row in grid.rows:
        table.add_row(*(Text(row[i]) for i in kept))
    return table
