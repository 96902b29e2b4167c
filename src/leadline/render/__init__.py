"""Renderings of a `Result`: terminal table, CSV, JSON, Parquet, XLSX."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from leadline.errors import UnknownNameError, UsageError
from leadline.results import Result

Format = Literal["table", "json", "csv", "parquet", "xlsx"]
FORMATS: tuple[Format, ...] = ("table", "json", "csv", "parquet", "xlsx")


def write(result: Result, form: str, output: Path | None = None, *, wide: bool = False, machine: bool = False) -> None:
    """Write a result to standard output or a file.

    Args:
        result: what to write.
        form: one of `FORMATS`.
        output: file to write, replaced if it is there; standard output without one.
        wide: the terminal table with every column.
        machine: CSV without the apostrophe that keeps spreadsheets from running a cell.

    Raises:
        UnknownNameError: no such format.
        UsageError: a binary format without a file.
    """
    if form not in FORMATS:
        raise UnknownNameError("format", form, FORMATS)
    if form == "table":
        _write_text(_table(result, output, wide), output)
    elif form == "json":
        _write_text(result.to_json() + "\n", output)
    elif form == "csv":
        from leadline.render import delimited

        _write_text(delimited.csv_text(result, machine=machine), output)
    elif output is None:
        raise UsageError(f"The format {form} is no text; name a file with --output FILE.{form}.")
    else:
        _write_binary(result, form, output)


def _table(result: Result, output: Path | None, wide: bool) -> str:
    from leadline.render import terminal

    return terminal.text(result, wide=wide, to_screen=output is None and sys.stdout.isatty())


def _write_text(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8", newline="")


def _write_binary(result: Result, form: str, output: Path) -> None:
    if form == "parquet":
        from leadline.render import parquet

        parquet.save(result, output)
    else:
        from leadline.render import workbook

        workbook.save(result, output)
