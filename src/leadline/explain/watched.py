"""A snapshot that remembers what it is asked, so that an answer can name the fields it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import ibis.expr.types as ir

from leadline.model import rests
from leadline.model.opened import Opened

FIELDS = "_fields"
"""Table of a snapshot that says which fields its own tables rest on."""


class Watched(Opened):
    """A snapshot as it was opened; every question asked through it is kept.

    Attributes:
        heard: (name, expression) of each; the name of a table that was kept, else empty.
    """

    __slots__ = ("heard",)

    heard: list[tuple[str, ir.Table]]

    def held_to(self, records: Mapping[str, str]) -> Watched:
        """The same snapshot with the same memory, for somebody who may see only units with these values."""
        made = Opened.held_to(self, records)
        object.__setattr__(made, "heard", self.heard)
        return made

    def keep(self, expression: ir.Table) -> ir.Table:
        """Run a question once into a temporary table, and remember it."""
        table = Opened.keep(self, expression)
        self.heard.append((table.op().name, expression))
        return table

    def arrow(self, expression: ir.Table) -> Any:
        """Run a question, and remember it."""
        self.heard.append(("", expression))
        return Opened.arrow(self, expression)


def watched(opened: Opened) -> Watched:
    """The same snapshot with a memory."""
    made = Watched(**{field.name: getattr(opened, field.name) for field in fields(Opened)})
    object.__setattr__(made, "heard", [])
    return made


def known_fields(opened: Opened) -> dict[str, dict[str, frozenset[rests.Place]]]:
    """Table → column → fields of the source, as the snapshot was published with; empty for older ones."""
    if FIELDS not in opened:
        return {}
    found: dict[str, dict[str, set[rests.Place]]] = {}
    rows = opened.arrow(opened[FIELDS])
    for table, column, name, field in zip(*(rows[one].to_pylist() for one in rows.column_names), strict=True):
        found.setdefault(table, {}).setdefault(column, set()).add((name, field))
    return {table: {name: frozenset(places) for name, places in held.items()} for table, held in found.items()}


def fields_asked(asked: Watched, known: dict[str, dict[str, frozenset[rests.Place]]]) -> frozenset[rests.Place]:
    """Fields of the source on which everything rests that was asked."""
    traced = rests.Ledger({table: dict(columns) for table, columns in known.items()})
    found: set[rests.Place] = set()
    for name, expression in asked.heard:
        if name:
            traced.add(name, expression)
        else:
            found |= traced.fields(rests.of(expression).all)
    return frozenset(found)
