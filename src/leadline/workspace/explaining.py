"""States of a workspace as `explain` asks them: each with a memory of what was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from leadline.address import Address
from leadline.snapshots import Snapshot, Snapshots
from leadline.snapshots.frozen import CURRENT, find, names_of, previous_of
from leadline.workspace.questions import ask

if TYPE_CHECKING:
    from pathlib import Path

    from leadline.explain import State
    from leadline.findings import Finding
    from leadline.model.opened import Opened
    from leadline.results import Result
    from leadline.workspace.metrics import AsOf, CloseDate, Metrics, Opener


class Home(Protocol):
    """What explaining needs of its workspace."""

    folder: Path
    snapshots: Snapshots

    def metrics_of(self, opener: Opener) -> Metrics:
        """The metrics of what an opener opens."""

    def open_at(self, path: Path, as_of: AsOf, close_date: CloseDate) -> Opened:
        """A snapshot at a moment."""


def ask_on(home: Home, address: Address, opened: Opened, models: Path | None = None) -> Result:
    """Answer an address on a snapshot that is open already; `models` holds other credit models than the workspace's."""

    def opener(
        as_of: AsOf, close_date: CloseDate = None, snapshot: str | None = None
    ) -> tuple[Opened, tuple[Finding, ...]]:
        return opened, ()

    metrics = home.metrics_of(opener)
    metrics.models_folder = models
    return ask(metrics, address)


def states(home: Home, address: Address) -> tuple[State, State | None]:
    """The state a number is of, and the one published before it."""
    named = address.values("snapshot")
    current = find(home.snapshots, named[0] if named else CURRENT)
    before = previous_of(home.snapshots, current)
    return state(home, current, address), None if before is None else state(home, before, address)


def state(home: Home, snapshot: Snapshot, address: Address) -> State:
    """A snapshot at the moment an address asks for."""
    from leadline.explain import State
    from leadline.explain.watched import watched

    told = dict(address.question)
    close_date: CloseDate = told.get("close_date")  # type: ignore[assignment]
    opened = watched(home.open_at(snapshot.path, told.get("as_of"), close_date))
    return State(lambda asked: ask_on(home, asked, opened), opened, names_of(home.folder, snapshot.id))
