"""Faults of the data, as the published snapshot holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadline.findings import Finding

if TYPE_CHECKING:
    from leadline.results import Result
    from leadline.workspace.metrics import Opener


class Audit:
    """The findings of the published snapshot.

    Raises:
        SnapshotError: nothing is published yet, or no snapshot is sound.
    """

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

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
                moves=tuple((row["moves"] or "").split(", ")) if row["moves"] else (),
                remedy=row["remedy"] or "",
            )
            for row in rows
        )

    def table(self) -> Result:
        """The findings as a result, the worst first."""
        from leadline.audit import read

        return read.findings(self._opener(None)[0])

    def records(self, code: str) -> Result:
        """The records of one finding.

        Raises:
            UnknownNameError: no check has this code.
        """
        from leadline.audit import read

        return read.records(self._opener(None)[0], code)

    def has_errors(self) -> bool:
        """Whether any finding has severity error."""
        from leadline.audit import read

        return read.has_errors(self._opener(None)[0])
