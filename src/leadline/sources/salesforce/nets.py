"""What a window of changes does not show: records deleted for good, children of merged records, history of deleted ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote

import duckdb
import pyarrow as pa

from leadline.errors import ApiError
from leadline.sources.salesforce import faults, rest
from leadline.sources.salesforce.plan import ObjectPlan
from leadline.sources.salesforce.session import Session, from_json
from leadline.sources.salesforce.transport import Response
from leadline.sources.sql_text import file_list, literal

MERGED: Final = ("Lead", "Contact", "Account")
"""Objects whose records can be merged; their children then point elsewhere without a stamp of their own."""
_IDS: Final = 150
"""Ids in one query."""
_REACH: Final = dt.timedelta(days=14)
"""The list of deleted records goes back 15 days; a day is left for the way."""

_NO_LIST: Final = frozenset({faults.TOO_MANY_IDS, "INVALID_REPLICATION_DATE"})
"""Codes by which the org says that it cannot list the deletions of a window."""


class Known(Protocol):
    """What the ledger holds, as far as a pull must know."""

    def live(self, name: str, ids: Sequence[str]) -> list[str]:
        """Those of the ids that the ledger has as records not deleted."""

    def dead(self, name: str, ids: Sequence[str]) -> list[str]:
        """Those of the ids that the ledger has as deleted records."""

    def pointing(self, name: str, fields: Sequence[str], ids: Sequence[str]) -> list[str]:
        """Ids of known records of which one of the fields holds one of the ids."""

    def records(self, name: str, ids: Sequence[str], columns: Sequence[str]) -> pa.Table:
        """The newest known state of records."""

    def missing(self, name: str, files: Sequence[Path]) -> tuple[int, int]:
        """How many of the live records the ledger knows are not in the files, and how many it knows."""


def deleted(session: Session, plan: ObjectPlan, now: dt.datetime, overlap: dt.timedelta) -> list[str] | None:
    """Ids of records deleted in the window of a plan; None if the org cannot tell for all of it.

    The list may end before `now`; it must reach to where the next one begins, `overlap` before the mark.
    """
    if plan.since is None or not plan.shape.replicateable or "IsDeleted" not in plan.fields:
        return []
    if now - plan.since > _REACH:
        return None
    bounds = f"start={quote(_iso(plan.since))}&end={quote(_iso(now))}"
    path = session.data(f"sobjects/{plan.name}/deleted/?{bounds}")
    try:
        told = session.call("GET", path, _deleted, f"the deleted records of {plan.name}")
    except ApiError as error:
        if error.code in _NO_LIST:
            return None
        raise
    earliest, latest = (told.get(key) for key in ("earliestDateAvailable", "latestDateCovered"))
    if earliest and dt.datetime.fromisoformat(earliest) > plan.since:
        return None
    if latest and dt.datetime.fromisoformat(latest) < plan.until - overlap:
        return None
    return [str(one["id"]) for one in told["deletedRecords"]]


def _deleted(response: Response) -> dict[str, Any]:
    told = from_json(response)
    if not isinstance(told, dict) or not isinstance(told.get("deletedRecords"), list):
        raise ValueError("not a list of deleted records")
    return told


def _iso(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="seconds")


def purged(session: Session, name: str, ids: Iterable[str]) -> list[str]:
    """Those of the ids that the org no longer has, not even in its recycle bin."""
    gone: list[str] = []
    for some in batches(sorted(ids)):
        soql = f"SELECT Id FROM {name} WHERE Id IN ({id_list(some)})"
        there = {record["Id"] for record in rest.records(session, soql, f"deleted records of {name}")}
        gone += [one for one in some if one not in there]
    return gone


def merged_ids(con: duckdb.DuckDBPyConnection, files: Sequence[Path], since: dt.datetime) -> list[str]:
    """Losers and winners of merges that were stamped since then, in the pages of an object."""
    if not files:
        return []
    moment = literal(since.astimezone(dt.UTC).replace(tzinfo=None).isoformat())
    rows = con.execute(
        f"SELECT Id, MasterRecordId FROM read_parquet({file_list(list(files))}) "
        f"WHERE MasterRecordId IS NOT NULL AND SystemModstamp >= {moment}::TIMESTAMP"
    ).fetchall()
    return sorted({one for row in rows for one in row})


def stamped_ids(
    con: duckdb.DuckDBPyConnection, files: Sequence[Path], since: dt.datetime
) -> tuple[list[str], list[str]]:
    """Ids of records that were stamped since then: those deleted now, and those that are not."""
    if not files:
        return [], []
    moment = literal(since.astimezone(dt.UTC).replace(tzinfo=None).isoformat())
    rows = con.execute(
        f"SELECT Id, coalesce(IsDeleted, false) FROM read_parquet({file_list(list(files))}) "
        f"WHERE SystemModstamp >= {moment}::TIMESTAMP ORDER BY Id"
    ).fetchall()
    return [key for key, gone in rows if gone], [key for key, gone in rows if not gone]


def child_queries(plan: ObjectPlan, parents: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Queries of the records of an object that point at merged ones."""
    for parent, ids in sorted(parents.items()):
        for name in lookups(plan, parent):
            if plan.shape.fields[name].filterable:
                yield from _queries(plan, name, ids)


def orphan_queries(plan: ObjectPlan, known: Known, gone: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Queries of the known records of an object that pointed at records the org no longer has.

    One that was merged and then purged between two pulls tells nobody whose its children are now.
    """
    ids = {
        one
        for parent, purged_ids in gone.items()
        if (fields := lookups(plan, parent))
        for one in known.pointing(plan.name, fields, purged_ids)
    }
    return _queries(plan, "Id", sorted(ids))


def lookups(plan: ObjectPlan, parent: str) -> list[str]:
    """Fields of an object that point at another one, the links of its own merges aside."""
    own = ("Id", "MasterRecordId")
    return [name for name in plan.fields if parent in plan.shape.fields[name].to and name not in own]


def _queries(plan: ObjectPlan, field: str, ids: Sequence[str]) -> Iterator[str]:
    for some in batches(ids):
        yield f"SELECT {', '.join(plan.fields)} FROM {plan.name} WHERE {field} IN ({id_list(some)})"


def batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Ids in portions that fit into one query."""
    return (ids[at : at + _IDS] for at in range(0, len(ids), _IDS))


def id_list(ids: Sequence[str]) -> str:
    """Ids as SOQL lists them.

    Raises:
        ValueError: one of them is no id.
    """
    if strange := [one for one in ids if not (one.isascii() and one.isalnum())]:
        raise ValueError(f"{len(strange)} ids hold characters that no id has")
    return ", ".join(f"'{one}'" for one in ids)
