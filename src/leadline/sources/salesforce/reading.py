"""One object from the org into pages on disk: by which API, whole to the end, and counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb

from leadline.errors import ApiError, IncompleteError
from leadline.progress import PartsProgress, Progress
from leadline.sources.salesforce import bulk, faults, rest
from leadline.sources.salesforce.plan import ObjectPlan, soql_moment
from leadline.sources.salesforce.session import Calls, Session
from leadline.sources.salesforce.shapes import ObjectShape
from leadline.sources.salesforce.task import Method, Task
from leadline.sources.sql_text import file_list, literal, only_row, quoted

_UNCOUNTABLE: Final = frozenset({faults.TOO_SLOW, "OPERATION_TOO_LARGE"})
_LOOKS: Final = 2
"""How often an object is read before a lack of records ends the pull."""


@dataclass
class Reading:
    """What came of one object.

    Attributes:
        expected: records the org counted before; None where it could not.
        files: pages, in the order in which later ones win.
        rows: records in them, those that came twice once.
        seconds: how long it took.
        calls: API calls it took to read it.
        counted: whether the org's count afterwards bears it out; None: it could not count.
    """

    plan: ObjectPlan
    expected: int | None
    files: list[Path] = field(default_factory=list)
    rows: int = 0
    again: int = 0
    purged: int = 0
    seconds: float = 0.0
    method: Method = "rest"
    calls: int = 0
    counted: bool | None = None

    @property
    def rate(self) -> float:
        """Rows per second."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0


class Shared:
    """A progress that several threads may advance, each with a part of its own."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._lock = progress, threading.Lock()

    def heard(self, reading: Reading, calls: Calls) -> Callable[[int], None]:
        """Hears of the rows of one object; a negative count takes some back."""
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            with self._lock:
                self._progress.advance(count)
            self.part(reading, done, calls, ended=False)

        return advance

    def part(self, reading: Reading, done: int, calls: Calls, *, ended: bool) -> None:
        """Tell how far one object is, where somebody wants to know."""
        if isinstance(self._progress, PartsProgress):
            with self._lock:
                self._progress.part(reading.plan.name, done, reading.expected, calls.made, ended=ended)


def read_shared(session: Session, reading: Reading, folder: Path, bulk_from: int, shared: Shared) -> None:
    """As `read`, telling a shared progress of it and counting the calls.

    Raises:
        IncompleteError: as `read`.
        SalesforceError: as calls do.
    """
    with session.counted() as calls:
        read(session, reading, folder, bulk_from, shared.heard(reading, calls))
        reading.calls = calls.made
        shared.part(reading, reading.rows, calls, ended=True)


def frugal(folder: Path) -> duckdb.DuckDBPyConnection:
    """An engine that looks at pages beside other threads: little memory, the rest on disk."""
    return duckdb.connect(config={"threads": 1, "memory_limit": "200MB", "temp_directory": str(folder / ".spill")})


def expected(session: Session, plan: ObjectPlan) -> int | None:
    """How many records a plan will bring, as the org counts; None where it cannot."""
    return _count(session, plan, "" if plan.whole else plan.condition)


def read(session: Session, reading: Reading, folder: Path, bulk_from: int, heard: Callable[[int], None]) -> None:
    """Read an object's plan to its end, and see that nothing of it is missing.

    Raises:
        IncompleteError: the org counts more records than it sent, twice over.
        SalesforceError: as calls do.
    """
    plan, began = reading.plan, time.monotonic()
    task = Task(folder, plan.shape, plan.fields, plan.soql, _method(plan.soql, reading.expected, bulk_from), heard)
    for look in range(1, _LOOKS + 1):
        if not task.done:
            _by_method(session, task)
        there = _count(session, plan, plan.condition)
        here = task.rows if plan.shape.cursor is None else _in_window(plan, task.files)
        if there is None or there <= here:
            break
        if look == _LOOKS:
            raise IncompleteError(
                f"The org counts {there:,} records of {plan.name} and sent {here:,}, {_LOOKS} times over. Nothing was "
                "changed; run the pull again."
            )
        task.start_over()
    reading.files, reading.method, reading.rows = task.files, task.method, task.rows
    reading.counted = None if there is None else True
    reading.seconds = time.monotonic() - began


def query(
    session: Session,
    shape: ObjectShape,
    fields: tuple[str, ...],
    soql: str,
    folder: Path,
    count: int | None,
    bulk_from: int,
    heard: Callable[[int], None],
) -> list[Path]:
    """The pages of one query, by the API that fits their number, deleted records among them.

    Raises:
        SalesforceError: as calls do.
    """
    task = Task(folder, shape, fields, soql, _method(soql, count, bulk_from), heard)
    if not task.done:
        _by_method(session, task)
    return task.files


def _method(soql: str, count: int | None, bulk_from: int) -> Method:
    many = count is None or count >= bulk_from
    return "bulk" if many or not rest.fits(soql) else "rest"


def _by_method(session: Session, task: Task) -> None:
    if task.method == "bulk":
        try:
            bulk.read(session, task)
        except ApiError as error:
            if error.code not in bulk.NO_BULK or not rest.fits(task.soql):
                raise
            task.turn_to("rest")
    if task.method == "rest":
        rest.read(session, task)


def _count(session: Session, plan: ObjectPlan, condition: str) -> int | None:
    try:
        return rest.count(session, plan.name, condition)
    except ApiError as error:
        if error.code in _UNCOUNTABLE:
            return None
        raise


def _in_window(plan: ObjectPlan, files: list[Path]) -> int:
    """Different records in the pages whose stamp lies before the end of the window."""
    if not files:
        return 0
    until = literal(soql_moment(plan.until).removesuffix("Z"))
    stamp = quoted(str(plan.shape.cursor))
    with frugal(files[0].parent) as con:
        (found,) = only_row(
            con,
            f"SELECT count(DISTINCT Id) FROM read_parquet({file_list(files)}) WHERE {stamp} < {until}::TIMESTAMP",
        )
    return int(found)
