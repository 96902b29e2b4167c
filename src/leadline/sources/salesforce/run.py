"""A pull under way: its folder, and what makes the next run go on with it."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from leadline.sources.salesforce.marks import FOLDER, Marks, read, write

_RUN: Final = "run"
_FILE: Final = "run.json"
_PROMISE: Final = "promise.json"
_LIFE: Final = dt.timedelta(days=5)
"""The org keeps results of a job for seven days; older runs begin anew."""


@dataclass(frozen=True, slots=True)
class Run:
    """A pull that has begun.

    Attributes:
        folder: where its pages lie.
        until: the end of its windows.
        resumed: whether an earlier process began it.
    """

    folder: Path
    until: dt.datetime
    resumed: bool

    def promise(self, marks: Marks) -> None:
        """Say which marks hold once the ledger has the load of this run; written before it is loaded."""
        write(self.folder, marks, _PROMISE)

    def discard(self) -> None:
        """Remove it: the ledger holds what it brought."""
        shutil.rmtree(self.folder)


def promised(workspace: Path) -> Marks | None:
    """The marks of a run that was about to be loaded when its process ended; None if there is none."""
    folder = workspace / FOLDER / _RUN
    return read(folder, _PROMISE) if (folder / _PROMISE).exists() else None


def drop(workspace: Path) -> None:
    """Remove whatever run there is."""
    shutil.rmtree(workspace / FOLDER / _RUN, ignore_errors=True)


def begin(workspace: Path, asked: dict[str, object], until: dt.datetime, now: dt.datetime) -> Run:
    """The run to go on with if one was begun that asked the same, else a new one.

    `asked` holds all that must be the same: org, objects, whether all is read whole, the marks.
    """
    folder = workspace / FOLDER / _RUN
    before = _read(folder)
    if before is not None and before["asked"] == json.loads(json.dumps(asked)):
        earlier = dt.datetime.fromisoformat(str(before["until"]))
        if now - earlier < _LIFE:
            return Run(folder, earlier, resumed=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    draft = folder / f".{_FILE}"
    draft.write_text(json.dumps({"asked": asked, "until": until.isoformat()}), encoding="utf-8")
    draft.replace(folder / _FILE)
    return Run(folder, until, resumed=False)


def _read(folder: Path) -> dict[str, object] | None:
    try:
        told = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return told if isinstance(told, dict) and {"asked", "until"} <= told.keys() else None
