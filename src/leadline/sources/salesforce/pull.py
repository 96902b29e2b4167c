"""A pull: from what is known to a load that holds everything since, or to an error that changes nothing.

The order matters. First what may stop it is asked (fields, lists of deletions), then the objects
are read, several at once, then what a window does not show is added, then it is all counted. The
marks move when the ledger holds the load: `Pulled.marks` is written by whoever loads it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from leadline.config import SalesforceSettings, Settings
from leadline.errors import SalesforceError, VanishError
from leadline.findings import Finding
from leadline.progress import Progress
from leadline.schema import DATE_ONLY, HISTORY_PARENT, OBJECTS
from leadline.sources.duplicates import older_twins
from leadline.sources.salesforce import budget, nets, reading, rest, run, shapes, typed
from leadline.sources.salesforce import plan as plans
from leadline.sources.salesforce.marks import Mark, Marks
from leadline.sources.salesforce.plan import ObjectPlan
from leadline.sources.salesforce.reading import Reading, Shared
from leadline.sources.salesforce.session import Session, Usage
from leadline.sources.salesforce.task import Task
from leadline.sources.staged import Coverage, FileAccount, StagedLoad, StagedObject

T = TypeVar("T")
U = TypeVar("U")

_VANISH_SHARE: Final = 0.05
_VANISH_ROWS: Final = 20
"""Up to so many records may vanish of any object: small tables lose a large share with one row."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull brought, before the ledger holds it.

    Attributes:
        staged: the load.
        marks: the marks as they are to be once the ledger holds the load.
        run: the folder of the pages, to be discarded then.
        readings: per object what came.
        used_before: API calls of the org's day before the pull; None where the org does not say.
        usage: API calls afterwards.
    """

    staged: StagedLoad
    marks: Marks
    run: run.Run
    readings: tuple[Reading, ...]
    used_before: int | None
    usage: Usage


@dataclass(frozen=True, slots=True)
class Asked:
    """What a pull is asked for.

    Attributes:
        objects: only these; empty for all.
        full: read everything whole.
        accept_changes: go on where fields vanished or changed their type.
        allow_vanish: accept that many known records are gone.
    """

    objects: tuple[str, ...] = ()
    full: bool = False
    accept_changes: bool = False
    allow_vanish: bool = False


class Pull:
    """One pull."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        workspace: Path,
        known: nets.Known,
        marks: Marks,
        progress: Progress,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._session, self._settings, self._workspace = session, settings, workspace
        self._known, self._marks, self._progress, self._now = known, marks, progress, now

    @property
    def _own(self) -> SalesforceSettings:
        return self._settings.salesforce

    @property
    def _clock(self) -> dt.datetime:
        """The time in the org, as it last said; that of this machine may be wrong."""
        return self._session.clock or self._now()

    def stage(self, asked: Asked) -> Pulled:
        """Read what is asked, to its end.

        Raises:
            FieldsChangedError: what was read before cannot be read as it was.
            IncompleteError: records are missing.
            VanishError: too many known records are gone.
            SalesforceError: as calls do.
        """
        used_before = budget.allow(self._session, self._marks, self._own.api_share, self._now())
        found = self._shapes(asked)
        # Marks of objects that this pull is not about stay as they are.
        about = asked.objects or self._own.objects or OBJECTS
        concerned = {name: one for name, one in self._marks.objects.items() if name in about}
        findings = plans.changes(concerned, found, self._own, accept=asked.accept_changes)
        begun = self._begin(asked, found)
        todo = [self._plan(shape, begun.until, asked) for shape in found.values()]
        todo, deleted = self._deletions(todo)
        readings = self._counted(todo)
        self._read(readings, begun)
        self._read_children(readings, begun)
        self._bury(readings, deleted, begun)
        self._unite(readings, begun)
        self._refuse_vanishing(readings, asked)
        findings += [_not_counted(one) for one in readings if one.counted is None]
        staged = self._staged(readings, begun, findings, asked)
        return Pulled(staged, self._moved(readings, begun), begun, tuple(readings), used_before, self._session.usage)

    def _shapes(self, asked: Asked) -> dict[str, shapes.ObjectShape]:
        visible = shapes.visible_objects(self._session)
        names = plans.wanted_objects(self._own, visible)
        if asked.objects:
            if hidden := sorted(set(asked.objects) - set(names)):
                raise SalesforceError(
                    f"The integration user cannot read {', '.join(hidden)} in this org, or [salesforce] leaves it out."
                )
            names = [name for name in names if name in asked.objects]
        if not names:
            raise SalesforceError("The integration user can read none of the objects. See: leadline doctor")
        described = self._each("describe", names, lambda name: shapes.describe(self._session, name))
        return dict(zip(names, described, strict=True))

    def _each(self, step: str, items: Sequence[T], ask: Callable[[T], U]) -> list[U]:
        """Ask one thing of each object, several at once, and tell how far it is."""
        self._progress.begin(step, len(items), "objects")
        answers = []
        with ThreadPoolExecutor(max_workers=self._own.parallel) as pool:
            for answer in pool.map(ask, items):
                answers.append(answer)
                self._progress.advance()
        return answers

    def _begin(self, asked: Asked, found: Mapping[str, Any]) -> run.Run:
        margin = dt.timedelta(minutes=self._own.margin_minutes)
        until = plans.until_of(self._clock, margin, self._marks.objects.values())
        load = self._marks.load.isoformat() if self._marks.load else None
        same = {"org": self._session.org_id, "objects": sorted(found), "full": asked.full, "load": load}
        return run.begin(self._workspace, same, until, self._clock)

    def _plan(self, shape: shapes.ObjectShape, until: dt.datetime, asked: Asked) -> ObjectPlan:
        own, name = self._own, shape.name
        extra = settings_fields(self._settings, name)
        excluded = {one.partition(".")[2] for one in own.exclude if one.partition(".")[0] == name}
        fields = tuple(one for one in shape.selected(extra, custom=own.custom_fields) if one not in excluded)
        return plans.plan(shape, fields, self._marks.objects.get(name), until, own, full=asked.full)

    def _deletions(self, todo: Sequence[ObjectPlan]) -> tuple[list[ObjectPlan], dict[str, list[str]]]:
        """Ids deleted since the marks; where the org cannot list them all, the object is read whole."""
        overlap, now = dt.timedelta(minutes=self._own.overlap_minutes), self._clock
        listed = self._each("deletions", todo, lambda plan: nets.deleted(self._session, plan, now, overlap))
        answers = list(zip(todo, listed, strict=True))
        changed = [plan if ids is not None else replace(plan, since=None) for plan, ids in answers]
        return changed, {plan.name: ids for plan, ids in answers if ids}

    def _counted(self, todo: Sequence[ObjectPlan]) -> list[Reading]:
        counts = self._each("count", todo, lambda plan: reading.expected(self._session, plan))
        return [Reading(plan, count) for plan, count in zip(todo, counts, strict=True)]

    def _read(self, readings: Sequence[Reading], begun: run.Run) -> None:
        """Read all objects, the large ones first; the first fault stops the others."""
        total = sum(one.expected or 0 for one in readings)
        self._progress.begin("pull", total or None, "rows")
        shared, bulk_from = Shared(self._progress), self._own.bulk_from
        ordered = sorted(readings, key=lambda one: (-(one.expected or 1 << 60), one.plan.name))
        with ThreadPoolExecutor(max_workers=self._own.parallel) as pool:
            work = [
                pool.submit(reading.read_shared, self._session, one, begun.folder / one.plan.name, bulk_from, shared)
                for one in ordered
            ]
            finished, _ = wait(work, return_when=FIRST_EXCEPTION)
            for waiting in work:
                waiting.cancel()
        for one in finished:
            one.result()

    def _read_children(self, readings: Sequence[Reading], begun: run.Run) -> None:
        """Read anew what a stamp elsewhere changed, in objects of which only changes were read."""
        read = {one.plan.name: one for one in readings}
        with reading.frugal(begun.folder) as con:
            for one in readings:
                if one.plan.since is not None:
                    changed = self._changed_parents(con, one.plan, read)
                    self._read_again(one, nets.child_queries(one.plan, changed), begun.folder, "children")

    def _read_again(self, one: Reading, queries: Iterable[str], folder: Path, why: str) -> None:
        """Read some records of an object once more; what comes later wins."""
        for number, soql in enumerate(queries):
            task = Task(folder / f"{one.plan.name}-{why}-{number}", one.plan.shape, one.plan.fields, soql, "rest")
            if not task.done:
                rest.read(self._session, task)
            one.files, one.again = one.files + task.files, one.again + task.rows

    def _changed_parents(
        self, con: duckdb.DuckDBPyConnection, plan: ObjectPlan, read: Mapping[str, Reading]
    ) -> dict[str, list[str]]:
        """Ids by object whose children of this object changed without a stamp: merged ones; of history also
        those that were deleted or restored, which takes their history along."""
        since, found = plan.since or plan.until, {}
        for name in nets.MERGED:
            if name in read and "MasterRecordId" in read[name].plan.fields:
                found[name] = nets.merged_ids(con, read[name].files, since)
        parent, pointer = HISTORY_PARENT.get(plan.name, ("", ""))
        if parent in read and plan.shape.cursor == "CreatedDate":
            gone, there = nets.stamped_ids(con, read[parent].files, since)
            fates = {*gone, *self._known.dead(parent, there), *found.get(parent, [])}
            found[parent] = sorted(fates | self._buried_with(plan, pointer, there))
        return found

    def _buried_with(self, plan: ObjectPlan, pointer: str, there: Sequence[str]) -> set[str]:
        """Those of the ids whose history is known as deleted.

        A page of history that a broken-off run had read, and a later one went on with, may be of a
        moment between the deletion and the restoring of a record that itself was never read as deleted.
        """
        dead = self._known.dead(plan.name, self._known.pointing(plan.name, [pointer], there))
        known = self._known.records(plan.name, dead, ["Id", pointer, DATE_ONLY]) if dead else None
        return set() if known is None else set(known[pointer].to_pylist())

    def _bury(self, readings: Sequence[Reading], deleted: Mapping[str, Sequence[str]], begun: run.Run) -> None:
        """Give records that the org no longer has a last state: what was known of them, and deleted.

        Their children are read again: the records may have been merged before they were purged.
        """
        buried: dict[str, list[str]] = {}
        for one in readings:
            name = one.plan.name
            suspects = self._known.live(name, deleted[name]) if name in deleted else []
            suspects = sorted(set(suspects) - _ids_in(one.files, suspects))
            gone = nets.purged(self._session, name, suspects) if suspects else []
            if not gone:
                continue
            buried[name] = gone
            last = self._known.records(name, gone, [*one.plan.fields, DATE_ONLY])
            at = last.column_names.index("IsDeleted")
            last = last.set_column(at, "IsDeleted", pa.array([True] * last.num_rows))
            path = begun.folder / f"{name}-gone.parquet"
            pq.write_table(last.cast(typed.schema(name, one.plan.fields)), path, compression="snappy")
            one.files, one.purged = [*one.files, path], last.num_rows
        merged = {name: ids for name, ids in buried.items() if name in nets.MERGED}
        for one in readings if merged else ():
            if one.plan.since is not None:
                self._read_again(one, nets.orphan_queries(one.plan, self._known, merged), begun.folder, "orphans")

    def _unite(self, readings: Sequence[Reading], begun: run.Run) -> None:
        """Of records that came several times keep the newest."""
        with reading.frugal(begun.folder) as con:
            for one in readings:
                losers = older_twins(con, one.files, set(one.plan.fields)) if one.files else []
                for loser in losers:
                    target = begun.folder / f"{one.plan.name}-once-{loser.file}.parquet"
                    loser.rewrite(con, one.files[loser.file], target)
                    one.files[loser.file] = target
                one.rows = sum(pq.read_metadata(path).num_rows for path in one.files)

    def _refuse_vanishing(self, readings: Sequence[Reading], asked: Asked) -> None:
        """Many records gone at once are rather hidden from the user than deleted."""
        for one in readings:
            if asked.allow_vanish or not one.plan.whole or one.plan.name in {*HISTORY_PARENT, "CampaignInfluence"}:
                continue
            absent, live = self._known.missing(one.plan.name, one.files)
            if absent > _VANISH_ROWS and absent > _VANISH_SHARE * live:
                raise VanishError(
                    f"{one.plan.name}: {absent:,} of {live:,} known records are no longer in the org ({absent / live:.0%}). "
                    "Most likely the integration user lost the right to see them. Nothing was changed. If they were "
                    "deleted: leadline pull --full --allow-vanish"
                )

    def _staged(
        self, readings: Sequence[Reading], begun: run.Run, findings: Sequence[Finding], asked: Asked
    ) -> StagedLoad:
        everything = not asked.objects and all(one.plan.whole for one in readings)
        coverage: Coverage = "full" if everything else "partial"
        return StagedLoad(
            objects=tuple(_object(one) for one in readings if one.rows or one.plan.whole),
            accounts=tuple(_account(one) for one in readings),
            extracted_at=begun.until,
            extracted_at_evidence=f"the end of the pull's windows, {self._own.margin_minutes} minutes before the org's clock",
            coverage=coverage,
            name=f"live org {self._session.org_id}",
            findings=tuple(findings),
        )

    def _moved(self, readings: Sequence[Reading], begun: run.Run) -> Marks:
        marks: dict[str, Mark] = dict(self._marks.objects)
        for one in readings:
            marks[one.plan.name] = one.plan.mark(marks.get(one.plan.name))
        return Marks(self._session.org_id, begun.until, marks, self._marks.calls)


def settings_fields(settings: Settings, name: str) -> frozenset[str]:
    """Fields of an object that the settings speak of: stages, outcomes, dimensions, amounts, dates."""
    found = set(_named(settings.model_dump(), name))
    if name == "Opportunity":
        found.add(settings.amount.field)
    if name == "CampaignMember" and settings.responses.date_field:
        found.add(settings.responses.date_field)
    return frozenset(found)


def _named(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, dict):
        about, field = value.get("object"), value.get("field")
        if isinstance(field, str) and (about == name or (about == "Person" and name in ("Lead", "Contact"))):
            yield field
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from _named(one, name)


def _ids_in(files: Sequence[Path], ids: Sequence[str]) -> set[str]:
    """Those of the ids that the pages hold."""
    if not files or not ids:
        return set()
    table = pq.read_table([*files], columns=["Id"], filters=[("Id", "in", list(ids))])
    return set(table.column("Id").to_pylist())


def _object(one: Reading) -> StagedObject:
    columns = typed.kinds(one.plan.name, one.plan.fields)
    return StagedObject(one.plan.name, tuple(one.files), columns, one.rows, whole=one.plan.whole)


def _account(one: Reading) -> FileAccount:
    window = "all records" if one.plan.since is None else f"changes since {plans.soql_moment(one.plan.since)}"
    notes = [f"{window}, over {'the Bulk API' if one.method == 'bulk' else 'REST'}, {one.rate:,.0f} rows/s"]
    notes += [f"{one.again:,} children of merged records read again"] if one.again else []
    notes += [f"{one.purged:,} records deleted for good"] if one.purged else []
    return FileAccount(f"org {one.plan.name}", one.plan.name, one.rows, one.rows, 0, notes=tuple(notes))


def _not_counted(one: Reading) -> Finding:
    return Finding(
        "org-not-counted",
        "info",
        f"{one.plan.name}: the org could not count its records in time, so {one.rows:,} read were not compared with a count.",
        one.plan.name,
        remedy="Pull at a quieter hour; pages and job were compared all the same.",
    )
