"""One load into the ledger's tables, in one transaction: `docs/decisions/0003-ledger.md`.

The tables, all in `ledger.duckdb`:

    records."OBJECT"   versions of each record (objects of `schema.VERSIONED`) or its newest state
    _loads             a load counts when its row is here
    _load_objects      what each load did to each object
    _columns           columns per object, their kind and whether the newest load had them
    _gone              ids that a full load lacked, with its moment
    _findings          faults found by the source and by the ledger
    _files             the account of every file read
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from leadline.errors import VanishError
from leadline.findings import Finding
from leadline.ledger.columns import Columns
from leadline.ledger.kept import KeptLoad
from leadline.progress import Progress
from leadline.schema import HISTORY_PARENT, VERSIONED
from leadline.sources.staged import StagedObject

if TYPE_CHECKING:
    import duckdb

VANISH_SHARE: Final = 0.05
"""Share of an object's present ids that a full load may lack without being told to."""

REBUILT: Final = frozenset({"CampaignInfluence"})
"""Objects whose rows the platform makes anew under new ids; their absence is no sign of a broken file."""

TABLES: Final = """
    CREATE SCHEMA IF NOT EXISTS records;
    CREATE TABLE IF NOT EXISTS _loads (load_id BIGINT, key VARCHAR, content VARCHAR, name VARCHAR, extracted_at TIMESTAMP,
        evidence VARCHAR, coverage VARCHAR, loaded_rows BIGINT);
    CREATE TABLE IF NOT EXISTS _load_objects (load_id BIGINT, "object" VARCHAR, "rows" BIGINT, "new" BIGINT, changed BIGINT,
        unchanged BIGINT, gone BIGINT, returned BIGINT);
    CREATE TABLE IF NOT EXISTS _columns ("object" VARCHAR, "column" VARCHAR, kind VARCHAR, newest_kind VARCHAR,
        in_newest_load BOOLEAN);
    CREATE TABLE IF NOT EXISTS _gone ("object" VARCHAR, "Id" VARCHAR, gone_at TIMESTAMP);
    CREATE TABLE IF NOT EXISTS _findings (load_id BIGINT, code VARCHAR, severity VARCHAR, message VARCHAR, "object" VARCHAR,
        "rows" BIGINT, amount BIGINT, moves VARCHAR[], remedy VARCHAR, record_ids VARCHAR[]);
    CREATE TABLE IF NOT EXISTS _files (load_id BIGINT, file VARCHAR, "object" VARCHAR, "rows" BIGINT, loaded BIGINT,
        rejected BIGINT, encoding VARCHAR, notes VARCHAR[]);
"""


@dataclass(frozen=True, slots=True)
class ObjectReport:
    """What a load did to one object: `rows = new + changed + unchanged`; `returned` are among `new`."""

    object: str
    rows: int
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    returned: int = 0


@dataclass(frozen=True, slots=True)
class Merged:
    """What a load did, and whether more ids vanished than pass unasked."""

    objects: tuple[ObjectReport, ...]
    findings: tuple[Finding, ...]
    vanished: bool


@dataclass(slots=True)
class _Work:
    con: duckdb.DuckDBPyConnection
    load: KeptLoad
    allow_vanish: bool
    findings: list[Finding] = field(default_factory=list)
    vanished: bool = False
    same_moment: bool = False

    def count(self, sql: str, parameters: list[Any] | None = None) -> int:
        """The single number of a query, or the rows a statement touched."""
        (number,) = self.con.execute(sql, parameters or []).fetchone() or (0,)
        return int(number)


def merge(
    con: duckdb.DuckDBPyConnection,
    load: KeptLoad,
    relations: Mapping[str, str],
    *,
    allow_vanish: bool,
    progress: Progress,
) -> Merged:
    """Take a load into the ledger, whole or not at all.

    Args:
        con: the ledger, with the carried tables attached as `incoming`.
        load: the load; it is later than every load the ledger holds.
        relations: per object the query that yields its records.
        allow_vanish: whether many absent ids are meant.
        progress: hears of each object done.

    Raises:
        VanishError: a full load lacks over 5 % of the present ids of an object.
    """
    work = _Work(con, load, allow_vanish or load.allow_vanish)
    con.execute("BEGIN")
    try:
        con.execute(TABLES)
        work.same_moment = work.count("SELECT count(*) FROM _loads WHERE extracted_at = ?", [load.extracted_at]) > 0
        _say_missing_objects(work)
        reports = []
        for staged in load.objects:
            reports.append(_merge_object(work, staged, relations[staged.object]))
            progress.advance(staged.rows)
        _record(work, reports)
    except BaseException:
        con.execute("ROLLBACK")
        raise
    con.execute("COMMIT")
    return Merged(tuple(reports), tuple(work.findings), work.vanished)


def _merge_object(work: _Work, staged: StagedObject, relation: str) -> ObjectReport:
    columns = Columns.of(work.con, staged, versioned=staged.object in VERSIONED)
    work.findings += columns.findings(work.load.coverage)
    source = f"({columns.normalised(relation)})"
    report = _first(work, columns, source) if columns.first else _next(work, columns, source)
    columns.save(work.con)
    return report


def _first(work: _Work, columns: Columns, source: str) -> ObjectReport:
    work.con.execute(columns.create_table())
    rows = work.count(columns.insert(source, work.load.extracted_at))
    return ObjectReport(columns.object, rows, new=rows)


def _next(work: _Work, columns: Columns, source: str) -> ObjectReport:
    con, at = work.con, work.load.extracted_at
    for statement in columns.add_missing():
        con.execute(statement)
    work.findings += columns.lost_values(con, source)
    con.execute(f"CREATE OR REPLACE TEMP TABLE fate AS {columns.compare(source)}")
    rows = work.count(f"SELECT count(*) FROM {source}")
    new = work.count("SELECT count(*) FROM fate WHERE before IS NULL")
    changed = work.count("SELECT count(*) FROM fate WHERE before IS NOT NULL")
    returned = work.count(
        'DELETE FROM _gone WHERE "object" = ? AND "Id" IN (SELECT "Id" FROM fate WHERE before IS NULL)',
        [columns.object],
    )
    gone = _retire_absent(work, columns, source, matched=rows - new)
    for statement in columns.backfill(source):
        con.execute(statement)
    con.execute(columns.insert(source, at, only_fate=True))
    con.execute(columns.retire("SELECT before FROM fate WHERE before IS NOT NULL", at))
    if columns.versioned and work.same_moment:
        con.execute(columns.drop_momentary())
    con.execute("DROP TABLE fate")
    return ObjectReport(columns.object, rows, new, changed, rows - new - changed, gone, returned)


def _retire_absent(work: _Work, columns: Columns, source: str, matched: int) -> int:
    """Ids that a full load lacks are gone; history rows are not, since the platform purges them by age."""
    if work.load.coverage != "full" or columns.object in HISTORY_PARENT:
        return 0
    present = work.count(f"SELECT count(*) FROM {columns.present}")
    absent = present - matched
    if not absent:
        return 0
    if absent > VANISH_SHARE * present and columns.object not in REBUILT:
        work.vanished = True
        if not work.allow_vanish:
            raise VanishError(_vanish_message(work.load, columns.object, absent, present))
    work.con.execute(
        f'CREATE OR REPLACE TEMP TABLE absent AS SELECT a.rowid AS before, a."Id" FROM {columns.present} AS a '
        f'ANTI JOIN {source} AS i ON a."Id" = i."Id"'
    )
    work.con.execute('INSERT INTO _gone SELECT ?, "Id", ? FROM absent', [columns.object, work.load.extracted_at])
    work.con.execute(columns.retire("SELECT before FROM absent", work.load.extracted_at))
    work.con.execute("DROP TABLE absent")
    return absent


def _vanish_message(load: KeptLoad, name: str, absent: int, present: int) -> str:
    return (
        f"{load.name} (extracted {load.extracted_at:%Y-%m-%d %H:%M} UTC) is a full load of {name} but lacks {absent:,} of the "
        f"{present:,} records known before ({absent / present:.0%}; up to {VANISH_SHARE:.0%} pass). Nothing was changed. "
        "If it holds only part of the records, load it with --partial; if they were deleted, with --allow-vanish."
    )


def _say_missing_objects(work: _Work) -> None:
    if work.load.coverage != "full":
        return
    known = {name for (name,) in work.con.execute('SELECT DISTINCT "object" FROM _columns').fetchall()}
    for name in sorted(known - {staged.object for staged in work.load.objects}):
        work.findings.append(
            Finding(
                "object-missing",
                "warning",
                f"{work.load.name} is a full load without {name}, which earlier loads had; its records stay as they were.",
                name,
                moves=("volume", "conversion", "velocity", "influence"),
                remedy=f"Export {name} along with the others.",
            )
        )


def _record(work: _Work, reports: list[ObjectReport]) -> None:
    load, con = work.load, work.con
    number = work.count("SELECT coalesce(max(load_id), 0) + 1 FROM _loads")
    con.execute(
        "INSERT INTO _loads VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [number, load.key, load.content, load.name, load.extracted_at, load.evidence, load.coverage, load.rows],
    )
    for each in reports:
        con.execute(
            "INSERT INTO _load_objects VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [number, each.object, each.rows, each.new, each.changed, each.unchanged, each.gone, each.returned],
        )
    for finding in (*load.findings, *work.findings):
        con.execute(
            "INSERT INTO _findings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                number, finding.code, finding.severity, finding.message, finding.object, finding.rows, finding.amount,
                list(finding.moves), finding.remedy, list(finding.record_ids),
            ],
        )  # fmt: skip
    for account in load.accounts:
        con.execute(
            "INSERT INTO _files VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                number, account.file, account.object, account.rows, account.loaded, account.rejected, account.encoding,
                list(account.notes),
            ],
        )  # fmt: skip
