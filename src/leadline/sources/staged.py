"""What a source hands to the ledger: typed Parquet files and an account of every row."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from leadline.findings import Finding
from leadline.schema import Kind

Coverage = Literal["full", "partial"]


@dataclass(frozen=True, slots=True)
class FileAccount:
    """The account of one file: `rows = loaded + rejected`, always.

    Attributes:
        file: name as the user knows it; inside an archive "ARCHIVE.zip!Lead.csv".
        object: Salesforce object its rows became, or None when the file was passed over.
        rejected_file: CSV of rejected rows (line, column, reason, text), or None.
        notes: what was detected or decided: encoding, footer, dropped columns, dates, zone.
    """

    file: str
    object: str | None
    rows: int
    loaded: int
    rejected: int
    rejected_file: Path | None = None
    encoding: str = "utf-8"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StagedObject:
    """Typed records of one object, unique by Id, in Parquet files with the types of `schema`.

    `columns` holds every column of the files: fields of `schema.OBJECTS[object]` that the source
    has, then unknown columns (kind "text"), then `schema.DATE_ONLY`. `whole` says that an absent id
    of this object means a deleted record although the load is partial.
    """

    object: str
    files: tuple[Path, ...]
    columns: dict[str, Kind]
    rows: int
    whole: bool = False


@dataclass(frozen=True, slots=True)
class StagedLoad:
    """One load: what a pull or an import brings at one moment.

    Attributes:
        extracted_at: when the records were taken from the org (UTC, aware).
        extracted_at_evidence: what that moment rests on, in words.
        coverage: "full" if an absent id means a deleted record, per load.
        name: what was imported, for people.
    """

    objects: tuple[StagedObject, ...]
    accounts: tuple[FileAccount, ...]
    extracted_at: dt.datetime
    extracted_at_evidence: str
    coverage: Coverage
    name: str
    findings: tuple[Finding, ...] = ()
