"""Frozen states: a snapshot kept for good under a name, with the files that gave its numbers their meaning.

    frozen/NAME/freeze.json     name, note, snapshot, content hash, version of the definitions, files
    frozen/NAME/settings.json   the settings the snapshot was built with
    frozen/NAME/…               leadline.toml, goals.csv, costs.csv, models/*.toml as they stood then

The snapshot itself stays in `snapshots/`, where its mark keeps it from being removed.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from leadline import locks
from leadline.errors import UnknownNameError, UsageError
from leadline.snapshots.files import KEY, Snapshot, sync
from leadline.snapshots.snapshots import Snapshots

FOLDER: Final = "frozen"
_FACTS: Final = "freeze.json"
_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
CURRENT: Final = "current"
PREVIOUS: Final = "previous"


@dataclass(frozen=True, slots=True)
class Frozen:
    """A name under which a snapshot is kept for good.

    Attributes:
        snapshot: id of the snapshot.
        definitions: version of the definitions it follows.
        files: files of the workspace that were kept with it.
    """

    name: str
    note: str
    snapshot: str
    content_hash: str
    definitions: str
    files: tuple[str, ...]


def freeze(snapshots: Snapshots, key: str, name: str, *, note: str, files: dict[str, Path]) -> Frozen:
    """Keep a snapshot for good under a name; the same once more changes nothing.

    Args:
        snapshots: those of the workspace.
        key: id of the snapshot.
        name: letters, digits, point, hyphen, underscore.
        note: why, in words.
        files: name in the frozen folder → file to keep with it.

    Raises:
        UsageError: the name cannot be one, or another snapshot has it.
        UnknownNameError: there is no such snapshot.
        SnapshotError: it is damaged.
        WriterBusyError: another process is writing to the workspace.
    """
    if not re.fullmatch(_NAME, name) or re.fullmatch(KEY, name) or name in (CURRENT, PREVIOUS):
        raise UsageError(f"{name!r} cannot name a frozen state; write letters, digits, '.', '-' and '_', e.g. 2026-Q3.")
    with locks.writing(snapshots.workspace):
        known = {each.name: each for each in all_frozen(snapshots.workspace)}
        if name in known and known[name].snapshot != key:
            raise UsageError(
                f"The name {name!r} is taken by snapshot {known[name].snapshot}; frozen states are never replaced. "
                "Take another name."
            )
        if name in known:
            return known[name]
        snapshot = snapshots.freeze(key)
        made = Frozen(
            name,
            note,
            snapshot.id,
            snapshot.content_hash,
            snapshot.meta["definition_version"],
            tuple(sorted(kept for kept, path in files.items() if path.is_file())),
        )
        _write(snapshots.workspace / FOLDER / name, made, snapshot, files)
        return made


def _write(folder: Path, made: Frozen, snapshot: Snapshot, files: dict[str, Path]) -> None:
    """Fill a folder beside and give it its name when it is whole."""
    folder.parent.mkdir(exist_ok=True)
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    for kept in made.files:
        target = draft / kept
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(files[kept], target)
    draft.mkdir(exist_ok=True)
    settings = json.loads(snapshot.meta["settings"])
    (draft / "settings.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    (draft / _FACTS).write_text(json.dumps(asdict(made), indent=2) + "\n", encoding="utf-8")
    draft.rename(folder)
    sync(folder.parent)


def all_frozen(workspace: Path) -> tuple[Frozen, ...]:
    """Every frozen state, by name."""
    found = []
    for path in sorted((workspace / FOLDER).glob(f"[!.]*/{_FACTS}")):
        facts = json.loads(path.read_text(encoding="utf-8"))
        found.append(Frozen(**facts | {"files": tuple(facts["files"])}))
    return tuple(found)


def names_of(workspace: Path, key: str) -> tuple[str, ...]:
    """The names a snapshot is kept under."""
    return tuple(each.name for each in all_frozen(workspace) if each.snapshot == key)


def kept_folder(workspace: Path, called: str) -> Path | None:
    """The folder with the files frozen with a state; None for one that is not frozen, or was frozen without files.

    Args:
        called: the name it is frozen under, or its id or the beginning of it.
    """
    own = [one for one in all_frozen(workspace) if called == one.name or one.snapshot.startswith(called)]
    own = [one for one in own if called and one.files]
    own.sort(key=lambda one: (one.name != called, one.name))
    return workspace / FOLDER / own[0].name if own else None


def find(snapshots: Snapshots, text: str) -> Snapshot:
    """A snapshot by the name it is frozen under, its id or the beginning of it, `current` or `previous`.

    Raises:
        UnknownNameError: no snapshot is called so.
        UsageError: several ids begin so, or there is no previous one.
        SnapshotError: nothing is published.
    """
    named = {each.name: each.snapshot for each in all_frozen(snapshots.workspace)}
    if text in named:
        return snapshots.get(named[text])
    if text == CURRENT:
        return snapshots.current().snapshot
    if text == PREVIOUS:
        return _previous(snapshots)
    known = {each.id: each for each in snapshots.list()}
    begun = [key for key in known if text and key.startswith(text)]
    if len(begun) > 1:
        raise UsageError(f"{len(begun)} snapshots begin with {text!r}: {', '.join(sorted(begun))}.")
    if not begun:
        raise UnknownNameError("snapshot", text, [*named, *known, CURRENT, PREVIOUS], str(snapshots.folder))
    return known[begun[0]]


def previous_of(snapshots: Snapshots, snapshot: Snapshot) -> Snapshot | None:
    """The newest snapshot published before one; None if none is kept."""
    earlier = [each for each in snapshots.list() if each.sequence < snapshot.sequence and each.id != snapshot.id]
    return earlier[0] if earlier else None


def _previous(snapshots: Snapshots) -> Snapshot:
    current = snapshots.current().snapshot
    if (found := previous_of(snapshots, current)) is None:
        raise UsageError(f"{current.id} is the only snapshot that is kept; there is no previous one.")
    return found
