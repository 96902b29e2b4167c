"""The account of an import: every file, every row, what the ledger did, what was found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from leadline.cli.console import stdout
from leadline.cli.findings import STYLES
from leadline.dates import format_instant
from leadline.render.present import clean

if TYPE_CHECKING:
    from leadline.findings import Finding
    from leadline.ledger import LoadReport
    from leadline.sources.staged import FileAccount
    from leadline.workspace import ImportReport

SHOWN = 8
"""Findings shown; `leadline audit` lists all."""

_RANK = {"error": 0, "warning": 1, "info": 2}


def show_import(report: ImportReport, console: Console | None = None) -> None:
    """Print the account."""
    target = console or stdout()
    for part in _parts(report):
        target.print(part, highlight=False)


def _parts(report: ImportReport) -> Iterable[RenderableType]:
    load = report.load
    yield Text.assemble(
        ("Import ", "bold"),
        (clean(load.name), "bold"),
        f" · {load.coverage} · taken {format_instant(load.extracted_at)}",
    )
    yield Text(f"({report.evidence})", "dim")
    yield _files(report.files)
    yield from (Text(line, "dim") for line in _notes(report.files))
    yield from _ledger(load)
    if report.proposal:
        yield Text("\nProposed settings, written to leadline.toml", "bold")
        yield from (Text(clean(line)) for line in report.proposal.found)
    yield from _findings(report.findings)
    yield from _next(report)


def _files(files: Iterable[FileAccount]) -> Table:
    table = _table(("file", "left"), ("object", "left"), ("rows", "right"), ("loaded", "right"), ("rejected", "right"))
    for file in files:
        if file.object is None and not file.rows:
            continue
        rejected = Text(f"{file.rejected:,}", "bold red" if file.rejected and file.object else "")
        name = Text(clean(file.file), overflow="fold")
        table.add_row(name, file.object or Text("passed over", "dim"), f"{file.rows:,}", f"{file.loaded:,}", rejected)
    return table


def _notes(files: Iterable[FileAccount]) -> Iterable[str]:
    for file in files:
        for note in file.notes:
            yield f"  {clean(file.file)}: {clean(note)}"


def _ledger(load: LoadReport) -> Iterable[RenderableType]:
    if load.repeated:
        yield Text("\nThe ledger holds this load already; nothing changed.")
        return
    yield Text("\nIn the ledger", "bold")
    columns = ("new", "changed", "unchanged", "gone", "returned")
    table = _table(("object", "left"), *((name, "right") for name in columns))
    for one in load.objects:
        table.add_row(one.object, *(f"{getattr(one, name):,}" for name in columns))
    yield table
    if load.replayed:
        yield Text(f"This load is older than {load.replayed} others; they were taken again after it.")


def _findings(findings: tuple[Finding, ...]) -> Iterable[RenderableType]:
    if not findings:
        yield Text("\nNo findings.")
        return
    yield Text(f"\nFindings ({len(findings)})", "bold")
    ranked = sorted(findings, key=lambda one: (_RANK[one.severity], -one.rows, one.code))
    for one in ranked[:SHOWN]:
        yield Text.assemble(
            (f"{one.severity:8}", STYLES[one.severity]), (clean(one.code), "bold"), f": {clean(one.message)}"
        )
    if len(ranked) > SHOWN:
        yield Text(f"{len(ranked) - SHOWN} more: leadline audit", "dim")


def _next(report: ImportReport) -> Iterable[RenderableType]:
    if report.published is None:
        yield Text("\nNothing is published yet. Next: leadline build")
        return
    snapshot = report.published.snapshot
    again = "is published already: nothing changed" if report.published.repeated else "is published"
    yield Text(f"\nSnapshot {snapshot.id} {again}. Next: leadline summary")


def _table(*columns: tuple[str, Literal["left", "right"]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for name, side in columns:
        table.add_column(name, justify=side)
    return table
