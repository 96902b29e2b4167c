"""The facade: everything a user does with a workspace, grouped by their work."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from leadline import config, dates, locks
from leadline.errors import UsageError
from leadline.findings import Finding
from leadline.ledger import Ledger
from leadline.progress import Progress, Silent
from leadline.snapshots import Published, Snapshots
from leadline.workspace.audit import Audit
from leadline.workspace.building import build_and_publish
from leadline.workspace.imports import Sources, write_config
from leadline.workspace.metrics import GOALS_FILE, AsOf, CloseDate, Metrics, Opener

if TYPE_CHECKING:
    from leadline.model.opened import Opened
    from leadline.propose import Proposal
    from leadline.results import Result
    from leadline.workspace.summary import Summary

PROPOSED = f"{config.FILE_NAME}.proposed"
"""Where new proposals go beside settings that exist."""

_SPILL = ".spill"
_EMPTY = "# Settings of this workspace. The first import adds stages proposed from its data.\n"


class Workspace:
    """A folder with settings, a ledger and snapshots.

    Attributes:
        folder: where it is.
        sources: import records.
        metrics: volume, conversion, velocity, influence of the published snapshot.
        audit: faults of its data.
        ledger: the raw records with their history.
        snapshots: the published states.

    Raises:
        UsageError: a file stands in the folder's place, or its path is one DuckDB cannot use.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder).resolve()
        if self.folder.exists() and not self.folder.is_dir():
            raise UsageError(f"{self.folder} is a file; a workspace is a folder.")
        self.ledger = Ledger(self.folder)
        self.snapshots = Snapshots(self.folder)
        self.sources = Sources(self)
        self.metrics = self._metrics(self._open_current)
        self.audit = Audit(self._open_current, self.snapshots, lambda: self.settings)
        self._held: dict[tuple[Path, dt.datetime | None, CloseDate], Opened] = {}

    @property
    def settings(self) -> config.Settings:
        """What leadline.toml says now; all defaults without one.

        Raises:
            ConfigError: it has faults (all listed), or names checks that do not exist.
        """
        settings = config.load(self.folder / config.FILE_NAME)
        if settings.audit:
            # The checks bring the engine along; they are asked only where the file speaks of them.
            from leadline.audit.registry import require_known

            require_known(settings)
        return settings

    def build(self, *, progress: Progress | None = None) -> Published:
        """Compute the model from the ledger and publish it; readers switch at once.

        Raises:
            ConfigError: leadline.toml has faults.
            LedgerError: nothing has been imported, or the ledger is damaged.
            SnapshotError: what was built is not sound; readers keep the old snapshot.
            IdentityError: merge or conversion pointers without an end.
            WriterBusyError: another process is writing to the workspace.
        """
        heard = progress or Silent()
        with locks.writing(self.folder):
            self.ledger.finish_pending(progress=heard)
            return build_and_publish(self.ledger, self.settings, self.snapshots, progress=heard)

    def propose(self) -> tuple[Proposal, Path]:
        """Propose settings from the data, and write them: beside a leadline.toml that has funnels, else into it.

        Raises:
            LedgerError: nothing has been imported.
            ConfigError: leadline.toml has faults.
        """
        if not self.settings.funnel:
            return self.propose_into_config(), self.folder / config.FILE_NAME
        proposal = self._proposal()
        return proposal, write_config(self.folder, proposal.text, PROPOSED)

    def propose_into_config(self) -> Proposal:
        """Propose settings and add them to leadline.toml; what stands there stays."""
        with locks.writing(self.folder):
            proposal = self._proposal()
            write_config(self.folder, proposal.text)
        return proposal

    def summary(self) -> Summary:
        """Funnel, bottleneck, campaigns and trust, all from one snapshot.

        Raises:
            SnapshotError: nothing is published yet, or no funnel is defined.
        """
        return self._summary(self._pinned())

    def report(self, output: Path | str, *, progress: Progress | None = None) -> Path:
        """Write one HTML page with the four insights, charts included, and return its path."""
        from leadline.workspace.page import page

        (progress or Silent()).begin("report")
        target, pinned = Path(output), self._pinned()
        text = page(self._summary(pinned), self._metrics(pinned).volume(grain="month"))
        target.write_text(text, encoding="utf-8")
        return target

    def chart(self, result: Result, output: Path | str, name: str | None = None) -> Path:
        """Draw a result into a .png, .svg, .pdf or .html file.

        Raises:
            UnknownNameError: no such chart for this kind of result, or another ending.
        """
        from leadline import charts

        target = Path(output)
        charts.save(charts.draw(result, name), target)
        return target

    def snapshot_table(self) -> Result:
        """The published snapshots as a result, the newest first."""
        from leadline.workspace.tables import snapshot_table

        return snapshot_table(self.snapshots.list(), self.snapshots.current().snapshot)

    def _metrics(self, opener: Opener) -> Metrics:
        return Metrics(opener, self.folder / GOALS_FILE, lambda: self.settings.formula)

    def _summary(self, pinned: Opener) -> Summary:
        from leadline.workspace.summary import summarise

        _, funnel = pinned(None)[0].funnel(None)
        return summarise(self._metrics(pinned), self.folder.name, tuple(funnel.stage_names), of_people=funnel.of_people)

    def _proposal(self) -> Proposal:
        from leadline import engines
        from leadline.propose import propose
        from leadline.survey import survey

        path = self.folder / config.FILE_NAME
        existing = path.read_text(encoding="utf-8-sig") if path.exists() else ""
        with engines.writer(":memory:") as con:
            self.ledger.attach(con)
            return propose(survey(con), "" if existing == _EMPTY else existing)

    def _open_current(self, as_of: AsOf, close_date: CloseDate = None) -> tuple[Opened, tuple[Finding, ...]]:
        # Chosen and opened in one go: a publish in between may remove the file that was current.
        current, opened = self.snapshots.open_current(lambda path: self._opened(path, as_of, close_date))
        return opened, current.findings

    def _pinned(self) -> Opener:
        """An opener that stays on the snapshot that is current now."""
        opened, findings = self._open_current(None)
        path = self.snapshots.get(opened.snapshot).path
        return lambda as_of, close_date=None: (self._opened(path, as_of, close_date), findings)

    def _opened(self, path: Path, as_of: AsOf, close_date: CloseDate) -> Opened:
        from leadline.model.opened import open_snapshot

        moment = None if as_of is None else _moment(as_of, self.snapshots.get(path.stem).meta["zone"])
        if (path, moment, close_date) not in self._held:
            spill = None
            if moment is not None or close_date is not None:
                # Only another question than the snapshot's own makes tables that may outgrow the memory.
                spill = self.folder / _SPILL
                spill.mkdir(exist_ok=True)
            opened = open_snapshot(path, as_of=moment, close_date=close_date, spill=spill)
            # Connections to another snapshot are of no more use.
            self._held = {key: value for key, value in self._held.items() if key[0] == path}
            self._held[path, moment, close_date] = opened
        return self._held[path, moment, close_date]


def open(folder: Path | str = ".") -> Workspace:  # leadline.open() is what users write
    """The workspace in a folder.

    Raises:
        UsageError: the folder holds no workspace.
    """
    path = Path(folder)
    if not any((path / name).exists() for name in (config.FILE_NAME, "ledger.duckdb", "snapshots")):
        raise UsageError(
            f"There is no workspace in {path.resolve()}. Go to its folder, name it with --workspace DIR, "
            "or make one with `leadline import PATH`."
        )
    return Workspace(path)


def create(folder: Path | str = ".") -> Workspace:
    """A workspace in a folder, made with empty settings if there is none; what is there stays.

    Raises:
        UsageError: a file stands in its place.
    """
    made = Workspace(folder)
    made.folder.mkdir(parents=True, exist_ok=True)
    if not (made.folder / config.FILE_NAME).exists():
        write_config(made.folder, _EMPTY)
    return made


def _moment(as_of: dt.date | dt.datetime | str, zone: str) -> dt.datetime:
    """An as-of as an instant in UTC: a date is its end, an instant without offset is one of the zone."""
    return dates.parse_as_of(as_of if isinstance(as_of, str) else as_of.isoformat(), zone)
