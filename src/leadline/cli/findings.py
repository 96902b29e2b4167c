"""The findings in a terminal: a paragraph each, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from leadline.cli.console import stdout
from leadline.render.present import amount_text, clean, list_text, local_time

if TYPE_CHECKING:
    from leadline.results import Result

STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}
"""How a severity looks."""


def show(table: Result, console: Console | None = None) -> None:
    """Print the table of findings for people; programs ask with --format."""
    target = console or stdout()
    for part in _parts(table):
        target.print(part, highlight=False)


def _parts(table: Result) -> Iterable[RenderableType]:
    rows = table.table.to_pylist()
    moment = local_time(table.as_of, table.timezone)
    yield Text.assemble(
        ("Findings", "bold"), (f" · as of {moment} {table.timezone} · snapshot {table.snapshot}", "dim")
    )
    if not rows:
        yield Text("None: no check found a fault.")
        return
    counts = Counter(row["severity"] for row in rows)
    yield Text(" · ".join(_counted(counts[severity], severity) for severity in STYLES if counts[severity]))
    for row in rows:
        yield Text("")
        yield _head(table, row)
        yield Padding(Text(clean(row["message"])), (0, 0, 0, 2), expand=False)
        moves = f"moves {list_text(row['moves'])}" if row["moves"] else None
        for line in (row["remedy"], moves, _since(table, row)):
            if line:
                yield Padding(Text(clean(line), "dim"), (0, 0, 0, 2), expand=False)
    yield Text("\nleadline audit --list CODE lists the records of a finding.", "dim")


def _counted(count: int, severity: str) -> str:
    return f"{count} {severity}{'s' if count != 1 and severity != 'info' else ''}"


def _since(table: Result, row: dict[str, Any]) -> str | None:
    """Since when the finding is known, where an earlier snapshot has it too."""
    if row["first_seen"] == row["last_seen"]:
        return None
    return f"first seen in the load of {local_time(row['first_seen'], table.timezone)}"


def _head(table: Result, row: dict[str, Any]) -> Text:
    line = Text.assemble((row["severity"], STYLES[row["severity"]]), "  ", (clean(row["code"]), "bold"))
    if row["rows"]:
        line.append(f"  {row['rows']:,} {clean(row['object'] or 'records')}")
    if row["amount"] is not None:
        line.append(f" · {amount_text(table, row['amount'])} {table.currency}")
    return line
