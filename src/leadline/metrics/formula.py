"""Formulas: numbers of one's own over the counts, amounts and times of stages.

The expression is computed on the cells that the metrics deliver, in exact fractions; each operand
stands beside the value as a column, so that every value explains itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol

import pyarrow as pa

from leadline.errors import FormulaError, UnknownNameError
from leadline.formulas import evaluate, kinds, tree
from leadline.formulas.parser import parse
from leadline.formulas.shares import share
from leadline.formulas.shipped import SHIPPED
from leadline.formulas.tree import Node, Operand, Parent, Previous
from leadline.maths.intervals import wilson
from leadline.metrics.assemble import LIST_COLUMNS, Assembly
from leadline.metrics.formulas.formula_cells import Grid, Place
from leadline.metrics.formulas.formula_columns import column, own_columns, stored
from leadline.metrics.formulas.formula_sources import combined
from leadline.metrics.query import Asked, Query, ask
from leadline.model.opened import Opened
from leadline.results import Column, Result

SMALL = 30
"""Shares of fewer units than this are marked small."""

COLUMNS = (
    Column("period", "text", help="Period, by the rule of each operand"),
    Column("value", "number", help="Value of the formula; absent where it divides by zero or an operand has none"),
    Column("value_low", "rate", help="Lower end of the 95 % Wilson interval, for a share of distinct units"),
    Column("value_high", "rate", help="Upper end of the 95 % Wilson interval, for a share of distinct units"),
    Column("small", "boolean", help=f"The share rests on fewer than {SMALL} units"),
    Column("rank", "integer", help="Place by value within the period, the largest first; small shares have none"),
)
"""Columns that formulas can have beside their dimensions and operands; those that do not apply are left out."""

OPERAND = Column("operand", "text", help="Operand of the formula that counts the record")

KNOWN_COLUMNS = (
    Column("name", "text", help="Name to ask for"),
    Column("title", "text", help="What it is"),
    Column("expression", "text", help="The formula"),
    Column("unit", "text", help="What is counted, where the formula says it"),
    Column("format", "text", help="How its value is shown"),
    Column("funnel", "text", help="Whose stages it names, where it says it"),
    Column("from", "text", help="leadline.toml, or shipped with Leadline"),
)


class Written(Protocol):
    """A formula as `leadline.toml` or Leadline itself writes it."""

    @property
    def expression(self) -> str:
        """The formula."""

    @property
    def title(self) -> str | None:
        """What stands above its table."""

    @property
    def unit(self) -> str | None:
        """What is counted."""

    @property
    def format(self) -> str | None:
        """How its value is shown."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A formula given with the question."""

    expression: str
    title: str | None = None
    unit: str | None = None
    format: str | None = None
    funnel: str | None = None


@dataclass(frozen=True, slots=True)
class _Ready:
    """A formula made definite on one snapshot."""

    asked: Asked
    node: Node
    title: str
    value: Column
    columns: dict[Node, Column]
    """Operands, parents and previous values, each with its column."""
    share: tuple[Node, Node] | None


def chosen(name: str | None, expression: str | None, own: Mapping[str, Written]) -> tuple[str, Written]:
    """The formula of a name, or the one that is spoken: (name, formula).

    Raises:
        UnknownNameError: no formula of that name.
    """
    if expression is not None:
        return "", Spoken(expression)
    known: dict[str, Written] = {**SHIPPED, **own}
    if name not in known:
        raise UnknownNameError("formula", name or "", known, "leadline.toml and those that Leadline ships")
    return name, known[name]


def formula(
    opened: Opened, query: Query, written: Written, *, name: str = "", ranked: bool = False, operand: str | None = None
) -> Result:
    """A formula per group and period.

    Args:
        written: the formula.
        name: its name, for messages.
        ranked: rows by value, the largest first, with a rank per period.
        operand: the list behind it holds only the records of this operand (its text or column).

    Raises:
        FormulaError: it cannot be read, names unknown stages, or puts together what does not fit.
        UnknownNameError: unit, funnel, dimension or operand that does not exist.
        UsageError: an operand that the unit does not have, or a question that it cannot be asked.
    """
    ready = _ready(opened, query, written, name)
    wanted = _wanted(ready, operand)
    grid = Grid.of(ready.asked, tree.operands(ready.node))
    uses_previous = any(isinstance(node, Previous) for node in tree.walk(ready.node))
    rows = [_row(ready, grid, place) for place in grid.places(dense=uses_previous)]
    _with_intervals(ready, rows)
    if ranked:
        rows = _ranked(rows, ready.asked.by)
    made = Assembly(ready.asked, "formula", ready.title, _definition(ready, grid))
    result = made.result(
        _columns(ready, ranked=ranked),
        rows,
        totals=() if ready.asked.query.touched else _totals(ready, grid),
        records=lambda: _list(made, ready, grid, wanted),
        notes=_notes(ready, grid, rows),
    )
    trust = combined(one.trust for one in grid.found)
    # What several operands say is said once.
    notes = tuple(dict.fromkeys(result.notes))
    return replace(result, trust=trust, notes=notes, query="\n\n".join(one.sql for one in grid.found))


def known(opened: Opened, own: Mapping[str, Written]) -> Result:
    """Every formula that can be asked for by name."""
    rows = []
    for origin, formulas in (("leadline.toml", own), ("Leadline", SHIPPED)):
        for name, one in formulas.items():
            shown = one.format or kinds.format_of(parse(one.expression))
            rows.append(
                {
                    "name": name,
                    "title": one.title or one.expression,
                    "expression": one.expression,
                    "unit": one.unit,
                    "format": shown,
                    "funnel": getattr(one, "funnel", None),
                    "from": origin,
                }
            )
    made = Assembly(ask(opened, Query()), "formulas", "Formulas", "Formulas that can be asked for by name.")
    return made.result(KNOWN_COLUMNS, rows)


def _ready(opened: Opened, query: Query, written: Written, name: str) -> _Ready:
    unit, funnel = query.unit or written.unit, query.funnel or getattr(written, "funnel", None)
    asked = ask(opened, replace(query, unit=unit, funnel=funnel), numbered=True)
    try:
        node = kinds.named(parse(written.expression), asked.funnel.stage_names)
        wanted = next((one for one in kinds.FORMATS if one == written.format), None)
        shown = kinds.format_of(node, wanted)
    except FormulaError as error:
        raise FormulaError(error.reason, error.column, name) from None
    title = f"{written.title or tree.text(node)} ({asked.unit})"
    optional = {one.name for one in asked.funnel.stages if one.optional}
    parted = share(node, asked.funnel.stage_names, optional) if shown == "rate" else None
    value = column("value", kinds.kind_of(node), tree.text(node), shown)
    return _Ready(asked, node, title, value, own_columns(node, {*asked.by, *(one.name for one in COLUMNS)}), parted)


def _columns(ready: _Ready, *, ranked: bool) -> tuple[Column, ...]:
    shown = {"period", "value"} | ({"value_low", "value_high", "small"} if ready.share else set())
    shown |= {"rank"} if ranked else set()
    own = [ready.value if one.name == "value" else one for one in COLUMNS if one.name in shown]
    return (*own, *ready.columns.values())


def _row(ready: _Ready, grid: Grid, place: Place) -> dict[str, Any]:
    row: dict[str, Any] = dict(zip(ready.asked.by, place.dims, strict=True))
    row |= {"period": place.period, **_values(ready, grid, place)}
    if ready.share:
        part, whole = (evaluate.number(node, grid, place) for node in ready.share)
        row["_share"] = (int(part or 0), int(whole or 0))
    return row


def _values(ready: _Ready, grid: Grid, place: Place) -> dict[str, Any]:
    digits = ready.asked.opened.currency.digits
    found = {"value": stored(evaluate.number(ready.node, grid, place), ready.value, digits)}
    for node, own in ready.columns.items():
        found[own.name] = stored(evaluate.number(node, grid, place), own, digits)
    return found


def _with_intervals(ready: _Ready, rows: list[dict[str, Any]]) -> None:
    if not ready.share or not rows:
        return
    parts, wholes = zip(*(row.pop("_share") for row in rows), strict=True)
    low, high = wilson(parts, wholes)
    for row, whole, least, most in zip(rows, wholes, low, high, strict=True):
        row |= {
            "value_low": float(least) if whole else None,
            "value_high": float(most) if whole else None,
            "small": whole < SMALL,
        }


def _ranked(rows: list[dict[str, Any]], by: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows of each period by value; small shares behind the others and rows without value last, both without rank."""

    def order(row: dict[str, Any]) -> tuple:
        names = [(row[name] is None, row[name] or "") for name in by]
        return row["period"] or "", row["value"] is None, row.get("small", False), -(row["value"] or 0), names

    ordered = sorted(rows, key=order)
    seen: dict[str | None, list[float]] = {}
    for row in ordered:
        if row["value"] is None or row.get("small", False):
            row["rank"] = None
            continue
        above = seen.setdefault(row["period"], [])
        above.append(row["value"])
        row["rank"] = above.index(row["value"]) + 1
    return ordered


def _totals(ready: _Ready, grid: Grid) -> tuple[dict[str, Any], ...]:
    """One per period: the formula over all groups together."""
    totals = []
    for period in sorted({place.period for place in grid.places(dense=False)}, key=lambda label: label or ""):
        found = _values(ready, grid, grid.total(period))
        own = {("value_amount" if ready.value.type == "money" else "value"): found.pop("value")}
        totals.append({"period": period, **own, **found})
    return tuple(totals)


def _definition(ready: _Ready, grid: Grid) -> str:
    """The expression, and what each operand is and comes to in all."""
    digits = ready.asked.opened.currency.digits
    about = {one: text for source in grid.found for one, text in source.about.items()}
    text = tree.text(ready.node)
    said = [text if ready.title.startswith(text) else f"{ready.title} = {text}"]
    for one, own in ready.columns.items():
        if isinstance(one, Operand):
            in_all = "" if ready.asked.query.touched else f" (in all {_in_words(one, own, grid, digits)})"
            said.append(f"{tree.text(one)}: {about[one]}{in_all}")
    if any(isinstance(node, Parent) for node in ready.columns):
        said.append("parent: the value of the group above")
    if any(isinstance(node, Previous) for node in ready.columns):
        said.append("previous: the value of the same group in an earlier period; before the first there is none")
    said.append("A division by zero has no value")
    return ". ".join(said) + "."


def _in_words(one: Operand, own: Column, grid: Grid, digits: int) -> str:
    value = stored(evaluate.number(one, grid, grid.everything), own, digits)
    if value is None:
        return "none"
    if own.type == "money":
        return f"{Decimal(value).scaleb(-digits):,.{digits}f} {grid.asked.opened.currency.code}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _notes(ready: _Ready, grid: Grid, rows: list[dict[str, Any]]) -> list[str]:
    notes = []
    empty = sum(row["value"] is None for row in rows)
    if empty:
        notes.append(
            f"{empty:,} of {len(rows):,} rows have no value: the formula divides by zero there, or an operand has none."
        )
    if ready.asked.query.touched:
        notes.append("Counts overlap: a unit stands under every campaign it touched.")
    return [*notes, *(note for one in grid.found for note in one.notes)]


def _wanted(ready: _Ready, operand: str | None) -> list[Operand]:
    """The operands whose records are listed."""
    own = {node: column.name for node, column in ready.columns.items() if isinstance(node, Operand)}
    if operand is None:
        return list(own)
    found = [one for one, name in own.items() if operand.casefold() in (name, tree.text(one).casefold())]
    if not found:
        raise UnknownNameError("operand", operand, [tree.text(one) for one in own], f"{tree.text(ready.node)!r}")
    return found


def _list(made: Assembly, ready: _Ready, grid: Grid, wanted: list[Operand]) -> Result:
    """The records behind the operands, each row with the operand that counts it."""
    base = made.result((*LIST_COLUMNS, OPERAND), [])
    names = [one.name for one in base.columns]
    tables = []
    for one in wanted:
        rows = next(source.listed[one]() for source in grid.found if one in source.listed)
        label = pa.array([tree.text(one)] * rows.num_rows, pa.string())
        tables.append(rows.append_column(OPERAND.name, label).select(names))
    return replace(base, table=pa.concat_tables(tables))
