"""What the measurements were made on: machine, versions, date; and how a process is measured."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("duckdb", "ibis-framework", "dlt", "pyarrow", "numpy")


@dataclass(frozen=True)
class Measured:
    """One process: wall seconds, peak resident memory in MB, what it printed, and processor seconds."""

    seconds: float
    peak_mb: float
    output: str
    cpu: float


def measured(command: list[str], environment: dict[str, str] | None = None) -> Measured:
    """Run a command in a process of its own and measure it.

    Raises:
        RuntimeError: it failed; the message holds what it printed.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
    )
    assert process.stdout is not None
    output = process.stdout.read()
    # wait4 gives the peak of this one child; getrusage(RUSAGE_CHILDREN) would give that of the largest so far.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{output[-4000:]}")
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return Measured(seconds, usage.ru_maxrss / unit, output, usage.ru_utime + usage.ru_stime)


def description() -> str:
    """One line: processor, cores, memory, system, Python and package versions, day."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{_processor()}, {len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} cores, "
        f"{memory:.0f} GiB, {platform.system()} {platform.machine()}, Python {platform.python_version()}; "
        f"{packages}; {time.strftime('%Y-%m-%d')}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        if names:
            return names[0]
    return platform.processor() or "unnamed processor"
