"""What users of the library see: few names, all of them described, and a quick start."""

from __future__ import annotations

import inspect
import subprocess
import sys
import types

import leadline

HEAVY = {"duckdb", "ibis", "dlt", "pyarrow", "pandas", "numpy", "scipy", "altair", "vl_convert", "polars"}


def fresh_python(code: str) -> str:
    """What a new interpreter prints."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_few_public_names_and_no_others():
    assert len(leadline.__all__) <= 25
    assert len(set(leadline.__all__)) == len(leadline.__all__)
    assert set(leadline.__all__) <= set(dir(leadline))
    shown = {
        name
        for name, value in vars(leadline).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType) and name != "annotations"
    }
    assert shown <= set(leadline.__all__)


def test_public_names_are_described():
    bare = [
        name
        for name in leadline.__all__
        if callable(value := getattr(leadline, name)) and not (inspect.getdoc(value) or "").strip()
    ]
    assert not bare


def test_help_and_import_stay_light():
    """Help answers at once because heavy parts are imported where they are used."""
    code = "import sys, leadline; print(sorted({name.partition('.')[0] for name in sys.modules}))"
    assert not HEAVY & set(eval(fresh_python(code)))  # a list of names our own line printed


def test_help_of_the_command_line_stays_light():
    code = """
import contextlib, io, sys
sys.argv = ["leadline", "--help"]
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    from leadline.__main__ import main
    main()
print(sorted({name.partition(".")[0] for name in sys.modules}))
"""
    assert not HEAVY & set(eval(fresh_python(code)))  # a list of names our own line printed
