"""From a number to its records, and the addresses of every number of a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from leadline.address import Address, ordered
from leadline.errors import UsageError
from leadline.metrics.query import ALL
from leadline.results import key_text

if TYPE_CHECKING:
    from leadline.results import Result

LISTED = {"from_stage": "stage", "fate": "stage"}
"""Column of a table → column of its list with the same values, where the names differ."""

HITS = frozenset({"converted", "rate"})
"""Columns that count those of the list that went on."""

SIDES = {"count": "now", "before": "before"}
"""Column of a comparison → the side of its list that it counts."""

_NUMBERS = frozenset({"integer", "number", "rate", "money"})


def of_cell(address: Address, ask: Callable[[str], Result]) -> Result:
    """The list behind a table, or behind one number of it: the rows its units have there.

    Raises:
        UsageError: no row has the values the address names.
        LeadlineError: there is no list.
    """
    table, cell = _narrowed(address, ask)
    listed = table.records()
    if not address.column:
        return listed
    shown = listed.table
    for name, value in cell.items():
        column = LISTED.get(name, name)
        if column in shown.column_names and not (name == "period" and value == ALL):
            shown = shown.filter(_equal(shown.column(column), value))
    if address.column == "converted" and "in_numerator" in shown.column_names:
        shown = shown.filter(shown.column("in_numerator"))
    if address.column in SIDES and "side" in shown.column_names:
        shown = shown.filter(pc.equal(shown.column("side"), SIDES[address.column]))
    return replace(listed, table=shown)


def _narrowed(address: Address, ask: Callable[[str], Result]) -> tuple[Result, dict[str, str | None]]:
    """The question for the units of the cell alone where dimensions can be filtered by, and what is left to choose."""
    cell = dict(address.cell)
    split = [name for text in address.values("by") for name in text.split(",") if name in cell]
    filtered = {text.partition("=")[0] for text in address.values("where")}
    if not split or filtered & set(split) or "touched" in dict(address.question):
        return ask(str(address.table)), cell
    rest = [name for text in address.values("by") for name in text.split(",") if name not in split]
    kept = [pair for pair in address.question if pair[0] != "by"]
    kept += [("by", ",".join(rest))] if rest else []
    wanted = Address(address.metric, ordered([*kept, *(("where", f"{name}={cell[name] or ''}") for name in split)]))
    try:
        return ask(str(wanted)), {name: value for name, value in cell.items() if name not in split}
    except UsageError:
        # Parts of a campaign path and stages split a table but select no units.
        return ask(str(address.table)), cell


def _equal(values: pa.ChunkedArray, wanted: str | None) -> pa.ChunkedArray:
    if wanted is None:
        return pc.is_null(values)
    texts = values if pa.types.is_string(values.type) else values.cast(pa.string())
    return pc.fill_null(pc.equal(texts, wanted), fill_value=False)


def addresses(result: Result) -> Callable[[int, str], str]:
    """A function (row, column) → the address of a number; the same text as `Result.address`, worked out once a row."""
    cells: dict[int, str] = {}
    asked = result.asked
    keys = result.key_columns() if asked is not None else []
    values = {name: result.table.column(name).to_pylist() for name in keys}

    def told(row: int, column: str) -> str:
        if asked is None:
            return ""
        if row not in cells:
            texts = tuple((name, key_text(values[name][row])) for name in keys)
            cells[row] = str(replace(asked, column="x", cell=texts)).partition("#x")[2]
        return f"{asked}#{column}{cells[row]}"

    return told


def is_number(result: Result, column: str) -> bool:
    """Whether a column holds numbers that can be explained."""
    return any(one.name == column and one.type in _NUMBERS for one in result.columns)
