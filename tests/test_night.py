"""The page of the night run is written whatever becomes of the tests, and says which failed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import night
from tests.contracts.code import ROOT

REPORT = """<testsuites><testsuite>
<testcase classname="tests.test_a" name="test_one" time="1.5" />
<testcase classname="tests.test_a" name="test_two" time="2.0"><failure>no</failure></testcase>
<testcase classname="tests.test_b" name="test_three" time="0.25"><error>no</error></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def figures(tmp_path: Path) -> Path:
    path = tmp_path / "figures.jsonl"
    lines = [{"file": "test_a.py", "line": 7, "full": 1000, "run": 1000}] * 2
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_failure_keeps_the_figures_and_is_named(tmp_path: Path, figures: Path):
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    text = night.page(figures, report, 90.0, exit_code=1)
    assert "**Failed** (pytest ended with 1): 2 tests failed and 1 passed in 1.5 minutes" in text
    assert "- `tests.test_a::test_two`\n- `tests.test_b::test_three`" in text
    assert "| test_a.py, line 7 | 1,000 |" in text
    assert "| test_a.py | 2 | 3.5 |" in text


def test_a_run_that_broke_off_leaves_its_figures_too(tmp_path: Path, figures: Path):
    text = night.page(figures, tmp_path / "absent.xml", 60.0, exit_code=-9)
    assert "pytest ended with -9" in text
    assert "| test_a.py, line 7 | 1,000 |" in text


def run(tmp_path: Path, tests: str) -> tuple[int, str]:
    """A night run of some tests: its exit code and its page."""
    page = tmp_path / "night.md"
    environment = {**os.environ, "NIGHT_TESTS": tests, "NIGHT_PAGE": str(page)}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.night"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"Written: {page}" in done.stdout
    return done.returncode, page.read_text(encoding="utf-8")


def test_from_end_to_end_on_a_few_tests(tmp_path: Path):
    tests = tmp_path / "test_few.py"
    tests.write_text(
        "from tests.scale import scaled\nCASES = scaled(40)\n\n\ndef test_all():\n    assert CASES == 40\n"
    )
    code, text = run(tmp_path, str(tests))
    assert code == 0
    assert "1 tests passed in" in text
    assert "| test_few.py, line 2 | 40 |" in text
    tests.write_text("def test_not():\n    assert 0\n")
    code, text = run(tmp_path, str(tests))
    assert code == 1
    assert "test_few::test_not`" in text
