"""Lists of the workspace as results, so that every command has the same forms."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from leadline.results import Column, Definition, Result

if TYPE_CHECKING:
    from leadline.snapshots import Snapshot

SNAPSHOT_COLUMNS = (
    Column("id", "text", help="Name of the snapshot"),
    Column("as_of", "instant", help="Events up to here count"),
    Column("known_at", "instant", help="Attributes are those known then"),
    Column("content_hash", "text", help="SHA-256 of the tables of the model"),
    Column("frozen", "boolean", help="Kept for good"),
    Column("size_bytes", "integer", "bytes", "Size of its file"),
)

_ARROW = {
    "text": pa.string(),
    "instant": pa.timestamp("us", tz="UTC"),
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "money": pa.int64(),
}


def snapshot_table(snapshots: Sequence[Snapshot], known: Snapshot) -> Result:
    """The published snapshots; rows as the public contract lists them, the newest first.

    Args:
        snapshots: to list.
        known: the one that readers take, for the facts around the table.
    """
    rows = [{column.name: getattr(one, column.name) for column in SNAPSHOT_COLUMNS} for one in snapshots]
    text = "Published states of the model. The same content under the same definitions has the same hash."
    return of_snapshot(known, "snapshots", "Snapshots", text, SNAPSHOT_COLUMNS, rows, unit="snapshots")


def of_snapshot(
    snapshot: Snapshot,
    kind: str,
    title: str,
    text: str,
    columns: tuple[Column, ...],
    rows: Sequence[dict[str, Any]],
    *,
    unit: str,
    notes: tuple[str, ...] = (),
) -> Result:
    """Rows as a result with the facts of a snapshot around them."""
    currency = json.loads(snapshot.meta["currency"])
    return Result(
        kind=kind,
        title=title,
        definition=Definition(text, snapshot.meta["definition_version"]),
        as_of=_aware(snapshot.as_of),
        known_at=_aware(snapshot.known_at),
        snapshot=snapshot.id,
        timezone=snapshot.meta["zone"],
        currency=currency["code"],
        currency_digits=currency["digits"],
        unit=unit,
        filters={},
        columns=columns,
        table=pa.table({one.name: pa.array([row[one.name] for row in rows], _ARROW[one.type]) for one in columns}),
        notes=notes,
    )


def _aware(moment: dt.datetime) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
