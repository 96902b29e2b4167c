"""The records of one ledger turned into those of another, step by step, in a ledger of its own.

The steps are those of `docs/decisions/0015-explain-and-diff.md`: what is deleted or merged leaves,
what is new comes, what is changed changes field by field, the rates last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from leadline import engines
from leadline.engines import literal, quoted
from leadline.errors import LoadOrderError
from leadline.ledger import Ledger
from leadline.ledger.kept import all_kept
from leadline.ledger.merge import merge
from leadline.ledger.record import TABLES
from leadline.model.rests import Place
from leadline.progress import Silent
from leadline.schema import DATE_ONLY, HISTORY_PARENT, OBJECTS, VERSIONED

if TYPE_CHECKING:
    import duckdb

RATES = ("CurrencyType", "DatedConversionRate")
"""Objects whose records are rates; they change in a step of their own."""

TOLD = {"OpportunityHistory": "StageName"}
"""History objects that name no field in their rows: the field with which they come."""

REST = ""
"""In place of a field: what no number rests on, and history of no field that changed."""

_TIMES = ("_valid_from", "_valid_to")


@dataclass(frozen=True, slots=True)
class Step:
    """One step from the earlier records to the later ones.

    Attributes:
        part: deleted, new, changed or rates.
        place: object and field of a change; empty otherwise.
        records: rows that the step touches, by object.
    """

    part: str
    place: Place | None
    records: dict[str, int]

    @property
    def field(self) -> str:
        """OBJECT.FIELD of a change, else empty."""
        return f"{self.place[0]}.{self.place[1]}" if self.place else ""


def replayed(ledger: Ledger, keys: list[str], folder: Path) -> Path:
    """The ledger as it was when it held exactly these loads.

    Args:
        ledger: that of the workspace.
        keys: names of loads.
        folder: where the ledger is made.

    Raises:
        LoadOrderError: the files of a load are no longer kept.
    """
    if [load.key for load in all_kept(ledger.workspace)] == sorted(keys):
        return ledger.path
    kept = {load.key: load for load in all_kept(ledger.workspace)}
    if missing := sorted(set(keys) - kept.keys()):
        raise LoadOrderError(
            f"The loads {', '.join(missing)} are no longer in {ledger.workspace / 'loads'}; without their files the "
            "records of that time cannot be told apart. Put them back."
        )
    path = folder / "ledger.duckdb"
    con = engines.writer(path)
    try:
        con.execute("SET preserve_insertion_order = false")
        con.execute(TABLES)
        for key in sorted(keys):
            load = kept[key]
            merge(con, load, {staged.object: [load] for staged in load.objects}, Silent())
        con.execute("CHECKPOINT")
    finally:
        con.close()
    return path


@dataclass
class Records:
    """Records on their way from one ledger to another.

    Attributes:
        con: a connection with the two ledgers attached as `a` and `b` and the way between as `h`.
        read: fields on which numbers rest; None for all.
    """

    con: duckdb.DuckDBPyConnection
    path: Path
    read: frozenset[Place] | None
    columns: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict)

    @classmethod
    def open(cls, earlier: Path, later: Path, folder: Path, read: frozenset[Place] | None) -> Records:
        """Begin with the records of the earlier ledger, in a database of their own in `folder`."""
        con = engines.writer(":memory:")
        path = folder / "between.duckdb"
        con.execute(f"ATTACH {literal(earlier)} AS a (READ_ONLY)")
        con.execute(f"ATTACH {literal(later)} AS b (READ_ONLY)")
        con.execute(f"ATTACH {literal(path)} AS h")
        found = cls(con, path, read)
        for name in found._objects():
            found.columns[name] = found._columns("a", name), found._columns("b", name)
            found._begin(name)
        return found

    def steps(self) -> Iterator[Step]:
        """Make the steps one after the other; each is in the database when it is handed out."""
        yield from self._moved("deleted", "departed")
        yield from self._moved("new", "new")
        for name in self.columns:
            if name not in RATES:
                yield from self._changed(name)
        touched = {name: self._replace(name) for name in RATES if name in self.columns}
        if any(touched.values()):
            yield Step("rates", None, {name: count for name, count in touched.items() if count})

    def attach(self, con: duckdb.DuckDBPyConnection) -> None:
        """Views of the records as they are now, in schema `src` of another connection."""
        self.con.execute("CHECKPOINT h")
        self.con.execute("DETACH h")
        con.execute(f"ATTACH {literal(self.path)} AS h (READ_ONLY)")
        con.execute("CREATE SCHEMA src")
        for name in self.columns:
            chosen = ", ".join(map(quoted, [*self._all(name), DATE_ONLY]))
            present = " WHERE _valid_to IS NULL" if name in VERSIONED else ""
            con.execute(f"CREATE VIEW src.{quoted(name)} AS SELECT {chosen} FROM h.{quoted(name)}{present}")
            if name in VERSIONED:
                versions = f"SELECT {chosen}, _valid_from, _valid_to FROM h.{quoted(name)}"
                con.execute(f"CREATE VIEW src.{quoted(name + '__versions')} AS {versions}")

    def detach(self, con: duckdb.DuckDBPyConnection) -> None:
        """Let the other connection go and take the records back."""
        con.execute("DROP SCHEMA src CASCADE")
        con.execute("DETACH h")
        self.con.execute(f"ATTACH {literal(self.path)} AS h")

    def close(self) -> None:
        """Let both ledgers go."""
        self.con.close()

    def _objects(self) -> list[str]:
        """Objects of either ledger, those the program knows in their order, others by name."""
        rows = self.con.execute(
            "SELECT DISTINCT table_name FROM duckdb_tables() WHERE schema_name = 'records' AND database_name IN ('a', 'b')"
        ).fetchall()
        order = {name: at for at, name in enumerate(OBJECTS)}
        return sorted((name for (name,) in rows), key=lambda name: (order.get(name, len(order)), name))

    def _columns(self, ledger: str, name: str) -> list[str]:
        rows = self.con.execute(
            "SELECT column_name FROM duckdb_columns() WHERE database_name = ? AND schema_name = 'records' "
            "AND table_name = ? ORDER BY column_index",
            [ledger, name],
        ).fetchall()
        return [column for (column,) in rows if column not in (DATE_ONLY, *_TIMES)]

    def _all(self, name: str) -> list[str]:
        """Columns of the object: those it has later, then those only the earlier ledger has."""
        earlier, later = self.columns[name]
        return [*later, *(column for column in earlier if column not in later)]

    def _rows(self, ledger: str, name: str) -> str:
        """A query of all rows of an object in a ledger, with every column of both."""
        held = self.columns[name][0 if ledger == "a" else 1]
        if not held:
            return ""
        parts = [quoted(column) if column in held else f"NULL AS {quoted(column)}" for column in self._all(name)]
        times = list(_TIMES) if name in VERSIONED else []
        return f"SELECT {', '.join([*parts, DATE_ONLY, *times])} FROM {ledger}.records.{quoted(name)}"

    def _begin(self, name: str) -> None:
        """The earlier rows, and the class of each id: departed, new, told or common."""
        earlier, later = self._rows("a", name), self._rows("b", name)
        nothing = f"{later or earlier} LIMIT 0"
        # Types are those of both together: a column one of them lacks is null there.
        shape = " UNION ALL BY NAME ".join(f"({part} LIMIT 0)" for part in (later, earlier) if part)
        self.con.execute(f"CREATE TABLE h.{quoted(name)} AS {shape}")
        if earlier:
            self.con.execute(f"INSERT INTO h.{quoted(name)} BY NAME {earlier}")
        self.con.execute(
            f"CREATE TEMP TABLE {quoted('class ' + name)} AS {self._classes(name, earlier or nothing, later or nothing)}"
        )

    def _classes(self, name: str, earlier: str, later: str) -> str:
        present = "bool_or(_valid_to IS NULL)" if name in VERSIONED else "true"
        deleted = 'bool_or(coalesce(try_cast("IsDeleted" AS BOOLEAN), false))' if self._deletes(name) else "false"
        sides = [
            f'(SELECT "Id", {present} AS here, {deleted} AS gone FROM ({rows}) GROUP BY "Id") AS {side}'
            for side, rows in (("x", earlier), ("y", later))
        ]
        return (
            'SELECT coalesce(x."Id", y."Id") AS "Id", CASE '
            "WHEN y.\"Id\" IS NULL OR (x.here AND NOT y.here) OR (y.gone AND NOT x.gone) THEN 'departed' "
            "WHEN x.\"Id\" IS NULL OR (y.here AND NOT x.here) OR (x.gone AND NOT y.gone) THEN 'new' "
            f'ELSE \'common\' END AS class FROM {sides[0]} FULL JOIN {sides[1]} ON x."Id" = y."Id"'
        )

    def _deletes(self, name: str) -> bool:
        return "IsDeleted" in self._all(name)

    def _moved(self, part: str, wanted: str) -> Iterator[Step]:
        """The rows of a class as they are later; history of records known before waits for its field."""
        touched = {}
        for name in self.columns:
            if name in RATES:
                continue
            if part == "new" and name in HISTORY_PARENT:
                self._set_told_apart(name)
            if count := self._take(
                name, f'"Id" IN (SELECT "Id" FROM {quoted("class " + name)} WHERE class = \'{wanted}\')'
            ):
                touched[name] = count
        if touched:
            yield Step(part, None, touched)

    def _set_told_apart(self, name: str) -> None:
        """New history rows of records that were there before get the class `told`."""
        parent, pointer = HISTORY_PARENT[name]
        if parent not in self.columns or pointer not in self.columns[name][1]:
            return
        self.con.execute(
            f"UPDATE {quoted('class ' + name)} SET class = 'told' WHERE class = 'new' AND \"Id\" IN (SELECT r.\"Id\" "
            f'FROM b.records.{quoted(name)} AS r JOIN {quoted("class " + parent)} AS p ON p."Id" = r.{quoted(pointer)} '
            "WHERE p.class <> 'new')"
        )

    def _take(self, name: str, condition: str) -> int:
        """Replace the rows of some ids by those of the later ledger; ids touched."""
        later = self._rows("b", name)
        table = f"h.{quoted(name)}"
        ids = f'SELECT "Id" FROM {quoted("class " + name)} WHERE {condition}'
        (count,) = self.con.execute(f"SELECT count(*) FROM ({ids})").fetchone() or (0,)
        if count:
            self.con.execute(f'DELETE FROM {table} WHERE "Id" IN ({ids})')
            if later:
                self.con.execute(f'INSERT INTO {table} BY NAME SELECT * FROM ({later}) WHERE "Id" IN ({ids})')
            self.con.execute(
                f"UPDATE {quoted('class ' + name)} SET class = 'done' WHERE class = 'told' AND {condition}"
            )
        return int(count)

    def _changed(self, name: str) -> Iterator[Step]:
        """The fields of an object that differ, one by one; at the end its rows are those of the later ledger."""
        if name in HISTORY_PARENT and HISTORY_PARENT[name][0] in self.columns:
            # History comes with the fields of the records it tells of.
            return
        told = self._told(name)
        differing = self._restructured(name)
        for column in sorted({*differing, *told} - {REST}, key=_in_order(name)):
            if self.read is not None and (name, column) not in self.read and column not in told:
                continue
            # A version that is gone changes what its fields told, though the present value may be the same.
            touched = {name: max(self._switch(name, column), differing[column])} if column in differing else {}
            for history, condition in told.pop(column, []):
                touched[history] = self._take(history, condition)
            if any(touched.values()):
                yield Step("changed", (name, column), {held: count for held, count in touched.items() if count})
        rest = {history: self._take(history, condition) for held in told.values() for history, condition in held}
        remaining = self._replace(name)
        if any(rest.values()) or (remaining and self.read is None):
            yield Step("changed", (name, REST), {held: count for held, count in rest.items() if count})

    def _told(self, name: str) -> dict[str, list[tuple[str, str]]]:
        """Field → history objects with the ids of the rows that tell of it; other history stands under `REST`."""
        found: dict[str, list[tuple[str, str]]] = {}
        for history, (parent, _) in HISTORY_PARENT.items():
            if parent != name or history not in self.columns:
                continue
            if history in TOLD:
                found.setdefault(TOLD[history], []).append((history, "class = 'told'"))
            elif "Field" in self.columns[history][1]:
                of_field = f'"Id" IN (SELECT "Id" FROM b.records.{quoted(history)} WHERE "Field" = '
                rows = self.con.execute(
                    f'SELECT DISTINCT "Field" FROM b.records.{quoted(history)} WHERE "Id" IN (SELECT "Id" FROM '
                    f"{quoted('class ' + history)} WHERE class = 'told')"
                ).fetchall()
                for (told,) in rows:
                    if told in self._all(name):
                        condition = f"class = 'told' AND {of_field}{literal(told)})"
                        found.setdefault(told, []).append((history, condition))
            found.setdefault(REST, []).append((history, "class = 'told'"))
        return found

    def _restructured(self, name: str) -> dict[str, int]:
        """Give changed records their later versions with the earlier values in them.

        Returns:
            The columns that differ, each with how many records had a value in a version that is there no more.
        """
        columns = [column for column in self._all(name) if column != "Id"]
        if not columns or not all(self.columns[name]):
            # Of an object that only one ledger holds, no record is in both; one of ids alone has nothing to differ.
            return {}
        changed = f'SELECT "Id" FROM ({self._differing(name)}) SEMI JOIN {self._common(name)} USING ("Id")'
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE changed AS {changed}")
        later, earlier = (
            f'SELECT * FROM ({rows}) SEMI JOIN changed USING ("Id")'
            for rows in (self._rows("b", name), self._rows("a", name))
        )
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE later AS {later}")
        join = f'later AS y JOIN ({earlier}) AS x ON y."Id" = x."Id"'
        times = ""
        if name in VERSIONED:
            # What is present takes what was present: when the later ledger is the older one, its last version began
            # before the last of the earlier ledger.
            moment = "CASE WHEN y._valid_to IS NULL THEN TIMESTAMP '9999-12-31' ELSE y._valid_from END"
            join = f'later AS y ASOF JOIN ({_since(earlier)}) AS x ON y."Id" = x."Id" AND {moment} >= x._since'
            times = ", y._valid_from, y._valid_to"
        kept = ", ".join(f"x.{quoted(column)}" for column in ["Id", *columns, DATE_ONLY])
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE was AS SELECT {kept}{times} FROM {join}")
        self.con.execute(f'DELETE FROM h.{quoted(name)} WHERE "Id" IN (SELECT "Id" FROM changed)')
        self.con.execute(f"INSERT INTO h.{quoted(name)} BY NAME SELECT * FROM was")
        sums = [f"count(*) FILTER (x.{quoted(column)} IS DISTINCT FROM y.{quoted(column)})" for column in columns]
        found = self.con.execute(
            f"SELECT {', '.join(sums)} FROM was AS x JOIN later AS y ON {self._same(name)}"
        ).fetchone()
        lost = self._lost(earlier, columns) if name in VERSIONED else dict.fromkeys(columns, 0)
        differing = {column for column, count in zip(columns, found or (), strict=True) if count}
        return {column: count for column, count in lost.items() if count or column in differing}

    def _lost(self, earlier: str, columns: list[str]) -> dict[str, int]:
        """Column → records with an earlier version whose value the later version of that time does not have."""
        join = (
            f'({earlier}) AS x ASOF JOIN ({_since("FROM later")}) AS y ON x."Id" = y."Id" AND x._valid_from >= y._since'
        )
        sums = [
            f'count(DISTINCT x."Id") FILTER (x.{quoted(column)} IS DISTINCT FROM y.{quoted(column)})'
            for column in columns
        ]
        found = self.con.execute(f"SELECT {', '.join(sums)} FROM {join}").fetchone()
        return dict(zip(columns, found or (), strict=True))

    def _common(self, name: str) -> str:
        return f"(SELECT \"Id\" FROM {quoted('class ' + name)} WHERE class = 'common')"

    def _same(self, name: str) -> str:
        """What tells that row x and row y are one version of one record."""
        times = " AND x._valid_from = y._valid_from" if name in VERSIONED else ""
        return f'x."Id" = y."Id"{times}'

    def _switch(self, name: str, column: str) -> int:
        """Give a column its later values; records touched."""
        table, cell = f"h.{quoted(name)}", quoted(column)
        where = f"{self._same(name)} AND x.{cell} IS DISTINCT FROM y.{cell}"
        row = self.con.execute(f'SELECT count(DISTINCT y."Id") FROM {table} AS x JOIN later AS y ON {where}').fetchone()
        marks = f", {DATE_ONLY} = y.{DATE_ONLY}" if OBJECTS.get(name, {}).get(column) == "datetime" else ""
        self.con.execute(f"UPDATE {table} AS x SET {cell} = y.{cell}{marks} FROM later AS y WHERE {where}")
        return int(row[0]) if row else 0

    def _differing(self, name: str) -> str:
        """A query of the ids whose rows are not yet those of the later ledger."""
        names = [*self._all(name), DATE_ONLY, *(_TIMES if name in VERSIONED else ())]
        chosen = ", ".join(map(quoted, names))
        now, later = f"SELECT {chosen} FROM h.{quoted(name)}", f"SELECT {chosen} FROM ({self._rows('b', name)})"
        return f'SELECT DISTINCT "Id" FROM (({now} EXCEPT {later}) UNION ALL ({later} EXCEPT {now}))'

    def _replace(self, name: str) -> int:
        """Make all rows of an object those of the later ledger; ids touched."""
        if not self.columns[name][1]:
            return 0
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE changed AS {self._differing(name)}")
        row = self.con.execute("SELECT count(*) FROM changed").fetchone()
        self.con.execute(f'DELETE FROM h.{quoted(name)} WHERE "Id" IN (SELECT "Id" FROM changed)')
        self.con.execute(
            f'INSERT INTO h.{quoted(name)} BY NAME SELECT * FROM ({self._rows("b", name)}) WHERE "Id" IN (SELECT "Id" FROM changed)'
        )
        return int(row[0]) if row else 0


def _since(rows: str) -> str:
    """Versions with the moment each holds from; the first also stands for what lies before it: a load that came late."""
    return (
        'SELECT *, CASE WHEN row_number() OVER (PARTITION BY "Id" ORDER BY _valid_from) = 1 '
        f"THEN TIMESTAMP '0001-01-01' ELSE _valid_from END AS _since FROM ({rows})"
    )


def _in_order(name: str) -> Callable[[str], tuple[int, str]]:
    """Fields of an object as the program lists them, then others by name."""
    order = {column: at for at, column in enumerate(OBJECTS.get(name, {}))}
    return lambda column: (order.get(column, len(order)), column)
