"""What findings move, kept beside their snapshot: measured once, read by every later question.

`snapshots/<id>.moves.json` goes with its snapshot. A folder that cannot be written is no fault:
the numbers are measured again.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any, Final

from leadline.audit.moved import Move, Moves
from leadline.effects.moves import measured
from leadline.model.opened import open_snapshot
from leadline.snapshots.files import DRAFT

VERSION: Final = 1
"""Version of the measuring; what another version kept is measured anew."""


def path_of(snapshot: Path) -> Path:
    """The file beside a snapshot."""
    return snapshot.with_suffix(".moves.json")


def read(snapshot: Path) -> Moves | None:
    """What is kept, or None where nothing fitting is."""
    try:
        said: dict[str, Any] = json.loads(path_of(snapshot).read_text(encoding="utf-8"))
        if said["version"] != VERSION:
            return None
        return {code: tuple(Move(**one) for one in moves) for code, moves in said["moves"].items()}
    except (OSError, ValueError, KeyError, TypeError):
        # Absent, cut off or of another shape: it is only a copy.
        return None


def moves(snapshot: Path, spill: Path | None = None) -> Moves:
    """What the findings of a snapshot move: kept, else measured on a connection of its own and kept.

    Args:
        spill: folder for what does not fit into memory.
    """
    kept = read(snapshot)
    if kept is not None:
        return kept
    opened = open_snapshot(snapshot, spill=spill)
    try:
        found = measured(opened)
    finally:
        opened.backend.disconnect()
    _keep(snapshot, found)
    return found


def _keep(snapshot: Path, found: Moves) -> None:
    said = {"version": VERSION, "moves": {code: [one.plain() for one in moves] for code, moves in found.items()}}
    target = path_of(snapshot)
    # Should the process die here, the next publish removes the draft with those of snapshots.
    draft = target.with_name(f"{DRAFT}{secrets.token_hex(8)}.moves.json")
    try:
        draft.write_text(json.dumps(said, sort_keys=True), encoding="utf-8")
        draft.replace(target)
    except OSError:
        draft.unlink(missing_ok=True)
