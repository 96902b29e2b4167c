"""Files sent to the server: kept under names of our own until they are imported or thrown away."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from leadline.errors import UsageError

FOLDER = ".uploads"
"""Folder of the workspace for what was sent and not yet imported."""

ENDINGS = (".csv", ".zip", ".parquet", ".txt")
"""Endings of files that can be records."""

MOST_FILES = 500
KEPT_SECONDS = 24 * 3600
"""How long an upload lies that nobody imports."""

PIECE = 1024**2

_KEY = re.compile(r"[0-9a-f]{32}")
_NO_NAME = re.compile(r"[^A-Za-z0-9._ ()-]+")
_LONGEST = 120


class Uploads:
    """What was sent; `folder` is that of the workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER

    def take(self, files: Iterable[tuple[str, BinaryIO]]) -> str:
        """Keep files that were sent together and return their key; names lose everything but letters and digits.

        Raises:
            UsageError: there is none, too many, or one that cannot be records.
        """
        self._tidy()
        key = secrets.token_hex(16)
        place = self.folder / key / "files"
        place.mkdir(parents=True)
        try:
            count = 0
            for name, content in files:
                count += 1
                if count > MOST_FILES:
                    raise UsageError(f"More than {MOST_FILES} files were sent; put them into one ZIP archive.")
                with (place / _free(place, safe_name(name))).open("xb") as target:
                    shutil.copyfileobj(content, target, PIECE)
            if not count:
                raise UsageError("No file was chosen. Choose a ZIP archive, or the CSV files of an export.")
        except BaseException:
            shutil.rmtree(self.folder / key, ignore_errors=True)
            raise
        return key

    def place(self, key: str) -> Path:
        """The folder of an upload.

        Raises:
            UsageError: there is no such upload, or it has been thrown away.
        """
        found = self.folder / key
        if not _KEY.fullmatch(key) or not found.is_dir():
            raise UsageError("These files are no longer here: they have been imported or thrown away. Send them again.")
        return found

    def paths(self, key: str) -> list[Path]:
        """What to import: a single archive by itself, else the folder, which is a whole export."""
        files = sorted((self.place(key) / "files").iterdir())
        alone = len(files) == 1
        return files if alone else [self.place(key) / "files"]

    def drop(self, key: str) -> None:
        """Throw an upload away."""
        shutil.rmtree(self.place(key), ignore_errors=True)

    def _tidy(self) -> None:
        """Throw away what nobody came back for."""
        self.folder.mkdir(exist_ok=True, mode=0o700)
        oldest = time.time() - KEPT_SECONDS
        for place in self.folder.iterdir():
            if place.is_dir() and place.stat().st_mtime < oldest:
                shutil.rmtree(place, ignore_errors=True)


def safe_name(name: str) -> str:
    """The name a file is kept under: the last part of what was sent, of letters, digits and a few signs.

    Raises:
        UsageError: its ending is not that of records.
    """
    last = re.split(r"[/\\]", name)[-1]
    plain = _NO_NAME.sub("_", last).lstrip("._ -()")
    stem, _, ending = plain.rpartition(".")
    if f".{ending.lower()}" not in ENDINGS or not stem.rstrip("._ -"):
        shown = ", ".join(ENDINGS)
        raise UsageError(f"{last[:80]!r} is no file of records: its name must end in {shown}.")
    return f"{stem.rstrip('._ -')[:_LONGEST]}.{ending.lower()}"


def _free(place: Path, name: str) -> str:
    """The name, or one beside it where two files were called alike."""
    stem, _, ending = name.rpartition(".")
    taken, free = 1, name
    while (place / free).exists():
        taken += 1
        free = f"{stem} ({taken}).{ending}"
    return free
