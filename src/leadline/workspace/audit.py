"""Faults of the data, as the published snapshot holds them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from leadline import config
from leadline.errors import SnapshotError
from leadline.findings import Finding

if TYPE_CHECKING:
    from leadline.audit.read import Seen
    from leadline.results import Result
    from leadline.snapshots import Snapshots
    from leadline.workspace.metrics import Opener


class Audit:
    """The findings of the published snapshot.

    Args:
        opener: opens the snapshot.
        snapshots: all that are kept; they tell since when a finding is known.
        settings: reads leadline.toml, whose thresholds must name checks.

    Raises:
        ConfigError: leadline.toml has faults.
        SnapshotError: nothing is published yet, or no snapshot is sound.
    """

    def __init__(self, opener: Opener, snapshots: Snapshots, settings: Callable[[], config.Settings]) -> None:
        self._opener = opener
        self._snapshots = snapshots
        self._settings = settings

    def findings(self) -> tuple[Finding, ...]:
        """Every finding, the worst first; `records` lists the ids of one."""
        rows = self.table().table.to_pylist()
        return tuple(
            Finding(
                code=row["code"],
                severity=row["severity"],
                message=row["message"],
                object=row["object"] or "",
                rows=row["rows"],
                amount=row["amount"],
                moves=tuple(move["metric"] for move in row["moves"]),
                remedy=row["remedy"] or "",
            )
            for row in rows
        )

    def table(self) -> Result:
        """The findings as a result, the worst first, each with when it was first and last seen."""
        from leadline.audit import read

        self._settings()
        return read.findings(self._opener(None)[0], self._seen())

    def records(self, code: str) -> Result:
        """The records of one finding.

        Raises:
            UnknownNameError: no check has this code.
        """
        from leadline.audit import read

        self._settings()
        return read.records(self._opener(None)[0], code)

    def has_errors(self) -> bool:
        """Whether any finding has severity error."""
        from leadline.audit import read

        return read.has_errors(self._opener(None)[0])

    def _seen(self) -> Seen:
        """Code → loads of the earliest and the latest kept snapshot that have it."""
        seen: dict[str, tuple[dt.datetime, dt.datetime]] = {}
        for each in self._snapshots.list():
            moment = each.known_at
            for code in _codes(each.path):
                first, last = seen.get(code, (moment, moment))
                seen[code] = min(first, moment), max(last, moment)
        return seen


def _codes(path: Path) -> set[str]:
    """The codes of a kept snapshot; none of one that a publish has just removed, or that is damaged."""
    import duckdb

    from leadline import engines

    try:
        con = engines.reader(path)
    except SnapshotError:
        return set()
    try:
        return {code for (code,) in con.execute("SELECT DISTINCT code FROM findings").fetchall()}
    except duckdb.Error:
        return set()
    finally:
        con.close()
