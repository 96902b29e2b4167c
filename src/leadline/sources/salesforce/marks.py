"""What earlier pulls reached: per object the moment up to which everything is in the ledger.

Marks move only after the ledger holds what they stand for. They lie in `.pull/marks.json`; if the
ledger lacks the load they speak of, they do not count and everything is read anew.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

FOLDER: Final = ".pull"
_FILE: Final = "marks.json"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far one object was read.

    Attributes:
        until: every change before this moment (UTC, aware) is in the ledger.
        whole_at: when the object was last read whole.
        fields: the fields that were read, with their types.
    """

    until: dt.datetime
    whole_at: dt.datetime
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks of all objects of one org.

    Attributes:
        org: id of the org.
        load: moment of the load that made the newest mark.
        calls: own API calls by hour ("2026-01-31T09"), for the budget of a day.
    """

    org: str = ""
    load: dt.datetime | None = None
    objects: Mapping[str, Mark] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)

    def calls_since(self, moment: dt.datetime) -> int:
        """Own calls in the hours from this moment on."""
        return sum(count for hour, count in self.calls.items() if hour >= f"{moment:%Y-%m-%dT%H}")

    def with_calls(self, now: dt.datetime, count: int) -> Marks:
        """The same with calls made now; hours of more than two days ago are forgotten."""
        hour, oldest = f"{now:%Y-%m-%dT%H}", f"{now - dt.timedelta(days=2):%Y-%m-%dT%H}"
        kept = {each: number for each, number in self.calls.items() if each >= oldest}
        return Marks(self.org, self.load, self.objects, kept | {hour: kept.get(hour, 0) + count})


def of_workspace(workspace: Path) -> Path:
    """The folder of the marks of a workspace."""
    return workspace / FOLDER


def read(folder: Path, name: str = _FILE) -> Marks:
    """The marks in a folder; none if there was never a pull."""
    path = folder / name
    if not path.exists():
        return Marks()
    told = json.loads(path.read_text(encoding="utf-8"))
    return Marks(
        org=told["org"],
        load=_moment(told["load"]) if told["load"] else None,
        objects={
            name: Mark(_moment(one["until"]), _moment(one["whole_at"]), one["fields"])
            for name, one in told["objects"].items()
        },
        calls=told["calls"],
    )


def write(folder: Path, marks: Marks, name: str = _FILE) -> None:
    """Keep the marks, in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {
        "org": marks.org,
        "load": marks.load.isoformat() if marks.load else None,
        "objects": {
            name: {"until": one.until.isoformat(), "whole_at": one.whole_at.isoformat(), "fields": dict(one.fields)}
            for name, one in sorted(marks.objects.items())
        },
        "calls": dict(marks.calls),
    }
    draft = folder / f".{name}"
    draft.write_text(json.dumps(told, indent=1), encoding="utf-8")
    draft.replace(folder / name)


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
