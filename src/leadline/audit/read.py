"""The findings of a snapshot as results: the table, and the records of one finding."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import ibis
import pyarrow as pa

from leadline.audit.registry import BY_CODE
from leadline.audit.run import FINDINGS, RECORDS
from leadline.errors import UnknownNameError
from leadline.findings import OUTSIDE_AUDIT
from leadline.model.opened import Opened
from leadline.results import Column, Definition, Result

COLUMNS = (
    Column("code", "text", help="Name of the check"),
    Column("severity", "text", help="error, warning or info"),
    Column("rows", "integer", help="Records with the fault; 0: the data as a whole"),
    Column("amount", "money", help="Amount of the opportunities concerned"),
    Column("moves", "list", help="Metrics it can move; from and to are empty as long as the effect is not computed"),
    Column("first_seen", "instant", help="Load of the earliest kept snapshot that has it"),
    Column("last_seen", "instant", help="Load of the latest kept snapshot that has it"),
    Column("accepted", "boolean", help="Whether somebody has accepted it"),
    Column("object", "text", help="Salesforce object of the records"),
    Column("message", "text", help="What is wrong"),
    Column("remedy", "text", help="What to do"),
)
"""Columns of the table of findings."""

RECORD_COLUMNS = (
    Column("code", "text", help="Name of the check"),
    Column("object", "text", help="Salesforce object of the record"),
    Column("record_id", "text", help="Salesforce id of the record"),
    Column("person_id", "text", help="Person whose numbers it can move"),
    Column("opportunity_id", "text", help="Opportunity whose numbers it can move"),
)
"""Columns of the list of one finding."""

_TEXT = "Faults of the data found when the snapshot was published: records with a fault, the metrics it can move, and what to do."
_ARROW = {
    "text": pa.string(),
    "integer": pa.int64(),
    "money": pa.int64(),
    "instant": pa.timestamp("us", tz="UTC"),
    "boolean": pa.bool_(),
    "list": pa.list_(pa.struct([("metric", pa.string()), ("from", pa.float64()), ("to", pa.float64())])),
}
_RANK = {"error": 0, "warning": 1, "info": 2}


Seen = Mapping[str, tuple[dt.datetime, dt.datetime]]
"""Code → the loads of the earliest and the latest kept snapshot that have a finding of it."""


def findings(opened: Opened, seen: Seen | None = None) -> Result:
    """All findings of the snapshot, the worst first; findings of an object stand in a row of their own.

    Audits are made at publish, so that another as-of shows the same findings.

    Args:
        seen: what the kept snapshots say; without it this one alone.
    """
    rows = [_row(opened, row, seen or {}) for row in _raw(opened)]
    rows.sort(key=lambda row: (_RANK[row["severity"]], -row["rows"], row["code"], row["object"]))
    return _result(opened, "Findings", COLUMNS, _table(COLUMNS, rows))


def records(opened: Opened, code: str) -> Result:
    """The records of a finding, one row each, by object and id.

    Raises:
        UnknownNameError: no check and no finding has this code.
    """
    known = {row["code"] for row in _raw(opened)} | set(BY_CODE) | set(OUTSIDE_AUDIT)
    if code not in known:
        raise UnknownNameError("finding", code, known)
    table = _table(RECORD_COLUMNS, [])
    if RECORDS in opened:
        own = opened[RECORDS].filter(ibis._.code == code)
        names = [column.name for column in RECORD_COLUMNS]
        table = opened.arrow(own.select(*names).order_by("object", "record_id"))
    return _result(opened, f"Records of {code}", RECORD_COLUMNS, table, notes=_notes(opened, code))


def codes(opened: Opened) -> set[str]:
    """The codes of the findings of the snapshot."""
    return {row["code"] for row in _raw(opened)}


def has_errors(opened: Opened) -> bool:
    """Whether the snapshot has findings of severity error."""
    return any(row["severity"] == "error" for row in _raw(opened))


def _raw(opened: Opened) -> list[dict[str, Any]]:
    return opened.arrow(opened[FINDINGS]).to_pylist() if FINDINGS in opened else []


def _row(opened: Opened, row: dict[str, Any], seen: Seen) -> dict[str, Any]:
    first, last = seen.get(row["code"], (opened.known_at, opened.known_at))
    return {
        **row,
        "rows": row["row_count"],
        "moves": [{"metric": name, "from": None, "to": None} for name in row["moves"].split(",") if name],
        "first_seen": min(first, opened.known_at),
        "last_seen": max(last, opened.known_at),
        "accepted": False,
    }


def _notes(opened: Opened, code: str) -> tuple[str, ...]:
    own = [row["message"] for row in _raw(opened) if row["code"] == code]
    return tuple(own) or ("There is no such finding in this snapshot.",)


def _table(columns: tuple[Column, ...], rows: list[dict[str, Any]]) -> pa.Table:
    return pa.table({one.name: pa.array([row[one.name] for row in rows], _ARROW[one.type]) for one in columns})


def _result(
    opened: Opened, title: str, columns: tuple[Column, ...], table: pa.Table, notes: tuple[str, ...] = ()
) -> Result:
    return Result(
        kind="audit",
        title=title,
        definition=Definition(_TEXT, opened.meta.get("definition_version", "1")),
        as_of=opened.moment,
        known_at=opened.known_at,
        snapshot=opened.snapshot,
        timezone=opened.zone,
        currency=opened.currency.code,
        currency_digits=opened.currency.digits,
        unit="records",
        filters={},
        columns=columns,
        table=table,
        notes=notes,
    )
