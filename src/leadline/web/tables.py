"""Results as tables of a page: text in the reader's way, each number with its address, each name a filter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from leadline.render import present, totals
from leadline.web.cells import addresses, is_number

if TYPE_CHECKING:
    from leadline.render.present import Grid, Heading
    from leadline.results import Result

LIMIT = 25
"""Rows of a table until somebody asks for all."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text, and the address of its number or the page it leads to."""

    text: str
    numeric: bool = False
    address: str = ""
    href: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as a template writes it.

    Attributes:
        total: rows of the result; `shown` of them are in `rows`.
        totals: lines below.
        address: of the whole table; empty for what no metric was asked for.
        all_href: where all rows are; empty if they are here.
    """

    caption: str
    constants: str
    heads: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int
    totals: tuple[str, ...] = ()
    address: str = ""
    all_href: str = ""
    sticky: bool = False

    @property
    def shown(self) -> int:
        """Rows on the page."""
        return len(self.rows)


def table(
    result: Result,
    *,
    caption: str = "",
    limit: int = LIMIT,
    all_href: str = "",
    columns: tuple[str, ...] = (),
    filtered: Callable[[str, str], str] | None = None,
    linked: Callable[[str, int], str] | None = None,
    chosen: Sequence[int] | None = None,
) -> Table:
    """The table of a result.

    Args:
        result: what to show.
        caption: its name; that of the result without.
        limit: rows shown.
        all_href: the page with all rows; that of every table without.
        columns: only these, by name; all that say something without.
        filtered: (dimension, value) → the page filtered by it.
        linked: (column, row) → a page about the value, e.g. a journey; empty for none.
        chosen: only these rows, in this order; addresses stay those of the whole result.
    """
    grid = present.grid(result)
    named = {head.name for head in grid.headings}
    places = [
        at for at, head in enumerate(grid.headings) if (head.name in columns if columns else _worth(head.name, named))
    ]
    heads = tuple(grid.headings[at] for at in places)
    told = addresses(result)
    picked = range(len(grid.rows)) if chosen is None else chosen
    maker = _Maker(result, filtered, linked, told)
    rows = tuple(
        tuple(
            maker.cell(head, text, row) for head, text in zip(heads, (grid.rows[row][at] for at in places), strict=True)
        )
        for row in picked[:limit]
    )
    return Table(
        caption=caption or result.title,
        constants=_constants(grid, result, heads),
        heads=heads,
        rows=rows,
        total=len(picked),
        totals=tuple(totals.lines(result)),
        address="" if result.asked is None else str(result.asked),
        all_href=(all_href or _page_of(result)) if len(picked) > limit else "",
    )


class _Maker:
    """Makes cells of one result."""

    def __init__(
        self,
        result: Result,
        filtered: Callable[[str, str], str] | None,
        linked: Callable[[str, int], str] | None,
        told: Callable[[int, str], str],
    ) -> None:
        self._filtered = filtered
        self._linked = linked
        self._told = told
        self._numbers = {column.name for column in result.columns if is_number(result, column.name)}
        self._values = {name: result.table.column(name).to_pylist() for name in _filterable(result)}

    def cell(self, head: Heading, text: str, row: int) -> Cell:
        """A number with its address, a value of a dimension with its filter, anything else as it is."""
        if head.name in self._numbers and text != present.NOTHING:
            return Cell(text, numeric=True, address=self._told(row, head.name))
        if self._linked and (href := self._linked(head.name, row)):
            return Cell(text, numeric=head.numeric, href=href)
        if self._filtered and head.name in self._values and text:
            value = self._values[head.name][row]
            return Cell(
                text,
                href=self._filtered(head.name, "" if value is None else str(value)),
                title=present.label(head.name),
            )
        # Names of dimensions are written as in the forms that filter by them.
        return Cell(present.label(text) if head.name == "dimension" else text, numeric=head.numeric)


def _filterable(result: Result) -> list[str]:
    """Columns whose values one can filter by."""
    split = [] if result.asked is None else [name for text in result.asked.values("by") for name in text.split(",")]
    return [name for name in [*split, "campaign"] if name in result.table.column_names]


def _worth(name: str, others: set[str]) -> bool:
    """Whether a column is for readers: the id beside a name is not."""
    return name != "campaign_id" or "campaign" not in others


def _page_of(result: Result) -> str:
    return "" if result.asked is None else f"/table?address={quote(str(result.asked), safe='')}"


def _constants(grid: Grid, result: Result, heads: Sequence[Heading]) -> str:
    """What holds for every row, and the currency of the amounts."""
    told = [f"{label} {text}" for label, text in grid.constants if text]
    amounts = {column.name for column in result.columns if column.type == "money"}
    if result.currency and any(head.name in amounts for head in heads):
        told.append(f"amounts in {result.currency}")
    return " · ".join(told)
