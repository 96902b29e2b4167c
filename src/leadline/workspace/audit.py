"""Faults of the data, as the published snapshot holds them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leadline import config
from leadline.errors import SnapshotError, UnknownNameError, UsageError
from leadline.findings import OUTSIDE_AUDIT, Finding

if TYPE_CHECKING:
    from leadline.audit.acceptances import Acceptance
    from leadline.audit.moved import Effect, Moves
    from leadline.audit.read import Beside
    from leadline.model.opened import Opened
    from leadline.results import Result
    from leadline.snapshots import Snapshots
    from leadline.workspace.metrics import Opener

MEASURED_AT_ONCE = 200_000
"""Records of findings up to which the digest of a summary is measured while the reader waits."""

_SPILL = ".spill"


@dataclass(frozen=True, slots=True)
class _Kept:
    """What one kept snapshot found: its load, and records by code and object."""

    known_at: dt.datetime
    rows: dict[tuple[str, str], int]


class Audit:
    """The findings of the published snapshot.

    Args:
        opener: opens the snapshot.
        snapshots: all that are kept; they tell since when a finding is known.
        settings: reads leadline.toml, whose thresholds must name checks.

    Raises:
        ConfigError: leadline.toml or accepted.toml has faults.
        SnapshotError: nothing is published yet, or no snapshot is sound.
    """

    def __init__(self, opener: Opener, snapshots: Snapshots, settings: Callable[[], config.Settings]) -> None:
        self._opener = opener
        self._snapshots = snapshots
        self._settings = settings

    def findings(self) -> tuple[Finding, ...]:
        """Every finding, the worst first; `records` lists the ids of one."""
        rows = self.table(effects=False).table.to_pylist()
        return tuple(
            Finding(
                code=row["code"],
                severity=row["severity"],
                message=row["message"],
                object=row["object"] or "",
                rows=row["rows"],
                amount=row["amount"],
                moves=tuple(dict.fromkeys(move["metric"] for move in row["moves"])),
                remedy=row["remedy"] or "",
            )
            for row in rows
        )

    def table(self, *, effects: bool = True, by: str | None = None, code: str | None = None) -> Result:
        """The findings as a result, the worst first, each with when it was first and last seen.

        Args:
            effects: measure by how much each moves the headline numbers (once per snapshot).
            by: owner, campaign, month or written_by: records and amount per group in place of that.
            code: with `by`, only this finding.

        Raises:
            UnknownNameError: findings are not grouped by that, or there is no such finding.
        """
        from leadline.audit import read

        self._settings()
        opened = self._opener(None)[0]
        if by is not None:
            return read.grouped_findings(opened, by, code)
        return read.findings(opened, self._beside(opened, effects=effects))

    def records(self, code: str) -> Result:
        """The records of one finding.

        Raises:
            UnknownNameError: no check has this code.
        """
        from leadline.audit import read

        self._settings()
        return read.records(self._opener(None)[0], code)

    def digest(self, *, wait: bool = True) -> tuple[Effect, ...] | None:
        """The findings nobody has accepted that move headline numbers most.

        Args:
            wait: measure however long it takes; otherwise None where that would be long.
        """
        from leadline.audit import acceptances, read
        from leadline.audit.moved import digest

        opened = self._opener(None)[0]
        moves = self._moves(opened, wait=wait)
        if moves is None:
            return None
        held = acceptances.holding(self.accepted(), read.load_day(opened))
        return digest(moves, read.codes(opened) - held)

    def accept(self, code: str, *, reason: str, until: dt.date) -> Path:
        """Accept a finding for loads up to a day; returns the file that says so.

        Raises:
            UnknownNameError: no check and no finding has this code.
            UsageError: no reason, or a day before the newest load.
        """
        from leadline.audit import acceptances, read
        from leadline.audit.registry import BY_CODE

        opened = self._opener(None)[0]
        known = {*BY_CODE, *OUTSIDE_AUDIT, *read.codes(opened)}
        if code not in known:
            raise UnknownNameError("finding", code, known)
        path = self._accepted_file
        acceptances.add(path, acceptances.Acceptance(code, reason, until), read.load_day(opened))
        return path

    def accepted(self) -> tuple[Acceptance, ...]:
        """What has been accepted, expired acceptances included."""
        from leadline.audit import acceptances

        return acceptances.load(self._accepted_file)

    def has_errors(self) -> bool:
        """Whether any finding that nobody has accepted has severity error."""
        from leadline.audit import read

        return read.has_errors(self._opener(None)[0], self.accepted())

    @property
    def _accepted_file(self) -> Path:
        from leadline.audit import acceptances

        return self._snapshots.workspace / acceptances.FILE_NAME

    def _beside(self, opened: Opened, *, effects: bool) -> Beside:
        from leadline.audit.read import Beside

        kept = self._kept()
        seen: dict[str, tuple[dt.datetime, dt.datetime]] = {}
        for each in kept:
            for code, _ in each.rows:
                first, last = seen.get(code, (each.known_at, each.known_at))
                seen[code] = min(first, each.known_at), max(last, each.known_at)
        earlier = [each for each in kept if each.known_at < opened.known_at]
        before = max(earlier, key=lambda each: each.known_at).rows if earlier else None
        moves = self._moves(opened) if effects else None
        return Beside(seen, before, moves, self.accepted())

    def _moves(self, opened: Opened, *, wait: bool = True) -> Moves | None:
        from leadline.effects import stored

        if not self._snapshots.in_files:
            if wait:
                raise UsageError(
                    "By how much findings move the numbers is measured in snapshot files only, and this workspace "
                    "builds in a warehouse. Ask with `leadline audit --quick`: the findings without it."
                )
            return None
        path = self._snapshots.get(opened.snapshot).path
        kept = stored.read(path)
        if kept is not None:
            return kept
        if not wait and opened.arrow(opened["finding_records"].count()).as_py() > MEASURED_AT_ONCE:
            return None
        spill = self._snapshots.workspace / _SPILL
        spill.mkdir(exist_ok=True)
        return stored.moves(path, spill)

    def _kept(self) -> list[_Kept]:
        return [_Kept(each.known_at, _rows(each.path)) for each in self._snapshots.list()]


def _rows(path: Path) -> dict[tuple[str, str], int]:
    """Records by code and object of a kept snapshot; nothing of one that a publish has just removed, or is damaged."""
    import duckdb

    from leadline import engines

    try:
        con = engines.reader(path)
    except SnapshotError:
        return {}
    try:
        rows = con.execute('SELECT code, "object", row_count FROM findings').fetchall()
        found: dict[tuple[str, str], int] = {}
        for code, name, count in rows:
            found[code, name] = found.get((code, name), 0) + count
        return found
    except duckdb.Error:
        return {}
    finally:
        con.close()
