"""What lies at a path: single files, folders, ZIP archives and the parts of a weekly export.

Nothing of an archive is written to disk under a name of its own: entries are read as streams.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Protocol, Self

from leadline.errors import SourceError

READABLE = (".csv", ".parquet")
RATIO = 250
"""How many times its packed size an entry may unpack to; real exports stay below 60."""
SMALL = 1 << 26
"""Unpacked bytes up to which the ratio does not matter."""

_PART = re.compile(r"WE_(?P<org>\w{15,18})_(?P<part>\d+)\.zip", re.IGNORECASE)


class ByteStream(Protocol):
    """A stream of bytes that is read from its start and closed with the `with` around it."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, empty at the end."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


Opener = Callable[[], ByteStream]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file that can be read, on disk or in an archive.

    Attributes:
        name: as the user knows it; in an archive "ARCHIVE.zip!Lead.csv".
        base: the file's own name.
        size: bytes, unpacked.
        open: a new stream from the start.
        path: the file on disk, or None in an archive.
    """

    name: str
    base: str
    size: int
    open: Opener
    path: Path | None = None

    @property
    def is_parquet(self) -> bool:
        """Whether it is Parquet rather than CSV."""
        return self.base.lower().endswith(".parquet")


@dataclass
class Listing:
    """What was found at a path, or at several.

    Attributes:
        files: files to read, in the order in which later ones win.
        passed: names of what is no CSV or Parquet file, with the reason.
        whole: whether every path is a folder or an archive, which stand for all of an org.
        missing_parts: names of parts that a weekly export should have.
        parts: org → numbers of the parts of its weekly export that were found.
    """

    files: list[SourceFile] = field(default_factory=list)
    passed: list[tuple[str, str]] = field(default_factory=list)
    whole: bool = True
    missing_parts: list[str] = field(default_factory=list)
    parts: dict[str, list[int]] = field(default_factory=dict)


def list_files(*paths: Path) -> Listing:
    """Everything at the paths that could hold records; several paths are one export, ordered by their names.

    Raises:
        SourceError: there is nothing, an archive is damaged, encrypted or unpacks beyond reason,
            parts of two orgs' exports lie together, or two paths bring files of one name.
    """
    if len({path.resolve() for path in paths}) < len(paths):
        raise SourceError("The same path is given twice. Name each part of the export once.")
    listing = Listing()
    for path in sorted(paths, key=lambda one: in_order(one.name)):
        _add(path, listing)
    _check_parts(paths, listing)
    _refuse_same_names(listing)
    return listing


def _add(path: Path, listing: Listing) -> None:
    """Add what lies at one path."""
    if path.is_dir():
        _add_folder(path, listing)
    elif not path.is_file():
        raise SourceError(f"There is no file or folder {path}. Give the path of an export: a folder, a ZIP or a file.")
    elif zipfile.is_zipfile(path):
        _add_archive(path, listing)
    elif path.suffix.lower() in {".zip", ".xls", ".xlsx"}:
        raise SourceError(f"{path} is {_instead(path)}. Export the data as CSV or Parquet.")
    else:
        listing.whole = False
        listing.files.append(_on_disk(path))


def _check_parts(paths: Sequence[Path], listing: Listing) -> None:
    """Which parts of the weekly export are missing; parts of two orgs are refused."""
    if len(listing.parts) > 1:
        orgs = ", ".join(sorted(listing.parts))
        where = paths[0] if len(paths) == 1 else "What is to be imported"
        raise SourceError(
            f"{where} holds weekly exports of several orgs ({orgs}). Import each org into its own workspace."
        )
    for org, numbers in listing.parts.items():
        absent = sorted(set(range(1, max(numbers) + 1)) - set(numbers))
        listing.missing_parts += [f"WE_{org}_{number}.ZIP" for number in absent]


def _refuse_same_names(listing: Listing) -> None:
    """Every file has a name of its own: accounts and files of rejected rows go by it."""
    counted = Counter(file.name for file in listing.files)
    twice = [name for name, count in counted.items() if count > 1]
    if twice:
        raise SourceError(
            f"Several of the paths bring a file {twice[0]}, so that no message could tell them apart. "
            "Give the files different names, or import one after the other."
        )


def _instead(path: Path) -> str:
    return "no readable ZIP archive" if path.suffix.lower() == ".zip" else "a spreadsheet, not text"


def _on_disk(path: Path) -> SourceFile:
    def opened() -> ByteStream:
        try:
            return path.open("rb")
        except OSError as fault:
            raise SourceError(f"{path} cannot be read: {fault.strerror}.") from fault

    return SourceFile(path.name, path.name, path.stat().st_size, opened, path)


def in_order(name: str) -> list[tuple[int, str]]:
    """Sort key that puts part 10 behind part 9."""
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", name.casefold())]


def _add_folder(folder: Path, listing: Listing) -> None:
    for path in sorted(folder.iterdir(), key=lambda one: in_order(one.name)):
        if path.name.startswith((".", "~$")):
            continue
        if path.is_dir():
            listing.passed.append((path.name + "/", "a folder inside the folder"))
        elif path.suffix.lower() in READABLE:
            listing.files.append(_on_disk(path))
        elif path.suffix.lower() == ".zip":
            _add_archive(path, listing)
        else:
            listing.passed.append((path.name, "no CSV or Parquet file"))


def _add_archive(path: Path, listing: Listing) -> None:
    if part := _PART.fullmatch(path.name):
        listing.parts.setdefault(part["org"], []).append(int(part["part"]))
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, OSError) as fault:
        raise SourceError(f"{path} cannot be read as a ZIP archive: {fault}. Download it once more.") from fault
    own = [entry for entry in entries if not _is_litter(entry.filename)]
    _refuse_bombs(path, own)
    root = _common_folder(own)
    inside: Counter[str] = Counter()
    for entry in sorted(own, key=lambda one: in_order(one.filename)):
        inner = PurePosixPath(entry.filename.replace("\\", "/"))
        shown = f"{path.name}!{entry.filename}"
        copies = sum(file.name.startswith(shown) for file in listing.files)
        shown += f" ({copies + 1})" if copies else ""
        if inner.parent != root:
            inside[f"{path.name}!{inner.parent}/"] += 1
        elif inner.suffix.lower() not in READABLE:
            listing.passed.append((shown, "no CSV or Parquet file"))
        else:
            listing.files.append(SourceFile(shown, inner.name, entry.file_size, _opener(path, entry)))
    # Files attached to records lie there, by the thousand: they are counted, not listed.
    listing.passed += [(name, f"{count:,} files in a folder of the archive") for name, count in inside.items()]


def _is_litter(name: str) -> bool:
    inner = PurePosixPath(name)
    return inner.name.startswith(".") or "__MACOSX" in inner.parts


def _common_folder(entries: list[zipfile.ZipInfo]) -> PurePosixPath:
    """The folder whose files count: the root, or the only folder where nothing lies at the root."""
    folders = {PurePosixPath(entry.filename.replace("\\", "/")).parent for entry in entries}
    return folders.pop() if len(folders) == 1 else PurePosixPath()


def _refuse_bombs(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    packed = path.stat().st_size
    for what, size, small in [
        *((f"its entry {entry.filename}", entry.file_size, entry.compress_size) for entry in entries),
        ("it", sum(entry.file_size for entry in entries), packed),
    ]:
        if size > SMALL and size > RATIO * small:
            raise SourceError(
                f"{path} is refused: {what} would unpack from {small:,} to {size:,} bytes, more than {RATIO} times "
                "its size. If the export is genuine, unpack it and import the folder."
            )


def _opener(path: Path, entry: zipfile.ZipInfo) -> Opener:
    return lambda: _Entry(path, entry)


class _Entry:
    """A stream of one entry that maps an archive's faults to ours and closes the archive with it."""

    def __init__(self, path: Path, entry: zipfile.ZipInfo) -> None:
        self._shown = f"{path.name}!{entry.filename}"
        self._archive = zipfile.ZipFile(path)
        try:
            self._stream = self._archive.open(entry)
        except (RuntimeError, NotImplementedError, zipfile.BadZipFile) as fault:
            self._archive.close()
            raise self._unreadable(fault) from fault

    def _unreadable(self, fault: Exception) -> SourceError:
        return SourceError(f"{self._shown} cannot be unpacked: {fault}. Unpack the archive and import the folder.")

    def read(self, size: int, /) -> bytes:
        """Up to `size` unpacked bytes."""
        try:
            return self._stream.read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError) as fault:
            raise self._unreadable(fault) from fault

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        self._stream.close()
        self._archive.close()
