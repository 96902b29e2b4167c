"""`make test-night`: every test at full scale; the figures of the run are kept in night.md beside this file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path

from benchmarks.machine import ROOT, description

KEPT = Path(__file__).with_name("night.md")


def main() -> None:
    """Run the tests, keep the figures if they pass, end with pytest's exit code."""
    with tempfile.TemporaryDirectory() as folder:
        figures, report = Path(folder) / "figures.jsonl", Path(folder) / "report.xml"
        figures.touch()
        began = time.monotonic()
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "auto", "--dist", "worksteal", f"--junitxml={report}"],
            cwd=ROOT,
            env={**os.environ, "LEADLINE_TEST_SCALE": "1", "LEADLINE_TEST_FIGURES": str(figures)},
            check=False,
        )
        if run.returncode:
            sys.exit(run.returncode)
        KEPT.write_text(page(figures, report, time.monotonic() - began), encoding="utf-8")


def page(figures: Path, report: Path, seconds: float) -> str:
    """The figures as a page: what ran in full numbers, and the slowest files."""
    cases = {json.dumps(one, sort_keys=True): one for one in map(json.loads, figures.read_text().splitlines())}
    tests: dict[str, list[float]] = defaultdict(list)
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        tests[case.get("classname", "").rpartition(".")[2] + ".py"].append(float(case.get("time", "0")))
    total = sum(map(len, tests.values()))
    lines = [
        "# The last night run",
        "",
        f"{description()}.",
        "",
        f"{total} tests passed in {seconds / 60:.1f} minutes, random and fault cases at full scale:",
        "",
        "| test file | cases |",
        "| --- | ---: |",
        *(f"| {one['file']}, line {one['line']} | {one['run']:,} |" for one in sorted(cases.values(), key=_place)),
        "",
        "Files that took longest (seconds of all their tests, on all workers):",
        "",
        "| test file | tests | seconds |",
        "| --- | ---: | ---: |",
        *(
            f"| {name} | {len(times)} | {sum(times):.1f} |"
            for name, times in sorted(tests.items(), key=lambda one: -sum(one[1]))[:15]
        ),
        "",
    ]
    return "\n".join(lines)


def _place(one: dict[str, object]) -> tuple[str, int]:
    return str(one["file"]), int(str(one["line"]))


if __name__ == "__main__":
    main()
