"""Answers kept in temporary tables, for as long as an expression rests on them."""

from __future__ import annotations

import itertools
import weakref
from collections import deque

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from leadline.engines import quoted
from leadline.model.store import Store

_NUMBERS = itertools.count(1)


class Kept:
    """Temporary tables of one connection; one that nothing refers to any more goes with the next that comes.

    A question keeps what its parts share, and its list of records asks the same tables later, so
    the end of a question is not the end of its tables: the last expression on them is. They are
    dropped by the next question, never by the collector itself, which may run while another
    thread reads an answer.
    """

    def __init__(self) -> None:
        self._unused: deque[str] = deque()

    def keep(self, backend: Backend, expression: ir.Table) -> ir.Table:
        """Run an expression into a temporary table."""
        self.drop(backend)
        name = f"kept_{next(_NUMBERS)}"
        table = Store(backend, temporary=True).keep(name, expression)
        weakref.finalize(table.op(), self._unused.append, name).atexit = False
        return table

    def drop(self, backend: Backend) -> None:
        """Drop the tables nothing refers to."""
        while (name := self._next()) is not None:
            backend.con.execute(f"DROP TABLE IF EXISTS temp.main.{quoted(name)}")

    def _next(self) -> str | None:
        # Two threads may come for the last one at the same time.
        try:
            return self._unused.popleft()
        except IndexError:
            return None
