"""A Spark cluster of a test's own: a master and workers as processes on loopback."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import pyspark

T = TypeVar("T")

PATIENCE: Final = 120.0
"""Seconds that a Java process may take to start on a busy machine."""

SMALL: Final = {
    # A handful of rows: one partition each, and neither plans made anew nor code compiled for them.
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
LOOPBACK: Final = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.executor.memory": "600m",
    "spark.executor.cores": "1",
}


@dataclass
class Process:
    """A Java process with all it starts, and the file of what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End it and its executors at once, as a machine that goes dark does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def heard(self, pattern: str, times: int = 1) -> re.Match[str]:
        """Wait until it has said something so many times."""

        def found() -> re.Match[str] | None:
            matches = list(re.finditer(pattern, self.log.read_text(errors="replace")))
            return matches[times - 1] if len(matches) >= times else None

        return waited(found, f"{self.log} does not say {pattern!r}")


@dataclass
class Cluster:
    """Its address, and its workers."""

    url: str
    workers: list[Process]


def waited(ask: Callable[[], T | None], fault: str) -> T:
    """The first answer that is one."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = ask()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(fault)


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A running master and its workers; their logs and files lie in `folder`."""
    started: list[Process] = []

    def start(name: str, *words: str) -> Process:
        home = Path(pyspark.__file__).parent
        environment = {
            **os.environ,
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "300m",
        }
        log = folder / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [str(home / "bin/spark-class"), *words, "--host", "127.0.0.1", "--webui-port", "0"],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                env=environment,
                cwd=folder,
                start_new_session=True,
            )
        started.append(Process(process, log))
        return started[-1]

    try:
        master = start("master", "org.apache.spark.deploy.master.Master", "--port", "0")
        url = master.heard(r"Starting Spark master at (spark://\S+)")[1]
        own = [
            start(
                f"worker{number}", "org.apache.spark.deploy.worker.Worker", url,
                "--cores", "1", "--memory", "800m", "--work-dir", str(folder / f"work{number}"),
            )
            for number in range(workers)
        ]  # fmt: skip
        master.heard("Registering worker", times=workers)
        yield Cluster(url, own)
    finally:
        for each in reversed(started):
            if each.process.poll() is None:
                each.kill()
