"""From rows to a `Result`: columns, facts of the snapshot, trust, lineage and the list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from leadline.metrics import told, trust, unmatched
from leadline.metrics.counts import outside
from leadline.metrics.grouping import Grouping
from leadline.metrics.query import Asked
from leadline.metrics.units import name_of
from leadline.results import Column, Definition, Result, Step

ARROW: dict[str, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "rate": pa.float64(),
    "money": pa.int64(),
    "date": pa.date32(),
    "instant": pa.timestamp("s", tz="UTC"),
    "boolean": pa.bool_(),
}

DEFINITION_VERSION = "1"

LIST_COLUMNS = (
    Column("unit_id", "text", help="The unit counted"),
    Column("record_id", "text", help="Salesforce id of its record"),
    Column("object", "text", help="Salesforce object of that record"),
    Column("stage", "text", help="Stage or transition"),
    Column("period", "text", help="Period it counts in"),
    Column("at", "instant", help="When it happened"),
    Column("evidence", "text", help="What shows it"),
    Column("person_id", "text", help="Person"),
    Column("campaign_id", "text", help="Campaign"),
    Column("opportunity_id", "text", help="Opportunity"),
    Column("amount", "money", help="Amount or credit"),
)


class Assembly:
    """What the results of one question share."""

    def __init__(self, asked: Asked, kind: str, title: str, text: str) -> None:
        self.asked = asked
        self.kind = kind
        self.title = title
        self.text = text

    def result(
        self,
        columns: Iterable[Column],
        rows: list[dict[str, Any]],
        *,
        totals: tuple[dict[str, Any], ...] = (),
        query: ir.Table | None = None,
        units: ir.Table | None = None,
        records: Callable[[], Result] | None = None,
        notes: Iterable[str] = (),
        lineage: tuple[Step, ...] = (),
        by: tuple[str, ...] | None = None,
        evidence: dict[str, int] | None = None,
        listed: bool = False,
    ) -> Result:
        """The result of these rows; dimensions of `--by` come first. Rows of a list (`listed`) are put in later."""
        asked, opened = self.asked, self.asked.opened
        dims = asked.by if by is None else by
        lacking = [] if listed or units is None else unmatched.notes(asked, rows, dims)
        described = tuple(Column(name, "text", help="Dimension") for name in dims) + tuple(columns)
        return Result(
            kind=self.kind,
            title=self.title,
            definition=Definition(
                told.definition(self.text, opened), opened.meta.get("definition_version", DEFINITION_VERSION)
            ),
            as_of=opened.moment,
            known_at=opened.known_at,
            snapshot=opened.snapshot,
            timezone=opened.zone,
            currency=opened.currency.code,
            currency_digits=opened.currency.digits,
            unit=asked.unit,
            filters=asked.filters(),
            columns=described,
            table=to_table(described, rows),
            totals=totals,
            trust=trust.of(asked, self.kind, units, evidence),
            lineage=trust.lineage(opened, self.kind) + lineage,
            notes=(*notes, *lacking, *([] if units is None else outside.notes(asked)), *told.notes(opened)),
            query=opened.sql(query) if query is not None else "",
            list_records=records,
        )

    def list_of(self, group: Grouping, marks: ir.Table, what: str, extra: tuple[Column, ...] = ()) -> Result:
        """The list behind a count: one row per unit counted, from the same marks."""
        evidence = marks["evidence"] if "evidence" in marks.columns else ibis.literal(what)
        return self._listed(group.with_links(marks.mutate(evidence=evidence)), extra, self.asked.by)

    def credits(self, marks: ir.Table, extra: tuple[Column, ...], by: list[str]) -> Result:
        """The list behind credited amounts: one row per credit."""
        return self._listed(marks, extra, tuple(by))

    def _listed(self, marks: ir.Table, extra: tuple[Column, ...], by: tuple[str, ...]) -> Result:
        name = name_of(marks)
        chosen = marks.select(
            *by,
            "object",
            "person_id",
            "campaign_id",
            "opportunity_id",
            "amount",
            "stage_no",
            "period_day",
            "at_s",
            "evidence",
            *[column.name for column in extra],
            unit_id=name,
            record_id=ibis.ifelse(marks.object == "Person", marks.person_id, name),
        )
        order = ["stage_no", "period_day", "unit_id", *by, *[column.name for column in extra]]
        found = self.asked.opened.arrow(chosen.order_by(*order))
        columns = tuple(Column(name, "text", help="Dimension") for name in by) + LIST_COLUMNS + extra
        table = pa.table({column.name: self._column(found, column) for column in columns})
        result = self.result(LIST_COLUMNS + extra, [], query=marks, by=by, listed=True)
        return replace(result, table=table)

    def stuck(self, columns: tuple[Column, ...], found: pa.Table, query: ir.Table, notes: list[str]) -> Result:
        """The list of stuck units from whole columns of the answer."""
        own = {
            "stage": relabelled(found["stage_no"], self.asked.stage_name),
            "since": found["entered_s"].cast(pa.int64()).cast(ARROW["instant"]),
            "age_days": pc.divide(found["seconds"].cast(pa.float64()), 86_400.0),
        }
        described = tuple(Column(name, "text", help="Dimension") for name in self.asked.by) + columns
        table = pa.table({one.name: own[one.name] if one.name in own else found[one.name] for one in described})
        made = self.result(columns, [], query=query, units=query, notes=notes, listed=bool(table.num_rows))
        return replace(made, table=table)

    def _column(self, found: pa.Table, column: Column) -> pa.ChunkedArray | pa.Array:
        """One column of a list, made from whole columns of the answer."""
        asked = self.asked
        if column.name == "stage":
            return relabelled(found["stage_no"], asked.stage_name)
        if column.name == "period":
            return relabelled(found["period_day"], asked.period_label)
        if column.name == "at":
            return found["at_s"].cast(pa.int64()).cast(ARROW["instant"])
        if column.name == "object":
            return record_objects(found)
        return found[column.name].cast(ARROW[column.type])


def record_objects(found: pa.Table) -> pa.ChunkedArray | pa.Array:
    """Object of each row's record; of a person that of the surviving record, by the prefix of its id."""
    prefix = pc.utf8_slice_codeunits(found["record_id"], 0, 3)
    person = pc.equal(found["object"], "Person")
    by_prefix = relabelled(prefix, lambda start: {"00Q": "Lead", "003": "Contact"}.get(start, "Person"))
    return pc.if_else(person, by_prefix, found["object"])


def relabelled(column: pa.ChunkedArray, label: Callable[[Any], str | None]) -> pa.Array:
    """A column of few distinct values with each replaced by its label."""
    encoded = pc.dictionary_encode(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    labels = pa.array([label(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return labels.take(encoded.indices)


def instant(second: int | None) -> dt.datetime | None:
    """A UTC second as an aware datetime."""
    return None if second is None else dt.datetime.fromtimestamp(second, tz=dt.UTC)


def to_table(columns: tuple[Column, ...], rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as an Arrow table with the types of the columns."""
    return pa.table(
        {column.name: pa.array([row[column.name] for row in rows], ARROW[column.type]) for column in columns}
    )
