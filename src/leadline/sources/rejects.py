"""Files of rejected rows: line, column, reason and the row as it stood."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from leadline.sources.batches import Reject

HEADER = ("line", "column", "reason", "text")


class RejectFile:
    """Rejected rows of one source file; the file on disk is made with the first of them."""

    def __init__(self, folder: Path, source: str) -> None:
        name = re.sub(r"[^\w.()+ -]+", "-", source)
        self.path = folder / (name if name.lower().endswith(".csv") else f"{name}.csv")
        self.count = 0
        self.reasons: Counter[str] = Counter()
        self._stream: TextIO | None = None

    def add(self, rejects: Iterable[Reject]) -> None:
        """Append rejected rows."""
        rows = list(rejects)
        if not rows:
            return
        if self._stream is None:
            self.path = _unused(self.path)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self.path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
            csv.writer(self._stream).writerow(HEADER)
        csv.writer(self._stream).writerows(rows)
        self.count += len(rows)
        self.reasons.update(_kind_of(row) for row in rows)

    def close(self) -> None:
        """Finish the file."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def discard(self) -> None:
        """Take everything back: the file is read once more."""
        self.close()
        if self.count:
            self.path.unlink()
        self.count = 0
        self.reasons.clear()

    @property
    def written(self) -> Path | None:
        """The file, if a row was rejected."""
        return self.path if self.count else None

    def summary(self) -> str:
        """What was rejected and why, in a sentence that names the file; empty if nothing was."""
        if not self.count:
            return ""
        shown = ", ".join(f"{reason} ({count:,})" for reason, count in self.reasons.most_common(4))
        more = ", …" if len(self.reasons) > 4 else ""
        return f"{self.count:,} row{'s' if self.count != 1 else ''} rejected: {shown}{more}; see {self.path}"


def _unused(path: Path) -> Path:
    """The path, or one with a number where two sources have the same name."""
    number, free = 2, path
    while free.exists():
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
        number += 1
    return free


def _kind_of(reject: Reject) -> str:
    """A reason without the value and the numbers in it, with the column it is about."""
    reason = re.sub(r"'.*' is", "is", reject.reason, flags=re.DOTALL)
    reason = re.sub(r"^\d+ fields", "another number of fields", reason)
    return f"{reject.column} {reason}" if reject.column and reject.column not in reason.split() else reason
