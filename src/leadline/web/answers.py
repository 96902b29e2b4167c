"""Answers to questions: asked once, kept, pinned to one snapshot, and stopped where they take too long.

An answer is kept by snapshot, question, record filter and mask, so nobody ever gets what was
worked out for somebody who may see more. Two readers with one question wait for one computation.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LateError
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import duckdb

from leadline.address import Address, parse
from leadline.errors import BusyError, OverLimitError, PendingError
from leadline.snapshots.snapshots import CURRENT
from leadline.web.cells import of_cell
from leadline.web.desk import Desk, Pin, pinned
from leadline.web.kept import Pages
from leadline.web.lanes import AHEAD, AWAITED, Lanes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadline.explain import Explanation
    from leadline.model.opened import Opened
    from leadline.results import Result

T = TypeVar("T")

KEPT_BYTES = 256 * 1024**2
"""Answers kept at most; the ones not asked for longest go first."""
SMALL = 4096
"""Bytes counted for an answer beside its table."""
WAITING = 64
"""Questions that may wait at once; one more is turned away."""
PATIENCE = 0.05
"""Seconds between two attempts to stop a question that is over its limit."""


_AHEAD: ContextVar[Pin | None] = ContextVar("ahead", default=None)


class Asker(Protocol):
    """What answers depend on of whoever asks."""

    @property
    def records(self) -> Mapping[str, str]:
        """Dimension → the value that every unit must have."""

    @property
    def masked(self) -> bool:
        """Whether personal data is hidden."""


class Answers:
    """The answers of a workspace, for many readers at once.

    Args:
        folder: the workspace.
        lanes: questions worked on at once; each has an engine of its own.
        memory: of each engine.
        limit_s: seconds after which a question is stopped.
        kept_bytes: size of what is kept.
    """

    def __init__(
        self,
        folder: Path,
        *,
        lanes: int = 2,
        memory: str = "800MB",
        limit_s: float = 20.0,
        kept_bytes: int = KEPT_BYTES,
    ) -> None:
        self.folder = folder
        self._memory = memory
        self._limit = limit_s
        self._kept_bytes = kept_bytes
        self._lanes = Lanes(lanes, "answers")
        self._side = Lanes(1, "answers-side")
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._held_bytes = 0
        self._running: dict[Hashable, Future[Any]] = {}
        self._own = threading.local()
        self._desks: list[Desk] = []
        self._reader = Desk(folder, memory)
        self.pages = Pages()
        self._pin: Pin | None = None
        self._shown: Pin | None = None
        self._seen: tuple[tuple[int, int, int], ...] | None = None

    def pin(self) -> Pin:
        """The snapshot that is shown now; everything on one page is asked of it.

        Raises:
            SnapshotError: nothing is published yet, or no snapshot is sound.
        """
        ahead = _AHEAD.get()
        if ahead is not None:
            return ahead
        shown = self._shown
        if shown is not None and shown.path.exists():
            return shown
        return self.newest()

    def newest(self) -> Pin:
        """The snapshot that is current now; errors as `pin`."""
        known, seen = self._pin, self._stamps()
        if known is not None and seen is not None and seen == self._seen:
            return known
        current = self._reader.snapshots.current()
        if known is None or known.key != current.snapshot.id or known.findings != current.findings:
            known = self._pin = pinned(current.snapshot, current.findings, self.folder)
        # As they stood before the look: what came in between is looked at next time.
        self._seen = seen
        return known

    def known_pin(self) -> Pin | None:
        """The snapshot that is shown, if no file has to be opened to know it."""
        if self._shown is not None and self._shown.path.exists():
            return self._shown
        return self._pin if self._pin is not None and self._seen is not None and self._stamps() == self._seen else None

    def show(self, pin: Pin | None) -> None:
        """Stay with a snapshot until told to show another; None shows the newest from now on."""
        self._shown = pin

    @contextmanager
    def ahead_of(self, pin: Pin) -> Iterator[None]:
        """Within this block the thread sees a snapshot that is not shown yet."""
        token = _AHEAD.set(pin)
        try:
            yield
        finally:
            _AHEAD.reset(token)

    def _stamps(self) -> tuple[tuple[int, int, int], ...] | None:
        """Marks of the files that decide what is current; None where there are none to look at.

        Choosing reads a small snapshot whole to see that it is sound; once for each state of the files is enough.
        """
        snapshots = self._reader.snapshots
        if not snapshots.in_files or self._pin is None:
            return None
        try:
            marks = [path.stat() for path in (snapshots.folder / CURRENT, self._pin.path)]
        except OSError:
            return None
        return tuple((one.st_ino, one.st_mtime_ns, one.st_size) for one in marks)

    def ask(self, address: Address | str, who: Asker, pin: Pin, until: float | None = None) -> Result:
        """The table an address names.

        Args:
            address: the question.
            who: the reader.
            pin: the snapshot it is asked of.
            until: moment of the monotonic clock up to which to wait; without one until it is there.

        Raises:
            PendingError: it is not there by then.
            UsageError: the question makes no sense.
            OverLimitError: it took more time or memory than it may.
            BusyError: too many others are waiting.
        """
        wanted = (parse(address) if isinstance(address, str) else address).table
        return self._run(("ask", str(wanted)), self._asking(wanted, who, pin), who, pin, until=until)

    def _asking(self, wanted: Address, who: Asker, pin: Pin) -> Callable[[Desk], Result]:
        def work(desk: Desk) -> Result:
            found = desk.metrics.ask(str(wanted))
            listed = found.list_records is not None
            # What lists the records holds tables of the engine; it is asked anew when somebody wants them.
            return replace(
                found, explainer=None, list_records=partial(self.records, wanted, who, pin) if listed else None
            )

        return work

    def ahead(self, addresses: Iterable[Address], who: Asker, pin: Pin) -> None:
        """Begin with questions that are about to be asked, so that they are worked on side by side."""
        for wanted in addresses:
            self._future(("ask", str(wanted.table)), self._asking(wanted.table, who, pin), who, pin)

    def records(self, address: Address | str, who: Asker, pin: Pin) -> Result:
        """The records behind a table, or behind one number of it.

        Raises:
            LeadlineError: the question counts no records of its own; else as `ask`.
        """
        wanted = parse(address) if isinstance(address, str) else address
        return self._run(("records", str(wanted)), lambda desk: of_cell(wanted, desk.metrics.ask), who, pin)

    def explain(self, address: Address | str, who: Asker, pin: Pin) -> Explanation:
        """Where a number comes from; errors as `ask`."""
        return self._run(("explain", str(address)), lambda desk: desk.explain(str(address)), who, pin)

    def run(self, key: Hashable | None, work: Callable[[Opened], T], who: Asker, pin: Pin) -> T:
        """Any work on the opened snapshot under the same limits; kept by its key, or not at all without one."""
        return self.at_desk(key, lambda desk: work(desk.opened()), who, pin)

    def at_desk(
        self,
        key: Hashable | None,
        work: Callable[[Desk], T],
        who: Asker,
        pin: Pin,
        *,
        until: float | None = None,
        aside: bool = False,
    ) -> T:
        """As `run`, with the whole workspace: stories, lists of models, audit.

        Args:
            key: under which it is kept; None keeps nothing.
            work: what to do.
            who: the reader.
            pin: the snapshot it is done on.
            until: as for `ask`.
            aside: short work, which does not wait behind questions.
        """
        return self._run(None if key is None else ("run", key), work, who, pin, until=until, aside=aside)

    @property
    def held_bytes(self) -> int:
        """About how much is kept."""
        return self._held_bytes

    def interrupt(self) -> None:
        """Stop what the engines do; whoever waits for it gets an error."""
        for desk in list(self._desks):
            desk.interrupt()

    def close(self) -> None:
        """Stop what is going on and close every engine."""
        self.interrupt()
        self._lanes.close()
        self._side.close()
        for desk in self._desks:
            desk.close()

    def forget(self) -> None:
        """Drop everything that is kept, e.g. after a file of the workspace has changed."""
        with self._lock:
            self._kept.clear()
            self._held_bytes = 0
        self.pages.forget()

    def _run(
        self,
        key: Hashable | None,
        work: Callable[[Desk], T],
        who: Asker,
        pin: Pin,
        *,
        until: float | None = None,
        aside: bool = False,
    ) -> T:
        future = self._future(key, work, who, pin, aside=aside)
        if until is not None:
            # What is not there by then comes when the page is asked for again.
            return _by(future, until)
        try:
            return future.result(timeout=2 * self._limit + 1)
        except LateError as fault:
            future.cancel()
            raise BusyError("Too many questions are ahead of this one. Try again in a moment.") from fault

    def _future(
        self, key: Hashable | None, work: Callable[[Desk], T], who: Asker, pin: Pin, *, aside: bool = False
    ) -> Future[T]:
        """The answer, there already, on its way, or begun now."""
        full = None if key is None else (pin.key, key, tuple(sorted(who.records.items())), who.masked)
        with self._lock:
            if full in self._kept:
                self._kept.move_to_end(full)
                ready: Future[T] = Future()
                ready.set_result(self._kept[full][0])
                return ready
            return self._running.get(full) or self._begin(full, work, who, pin, aside=aside)

    def _begin(
        self, full: Hashable | None, work: Callable[[Desk], T], who: Asker, pin: Pin, *, aside: bool = False
    ) -> Future[T]:
        if len(self._running) >= WAITING:
            raise BusyError("The server has as many questions waiting as it takes. Try again in a moment.")
        lanes = self._side if aside else self._lanes
        urgency = AWAITED if _AHEAD.get() is None else AHEAD
        future = lanes.submit(partial(self._work, full, work, who, pin), urgency)
        # Questions nobody may share wait in the queue like all others, under a key of their own.
        self._running[future if full is None else full] = future
        return future

    def _work(self, full: Hashable | None, work: Callable[[Desk], T], who: Asker, pin: Pin) -> T:
        try:
            desk = self._desk()
            desk.sit(pin, who.records)
            with self._limited(desk):
                value = work(desk)
            if full is not None:
                self._keep(full, value)
            return value
        finally:
            with self._lock:
                for name in [name for name, one in self._running.items() if name == full or one.done()]:
                    del self._running[name]

    def _desk(self) -> Desk:
        desk: Desk | None = getattr(self._own, "desk", None)
        if desk is None:
            desk = self._own.desk = Desk(self.folder, self._memory)
            self._desks.append(desk)
        return desk

    @contextmanager
    def _limited(self, desk: Desk) -> Iterator[None]:
        """Stop what the engine does once the time is over, again and again until the question has ended."""
        ended = threading.Event()

        def watch() -> None:
            late = ended.wait(self._limit)
            while not late:
                desk.interrupt()
                late = ended.wait(PATIENCE)

        watcher = threading.Thread(target=watch, daemon=True, name="answers-limit")
        watcher.start()
        try:
            yield
        except duckdb.InterruptException as fault:
            raise OverLimitError(
                f"This question took longer than {self._limit:g} seconds and was stopped. "
                "Narrow it by a period or a filter, or ask it on the command line, which has no limit."
            ) from fault
        except duckdb.OutOfMemoryException as fault:
            raise OverLimitError(
                f"This question needs more memory than the {self._memory} it may use here. "
                "Narrow it by a period or a filter, or ask it on the command line."
            ) from fault
        finally:
            ended.set()
            watcher.join()

    def _keep(self, full: Hashable, value: Any) -> None:
        size = _size(value)
        if size > self._kept_bytes // 4:
            return
        with self._lock:
            self._held_bytes += size - self._kept.pop(full, (None, 0))[1]
            self._kept[full] = (value, size)
            while self._held_bytes > self._kept_bytes:
                self._held_bytes -= self._kept.popitem(last=False)[1][1]


def _by(future: Future[T], until: float) -> T:
    try:
        return future.result(timeout=max(0.0, until - time.monotonic()))
    except LateError as late:
        if future.done():
            raise
        raise PendingError("This is being worked out.") from late


def _size(value: Any) -> int:
    """About how many bytes an answer takes."""
    table = getattr(value, "table", None)
    if table is not None:
        return int(table.nbytes) + SMALL
    return SMALL + (len(value) if isinstance(value, str | bytes) else 0)
