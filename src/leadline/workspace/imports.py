"""Importing files: stage, load into the ledger, propose stages where none are set, publish."""

from __future__ import annotations

import datetime as dt
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from leadline import config, locks
from leadline.progress import Progress, Silent

if TYPE_CHECKING:
    from leadline.findings import Finding
    from leadline.ledger import Ledger, LoadReport
    from leadline.propose import Proposal
    from leadline.snapshots import Published
    from leadline.sources.dates_in import DateOrder
    from leadline.sources.staged import Coverage, FileAccount
    from leadline.workspace.audit import Audit

REJECTED = "rejected"
"""Folder of the workspace with the files of rejected rows."""

_STAGING = ".staging"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The account of an import.

    Attributes:
        files: every file found: `rows = loaded + rejected`.
        extracted_at: the moment of the load, with what it rests on in `evidence`.
        load: what the ledger did with it.
        findings: faults of all the data, as the snapshot holds them; without a snapshot those
            seen while reading and loading.
        proposal: the settings written because none named a funnel, or None.
        published: the snapshot made of it, or None.
    """

    files: tuple[FileAccount, ...]
    extracted_at: dt.datetime
    evidence: str
    load: LoadReport
    findings: tuple[Finding, ...]
    proposal: Proposal | None
    published: Published | None

    @property
    def has_errors(self) -> bool:
        """Whether any finding has severity error."""
        return any(finding.severity == "error" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would read; nothing of it is loaded.

    Attributes:
        files: every file found: `rows = loaded + rejected`.
        extracted_at: the moment of the load, with what it rests on in `evidence`.
        coverage: "full" if an absent record would count as deleted.
        findings: faults seen while reading.
    """

    files: tuple[FileAccount, ...]
    extracted_at: dt.datetime
    evidence: str
    coverage: Coverage
    findings: tuple[Finding, ...]


class Home(Protocol):
    """What an import needs of its workspace."""

    folder: Path
    ledger: Ledger
    audit: Audit

    @property
    def settings(self) -> config.Settings:
        """What leadline.toml says now."""

    def propose_into_config(self) -> Proposal:
        """Propose settings and add them to leadline.toml."""

    def build(self, *, progress: Progress | None = None) -> Published:
        """Compute the model and publish it."""


class Sources:
    """Where records come from."""

    def __init__(self, workspace: Home) -> None:
        self._workspace = workspace

    def import_files(
        self,
        path: Path | str | Sequence[Path | str],
        *,
        date_order: DateOrder | None = None,
        encoding: str | None = None,
        timezone: str | None = None,
        extracted_at: dt.datetime | None = None,
        coverage: Coverage | None = None,
        allow_vanish: bool = False,
        build: bool = True,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Import a folder, a ZIP archive or a file, or several that are one export, and publish a snapshot of it.

        Args:
            path: CSV or Parquet files named after their objects, or as `[files]` of the settings maps them.
            date_order: order of day, month and year where the files leave it open: ymd, dmy, mdy.
            encoding: of CSV files; default: detected and said in the notes.
            timezone: IANA zone of moments written without one; default UTC.
            extracted_at: when the records left the org (aware); default: their newest stamp.
            coverage: "full" if an absent record was deleted, "partial" if not; default: full for
                folders and archives, partial as soon as one path is a single file.
            allow_vanish: accept a full load that lacks many known records.
            build: publish a snapshot.
            progress: hears of the steps.

        Raises:
            ConfigError: leadline.toml has faults.
            UsageError: the model is built from the tables of a warehouse.
            SourceError: nothing is recognised at `path`, or a file cannot be read as asked.
            AmbiguousDatesError: day and month cannot be told apart; give `date_order`.
            WriterBusyError: another process is writing to the workspace.
            VanishError: a full load lacks too many known records.
            LoadOrderError: a load that would rewrite history.
        """
        from leadline.sources import files

        workspace, heard = self._workspace, progress or Silent()
        workspace.settings.warehouse.require_own_records()
        given = [path] if isinstance(path, Path | str) else path
        with locks.writing(workspace.folder), _staging(workspace.folder) as staging:
            staged = files.stage(
                [Path(one) for one in given],
                workspace.settings,
                staging=staging,
                rejected=workspace.folder / REJECTED,
                date_order=date_order,
                encoding=encoding,
                timezone=timezone,
                extracted_at=extracted_at,
                coverage=coverage,
                progress=_Files(heard),
            )
            load = workspace.ledger.load(staged, allow_vanish=allow_vanish, progress=heard)
            proposal = None if workspace.settings.funnel else workspace.propose_into_config()
            published = workspace.build(progress=heard) if build else None
        return ImportReport(
            files=staged.accounts,
            extracted_at=staged.extracted_at,
            evidence=staged.extracted_at_evidence,
            load=load,
            findings=workspace.audit.findings() if published else (*staged.findings, *load.findings),
            proposal=proposal,
            published=published,
        )

    def preview_files(
        self,
        path: Path | str | Sequence[Path | str],
        *,
        within: Path,
        date_order: DateOrder | None = None,
        encoding: str | None = None,
        timezone: str | None = None,
        coverage: Coverage | None = None,
    ) -> ImportPlan:
        """The account of an import before it is one: everything is read and typed, and nothing is loaded.

        Args:
            path: as for `import_files`.
            within: folder for typed files and rejected rows; whoever asks removes it.
            date_order, encoding, timezone, coverage: as for `import_files`.

        Raises:
            ConfigError, SourceError, AmbiguousDatesError: as for `import_files`.
        """
        from leadline.sources import files

        given = [path] if isinstance(path, Path | str) else path
        staging = within / "typed"
        try:
            staged = files.stage(
                [Path(one) for one in given],
                self._workspace.settings,
                staging=staging,
                rejected=within / REJECTED,
                date_order=date_order,
                encoding=encoding,
                timezone=timezone,
                coverage=coverage,
            )
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return ImportPlan(
            staged.accounts, staged.extracted_at, staged.extracted_at_evidence, staged.coverage, staged.findings
        )


class _Files:
    """Hears of rows done per file and tells it as steps."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._file: str | None = None
        self._done = 0

    def __call__(self, label: str, done: int, total: int | None) -> None:
        if label != self._file:
            self._file, self._done = label, 0
            self._progress.begin(f"read {label}", total)
        self._progress.advance(done - self._done)
        self._done = done


@contextmanager
def _staging(workspace: Path) -> Iterator[Path]:
    """A folder for typed files that is gone afterwards; what a killed run left goes with it."""
    root = workspace / _STAGING
    shutil.rmtree(root, ignore_errors=True)
    folder = root / secrets.token_hex(4)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(root, ignore_errors=True)


def write_config(folder: Path, text: str, name: str = config.FILE_NAME) -> Path:
    """Write settings in one step, so that nobody reads half of them."""
    path = folder / name
    draft = folder / f".{name}.{secrets.token_hex(4)}"
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    return path
