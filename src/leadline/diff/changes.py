"""Numbers of several states side by side: cells, the change from each state to the next, the records behind it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa

from leadline import money
from leadline.address import Address
from leadline.model.opened import Opened
from leadline.results import Column, Definition, Result

PARTS = ("time", "deleted", "new", "changed", "rates", "costs", "definitions", "models")
"""What a change is told apart into, in the order of the steps."""

SHOWN: dict[str, tuple[str, ...]] = {
    "volume": ("count", "amount"),
    "conversion": ("started", "converted", "rate"),
    "velocity": ("n", "open", "median_days"),
    "influence": ("won_amount", "open_amount", "lost_amount"),
    "pipeline": ("count", "amount"),
    "fates": ("count",),
    "newness": ("count",),
    "formula": ("value",),
}
"""Kind of result → columns compared where an address names none; of other kinds every column of numbers."""

COLUMNS = (
    Column("metric", "text", help="Address of the question"),
    Column("cell", "text", help="Column and row of the number; behind the address and '#' it is the number's own"),
    Column("before", "text", help="Value in the first state"),
    Column("after", "text", help="Value in the second state"),
    Column("time", "text", help="Part of the change by looking from a later moment"),
    Column("deleted", "text", help="Part by records deleted or merged"),
    Column("new", "text", help="Part by new records"),
    Column("changed", "text", help="Part by changed fields"),
    Column("rates", "text", help="Part by conversion rates"),
    Column("costs", "text", help="Part by the costs file"),
    Column("definitions", "text", help="Part by definitions and settings"),
    Column("models", "text", help="Part by credit models and the settings of influence"),
    Column("fields", "text", help="Changed fields with their parts"),
)

LIST_COLUMNS = (
    Column("part", "text", help="Which part of the change: " + ", ".join(PARTS)),
    Column("field", "text", help="The field that changed"),
    Column("metric", "text", help="Address of the question"),
    Column("change", "text", help="joined, left or changed"),
    Column("unit_id", "text", help="The unit counted"),
    Column("record_id", "text", help="Salesforce id of its record"),
    Column("object", "text", help="Salesforce object of that record"),
    Column("stage", "text", help="Stage or transition"),
    Column("period", "text", help="Period it counts in"),
    Column("campaign_id", "text", help="Campaign"),
    Column("before", "text", help="What it counted before the step"),
    Column("after", "text", help="What it counts after it"),
)

Key = tuple[tuple[str, str | None], ...]
Cells = dict[tuple[str, Key, str], tuple[Decimal | None, int]]
"""(address, row, column) → value and its decimal places."""

_IN_A_LIST = {"from_stage": "stage"}
_SAME_UNIT = ("unit_id", "stage", "to_stage", "period", "bucket", "model", "operand", "side", "movement")


@dataclass(frozen=True, slots=True)
class Difference:
    """One state after another.

    Attributes:
        part: one of `PARTS`; empty for the first state.
        field: OBJECT.FIELD of a change, else empty.
        records: rows of each object that the step touched.
        cells: every number in this state.
        lists: address → rows behind its numbers, where they were asked for.
    """

    part: str
    field: str
    records: dict[str, int]
    cells: Cells
    lists: dict[str, pa.Table]


def cells_of(address: Address, result: Result) -> Cells:
    """Every number of a table, or those of the cell an address names."""
    keys = result.key_columns(constant=True)
    wanted = [address.column] if address.column else SHOWN.get(result.kind) or _numbers(result)
    rows = result.table.to_pylist()
    cell = dict(address.cell)
    found: Cells = {}
    for column in result.columns:
        if column.name not in wanted:
            continue
        places = result.digits_of(column) if column.type == "money" else 0
        for row in rows:
            if all(_text(row[name]) == value for name, value in cell.items()):
                key = tuple((name, _text(row[name])) for name in keys)
                found[str(address.table), key, column.name] = _exact(row[column.name], places), places
    return found


def _numbers(result: Result) -> tuple[str, ...]:
    return tuple(one.name for one in result.columns if one.type in ("integer", "money", "rate", "number"))


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value).lower() if isinstance(value, bool) else str(value)


def _exact(value: Any, places: int) -> Decimal | None:
    """A number as a decimal that reads as it is written, so that differences are exact."""
    if value is None:
        return None
    return Decimal(money.format_minor(value, places)) if places else Decimal(str(value))


def as_table(states: list[Difference], opened: Opened, before: str, after: str, notes: Iterable[str]) -> Result:
    """One row per number that changed anywhere, with the parts of its change.

    Args:
        states: the first state, then one after each step.
        opened: the second state, for the facts around the table.
        before, after: what the two states are called.
        notes: sentences to say beside.
    """
    rows = list(_rows(states))
    text = (
        "Change of each number from one published state to another, each step recomputed: "
        f"{', '.join(PARTS)}. The parts add up to after − before; a number that is not there counts as 0."
    )
    return _result(opened, "diff", f"From {before} to {after}", text, COLUMNS, rows, (*notes, *_touched(states)))


def _rows(states: list[Difference]) -> Iterator[dict[str, Any]]:
    order = dict.fromkeys(key for state in states for key in state.cells)
    for key in sorted(order, key=lambda key: (key[0], [(name, value or "") for name, value in key[1]], key[2])):
        values = [state.cells.get(key, (None, 0)) for state in states]
        if len({value or Decimal(0) for value, _ in values}) == 1:
            continue
        yield _row(key, states, values)


def _row(
    key: tuple[str, Key, str], states: list[Difference], values: list[tuple[Decimal | None, int]]
) -> dict[str, Any]:
    address, row, column = key
    parts = dict.fromkeys(PARTS, Decimal(0))
    fields: dict[str, Decimal] = {}
    for at in range(1, len(states)):
        change = (values[at][0] or Decimal(0)) - (values[at - 1][0] or Decimal(0))
        parts[states[at].part] += change
        if change and states[at].part == "changed":
            fields[states[at].field] = fields.get(states[at].field, Decimal(0)) + change
    shown = tuple((name, value) for name, value in row if value is not None and (name, value) != ("period", "all"))
    return {
        "metric": address,
        "cell": str(Address("x", (), column, shown)).partition("#")[2],
        "before": _written(values[0][0]),
        "after": _written(values[-1][0]),
        **{part: _written(change) if change else "0" for part, change in parts.items()},
        "fields": ", ".join(f"{name or 'history'} {change:+f}" for name, change in fields.items()) or None,
    }


def _written(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _touched(states: list[Difference]) -> Iterator[str]:
    """What each step did to the records, in words."""
    for state in states[1:]:
        if state.records:
            told = ", ".join(f"{count:,} {name}" for name, count in state.records.items())
            yield f"{state.part.capitalize()}{f' ({state.field})' if state.field else ''}: {told}."


def as_list(states: list[Difference], opened: Opened, before: str, after: str, cells: dict[str, Address]) -> Result:
    """The records behind the change: units that joined or left a number, or count differently, step by step."""
    rows = []
    for earlier, later in itertools.pairwise(states):
        for address in sorted({*earlier.lists, *later.lists}):
            known, now = (_units(state.lists.get(address), cells[address]) for state in (earlier, later))
            for key in sorted({*known, *now}, key=str):
                if known.get(key, {}).get("counts") != now.get(key, {}).get("counts"):
                    rows.append(_moved(later, address, known.get(key), now.get(key)))
    text = "Units that joined or left the numbers, or that count differently, at each step from one state to the other."
    return _result(opened, "diff-list", f"From {before} to {after}: records", text, LIST_COLUMNS, rows, ())


def _units(table: pa.Table | None, address: Address) -> dict[tuple, dict[str, Any]]:
    """Rows of a list by what tells them apart; those of a cell only, as far as the list shows its columns."""
    own = {_IN_A_LIST.get(name, name): value for name, value in address.cell}
    split = [name for text in address.values("by") for name in text.split(",")]
    found = {}
    for row in table.to_pylist() if table is not None else ():
        if all(_text(row[name]) == value for name, value in own.items() if name in row):
            names = (*_SAME_UNIT, *split)
            shown = {name: row.get(name) for name in (*_SAME_UNIT, "campaign_id", "record_id", "object")}
            found[(*(row.get(name) for name in names), *_whose(row))] = shown | {"counts": _counts(row)}
    return found


def _whose(row: dict[str, Any]) -> tuple:
    """What tells credits of one response apart: the campaign, and the opportunity or journey it is part of.

    The campaign of a unit is one of its attributes, that of a credit says whose it is.
    """
    if "credit" not in row:
        return ()
    of_journey = row["bucket"] == "campaign" and row["opportunity_id"] is None
    return row["campaign_id"], row["evidence"] if of_journey else row["opportunity_id"]


def _counts(row: dict[str, Any]) -> str:
    """What a row of a list adds to its number."""
    if "in_numerator" in row:
        return "in the numerator" if row["in_numerator"] else "in the denominator"
    return next((str(row[name]) for name in ("credit", "value", "days", "amount") if row.get(name) is not None), "1")


def _moved(
    state: Difference, address: str, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> dict[str, Any]:
    row = after or before or {}
    return {
        "part": state.part,
        "field": state.field or None,
        "metric": address,
        "change": "left" if after is None else "joined" if before is None else "changed",
        **{name: row[name] for name in ("unit_id", "record_id", "object", "stage", "period", "campaign_id")},
        "before": None if before is None else before["counts"],
        "after": None if after is None else after["counts"],
    }


def _result(
    opened: Opened,
    kind: str,
    title: str,
    text: str,
    columns: tuple[Column, ...],
    rows: list[dict[str, Any]],
    notes: tuple[str, ...],
) -> Result:
    return Result(
        kind=kind,
        title=title,
        definition=Definition(text, opened.meta.get("definition_version", "1")),
        as_of=opened.moment,
        known_at=opened.known_at,
        snapshot=opened.snapshot,
        timezone=opened.zone,
        currency=opened.currency.code,
        currency_digits=opened.currency.digits,
        unit="numbers" if kind == "diff" else "units",
        filters={},
        columns=columns,
        table=pa.table({one.name: pa.array([row[one.name] for row in rows], pa.string()) for one in columns}),
        notes=notes,
    )
