"""`make test-night`: every test with random or fault cases at full scale; the figures are kept in night.md.

The run takes hours, so it goes file by file, those first whose figures are oldest, and keeps what
each file gave as soon as it is there: a run may be broken off, or be given `NIGHT_MINUTES`, and the
next goes on. Tests without such cases are the same in `make test` and are not run here.

Settings of the environment: `NIGHT_MINUTES` (start no file after so many), `NIGHT_TESTS` (files in
place of all), `NIGHT_PAGE` (another page, for a try).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import ROOT, description

KEPT = Path(__file__).with_name("night.md")
FAULTS = ("failure", "error")
HAS_CASES = re.compile(r"\b(?:scaled|costly)\(|\bSCALE\b")
NOT_A_PART = {"scale.py", "test_night.py"}


@dataclass(frozen=True)
class Part:
    """What one file gave at full scale.

    Attributes:
        when: day of the run; `code` is the revision it ran on.
        tests: how many ran; `failed` names those that did not pass.
        cases: line of the file → random or fault cases; name → what a test counted.
        ended: pytest's exit code.
    """

    when: str
    code: str
    seconds: float
    tests: int
    failed: list[str]
    cases: dict[str, int]
    ended: int


def main() -> None:
    """Run what is due, keep the figures, end with 1 if a part failed."""
    page_at = Path(os.environ.get("NIGHT_PAGE") or KEPT)
    kept_at = page_at.with_suffix(".json")
    known = read(kept_at)
    files = os.environ.get("NIGHT_TESTS", "").split() or parts(known)
    minutes = float(os.environ.get("NIGHT_MINUTES") or "inf")
    end = time.monotonic() + 60 * minutes
    ran: dict[str, Part] = {}

    def turn(file: str) -> None:
        if time.monotonic() < end:
            ran[file] = run(file)
            print(f"{file}: {told(ran[file])}", flush=True)
            known[file] = ran[file]
            kept_at.write_text(json.dumps({name: asdict(known[name]) for name in sorted(known)}, indent=1) + "\n")

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(turn, files))
    page_at.write_text(page(known, parts({})), encoding="utf-8")
    print(f"Written: {page_at}")
    sys.exit(int(any(part.ended for part in ran.values())))


def parts(known: Mapping[str, Part]) -> list[str]:
    """The files with random or fault cases; first those that never ran, then those that ran longest ago."""
    files = (path for path in (ROOT / "tests").rglob("*.py") if path.name not in NOT_A_PART)
    found = sorted(
        str(path.relative_to(ROOT))
        for path in files
        if path.name.startswith("test_") and HAS_CASES.search(path.read_text(encoding="utf-8"))
    )
    return sorted(found, key=lambda file: known[file].when if file in known else "")


def read(path: Path) -> dict[str, Part]:
    """What earlier runs kept."""
    if not path.exists():
        return {}
    return {name: Part(**part) for name, part in json.loads(path.read_text(encoding="utf-8")).items()}


def run(file: str) -> Part:
    """One file at full scale, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        figures, report = Path(folder) / "figures.jsonl", Path(folder) / "report.xml"
        figures.touch()
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n0", f"--junitxml={report}", file],
            cwd=ROOT,
            env={**os.environ, "LEADLINE_TEST_SCALE": "1", "LEADLINE_TEST_FIGURES": str(figures)},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        tests, failed = outcomes(report)
        return Part(
            f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
            revision(),
            round(time.monotonic() - began, 1),
            tests,
            failed,
            cases(figures.read_text(encoding="utf-8").splitlines()),
            done.returncode,
        )


def outcomes(report: Path) -> tuple[int, list[str]]:
    """Tests of a JUnit report, and those that did not pass; none if pytest did not come to its end."""
    if not report.exists() or not report.stat().st_size:
        return 0, []
    found = list(ElementTree.parse(report).getroot().iter("testcase"))
    bad = [case for case in found if any(case.find(fault) is not None for fault in FAULTS)]
    return len(found), [case.get("name", "") for case in bad]


def cases(lines: Iterable[str]) -> dict[str, int]:
    """Cases by file and line, and what tests counted by name, of the lines that `tests.scale` writes."""
    told_of = [json.loads(line) for line in lines]
    return {one.get("name") or f"{one['file']}, line {one['line']}": one["run"] for one in told_of}


def revision() -> str:
    """The revision of the code; "-" outside of a checkout."""
    asked = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "-"


def told(part: Part) -> str:
    """One line about a part."""
    if part.ended == 0:
        return f"{part.tests} passed in {part.seconds:.0f} s"
    return f"FAILED (pytest ended with {part.ended}): {', '.join(part.failed) or 'no test named'}"


def page(known: Mapping[str, Part], files: Sequence[str]) -> str:
    """The figures as a page: what failed, what has not run, and every part.

    Args:
        known: figures by file.
        files: all parts there are.
    """
    absent = [file for file in files if file not in known]
    failed = {file: part for file, part in known.items() if part.ended}
    tests, hours = sum(part.tests for part in known.values()), sum(part.seconds for part in known.values()) / 3600
    lines = [
        "# The last night runs",
        "",
        f"{description()}.",
        "",
        f"{len(known)} files ran with all their random and fault cases: {tests} tests in {hours:.1f} hours of one "
        f"process; {len(failed)} files failed, {len(absent)} have not run yet.",
        "",
    ]
    lines += [f"- **{file}**: {told(part)}" for file, part in sorted(failed.items())]
    lines += [f"- not run: {file}" for file in absent]
    lines += [
        "",
        "| file | tests | failed | cases | seconds | day | revision |",
        "| --- | ---: | ---: | --- | ---: | --- | --- |",
    ]
    lines += [_row(file, part) for file, part in sorted(known.items())]
    return "\n".join([*lines, ""])


def _row(file: str, part: Part) -> str:
    counts = "; ".join(f"{count:,} ({place})" for place, count in sorted(part.cases.items()))
    failed = len(part.failed) or int(part.ended != 0)
    return f"| {file} | {part.tests} | {failed} | {counts} | {part.seconds:.0f} | {part.when} | {part.code} |"


if __name__ == "__main__":
    main()
