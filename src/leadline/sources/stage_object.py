"""All files of one object → one staged object with unique ids."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb

from leadline.schema import DATE_ONLY, OBJECTS, Kind
from leadline.sources.batches import Again, Batch, Reject
from leadline.sources.duplicates import Loser, older_twins
from leadline.sources.file_task import Choices, FileTask
from leadline.sources.parts import Part, PartWriter, Piece
from leadline.sources.stage_file import FileStage
from leadline.sources.staged import FileAccount, StagedObject
from leadline.sources.typing_sql import CURRENCY, MACROS

Progress = Callable[[str, int, int | None], None]
"""Called with the file's name, rows done, and the rows there will be, as far as that can be told."""

_Item = TypeVar("_Item")
DUPLICATE_ID = "duplicate Id"


@dataclass(frozen=True, slots=True)
class ObjectResult:
    """A staged object and the accounts of its files."""

    staged: StagedObject
    accounts: list[FileAccount]
    reasons: list[set[str]]
    """Per account, why rows were rejected."""


@contextmanager
def typing_connection(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB in memory with what typing needs; it spills into `scratch`."""
    with duckdb.connect(config={"temp_directory": str(scratch / "spill"), "memory_limit": "1GB"}) as con:
        con.execute("SET TimeZone = 'UTC'")
        for macro in MACROS:
            con.execute(macro)
        yield con


class ObjectStage:
    """Stages the files of one object, in the order in which later ones win."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        object_name: str,
        tasks: list[FileTask],
        staging: Path,
        progress: Progress | None = None,
    ) -> None:
        self._con = con
        self._object = object_name
        self._tasks = tasks
        self._staging = staging
        self._progress = progress or (lambda label, done, total: None)
        self._choices = Choices()
        self._told: dict[str, int] = {}

    def run(self) -> ObjectResult:
        """Read and type all files.

        Raises:
            SourceError: a file cannot be read as asked.
        """
        try:
            while not self._attempt():
                pass
            self._drop_older_twins()
        except BaseException:
            for task in self._tasks:
                task.begin(self._choices)
            raise
        finally:
            for task in self._tasks:
                task.rejects.close()
        columns = self.columns() | {DATE_ONLY: "text"}
        parts = [part for task in self._tasks for part in task.parts]
        filled = [part for part in parts if part.rows] or parts[:1]
        staged = StagedObject(
            self._object, tuple(part.path for part in filled), columns, sum(part.rows for part in filled)
        )
        accounts = [self._account(task) for task in self._tasks]
        return ObjectResult(staged, accounts, [set(task.rejects.reasons) for task in self._tasks])

    def columns(self) -> dict[str, Kind]:
        """Columns of all files together: fields of the object in its order, then unknown ones."""
        found = {one.name: one.kind for task in self._tasks for one in task.naming.columns.values()}
        if self._choices.derive_currency:
            found[CURRENCY] = "text"
        known: dict[str, Kind] = {name: kind for name, kind in OBJECTS[self._object].items() if name in found}
        return known | found

    def _attempt(self) -> bool:
        columns = self.columns()
        return all(self._stage(number, task, columns) for number, task in enumerate(self._tasks))

    def _stage(self, number: int, task: FileTask, columns: dict[str, Kind]) -> bool:
        task.begin(self._choices)
        stem = self._staging / f"{self._object}-{number:03d}"
        with PartWriter(stem, task.parts) as writer, closing(ahead(task.reader.batches())) as batches:
            stage = FileStage(self._con, task, self._choices, columns, writer)
            for batch in batches:
                if isinstance(batch, Again) or not stage.add(batch):
                    return False
                self._tell(task, round(task.rows / batch.done) if batch.done else None)
            if not task.parts:
                stage.empty()
        self._tell(task, task.rows)
        return True

    def _tell(self, task: FileTask, total: int | None) -> None:
        """Tell of progress; a file that is read again is heard of when it gets beyond where it was."""
        name = task.source.name
        if task.rows > self._told.get(name, -1):
            self._told[name] = task.rows
            self._progress(name, task.rows, total)

    def _drop_older_twins(self) -> None:
        """Keep the newest of the records with one Id and account for the others."""
        order = [(at, part) for at, task in enumerate(self._tasks) for part in task.parts]
        losers = older_twins(self._con, [part.path for _, part in order], set(self.columns()))
        rows = {order[loser.file][1].path: loser for loser in losers}
        for task in self._tasks:
            own = {part.path: rows[part.path] for part in task.parts if part.path in rows}
            if own:
                task.rejects.add(self._twins(task, own))
                task.parts = [self._without(part, own.get(part.path)) for part in task.parts]

    def _without(self, part: Part, loser: Loser | None) -> Part:
        if loser is None:
            return part
        path = part.path.with_stem(part.path.stem + "-once")
        loser.rewrite(self._con, part.path, path)
        part.path.unlink()
        return Part(path, [Piece(0, part.rows - len(loser.rows), None)])

    def _twins(self, task: FileTask, own: dict[Path, Loser]) -> Iterator[Reject]:
        """The rejected twins with line and text, for which the file is read once more."""
        lost: dict[int, list[int]] = {}
        for part in task.parts:
            if part.path in own:
                lost |= {batch: rows.tolist() for batch, rows in part.by_piece(own[part.path].rows).items()}
        with closing(task.reader.batches()) as batches:
            for number, batch in enumerate(batches):
                if isinstance(batch, Batch):
                    for row in lost.get(number, []):
                        yield Reject(batch.line(row), "Id", DUPLICATE_ID, batch.text(row))

    def _account(self, task: FileTask) -> FileAccount:
        loaded = sum(part.rows for part in task.parts)
        summary = task.rejects.summary()
        return FileAccount(
            file=task.source.name,
            object=self._object,
            rows=task.rows,
            loaded=loaded,
            rejected=task.rejects.count,
            rejected_file=task.rejects.written,
            encoding=task.reader.encoding,
            notes=(*task.reader.notes, *task.naming.notes, *task.notes(), *([summary] if summary else [])),
        )


def ahead(items: Generator[_Item, None, None]) -> Generator[_Item, None, None]:
    """The items, each made in another thread while the one before is being used."""
    with closing(items), ThreadPoolExecutor(max_workers=1) as pool:
        waiting = pool.submit(next, items, None)
        while (item := waiting.result()) is not None:
            waiting = pool.submit(next, items, None)
            yield item
