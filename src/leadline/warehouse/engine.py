"""What an engine must do for the model and its snapshots; all that differs between engines stands behind this.

raw, view            tables as a loader left them; one of them with Leadline's names and types
make, append, drop   tables of a snapshot under way, and temporary ones
writing              one writer at a time
place, current       a finished snapshot gets its name, and readers switch to it, in one step
"""

from __future__ import annotations

import itertools
import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final

import ibis.expr.types as ir

from leadline.model.kept import Kept
from leadline.model.store import Store
from leadline.warehouse.content import Sums

TEMPORARY: Final = None
"""In place of a snapshot's name: a table of this connection that goes with it."""

KEPT: Final = 3
"""Newest snapshots that stay; older ones go when another is published."""

_NUMBERS = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One published snapshot as the warehouse lists it.

    Attributes:
        id: its name.
        sequence: order of publishing.
        meta: the table `_meta`.
    """

    id: str
    sequence: int
    meta: dict[str, str] = field(repr=False)


class Engine(ABC):
    """A connection to a warehouse.

    Attributes:
        backend: the Ibis connection; expressions are compiled and run by it.
    """

    backend: Any

    def __init__(self) -> None:
        self._unused: deque[str] = deque()

    @abstractmethod
    def raw(self) -> dict[str, ir.Table]:
        """Tables of the place where the loader writes, by name."""

    @abstractmethod
    def view(self, name: str, expression: ir.Table) -> ir.Table:
        """A temporary view whose texts compare by their bytes."""

    @abstractmethod
    def make(self, name: str, expression: ir.Table, place: str | None) -> ir.Table:
        """A table with the rows of an expression, in a draft or TEMPORARY."""

    def temporary(self, name: str, expression: ir.Table) -> ir.Table:
        """A temporary table under a name of its own; once no expression rests on it, the next such call drops it.

        A table is never dropped by the collector itself, which may run while another thread reads an answer.
        """
        while self._unused:
            self.drop(self._unused.popleft(), TEMPORARY)
        named = f"{name}_{next(_NUMBERS)}"
        table = self.make(named, expression, TEMPORARY)
        weakref.finalize(table.op(), self._unused.append, named).atexit = False
        return table

    @abstractmethod
    def append(self, name: str, expression: ir.Table, place: str | None) -> None:
        """More rows for a table that `make` made."""

    @abstractmethod
    def drop(self, name: str, place: str | None) -> None:
        """Drop a table, if it is there."""

    @abstractmethod
    def table(self, name: str, place: str) -> ir.Table:
        """A table of a draft or a published snapshot."""

    @abstractmethod
    def names(self, place: str) -> set[str]:
        """Names of the tables of a draft or a published snapshot."""

    @abstractmethod
    def hashed(self, table: ir.Table) -> Sums:
        """Rows, and the exact sums of the lower and upper halves of their MD5, as the hash of content needs them."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[None]:
        """The right to write, for as long as it is held.

        Raises:
            WriterBusyError: another process has it.
        """

    @abstractmethod
    def draft(self, token: str) -> str:
        """The place of a snapshot under way."""

    @abstractmethod
    def home(self, key: str) -> str:
        """The place of a published snapshot."""

    @abstractmethod
    def begin(self, draft: str) -> None:
        """An empty place for a snapshot; what interrupted builds left behind goes."""

    @abstractmethod
    def place(self, draft: str, entry: Entry) -> None:
        """Give a draft its name and switch readers to it, in one step; older snapshots than `KEPT` go after it."""

    @abstractmethod
    def current(self) -> str:
        """Id of the snapshot that readers take; "" if nothing is published."""

    @abstractmethod
    def listed(self) -> list[Entry]:
        """Published snapshots, the newest first."""

    @abstractmethod
    def close(self) -> None:
        """End the connection; its temporary tables go."""


class EngineStore(Store):
    """A store whose tables lie in a warehouse.

    Args:
        engine: where.
        draft: the snapshot under way; TEMPORARY for tables of this connection only.
        found: tables that exist already.
    """

    def __init__(
        self,
        engine: Engine,
        draft: str | None,
        *,
        found: Mapping[str, ir.Table] | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(
            engine.backend, temporary=draft is TEMPORARY, found=dict(found) if found else None, progress=progress
        )
        self.engine = engine
        self.draft = draft

    def _create(self, name: str, expression: ir.Table, *, temporary: bool) -> ir.Table:
        if temporary or self.draft is TEMPORARY:
            return self.engine.temporary(name, expression)
        return self.engine.make(name, expression, self.draft)

    def _insert(self, name: str, expression: ir.Table, *, temporary: bool) -> None:
        self.engine.append(self.tables[name].op().name, expression, self.draft)

    def drop(self, name: str) -> None:
        """Drop a table of the model that only others were made of."""
        self.engine.drop(self.tables.pop(name).op().name, self.draft)

    def forget(self) -> None:
        """Drop the intermediate tables."""
        for table in self.steps.values():
            self.engine.drop(table.op().name, TEMPORARY)
        self.steps.clear()


class EngineKept(Kept):
    """Answers kept in temporary tables of a warehouse; they go as those of `Kept` do."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine

    def keep(self, backend: Any, expression: ir.Table) -> ir.Table:
        """Run an expression into a temporary table."""
        return self._engine.temporary("kept", expression)

    def drop(self, backend: Any) -> None:
        """The next table that is kept drops those that nothing refers to."""
