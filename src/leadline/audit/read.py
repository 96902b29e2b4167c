"""The findings of a snapshot as results: the table, and the records of one finding."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import ibis
import pyarrow as pa

from leadline.audit import acceptances, grouped
from leadline.audit.acceptances import Acceptance
from leadline.audit.moved import Move, Moves
from leadline.audit.registry import BY_CODE
from leadline.audit.run import FINDINGS, RECORDS
from leadline.dates import local_day
from leadline.errors import UnknownNameError
from leadline.findings import OUTSIDE_AUDIT
from leadline.model.opened import Opened
from leadline.results import Column, Definition, Result

COLUMNS = (
    Column("code", "text", help="Name of the check"),
    Column("severity", "text", help="error, warning or info"),
    Column("rows", "integer", help="Records with the fault; 0: the data as a whole"),
    Column("amount", "money", help="Amount of the opportunities concerned"),
    Column(
        "moves",
        "list",
        help="Numbers it moves: as they are (from), as they would be with its records mended (to, between low and high); "
        "empty where that cannot be said",
    ),
    Column("first_seen", "instant", help="Load of the earliest kept snapshot that has it"),
    Column("last_seen", "instant", help="Load of the latest kept snapshot that has it"),
    Column("accepted", "boolean", help="Whether somebody has accepted it"),
    Column("object", "text", help="Salesforce object of the records"),
    Column("message", "text", help="What is wrong"),
    Column("remedy", "text", help="What to do"),
    Column("accepted_until", "date", help="Last day of loads for which it is accepted, or was"),
    Column("accepted_reason", "text", help="Why it is accepted, or was"),
    Column("rows_before", "integer", help="Records with the fault in the kept snapshot before this one"),
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
    "date": pa.date32(),
    "list": pa.list_(
        pa.struct(
            [
                ("metric", pa.string()),
                ("from", pa.float64()),
                ("to", pa.float64()),
                ("number", pa.string()),
                ("kind", pa.string()),
                ("low", pa.float64()),
                ("high", pa.float64()),
            ]
        )
    ),
}
_RANK = {"error": 0, "warning": 1, "info": 2}


Seen = Mapping[str, tuple[dt.datetime, dt.datetime]]
"""Code → the loads of the earliest and the latest kept snapshot that have a finding of it."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known beside the findings of one snapshot.

    Attributes:
        seen: since when and until when the kept snapshots have each code.
        before: (code, object) → records in the kept snapshot before this one; None if there is none.
        moves: code → what it moves; None if that was not measured.
        accepted: what somebody has accepted.
    """

    seen: Seen = field(default_factory=dict)
    before: Mapping[tuple[str, str], int] | None = None
    moves: Moves | None = None
    accepted: tuple[Acceptance, ...] = ()


def findings(opened: Opened, beside: Beside | None = None) -> Result:
    """All findings of the snapshot, the worst first; findings of an object stand in a row of their own.

    Audits are made at publish, so that another as-of shows the same findings.

    Args:
        beside: what is known beside them; without it this snapshot alone speaks.
    """
    rows = [_row(opened, row, beside or Beside()) for row in _raw(opened)]
    rows.sort(key=lambda row: (_RANK[row["severity"]], -row["rows"], row["code"], row["object"]))
    return _result(opened, "Findings", COLUMNS, _table(COLUMNS, rows))


def records(opened: Opened, code: str) -> Result:
    """The records of a finding, one row each, by object and id.

    Raises:
        UnknownNameError: no check and no finding has this code.
    """
    _require_known(opened, code)
    table = _table(RECORD_COLUMNS, [])
    if RECORDS in opened:
        own = opened[RECORDS].filter(ibis._.code == code)
        names = [column.name for column in RECORD_COLUMNS]
        table = opened.arrow(own.select(*names).order_by("object", "record_id"))
    return _result(opened, f"Records of {code}", RECORD_COLUMNS, table, notes=_notes(opened, code))


def grouped_findings(opened: Opened, by: str, code: str | None = None) -> Result:
    """Records and amount of every finding (or of one) per owner, campaign, month or writer.

    Raises:
        UnknownNameError: findings are not grouped by that, or there is no such finding.
    """
    if code is not None:
        _require_known(opened, code)
    columns = grouped.columns(by)
    rows = grouped.rows(opened, by, code)
    title = "Findings" if code is None else f"Records of {code}"
    return _result(opened, f"{title} by {by}", columns, _table(columns, rows))


def _require_known(opened: Opened, code: str) -> None:
    known = codes(opened) | set(BY_CODE) | set(OUTSIDE_AUDIT)
    if code not in known:
        raise UnknownNameError("finding", code, known)


def codes(opened: Opened) -> set[str]:
    """The codes of the findings of the snapshot."""
    return {row["code"] for row in _raw(opened)}


def has_errors(opened: Opened, accepted: tuple[Acceptance, ...] = ()) -> bool:
    """Whether the snapshot has findings of severity error that nobody has accepted."""
    held = acceptances.holding(accepted, load_day(opened))
    return any(row["severity"] == "error" and row["code"] not in held for row in _raw(opened))


def load_day(opened: Opened) -> dt.date:
    """The local day of the load a snapshot rests on; acceptances are held against it."""
    return local_day(opened.known_at, opened.zone)


def _raw(opened: Opened) -> list[dict[str, Any]]:
    return opened.arrow(opened[FINDINGS]).to_pylist() if FINDINGS in opened else []


def _row(opened: Opened, row: dict[str, Any], beside: Beside) -> dict[str, Any]:
    code = row["code"]
    first, last = beside.seen.get(code, (opened.known_at, opened.known_at))
    accepted = acceptances.newest(beside.accepted, code)
    return {
        **row,
        "rows": row["row_count"],
        "moves": _moves(opened, row, beside.moves),
        "first_seen": min(first, opened.known_at),
        "last_seen": max(last, opened.known_at),
        "accepted": accepted is not None and accepted.holds(load_day(opened)),
        "accepted_until": None if accepted is None else accepted.until,
        "accepted_reason": None if accepted is None else accepted.reason,
        "rows_before": None if beside.before is None else beside.before.get((code, row["object"]), 0),
    }


def _moves(opened: Opened, row: dict[str, Any], measured: Moves | None) -> list[dict[str, Any]]:
    """Numbers a finding moves; money in major units."""
    found = ((measured or {}).get(row["code"]) if row["row_count"] else None) or ()
    blank = dict.fromkeys(("from", "to", "number", "kind", "low", "high"))
    told = {one.metric for one in found}
    unknown = [{"metric": name, **blank} for name in row["moves"].split(",") if name and name not in told]
    unit = 10**opened.currency.digits

    def shown(one: Move, value: float | None) -> float | None:
        return value / unit if value is not None and one.kind == "money" else value

    known: list[dict[str, Any]] = [
        {
            "metric": one.metric,
            "from": shown(one, one.before),
            "to": shown(one, one.after),
            "number": one.number,
            "kind": one.kind,
            "low": shown(one, one.low),
            "high": shown(one, one.high),
        }
        for one in found
    ]
    return known + unknown


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
