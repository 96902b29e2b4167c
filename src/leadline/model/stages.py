"""Stage entries: when a record entered a stage of a funnel, and what shows it.

The union over all sources the funnel names; nothing removes one. Stages are numbered in funnel
order; Inquiry is 0 in funnels of people and has no entries here (it is a response).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import ibis
import ibis.expr.types as ir

from leadline.config import Funnel, StageSource
from leadline.model import moments
from leadline.model.nothing import nothing
from leadline.model.opportunities import OPEN, observed_changes
from leadline.model.source import Source
from leadline.schema import HISTORY_PARENT

HISTORY_OF = {"Lead": "LeadHistory", "Contact": "ContactHistory", "Opportunity": "OpportunityFieldHistory"}
COLUMNS = ("object", "record_id", "stage_no", "outcome", "evidence", "at_s", "at_day", "at_is_date", "known_s")
SCHEMA = ibis.schema(
    {
        "object": "string",
        "record_id": "string",
        "stage_no": "int64",
        "outcome": "string",
        "evidence": "string",
        "at_s": "int64",
        "at_day": "int64",
        "at_is_date": "boolean",
        "known_s": "int64",
    }
)


Keep = Callable[[str, ir.Table], ir.Table]
"""Materialises an intermediate table under a name; the same name gives the same table."""


def stage_entries(
    source: Source,
    funnel: Funnel,
    days: ir.Table,
    opportunities: ir.Table,
    opportunity_stages: ir.Table,
    keep: Keep,
    load_s: int,
) -> ir.Table:
    """All entries of lead, contact and opportunity records into stages, disqualified and recycled.

    Columns: object, record_id, stage_no (null for outcomes), outcome (disqualified, recycled or
    null), evidence (stamped, history, milestone, observed; current and first for a mapped value
    whose time is unknown), the moment `at` (null where the time is unknown), known_s (of an entry
    without a time the second from which on it is known to have happened: tracking or a ledger
    version shows the value, at the latest the load at `load_s`; null: always).
    The milestones won, lost and closed depend on as-of and come from `deals`.
    """
    reader = _Reader(source, days, opportunities, opportunity_stages, keep, load_s)
    parts = [
        reader.entries(stage_source, number, None)
        for number, stage in enumerate(funnel.stages)
        for stage_source in stage.sources
    ]
    for outcome, sources in (("disqualified", funnel.outcomes.disqualified), ("recycled", funnel.outcomes.recycled)):
        parts += [reader.entries(stage_source, None, outcome) for stage_source in sources]
    held = [part for part in parts if part is not None]
    if not held:
        return nothing(SCHEMA)
    return reduce(ibis.union, held).distinct()


class _Reader:
    """Reads one kind of stage source after the other into rows of the same columns."""

    def __init__(
        self,
        source: Source,
        days: ir.Table,
        opportunities: ir.Table,
        opportunity_stages: ir.Table,
        keep: Keep,
        load_s: int,
    ) -> None:
        self.source = source
        self.days = days
        self.opportunities = opportunities
        self.opportunity_stages = opportunity_stages
        self.keep = keep
        self.load_s = load_s

    def entries(self, wanted: StageSource, stage_no: int | None, outcome: str | None) -> ir.Table | None:
        """Entries a stage source yields, or None where the source has nothing to read."""
        if not self.source.has(wanted.object) or wanted.object == "CampaignMember":
            return None
        if wanted.milestone is not None:
            found = self._milestone(wanted)
        elif wanted.stamp:
            found = self._stamps(wanted)
        elif wanted.object == "Opportunity" and wanted.field == "StageName":
            found = self._opportunity_stage(wanted)
        else:
            found = self._values(wanted)
        if found is None:
            return None
        return found.select(
            object=ibis.literal(wanted.object),
            record_id=found.record_id,
            stage_no=ibis.literal(stage_no, "int64") if stage_no is not None else ibis.null("int64"),
            outcome=ibis.literal(outcome) if outcome else ibis.null("string"),
            evidence=found.evidence,
            at_s=found.at_s,
            at_day=found.at_day,
            at_is_date=found.at_is_date.fill_null(False),
            known_s=self._known(found),
        )

    def _known(self, found: ir.Table) -> ir.IntegerValue:
        """From when on an entry without a time is known: what shows it earlier, else the load; a creation always."""
        if "known_s" not in found.columns:
            return ibis.null("int64")
        load = ibis.literal(self.load_s, "int64")
        return ibis.ifelse(found.at_s.notnull(), ibis.null("int64"), ibis.least(found.known_s.fill_null(load), load))

    def _milestone(self, wanted: StageSource) -> ir.Table | None:
        if wanted.milestone == "created":
            rows = moments.of_instant(self._records(wanted.object), self.days, "CreatedDate", "at")
        elif wanted.milestone == "converted":
            rows = self._records("Lead").filter(ibis._.IsConverted.fill_null(False))
            rows = moments.of_date(rows, self.days, "ConvertedDate", "at").mutate(known_s=ibis.null("int64"))
            return rows.select(*_MOMENT, "known_s", record_id="Id", evidence=ibis.literal("milestone"))
        else:
            return None
        return rows.select("at_s", "at_day", "at_is_date", record_id="Id", evidence=ibis.literal("milestone"))

    def _stamps(self, wanted: StageSource) -> ir.Table | None:
        """Every value the stamp field has or had in any version of the record."""
        field = str(wanted.field)
        if not self.source.has(wanted.object, field):
            return None
        living = self._records(wanted.object)
        versions = self.source.versions(wanted.object)
        rows = living if versions is None else versions.semi_join(living.select("Id"), "Id")
        stamped = rows.filter(rows[field].notnull()).select("Id", "_date_only", field).distinct()
        dated = moments.of_field(stamped, self.days, field, "at")
        return dated.filter(dated.at_s.notnull()).select(
            "at_s", "at_day", "at_is_date", record_id="Id", evidence=ibis.literal("stamped")
        )

    def _opportunity_stage(self, wanted: StageSource) -> ir.Table:
        """Dated values of StageName; a current value without any is dated by its last change, or not."""
        values = wanted.values or []
        stages = self.opportunity_stages
        dated = stages.filter(stages.stage_name.isin(values) & (stages.state == OPEN))
        told = dated.select("at_s", "at_day", "at_is_date", "evidence", record_id="opportunity_id")
        present = self.opportunities.filter(
            self.opportunities.stage_name.isin(values) & (self.opportunities.state == OPEN)
        )
        untold = present.anti_join(_last_dated(stages), ["opportunity_id", "stage_name"])
        undated = untold.stage_change_s.isnull()
        standing = untold.select(
            at_s="stage_change_s",
            at_day="stage_change_day",
            at_is_date="stage_change_is_date",
            evidence=ibis.ifelse(undated, ibis.literal("current"), ibis.literal("milestone")),
            record_id="opportunity_id",
        )
        seen = self._seen("Opportunity", "StageName", values)
        return _with_known(ibis.union(told, standing).mutate(known_s=ibis.null("int64")), seen)

    def _values(self, wanted: StageSource) -> ir.Table | None:
        if not self.source.has(wanted.object, str(wanted.field)):
            return None
        return reduce(ibis.union, self._value_parts(wanted))

    def _value_parts(self, wanted: StageSource) -> list[ir.Table]:
        field, values = str(wanted.field), wanted.values or []
        history = self._history(wanted.object, field)
        records = moments.of_instant(self._records(wanted.object), self.days, "CreatedDate", "created")
        records = records.select("created_s", "created_day", "created_is_date", record_id="Id", now=field)
        records = self.keep(f"values_{wanted.object}_{field}", records)
        covered = _tracked_since(history)
        held = self._seen(wanted.object, field, values)
        untimed = [
            _first_values(records, history, covered, values),
            _untouched(records, history, covered, values),
            _unexplained(records, history, values),
        ]
        parts = [_told(history.semi_join(records, "record_id"), values), _with_known(ibis.union(*untimed), held)]
        if held is not None:
            parts.append(_seen_first(records, history, held, values))
        seen = observed_changes(self.source, self.days, wanted.object, field)
        if seen is not None:
            found = seen.semi_join(records, "record_id").filter(seen.value.isin(values))
            parts.append(_timed(found.mutate(evidence=ibis.literal("observed"))))
        return parts

    def _seen(self, name: str, field: str, values: list[str]) -> ir.Table | None:
        """Records a ledger version of which holds one of the values: record_id, seen_s (the load that
        shows it first), from_first (the first version holds one)."""
        versions = self.source.versions(name)
        if versions is None or field not in versions.columns:
            return None
        window = ibis.window(group_by="Id", order_by="_valid_from")
        ranked = versions.select("Id", "_valid_from", value=field, nth=ibis.row_number().over(window))
        held = ranked.filter(ranked.value.isin(values))
        return held.group_by(record_id="Id").aggregate(
            seen_s=held["_valid_from"].epoch_seconds().cast("int64").min(), from_first=(held.nth == 0).any()
        )

    def _records(self, name: str) -> ir.Table:
        """Records whose entries count; deleted leads and contacts may be a survivor's."""
        return self.source.table(name) if name == "Opportunity" else self.source.with_deleted(name)

    def _history(self, name: str, field: str) -> ir.Table:
        """Changes of a tracked field: record_id, old, new, id and the moment `at`."""
        history = HISTORY_OF[name]
        parent = HISTORY_PARENT[history][1]
        rows = moments.of_instant(self.source.table(history), self.days, "CreatedDate", "at")
        own = rows.filter((rows.Field == field) & rows.at_s.notnull() & rows[parent].notnull())
        told = own.select("at_s", "at_day", "at_is_date", record_id=parent, old="OldValue", new="NewValue", id="Id")
        return self.keep(f"history_{name}_{field}", told)


_MOMENT = ("at_s", "at_day", "at_is_date")
_ROW = (*_MOMENT, "record_id", "evidence", "known_s")


def _timed(rows: ir.Table) -> ir.Table:
    return rows.mutate(known_s=ibis.null("int64")).select(*_ROW)


def _with_known(rows: ir.Table, seen: ir.Table | None) -> ir.Table:
    """Entries without a time are known from the earlier of what they say and the version that shows the value."""
    if seen is None:
        return rows.select(*_ROW)
    joined = rows.left_join(seen.select("record_id", "seen_s"), "record_id")
    earlier = ibis.least(ibis.coalesce(joined.known_s, joined.seen_s), ibis.coalesce(joined.seen_s, joined.known_s))
    return joined.mutate(known_s=earlier).select(*_ROW)


def _seen_first(records: ir.Table, history: ir.Table, seen: ir.Table, values: list[str]) -> ir.Table:
    """Values of a record's first version that it has no more and that no history tells: entered before that load."""
    told = history.filter(history.new.isin(values) | history.old.isin(values))
    gone = records.filter(~records.now.isin(values).fill_null(False)).anti_join(told, "record_id")
    held = gone.select("record_id").join(seen.filter(seen.from_first), "record_id")
    return held.select(
        "record_id",
        at_s=ibis.null("int64"),
        at_day=ibis.null("int64"),
        at_is_date=ibis.literal(False),
        evidence=ibis.literal("first"),
        known_s="seen_s",
    ).select(*_ROW)


def _told(history: ir.Table, values: list[str]) -> ir.Table:
    found = history.filter(history.new.isin(values))
    return _timed(found.mutate(evidence=ibis.literal("history")))


def _tracked_since(history: ir.Table) -> ir.Table:
    return history.aggregate(since=history.at_s.min())


def _first_values(records: ir.Table, history: ir.Table, covered: ir.Table, values: list[str]) -> ir.Table:
    """The OldValue of a record's first change, entered at creation if tracking covered that."""
    window = ibis.window(group_by="record_id", order_by=["at_s", "id"])
    ranked = history.mutate(nth=ibis.row_number().over(window))
    first = ranked.filter((ranked.nth == 0) & ranked.old.isin(values)).select("record_id")
    return _at_creation(records.semi_join(first, "record_id"), covered, "first")


def _untouched(records: ir.Table, history: ir.Table, covered: ir.Table, values: list[str]) -> ir.Table:
    """The present value of a record without any change."""
    still = records.filter(records.now.isin(values)).anti_join(history, "record_id")
    return _at_creation(still, covered, "current")


def _unexplained(records: ir.Table, history: ir.Table, values: list[str]) -> ir.Table:
    """The present value of a record whose last change led to another one: entered at an unknown time."""
    window = ibis.window(group_by="record_id", order_by=[ibis.desc("at_s"), ibis.desc("id")])
    ranked = history.mutate(nth=ibis.row_number().over(window))
    last = ranked.filter(ranked.nth == 0).select("record_id", "new")
    joined = records.filter(records.now.isin(values)).join(last, "record_id")
    moved = joined.filter(~joined.now.identical_to(joined.new))
    return moved.select(
        "record_id",
        at_s=ibis.null("int64"),
        at_day=ibis.null("int64"),
        at_is_date=ibis.literal(False),
        evidence=ibis.literal("current"),
        known_s=ibis.null("int64"),
    ).select(*_ROW)


def _last_dated(stages: ir.Table) -> ir.Table:
    window = ibis.window(group_by="opportunity_id", order_by=[ibis.desc("at_s"), ibis.desc("id")])
    ranked = stages.mutate(nth=ibis.row_number().over(window))
    return ranked.filter(ranked.nth == 0).select("opportunity_id", "stage_name")


def _at_creation(records: ir.Table, covered: ir.Table, otherwise: str) -> ir.Table:
    """Entered at creation if tracking covers it; else at an unknown time, known since tracking began."""
    joined = records.cross_join(covered)
    known = (joined.created_s >= joined.since).fill_null(False)
    return joined.select(
        "record_id",
        at_s=ibis.ifelse(known, joined.created_s, ibis.null("int64")),
        at_day=ibis.ifelse(known, joined.created_day, ibis.null("int64")),
        at_is_date=known & joined.created_is_date,
        evidence=ibis.ifelse(known, ibis.literal("milestone"), ibis.literal(otherwise)),
        known_s=ibis.ifelse(known, ibis.null("int64"), joined.since),
    ).select(*_ROW)
