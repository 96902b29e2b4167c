"""The loads as they came, kept in the workspace: `loads/<moment>-<content>/`.

They make the ledger repeatable: a load whose work was cut short is done again from here, and a
load that is older than one already taken is put into its place by replaying all of them in
order. The name of a folder sorts by moment, then by content, which is the order of loads.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadline import engines
from leadline.errors import LedgerError
from leadline.findings import Finding
from leadline.schema import Kind
from leadline.sources.staged import Coverage, FileAccount, StagedLoad, StagedObject

if TYPE_CHECKING:
    import duckdb

FOLDER: Final = "loads"
_MANIFEST: Final = "load.json"
_DONE: Final = "done"
_DRAFT: Final = ".draft-"

SQL_TYPES: Final[dict[Kind, str]] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "decimal": "DECIMAL(28,8)",
    "rate": "DECIMAL(28,12)",
    "date": "DATE",
    "datetime": "TIMESTAMP",
}
"""What each kind of value is in DuckDB."""


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
    objects: tuple[StagedObject, ...]
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

    def piece(self, name: str) -> StagedObject:
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


def fingerprint(staged: StagedLoad, spill: Path) -> str:
    """SHA-256 over moment, coverage and records; order of rows and files and the name do not count.

    Rows enter as the sum and the exclusive-or of a 64-bit hash each: fast, and only asked to
    recognise a load that comes a second time. `spill` is a folder for what does not fit into memory.

    Raises:
        LedgerError: the load is not what `StagedLoad` promises.
    """
    digest = hashlib.sha256(f"{_moment(staged).isoformat()} {staged.coverage}".encode())
    con = engines.writer(":memory:", spill=spill)
    try:
        _check_objects(staged)
        for each in sorted(staged.objects, key=lambda each: each.object):
            _check_names(each)
            kinds = [(name, each.columns[name]) for name in sorted(each.columns)]
            sums = [str(value) for value in _sums(con, staged.name, each)]
            digest.update(json.dumps([each.object, kinds, sums]).encode())
    finally:
        con.close()
    return digest.hexdigest()


def key_of(staged: StagedLoad, content: str) -> str:
    """The name of the folder a load is kept in."""
    return f"{_moment(staged):%Y%m%dT%H%M%S%f}Z-{content[:16]}"


def keep(workspace: Path, staged: StagedLoad, content: str, *, allow_vanish: bool) -> KeptLoad:
    """Copy a load into the workspace; it is there when its folder is, whole.

    Raises:
        LedgerError: the files do not hold what `StagedLoad` promises.
    """
    folder = workspace / FOLDER / key_of(staged, content)
    draft = folder.with_name(_DRAFT + folder.name)
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    objects = [_keep_object(draft, index, each) for index, each in enumerate(staged.objects)]
    manifest = {
        "content": content,
        "name": staged.name,
        "extracted_at": _moment(staged).isoformat(),
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


def _moment(staged: StagedLoad) -> dt.datetime:
    if staged.extracted_at.tzinfo is None:
        raise LedgerError(f"The moment of {staged.name}, {staged.extracted_at}, has no time zone; give it as UTC.")
    return staged.extracted_at.astimezone(dt.UTC).replace(tzinfo=None)


def _sums(con: duckdb.DuckDBPyConnection, load: str, staged: StagedObject) -> tuple[Any, ...]:
    """Count, sum of hashes, exclusive-or of hashes; on the way every Id is seen to be there once."""
    import duckdb

    row = f"hash({', '.join(map(engines.quoted, sorted(staged.columns)))})"
    key = engines.quoted(next(name for name in staged.columns if name.casefold() == "id"))
    source = f"read_parquet({engines.file_list(staged.files)}, union_by_name = true)"
    try:
        # Two passes: DuckDB is several times slower when a distinct count stands beside other sums.
        sums = f"SELECT count(*), sum({row}::HUGEINT), bit_xor({row}) FROM {source}"
        rows, *hashes = (con.execute(sums).fetchone() if staged.files else None) or (0, 0, 0)
        distinct = f"SELECT count(DISTINCT {key}) FROM {source}"
        (ids,) = (con.execute(distinct).fetchone() if staged.files else None) or (0,)
    except duckdb.Error as error:
        raise LedgerError(f"The staged files of {staged.object} in {load} cannot be read: {error}") from error
    if rows != ids or rows != staged.rows:
        raise LedgerError(
            f"{load} hands over {rows:,} records of {staged.object} with {ids:,} different ids and says {staged.rows:,}; "
            "every record must come once, with its Id."
        )
    return rows, *hashes


def _keep_object(draft: Path, index: int, staged: StagedObject) -> dict[str, Any]:
    names = []
    for part, source in enumerate(staged.files):
        target = draft / f"{index:03}-{part:04}.parquet"
        if _as_promised(source, staged.columns):
            shutil.copyfile(source, target)
        else:
            _rewrite(source, target, staged)
        _sync(target)
        names.append(target.name)
    return {"object": staged.object, "files": names, "columns": staged.columns, "rows": staged.rows}


def _check_objects(staged: StagedLoad) -> None:
    names = [each.object for each in staged.objects]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise LedgerError(f"{staged.name} hands over {', '.join(twice)} twice; the files of an object belong together.")


def _check_names(staged: StagedObject) -> None:
    folded = [name.casefold() for name in staged.columns]
    if twice := sorted({name for name in folded if folded.count(name) > 1}):
        raise LedgerError(
            f"{staged.object} has columns that differ in case only: {', '.join(twice)}. Rename one of them."
        )
    if "id" not in folded:
        raise LedgerError(f"{staged.object} has no column Id; without it records cannot be followed.")
    if reserved := sorted(set(folded) & {"_valid_from", "_valid_to", "rowid"}):
        raise LedgerError(
            f"{staged.object} has columns named {', '.join(reserved)}, which the ledger needs itself. Rename them."
        )


def _as_promised(source: Path, columns: dict[str, Kind]) -> bool:
    """Whether a file has exactly these columns, in their types, and is compressed."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(source)
    packed = not metadata.num_row_groups or metadata.row_group(0).column(0).compression != "UNCOMPRESSED"
    arrow = metadata.schema.to_arrow_schema()
    expected = {name: _ARROW_TYPES[SQL_TYPES[kind]] for name, kind in columns.items()}
    return packed and {field.name: str(field.type) for field in arrow} == expected


_ARROW_TYPES: Final = {
    "VARCHAR": "string",
    "BOOLEAN": "bool",
    "BIGINT": "int64",
    "DOUBLE": "double",
    "DECIMAL(28,8)": "decimal128(28, 8)",
    "DECIMAL(28,12)": "decimal128(28, 12)",
    "DATE": "date32[day]",
    "TIMESTAMP": "timestamp[us]",
}


def _rewrite(source: Path, target: Path, staged: StagedObject) -> None:
    import duckdb

    columns = ", ".join(
        f"CAST({engines.quoted(name)} AS {SQL_TYPES[kind]}) AS {engines.quoted(name)}"
        for name, kind in staged.columns.items()
    )
    con = engines.writer(":memory:")
    try:
        query = f"SELECT {columns} FROM read_parquet({engines.file_list([source])})"
        con.execute(f"COPY ({query}) TO {engines.literal(target)} (FORMAT parquet, COMPRESSION zstd)")
    except duckdb.Error as error:
        raise LedgerError(
            f"The staged file {source} does not hold the columns of {staged.object} it declares: {error}"
        ) from error
    finally:
        con.close()


def _write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    draft = folder / f"{_MANIFEST}.draft"
    draft.write_text(json.dumps(manifest, default=str, indent=1), encoding="utf-8")
    _sync(draft)
    draft.replace(folder / _MANIFEST)


def _read(folder: Path) -> KeptLoad:
    manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    objects = tuple(
        StagedObject(each["object"], tuple(folder / name for name in each["files"]), each["columns"], each["rows"])
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
