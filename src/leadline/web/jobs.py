"""Work that takes longer than a page may: one import at a time, which tells how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from leadline.errors import LeadlineError, WriterBusyError
from leadline.progress import Progress


@dataclass
class Job:
    """One piece of work.

    Attributes:
        title: what it is, in a few words.
        steps: what has begun, in order; the last one is what goes on now.
        report: what came of it; fault: why nothing did.
    """

    title: str
    started: float = field(default_factory=time.monotonic)
    steps: list[str] = field(default_factory=list)
    done: int = 0
    total: int | None = None
    ended: float | None = None
    report: Any = None
    fault: str = ""

    @property
    def running(self) -> bool:
        """Whether it still goes on."""
        return self.ended is None

    @property
    def seconds(self) -> int:
        """How long it has taken so far."""
        return int((self.ended or time.monotonic()) - self.started)


class _Heard(Progress):
    """Writes progress into a job."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def begin(self, step: str, total: int | None = None, unit: str = "rows") -> None:
        """A step begins."""
        self._job.steps.append(step)
        self._job.done, self._job.total = 0, total

    def advance(self, count: int = 1) -> None:
        """So many units are done."""
        self._job.done += count


class Jobs:
    """The job of a server that runs, or ran last; `workspace` is what messages call it."""

    def __init__(self, workspace: str) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self.last: Job | None = None
        self._thread: threading.Thread | None = None

    def start(self, title: str, work: Callable[[Progress], Any]) -> Job:
        """Begin a job.

        Raises:
            WriterBusyError: another one is going on.
        """
        with self._lock:
            if self.last is not None and self.last.running:
                raise WriterBusyError(self._workspace, f"an import of this server ({self.last.title})")
            job = self.last = Job(title)
        self._thread = threading.Thread(target=_run, args=(job, work), name="leadline-job")
        self._thread.start()
        return job

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the job that runs."""
        if self._thread is not None:
            self._thread.join(seconds)


def _run(job: Job, work: Callable[[Progress], Any]) -> None:
    # An error nobody foresaw goes on to the log of the thread; the reader must not wait for ever.
    job.fault = "Something went wrong on the server; the log of the server has more."
    try:
        job.report = work(_Heard(job))
        job.fault = ""
    except LeadlineError as fault:
        job.fault = str(fault)
    finally:
        job.ended = time.monotonic()
