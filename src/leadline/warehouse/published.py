"""The snapshots of a workspace whose model lies in a warehouse, in the shape of those kept in files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from leadline.config import WarehouseSettings
from leadline.errors import DependencyError, SnapshotError, UsageError
from leadline.snapshots import Current, Published, Snapshot, Snapshots

if TYPE_CHECKING:
    from leadline.config import Settings
    from leadline.model.opened import Opened
    from leadline.sources.costs_file import CostsFile
    from leadline.sources.matches_file import MatchesFile
    from leadline.warehouse.building import Made
    from leadline.warehouse.engine import Engine, Entry

NAME: Final = "leadline"
"""First part of the names of Leadline's schemas, unless the settings name another."""

_TRIES: Final = 5
"""How often a reader begins anew because publishes overtook it."""

T = TypeVar("T")


class WarehouseSnapshots(Snapshots):
    """The snapshots of one workspace, in its warehouse.

    Args:
        workspace: folder of the workspace; nothing of the snapshots lies in it.
        settings: the warehouse.
    """

    in_files = False

    def __init__(self, workspace: Path, settings: WarehouseSettings) -> None:
        super().__init__(workspace)
        self.settings = settings
        self.folder = Path(f"{settings.engine}:{settings.snapshots or NAME}")

    @cached_property
    def engine(self) -> Engine:
        """The connection, made at its first use.

        Raises:
            DependencyError: what the engine needs is not installed.
            UsageError: it cannot be reached.
        """
        return connected(self.settings)

    def build(
        self,
        settings: Settings,
        *,
        numbers: dict[str, int],
        config_hash: Callable[[dict[str, int]], str],
        spent: CostsFile | None,
        matches: MatchesFile | None,
        progress: Callable[[str], None],
    ) -> tuple[Published, dict[str, int]]:
        """Build from the loader's tables and switch readers; what is published, and the learned numbers."""
        engine = self.engine
        from leadline.warehouse.building import build

        made: Made = build(
            engine,
            settings,
            numbers=numbers,
            config_hash=config_hash,
            spent=spent,
            matches=matches,
            progress=progress,
        )
        return Published(self._snapshot(made.entry), made.repeated), made.numbers

    def opened(self, key: str, *, as_of: dt.datetime | None = None, close_date: str | None = None) -> Opened:
        """A snapshot by its id, at its own moment or another one.

        Raises:
            UnknownNameError: there is none of that id.
        """
        engine = self.engine
        from leadline.warehouse.opening import opened

        return opened(engine, key, self.get(key).meta, as_of=as_of, close_date=close_date)

    def open_current(self, opener: Callable[[Path], T], *, thorough: bool = False) -> tuple[Current, T]:
        """The published snapshot, opened; begins anew if another is published and this one removed meanwhile.

        Raises:
            SnapshotError: nothing is published.
        """
        for _ in range(_TRIES):
            key = self.engine.current()
            found = {each.id: each for each in self.list()}
            if not key:
                raise SnapshotError(f"Nothing is published in {self.folder} yet. Publish with `leadline build`.")
            if key in found:
                return Current(found[key]), opener(found[key].path)
        raise SnapshotError(f"{self.folder} names a snapshot that is not there. Make a new one with `leadline build`.")

    def list(self) -> tuple[Snapshot, ...]:
        """All snapshots, the newest first."""
        return tuple(self._snapshot(entry) for entry in self.engine.listed())

    def check(self, key: str) -> str:
        """Nothing: a warehouse keeps its tables sound itself."""
        self.get(key)
        return ""

    def freeze(self, key: str) -> Snapshot:
        """Snapshots in a warehouse cannot be frozen yet.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            f"The snapshot {key} lies in a warehouse ([warehouse] engine = {self.settings.engine!r}), where none can be "
            "frozen yet. Copy its schema or folder to keep it."
        )

    def _snapshot(self, entry: Entry) -> Snapshot:
        return Snapshot(
            id=entry.id,
            as_of=dt.datetime.fromisoformat(entry.meta["as_of"]),
            known_at=dt.datetime.fromisoformat(entry.meta["known_at"]),
            content_hash=entry.meta["content_hash"],
            frozen=False,
            size_bytes=0,
            path=self.folder / f"{entry.id}.{self.settings.engine}",
            meta=entry.meta,
            sequence=entry.sequence,
            file_hash="",
        )


def connected(settings: WarehouseSettings) -> Engine:
    """The engine that the settings name.

    Raises:
        DependencyError: what it needs is not installed.
        UsageError: it cannot be reached.
    """
    name = settings.snapshots or NAME
    url, source = settings.url or "", settings.source or ""
    try:
        if settings.engine == "postgres":
            from leadline.warehouse.postgres import Postgres

            return Postgres(url, source, name)
        from leadline.warehouse.spark import Spark

        return Spark(url, Path(source), Path(name), settings.options)
    except ModuleNotFoundError as fault:
        raise DependencyError(
            f"engine = {settings.engine!r} needs the package {fault.name!r}. "
            f"Install it with `pip install 'leadline[{settings.engine}]'`."
        ) from fault
