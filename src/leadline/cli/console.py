"""The two streams: stdout carries only the result; progress and messages go to stderr."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    import rich.console
    import rich.progress

EVERY_SECONDS = 10.0
"""How often a step that runs long says so where there is no terminal."""


FILE_WIDTH = 200
"""Columns of what is printed into a file or a pipe."""


def stdout() -> rich.console.Console:
    """The console of results."""
    from rich.console import Console

    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else FILE_WIDTH)


def stderr() -> rich.console.Console:
    """The console of messages."""
    from rich.console import Console

    return Console(file=sys.stderr, soft_wrap=not sys.stderr.isatty(), highlight=False)


def say(message: str) -> None:
    """One message for the reader, on stderr."""
    sys.stderr.write(message + "\n")


class Shown(Protocol):
    """Progress that is shown from `with` to the end of its block."""

    def begin(self, step: str, total: int | None = None, unit: str = "rows") -> None:
        """A step begins; the one before has ended."""

    def advance(self, count: int = 1) -> None:
        """So many more units of the step are done."""

    def part(self, name: str, done: int, total: int | None, calls: int, *, ended: bool) -> None:
        """So far is one part of the step, of those that go on side by side."""

    def __enter__(self) -> Self:
        """Start showing."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop showing."""


def progress() -> Shown:
    """A bar if stderr is a terminal, else plain lines."""
    return Bar() if sys.stderr.isatty() else Lines()


class _Part:
    """When a part began, and when something was last said of it."""

    def __init__(self, began: float) -> None:
        self.began = self.said = began

    def told(self, done: int, total: int | None) -> str:
        """How far it is, how fast, and how long it may still take; without a total it has ended."""
        seconds = time.monotonic() - self.began
        rate = done / seconds if seconds > 0 else 0.0
        if total is None:
            return f"{done:,} rows in {seconds:.1f} s ({rate:,.0f}/s)"
        left = f", about {(total - done) / rate:,.0f} s left" if rate and total > done else ""
        return f"{done:,} of {total:,} rows, {rate:,.0f}/s{left}"


class Lines:
    """A line when a step has ended, and every ten seconds of a long one."""

    def __init__(self) -> None:
        self._step = ""

    def begin(self, step: str, total: int | None = None, unit: str = "rows") -> None:
        """End the step before with a line and begin this one."""
        self._end()
        self._step, self._total, self._unit = step, total, unit
        self._done, self._started = 0, time.monotonic()
        self._said = self._started
        self._parts: dict[str, _Part] = {}

    def advance(self, count: int = 1) -> None:
        """Count; say so if the last line is old."""
        self._done += count
        if self._done != self._total and time.monotonic() - self._said >= EVERY_SECONDS:
            self._said = time.monotonic()
            known = f" of {self._total:,}" if self._total else ""
            say(f"{self._step}: {self._done:,}{known} {self._unit} …")

    def part(self, name: str, done: int, total: int | None, calls: int, *, ended: bool) -> None:
        """A line when a part has ended, and every ten seconds of a long one."""
        part = self._parts.setdefault(name, _Part(time.monotonic()))
        if ended or time.monotonic() - part.said >= EVERY_SECONDS:
            part.said = time.monotonic()
            say(f"  {name}: {part.told(done, None if ended else total)}, {calls:,} API calls{'' if ended else ' …'}")

    def _end(self) -> None:
        if self._step:
            counted = f"{self._done:,} {self._unit} in " if self._done else ""
            say(f"{self._step}: {counted}{time.monotonic() - self._started:.1f} s")
        self._step = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._end()


class Bar:
    """A bar with count, rate and the time that remains; it leaves the screen when the work is done."""

    def __init__(self) -> None:
        from rich import progress as bars

        self._bars = bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(bar_width=28),
            bars.TextColumn("{task.completed:,.0f} {task.fields[unit]}"),
            bars.TextColumn("{task.fields[rate]}"),
            bars.TimeElapsedColumn(),
            bars.TimeRemainingColumn(),
            bars.TextColumn("{task.fields[calls]}"),
            console=stderr(),
            transient=True,
        )
        self._task: rich.progress.TaskID | None = None
        self._parts: dict[str, rich.progress.TaskID] = {}

    def begin(self, step: str, total: int | None = None, unit: str = "rows") -> None:
        """Replace the bar by one of the next step."""
        for task in [*self._parts.values(), *([] if self._task is None else [self._task])]:
            self._bars.remove_task(task)
        self._parts = {}
        self._task = self._bars.add_task(step, total=total, unit=unit, rate="", calls="")

    def advance(self, count: int = 1) -> None:
        """Move the bar."""
        if self._task is None:
            return
        self._bars.advance(self._task, count)
        self._show_rate(self._task)

    def part(self, name: str, done: int, total: int | None, calls: int, *, ended: bool) -> None:
        """A bar for each part that goes on; it leaves the screen when the part has ended."""
        if ended:
            if name in self._parts:
                self._bars.remove_task(self._parts.pop(name))
            return
        if name not in self._parts:
            self._parts[name] = self._bars.add_task(f"  {name}", total=total, unit="rows", rate="", calls="")
        self._bars.update(self._parts[name], completed=done, calls=f"{calls:,} API calls")
        self._show_rate(self._parts[name])

    def _show_rate(self, task: rich.progress.TaskID) -> None:
        speed = next(one.speed for one in self._bars.tasks if one.id == task)
        if speed:
            self._bars.update(task, rate=f"{speed:,.0f}/s")

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()
