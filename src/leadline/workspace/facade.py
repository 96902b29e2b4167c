"""The facade: everything a user does with a workspace, grouped by their work."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from leadline import config, dates, locks
from leadline.address import parse
from leadline.errors import UsageError
from leadline.findings import Finding
from leadline.ledger import Ledger
from leadline.progress import Progress, Silent
from leadline.snapshots import Frozen, Published
from leadline.snapshots.frozen import CURRENT, PREVIOUS, find, names_of
from leadline.warehouse.published import WarehouseSnapshots
from leadline.workspace.audit import Audit
from leadline.workspace.building import build_and_publish, build_in_warehouse, snapshots_of
from leadline.workspace.imports import Sources, write_config
from leadline.workspace.metrics import GOALS_FILE, AsOf, CloseDate, Metrics, Opener
from leadline.workspace.org import Org
from leadline.workspace.push import Push

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadline.explain import Explanation
    from leadline.explain.stories import Story
    from leadline.model.opened import Opened
    from leadline.path_table import Options
    from leadline.propose import Proposal
    from leadline.results import Result
    from leadline.workspace.summary import Summary

NUMBERS_FILE = "numbers.json"
"""Learned windows and limits of the workspace."""

PROPOSED = f"{config.FILE_NAME}.proposed"
"""Where new proposals go beside settings that exist."""

_SPILL = ".spill"
_EMPTY = "# Settings of this workspace. The first import adds stages proposed from its data.\n"


class Workspace:
    """A folder with settings, a ledger and snapshots.

    Attributes:
        folder: where it is.
        sources: import records.
        org: the live org: connect, pull, doctor.
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
        self.snapshots = snapshots_of(self.folder)
        self.sources = Sources(self)
        self.org = Org(self)
        self.metrics = self.metrics_of(self._open_current)
        self.metrics.explained_by = self.explain
        self.audit = Audit(self._open_current, self.snapshots, lambda: self.settings)
        self.push = Push(self, lambda: self._open_current(None)[0], self.metrics.known_models)
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
            if isinstance(self.snapshots, WarehouseSnapshots):
                return build_in_warehouse(self.settings, self.snapshots, progress=heard)
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
        pinned = self._pinned()
        audit = Audit(pinned, self.snapshots, lambda: self.settings)
        return replace(self._summary(pinned), digest=audit.digest(wait=False))

    def report(self, output: Path | str, *, progress: Progress | None = None) -> Path:
        """Write one HTML page with the four insights, charts included, and return its path."""
        from leadline.workspace.page import page

        (progress or Silent()).begin("report")
        target, pinned = Path(output), self._pinned()
        text = page(self._summary(pinned), self.metrics_of(pinned).volume(grain="month"))
        target.write_text(text, encoding="utf-8")
        return target

    def paths(
        self,
        models: Sequence[str] = ("markov",),
        *,
        by: str = "campaign_id",
        scope: str | None = None,
        options: Options | None = None,
        intervals: bool = False,
        transitions: bool = False,
        as_of: AsOf = None,
    ) -> Result:
        """Path models on the closed opportunities: the amounts of all won ones split by what all of them tell.

        Args:
            models: names of path models.
            by: campaign_id, or a dimension of campaigns.
            scope: whose responses count; default: that of the settings.
            options: order, removal and whatever else a model can be told.
            intervals: bootstrap intervals by opportunity.
            transitions: in place of credit the Markov chain itself: what comes after what, and how deals end.
            as_of: look from there.

        Raises:
            UnknownNameError: a model, scope or dimension that does not exist.
        """
        from leadline.path_table import Options
        from leadline.workspace.deal_paths import deal_paths

        opened, _ = self._open_current(as_of)
        return deal_paths(opened, list(models), by, scope, options or Options(), intervals=intervals, chain=transitions)

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

    def freeze(self, name: str, *, note: str = "", snapshot: str = CURRENT) -> Frozen:
        """Keep a snapshot for good under a name, with settings, goals, costs and models as they stand.

        Raises:
            UsageError: the name cannot be one, or another snapshot has it; leadline.toml is not that of the snapshot.
            UnknownNameError: there is no such snapshot.
            SnapshotError: nothing is published, or the snapshot is damaged.
        """
        from leadline.snapshots.frozen import freeze

        chosen = find(self.snapshots, snapshot)
        names = [config.FILE_NAME, GOALS_FILE, NUMBERS_FILE, *filter(None, [self.settings.costs.file])]
        names += [path.relative_to(self.folder).as_posix() for path in sorted(self.folder.glob("models/*.toml"))]
        if self.settings.model_dump(mode="json", by_alias=True) != json.loads(chosen.meta["settings"]):
            # What stands in the folder gave other numbers; the settings of the snapshot itself are kept anyway.
            names = []
        return freeze(self.snapshots, chosen.id, name, note=note, files={each: self.folder / each for each in names})

    def explain(self, address: str) -> Explanation:
        """Where a number comes from, by its address (`Result.address`).

        Raises:
            UsageError: it is no address of a number, or its row is not there.
            UnknownNameError: a metric, parameter or column that does not exist.
            SnapshotError: nothing is published yet, or no snapshot is sound.
        """
        from leadline.explain import explain
        from leadline.workspace.explaining import states

        wanted = parse(address)
        return explain(wanted, *states(self, wanted))

    def field(self, name: str) -> Result:
        """Which metrics and which tables rest on a field, e.g. "Lead.Status".

        Raises:
            UnknownNameError: no such object or field.
            UsageError: the name is none of a field.
        """
        from leadline.explain import field_table
        from leadline.workspace.explaining import ask_on

        return field_table(name, self._open_current(None)[0], lambda address, opened: ask_on(self, address, opened))

    def journey(self, person: str, *, as_of: AsOf = None, funnel: str | None = None) -> Story:
        """The whole story of a person: records, responses with fates, stages, roles, opportunities, credit.

        Args:
            person: id of a lead or contact, or an e-mail address that one of them has.
            as_of: look from there.
            funnel: its name; None is the first one.

        Raises:
            UsageError: no such person, or several have the address.
        """
        from leadline.explain.stories import journey
        from leadline.workspace.telling import person_id, teller

        opened, _ = self._open_current(as_of)
        record = person_id(self.ledger, opened, person) if "@" in person else person
        return journey(opened, record, funnel=funnel, credit=teller(self.metrics, opened, as_of))

    def opportunity(self, record: str, *, as_of: AsOf = None, funnel: str | None = None) -> Story:
        """The whole story of an opportunity: stages, people with their responses, credit under every model.

        Raises:
            UsageError: there is no such opportunity.
        """
        from leadline.explain.stories import opportunity
        from leadline.workspace.telling import teller

        opened, _ = self._open_current(as_of)
        return opportunity(opened, record, funnel=funnel, credit=teller(self.metrics, opened, as_of))

    def diff(
        self,
        before: str = PREVIOUS,
        after: str = CURRENT,
        *,
        metrics: Sequence[str] = (),
        as_of: AsOf = None,
        own_moments: bool = False,
        listing: bool = False,
        progress: Progress | None = None,
    ) -> Result:
        """What changed every number between two snapshots, in parts that add up.

        Args:
            before, after: frozen names, ids, `current` or `previous`.
            metrics: addresses of tables or numbers; none: the usual ones.
            as_of: the moment both are looked at; default: that of the first one.
            own_moments: each at its own moment; the change by that is a part of its own.
            listing: the records behind the change in place of the numbers.
            progress: hears of the steps.

        Raises:
            UnknownNameError: no snapshot, metric or column of that name.
            SnapshotError: records and snapshots do not belong together under one version of the definitions.
            LoadOrderError: the files of a load are no longer kept.
        """
        from leadline.workspace.comparing import compared

        return compared(
            self,
            find(self.snapshots, before),
            find(self.snapshots, after),
            called=(before, after),
            addresses=metrics,
            moment=as_of,
            own=own_moments,
            listing=listing,
            progress=progress or Silent(),
        )

    def metrics_of(self, opener: Opener) -> Metrics:
        """The metrics of what an opener opens."""
        return Metrics(opener, self.folder / GOALS_FILE, lambda: self.settings.formula)

    def _summary(self, pinned: Opener) -> Summary:
        from leadline.workspace.summary import summarise

        _, funnel = pinned(None)[0].funnel(None)
        return summarise(
            self.metrics_of(pinned), self.folder.name, tuple(funnel.stage_names), of_people=funnel.of_people
        )

    def _proposal(self) -> Proposal:
        from leadline import engines
        from leadline.propose import propose
        from leadline.survey import survey

        path = self.folder / config.FILE_NAME
        existing = path.read_text(encoding="utf-8-sig") if path.exists() else ""
        with engines.writer(":memory:") as con:
            self.ledger.attach(con)
            return propose(survey(con), "" if existing == _EMPTY else existing)

    def _open_current(
        self, as_of: AsOf, close_date: CloseDate = None, snapshot: str | None = None
    ) -> tuple[Opened, tuple[Finding, ...]]:
        if snapshot is not None:
            return self.open_at(find(self.snapshots, snapshot).path, as_of, close_date), ()
        # Chosen and opened in one go: a publish in between may remove the file that was current.
        current, opened = self.snapshots.open_current(lambda path: self.open_at(path, as_of, close_date))
        return opened, current.findings

    def _pinned(self) -> Opener:
        """An opener that stays on the snapshot that is current now."""
        opened, findings = self._open_current(None)
        path = self.snapshots.get(opened.snapshot).path
        return self._on(path, findings)

    def _on(self, path: Path, findings: tuple[Finding, ...] = ()) -> Opener:
        """An opener of one snapshot, whatever is published meanwhile."""

        def opened(
            as_of: AsOf, close_date: CloseDate = None, snapshot: str | None = None
        ) -> tuple[Opened, tuple[Finding, ...]]:
            if snapshot is not None:
                return self._open_current(as_of, close_date, snapshot)
            return self.open_at(path, as_of, close_date), findings

        return opened

    def open_at(self, path: Path, as_of: AsOf, close_date: CloseDate) -> Opened:
        """A snapshot at a moment; connections are kept for further questions."""
        from leadline.model.opened import open_snapshot

        moment = None if as_of is None else _moment(as_of, self.snapshots.get(path.stem).meta["zone"])
        if (path, moment, close_date) not in self._held:
            spill = None
            if moment is not None or close_date is not None:
                # Only another question than the snapshot's own makes tables that may outgrow the memory.
                spill = self.folder / _SPILL
                spill.mkdir(exist_ok=True)
            if isinstance(self.snapshots, WarehouseSnapshots):
                opened = self.snapshots.opened(path.stem, as_of=moment, close_date=close_date)
            else:
                opened = open_snapshot(path, as_of=moment, close_date=close_date, spill=spill)
            if names := names_of(self.folder, path.stem):
                opened = replace(opened, meta=opened.meta | {"frozen": ", ".join(names)})
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
