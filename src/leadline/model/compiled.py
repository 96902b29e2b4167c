"""SQL of expressions, compiled once per process.

Ibis takes some thirty milliseconds to compile a table of the model, and a process that builds
several times (a diff, the effects of findings, the states at other moments) asks for the same
tables again, only of other connections. Expressions are known again by their structure: what
they are made of, with the tables they read by name, place and columns instead of connection.
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends import BaseBackend
from ibis.backends.duckdb import Backend
from ibis.common.collections import FrozenDict
from ibis.common.graph import Node
from ibis.formats.pyarrow import PyArrowData

MOST = 200_000
"""Parts of expressions that are known at most; then everything is forgotten, so that memory stays bounded."""


@dataclass(slots=True)
class _Walk:
    """A walk through one expression.

    Attributes:
        numbers: of the nodes seen.
        views: second looks at one table, counted in the order the walk comes to them; Ibis counts
            them for the whole process, so that no two expressions are alike.
        in_memory: whether a table held in memory was seen.
    """

    numbers: dict[Node, int] = field(default_factory=dict)
    views: dict[Any, int] = field(default_factory=dict)
    in_memory: bool = False


class _Typed(PyArrowData):
    """Answers of DuckDB in the types an expression says; Ibis's own, which brings pandas along, does the same."""

    @classmethod
    def convert_column(cls, column: pa.ChunkedArray, dtype: dt.DataType) -> Any:
        """A column of nothing but NULL comes from DuckDB as numbers."""
        return pa.nulls(len(column)) if dtype.is_null() else super().convert_column(column, dtype)


class Compiler:
    """Compiles for DuckDB, and remembers; one per process serves all threads."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self._next = itertools.count(1)
        self._texts: dict[tuple[int, bool], str] = {}
        self._lock = threading.Lock()

    def number(self, expression: ir.Table) -> int | None:
        """The number of an expression's structure, never given twice in a process; None if it holds a table in memory."""
        with self._lock:
            if len(self._numbers) > MOST:
                self._numbers.clear()
                self._texts.clear()
            walk = _Walk()
            number = self._number(expression.op(), walk)
        return None if walk.in_memory else number

    def statement(self, backend: Backend, expression: ir.Table, *, pretty: bool = False) -> str | None:
        """The statement of an expression; None if it holds a table in memory, which Ibis has to bring along.

        Args:
            pretty: in lines, for people.
        """
        number = self.number(expression)
        if number is None:
            return None
        found = self._texts.get((number, pretty))
        if found is None:
            found = self._texts[number, pretty] = str(backend.compile(expression, pretty=pretty))
        return found

    def arrow(self, backend: BaseBackend, expression: ir.Expr) -> Any:
        """The answer of a question: a PyArrow table; of a single value, a PyArrow scalar."""
        table = expression.as_table()
        text = self.statement(backend, table) if isinstance(backend, Backend) else None
        if text is None:
            return backend.to_pyarrow(expression)
        return expression.__pyarrow_result__(backend.con.sql(text).to_arrow_table(), data_mapper=_Typed)

    def text(self, backend: BaseBackend, expression: ir.Expr) -> str:
        """The statement of a question in lines, for people, in the words of its engine."""
        known = isinstance(backend, Backend) and self.statement(backend, expression.as_table(), pretty=True)
        return known or str(backend.compile(expression, pretty=True))

    @property
    def known(self) -> int:
        """How many parts of expressions are known."""
        return len(self._numbers)

    def _number(self, root: Node, walk: _Walk) -> int:
        """The number of a node; the same for nodes of the same structure."""
        found = walk.numbers.get(root)
        if found is None:
            key = self._key(root, walk)
            found = self._numbers.get(key)
            if found is None:
                found = self._numbers[key] = next(self._next)
            walk.numbers[root] = found
        return found

    def _key(self, root: Node, walk: _Walk) -> tuple[Any, ...]:
        """What a node is made of."""
        if isinstance(root, ops.InMemoryTable):
            walk.in_memory = True
            return (ops.InMemoryTable,)
        if isinstance(root, ops.DatabaseTable):
            return (ops.DatabaseTable, root.name, root.schema, root.namespace)
        if isinstance(root, ops.Literal):
            # As written: 1 == True and 1.0 == 1.00 for Python, but not for SQL.
            return (ops.Literal, type(root.value), repr(root.value), root.dtype)
        if isinstance(root, ops.SelfReference):
            parent = self._number(root.parent, walk)
            return (ops.SelfReference, parent, walk.views.setdefault(root.identifier, len(walk.views)))
        return (type(root), *(self._part(part, walk) for part in root.__args__))

    def _part(self, part: Any, walk: _Walk) -> Any:
        if isinstance(part, Node):
            return ("node", self._number(part, walk))
        if isinstance(part, tuple):
            return tuple(self._part(one, walk) for one in part)
        if isinstance(part, FrozenDict):
            return tuple((name, self._part(one, walk)) for name, one in part.items())
        # True == 1 for Python.
        return (type(part), part)


COMPILER = Compiler()
"""The one of this process."""
