"""SQL of expressions, compiled once per process.

Ibis takes some thirty milliseconds to compile a table of the model, and a process that builds
several times (a diff, the effects of findings, the states at other moments) asks for the same
tables again, only of other connections. Expressions are known again by their structure: what
they are made of, with the tables they read by name, place and columns instead of connection.
"""

from __future__ import annotations

import threading
from typing import Any

import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend
from ibis.common.collections import FrozenDict
from ibis.common.graph import Node

MOST = 200_000
"""Parts of expressions that are known at most; then everything is forgotten, so that memory stays bounded."""


class Compiler:
    """Compiles for DuckDB, and remembers; one per process serves all threads."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self._texts: dict[int, str] = {}
        self._lock = threading.Lock()

    def statement(self, backend: Backend, expression: ir.Table) -> str:
        """The statement of an expression that holds no table in memory."""
        with self._lock:
            if len(self._numbers) > MOST:
                self._numbers.clear()
                self._texts.clear()
            number = self._number(expression.op(), {})
            found = self._texts.get(number)
        if found is None:
            found = str(backend.compile(expression))
            with self._lock:
                # Another thread may have forgotten everything meanwhile, and given the number away.
                if self._number(expression.op(), {}) == number:
                    self._texts[number] = found
        return found

    @property
    def known(self) -> int:
        """How many parts of expressions are known."""
        return len(self._numbers)

    def _number(self, root: Node, seen: dict[Node, int]) -> int:
        """The number of a node; the same for nodes of the same structure."""
        found = seen.get(root)
        if found is None:
            if isinstance(root, ops.DatabaseTable):
                key: Any = (ops.DatabaseTable, root.name, root.schema, root.namespace)
            elif isinstance(root, ops.Literal):
                # As written: 1 == True and 1.0 == 1.00 for Python, but not for SQL.
                key = (ops.Literal, type(root.value), repr(root.value), root.dtype)
            else:
                key = (type(root), *(self._part(part, seen) for part in root.__args__))
            found = seen[root] = self._numbers.setdefault(key, len(self._numbers))
        return found

    def _part(self, part: Any, seen: dict[Node, int]) -> Any:
        if isinstance(part, Node):
            return ("node", self._number(part, seen))
        if isinstance(part, tuple):
            return tuple(self._part(one, seen) for one in part)
        if isinstance(part, FrozenDict):
            return tuple((name, self._part(one, seen)) for name, one in part.items())
        # True == 1 for Python.
        return (type(part), part)


COMPILER = Compiler()
"""The one of this process."""
