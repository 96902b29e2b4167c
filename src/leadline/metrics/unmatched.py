"""Why a question has no answer: a value that no unit has, a period outside the data, a dimension without values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from leadline.dates import day_number, day_of
from leadline.errors import did_you_mean
from leadline.metrics import dimensions
from leadline.metrics.grouping import grouping
from leadline.metrics.query import Asked

_WHERE_SET = {"generated_by": "[generated_by] of leadline.toml says who generated which leads"}
"""Dimensions that have values only where the settings give them."""


def notes(asked: Asked, rows: Sequence[dict[str, Any]], by: Sequence[str]) -> list[str]:
    """Sentences about what a result lacks.

    Args:
        asked: the question.
        rows: its rows.
        by: dimensions among their columns.
    """
    if not rows:
        return [*_unknown_values(asked), *_not_begun(asked), *_too_early(asked)]
    empty = [name for name in by if all(row[name] is None for row in rows)]
    return [_without_values(asked, name) for name in empty]


def _unknown_values(asked: Asked) -> list[str]:
    """Filters by a value that nothing has, with the nearest one that something has."""
    wanted = {name: value for name, value in asked.query.where.items() if value}
    if not wanted:
        return []
    everything = replace(asked, query=replace(asked.query, by=(), where={}))
    linked = grouping(everything).linked
    found = []
    for name, value in wanted.items():
        valued = dimensions.attach(everything, linked, [name])
        known = everything.opened.arrow(valued.select(value=valued[name]).distinct())["value"].to_pylist()
        if value not in known:
            near = did_you_mean(value, [one for one in known if one is not None])
            found.append(f"None of the {asked.unit} has {name} {value!r}.{near}")
    return found


def _not_begun(asked: Asked) -> list[str]:
    start, today = asked.query.start, asked.opened.as_of.day
    if start is None or day_number(start) <= today:
        return []
    return [f"The period begins on {start}, after as-of ({day_of(today)}): nothing of it has happened yet."]


def _too_early(asked: Asked) -> list[str]:
    """That the period ends before any unit began, and when the first one did."""
    end = asked.query.end
    if end is None:
        return []
    everything = replace(asked, query=replace(asked.query, by=(), where={}))
    linked = grouping(everything).linked
    began = linked.filter(linked.opened_day.notnull()).aggregate(first=linked.opened_day.min())
    first = everything.opened.arrow(began)["first"][0].as_py()
    if first is None or first < day_number(end):
        return []
    return [f"The period ends before {end}; the first of the {asked.unit} began on {day_of(first)}."]


def _without_values(asked: Asked, name: str) -> str:
    how = f"; {_WHERE_SET[name]}" if name in _WHERE_SET else ""
    return f"None of these {asked.unit} has a value of {name}: there is nothing to split by{how}."
