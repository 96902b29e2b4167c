"""One load into the ledger's tables, in one transaction: `docs/decisions/0003-ledger.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from leadline.errors import VanishError
from leadline.findings import Finding
from leadline.ledger import record
from leadline.ledger.columns import Columns
from leadline.ledger.kept import KeptLoad, KeptObject
from leadline.ledger.record import ObjectReport, count
from leadline.progress import Progress
from leadline.schema import HISTORY_PARENT, VERSIONED

if TYPE_CHECKING:
    import duckdb

VANISH_SHARE: Final = 0.05
"""Share of an object's present ids that a full load may lack without being told to."""

REBUILT: Final = frozenset({"CampaignInfluence"})
"""Objects whose rows the platform makes anew under new ids; their absence is no sign of a broken file."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What a load did, and the faults the ledger found in it."""

    objects: tuple[ObjectReport, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Work:
    """One object of one load on its way into the ledger."""

    con: duckdb.DuckDBPyConnection
    load: KeptLoad
    allow_vanish: bool
    findings: list[Finding] = field(default_factory=list)

    def count(self, sql: str, parameters: list[Any] | None = None) -> int:
        """The single number of a query, or the rows a statement touched."""
        return count(self.con, sql, parameters)


def merge(
    con: duckdb.DuckDBPyConnection,
    load: KeptLoad,
    plan: Mapping[str, Sequence[KeptLoad]],
    progress: Progress,
) -> Merged:
    """Take a load into the ledger, whole or not at all.

    Args:
        con: the ledger.
        load: the load.
        plan: per object of the load the loads to take, in order: itself, or, where later loads
            have the object too, all that have it, from which the object is then made anew.
        progress: hears of each piece done.

    Raises:
        VanishError: a full load lacks over 5 % of the present ids of an object.
    """
    reports: list[ObjectReport] = []
    findings: list[Finding] = []
    con.execute("BEGIN")
    try:
        record.load(con, load)
        for name, loads in plan.items():
            if len(loads) > 1:
                record.forget(con, name)
            for each in loads:
                work = _Work(con, each, load.allow_vanish or each.allow_vanish)
                report = _merge_object(work, each.piece(name))
                progress.advance(report.rows)
                if each is load:
                    reports.append(report)
                    findings += work.findings
        findings += record.between_loads(con, load.key)
    except BaseException:
        con.execute("ROLLBACK")
        raise
    con.execute("COMMIT")
    return Merged(tuple(reports), tuple(findings))


def _merge_object(work: _Work, kept: KeptObject) -> ObjectReport:
    columns = Columns.of(work.con, kept, versioned=kept.object in VERSIONED)
    work.findings.extend(columns.findings(work.load.coverage))
    source = f"({columns.normalised(kept.relation)})"
    whole = work.load.coverage == "full" or kept.whole
    report = _first(work, columns, source) if columns.first else _next(work, columns, source, whole=whole)
    columns.save(work.con)
    record.report(work.con, work.load.key, report)
    record.findings(work.con, work.load.key, work.findings, of_ledger=True)
    return report


def _first(work: _Work, columns: Columns, source: str) -> ObjectReport:
    work.con.execute(columns.create_table())
    rows = work.count(columns.insert(source, work.load.extracted_at))
    return ObjectReport(columns.object, rows, new=rows)


def _next(work: _Work, columns: Columns, source: str, *, whole: bool) -> ObjectReport:
    con, at = work.con, work.load.extracted_at
    for statement in columns.add_missing():
        con.execute(statement)
    work.findings.extend(columns.lost_values(con, source))
    con.execute(f"CREATE OR REPLACE TEMP TABLE fate AS {columns.compare(source)}")
    rows = work.count(f"SELECT count(*) FROM {source}")
    new = work.count("SELECT count(*) FROM fate WHERE before IS NULL")
    changed = work.count("SELECT count(*) FROM fate WHERE before IS NOT NULL")
    returned = work.count(
        'DELETE FROM _gone WHERE "object" = ? AND "Id" IN (SELECT "Id" FROM fate WHERE before IS NULL)',
        [columns.object],
    )
    gone = _retire_absent(work, columns, source, matched=rows - new, whole=whole)
    for statement in columns.backfill(source):
        con.execute(statement)
    con.execute(columns.insert(source, at, only_fate=True))
    con.execute(columns.retire("SELECT before FROM fate WHERE before IS NOT NULL", at))
    if columns.versioned and work.count("SELECT count(*) FROM _loads WHERE extracted_at = ?", [at]) > 1:
        con.execute(columns.drop_momentary())
    con.execute("DROP TABLE fate")
    return ObjectReport(columns.object, rows, new, changed, rows - new - changed, gone, returned)


def _retire_absent(work: _Work, columns: Columns, source: str, *, matched: int, whole: bool) -> int:
    """Ids that a full load lacks are gone; history rows are not, since the platform purges them by age."""
    if not whole or columns.object in HISTORY_PARENT:
        return 0
    present = work.count(f"SELECT count(*) FROM {columns.present}")
    absent = present - matched
    if not absent:
        return 0
    if absent > VANISH_SHARE * present and columns.object not in REBUILT:
        if not work.allow_vanish:
            raise VanishError(_vanish_message(work.load, columns.object, absent, present))
        work.load.permit_vanishing()
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
