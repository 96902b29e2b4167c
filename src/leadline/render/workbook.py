"""A result as an Excel workbook: a sheet of typed cells and a sheet that says what they are.

Text is written as text: nothing in a name becomes a formula or a link.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadline import dates
from leadline.errors import DependencyError, UsageError
from leadline.render import present, totals
from leadline.results import Column, Result

if TYPE_CHECKING:
    import xlsxwriter

MOST_ROWS = 1_048_575
LONGEST_TEXT = 32_767

_AS_WRITTEN = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}

_NO_MOMENT = dt.datetime(1980, 1, 1, tzinfo=dt.UTC)
"""Stands in where a result has no moment of its own."""


def save(result: Result, path: Path) -> None:
    """Write the workbook; two writes of one result give the same bytes.

    Raises:
        DependencyError: the package xlsxwriter is not installed.
        UsageError: more rows or longer text than a sheet holds; nothing is cut.
    """
    try:
        import xlsxwriter
    except ImportError as fault:
        raise DependencyError(
            "XLSX needs the package xlsxwriter, which is not installed here; install it with: pip install xlsxwriter"
        ) from fault
    _check_limits(result)
    with xlsxwriter.Workbook(str(path), _AS_WRITTEN) as book:
        # The moment of writing would differ each time; the snapshot's moment does not.
        book.set_properties(
            {"title": result.title, "created": dates.in_zone(result.known_at or _NO_MOMENT, "UTC").replace(tzinfo=None)}
        )
        _write_rows(book, result)
        _write_about(book, result)


def _check_limits(result: Result) -> None:
    rows = result.table.num_rows
    if rows > MOST_ROWS:
        raise UsageError(f"The result has {rows:,} rows; a sheet holds {MOST_ROWS:,}. Use --format csv or parquet.")
    for column in result.columns:
        if column.type == "text":
            longest = max((len(value) for value in result.table.column(column.name).to_pylist() if value), default=0)
            if longest > LONGEST_TEXT:
                raise UsageError(
                    f"The column {column.name!r} holds a text of {longest:,} characters; a cell holds {LONGEST_TEXT:,}. "
                    "Use --format csv or parquet."
                )


def _write_rows(book: xlsxwriter.Workbook, result: Result) -> None:
    sheet = book.add_worksheet("Result")
    sheet.freeze_panes(1, 0)
    bold = book.add_format({"bold": True, "bottom": 1})
    typed = result.typed()
    for i, column in enumerate(result.columns):
        style = book.add_format(_number_format(column, result.digits_of(column)))
        values = typed.column(column.name).to_pylist()
        sheet.set_column(i, i, max(10, min(48, len(column.name) + 2, 48)), style)
        sheet.write_string(0, i, column.name, bold)
        if column.help:
            sheet.write_comment(0, i, column.help)
        for row, value in enumerate(values, start=1):
            _write_cell(sheet, row, i, value, style)
    sheet.autofilter(0, 0, max(len(typed), 1), max(len(result.columns) - 1, 0))


def _write_cell(sheet: Any, row: int, column: int, value: Any, style: Any) -> None:
    if value is None:
        sheet.write_blank(row, column, None, style)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value, style)
    elif isinstance(value, str):
        sheet.write_string(row, column, value, style)
    elif isinstance(value, list):
        sheet.write_string(row, column, present.list_text(value), style)
    elif isinstance(value, dt.datetime):
        sheet.write_datetime(row, column, value.astimezone(dt.UTC).replace(tzinfo=None), style)
    elif isinstance(value, dt.date):
        sheet.write_datetime(row, column, value, style)
    else:
        sheet.write_number(row, column, value, style)


def _number_format(column: Column, digits: int) -> dict[str, str]:
    formats = {
        "integer": "#,##0",
        "number": "#,##0.0",
        "rate": "0.0%",
        "money": "#,##0" + ("." + "0" * digits if digits else ""),
        "date": "yyyy-mm-dd",
        "instant": "yyyy-mm-dd hh:mm:ss",
    }
    return {"num_format": formats[column.type]} if column.type in formats else {}


def _write_about(book: xlsxwriter.Workbook, result: Result) -> None:
    sheet = book.add_worksheet("About")
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 100)
    lines = [
        ("title", result.title),
        ("definition", f"{result.definition.text} (version {result.definition.version})"),
        *present.facts(result),
        ("rows", f"{result.table.num_rows:,}"),
        *(("total", line) for line in totals.lines(result)),
        ("trust", present.trust_line(result)),
        *(("step", f"{step.step}: {step.rows_out:,} rows. {step.why}") for step in result.lineage),
        *(("note", note) for note in result.notes),
    ]
    for row, (label, text) in enumerate(lines):
        sheet.write_string(row, 0, label)
        sheet.write_string(row, 1, text)
