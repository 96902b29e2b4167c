"""PostgreSQL: a snapshot is a schema, the pointer one row.

SCHEMA.snapshots     id, sequence, meta (JSON) of every published snapshot
SCHEMA.current       one row: the id readers take
SCHEMA_ID.TABLE      the tables of a snapshot
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import ibis
import ibis.expr.types as ir
import psycopg
import sqlglot.expressions as sge
from ibis.backends.postgres import Backend
from ibis.backends.sql.compilers.postgres import PostgresCompiler
from sqlglot.transforms import eliminate_semi_and_anti_joins

from leadline.engines import quoted
from leadline.errors import UsageError, WriterBusyError
from leadline.warehouse import content
from leadline.warehouse.engine import KEPT, TEMPORARY, Engine, Entry

_SETTINGS: Final = (
    "SET TimeZone = 'UTC'",
    "SET client_min_messages = warning",
    # Most questions are short; compiling them takes longer than it saves.
    "SET jit = off",
    "SET extra_float_digits = 1",
)


class _Compiler(PostgresCompiler):
    """Ibis' own compiler, set right in two places.

    PostgreSQL makes a bigint of a truth value only by way of an integer. And sqlglot puts EXISTS in
    place of every other semi join only, where several follow each other.
    """

    def to_sqlglot(self, expr: Any, **options: Any) -> Any:
        query = super().to_sqlglot(expr, **options)
        for select in list(query.find_all(sge.Select)):
            for _ in list(select.args.get("joins") or ()):
                eliminate_semi_and_anti_joins(select)
        return query

    def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:  # noqa: N802
        if op.arg.dtype.is_boolean() and to.is_integer():
            arg = self.cast(arg, ibis.dtype("int32"))
        return super().visit_Cast(op, arg=arg, to=to)


class _Backend(Backend):
    """Ibis' own backend, with tables held in memory copied in place of inserted row by row."""

    compiler = _Compiler()

    def prepared(self, expression: ir.Table) -> str:
        """The SQL of an expression, with what it holds in memory put where the engine finds it."""
        self._run_pre_execute_hooks(expression)
        return str(self.compile(expression))

    def _register_in_memory_table(self, op: Any) -> None:
        columns = ", ".join(
            f"{quoted(name)} {self.compiler.type_mapper.to_string(kind)}" for name, kind in op.schema.items()
        )
        rows = op.data.to_pyarrow(op.schema)
        with self.con.cursor() as cursor, self.con.transaction():
            cursor.execute(f"CREATE TEMPORARY TABLE {quoted(op.name)} ({columns})")
            if rows.num_rows:
                with cursor.copy(f"COPY {quoted(op.name)} FROM STDIN") as copy:
                    for row in zip(*(column.to_pylist() for column in rows.columns), strict=True):
                        copy.write_row(row)


class Postgres(Engine):
    """A connection to a PostgreSQL database.

    Args:
        url: as libpq reads it, without a password (that is PGPASSWORD's or the password file's).
        source: schema the loader writes to.
        schema: prefix of Leadline's own schemas.

    Raises:
        UsageError: the database cannot be reached.
    """

    def __init__(self, url: str, source: str, schema: str) -> None:
        super().__init__()
        try:
            con = psycopg.connect(url, autocommit=True)
        except psycopg.Error as error:
            raise UsageError(
                f"[warehouse] url: the database cannot be reached ({str(error).splitlines()[0]})."
            ) from error
        for statement in _SETTINGS:
            con.execute(statement)
        self.con = con
        self.source, self.schema = source, schema
        self.backend = _Backend.from_connection(con)
        self._bytewise = self._compares_bytes()

    def raw(self) -> dict[str, ir.Table]:
        """Tables and views of the loader's schema."""
        return {name: self.backend.table(name, database=self.source) for name in self.names(self.source)}

    def view(self, name: str, expression: ir.Table) -> ir.Table:
        """A temporary view; its texts have the collation "C"."""
        columns = ", ".join(
            f'{quoted(column)} COLLATE "C" AS {quoted(column)}' if kind.is_string() else quoted(column)
            for column, kind in expression.schema().items()
        )
        query = f"SELECT {columns} FROM ({self.backend.compile(expression)}) AS t"
        self.con.execute(f"CREATE OR REPLACE TEMPORARY VIEW {quoted(name)} AS {query}")
        return self.backend.table(name)

    def make(self, name: str, expression: ir.Table, place: str | None) -> ir.Table:
        """A table with the rows of an expression."""
        types = self.backend.compiler.type_mapper
        collated = "" if self._bytewise else ' COLLATE "C"'
        columns = ", ".join(
            f"{quoted(column)} {types.to_string(kind)}{collated if kind.is_string() else ''}"
            for column, kind in expression.schema().items()
        )
        kind = "TEMPORARY TABLE" if place is TEMPORARY else "TABLE"
        self._execute(f"CREATE {kind} {self._named(name, place)} ({columns})")
        self.append(name, expression, place)
        return self.backend.table(name, database=place)

    def append(self, name: str, expression: ir.Table, place: str | None) -> None:
        """More rows for a table."""
        named = self._named(name, place)
        self._execute(f"INSERT INTO {named} {self.backend.prepared(expression)}")
        # Without its statistics the next join is planned for a handful of rows.
        self._execute(f"ANALYZE {named}")

    def drop(self, name: str, place: str | None) -> None:
        """Drop a table, if it is there."""
        self._execute(f"DROP TABLE IF EXISTS {self._named(name, place)}")

    def table(self, name: str, place: str) -> ir.Table:
        """A table of a schema."""
        return self.backend.table(name, database=place)

    def names(self, place: str) -> set[str]:
        """Tables and views of a schema."""
        found = self.con.execute(
            "SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relkind IN ('r', 'v', 'm', 'p', 'f')",
            [place],
        )
        return {name for (name,) in found.fetchall()}

    def hashed(self, table: ir.Table) -> content.Sums:
        """Rows, and the sums of the halves of their MD5, each read from its last byte on as DuckDB does."""
        text = content.row_text(table.schema(), _as_text, "octet_length", "concat_ws")
        halves = ", ".join(f"{content.little_endian('h', half)} AS half_{half}" for half in (0, 1))
        numbers = ", ".join(f"sum({_unsigned(f'half_{half}')})" for half in (0, 1))
        inner = f"SELECT md5({text}) AS h FROM ({self.backend.compile(table)}) AS t"
        row = self.con.execute(
            f"SELECT count(*), {numbers} FROM (SELECT {halves} FROM ({inner}) AS m) AS n".encode()
        ).fetchone()
        return content.whole(row or (0, None, None))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """An advisory lock; it ends with the connection at the latest."""
        self.con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(self.schema)}".encode())
        key = f"leadline {self.schema}"
        row = self.con.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key]).fetchone()
        if not row or not row[0]:
            raise WriterBusyError(f"the schema {self.schema} of the warehouse", "another connection")
        try:
            yield
        finally:
            self.con.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])

    def begin(self, draft: str) -> None:
        """An empty schema; drafts that interrupted builds left behind go."""
        with self.con.transaction():
            self._execute(
                f"CREATE TABLE IF NOT EXISTS {self._listing} (id text PRIMARY KEY, sequence bigint NOT NULL, meta text NOT NULL)"
            )
            self._execute(
                f"CREATE TABLE IF NOT EXISTS {self._pointer} (one boolean PRIMARY KEY DEFAULT true CHECK (one), id text NOT NULL)"
            )
        for left in self._schemas(f"{self.schema}_draft_"):
            self._execute(f"DROP SCHEMA {quoted(left)} CASCADE")
        self._execute(f"CREATE SCHEMA {quoted(draft)}")

    def draft(self, token: str) -> str:
        """Schema of a snapshot under way."""
        return f"{self.schema}_draft_{token}"

    def home(self, key: str) -> str:
        """Schema of a published snapshot."""
        return f"{self.schema}_{key}"

    def place(self, draft: str, entry: Entry) -> None:
        """Rename the schema, list it and switch the pointer: all of it, or nothing."""
        home = self.home(entry.id)
        with self.con.transaction():
            if self._schemas(home):
                # The same content under the same definitions is there already.
                self._execute(f"DROP SCHEMA {quoted(draft)} CASCADE")
            else:
                self._execute(f"ALTER SCHEMA {quoted(draft)} RENAME TO {quoted(home)}")
            self.con.execute(
                f"INSERT INTO {self._listing} VALUES (%s, %s, %s) "
                "ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, meta = excluded.meta".encode(),
                [entry.id, entry.sequence, json.dumps(entry.meta)],
            )
            self.con.execute(
                f"INSERT INTO {self._pointer} (id) VALUES (%s) ON CONFLICT (one) DO UPDATE SET id = excluded.id".encode(),
                [entry.id],
            )
        for old in self.listed()[KEPT:]:
            with self.con.transaction():
                self.con.execute(f"DELETE FROM {self._listing} WHERE id = %s".encode(), [old.id])
                self._execute(f"DROP SCHEMA IF EXISTS {quoted(self.home(old.id))} CASCADE")

    def current(self) -> str:
        """The id in the pointer."""
        if "current" not in self.names(self.schema):
            return ""
        row = self.con.execute(f"SELECT id FROM {self._pointer}".encode()).fetchone()
        return str(row[0]) if row else ""

    def listed(self) -> list[Entry]:
        """Published snapshots, the newest first."""
        if "snapshots" not in self.names(self.schema):
            return []
        rows = self.con.execute(f"SELECT id, sequence, meta FROM {self._listing} ORDER BY sequence DESC".encode())
        return [Entry(key, sequence, json.loads(meta)) for key, sequence, meta in rows.fetchall()]

    def close(self) -> None:
        """End the connection."""
        self.con.close()

    @property
    def _listing(self) -> str:
        return f"{quoted(self.schema)}.snapshots"

    @property
    def _pointer(self) -> str:
        return f'{quoted(self.schema)}."current"'

    def _schemas(self, prefix: str) -> list[str]:
        rows = self.con.execute("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s) ORDER BY 1", [prefix])
        return [name for (name,) in rows.fetchall()]

    def _named(self, name: str, place: str | None) -> str:
        return f"{quoted('pg_temp' if place is TEMPORARY else place)}.{quoted(name)}"

    def _execute(self, statement: str) -> None:
        self.con.execute(statement.encode())

    def _compares_bytes(self) -> bool:
        row = self.con.execute("SELECT datcollate FROM pg_database WHERE datname = current_database()").fetchone()
        return row is not None and row[0] in {"C", "POSIX"}


def _as_text(name: str, kind: Any) -> str:
    """A value as DuckDB writes it."""
    return f"{quoted(name)}::text"


def _unsigned(half: str) -> str:
    """16 hexadecimal digits as a number from 0 on."""
    number = f"('x' || {half})::bit(64)::bigint::numeric"
    return f"CASE WHEN {number} < 0 THEN {number} + 18446744073709551616 ELSE {number} END"
