"""What is known of a file while it is staged: how it is read, what was met, what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from leadline.sources.archives import SourceFile
from leadline.sources.batches import Reader
from leadline.sources.dates_in import DateOrder
from leadline.sources.naming import Naming
from leadline.sources.numbers_in import Style
from leadline.sources.parts import Part
from leadline.sources.rejects import RejectFile
from leadline.sources.typing_sql import Handling

_SAID: Final = {
    "rounded": "{count:,} values of {column} had more decimals than are kept; they were rounded half to even",
    "timed": "{count:,} values of {column} had a time of day, which is left out: the field is a date",
}


@dataclass
class Choices:
    """What was found about the columns of one object, the same for all its files.

    Attributes:
        dated: unknown columns: whether all values so far are dates.
        style: numbers with a decimal comma.
        settled: columns in which both decimal marks occur; the comma is refused there.
        timed: unknown columns of dates in which a time other than midnight occurs.
        derive_currency: currencies are taken from the codes beside amounts.
    """

    dated: dict[str, bool] = field(default_factory=dict)
    style: dict[str, Style] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)
    timed: set[str] = field(default_factory=set)
    derive_currency: bool = False


@dataclass
class FileTask:
    """A file, what its columns are and how it is read; the results gather here.

    Attributes:
        decimal: the declared mark before decimals, or None: then a column may prove a comma.
        stamps: unknown columns that the settings use as dates: their values must be readable.
        rows: rows met so far.
        parts: Parquet files begun so far.
        met: counts for the notes, by (column, what).
    """

    source: SourceFile
    reader: Reader
    naming: Naming
    order: DateOrder | None
    zone: str | None
    rejects: RejectFile
    decimal: Style | None = None
    stamps: frozenset[str] = frozenset()
    rows: int = 0
    parts: list[Part] = field(default_factory=list)
    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    signs: dict[str, set[str]] = field(default_factory=dict)
    handlings: list[Handling] = field(default_factory=list)

    def begin(self, choices: Choices) -> None:
        """Forget what was read and start with what is known about the columns by now."""
        for part in self.parts:
            part.path.unlink(missing_ok=True)
        self.rejects.discard()
        self.rows, self.parts, self.met, self.signs = 0, [], Counter(), {}
        self.handlings = [Handling(column) for column in self.naming.columns.values()]
        for handling in self.handlings:
            name = handling.column.name
            special = bool(handling.column.values) or handling.column.constant is not None
            handling.full = handling.checked and (special or name in choices.style or name in choices.settled)
            handling.style = choices.style.get(name, "point")
            if self.decimal and handling.has_numbers:
                handling.style, handling.declared = self.decimal, True
                handling.full = handling.full or self.decimal == "comma"
            if special and handling.has_dates:
                handling.form = "any"

    def notes(self) -> list[str]:
        """What was decided while typing, in sentences."""
        notes = [
            _SAID[what].format(count=count, column=column)
            for (column, what), count in sorted(self.met.items())
            if what in _SAID
        ]
        short = sorted(column for column, what in self.met if what == "short")
        if short:
            notes.append(f"years of two digits were read as 1969 to 2068: {', '.join(short)}")
        zoneless = sorted(column for column, what in self.met if what == "zoneless")
        if zoneless:
            notes.append(f"instants without a zone were read as {self.zone or 'UTC'}: {', '.join(zoneless)}")
        dated = [handling.column.name for handling in self.handlings if handling.dated]
        if dated:
            notes.append(f"all values are dates and were written as ISO text: {', '.join(sorted(dated))}")
        commas = sorted(handling.column.name for handling in self.handlings if handling.style == "comma")
        if commas:
            notes.append(f"numbers with a decimal comma: {', '.join(commas)}")
        mixed = sorted(self.stamps & {one.column.name for one in self.handlings if one.form and not one.has_dates})
        if mixed:
            notes.append(f"the settings read these as dates, but not all values are dates: {', '.join(mixed)}")
        for column, signs in sorted(self.signs.items()):
            notes.append(f"the currency sign {', '.join(sorted(signs))} was left out of {column}")
        return notes
