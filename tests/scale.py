"""How many random or fault cases a test runs: a tenth in `make test`, all in `make test-night`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

SCALE = float(os.environ.get("LEADLINE_TEST_SCALE", "0.1"))


def scaled(cases: int) -> int:
    """`cases` at full scale, at least 5.

    With LEADLINE_TEST_FIGURES naming a file, each use adds a line to it, from which `make
    test-night` writes benchmarks/night.md.
    """
    return _noted(cases, max(5, round(cases * SCALE)))


def costly(cases: int) -> int:
    """The same of cases that take many seconds each: at least 1."""
    return _noted(cases, max(1, round(cases * SCALE)))


def kept(name: str, count: int) -> None:
    """Keep a number that a test has counted, under its name, beside the numbers of cases."""
    _written({"name": name, "run": count})


def _noted(cases: int, run: int) -> int:
    caller = sys._getframe(2)
    _written({"file": Path(caller.f_code.co_filename).name, "line": caller.f_lineno, "full": cases, "run": run})
    return run


def _written(line: dict[str, str | int]) -> None:
    if figures := os.environ.get("LEADLINE_TEST_FIGURES"):
        with Path(figures).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
