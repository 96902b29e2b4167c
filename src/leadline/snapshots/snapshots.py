"""Publishing, keeping and choosing snapshots.

    snapshots/<id>.duckdb   one published state, never written again
    snapshots/<id>.json     what it is and the hash of the file
    snapshots/<id>.frozen   there if it is kept for good
    snapshots/current       the id that readers take

A file gets its name only when it is whole, verified and on disk; `current` is switched by one
replacement. Readers take one file and read all from it, so they never mix two states.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, TypeVar

from leadline import locks
from leadline.errors import SnapshotError, UnknownNameError
from leadline.findings import Finding
from leadline.snapshots.files import (
    DRAFT,
    KEY,
    Snapshot,
    describe,
    fault_of,
    file_hash_of,
    load,
    seal,
    sync,
    verify,
    write,
)

KEPT: Final = 3
"""Newest snapshots that stay besides the frozen ones."""

FOLDER: Final = "snapshots"
CURRENT: Final = "current"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Published:
    """The outcome of a build; `repeated` if this very state was published before."""

    snapshot: Snapshot
    repeated: bool


@dataclass(frozen=True, slots=True)
class Current:
    """The snapshot to read, and findings if it is not the one that was published last."""

    snapshot: Snapshot
    findings: tuple[Finding, ...] = ()


class Snapshots:
    """The snapshots of one workspace.

    `in_files` says that each is a DuckDB file at its path.
    """

    in_files: ClassVar[bool] = True

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.folder = workspace / FOLDER

    def publish(self, build: Callable[[Path], Mapping[str, str]]) -> Published:
        """Build into a new file, verify it, and switch readers to it.

        Args:
            build: makes a DuckDB file at the path it is given, with the tables of the model,
                `_tables` and `_columns`, closes it, and returns entries for `_meta`: at least
                `as_of` and `known_at` (ISO, UTC), and `definitions` and `config`, which with the
                content make up the id.

        Raises:
            WriterBusyError: another process is writing to the workspace.
            SnapshotError: what was built is no sound snapshot; readers keep the old one.
        """
        with locks.writing(self.workspace):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._remove_drafts()
            draft = self.folder / f"{DRAFT}{secrets.token_hex(8)}.duckdb"
            try:
                sealed = seal(draft, build(draft))
                verify(draft, sealed)
                return self._place(draft, sealed.meta)
            finally:
                self._remove_drafts()

    def current(self, *, thorough: bool = False) -> Current:
        """The published snapshot, or the newest sound one if it is damaged.

        Args:
            thorough: read the file whole whatever its size.

        Raises:
            SnapshotError: there is none, or none is sound.
        """
        return self.open_current(lambda path: None, thorough=thorough)[0]

    def open_current(self, opener: Callable[[Path], T], *, thorough: bool = False) -> tuple[Current, T]:
        """Choose as `current` does and open, in one go: also while others publish and old files are removed.

        Args:
            opener: e.g. `engines.reader`; a `SnapshotError` from it means damage.
            thorough: read the file whole whatever its size.

        Raises:
            SnapshotError: there is none, or none is sound.
        """
        named = self._named()
        faults: dict[str, str] = {}
        for key in self._candidates(named):
            snapshot = load(self._path(key))
            fault = snapshot if isinstance(snapshot, str) else fault_of(snapshot, thorough)
            if isinstance(snapshot, Snapshot) and not fault:
                try:
                    return Current(snapshot, _fallen_back(named, snapshot, faults)), opener(snapshot.path)
                except SnapshotError as error:
                    fault = str(error)
            if self._named() != named:
                # Another snapshot was published meanwhile, and this one may have been removed.
                return self.open_current(opener, thorough=thorough)
            faults[key] = fault
        raise SnapshotError(self._nothing_sound(faults))

    def list(self) -> tuple[Snapshot, ...]:
        """All snapshots, the newest first; damaged descriptions are left out."""
        found = [load(path) for path in self.folder.glob("*.duckdb") if not path.name.startswith(".")]
        return tuple(sorted((each for each in found if isinstance(each, Snapshot)), key=lambda each: -each.sequence))

    def get(self, key: str) -> Snapshot:
        """One snapshot by id.

        Raises:
            UnknownNameError: there is none of that id.
        """
        known = {each.id: each for each in self.list()}
        if key not in known:
            raise UnknownNameError("snapshot", key, known, str(self.folder))
        return known[key]

    def check(self, key: str) -> str:
        """What is wrong with a snapshot, found by reading its whole file; "" if nothing is."""
        return fault_of(self.get(key), thorough=True)

    def freeze(self, key: str) -> Snapshot:
        """Keep a snapshot for good.

        Raises:
            UnknownNameError: there is none of that id.
            SnapshotError: it is damaged.
            WriterBusyError: another process is writing to the workspace.
        """
        with locks.writing(self.workspace):
            if fault := self.check(key):
                raise SnapshotError(f"The snapshot {key} is not frozen: {fault}.")
            (self.folder / f"{key}.frozen").touch()
            return self.get(key)

    def _place(self, draft: Path, meta: dict[str, str]) -> Published:
        """Give a verified file its name, switch readers to it, let old ones go."""
        key = meta["snapshot"]
        known = load(self._path(key))
        repeated = isinstance(known, Snapshot) and not fault_of(known, thorough=True)
        target = self._path(key)
        if repeated:
            draft = target
        else:
            target.unlink(missing_ok=True)
            draft.chmod(0o444)
            sync(draft)
        sequence = 1 + max((each.sequence for each in self.list()), default=0)
        describe(target, meta, sequence, size_bytes=draft.stat().st_size, file_hash=file_hash_of(draft))
        draft.rename(target)
        sync(self.folder)
        write(self.folder / CURRENT, f"{key}\n")
        self._retire()
        return Published(self.get(key), repeated)

    def _retire(self) -> None:
        """Remove all but the newest sound and the frozen ones; the current one is the newest."""
        sound = [each for each in self.list() if not fault_of(each, thorough=False)]
        keep = {each.id for each in sound[:KEPT]} | {path.stem for path in self.folder.glob("*.frozen")}
        for path in self.folder.iterdir():
            if path.suffix in {".duckdb", ".json"} and path.stem not in keep:
                path.unlink()

    def _remove_drafts(self) -> None:
        """Remove what a build under way has made; with the writer lock that is nobody else's."""
        for path in self.folder.glob(f"{DRAFT}*"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.duckdb"

    def _named(self) -> str:
        """The id in `current`; "" if the file is missing or holds none."""
        try:
            text = (self.folder / CURRENT).read_text(encoding="ascii", errors="replace").strip()
        except FileNotFoundError:
            return ""
        return text if re.fullmatch(KEY, text) else ""

    def _candidates(self, named: str) -> Iterator[str]:
        """The named snapshot, then the others from the newest, then files without a description."""
        yield from [named] if named else []
        described = [each.id for each in self.list()]
        yield from (key for key in described if key != named)
        files = sorted((path.stem for path in self.folder.glob("[0-9]*.duckdb")), reverse=True)
        yield from (key for key in files if key not in described and key != named)

    def _nothing_sound(self, faults: dict[str, str]) -> str:
        if not faults:
            return (
                f"Nothing is published in {self.workspace} yet. "
                "Import records with `leadline import PATH`; `leadline build` publishes what was imported."
            )
        found = "; ".join(f"{key}: {fault}" for key, fault in faults.items())
        return f"No snapshot in {self.folder} can be read ({found}). Make a new one with `leadline build`."


def _fallen_back(named: str, snapshot: Snapshot, faults: dict[str, str]) -> tuple[Finding, ...]:
    if snapshot.id == named:
        return ()
    why = f"{named} cannot be used: {faults[named]}" if named else f"{FOLDER}/{CURRENT} names no snapshot"
    return (
        Finding(
            "snapshot-damaged",
            "error",
            f"{why}. The newest sound snapshot, {snapshot.id}, is read in its place.",
            remedy="Publish anew with `leadline build`.",
        ),
    )
