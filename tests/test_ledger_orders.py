"""Random histories against the rules written down a second time, and the same loads in any order.

`Book` keeps the rules in plain Python, record by record, without a look at the ledger's SQL.
"""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pytest

from leadline.ledger import Ledger
from leadline.schema import HISTORY_PARENT, SYSTEM_STAMPS, VERSIONED
from leadline.sources.staged import Coverage, StagedLoad
from tests.ledger_loads import content, staged_load, staged_object
from tests.scale import scaled

Record = dict[str, Any]

COLUMNS = {
    "Lead": ("Status", "Rating", "SystemModstamp", "CreatedDate", "Custom__c"),
    "User": ("Name", "Email", "SystemModstamp"),
    "LeadHistory": ("LeadId", "NewValue"),
}
DATETIMES = {"SystemModstamp", "CreatedDate"}


class Version:
    """One version of a record: values, marks of date-only fields, and when it held."""

    def __init__(self, values: Record, marks: set[str], start: dt.datetime) -> None:
        self.values, self.marks, self.start = values, marks, start
        self.end: dt.datetime | None = None


class Book:
    """What the ledger must hold after loads in order of time."""

    def __init__(self) -> None:
        self.versions: dict[str, dict[str, list[Version]]] = {}
        self.columns: dict[str, list[str]] = {}
        self.present: dict[str, set[str]] = {}
        self.gone: dict[tuple[str, str], dt.datetime] = {}

    def take(self, name: str, rows: list[Record], columns: list[str], at: dt.datetime, coverage: Coverage) -> None:
        """One object of one load."""
        known = self.columns.setdefault(name, [])
        fresh = [column for column in columns if column not in known]
        fresh = [] if not known else fresh
        known += [column for column in columns if column not in known]
        self.present[name] = set(columns)
        records = self.versions.setdefault(name, {})
        if coverage == "full" and name not in HISTORY_PARENT:
            for key in records.keys() - {row["Id"] for row in rows}:
                if records[key][-1].end is None:
                    records[key][-1].end = at
                    self.gone[name, key] = at
        for row in rows:
            self._take_row(name, row, columns, fresh, at)

    def _take_row(self, name: str, row: Record, columns: list[str], fresh: list[str], at: dt.datetime) -> None:
        history = self.versions[name].setdefault(row["Id"], [])
        marks = {mark for mark in (row.get("_date_only") or "").split(",") if mark}
        before = history[-1] if history and history[-1].end is None else None
        if before is None:
            self.gone.pop((name, row["Id"]), None)
            history.append(Version({column: row.get(column) for column in columns}, marks, at))
            return
        for column in fresh:
            before.values[column] = row.get(column)
            before.marks = (before.marks - {column}) | (marks & {column})
        ignored = SYSTEM_STAMPS if name in VERSIONED else frozenset()
        compared = [column for column in columns if column not in ignored]
        if all(
            before.values.get(column) == row.get(column) and (column in before.marks) == (column in marks)
            for column in compared
        ):
            return
        before.end = at
        values = before.values | {column: row.get(column) for column in columns}
        history.append(Version(values, (before.marks - set(columns)) | marks, at))

    def views(self) -> dict[str, set[tuple[Any, ...]]]:
        """The views of the ledger, as sets of rows."""
        found: dict[str, set[tuple[Any, ...]]] = {
            "_gone": {(name, key, at) for (name, key), at in self.gone.items()},
            "_columns": {
                (name, column, column in self.present[name])
                for name, columns in self.columns.items()
                for column in columns
            },
        }
        for name, records in self.versions.items():
            rows = [(self._row(name, version), version) for history in records.values() for version in history]
            found[name] = {row for row, version in rows if version.end is None}
            if name in VERSIONED:
                found[f"{name}__versions"] = {(*row, version.start, version.end) for row, version in rows}
        return found

    def _row(self, name: str, version: Version) -> tuple[Any, ...]:
        return (*(version.values.get(column) for column in self.columns[name]), frozenset(version.marks))


def as_sets(found: dict[str, list[tuple[Any, ...]]]) -> dict[str, set[tuple[Any, ...]]]:
    """`content` in the shape of `Book.views`; each row once, or it is a fault."""
    views = {}
    for name, (header, *rows) in found.items():
        if name in {"_loads", "_load_objects", "_findings", "_files"}:
            continue
        if name == "_columns":
            rows = [(owner, column, present) for owner, column, _, present in rows]
        elif name != "_gone":
            marks = header.index("_date_only")
            rows = [(*row[:marks], _marks(row[marks]), *row[marks + 1 :]) for row in rows]
        assert len(set(rows)) == len(rows), f"{name} holds a row twice"
        views[name] = set(rows)
    return views


def _marks(text: str | None) -> frozenset[str]:
    return frozenset(mark for mark in (text or "").split(",") if mark)


def value(column: str, chance: random.Random) -> Any:
    if column in DATETIMES:
        return dt.datetime(2026, 1, chance.randint(1, 2))
    return chance.choice(["a", "b", None])


def draw_rows(name: str, chance: random.Random, columns: list[str]) -> list[Record]:
    rows = []
    for number in range(12):
        if chance.random() < 0.2:
            continue
        row: Record = {"Id": f"{name}{number}"} | {column: value(column, chance) for column in columns}
        marked = [column for column in columns if column in DATETIMES and chance.random() < 0.3]
        rows.append(row | {"_date_only": f",{','.join(marked)}," if marked else None})
    return rows


Drawn = tuple[StagedLoad, dict[str, tuple[list[str], list[Record]]]]


def draw_load(folder: Path, chance: random.Random, day: int) -> Drawn:
    """A load of some objects, each with some of its columns and some of its records."""
    objects = {}
    for name in chance.sample(sorted(COLUMNS), chance.randint(1, 3)):
        columns = [column for column in COLUMNS[name] if chance.random() < 0.7]
        chance.shuffle(columns)
        objects[name] = (["Id", *columns], draw_rows(name, chance, columns))
    staged = [
        staged_object(folder, name, rows or [dict.fromkeys(columns)], parts=chance.randint(1, 2))
        for name, (columns, rows) in objects.items()
        if rows
    ]
    coverage: Coverage = chance.choice(["full", "partial"])
    kept = {name: drawn for name, drawn in objects.items() if drawn[1]}
    return staged_load(folder, f"2026-02-{day:02}", staged, coverage), kept


@pytest.mark.parametrize("seed", range(scaled(60)))
def test_any_history_in_any_order_is_what_the_rules_say(tmp_path: Path, seed: int):
    chance = random.Random(seed)
    drawn = [draw_load(tmp_path / f"s{day}", chance, day) for day in range(1, 5)]
    book = Book()
    for load, objects in drawn:
        for name, (columns, rows) in objects.items():
            book.take(name, rows, columns, load.extracted_at.replace(tzinfo=None), load.coverage)
    in_order, shuffled = Ledger(tmp_path / "in order"), Ledger(tmp_path / "shuffled")
    for load, _ in drawn:
        in_order.load(load, allow_vanish=True)
    found = content(in_order.workspace)
    assert as_sets(found) == book.views()
    order = [load for load, _ in drawn] + [chance.choice(drawn)[0]]
    chance.shuffle(order)
    repeated = [shuffled.load(load, allow_vanish=True).repeated for load in order]
    assert sum(repeated) == 1
    assert content(shuffled.workspace) == found
