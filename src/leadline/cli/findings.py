"""The findings in a terminal: a paragraph each, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from leadline.cli.console import stdout
from leadline.render.present import amount_text, clean, local_time

if TYPE_CHECKING:
    from leadline.audit.moved import Effect
    from leadline.results import Result

STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}
"""How a severity looks."""


MOVES = 3
"""Numbers that a paragraph shows of what its finding moves."""


def show(table: Result, console: Console | None = None, *, digest: Sequence[Effect] = ()) -> None:
    """Print the table of findings for people; programs ask with --format.

    Args:
        digest: what to mend first, shown above all.
    """
    target = console or stdout()
    for part in _parts(table, digest):
        target.print(part, highlight=False)


def _parts(table: Result, digest: Sequence[Effect]) -> Iterable[RenderableType]:
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
    yield from digest_lines(digest, table)
    standing = [row for row in rows if not row["accepted"]]
    for row in standing:
        yield from _paragraph(table, row)
    if len(standing) < len(rows):
        yield Text("\nAccepted; they count in every grade all the same", "bold")
        for row in rows:
            if row["accepted"]:
                yield from _paragraph(table, row)
    yield Text("\nleadline audit --list CODE lists the records of a finding.", "dim")


def _paragraph(table: Result, row: dict[str, Any]) -> Iterable[RenderableType]:
    yield Text("")
    yield _head(table, row)
    yield Padding(Text(clean(row["message"])), (0, 0, 0, 2), expand=False)
    for line in (row["remedy"], _moves(table, row), _since(table, row), _before(row), _accepted(row)):
        if line:
            yield Padding(Text(clean(line), "dim"), (0, 0, 0, 2), expand=False)


def digest_lines(digest: Sequence[Effect], table: Result) -> Iterable[RenderableType]:
    """The findings that move headline numbers most, a line each; nothing without any."""
    if not digest:
        return
    yield Text("\nWhat moves the headline numbers most", "bold")
    for effect in digest:
        one = effect.move
        line = Text.assemble("  ", (clean(effect.code), "bold"))
        move = {"kind": one.kind, "from": one.before, "to": one.after, "low": one.low, "high": one.high}
        unit = 10**table.currency_digits if one.kind == "money" else 1
        values = {name: value / unit if isinstance(value, int | float) else value for name, value in move.items()}
        line.append(f"  {clean(one.number)}: {_change(table, values)}")
        if effect.others:
            line.append(f" · {effect.others} more", "dim")
        yield line


def _moves(table: Result, row: dict[str, Any]) -> str | None:
    """What the finding moves, the most moved numbers with figures."""
    if not row["moves"]:
        return None
    metrics = ", ".join(dict.fromkeys(move["metric"] for move in row["moves"]))
    known = [move for move in row["moves"] if move["number"]]
    if not known:
        return f"can move {metrics}; by how much cannot be said"
    changed = [move for move in known if move["from"] != move["to"]]
    if not changed:
        return f"moves no headline number of {metrics}"
    shown = "; ".join(f"{move['number']} {_change(table, move)}" for move in changed[:MOVES])
    return f"moves {shown}{f'; {len(changed) - MOVES} more' if len(changed) > MOVES else ''}"


def _change(table: Result, move: dict[str, Any]) -> str:
    """From one value to another; where it is judged, up to it."""
    judged = move["low"] != move["high"]
    return f"{_value(table, move['kind'], move['from'])} → {'up to ' if judged else ''}{_value(table, move['kind'], move['to'])}"


def _value(table: Result, kind: str, value: float | None) -> str:
    if value is None:
        return "nothing"
    if kind == "rate":
        return f"{100 * value:.2f} %"
    if kind == "money":
        return f"{value:,.{table.currency_digits}f} {table.currency}"
    return f"{value:,.1f}" if kind == "days" else f"{value:,.0f}"


def _before(row: dict[str, Any]) -> str | None:
    """How many it was in the snapshot before, where that differs."""
    before = row["rows_before"]
    return None if before is None or before == row["rows"] else f"{before:,} in the snapshot before"


def _accepted(row: dict[str, Any]) -> str | None:
    if row["accepted_until"] is None:
        return None
    how = "accepted until" if row["accepted"] else "was accepted until"
    return f"{how} {row['accepted_until']}: {row['accepted_reason']}"


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
        line.append(f"  {row['rows']:,} {clean(row['object'] or ('record' if row['rows'] == 1 else 'records'))}")
    if row["amount"] is not None:
        line.append(f" · {amount_text(table, row['amount'])} {table.currency}")
    return line
