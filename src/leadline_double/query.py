"""Answering a query from the org's tables, as the integration user sees them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from leadline_double.ids import normal_id
from leadline_double.problems import ApiError
from leadline_double.schema import NUMERIC, Field, ObjectType
from leadline_double.soql import Column, Comparison, Group, Order, Query
from leadline_double.state import Record, State

Getter = Callable[[Record], Any]
_NAMES = "Please reference your WSDL or the describe call for the appropriate names."
_PARTS = ("street", "city", "state", "postalCode", "country", "latitude", "longitude", "geocodeAccuracy")


@dataclass(frozen=True)
class Path:
    """A resolved field path: its canonical steps, the field at its end, and how to read it."""

    steps: tuple[str, ...]
    field: Field
    get: Getter
    parents: tuple[Callable[[Record], tuple[str, Record] | None], ...] = ()


@dataclass
class Found:
    """Rows of a query and how to read each column."""

    object: str
    columns: list[Path]
    rows: list[Record]
    query: Query


def address_of(record: Record, field_name: str) -> dict[str, Any] | None:
    """A compound address from its parts; null when all of them are."""
    head = field_name.removesuffix("Address")
    parts = {part: record.get(head + part[0].upper() + part[1:]) for part in _PARTS}
    if all(one is None for one in parts.values()):
        return None
    return {key: float(one) if isinstance(one, Decimal) else one for key, one in sorted(parts.items())}


class Resolver:
    """Names in a query → fields the user can see; without regard to case."""

    def __init__(self, org: State, query: Query) -> None:
        self.org, self.query = org, query
        by_name = {name.lower(): one for name, one in org.objects.items() if not one.hidden}
        found = by_name.get(query.object.lower())
        if found is None:
            raise ApiError(
                "INVALID_TYPE",
                f"{query.place(query.object_at)}sObject type '{query.object}' is not supported. If you are attempting to "
                f"use a custom object, be sure to append the '__c' after the entity name. {_NAMES}",
            )
        self.root: ObjectType = found
        self._paths: dict[str, Path] = {}

    def path(self, text: str, at: int) -> Path:
        """The path of a name.

        Raises:
            ApiError: INVALID_FIELD.
        """
        key = text.lower()
        if key not in self._paths:
            *lookups, last = text.split(".")
            if lookups and lookups[0].lower() == self.root.name.lower():
                lookups = lookups[1:]
            self._paths[key] = self._walk(lookups, last, at)
        return self._paths[key]

    def _walk(self, lookups: list[str], last: str, at: int) -> Path:
        entities, steps, hops = [self.root], [], []
        for step in lookups:
            one = next((f for e in entities for f in e.parents() if str(f.relationship).lower() == step.lower()), None)
            if one is None:
                raise self._unknown_relationship(step, at)
            entities = [
                self.org.objects[name]
                for name in one.reference_to
                if name in self.org.objects and not self.org.objects[name].hidden
            ]
            steps.append(str(one.relationship))
            hops.append(self._hop(one.name, tuple(entity.name for entity in entities)))
        for entity in entities:
            field = next((f for name, f in entity.visible().items() if name.lower() == last.lower()), None)
            if field is not None:
                return Path((*steps, field.name), field, self._getter(hops, field.name, entity), tuple(hops))
        raise self._unknown_column(last, entities[0].name if entities else "Name", at)

    def _hop(self, lookup: str, targets: tuple[str, ...]) -> Callable[[Record], tuple[str, Record] | None]:
        tables = [(name, self.org.tables[name]) for name in targets]

        def follow(record: Record) -> tuple[str, Record] | None:
            target = record.get(lookup)
            return next(((name, rows[target]) for name, rows in tables if target in rows), None)

        return follow

    def _getter(self, hops: list[Any], name: str, entity: ObjectType) -> Getter:
        if entity.fields[name].type == "address":
            last: Getter = lambda record: address_of(record, name)  # noqa: E731
        elif name in self.org.formulas.get(entity.name, {}):
            last = lambda record: self.org.value(entity.name, record, name)  # noqa: E731
        else:
            last = lambda record: record.get(name)  # noqa: E731
        if not hops:
            return last

        def through(record: Record) -> Any:
            for hop in hops:
                reached = hop(record)
                if reached is None:
                    return None
                record = reached[1]
            return last(record)

        return through

    def _unknown_column(self, name: str, entity: str, at: int) -> ApiError:
        return ApiError(
            "INVALID_FIELD",
            f"{self.query.place(at)}No such column '{name}' on entity '{entity}'. If you are attempting to use a custom "
            f"field, be sure to append the '__c' after the custom field name. {_NAMES}",
        )

    def _unknown_relationship(self, name: str, at: int) -> ApiError:
        return ApiError(
            "INVALID_FIELD",
            f"{self.query.place(at)}Didn't understand relationship '{name}' in field path. If you are attempting to use "
            f"a custom relationship, be sure to append the '__r' after the custom relationship name. {_NAMES}",
        )


def _comparable(value: Any) -> Any:
    """Texts compare without regard to case."""
    return value.casefold() if isinstance(value, str) else value


def _wanted(query: Query, test: Comparison, field: Field) -> list[Any]:
    """Literals as values of the field's type."""
    kinds: dict[str, tuple[type, ...]] = {"datetime": (dt.datetime,), "date": (dt.date,), "boolean": (bool,)}
    kinds |= dict.fromkeys(NUMERIC, (Decimal,))
    accepted = kinds.get(field.type, (str,))
    found = []
    for value in test.values:
        fits = isinstance(value, accepted) and not (field.type == "date" and isinstance(value, dt.datetime))
        if value is not None and not fits:
            kind = {"datetime": "dateTime", "currency": "double", "percent": "double"}.get(field.type, field.type)
            quotes = "should not be enclosed in quotes" if test.quoted else "should be enclosed in quotes"
            raise ApiError(
                "INVALID_FIELD",
                f"{query.place(test.at)}value of filter criterion for field '{field.name}' must be of type {kind} and {quotes}",
            )
        if field.type in {"id", "reference"} and value is not None:
            try:
                found.append(normal_id(value, field.name))
            except ApiError:
                raise ApiError(
                    "INVALID_QUERY_FILTER_OPERATOR", f"{query.place(test.at)}invalid ID field: {value}"
                ) from None
        else:
            found.append(value if field.type in {"id", "reference"} else _comparable(value))
    return found


def _comparison(resolver: Resolver, test: Comparison) -> Callable[[Record], bool]:
    path = resolver.path(test.path, test.at)
    if not path.field.filterable:
        raise ApiError(
            "INVALID_FIELD",
            f"{resolver.query.place(test.at)}field '{path.field.name}' can not be filtered in a query call",
        )
    wanted = _wanted(resolver.query, test, path.field)
    plain = path.field.type in {"id", "reference"} or path.field.type not in {"string", "picklist", "textarea", "email"}
    get: Getter = path.get if plain else (lambda record: _comparable(path.get(record)))
    one = wanted[0]
    if test.operator == "LIKE":
        wild = {"%": ".*", "_": "."}
        pattern = re.compile("".join(wild.get(sign) or re.escape(sign) for sign in str(one)), re.IGNORECASE | re.DOTALL)
        return lambda record: isinstance(path.get(record), str) and bool(pattern.fullmatch(path.get(record)))
    several = frozenset(wanted)
    tests: dict[str, Callable[[Record], bool]] = {
        "=": lambda record: get(record) == one,
        "!=": lambda record: get(record) != one,
        "IN": lambda record: get(record) in several,
        "NOT IN": lambda record: get(record) not in several,
        "<": lambda record: (value := get(record)) is not None and value < one,
        "<=": lambda record: (value := get(record)) is not None and value <= one,
        ">": lambda record: (value := get(record)) is not None and value > one,
        ">=": lambda record: (value := get(record)) is not None and value >= one,
    }
    if one is None and test.operator not in {"=", "!=", "IN", "NOT IN"}:
        raise ApiError("INVALID_QUERY_FILTER_OPERATOR", f"{resolver.query.place(test.at)}invalid operator on null")
    return tests[test.operator]


def condition_of(resolver: Resolver, condition: Any) -> Callable[[Record], bool]:
    """WHERE as a function of a record."""
    if condition is None:
        return lambda record: True
    if isinstance(condition, Group):
        parts = [condition_of(resolver, one) for one in condition.parts]
        if condition.operator == "NOT":
            return lambda record: not parts[0](record)
        combine = all if condition.operator == "AND" else any
        return lambda record: combine(part(record) for part in parts)
    return _comparison(resolver, condition)


def _sorted(resolver: Resolver, rows: list[Record], orders: tuple[Order, ...]) -> list[Record]:
    for order in reversed(orders):
        path = resolver.path(order.path, order.at)
        if not path.field.sortable:
            raise ApiError(
                "INVALID_FIELD",
                f"{resolver.query.place(order.at)}field '{path.field.name}' can not be sorted in a query call",
            )
        empty = [one for one in rows if path.get(one) is None]
        full = sorted((one for one in rows if path.get(one) is not None), key=path.get, reverse=order.down)
        rows = full + empty if order.nulls_last else empty + full
    return rows


def visible_rows(org: State, name: str, *, everything: bool) -> list[Record]:
    """Records of an object that the user may see; `everything` adds the recycle bin and archived activities."""
    hidden = org.hidden_records
    rows = list(org.tables[name].values())
    if hidden:
        rows = [one for one in rows if one["Id"] not in hidden]
    if everything:
        return rows
    return [one for one in rows if not one.get("IsDeleted") and not one.get("IsArchived")]


def answer(org: State, query: Query, *, everything: bool) -> Found:
    """Rows of a query in order, within its limit; aggregates come as ready rows.

    Raises:
        ApiError: INVALID_TYPE, INVALID_FIELD, MALFORMED_QUERY.
    """
    resolver = Resolver(org, query)
    paths = [resolver.path(one.path, one.at) for one in query.columns if one.path]
    steps = [".".join(one.steps) for one in paths]
    if not query.aggregates and len(set(steps)) < len(steps):
        twice = next(one for one in steps if steps.count(one) > 1)
        raise ApiError("INVALID_FIELD", f"duplicate field selected: {twice}")
    keep = condition_of(resolver, query.condition)
    rows = visible_rows(org, resolver.root.name, everything=everything)
    rows = [one for one in rows if keep(one)] if query.condition else rows
    if query.aggregates and not query.counts_rows:
        rows = aggregate(resolver, rows)
    else:
        rows = _sorted(resolver, rows, query.orders)
    rows = rows[query.offset :] if query.offset else rows
    return Found(resolver.root.name, paths, rows if query.limit is None else rows[: query.limit], query)


def aggregate(resolver: Resolver, rows: list[Record]) -> list[Record]:
    """One ready row per group, under aliases or expr0, expr1, …"""
    query = resolver.query
    keys = [resolver.path(one.path, one.at) for one in query.grouped]
    grouped_names = {".".join(one.steps) for one in keys}
    for one in query.columns:
        if not one.aggregate and ".".join(resolver.path(one.path, one.at).steps) not in grouped_names:
            raise ApiError("MALFORMED_QUERY", f"{query.place(one.at)}Field must be grouped or aggregated: {one.path}")
    groups: dict[tuple[Any, ...], list[Record]] = {} if keys else {(): []}
    for row in rows:
        groups.setdefault(tuple(key.get(row) for key in keys), []).append(row)
    return [_aggregated(resolver, query.columns, members) for members in groups.values()]


def _aggregated(resolver: Resolver, columns: tuple[Column, ...], members: list[Record]) -> Record:
    result, number = {}, 0
    for one in columns:
        path = resolver.path(one.path, one.at) if one.path else None
        if one.aggregate is None and path is not None:
            result[one.alias or path.field.name] = path.get(members[0])
            continue
        values = [path.get(row) for row in members if path.get(row) is not None] if path else members
        result[one.alias or f"expr{number}"] = _figure(one.aggregate or "", values)
        number += 0 if one.alias else 1
    return result


def _figure(aggregate_name: str, values: list[Any]) -> Any:
    if aggregate_name == "COUNT":
        return len(values)
    if aggregate_name == "COUNT_DISTINCT":
        return len(set(values))
    if not values:
        return None
    if aggregate_name == "AVG":
        return sum(values) / len(values)
    if aggregate_name == "SUM":
        return sum(values)
    return min(values) if aggregate_name == "MIN" else max(values)
