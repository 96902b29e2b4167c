"""What stands in the org beside what should: rows to create, change and delete, kept as a plan."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadline.errors import PushError
from leadline.sources.sql_text import literal, only_row
from leadline.writeback import plan as plans
from leadline.writeback.plan import BEFORE, ROWS, Counts, Plan
from leadline.writeback.target import Target

if TYPE_CHECKING:
    import duckdb

BATCH: Final = 200
"""Rows the org takes in one call."""
_ORDER: Final = "CASE action WHEN 'delete' THEN 0 WHEN 'change' THEN 1 ELSE 2 END"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan says of itself beside its rows."""

    what: str
    about: str
    org: str
    snapshot: str
    currency: str
    digits: int
    now: dt.datetime
    notes: tuple[str, ...] = ()


def make(con: duckdb.DuckDBPyConnection, workspace: Path, target: Target, facts: Facts) -> Plan:
    """Compare the tables `present` and `wanted` of a connection, and keep the plan of the difference.

    `wanted` has key, image and id; records that are only changed are known by their id, others by
    their key. `amounts` (group_id, amount), where it is there, belongs to the first field of a key.

    Raises:
        PushError: two wanted rows are one, or percentages exceed 100.
    """
    _refuse_faults(con, target)
    con.execute("CREATE OR REPLACE TABLE rows AS " + (_by_key(target) if target.key else _by_id()))
    found = dict(con.execute("SELECT action, count(*) FROM rows GROUP BY action").fetchall())
    (unchanged,) = only_row(
        con,
        "SELECT count(*) FROM present p SEMI JOIN wanted w ON p.image = w.image AND coalesce(w.id, p.id) = p.id "
        "WHERE p.id NOT IN (SELECT id FROM rows WHERE id IS NOT NULL)",
    )
    counts = Counts(found.get("create", 0), found.get("change", 0), found.get("delete", 0), unchanged)
    draft = workspace / plans.FOLDER / ".draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    con.execute(f"COPY (FROM rows ORDER BY no) TO {literal(str(draft / ROWS))} (FORMAT parquet)")
    con.execute(f"COPY (FROM present ORDER BY id) TO {literal(str(draft / BEFORE))} (FORMAT parquet)")
    name = f"{facts.what}-{facts.now:%Y%m%dT%H%M%S}-{_digest(draft, facts)}"
    folder = draft.with_name(name)
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
    made = Plan(
        name,
        facts.what,
        facts.about,
        facts.org,
        facts.snapshot,
        facts.now,
        target,
        counts,
        _amounts(con, target) if target.key else None,
        facts.currency,
        facts.digits,
        _calls(counts),
        facts.notes,
        folder,
    )
    made.save()
    return made


def _by_key(target: Target) -> str:
    """Create, change and delete by key; of several present records of one key the first one counts."""
    return f"""
        WITH there AS (SELECT *, row_number() OVER (PARTITION BY key ORDER BY id) AS nth FROM present),
        compared AS (
            SELECT 'delete' AS action, t.id, t.key, t.image AS old, NULL AS new, t.extra FROM there t
            WHERE t.nth > 1 OR t.key NOT IN (SELECT key FROM wanted)
            UNION ALL
            SELECT 'change', t.id, t.key, t.image, w.image, NULL FROM there t JOIN wanted w ON w.key = t.key
            WHERE t.nth = 1 AND w.image <> t.image
            UNION ALL
            SELECT 'create', NULL, w.key, NULL, w.image, NULL FROM wanted w WHERE w.key NOT IN (SELECT key FROM present)
        )
        SELECT row_number() OVER (ORDER BY {_ORDER}, {_grows(target)}, key, id) AS no, * FROM compared
    """


def _grows(target: Target) -> str:
    """What becomes less comes before what becomes more."""
    name = next((one for one, form in target.forms.items() if form == "percent"), None)
    if name is None:
        return "0"
    share = f"coalesce(json_extract_string({{}}, '$.{name}')::DECIMAL(18, 6), 0)"
    return f"({share.format('new')} > {share.format('old')})"


def _by_id() -> str:
    """Changes of records that are there."""
    return """
        SELECT row_number() OVER (ORDER BY p.id) AS no, 'change' AS action, p.id, p.id AS key, p.image AS old, w.image AS new,
            NULL::VARCHAR AS extra
        FROM present p JOIN wanted w ON w.id = p.id WHERE w.image <> p.image
    """


def _refuse_faults(con: duckdb.DuckDBPyConnection, target: Target) -> None:
    identity = "key" if target.key else "id"
    (twice,) = only_row(con, f"SELECT count(*) - count(DISTINCT {identity}) FROM wanted")
    if twice:
        raise PushError(f"{twice:,} rows to be written are there twice. Nothing was changed.")
    percent = next((one for one, form in target.forms.items() if form == "percent"), None)
    if percent is None:
        return
    group, share = (f"json_extract_string(image, '$.{one}')" for one in (target.key[0], percent))
    (over,) = only_row(
        con,
        f"SELECT count(*) FROM (SELECT {group} FROM wanted GROUP BY ALL HAVING sum({share}::DECIMAL(18, 6)) > 100)",
    )
    if over:
        raise PushError(f"The rows of {over:,} opportunities would sum to more than 100 %. Nothing was changed.")


def _amounts(con: duckdb.DuckDBPyConnection, target: Target) -> tuple[int, int]:
    """Amounts that the rows claim, before and after, in minor units; only of opportunities with a known amount."""
    percent = next(one for one, form in target.forms.items() if form == "percent")
    group = f"json_extract_string(image, '$.{target.key[0]}')"
    share = f"json_extract_string(image, '$.{percent}')::DECIMAL(18, 6)"
    sums = [
        f"(SELECT coalesce(sum(round(a.amount::DECIMAL(28, 0) * {share} / 100)), 0)::BIGINT "
        f"FROM {table} JOIN amounts a ON a.group_id = {group})"
        for table in ("present", "wanted")
    ]
    before, after = only_row(con, f"SELECT {', '.join(sums)}")
    return int(before), int(after)


def _calls(counts: Counts) -> int:
    """Calls that write, and those that look before and after."""
    looks = 2 * (2 + (counts.change + counts.delete + counts.unchanged) // 2000)
    return looks + sum(-(-number // BATCH) for number in (counts.create, counts.change, counts.delete))


def _digest(folder: Path, facts: Facts) -> str:
    told: Any = [facts.what, facts.about, facts.org, facts.snapshot]
    digest = hashlib.sha256(json.dumps(told).encode())
    for name in (ROWS, BEFORE):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:8]
