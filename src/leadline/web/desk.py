"""A desk: one engine on the snapshots, for one question at a time, held to one snapshot per question."""

from __future__ import annotations

import datetime as dt
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from leadline import dates
from leadline.address import parse
from leadline.config import Settings
from leadline.errors import SnapshotError
from leadline.findings import Finding
from leadline.model import dimensions as declared_dimensions
from leadline.snapshots.frozen import find, names_of, previous_of
from leadline.workspace import Workspace

if TYPE_CHECKING:
    from leadline.explain import Explanation
    from leadline.model.opened import Opened
    from leadline.snapshots import Snapshot
    from leadline.workspace.metrics import AsOf, CloseDate, Metrics, Opener

SPILL = ".spill"
"""Folder of the workspace for tables of another moment that outgrow the memory."""

HELD = 3
"""Engines a desk keeps open: the snapshot, the one before it, and one at another moment."""


@dataclass(frozen=True, slots=True)
class Pin:
    """The snapshot a page view rests on, and what it says of itself.

    Attributes:
        key: id of the snapshot.
        as_of, known_at: the moment it looks from; the load it rests on.
        findings: why it is not the one published last, if it is not.
        frozen: the names it is kept under for good.
    """

    key: str
    path: Path
    as_of: dt.datetime
    known_at: dt.datetime
    zone: str
    currency: str
    digits: int
    settings: Settings
    findings: tuple[Finding, ...] = ()
    frozen: tuple[str, ...] = ()

    @property
    def funnels(self) -> tuple[str, ...]:
        """Names of the funnels, the usual one first."""
        return tuple(self.settings.funnel)

    def stages(self, funnel: str | None = None) -> tuple[str, ...]:
        """Names of the stages of a funnel, in order; none without a funnel."""
        name = funnel or next(iter(self.settings.funnel), None)
        return () if name is None else tuple(self.settings.funnel[name].stage_names)

    @property
    def of_people(self) -> bool:
        """Whether the usual funnel begins with people."""
        return any(funnel.of_people for funnel in list(self.settings.funnel.values())[:1])

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the dimensions that rest on a field."""
        return tuple(declared_dimensions.declared(self.settings))


def pinned(snapshot: Snapshot, findings: tuple[Finding, ...], folder: Path) -> Pin:
    """What a snapshot says of itself."""
    meta: Mapping[str, str] = snapshot.meta
    currency = json.loads(meta["currency"])
    return Pin(
        key=snapshot.id,
        path=snapshot.path,
        as_of=dt.datetime.fromisoformat(meta["as_of"]),
        known_at=dt.datetime.fromisoformat(meta["known_at"]),
        zone=meta["zone"],
        currency=currency["code"],
        digits=currency["digits"],
        settings=Settings.model_validate(json.loads(meta["settings"])),
        findings=findings,
        frozen=names_of(folder, snapshot.id),
    )


class Desk(Workspace):
    """A workspace whose questions all go to one pinned snapshot, by one engine; for one thread at a time."""

    def __init__(self, folder: Path, memory: str) -> None:
        self._memory = memory
        self._pin: Pin | None = None
        self._records: dict[str, str] = {}
        super().__init__(folder)
        self._engines: OrderedDict[tuple[Path, dt.datetime | None, CloseDate], Opened] = OrderedDict()

    def sit(self, pin: Pin, records: Mapping[str, str]) -> None:
        """Turn to a snapshot and to the records that may be seen; engines of earlier snapshots stay while there is room."""
        self._pin = pin
        self._records = dict(records)
        self.metrics = self.metrics_of(self._open_current)

    @property
    def pin(self) -> Pin:
        """The snapshot of the question at hand.

        Raises:
            SnapshotError: nobody has turned to one.
        """
        if self._pin is None:
            raise SnapshotError("No snapshot has been chosen for this question.")
        return self._pin

    def metrics_of(self, opener: Opener) -> Metrics:
        """The metrics of what an opener opens, held to the records that may be seen."""
        found = super().metrics_of(opener)
        return found.restricted(self._records) if self._records else found

    def opened(self, as_of: AsOf = None) -> Opened:
        """The pinned snapshot, at its own moment or another one."""
        return self._open_current(as_of)[0]

    def interrupt(self) -> None:
        """Stop whatever the engines are working on; safe from another thread."""
        for opened in list(self._engines.values()):
            opened.backend.con.interrupt()

    def close(self) -> None:
        """Close every engine."""
        while self._engines:
            self._engines.popitem()[1].backend.disconnect()

    def explain(self, address: str) -> Explanation:
        """Where a number of the pinned snapshot comes from, by its address."""
        from leadline.explain import explain
        from leadline.workspace.explaining import state

        wanted = parse(address)
        named = wanted.values("snapshot")
        current = find(self.snapshots, named[0] if named else self.pin.key)
        before = previous_of(self.snapshots, current)
        return explain(wanted, state(self, current, wanted), None if before is None else state(self, before, wanted))

    def _open_current(
        self, as_of: AsOf, close_date: CloseDate = None, snapshot: str | None = None
    ) -> tuple[Opened, tuple[Finding, ...]]:
        if snapshot is not None:
            return self.open_at(find(self.snapshots, snapshot).path, as_of, close_date), ()
        return self.open_at(self.pin.path, as_of, close_date), self.pin.findings

    def open_at(self, path: Path, as_of: AsOf, close_date: CloseDate) -> Opened:
        """A snapshot at a moment; the engines used last are kept."""
        moment = self._moment(path, as_of)
        held = self._engines.get((path, moment, close_date))
        if held is None:
            held = self._opened(path, moment, close_date)
            self._engines[path, moment, close_date] = held
            while len(self._engines) > HELD:
                self._engines.popitem(last=False)
        self._engines.move_to_end((path, moment, close_date))
        return held

    def _moment(self, path: Path, as_of: AsOf) -> dt.datetime | None:
        if as_of is None:
            return None
        pin = self.pin
        zone = pin.zone if path == pin.path else self.snapshots.get(path.stem).meta["zone"]
        own = pin.as_of if path == pin.path else None
        moment = dates.parse_as_of(as_of if isinstance(as_of, str) else as_of.isoformat(), zone)
        return None if moment == own else moment

    def _opened(self, path: Path, moment: dt.datetime | None, close_date: CloseDate) -> Opened:
        from leadline.model.opened import open_snapshot

        spill = None
        if moment is not None or close_date is not None:
            # Only another question than the snapshot's own makes tables that may outgrow the memory.
            spill = self.folder / SPILL
            spill.mkdir(exist_ok=True)
        opened = open_snapshot(path, as_of=moment, close_date=close_date, spill=spill, memory_limit=self._memory)
        names = names_of(self.folder, path.stem)
        return replace(opened, meta=opened.meta | {"frozen": ", ".join(names)}) if names else opened
