"""Where tables are put while a model is built: an Ibis connection and names in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis.expr.types as ir
from ibis.backends.duckdb import Backend
from ibis.expr.operations import InMemoryTable

from leadline.engines import quoted
from leadline.model.compiled import COMPILER

_GIVEN = "given_rows"
"""Name under which rows held in memory are read."""


class Store:
    """Materialises expressions one after the other.

    Args:
        backend: the connection to build in.
        temporary: keep everything in temporary tables (an as-of other than the snapshot's).
        found: tables that exist already, by name.

    `made` keeps every expression with the name of its table, in order.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        temporary: bool = False,
        found: dict[str, ir.Table] | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.backend = backend
        self.temporary = temporary
        self.tables: dict[str, ir.Table] = dict(found or {})
        self.steps: dict[str, ir.Table] = {}
        self.made: list[tuple[str, ir.Table]] = []
        self._progress = progress

    def __getitem__(self, name: str) -> ir.Table:
        return self.tables[name]

    def __contains__(self, name: str) -> bool:
        return name in self.tables

    def keep(self, name: str, expression: ir.Table) -> ir.Table:
        """Materialise a table of the model."""
        if self._progress:
            self._progress(name)
        self.made.append((name, expression))
        table = self._create(name, expression, temporary=self.temporary)
        self.tables[name] = table
        return table

    def step(self, name: str, expression: ir.Table) -> ir.Table:
        """Materialise an intermediate table; `forget` drops it."""
        self.made.append((f"step_{name}", expression))
        table = self._create(f"step_{name}", expression, temporary=True)
        self.steps[name] = table
        return table

    def once(self, name: str, expression: ir.Table) -> ir.Table:
        """The intermediate table of that name, materialised at its first use."""
        return self.steps[name] if name in self.steps else self.step(name, expression)

    def _create(self, name: str, expression: ir.Table, *, temporary: bool) -> ir.Table:
        """Create a table from an expression.

        Ibis's own create_table renders the statement three times over, which is most of the time
        a small build takes; tables held in memory need it, the rest is one plain statement.
        """
        statement = self._rows_of(expression) or COMPILER.statement(self.backend, expression)
        if statement is None:
            return self.backend.create_table(name, expression, temp=temporary)
        kind = "TEMPORARY TABLE" if temporary else "TABLE"
        types = self.backend.compiler.type_mapper
        columns = ", ".join(
            f"{quoted(column)} {types.to_string(of_type)}" for column, of_type in expression.schema().items()
        )
        self.backend.con.execute(f"CREATE {kind} {quoted(name)} ({columns})")
        self._fill(name, statement, temporary=temporary)
        self.backend.con.unregister(_GIVEN)
        return self.backend.table(name, database=("temp", "main") if temporary else None)

    def _rows_of(self, expression: ir.Table) -> str | None:
        """The statement that reads a table that is held in memory as it is; None for any other expression."""
        held = expression.op()
        if not isinstance(held, InMemoryTable):
            return None
        self.backend.con.register(_GIVEN, held.data.to_pyarrow(held.schema))
        return f"SELECT * FROM {_GIVEN}"

    def _insert(self, name: str, expression: ir.Table, *, temporary: bool) -> None:
        statement = COMPILER.statement(self.backend, expression)
        if statement is None:
            self.backend.insert(name, expression, database=("temp", "main") if temporary else None)
        else:
            self._fill(name, statement, temporary=temporary)

    def _fill(self, name: str, statement: str, *, temporary: bool) -> None:
        place = "temp.main." if temporary else ""
        self.backend.con.execute(f"INSERT INTO {place}{quoted(name)} {statement}")

    def add(self, name: str, expression: ir.Table) -> None:
        """Materialise a table, or append to it if it is there already."""
        if name not in self.tables:
            self.keep(name, expression)
            return
        target = self.tables[name]
        self.made.append((name, expression))
        self._insert(name, expression.select(*target.columns), temporary=self.temporary)

    def drop(self, name: str) -> None:
        """Drop a table of the model that only others were made of."""
        self.backend.drop_table(name, database=("temp", "main") if self.temporary else None)
        del self.tables[name]

    def forget(self) -> None:
        """Drop the intermediate tables."""
        for name in self.steps:
            self.backend.drop_table(f"step_{name}", database=("temp", "main"), force=True)
        self.steps.clear()

    def count(self, expression: ir.Table) -> int:
        """Number of rows."""
        return int(COMPILER.arrow(self.backend, expression.count()).as_py())

    def rows(self, expression: ir.Table) -> list[dict[str, Any]]:
        """A few rows as dictionaries."""
        rows: list[dict[str, Any]] = COMPILER.arrow(self.backend, expression).to_pylist()
        return rows


def table_names(backend: Backend, catalog: str, schema: str) -> set[str]:
    """Names of the tables and views of a schema.

    Asked of DuckDB itself: Ibis 12 lists tables by a method DuckDB 2 no longer has.
    """
    found = backend.con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = $1 AND schema_name = $2 "
        "UNION SELECT view_name FROM duckdb_views() WHERE database_name = $1 AND schema_name = $2",
        [catalog, schema],
    )
    return {name for (name,) in found.fetchall()}
