"""Findings: faults in data, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["info", "warning", "error"]

OUTSIDE_AUDIT: dict[str, str] = {
    "row-count-differs": "a file that has other rows than the manifest of its export says",
    "rows-rejected": "rows of a file that could not be read as records",
    "export-part-missing": "a weekly export whose parts are not all there",
    "object-missing": "an object of earlier loads that a full load lacks",
    "same-moment": "two different loads of the same records and the same moment",
    "column-new": "a column that earlier loads did not have",
    "column-vanished": "a column that earlier loads had",
    "column-changed": "a column whose values come as another kind than before",
    "pending-load-refused": "a load that was interrupted and would have been refused",
    "match-override-unused": "lines of matches.csv that fit no lead or no account",
    "org-fields-changed": "fields of the live org that can no longer be read as before",
    "org-object-hidden": "an object of the live org that can no longer be read",
    "org-not-counted": "an object of the live org whose number of records could not be asked for",
    "snapshot-damaged": "a published snapshot that cannot be read",
    "duplicates-not-compared": "possible duplicates, which are not looked for in a warehouse",
}
"""Findings that no check of the audit makes: of importing, of the ledger, of the snapshots; what each is about."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault in the data and what it touches.

    Attributes:
        code: stable name of the check, e.g. "opportunity-without-role".
        severity: how bad it is by the configured thresholds.
        message: the sentence a reader sees: what, how many, where.
        object: Salesforce object the ids belong to, or an empty string.
        rows: records touched; 0 for a finding that is about the data as a whole.
        amount: money touched in minor units of the reporting currency, or None.
        moves: metrics it can move: volume, conversion, velocity, influence.
        remedy: what to do.
        record_ids: ids of the records touched, complete.
    """

    code: str
    severity: Severity
    message: str
    object: str = ""
    rows: int = 0
    amount: int | None = None
    moves: tuple[str, ...] = ()
    remedy: str = ""
    record_ids: tuple[str, ...] = field(default=(), repr=False)
