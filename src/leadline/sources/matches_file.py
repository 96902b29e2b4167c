"""`matches.csv`: which account leads belong to, said by hand; every fault of the file at once.

    lead,account
    00Q3z00001AbCdEEAV,0013z00002XyZaBAAV
    00Q3z00001AbCdFEAV,none

Both are Salesforce ids of 15 or 18 characters; `none` says that the lead belongs to no account of
the org. Empty lines and lines that begin with `#` say nothing; columns beyond these two are for
remarks and are not read.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from leadline.errors import MatchesError

FILE_NAME: Final = "matches.csv"
NONE: Final = "none"

_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?")
_BEGINS: Final = {"lead": "00Q", "account": "001"}
_CHECK: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_HOW: Final = "write a line per lead under the heading lead,account"


@dataclass(frozen=True, slots=True)
class Override:
    """One line: the lead and its account (18 characters each); None is no account."""

    line: int
    lead_id: str
    account_id: str | None


@dataclass(frozen=True, slots=True)
class MatchesFile:
    """The lines of one file, and how messages call it."""

    path: str
    lines: tuple[Override, ...]


def read(folder: Path) -> MatchesFile | None:
    """The matches that a workspace makes by hand; None without the file.

    Raises:
        MatchesError: the file has faults (all listed).
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        raise MatchesError(str(path), [f"byte {fault.start} is not UTF-8; save the file as UTF-8"]) from fault
    lines, faults = parse(text)
    if faults:
        raise MatchesError(str(path), faults)
    return MatchesFile(str(path), lines)


def parse(text: str) -> tuple[tuple[Override, ...], list[str]]:
    """The lines without fault, and the faults of a text, in order."""
    faults: list[str] = []
    found: list[Override] = []
    rows = _rows(text, faults)
    if not rows and not faults:
        return (), [f"it is empty; {_HOW}"]
    heading = [cell.casefold() for cell in rows[0][1]] if rows else []
    missing = [name for name in _BEGINS if heading.count(name) != 1]
    if missing or not rows:
        return (), faults or [f"the heading must have the column {name!r} once; {_HOW}" for name in missing]
    first: dict[str, int] = {}
    for line, cells in rows[1:]:
        given = dict(zip(heading, cells, strict=False))
        override = _line(line, given, faults)
        if override is None:
            continue
        if override.lead_id in first:
            faults.append(f"line {line}, column lead: {given['lead']} stands in line {first[override.lead_id]} already")
        first.setdefault(override.lead_id, line)
        found.append(override)
    return tuple(found), faults


def _rows(text: str, faults: list[str]) -> list[tuple[int, list[str]]]:
    """Lines that say something; a text without any comma has semicolons between its cells."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="," if "," in text else ";", strict=True)
    rows = []
    try:
        for cells in reader:
            said = [cell.strip() for cell in cells]
            if any(said) and not said[0].startswith("#"):
                rows.append((reader.line_num, said))
    except csv.Error as fault:
        faults.append(f"line {reader.line_num}: is no CSV ({fault}); close the quotes")
    return rows


def _line(line: int, given: dict[str, str], faults: list[str]) -> Override | None:
    ids: dict[str, str] = {}
    before = len(faults)
    for column, begin in _BEGINS.items():
        value = given.get(column, "")
        if column == "account" and value.casefold() == NONE:
            continue
        if not _ID.fullmatch(value) or not value.startswith(begin):
            said = f"{value!r} is" if value else "it is empty and"
            more = f", or {NONE}" if column == "account" else ""
            faults.append(
                f"line {line}, column {column}: {said} no id of {'an' if column == 'account' else 'a'} {column}; "
                f"write its 15 or 18 characters, which begin with {begin}{more}"
            )
            continue
        ids[column] = id_18(value)
    return None if len(faults) > before else Override(line, ids["lead"], ids.get("account"))


def id_18(text: str) -> str:
    """An id of 15 characters as 18: the last three say which of the first 15 are capitals. One of 18 stays as it is."""
    if len(text) == 18:
        return text
    head, ends = text, ""
    for start in (0, 5, 10):
        capitals = (letter.isascii() and letter.isupper() for letter in head[start : start + 5])
        ends += _CHECK[sum(2**place for place, capital in enumerate(capitals) if capital)]
    return head + ends
