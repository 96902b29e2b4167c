"""What the tests of file sources share: write files, stage them, look at rows and rejects."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from leadline.config import Settings
from leadline.sources.files import stage
from leadline.sources.staged import FileAccount, StagedLoad, StagedObject


@dataclass
class Staged:
    """A staged load with short ways to look at it."""

    load: StagedLoad

    def object(self, name: str) -> StagedObject:
        """The staged object of that name."""
        return next(one for one in self.load.objects if one.object == name)

    def account(self, file: str) -> FileAccount:
        """The account of a file."""
        return next(one for one in self.load.accounts if one.file == file)

    def query(self, name: str, select: str = "*", rest: str = "") -> list[tuple[Any, ...]]:
        """Rows of an object; `t` is its table."""
        files = [str(path) for path in self.object(name).files]
        with duckdb.connect() as con:
            return con.execute(f"SELECT {select} FROM read_parquet({files}) t {rest}").fetchall()

    def values(self, name: str, column: str) -> list[Any]:
        """A column in the order of the file."""
        return [value for (value,) in self.query(name, f'"{column}"')]

    def rejects(self, file: str) -> list[dict[str, str]]:
        """Rows of a file's list of rejected rows."""
        path = self.account(file).rejected_file
        assert path is not None
        with path.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def check_accounts(self) -> None:
        """Every file's rows are loaded or rejected; every loaded row is staged."""
        for account in self.load.accounts:
            assert account.rows == account.loaded + account.rejected
            if account.rejected_file:
                assert len(self.rejects(account.file)) == account.rejected
        for staged in self.load.objects:
            loaded = sum(one.loaded for one in self.load.accounts if one.object == staged.object)
            assert staged.rows == loaded == self.query(staged.object, "count(*)")[0][0]


def staged(path: Path | list[Path], settings: dict[str, Any] | Settings | None = None, **options: Any) -> Staged:
    """Stage a path, or several, with settings given as the tables of leadline.toml; accounts are checked."""
    first = path if isinstance(path, Path) else path[0]
    work = first.parent / f"{first.name}-staged"
    number = sum(1 for _ in first.parent.glob(f"{first.name}-staged*"))
    work = work.with_name(f"{work.name}-{number}")
    load = stage(
        path, Settings.model_validate(settings or {}), staging=work / "staging", rejected=work / "rejected", **options
    )
    made = Staged(load)
    made.check_accounts()
    return made


def folder(tmp_path: Path, **files: str | bytes) -> Path:
    """A folder with files; a name `Lead` becomes `Lead.csv`."""
    path = tmp_path / "export"
    path.mkdir(exist_ok=True)
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (path / (name if "." in name else f"{name}.csv")).write_bytes(data)
    return path


def table(*rows: str) -> str:
    """Lines as the text of a file."""
    return "\n".join(rows) + "\n"
