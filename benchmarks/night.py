"""`make test-night`: every test at full scale; the figures of the run are kept in night.md beside this file.

The page is written whether the tests pass or fail: a run of hours must not leave nothing. It says
which failed. `NIGHT_TESTS` names the tests to run in place of all (as pytest takes them), `NIGHT_PAGE`
another page, for a try.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import ROOT, description

KEPT = Path(__file__).with_name("night.md")
SLOWEST = 15
FAULTS = ("failure", "error")


@dataclass(frozen=True)
class Outcome:
    """One test: the module it is in, its name, its seconds, and whether it passed."""

    module: str
    name: str
    seconds: float
    passed: bool

    @property
    def file(self) -> str:
        """Name of the file it is in."""
        return f"{self.module.rpartition('.')[2]}.py"


def main() -> None:
    """Run the tests, keep the figures, end with pytest's exit code."""
    chosen = os.environ.get("NIGHT_TESTS", "").split()
    page_at = Path(os.environ.get("NIGHT_PAGE") or KEPT)
    with tempfile.TemporaryDirectory() as folder:
        figures, report = Path(folder) / "figures.jsonl", Path(folder) / "report.xml"
        figures.touch()
        began = time.monotonic()
        run = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-n",
                "auto",
                "--dist",
                "worksteal",
                f"--junitxml={report}",
                *chosen,
            ],
            cwd=ROOT,
            env={**os.environ, "LEADLINE_TEST_SCALE": "1", "LEADLINE_TEST_FIGURES": str(figures)},
            check=False,
        )
        text = page(figures, report, time.monotonic() - began, exit_code=run.returncode, chosen=chosen)
        page_at.write_text(text, encoding="utf-8")
    print(f"Written: {page_at}")
    sys.exit(run.returncode)


def page(figures: Path, report: Path, seconds: float, *, exit_code: int = 0, chosen: Sequence[str] = ()) -> str:
    """The figures as a page: how it ended, what failed, what ran in full numbers, and the slowest files.

    Args:
        figures: lines that `tests.scale` has written.
        report: pytest's report in the form of JUnit; absent if pytest did not come to its end.
        seconds: how long the run took.
        exit_code: pytest's.
        chosen: the tests that were named; none for all.
    """
    outcomes = outcomes_of(report)
    failed = [one for one in outcomes if not one.passed]
    lines = ["# The last night run", "", f"{description()}.", ""]
    if chosen:
        lines += [f"Only a part of the tests: {' '.join(chosen)}.", ""]
    lines += [_ending(outcomes, failed, seconds, exit_code), ""]
    if failed:
        lines += ["Failed:", "", *(f"- `{one.module}::{one.name}`" for one in failed), ""]
    lines += _cases(figures)
    lines += _slowest(outcomes)
    return "\n".join(lines)


def outcomes_of(report: Path) -> list[Outcome]:
    """Every test of a JUnit report; none without one."""
    if not report.exists() or not report.stat().st_size:
        return []
    return [
        Outcome(
            case.get("classname", ""),
            case.get("name", ""),
            float(case.get("time", "0")),
            all(case.find(fault) is None for fault in FAULTS),
        )
        for case in ElementTree.parse(report).getroot().iter("testcase")
    ]


def _ending(outcomes: Sequence[Outcome], failed: Sequence[Outcome], seconds: float, exit_code: int) -> str:
    took = f"in {seconds / 60:.1f} minutes, random and fault cases at full scale"
    if exit_code == 0 and not failed:
        return f"{len(outcomes)} tests passed {took}:"
    passed = len(outcomes) - len(failed)
    return f"**Failed** (pytest ended with {exit_code}): {len(failed)} tests failed and {passed} passed {took}:"


def _cases(figures: Path) -> list[str]:
    """How many random and fault cases ran, by test file and line."""
    told = map(json.loads, figures.read_text(encoding="utf-8").splitlines())
    cases = {json.dumps(one, sort_keys=True): one for one in told}
    rows = [
        f"| {one['file']}, line {one['line']} | {one['run']:,} |"
        for one in sorted(cases.values(), key=lambda one: (str(one["file"]), int(one["line"])))
    ]
    return ["| test file | cases |", "| --- | ---: |", *rows, ""]


def _slowest(outcomes: Iterable[Outcome]) -> list[str]:
    """The files that took longest."""
    files: dict[str, list[float]] = defaultdict(list)
    for one in outcomes:
        files[one.file].append(one.seconds)
    longest = sorted(files.items(), key=lambda one: (-sum(one[1]), one[0]))[:SLOWEST]
    return [
        "Files that took longest (seconds of all their tests, on all workers):",
        "",
        "| test file | tests | seconds |",
        "| --- | ---: | ---: |",
        *(f"| {name} | {len(times)} | {sum(times):.1f} |" for name, times in longest),
        "",
    ]


if __name__ == "__main__":
    main()
