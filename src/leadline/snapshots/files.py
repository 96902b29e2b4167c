"""One snapshot file and the description beside it: sealing, proving, reading back."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadline import engines
from leadline.errors import SnapshotError
from leadline.snapshots.content import META, content_hash, fingerprint, missing_tables, read_meta

if TYPE_CHECKING:
    import duckdb

DRAFT: Final = ".tmp-"
"""How the name of an unfinished file begins."""

KEY: Final = r"\d{8}T\d{6}Z-[0-9a-f]{10}"
"""What an id looks like."""

READ_WHOLE: Final = 64 * 1024 * 1024
"""Files up to so many bytes are read whole when they are chosen; of larger ones DuckDB checks each block it reads."""

_IDENTITY: Final = ("as_of", "known_at", "definitions", "config")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One published state.

    Attributes:
        as_of: events up to here count (UTC).
        known_at: attributes are those known then (UTC).
        content_hash: SHA-256 of the model's tables.
        meta: the table `_meta`.
        sequence: order of publishing.
    """

    id: str
    as_of: dt.datetime
    known_at: dt.datetime
    content_hash: str
    frozen: bool
    size_bytes: int
    path: Path
    meta: dict[str, str] = field(repr=False)
    sequence: int
    file_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the finished file has to read back as: its `_meta`, and the fingerprint of everything else."""

    meta: dict[str, str]
    fingerprint: dict[str, list[str]]


def seal(draft: Path, entries: Mapping[str, str]) -> Sealed:
    """Write `_meta`, with content hash and id, into what was built; nothing is left in a log file.

    What is hashed is what a reader reads of the closed file, not what the build has in memory.

    Raises:
        SnapshotError: what was built is no snapshot, or cannot be read.
    """
    if not draft.exists():
        raise SnapshotError("The build made no file.")
    if absent := [name for name in ("as_of", "known_at") if not entries.get(name)]:
        raise SnapshotError(f"The build does not say {' and '.join(absent)}.")
    _require_closed(draft)
    content, found = _content_of(draft)
    return Sealed(_write_meta(draft, {**entries, "content_hash": content, "snapshot": _key(entries, content)}), found)


def _content_of(draft: Path) -> tuple[str, dict[str, list[str]]]:
    """Content hash and fingerprint of what was built."""
    with _reading(draft) as con:
        if missing := [name for name in missing_tables(con) if name != META]:
            raise SnapshotError(f"The build made no table {' and '.join(missing)}.")
        return content_hash(con), fingerprint(con)


def _write_meta(draft: Path, meta: dict[str, str]) -> dict[str, str]:
    """Write entries into `_meta`; all that it then holds."""
    con = engines.writer(draft)
    try:
        con.execute(f"CREATE TABLE IF NOT EXISTS {META} (key VARCHAR, value VARCHAR)")
        con.execute(f"DELETE FROM {META} WHERE key IN (SELECT unnest(?))", [list(meta)])
        con.executemany(f"INSERT INTO {META} VALUES (?, ?)", [list(entry) for entry in meta.items()])
        written = read_meta(con)
        con.execute("CHECKPOINT")
    finally:
        con.close()
    return written


def _key(entries: Mapping[str, str], content: str) -> str:
    """Sorts by known-at; the same content under the same definitions has the same id."""
    identity = json.dumps([content, *(entries.get(name) for name in _IDENTITY)])
    return f"{_moment(entries['known_at']):%Y%m%dT%H%M%SZ}-{hashlib.sha256(identity.encode()).hexdigest()[:10]}"


def verify(draft: Path, sealed: Sealed) -> None:
    """Open the finished file as readers will, and see that it says what was meant.

    Every value of every table is read once more: writing `_meta` must have left the rows that were
    hashed as they were.

    Raises:
        SnapshotError: it cannot be read, or reads back as something else.
    """
    _require_closed(draft)
    with _reading(draft) as con:
        if (found := read_meta(con)) != sealed.meta:
            raise SnapshotError(f"The file that was built reads back differently: {found} in place of {sealed.meta}.")
        told = fingerprint(con)
    names = sorted(told.keys() | sealed.fingerprint.keys())
    if other := [name for name in names if told.get(name) != sealed.fingerprint.get(name)]:
        raise SnapshotError(f"The file that was built reads back with other rows in {' and '.join(other)}.")


def _require_closed(draft: Path) -> None:
    if draft.with_name(draft.name + ".wal").exists():
        raise SnapshotError("The build left its file open; close every connection to it.")


@contextmanager
def _reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A reader of a file; what DuckDB finds wrong with it is a `SnapshotError`."""
    import duckdb

    con = engines.reader(path)
    try:
        yield con
    except duckdb.Error as error:
        raise SnapshotError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
    finally:
        con.close()


def _read_through(path: Path) -> dict[str, str]:
    """`_meta` of a file whose content has the hash it states.

    Raises:
        SnapshotError: it cannot be read, lacks tables or has another content.
    """
    with _reading(path) as con:
        if missing := missing_tables(con):
            raise SnapshotError(f"{path} lacks the table {' and '.join(missing)}.")
        meta = read_meta(con)
        if content_hash(con) != meta.get("content_hash"):
            raise SnapshotError(f"The tables of {path} do not have the content hash that it states.")
        return meta


def load(path: Path) -> Snapshot | str:
    """A snapshot by its description, without opening it; or what is wrong with it."""
    try:
        text = path.with_suffix(".json").read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return _undescribed(path)
    said = _proven(text)
    return _snapshot(path, **said) if said else _undescribed(path)


def _undescribed(path: Path) -> Snapshot | str:
    """A snapshot whose description is lost, known from the file itself if that proves sound."""
    if not path.exists():
        return "its file is missing"
    try:
        meta = _read_through(path)
        return _snapshot(path, meta, 0, path.stat().st_size, file_hash_of(path))
    except (SnapshotError, FileNotFoundError, KeyError, ValueError) as error:
        return f"its description is lost and the file does not replace it ({error})"


def _snapshot(path: Path, meta: dict[str, str], sequence: int, size_bytes: int, file_hash: str) -> Snapshot:
    return Snapshot(
        id=path.stem,
        as_of=_moment(meta["as_of"]),
        known_at=_moment(meta["known_at"]),
        content_hash=meta["content_hash"],
        frozen=path.with_suffix(".frozen").exists(),
        size_bytes=size_bytes,
        path=path,
        meta=meta,
        sequence=sequence,
        file_hash=file_hash,
    )


def fault_of(snapshot: Snapshot, thorough: bool) -> str:
    """What is wrong with a file, from its size and, if small or asked for, every byte."""
    try:
        size = snapshot.path.stat().st_size
        if size != snapshot.size_bytes:
            return f"its file has {size:,} bytes in place of {snapshot.size_bytes:,}"
        if (thorough or size <= READ_WHOLE) and file_hash_of(snapshot.path) != snapshot.file_hash:
            return "its file was changed after it was published"
    except FileNotFoundError:
        return "its file is missing"
    return ""


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def describe(target: Path, meta: dict[str, str], sequence: int, *, size_bytes: int, file_hash: str) -> None:
    """Write the description beside a file, with a hash of its own: a wrong as-of would be a wrong answer."""
    said = {"meta": meta, "sequence": sequence, "size_bytes": size_bytes, "file_hash": file_hash}
    write(target.with_suffix(".json"), json.dumps(said | {"proof": _proof(said)}, indent=1))


def _proof(said: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _proven(text: str) -> dict[str, Any]:
    """A description that is as it was written, or nothing."""
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(said, dict) or said.pop("proof", "") != _proof(said):
        return {}
    return said


def file_hash_of(path: Path) -> str:
    """SHA-256 of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(path: Path, text: str) -> None:
    """Put a small file in place of what is there, whole."""
    draft = path.with_name(f"{DRAFT}{path.name}")
    draft.write_text(text, encoding="utf-8")
    sync(draft)
    draft.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Have the disk hold a file or folder before going on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
