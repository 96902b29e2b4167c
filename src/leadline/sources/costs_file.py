"""`costs.csv`: what campaigns have cost, line by line; every fault of the file at once.

    campaign,start_date,end_date,amount,currency
    7013z000000AbCdAAK,2026-01-01,2026-03-31,12000,EUR
    Spring webinar,,,1800.50,

A campaign is its Salesforce id or a name that it alone has. Both dates are days that belong to the
time (the last day too); without them the campaign's own dates hold, with a start alone the cost
goes on to as-of. Without a currency the amount is in the corporate one. Empty lines and lines that
begin with `#` say nothing.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

from leadline.errors import CostsError, did_you_mean

FILE_NAME = "costs.csv"
META = "costs"
"""Entry of a snapshot's `_meta` with the lines it was built with."""

COLUMNS = ("campaign", "start_date", "end_date", "amount", "currency")
REQUIRED = ("campaign", "amount")

_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,8})?")
_CODE = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class CostLine:
    """One line of the file.

    Attributes:
        line: where it stands.
        campaign: id or name, as written.
        start, end: first and last day; None where the file says nothing.
        amount: major units of the currency.
        currency: ISO code, or None.
    """

    line: int
    campaign: str
    start: dt.date | None
    end: dt.date | None
    amount: Decimal
    currency: str | None


@dataclass(frozen=True, slots=True)
class CostsFile:
    """The lines of one file, and how messages call it."""

    path: str
    lines: tuple[CostLine, ...]


def read(folder: Path, name: str | None) -> CostsFile | None:
    """The costs of a workspace; None without the usual file.

    Args:
        folder: of the workspace.
        name: the file that the settings name, below the folder or anywhere; None is `costs.csv`, if there.

    Raises:
        CostsError: the file that is named is not there, or a file has faults (all listed).
    """
    path = folder / (name or FILE_NAME)
    if not path.is_file():
        if name is None:
            return None
        raise CostsError(str(path), ["there is no such file; correct [costs] file in leadline.toml"])
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        raise CostsError(str(path), [f"byte {fault.start} is not UTF-8; save the file as UTF-8"]) from fault
    reader = _Reader()
    lines = tuple(reader.lines(text))
    if reader.faults:
        raise CostsError(str(path), reader.faults)
    return CostsFile(str(path), lines)


def to_text(file: CostsFile | None) -> str:
    """The lines as JSON, for the account a snapshot gives of itself; without a file an empty list."""
    return json.dumps([asdict(line) for line in file.lines] if file else [], default=str)


def from_text(text: str) -> tuple[CostLine, ...]:
    """The lines that `to_text` wrote."""
    return tuple(
        CostLine(
            row["line"],
            row["campaign"],
            row["start"] and dt.date.fromisoformat(row["start"]),
            row["end"] and dt.date.fromisoformat(row["end"]),
            Decimal(row["amount"]),
            row["currency"],
        )
        for row in json.loads(text)
    )


class _Reader:
    """Reads one text and keeps its faults."""

    def __init__(self) -> None:
        self.faults: list[str] = []

    def lines(self, text: str) -> Iterator[CostLine]:
        """The lines without fault."""
        rows = self._cells(text)
        heading = next(rows, None)
        if heading is None:
            self.faults.append(f"it is empty; write a line per cost under the heading {','.join(COLUMNS)}")
            return
        names = [cell.casefold() for cell in heading[1]]
        if not self._is_heading(names):
            return
        for number, cells in rows:
            if len(cells) > len(names):
                self._note(number, "", f"has {len(cells)} cells and the heading {len(names)}; quote what has a comma")
            else:
                found = self._line(number, dict(zip(names, cells, strict=False)))
                if found is not None:
                    yield found

    def _cells(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Lines that say something: number and cells. A file without a comma in its heading has semicolons."""
        written = text.splitlines(keepends=True)
        heading = next((line for line in written if line.strip() and not line.startswith("#")), "")
        reader = csv.reader(written, delimiter="," if "," in heading else ";", strict=True)
        try:
            for cells in reader:
                stripped = [cell.strip() for cell in cells]
                if any(stripped) and not stripped[0].startswith("#"):
                    yield reader.line_num, stripped
        except csv.Error as fault:
            self._note(reader.line_num, "", f"is no CSV ({fault}); close the quotes")

    def _is_heading(self, names: list[str]) -> bool:
        for name in dict.fromkeys(names):
            if name not in COLUMNS:
                known = f"no column of this file; write {', '.join(COLUMNS)}.{did_you_mean(name, COLUMNS)}"
                self.faults.append(f"the heading has {name!r}, {known}")
            elif names.count(name) > 1:
                self.faults.append(f"the heading has {name!r} more than once")
        self.faults += [f"the heading has no column {name!r}" for name in REQUIRED if name not in names]
        return not self.faults

    def _note(self, line: int, column: str, sentence: str) -> None:
        self.faults.append(f"line {line}{f', column {column}' if column else ''}: {sentence}")

    def _line(self, number: int, row: dict[str, str]) -> CostLine | None:
        before = len(self.faults)
        campaign = row["campaign"]
        if not campaign:
            self._note(number, "campaign", "is empty; write the id or the name of a campaign")
        amount = row.get("amount", "")
        if not _NUMBER.fullmatch(amount):
            self._note(number, "amount", f"{amount!r} is no number; write digits, with a point before decimals")
        currency = row.get("currency", "").upper()
        if currency and not _CODE.fullmatch(currency):
            self._note(number, "currency", f"{currency!r} is no ISO code; write three letters such as EUR")
        start, end = (self._day(number, name, row.get(name, "")) for name in ("start_date", "end_date"))
        if len(self.faults) == before:
            self._check_span(number, start, end)
        if len(self.faults) > before:
            return None
        return CostLine(number, campaign, start, end, Decimal(amount), currency or None)

    def _day(self, number: int, column: str, text: str) -> dt.date | None:
        try:
            return dt.date.fromisoformat(text) if text else None
        except ValueError:
            self._note(number, column, f"{text!r} is no date; write one such as 2026-03-31")
            return None

    def _check_span(self, number: int, start: dt.date | None, end: dt.date | None) -> None:
        if end is not None and start is None:
            self._note(number, "start_date", "is empty beside an end_date; write both, only the start, or neither")
        elif start is not None and end is not None and end < start:
            self._note(number, "end_date", f"{end} lies before the start_date {start}")
