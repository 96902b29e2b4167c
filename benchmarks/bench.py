"""`make bench`: seconds, peak memory and distance to the limit of import, build and each metric.

The limit is measured in the same run on the same machine: DuckDB reading the same CSV files with an
explicit schema, and DuckDB looking once at every value of the columns a step reads. Each step is a
process of its own; short steps are run three times and their median is kept.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, Measured, description, measured

PLACE = ROOT / "bench-workspace"
KEPT = Path(__file__).with_name("README.md")
FIGURES = Path(__file__).with_name("figures.json")
PEOPLE = {"10k": 2_000, "100k": 20_000, "1M": 200_000, "5M": 1_000_000, "10M": 2_000_000}
METRICS = ("volume", "conversion", "velocity", "influence")
AIMS = {"import": 3.0, "import, to tables": 3.0, "build": 10.0, **dict.fromkeys(METRICS, 5.0)}
SHORT = 20.0
"""Seconds up to which a step counts as short and is repeated."""


@dataclass(frozen=True)
class Line:
    """One step: seconds of the whole process and of the work in it, peak MB, and the limit's seconds."""

    step: str
    seconds: float
    work: float
    peak_mb: float
    limit: float | None
    runs: int

    @property
    def ratio(self) -> float | None:
        """Work ÷ limit."""
        return self.work / self.limit if self.limit else None


def repeated(run: Callable[[], tuple[Measured, dict[str, float]]]) -> tuple[Measured, dict[str, float], int]:
    """The run with the median time: of three if it is short, else of one."""
    runs = [run()]
    while runs[0][0].seconds < SHORT and len(runs) < 3:
        runs.append(run())
    middle = statistics.median_low([one[0].seconds for one in runs])
    chosen = next(one for one in runs if one[0].seconds == middle)
    return *chosen, len(runs)


def step(*arguments: str) -> tuple[Measured, dict[str, float]]:
    """One step of benchmarks.steps, measured, with what it printed."""
    one = measured([sys.executable, "-m", "benchmarks.steps", *arguments])
    return one, json.loads(one.output.strip().splitlines()[-1])


def command(*arguments: str) -> tuple[Measured, dict[str, float]]:
    """One command of the program, measured."""
    return measured([sys.executable, "-m", "leadline", *arguments]), {}


def demo_files(size: str) -> Path:
    """The demo org of that size as CSV files, made if it is not there."""
    folder = PLACE / size / "export"
    made = folder / ".made"
    if not made.exists():
        shutil.rmtree(folder, ignore_errors=True)
        began = time.perf_counter()
        command("demo", "--people", str(PEOPLE[size]), "--seed", "7", "--out", str(folder))
        made.write_text(f"{time.perf_counter() - began:.1f}")
    return folder


def run(size: str) -> dict[str, object]:
    """All figures of one size."""
    files, workspace = demo_files(size), PLACE / size / "workspace"
    say(f"{size}: files are there ({megabytes(files):,.0f} MB), reading them with DuckDB")
    _, read, _ = repeated(lambda: step("read_csv", str(files)))
    _, kept, _ = repeated(lambda: read_into_tables(files, PLACE / size / "limit.duckdb"))

    def imported() -> tuple[Measured, dict[str, float]]:
        shutil.rmtree(workspace, ignore_errors=True)
        return command("import", str(files), "--workspace", str(workspace), "--no-build")

    say(f"{size}: import")
    one, _, runs = repeated(imported)
    lines = [
        Line("import", one.seconds, one.seconds, one.peak_mb, read["seconds"], runs),
        Line("import, to tables", one.seconds, one.seconds, one.peak_mb, kept["seconds"], runs),
    ]

    say(f"{size}: build")
    one, _, runs = repeated(lambda: command("build", "--workspace", str(workspace)))
    _, scan, _ = repeated(lambda: step("scan_ledger", str(workspace)))
    lines.append(Line("build", one.seconds, one.seconds, one.peak_mb, scan["seconds"], runs))

    for metric in METRICS:
        say(f"{size}: {metric}")
        one, inside, runs = repeated(lambda metric=metric: step("ask", str(workspace), metric))  # type: ignore[misc]
        lines.append(Line(metric, one.seconds, inside["seconds"], one.peak_mb, inside["scan_seconds"], runs))
    say(f"{size}: questions in depth")
    depth = json.loads(
        measured([sys.executable, "-m", "benchmarks.questions", str(workspace)]).output.strip().splitlines()[-1]
    )
    return {
        "depth": depth,
        "rows": int(read["rows"]),
        "csv_mb": megabytes(files),
        "generate_seconds": float((files / ".made").read_text()),
        "ledger_mb": megabytes(workspace / "ledger.duckdb"),
        "snapshot_mb": megabytes(workspace / "snapshots"),
        "lines": [vars(line) | {"ratio": line.ratio} for line in lines],
    }


def read_into_tables(files: Path, database: Path) -> tuple[Measured, dict[str, float]]:
    """The files read into the tables of a new database file."""
    database.unlink(missing_ok=True)
    try:
        return step("read_csv", str(files), str(database))
    finally:
        database.unlink(missing_ok=True)


def megabytes(path: Path) -> float:
    """Size of a file or of all files below a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


HEAD = """# Benchmark

Made by `make bench`; do not edit. Aims: import at most 3 × the read, build at most 10 × the scan of its
inputs, each metric at most 5 × the scan of its columns, peak memory at most 6 GB at 10 M.

- **seconds**: the whole process, start included. **work**: of a metric, the question itself.
- **limit**: for import, DuckDB reading the same CSV files with an explicit schema, every cell parsed and
  typed, nothing kept; *to tables*: the same, kept in the tables of a database file. For build and
  metrics, DuckDB hashing every value of the records, or of the columns that the metric's queries read, once.
- **×** = work ÷ limit. Each step runs in a process of its own; a step under {short:.0f} s is run three
  times and the median kept.
"""


def page(figures: dict[str, dict[str, object]]) -> str:
    """The figures as a page."""
    parts = [HEAD.format(short=SHORT)]
    for size in [one for one in PEOPLE if one in figures]:
        one = figures[size]
        parts.append(
            f"## {size} campaign members\n\n{one['machine']}. {_load(one['load'])}\n\n"
            f"{one['rows']:,} rows of all objects in {one['csv_mb']:,.0f} MB of CSV, generated in "
            f"{one['generate_seconds']:.1f} s; ledger {one['ledger_mb']:,.0f} MB, snapshot {one['snapshot_mb']:,.0f} MB.\n\n"
            "| step | seconds | work | peak MB | limit | × | aim |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
            + "\n".join(_row(line) for line in one["lines"])  # type: ignore[attr-defined]  # a list of dicts from JSON
            + "\n"
            + (_depth(one["depth"]) if "depth" in one else "")  # type: ignore[arg-type]  # as above
        )
    return "\n".join(parts)


def _depth(depth: dict[str, Any]) -> str:
    """The questions in depth, slowest first, with the nine-in-ten point."""
    asked = sorted(depth["questions"].items(), key=lambda one: -one[1]["seconds"])
    nine = sorted(one["seconds"] for _, one in asked)[math.ceil(0.9 * len(asked)) - 1]
    rows = [
        f"| {name} | {one['seconds']:.2f} | {one['scan_seconds']:.3f} | {one['seconds'] / one['scan_seconds']:.1f} |"
        for name, one in asked
    ]
    return (
        f"\nQuestions in depth, each asked once in one process after its start (peak {depth['peak_mb']:,.0f} MB); "
        f"nine in ten within {nine:.2f} s.\n\n| question | seconds | limit | × |\n| --- | ---: | ---: | ---: |\n"
        + "\n".join(rows)
        + "\n"
    )


def _load(load: Any) -> str:
    """How busy the machine was with other work: its load average before and after the run."""
    before, after = load
    busy = ", so seconds and limits hold other work too" if before > 1 else ""
    return f"Load average before {before:.1f}, after {after:.1f}{busy}."


def _row(line: dict[str, float]) -> str:
    name = str(line["step"])
    limit, ratio = line["limit"], line["ratio"]
    return (
        f"| {name} | {line['seconds']:.2f} | {line['work']:.2f} | {line['peak_mb']:,.0f} | "
        f"{f'{limit:.3f}' if limit else ''} | {f'{ratio:.1f}' if ratio else ''} | {AIMS[name]:.0f} |"
    )


def main() -> None:
    """Measure the sizes named on the command line and write the page."""
    sizes = sys.argv[1:] or ["100k", "10M"]
    if unknown := [size for size in sizes if size not in PEOPLE]:
        sys.exit(f"no such size: {', '.join(unknown)}; known: {', '.join(PEOPLE)}")
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    for size in sizes:
        before = os.getloadavg()[0]
        measures = run(size)
        figures[size] = {"machine": description(), "load": [before, os.getloadavg()[0]], **measures}
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
        KEPT.write_text(page(figures), encoding="utf-8")
    print(page({size: figures[size] for size in sizes}))


if __name__ == "__main__":
    main()
