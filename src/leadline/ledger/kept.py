"""The loads as they came, kept in the workspace: `loads/<moment>-<content>/`.

They make the ledger repeatable: a load whose work was cut short is done again from here, and a
load that is older than one already taken is put into its place by replaying all of them in
order. The name of a folder sorts by moment, then by content, which is the order of loads.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from leadline import engines
from leadline.findings import Finding
from leadline.ledger import landing
from leadline.ledger.promises import SQL_TYPES, moment_of
from leadline.progress import Progress, Silent
from leadline.schema import Kind
from leadline.sources.staged import Coverage, FileAccount, StagedLoad

FOLDER: Final = "loads"
_MANIFEST: Final = "load.json"
_DONE: Final = "done"
_DRAFT: Final = ".draft-"


@dataclass(frozen=True, slots=True)
class KeptObject:
    """Records of one object of a load; `files` are paths with the names of their columns in order.

    `whole`: an absent id means a deleted record, whatever the coverage of the load.
    """

    object: str
    columns: dict[str, Kind]
    rows: int
    files: tuple[tuple[Path, tuple[str, ...]], ...]
    whole: bool = False

    @property
    def relation(self) -> str:
        """A query that yields the records with the columns and types of the load.

        Columns are taken by position: dlt replaces quotes and line breaks in their names.
        """
        alike: dict[tuple[str, ...], list[Path]] = {}
        for path, names in self.files:
            alike.setdefault(names, []).append(path)
        # One scan of many files is shared between the cores; scans of one file each come in turn.
        parts = [
            f"SELECT * FROM read_parquet({engines.file_list(paths)}) AS t ({', '.join(map(engines.quoted, names))})"
            for names, paths in alike.items()
        ]
        nothing = ", ".join(f"NULL::{SQL_TYPES[kind]} AS {engines.quoted(name)}" for name, kind in self.columns.items())
        return " UNION ALL BY NAME ".join(parts) or f"SELECT {nothing} WHERE false"


@dataclass(frozen=True, slots=True)
class KeptLoad:
    """One load in its folder.

    Attributes:
        folder: where its files lie.
        content: hash of moment, coverage and records, the same however rows and files are ordered.
        extracted_at: UTC without zone, as the ledger stores it.
        allow_vanish: whether many absent ids are meant.
        objects: records per object; their files lie in `folder`.
        findings: what the source found.
        accounts: the account of each file that was read.
    """

    folder: Path
    content: str
    name: str
    extracted_at: dt.datetime
    evidence: str
    coverage: Coverage
    allow_vanish: bool
    objects: tuple[KeptObject, ...]
    findings: tuple[Finding, ...]
    accounts: tuple[FileAccount, ...]

    @property
    def key(self) -> str:
        """Its place in the order of loads."""
        return self.folder.name

    @property
    def rows(self) -> int:
        """Records of all objects."""
        return sum(staged.rows for staged in self.objects)

    def piece(self, name: str) -> KeptObject:
        """Its records of one object."""
        return next(staged for staged in self.objects if staged.object == name)

    @property
    def done(self) -> bool:
        """Whether the ledger has ever held it."""
        return (self.folder / _DONE).exists()

    def mark_done(self) -> None:
        """Say that the ledger holds it."""
        (self.folder / _DONE).touch()

    def permit_vanishing(self) -> None:
        """Remember that the ids absent from it may be gone, for every later replay."""
        manifest = json.loads((self.folder / _MANIFEST).read_text(encoding="utf-8"))
        _write_manifest(self.folder, manifest | {"allow_vanish": True})

    def discard(self) -> None:
        """Remove it, first out of sight so that half of it is never taken for a load."""
        doomed = self.folder.with_name(_DRAFT + self.folder.name)
        self.folder.rename(doomed)
        shutil.rmtree(doomed)


def key_of(staged: StagedLoad, content: str) -> str:
    """The name of the folder a load is kept in."""
    return f"{moment_of(staged):%Y%m%dT%H%M%S%f}Z-{content[:16]}"


def keep(
    workspace: Path, staged: StagedLoad, content: str, *, allow_vanish: bool, progress: Progress | None = None
) -> KeptLoad:
    """Take a load into the workspace; it is there when its folder is, whole.

    `progress` hears of the rows of each object that has come.

    Raises:
        LedgerError: the files do not hold what `StagedLoad` promises, or dlt failed.
    """
    folder = workspace / FOLDER / key_of(staged, content)
    draft = folder.with_name(_DRAFT + folder.name)
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    objects = _land(workspace, staged, draft, progress or Silent())
    manifest = {
        "content": content,
        "name": staged.name,
        "extracted_at": moment_of(staged).isoformat(),
        "evidence": staged.extracted_at_evidence,
        "coverage": staged.coverage,
        "allow_vanish": allow_vanish,
        "objects": objects,
        "findings": [asdict(finding) for finding in staged.findings],
        "accounts": [asdict(account) for account in staged.accounts],
    }
    _write_manifest(draft, manifest)
    draft.rename(folder)
    _sync(folder.parent)
    return _read(folder)


def all_kept(workspace: Path) -> list[KeptLoad]:
    """Every whole load, in order."""
    folder = workspace / FOLDER
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [_read(each) for each in found if not each.name.startswith(".") and (each / _MANIFEST).exists()]


def clear_drafts(workspace: Path) -> None:
    """Remove what a killed process began to copy or to discard; call with the writer lock only."""
    for draft in (workspace / FOLDER).glob(f"{_DRAFT}*"):
        shutil.rmtree(draft)


def _land(workspace: Path, staged: StagedLoad, draft: Path, progress: Progress) -> list[dict[str, Any]]:
    """Have the files landed by dlt, move them into the folder of the load, and describe them."""
    tables = landing.prepare(workspace, staged.objects)
    landed = landing.land(workspace, tables)
    described = []
    for each in staged.objects:
        files = []
        for table in tables:
            for number, path in enumerate(landed[table.name] if table.object == each.object else []):
                name = f"{table.name}_{number:04}.parquet"
                shutil.move(path, draft / name)
                _sync(draft / name)
                files.append({"name": name, "columns": table.names})
        described.append(
            {
                "object": each.object,
                "columns": each.columns,
                "rows": each.rows,
                "files": files,
                "whole": each.whole,
            }
        )
        progress.advance(each.rows)
    return described


def _write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    draft = folder / f"{_MANIFEST}.draft"
    draft.write_text(json.dumps(manifest, default=str, indent=1), encoding="utf-8")
    _sync(draft)
    draft.replace(folder / _MANIFEST)


def _read(folder: Path) -> KeptLoad:
    manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    objects = tuple(
        KeptObject(
            each["object"],
            each["columns"],
            each["rows"],
            tuple((folder / file["name"], tuple(file["columns"])) for file in each["files"]),
            # Loads kept before the key existed said it by their coverage alone.
            each.get("whole", False),
        )
        for each in manifest["objects"]
    )
    return KeptLoad(
        folder=folder,
        content=manifest["content"],
        name=manifest["name"],
        extracted_at=dt.datetime.fromisoformat(manifest["extracted_at"]),
        evidence=manifest["evidence"],
        coverage=manifest["coverage"],
        allow_vanish=manifest["allow_vanish"],
        objects=objects,
        findings=tuple(_finding(each) for each in manifest["findings"]),
        accounts=tuple(_account(each) for each in manifest["accounts"]),
    )


def _finding(fields: dict[str, Any]) -> Finding:
    return Finding(**_with_tuples(fields, ("moves", "record_ids")))


def _account(fields: dict[str, Any]) -> FileAccount:
    rejected = fields["rejected_file"]
    return FileAccount(**_with_tuples(fields, ("notes",)) | {"rejected_file": Path(rejected) if rejected else None})


def _with_tuples(fields: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return fields | {name: tuple(fields[name]) for name in names}


def _sync(path: Path) -> None:
    """Have the disk hold a file or folder before going on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
