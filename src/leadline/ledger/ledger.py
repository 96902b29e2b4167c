"""The ledger: every record as it came, with its history.

A load is kept first, its files landed by dlt (`kept`, `landing`), then merged in one transaction
(`merge`). It counts from the moment that transaction is committed; whatever ends the process
before leaves the ledger as it was and the kept load to be completed by the next run. The rules
and their reasons: `docs/decisions/0003-ledger.md`.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from leadline import engines, locks
from leadline.errors import LedgerError, LoadOrderError, VanishError
from leadline.findings import Finding
from leadline.ledger import landing, views
from leadline.ledger.kept import FOLDER, KeptLoad, all_kept, clear_drafts, keep
from leadline.ledger.merge import Merged, merge
from leadline.ledger.promises import fingerprint
from leadline.ledger.record import TABLES, ObjectReport
from leadline.progress import Progress, Silent
from leadline.sources.staged import Coverage, StagedLoad

if TYPE_CHECKING:
    import duckdb

DATABASE: Final = "ledger.duckdb"
_DRAFT: Final = "ledger.duckdb.draft"
_SPILL: Final = "ledger.duckdb.tmp"

STEPS: Final = ("keep", "merge", "tidy")
"""The steps of a load, as `progress` hears them."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of a load.

    Attributes:
        name: what was imported.
        extracted_at: its moment, UTC without zone.
        repeated: the ledger held this very load already and did nothing.
        replayed: later loads of which objects were taken again because this one is older.
        objects: per object what it did; empty if repeated.
        findings: faults the ledger found; the source's own are in the staged load.
    """

    name: str
    extracted_at: dt.datetime
    coverage: Coverage
    rows: int
    repeated: bool = False
    replayed: int = 0
    objects: tuple[ObjectReport, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """One load the ledger holds; `load_id` counts from 1 in order of time."""

    load_id: int
    name: str
    extracted_at: dt.datetime
    coverage: Coverage
    loaded_rows: int
    evidence: str


class Ledger:
    """The ledger of one workspace.

    Raises:
        UsageError: the workspace has a path under which DuckDB cannot keep a database.
    """

    def __init__(self, workspace: Path) -> None:
        engines.require_usable(workspace)
        self.workspace = workspace
        self.path = workspace / DATABASE

    @property
    def spill(self) -> Path:
        """Where what does not fit into memory goes while the ledger is written."""
        return self.workspace / _SPILL

    def load(
        self,
        staged: StagedLoad,
        *,
        allow_vanish: bool = False,
        frugal: bool = False,
        progress: Progress | None = None,
    ) -> LoadReport:
        """Take a load; the same load a second time changes nothing, an older one is put into its place.

        Args:
            staged: what a source hands over.
            allow_vanish: whether a full load may lack more than 5 % of the known records.
            frugal: work on disk rather than in memory, as far as the records allow it; slower for large loads.
            progress: hears of the steps.

        Raises:
            WriterBusyError: another process is writing to the workspace.
            VanishError: too many known records are absent; nothing was changed.
            LoadOrderError: the load is older than others whose kept files are missing.
            LedgerError: the records cannot be loaded.
        """
        heard = progress or Silent()
        with locks.writing(self.workspace):
            self.finish_pending(progress=progress)
            content = fingerprint(staged, self.spill)
            if any(load.content == content for load in all_kept(self.workspace)):
                return _report_repeated(staged)
            heard.begin("keep", sum(each.rows for each in staged.objects))
            kept = keep(self.workspace, staged, content, allow_vanish=allow_vanish, progress=heard)
            return self._complete(kept, heard, frugal=frugal)

    def finish_pending(self, progress: Progress | None = None) -> tuple[LoadReport, ...]:
        """Complete the loads that an interrupted run left; called at the start of every load.

        A pending load that is refused (too many records vanish, or older ones are missing) is
        dropped, with a finding.

        Raises:
            WriterBusyError: another process is writing to the workspace.
        """
        heard = progress or Silent()
        with locks.writing(self.workspace):
            clear_drafts(self.workspace)
            self._tidy()
            reports = []
            pending = self._pending()
            while pending:
                try:
                    reports.append(self._complete(pending[0], heard))
                except (VanishError, LoadOrderError) as refusal:
                    reports.append(_report_refused(pending[0], refusal))
                pending = self._pending()
            return tuple(reports)

    def loads(self) -> tuple[Loaded, ...]:
        """The loads the ledger holds, in order of time.

        Raises:
            WriterBusyError: another process is writing to the workspace.
        """
        if not self.path.exists():
            return ()
        with locks.writing(self.workspace), self._open() as con:
            rows = con.execute(
                "SELECT row_number() OVER (ORDER BY key), name, extracted_at, coverage, loaded_rows, evidence FROM _loads ORDER BY key"
            ).fetchall()
        return tuple(Loaded(*row) for row in rows)

    def attach(self, con: duckdb.DuckDBPyConnection) -> None:
        """Attach the ledger read-only as `ledger` and make the views of schema `src` in the connection's own database.

        Per object `src."OBJECT"`: one row per Id that is not gone, its newest version, with every
        column the ledger has ever seen and `_date_only`. For objects of `schema.VERSIONED` also
        `src."OBJECT__versions"` with `_valid_from` and `_valid_to` (UTC; null while it holds).
        Then `_loads`, `_load_objects`, `_columns`, `_gone`, `_findings` and `_files`.

        Raises:
            LedgerError: nothing has been imported, or the ledger is damaged.
        """
        import duckdb

        nothing = LedgerError(f"Nothing has been imported into {self.workspace}. Start with `leadline import PATH`.")
        if not self.path.exists():
            raise nothing
        try:
            con.execute(f"ATTACH {engines.literal(self.path)} AS ledger (READ_ONLY)")
        except duckdb.Error as error:
            raise LedgerError(_damaged(self.path, error)) from error
        if con.execute("SELECT count(*) FROM ledger._loads").fetchone() == (0,):
            con.execute("DETACH ledger")
            raise nothing
        views.create(con)

    def detach(self, con: duckdb.DuckDBPyConnection) -> None:
        """Undo `attach`: drop schema `src` and let the ledger go."""
        views.drop(con)
        con.execute("DETACH ledger")

    def _pending(self) -> list[KeptLoad]:
        held = self._held()
        return [load for load in all_kept(self.workspace) if load.key not in held]

    def _held(self) -> list[str]:
        if not self.path.exists():
            return []
        with self._open() as con:
            return [key for (key,) in con.execute("SELECT key FROM _loads ORDER BY key").fetchall()]

    def _complete(self, load: KeptLoad, progress: Progress, *, frugal: bool = False) -> LoadReport:
        """Merge a kept load; objects that later loads have too are made anew from all their loads."""
        try:
            self._create()
            plan = self._plan(load)
            merged = self._merge(load, plan, progress, frugal=frugal)
        except (VanishError, LoadOrderError):
            if not load.done:
                load.discard()
            raise
        finally:
            self._tidy()
        progress.begin("tidy")
        load.mark_done()
        later = {each.key for loads in plan.values() for each in loads if each.key > load.key}
        return LoadReport(
            load.name, load.extracted_at, load.coverage, load.rows, False, len(later), merged.objects, merged.findings
        )

    def _tidy(self) -> None:
        """Remove what is of use during a load only."""
        landing.clear(self.workspace)
        shutil.rmtree(self.spill, ignore_errors=True)
        for path in self.workspace.glob(f"{_DRAFT}*"):
            path.unlink()

    def _create(self) -> None:
        """Make an empty ledger beside and put it in its place: a file half created is no database."""
        if not self.path.exists():
            draft = self.workspace / _DRAFT
            with self._open(draft) as con:
                con.execute("CHECKPOINT")
            draft.replace(self.path)

    def _plan(self, load: KeptLoad) -> dict[str, list[KeptLoad]]:
        """Per object of a load the loads to take: itself, or all that have the object if some of them are later."""
        with self._open() as con:
            held = con.execute('SELECT "object", list(key) FROM _load_objects GROUP BY ALL').fetchall()
        keys = {name: sorted([*found, load.key]) for name, found in held if any(key > load.key for key in found)}
        kept = {each.key: each for each in all_kept(self.workspace)} | {load.key: load}
        names = [staged.object for staged in load.objects]
        needed = {key for name in names for key in keys.get(name, [])}
        if missing := sorted(needed - kept.keys()):
            raise LoadOrderError(
                f"{load.name} is older than loads already taken, and of these {', '.join(missing)} are no longer in "
                f"{self.workspace / FOLDER}. Put them back, or import into a new workspace in order of time."
            )
        return {name: [kept[key] for key in keys.get(name, [load.key])] for name in names}

    def _merge(
        self, load: KeptLoad, plan: Mapping[str, Sequence[KeptLoad]], progress: Progress, *, frugal: bool
    ) -> Merged:
        import duckdb

        try:
            # Rows of very many columns do not fit into little memory: then all there is may be taken.
            merged, limits = None, [engines.FRUGAL, None] if frugal else [None]
            while merged is None:
                merged = self._merge_within(limits.pop(0), load, plan, progress)
            return merged
        except duckdb.Error as error:
            raise LedgerError(
                f"{load.name} could not be taken into the ledger: {str(error).splitlines()[0]} It is kept in {load.folder} "
                "and the next run tries again; to give it up, remove that folder."
            ) from error

    def _merge_within(
        self, memory_limit: str | None, load: KeptLoad, plan: Mapping[str, Sequence[KeptLoad]], progress: Progress
    ) -> Merged | None:
        """Merge a load; None, and nothing changed, if the memory it may take is not enough."""
        import duckdb

        progress.begin("merge", sum(each.piece(name).rows for name, loads in plan.items() for each in loads))
        with self._open(memory_limit=memory_limit) as con:
            try:
                merged = merge(con, load, plan, progress)
            except duckdb.OutOfMemoryException:
                if memory_limit is None:
                    raise
                return None
            con.execute("CHECKPOINT")
        return merged

    @contextmanager
    def _open(self, path: Path | None = None, memory_limit: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        import duckdb

        try:
            con = engines.writer(path or self.path, memory_limit)
        except duckdb.Error as error:
            raise LedgerError(_damaged(path or self.path, error)) from error
        try:
            con.execute("SET preserve_insertion_order = false")
            con.execute(TABLES)
            yield con
        finally:
            con.close()


def _report_repeated(staged: StagedLoad) -> LoadReport:
    at = staged.extracted_at.astimezone(dt.UTC).replace(tzinfo=None)
    return LoadReport(staged.name, at, staged.coverage, sum(each.rows for each in staged.objects), repeated=True)


def _report_refused(load: KeptLoad, refusal: LedgerError) -> LoadReport:
    finding = Finding(
        "pending-load-refused", "error", str(refusal), remedy="Import it again with --allow-vanish or --partial."
    )
    return LoadReport(load.name, load.extracted_at, load.coverage, load.rows, findings=(finding,))


def _damaged(path: Path, error: Exception) -> str:
    return (
        f"The ledger {path} cannot be opened ({str(error).splitlines()[0]}). If another program has it open, end that; if the "
        "file is damaged, move it away: the next import builds it anew from the kept loads."
    )
