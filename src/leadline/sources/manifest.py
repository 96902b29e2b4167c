"""`manifest.csv` beside the files of an export: how many rows the source itself says each file has.

    file,rows
    Lead.csv,12044
    CampaignMember.csv,88210

What it says is compared with what was read; the files themselves cannot show that an export broke off.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from leadline.errors import SourceError
from leadline.findings import Finding
from leadline.sources.staged import FileAccount

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from leadline.sources.archives import SourceFile

FILE_NAME: Final = "manifest.csv"
LONGEST: Final = 1 << 20
"""Bytes a manifest may have; it has a line per file."""


def is_manifest(source: SourceFile) -> bool:
    """Whether a file is called like a manifest."""
    return source.base.lower() == FILE_NAME


def stated(source: SourceFile) -> dict[str, int] | None:
    """File, as messages call it → rows it is said to have; None for a file with other columns, which is no manifest.

    Raises:
        SourceError: it is too long, no UTF-8, or a line says no whole number.
    """
    rows = list(csv.reader(_text(source).splitlines()))
    heading = [cell.strip().casefold() for cell in rows[0]] if rows else []
    if not {"file", "rows"} <= set(heading):
        return None
    beside = source.name.removesuffix(source.base)
    found = {}
    for number, cells in enumerate(rows[1:], 2):
        line = dict(zip(heading, (cell.strip() for cell in cells), strict=False))
        if not any(line.values()):
            continue
        if not line.get("file") or not line.get("rows", "").isascii() or not line.get("rows", "").isdigit():
            raise SourceError(
                f"{source.name}, line {number}: {','.join(cells)!r} names no file and whole number of rows. "
                "Write lines such as Lead.csv,12044, or leave the manifest out."
            )
        found[beside + line["file"]] = int(line["rows"])
    return found


def _text(source: SourceFile) -> str:
    with source.open() as stream:
        content = stream.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise SourceError(f"{source.name} is longer than {LONGEST:,} bytes; a manifest has one line per file.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise SourceError(f"{source.name}: byte {fault.start} is not UTF-8; save the manifest as UTF-8.") from fault


def agreed(accounts: Iterable[FileAccount], said: Mapping[str, int]) -> tuple[FileAccount, ...]:
    """The accounts; those with as many rows as the manifest says tell it."""
    return tuple(
        replace(one, notes=(*one.notes, f"{one.rows:,} rows, as the manifest says"))
        if one.object is not None and said.get(one.file) == one.rows
        else one
        for one in accounts
    )


def differences(accounts: Iterable[FileAccount], said: Mapping[str, int]) -> Iterator[Finding]:
    """A finding per file with more or fewer rows than the manifest says, or that is not there."""
    known = {one.file: one for one in accounts}
    for name, rows in sorted(said.items()):
        account = known.get(name)
        if account is None:
            yield _differing(f"The manifest names {name} with {rows:,} rows; there is no such file.", "", rows)
        elif account.object is not None and account.rows != rows:
            says = f"{name} has {account.rows:,} rows; the manifest says {rows:,}."
            yield _differing(says, account.object, abs(rows - account.rows))


def _differing(says: str, name: str, rows: int) -> Finding:
    return Finding(
        "row-count-differs",
        "error",
        says,
        name,
        rows=rows,
        moves=("volume", "conversion", "velocity", "influence"),
        remedy="Export the file again: it broke off, or the manifest is of another export.",
    )
