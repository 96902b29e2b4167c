"""Doing a plan, and undoing it: first see that nothing has moved, then send, then see that all of it stands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leadline import engines
from leadline.errors import PushError
from leadline.progress import Progress
from leadline.sources.salesforce.session import Session
from leadline.sources.sql_text import literal, only_row
from leadline.writeback import present, sending
from leadline.writeback.journal import Answer, Journal
from leadline.writeback.plan import Plan, Run
from leadline.writeback.sending import Sender

if TYPE_CHECKING:
    import duckdb

_READING = ".reading"
_SPILL = ".spill"


@dataclass(frozen=True, slots=True)
class Applied:
    """What a run of a plan came to.

    Attributes:
        done: rows that the org has carried out, over all runs.
        refused: rows that it refused, with its words, and the record as `Object Id` or its key.
        resumed: whether an earlier process began it.
        differences: records that do not stand as they should afterwards; 0 is right.
    """

    done: int
    refused: tuple[tuple[str, Answer], ...]
    resumed: bool
    differences: int


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs plans against one org.

    Attributes:
        bulk_from: from how many rows on records are read by the Bulk API.
    """

    session: Session
    bulk_from: int
    progress: Progress

    def apply(self, plan: Plan, snapshot: str) -> Applied:
        """Do a plan, or go on with it.

        Raises:
            PushError: it was applied before, is another org's, or org or snapshot have moved since.
            SalesforceError: as calls do; what was done stands in the journal, and the next run goes on.
        """
        self._require_org(plan)
        if plan.state not in ("planned", "being applied"):
            raise PushError(f"Plan {plan.id} was {plan.state} before; make a new one with `leadline push {plan.what}`.")
        if snapshot != plan.snapshot:
            raise PushError(
                f"The snapshot has moved: plan {plan.id} was made from {plan.snapshot}, published is {snapshot}. Make a new "
                f"plan with `leadline push {plan.what}`. Nothing was changed."
            )
        with engines.writer(":memory:", spill=_spill(plan.folder)) as con:
            con.execute(f"CREATE TABLE rows AS FROM read_parquet({literal(str(plan.rows))})")
            return self._run(con, plan, "apply", whole=plan.target.whole)

    def undo(self, plan: Plan) -> Applied:
        """Put back what stood before, row by row, as far as the plan was applied.

        Raises:
            PushError: it was never applied, was undone before, or its records have changed since.
            SalesforceError: as `apply`.
        """
        self._require_org(plan)
        if plan.state in ("planned", "undone"):
            raise PushError(f"Plan {plan.id} is {plan.state}; there is nothing to undo.")
        with engines.writer(":memory:", spill=_spill(plan.folder)) as con:
            con.execute(f"CREATE TABLE rows AS FROM read_parquet({literal(str(plan.rows))})")
            applied = plan.journal("apply")
            Sender(self.session, plan.target, applied, _nothing).settle(_pending(con, applied))
            _put(con, "undoing", applied.done)
            con.execute("CREATE TABLE back AS " + _BACKWARDS)
            con.execute("DROP TABLE rows")
            con.execute("ALTER TABLE back RENAME TO rows")
            return self._run(con, plan, "undo", whole=False)

    def _require_org(self, plan: Plan) -> None:
        if self.session.org_id != plan.org:
            raise PushError(f"Plan {plan.id} is about the org {plan.org}; the login leads to {self.session.org_id}.")

    def _run(self, con: duckdb.DuckDBPyConnection, plan: Plan, run: Run, *, whole: bool) -> Applied:
        journal = plan.journal(run)
        resumed = journal.begun
        con.execute(f"CREATE TABLE before AS FROM read_parquet({literal(str(plan.before))})")
        silent = Sender(self.session, plan.target, journal, _nothing)
        silent.settle(_pending(con, journal))
        if moved := self._differences(con, plan, journal, whole=whole):
            raise PushError(_MOVED[run].format(plan=plan.id, what=plan.what, count=f"{moved:,}"))
        journal.begin()
        self._send(con, plan, journal, run)
        differences = self._differences(con, plan, journal, whole=whole)
        journal.end()
        refused = tuple((_named(con, one), one) for one in journal.refused)
        return Applied(len(journal.done), refused, resumed, differences)

    def _send(self, con: duckdb.DuckDBPyConnection, plan: Plan, journal: Journal, run: Run) -> None:
        _put(con, "answered", dict.fromkeys(journal.answers, ""))
        (left,) = only_row(con, "SELECT count(*) FROM rows WHERE no NOT IN (SELECT no FROM answered)")
        self.progress.begin(f"{run} {plan.what}", left, "rows")
        sender = Sender(self.session, plan.target, journal, self.progress.advance)
        for some in sending.batches(sending.rows_of(con, "no NOT IN (SELECT no FROM answered)")):
            sender.send(some)

    def _differences(self, con: duckdb.DuckDBPyConnection, plan: Plan, journal: Journal, *, whole: bool) -> int:
        """Records of the org that are not as they should be, by what the journal says was done."""
        self.progress.begin("read what stands in the org", None, "rows")
        present.read(self.session, plan.target, plan.folder / _READING, con, self.bulk_from, self.progress.advance)
        _put(con, "done", journal.done)
        (count,) = only_row(con, _TOUCHED)
        if whole:
            (others,) = only_row(con, _OTHERS)
            count += others
        return int(count)


_MOVED = {
    "apply": (
        "The org has moved: {count} records are not as they were when plan {plan} was made. Make a new one with `leadline "
        "push {what}`. Nothing was changed by this run."
    ),
    "undo": (
        "{count} records of plan {plan} were changed since it was applied, so what stood before cannot be put back. Make a "
        "new plan with `leadline push {what}`. Nothing was changed by this run."
    ),
}

_BACKWARDS = """
    SELECT r.no, CASE r.action WHEN 'create' THEN 'delete' WHEN 'delete' THEN 'create' ELSE 'change' END AS action,
        CASE WHEN r.action = 'create' THEN u.id WHEN r.action = 'change' THEN r.id END AS id, r.key, r.new AS old, r.old AS new,
        r.extra
    FROM rows r JOIN undoing u USING (no)
"""
# A created record is known by the id the org gave it; one that is not yet created must not be there under its key.
_TOUCHED = """
    SELECT
        (SELECT count(*) FROM rows r LEFT JOIN done d USING (no) LEFT JOIN present p ON p.id = coalesce(r.id, d.id)
         WHERE (r.action <> 'create' OR d.no IS NOT NULL)
           AND p.image IS DISTINCT FROM CASE WHEN d.no IS NULL THEN r.old ELSE r.new END)
        + (SELECT count(*) FROM rows r JOIN present p ON p.key = r.key LEFT JOIN done d USING (no)
           WHERE r.action = 'create' AND p.id IS DISTINCT FROM d.id AND p.id NOT IN (SELECT id FROM before))
"""
_OTHERS = """
    SELECT
        (SELECT count(*) FROM before b LEFT JOIN present p USING (id)
         WHERE b.id NOT IN (SELECT id FROM rows WHERE id IS NOT NULL) AND p.image IS DISTINCT FROM b.image)
        + (SELECT count(*) FROM present p WHERE p.id NOT IN (SELECT id FROM before)
           AND p.id NOT IN (SELECT id FROM done) AND p.key NOT IN (SELECT key FROM rows WHERE action = 'create'))
"""


def _spill(folder: Path) -> Path:
    spill = folder / _SPILL
    spill.mkdir(exist_ok=True)
    return spill


def _nothing(rows: int) -> None:
    """Nobody is told."""


def _pending(con: duckdb.DuckDBPyConnection, journal: Journal) -> list[sending.Row]:
    return (
        list(sending.rows_of(con, f"no IN ({', '.join(map(str, sorted(journal.pending)))})")) if journal.pending else []
    )


def _put(con: duckdb.DuckDBPyConnection, name: str, rows: dict[int, str]) -> None:
    """A table of row numbers and ids."""
    import pyarrow as pa

    told = pa.table({"no": pa.array(list(rows), pa.int64()), "id": pa.array(list(rows.values()), pa.string())})
    con.register("told", told)
    con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM told")
    con.unregister("told")


def _named(con: duckdb.DuckDBPyConnection, answer: Answer) -> str:
    """What a refused row is about."""
    action, record, key = only_row(con, f"SELECT action, id, key FROM rows WHERE no = {answer.no}")
    return f"{action} {record or key}"
