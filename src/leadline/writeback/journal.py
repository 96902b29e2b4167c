"""What was sent and what came back, a line each, on disk before anything else happens.

A process that ends at any point leaves at most one batch of rows of which it is not known whether
the org has them: those of the last `sent` line without its `back`. Whoever goes on asks the org.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from leadline.errors import PushError

NOT_DONE: Final = "NOT_DONE"
"""Code of rows that were sent and, as the org shows, not carried out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one row.

    Attributes:
        no: number of the row in its plan.
        id: id of the record, of rows that were done.
        code: empty if it was done, else Salesforce's code.
        message: Salesforce's message.
    """

    no: int
    id: str = ""
    code: str = ""
    message: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the org has carried it out."""
        return not self.code


class Journal:
    """The journal of one run of a plan, as it stands on disk and goes on.

    Attributes:
        answers: the last answer of each row that has one; rows that were not carried out have none.
        pending: rows that were sent and have no answer yet.
        begun: whether anything stands in it.
        ended: whether the run came to its end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.answers: dict[int, Answer] = {}
        self.pending: set[int] = set()
        self.begun = self.ended = False
        for line in _whole_lines(path):
            self._take(line)

    def begin(self) -> None:
        """The run begins, or goes on."""
        self._write({"event": "begin"})

    def sent(self, rows: Iterable[int]) -> None:
        """These rows are about to be sent."""
        self._write({"event": "sent", "rows": list(rows)})

    def back(self, answers: Sequence[Answer]) -> None:
        """What became of rows."""
        self._write({"event": "back", "rows": [[one.no, one.id, one.code, one.message] for one in answers]})

    def end(self) -> None:
        """All rows have their answer."""
        self._write({"event": "end"})

    @property
    def done(self) -> dict[int, str]:
        """Rows that the org has carried out, with the id of their record."""
        return {no: one.id for no, one in self.answers.items() if one.is_done}

    @property
    def refused(self) -> list[Answer]:
        """Rows that the org refused, by number."""
        return [one for _, one in sorted(self.answers.items()) if not one.is_done]

    def _take(self, line: dict[str, Any]) -> None:
        self.begun = True
        self.ended = line["event"] == "end"
        if line["event"] == "sent":
            self.pending.update(line["rows"])
        for no, record, code, message in line["rows"] if line["event"] == "back" else ():
            self.pending.discard(no)
            if code == NOT_DONE:
                self.answers.pop(no, None)
            else:
                self.answers[no] = Answer(no, record, code, message)

    def _write(self, line: dict[str, Any]) -> None:
        line = {"at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), **line}
        with self._path.open("ab") as file:
            file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._take(line)


def _whole_lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a journal; one that was cut short at the end is taken off the file."""
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    try:
        return [json.loads(line) for line in whole.splitlines()]
    except ValueError as error:
        raise PushError(f"The journal {path} is damaged; restore it from a copy before going on.") from error
