"""Lists whose rows are not units in stages: bookings, responses by fate, both sides of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from leadline.metrics.assemble import ARROW, LIST_COLUMNS, Assembly, record_objects, relabelled
from leadline.metrics.units import name_of
from leadline.results import Column, Result


def listed(
    made: Assembly, marks: ir.Table, named: Mapping[str, str], extra: tuple[Column, ...] = (), kind: str | None = None
) -> Result:
    """The list behind a count with the columns every list has.

    Args:
        made: the question.
        marks: one row per row of the list, with unit_id, period_day, the dimensions, and what
            `named` names.
        named: column of the list → column of `marks`; columns of dates hold day numbers, those of
            instants UTC seconds; what neither names is null.
        extra: columns beside those of every list.
        kind: of the result, where it is not that of the question.
    """
    asked = made.asked
    columns = LIST_COLUMNS + extra
    own = {"unit_id", "record_id", *named}
    name = name_of(marks)
    chosen = marks.select(
        *asked.by,
        "period_day",
        unit_id=name,
        record_id=ibis.ifelse(marks.object == "Person", marks.person_id, name),
        **{name: marks[source] for name, source in named.items() if name not in asked.by},
    )
    told = [name for name in (column.name for column in columns) if name in own]
    found = asked.opened.arrow(chosen.order_by("period_day", *asked.by, *told))
    result = made.result(columns, [], query=marks)
    table = pa.table({column.name: _column(made, found, column) for column in result.columns})
    return replace(result, table=table, kind=kind or result.kind)


def _column(made: Assembly, found: pa.Table, column: Column) -> pa.ChunkedArray | pa.Array:
    to = ARROW[column.type]
    if column.name == "period":
        return relabelled(found["period_day"], made.asked.period_label)
    if column.name == "object":
        return record_objects(found)
    if column.name not in found.column_names:
        return pa.nulls(found.num_rows, to)
    values = found[column.name]
    if column.type == "instant":
        return values.cast(pa.int64()).cast(to)
    if column.type == "date":
        return values.cast(pa.int32()).cast(to)
    return values.cast(to)
