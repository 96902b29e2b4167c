"""What columns rest on: from expressions back to the columns of the tables they read.

A column rests on the columns its value is made of. Rows rest on whatever filters, joins, groups or
limits them: a count of rows changes with those, whatever columns it shows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import ibis.expr.operations as ops
import ibis.expr.types as ir
from ibis.common.collections import FrozenOrderedDict

from leadline.model.source import Source
from leadline.model.store import Store
from leadline.schema import OBJECTS

Place = tuple[str, str]
"""Table and column; of the source: object and field."""

ROWS = ""
"""In place of a column's name: the rows of the table."""

_VERSIONS = "__versions"


@dataclass(frozen=True, slots=True)
class Rests:
    """What an expression rests on: per column, and its rows."""

    columns: dict[str, frozenset[Place]]
    rows: frozenset[Place]

    @property
    def all(self) -> frozenset[Place]:
        """Everything together."""
        return self.rows.union(*self.columns.values())


@dataclass(slots=True)
class Ledger:
    """Tables made one after the other, each traced back to the fields of the source.

    Attributes:
        known: table → column (or `ROWS`) → fields of the source as (object, field).
    """

    known: dict[str, dict[str, frozenset[Place]]] = field(default_factory=dict)
    _seen: dict[Any, Rests] = field(default_factory=dict)

    def add(self, name: str, expression: ir.Table) -> None:
        """A table made of an expression; a second one of that name adds to it."""
        rests = of(expression, self._seen)
        table = self.known.setdefault(name, {})
        for column, places in [*rests.columns.items(), (ROWS, rests.rows)]:
            table[column] = table.get(column, frozenset()) | self.fields(places)

    def fields(self, places: Iterable[Place]) -> frozenset[Place]:
        """Fields of the source that places of tables rest on; the rows of those tables included."""
        found: set[Place] = set()
        tables = set()
        for name, column in places:
            if name in self.known:
                tables.add(name)
                found |= self.known[name].get(column, frozenset())
            elif name.removesuffix(_VERSIONS) in OBJECTS:
                found.add((name.removesuffix(_VERSIONS), column))
        return frozenset(found.union(*(self.known[name].get(ROWS, frozenset()) for name in tables)))


FOR_ALL = (("Organization", "TimeZoneSidKey"),)
"""Fields that the build reads for itself and that shift every day."""

FOR_MONEY = (("CurrencyType", "IsCorporate"), ("CurrencyType", "IsoCode"), ("CurrencyType", "DecimalPlaces"))
"""Fields that choose the reporting currency and its decimals."""


def tables(store: Store, source: Source) -> dict[str, dict[str, frozenset[Place]]]:
    """Table → column → fields of the source, of everything a store has made."""
    traced = Ledger()
    for name, expression in store.made:
        traced.add(name, expression)
    everywhere = frozenset(place for place in FOR_ALL if source.has(*place))
    money = frozenset(place for place in FOR_MONEY if source.has(*place))
    for columns in traced.known.values():
        columns[ROWS] = columns.get(ROWS, frozenset()) | everywhere
        if "amount" in columns:
            columns["amount"] |= money
    return traced.known


def of(expression: ir.Table, seen: dict[Any, Rests] | None = None) -> Rests:
    """What an expression rests on: columns of the tables it reads.

    Args:
        expression: any expression over tables.
        seen: results by node, for expressions that share parts.
    """
    return _relation(expression.as_table().op(), {} if seen is None else seen)


def _relation(node: Any, seen: dict[Any, Rests]) -> Rests:
    if node not in seen:
        seen[node] = _found(node, seen)
    return seen[node]


def _found(node: Any, seen: dict[Any, Rests]) -> Rests:
    if isinstance(node, ops.InMemoryTable):
        return Rests(dict.fromkeys(node.schema.names, frozenset()), frozenset())
    if isinstance(node, ops.PhysicalTable):
        return Rests(
            {name: frozenset([(node.name, name)]) for name in node.schema.names}, frozenset([(node.name, ROWS)])
        )
    if isinstance(node, ops.Set):
        left, right = _relation(node.left, seen), _relation(node.right, seen)
        both = {name: left.columns[name] | right.columns[name] for name in node.schema.names}
        return Rests(both, left.rows | right.rows)
    if isinstance(node, ops.JoinChain):
        return _joined(node, seen)
    values = node.values if isinstance(node.values, FrozenOrderedDict | dict) else {}
    columns = {name: _value(value, seen) for name, value in values.items()}
    used: dict[str, set[Place]] = defaultdict(set)
    for part in _parts(node):
        if isinstance(part, ops.Relation):
            used[ROWS] |= _relation(part, seen).rows
        else:
            used[ROWS] |= _value(part, seen)
    return Rests(columns, frozenset(used[ROWS]))


def _joined(node: Any, seen: dict[Any, Rests]) -> Rests:
    """A chain of joins.

    A left join looks something up by a key, as all of the model's do: what was found rests on the
    key, the rows do not. Any other join chooses rows.
    """
    looked_up: dict[Any, frozenset[Place]] = {}
    read: dict[Any, frozenset[Any]] = {}

    def found(value: Any) -> frozenset[Place]:
        used = (looked_up[relation] for relation in _read(value, read) if relation in looked_up)
        return _value(value, seen).union(*used)

    rows = set(_relation(node.first, seen).rows)
    for link in node.rest:
        by_key = _relation(link.table, seen).rows.union(*(found(one) for one in link.predicates))
        if link.how == "left":
            looked_up[link.table] = by_key
        else:
            rows |= by_key
    return Rests({name: found(value) for name, value in node.values.items()}, frozenset(rows))


def _read(value: Any, known: dict[Any, frozenset[Any]]) -> frozenset[Any]:
    """Relations whose columns a value reads, not those that these were made of."""
    if isinstance(value, ops.Field):
        return frozenset([value.rel])
    if value not in known:
        parts = (part for argument in value.__args__ for part in _nodes(argument) if isinstance(part, ops.Value))
        known[value] = frozenset().union(*(_read(part, known) for part in parts))
    return known[value]


def _parts(node: Any) -> Iterator[Any]:
    """Relations a relation is made of, and values that decide its rows; not those it only shows."""
    shown = {"values", "metrics", "replacements"}
    for name, argument in zip(node.__argnames__, node.__args__, strict=True):
        if name not in shown:
            yield from _nodes(argument)


def _nodes(argument: Any) -> Iterator[Any]:
    if isinstance(argument, ops.Node):
        yield argument
    elif isinstance(argument, dict | FrozenOrderedDict):
        for part in argument.values():
            yield from _nodes(part)
    elif isinstance(argument, tuple | list):
        for part in argument:
            yield from _nodes(part)


def _value(node: Any, seen: dict[Any, Rests]) -> frozenset[Place]:
    """Columns a value is made of."""
    if isinstance(node, ops.Field):
        return _relation(node.rel, seen).columns[node.name]
    if isinstance(node, ops.CountStar):
        return _relation(node.arg, seen).rows.union(*([_value(node.where, seen)] if node.where is not None else []))
    found: set[Place] = set()
    for part in _nodes(node.__args__):
        found |= _relation(part, seen).all if isinstance(part, ops.Relation) else _value(part, seen)
    return frozenset(found)
