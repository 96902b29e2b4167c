"""The night run keeps what each file gave, goes on where it ended, and says what failed or has not run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks import night
from tests.contracts.code import ROOT

REPORT = """<testsuites><testsuite>
<testcase classname="tests.test_a" name="test_one" time="1.5" />
<testcase classname="tests.test_a" name="test_two" time="2.0"><failure>no</failure></testcase>
<testcase classname="tests.test_a" name="test_three" time="0.25"><error>no</error></testcase>
</testsuite></testsuites>"""


def part(when: str = "2026-01-01 00:00", ended: int = 0, failed: tuple[str, ...] = ()) -> night.Part:
    return night.Part(when, "abc", 12.0, 3, list(failed), {"test_a.py, line 7": 1000}, ended)


def test_a_report_says_what_did_not_pass(tmp_path: Path):
    report = tmp_path / "report.xml"
    assert night.outcomes(report) == (0, [])
    report.write_text(REPORT)
    assert night.outcomes(report) == (3, ["test_two", "test_three"])


def test_the_page_names_what_failed_and_what_has_not_run():
    known = {"tests/test_a.py": part(), "tests/test_b.py": part(ended=1, failed=("test_two",))}
    text = night.page(known, ["tests/test_a.py", "tests/test_b.py", "tests/test_c.py"])
    assert "1 files failed, 1 have not run yet" in text
    assert "- **tests/test_b.py**: FAILED (pytest ended with 1): test_two" in text
    assert "- not run: tests/test_c.py" in text
    assert "| tests/test_a.py | 3 | 0 | 1,000 (test_a.py, line 7) | 12 | 2026-01-01 00:00 | abc |" in text


def test_a_part_that_broke_off_is_a_failure():
    assert "| tests/test_a.py | 3 | 1 |" in night.page({"tests/test_a.py": part(ended=-9)}, [])


def test_what_never_ran_comes_first_then_what_ran_longest_ago():
    first, second, *others = night.parts({})
    known = {file: part("2026-03-01 00:00") for file in others} | {second: part("2026-02-01 00:00")}
    assert night.parts(known)[:2] == [first, second]
    assert "tests/test_money.py" in night.parts({})
    assert "tests/test_night.py" not in night.parts({})


def run(tmp_path: Path, tests: str, **more: str) -> tuple[int, str]:
    """A night run of some tests: its exit code and its page."""
    page = tmp_path / "night.md"
    environment = {**os.environ, "NIGHT_TESTS": tests, "NIGHT_PAGE": str(page), **more}
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
    good, bad = tmp_path / "test_few.py", tmp_path / "test_bad.py"
    good.write_text("from tests.scale import scaled\nCASES = scaled(40)\n\n\ndef test_all():\n    assert CASES == 40\n")
    bad.write_text("def test_not():\n    assert 0\n")
    code, text = run(tmp_path, str(good))
    assert code == 0
    assert "40 (test_few.py, line 2)" in text
    code, text = run(tmp_path, str(bad))
    assert code == 1
    assert f"- **{bad}**: FAILED (pytest ended with 1): test_not" in text
    assert "40 (test_few.py, line 2)" in text
    assert set(json.loads((tmp_path / "night.json").read_text())) == {str(good), str(bad)}


def test_no_file_begins_after_the_minutes(tmp_path: Path):
    good = tmp_path / "test_few.py"
    good.write_text("def test_all():\n    assert True\n")
    code, text = run(tmp_path, str(good), NIGHT_MINUTES="0")
    assert code == 0
    assert "0 files ran" in text
