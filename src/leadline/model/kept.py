"""Answers kept in temporary tables, for as long as an expression rests on them."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import deque

import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from leadline.engines import quoted
from leadline.model.compiled import COMPILER
from leadline.model.store import Store

_NUMBERS = itertools.count(1)


class Kept:
    """Temporary tables of one connection; one that nothing refers to any more goes with the next that comes.

    A question keeps what its parts share, and its list of records asks the same tables later, so
    the end of a question is not the end of its tables: the last expression on them is. They are
    dropped by the next question, never by the collector itself, which may run while another
    thread reads an answer.

    A table is called after the structure of what it holds. So an expression that is there already
    is not run again, and what rests on it reads the same in every connection and is compiled once.

    Args:
        prefix: of the names; another one for each of several on one connection.
    """

    def __init__(self, prefix: str = "kept") -> None:
        self._prefix = prefix
        self._unused: deque[str] = deque()
        self._live: dict[str, weakref.ref[ops.Node]] = {}
        self._lock = threading.RLock()

    def keep(self, backend: Backend, expression: ir.Table) -> ir.Table:
        """The temporary table that holds what an expression says; run if there is none yet."""
        number = COMPILER.number(expression)
        name = f"{self._prefix}_{number}" if number else f"{self._prefix}_once_{next(_NUMBERS)}"
        with self._lock:
            self.drop(backend)
            if (found := self._found(name)) is not None:
                return found.to_expr()
            # The last reference may have gone since the line above dropped what was unused.
            backend.con.execute(f"DROP TABLE IF EXISTS temp.main.{quoted(name)}")
            table = Store(backend, temporary=True).keep(name, expression)
            self._live[name] = weakref.ref(table.op())
            weakref.finalize(table.op(), self._unused.append, name).atexit = False
            return table

    def drop(self, backend: Backend) -> None:
        """Drop the tables nothing refers to."""
        with self._lock:
            while self._unused:
                name = self._unused.popleft()
                # It may have been made anew after its last reference went.
                if self._found(name) is None:
                    backend.con.execute(f"DROP TABLE IF EXISTS temp.main.{quoted(name)}")
                    self._live.pop(name, None)

    def _found(self, name: str) -> ops.Node | None:
        known = self._live.get(name)
        return None if known is None else known()
