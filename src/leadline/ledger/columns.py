"""The columns of one object: those the ledger knows, those a load brings, and the SQL over both.

    common    in both: compared, a difference makes a new version
    fresh     new to the ledger: not compared, filled into the present version
    recast    of another kind than in the load before: as fresh, under the kind the ledger has
    absent    known but not in the load: the version before says what they hold

System stamps (`schema.SYSTEM_STAMPS`) are not compared where versions are kept.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from leadline.engines import literal, quoted
from leadline.findings import Finding, Severity
from leadline.ledger.kept import KeptObject
from leadline.ledger.promises import SQL_TYPES
from leadline.schema import DATE_ONLY, SYSTEM_STAMPS, Kind
from leadline.sources.staged import Coverage

if TYPE_CHECKING:
    import duckdb

_MARKS: Final = quoted(DATE_ONLY)


@dataclass(frozen=True, slots=True)
class _Known:
    kind: Kind
    newest_kind: Kind
    in_newest_load: bool


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of one object in the ledger and in one load; `given` maps them to kind and spelling of the load."""

    object: str
    versioned: bool
    known: dict[str, _Known]
    given: dict[str, tuple[Kind, str]]
    marks: bool

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection, kept: KeptObject, *, versioned: bool) -> Columns:
        """Columns of an object as the ledger and a load have them; names match whatever their case."""
        rows = con.execute(
            'SELECT "column", kind, newest_kind, in_newest_load FROM _columns WHERE "object" = ? ORDER BY rowid',
            [kept.object],
        ).fetchall()
        known = {name: _Known(kind, newest, present) for name, kind, newest, present in rows}
        spelled = {name.casefold(): name for name in known} | {"id": "Id"}
        given = {
            spelled.get(name.casefold(), name): (kind, name) for name, kind in kept.columns.items() if name != DATE_ONLY
        }
        return cls(kept.object, versioned, known, given, DATE_ONLY in kept.columns)

    @property
    def table(self) -> str:
        """The table of the object."""
        return f"records.{quoted(self.object)}"

    @property
    def present(self) -> str:
        """Its rows that hold now."""
        return f"(SELECT rowid, * FROM {self.table}{' WHERE _valid_to IS NULL' if self.versioned else ''})"

    @property
    def first(self) -> bool:
        """Whether the ledger has never seen the object."""
        return not self.known

    @property
    def fresh(self) -> list[str]:
        """Columns new to the ledger."""
        return [name for name in self.given if name not in self.known]

    @property
    def recast(self) -> list[str]:
        """Columns whose kind differs from the load before."""
        return [
            name
            for name, (kind, _) in self.given.items()
            if name in self.known and kind != self.known[name].newest_kind
        ]

    @property
    def absent(self) -> list[str]:
        """Known columns the load lacks."""
        return [name for name in self.known if name not in self.given]

    def kind(self, name: str) -> Kind:
        """The kind a column has in the ledger."""
        return self.known[name].kind if name in self.known else self.given[name][0]

    def normalised(self, relation: str) -> str:
        """The load's records under the ledger's names and types; what does not fit a type is null."""
        columns = [f"{self._cast(name)} AS {quoted(name)}" for name in self.given]
        marks = _MARKS if self.marks else f"NULL::VARCHAR AS {_MARKS}"
        originals = [f"{quoted(self.given[name][1])} AS {quoted('given ' + name)}" for name in self.recast]
        return f"SELECT {', '.join([*columns, marks, *originals])} FROM ({relation})"

    def create_table(self) -> str:
        """The table of an object seen for the first time."""
        columns = [f"{quoted(name)} {SQL_TYPES[kind]}" for name, (kind, _) in self.given.items()]
        times = ["_valid_from TIMESTAMP", "_valid_to TIMESTAMP"] if self.versioned else []
        return f"CREATE TABLE {self.table} ({', '.join([*columns, f'{_MARKS} VARCHAR', *times])})"

    def add_missing(self) -> list[str]:
        """Statements that make room for fresh columns."""
        return [
            f"ALTER TABLE {self.table} ADD COLUMN {quoted(name)} {SQL_TYPES[self.kind(name)]}" for name in self.fresh
        ]

    def compare(self, source: str) -> str:
        """Ids of the load that are new or differ, with `before`, the row they had, or null."""
        compared = [
            name
            for name in self.given
            if name != "Id"
            and name not in self.fresh
            and name not in self.recast
            and not (self.versioned and name in SYSTEM_STAMPS)
        ]
        differences = [f"i.{quoted(name)} IS DISTINCT FROM a.{quoted(name)}" for name in compared]
        marks = [f"{_marked('i', name)} <> {_marked('a', name)}" for name in compared if self.kind(name) == "datetime"]
        if marks:
            differences.append(f"(i.{_MARKS} IS DISTINCT FROM a.{_MARKS} AND ({' OR '.join(marks)}))")
        return (
            f'SELECT i."Id", a.rowid AS before FROM {source} AS i LEFT JOIN {self.present} AS a ON i."Id" = a."Id" '
            f"WHERE {' OR '.join(['a.rowid IS NULL', *differences])}"
        )

    def insert(self, source: str, at: dt.datetime, *, only_fate: bool = False) -> str:
        """New versions or states; columns the load lacks come from the row before."""
        names = [*self.known, *self.fresh]
        values = [f"{'i' if name in self.given else 'a'}.{quoted(name)}" for name in names]
        targets = [*map(quoted, names), _MARKS]
        values.append(self._marks_of_insert())
        if self.versioned:
            targets.append("_valid_from")
            values.append(f"{literal(at.isoformat())}::TIMESTAMP")
        joins = ' JOIN fate AS f ON i."Id" = f."Id"' if only_fate else ""
        if self.absent:
            joins += f" LEFT JOIN (SELECT rowid, * FROM {self.table}) AS a ON a.rowid = f.before"
        return f"INSERT INTO {self.table} ({', '.join(targets)}) SELECT {', '.join(values)} FROM {source} AS i{joins}"

    def retire(self, rows: str, at: dt.datetime) -> str:
        """End the versions, or remove the states, of a query of row ids."""
        if not self.versioned:
            return f"DELETE FROM {self.table} WHERE rowid IN ({rows})"
        return f"UPDATE {self.table} SET _valid_to = {literal(at.isoformat())}::TIMESTAMP WHERE rowid IN ({rows})"

    def drop_momentary(self) -> str:
        """Remove versions that began and ended at one moment: two loads of the same moment, the later one holds."""
        return f"DELETE FROM {self.table} WHERE _valid_from = _valid_to"

    def backfill(self, source: str) -> list[str]:
        """Fill fresh columns into all rows that hold now, recast ones into those that do not differ otherwise.

        To be run before new versions are inserted: also a version that is about to end gets its
        fresh columns, so that their arrival looks like a change nowhere.
        """
        unchanged = ' AND i."Id" NOT IN (SELECT "Id" FROM fate)'
        return [*self._fill(self.fresh, source, ""), *self._fill(self.recast, source, unchanged)]

    def _fill(self, names: list[str], source: str, condition: str) -> list[str]:
        if not names:
            return []
        values = [f"{quoted(name)} = i.{quoted(name)}" for name in names]
        if any(self.kind(name) == "datetime" for name in names):
            values.append(f"{_MARKS} = {self._marks(dict.fromkeys(names, 'i'), 'r')}")
        differs = " OR ".join(f"r.{quoted(name)} IS DISTINCT FROM i.{quoted(name)}" for name in names)
        now = " AND r._valid_to IS NULL" if self.versioned else ""
        return [
            f"UPDATE {self.table} AS r SET {', '.join(values)} FROM {source} AS i "
            f'WHERE r."Id" = i."Id"{now}{condition} AND ({differs})'
        ]

    def findings(self, coverage: Coverage) -> list[Finding]:
        """What changed about the columns themselves."""
        if self.first:
            return []
        vanished = [name for name in self.absent if self.known[name].in_newest_load]
        return [
            *(
                self._finding("column-vanished", "warning" if coverage == "full" else "info", name, _VANISHED)
                for name in vanished
            ),
            *(self._finding("column-new", "info", name, _NEW) for name in self.fresh),
            *(self._finding("column-changed", "warning", name, _CHANGED) for name in self.recast),
        ]

    def lost_values(self, con: duckdb.DuckDBPyConnection, source: str) -> list[Finding]:
        """Values of recast columns that do not fit the kind the ledger keeps."""
        found = []
        for name in self.recast:
            original = quoted("given " + name)
            ids = con.execute(
                f'SELECT "Id" FROM {source} WHERE {original} IS NOT NULL AND {quoted(name)} IS NULL ORDER BY "Id"'
            ).fetchall()
            if ids:
                message = f"{self.object}.{name}: {len(ids)} values are no {self.kind(name)}, as which the ledger keeps the column, and are empty in it."
                found.append(
                    Finding(
                        "column-changed",
                        "error",
                        message,
                        self.object,
                        len(ids),
                        record_ids=tuple(key for (key,) in ids),
                    )
                )
        return found

    def save(self, con: duckdb.DuckDBPyConnection) -> None:
        """Remember the columns and which of them this load had."""
        con.execute('DELETE FROM _columns WHERE "object" = ?', [self.object])
        rows: list[object] = []
        for name in [*self.known, *self.fresh]:
            newest = self.given[name][0] if name in self.given else self.known[name].newest_kind
            rows += [self.object, name, self.kind(name), newest, name in self.given]
        # One statement: a hundred of them cost more than the records of a small load.
        con.execute(f"INSERT INTO _columns VALUES {', '.join(['(?, ?, ?, ?, ?)'] * (len(rows) // 5))}", rows)

    def _cast(self, name: str) -> str:
        kind, spelling = self.given[name]
        if kind == self.kind(name):
            return quoted(spelling)
        return f"TRY_CAST({quoted(spelling)} AS {SQL_TYPES[self.kind(name)]})"

    def _marks_of_insert(self) -> str:
        carried = {name: "a" for name in self.absent if self.kind(name) == "datetime"}
        return self._marks(carried, "i") if carried else f"i.{_MARKS}"

    def _marks(self, other: dict[str, str], usual: str) -> str:
        """The list of date-only fields where some fields are taken from another row than usual."""
        names = [name for name in (*self.known, *self.fresh) if self.kind(name) == "datetime"]
        parts = [
            f"CASE WHEN {_marked(other.get(name, usual), name)} THEN {literal(name + ',')} ELSE '' END"
            for name in names
        ]
        return f"nullif(concat(',', {', '.join(parts)}), ',')"

    def _finding(self, code: str, severity: Severity, name: str, words: str) -> Finding:
        message = words.format(
            column=f"{self.object}.{name}", kind=self.kind(name), given=self.given.get(name, ("", ""))[0]
        )
        return Finding(code, severity, message, self.object)


_VANISHED: Final = "{column} is not in this load; each record keeps the value it had."
_NEW: Final = "{column} is new; its values are filled into the present versions, and no record counts as changed by it."
_CHANGED: Final = "{column} comes as {given}; the ledger keeps it as {kind}, and no record counts as changed by it."


def _marked(alias: str, name: str) -> str:
    return f"coalesce(contains({alias}.{_MARKS}, {literal(',' + name + ',')}), false)"
