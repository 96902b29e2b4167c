"""Stage entries: the union over all sources (§4 Entries, D6, D7, D16, D20)."""

from __future__ import annotations

from dataclasses import dataclass

from leadline import schema
from leadline.config import Funnel, StageSource
from tests.oracle.clock import Clock, When
from tests.oracle.deals import Deal
from tests.oracle.records import Records, Row, flag, text, when

Target = int | str
"""A stage by its place in the funnel, or the outcome 'disqualified' or 'recycled'."""

CURRENT, FIRST_VALUE = "current", "first_value"


@dataclass(frozen=True)
class Entry:
    """A record enters a stage. Without `at` its time is unknown; `untimed` then says what it is."""

    target: Target
    at: When | None
    object: str
    record: str
    evidence: str
    untimed: str | None = None


class Histories:
    """Tracked fields: which values a record's field took, and when."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[tuple[str, str], list[tuple[When, Row, str]]] = {}
        for name, (parent, pointer) in schema.HISTORY_PARENT.items():
            if name != "OpportunityHistory":
                for row in records.alive(name):
                    self._add(parent, pointer, row)

    def _add(self, parent: str, pointer: str, row: Row) -> None:
        at, record = when(row, "CreatedDate"), text(row, pointer)
        if at is not None and record is not None:
            self._rows.setdefault((parent, str(row.get("Field"))), []).append((at, row, record))

    def changes(self, name: str, field: str, record: str) -> list[tuple[When, Row]]:
        """All changes of one field of one record in order, those after as-of too."""
        mine = [(at, row) for at, row, owner in self._rows.get((name, field), []) if owner == record]
        return sorted(mine, key=lambda pair: (self._clock.response(pair[0]).key, str(pair[1]["Id"])))

    def covers(self, name: str, field: str, created: When | None) -> bool:
        """D6: the earliest row of that (object, field) anywhere is not later than the record's creation."""
        begin = self._begin(name, field)
        if created is None or begin is None:
            return False
        return self._clock.response(begin).key <= self._clock.response(created).key

    def tracked(self, name: str, field: str) -> bool:
        """D42: tracking of the field has begun by as-of, so that what changed later had its old value then."""
        begin = self._begin(name, field)
        return begin is not None and self._clock.response(begin).key <= self._clock.as_of

    def _begin(self, name: str, field: str) -> When | None:
        """Moment of the earliest row of that (object, field) anywhere."""
        moments = [at for at, _, _ in self._rows.get((name, field), [])]
        return min(moments, key=lambda at: self._clock.response(at).key, default=None)


class EntryReader:
    """Reads the entries of leads, contacts and opportunities for one funnel.

    known_now: as-of is not before the load; otherwise a present value without history says nothing of as-of (D42).
    """

    def __init__(self, records: Records, funnel: Funnel, clock: Clock, known_now: bool = True) -> None:
        self._known_now = known_now
        self._histories = Histories(records, clock)
        self._clock = clock
        self._sources: list[tuple[Target, StageSource]] = [
            (place, source) for place, stage in enumerate(funnel.stages) for source in stage.sources
        ]
        self._sources += [("disqualified", source) for source in funnel.outcomes.disqualified]
        self._sources += [("recycled", source) for source in funnel.outcomes.recycled]

    def of_record(self, name: str, row: Row) -> list[Entry]:
        """Entries of a lead or contact up to as-of, untimed ones included."""
        found: list[Entry] = []
        for target, source in self._sources:
            if source.object == name:
                found += self._of_source(target, source, name, row)
        return self._counted(found, row)

    def of_deal(self, deal: Deal) -> list[Entry]:
        """Entries of an opportunity up to as-of; outcomes (won, lost, closed) are not among them."""
        found: list[Entry] = []
        for target, source in self._sources:
            if source.object != "Opportunity":
                continue
            if source.values is not None and source.field == "StageName":
                found += self._stage_names(target, source.values, deal)
            else:
                found += self._of_source(target, source, "Opportunity", deal.row)
        return self._counted(found, deal.row)

    def _counted(self, found: list[Entry], row: Row) -> list[Entry]:
        """Those not after as-of; what says the same of one second is one entry (D35)."""
        return [entry for entry in dict.fromkeys(found) if self._counts(entry, row)]

    def outcome_stages(self, deal: Deal) -> list[int]:
        """§4 Outcome stages: entered at the close moment, only if that outcome holds at as-of."""
        if deal.state == "open":
            return []
        return sorted(
            {
                target
                for target, source in self._sources
                if isinstance(target, int) and source.object == "Opportunity" and self._is_outcome(source, deal)
            }
        )

    @staticmethod
    def _is_outcome(source: StageSource, deal: Deal) -> bool:
        if source.values is not None and source.field == "StageName":
            return deal.stage in source.values
        return source.milestone in (deal.state, "closed")

    def _counts(self, entry: Entry, row: Row) -> bool:
        """§1: later than as-of is not counted; without a time the record itself must exist by then."""
        at = entry.at if entry.at is not None else when(row, "CreatedDate")
        return at is None or self._clock.happened(at)

    def _of_source(self, target: Target, source: StageSource, name: str, row: Row) -> list[Entry]:
        record = str(row["Id"])
        if source.stamp:
            at = when(row, source.field or "")
            return [] if at is None else [Entry(target, at, name, record, "stamped")]
        if source.values is not None:
            return self._values(target, source, name, row)
        if source.milestone == "created" or (source.milestone == "converted" and flag(row, "IsConverted")):
            at = when(row, "CreatedDate" if source.milestone == "created" else "ConvertedDate")
            if at is None and source.milestone == "converted" and not self._known_now:
                return []
            return [Entry(target, at, name, record, "milestone", CURRENT if at is None else None)]
        return []

    def _values(self, target: Target, source: StageSource, name: str, row: Row) -> list[Entry]:
        """§4 `history` and the first value; D6 when it is known to be entered at creation; D7 otherwise."""
        field, values, record = source.field or "", source.values or [], str(row["Id"])
        changes = self._histories.changes(name, field, record)
        created, present = when(row, "CreatedDate"), text(row, field)
        first = text(changes[0][1], "OldValue") if changes else present
        found = []
        if first in values:
            if self._histories.covers(name, field, created):
                found.append(Entry(target, created, name, record, "milestone"))
            elif self._known_now or self._histories.tracked(name, field):
                found.append(Entry(target, None, name, record, "unknown", FIRST_VALUE if changes else CURRENT))
        for at, change in changes:
            if text(change, "NewValue") in values:
                found.append(Entry(target, at, name, record, "history"))
        unexplained = changes and text(changes[-1][1], "NewValue") != present
        if unexplained and present in values and self._known_now:
            found.append(Entry(target, None, name, record, "unknown", CURRENT))
        return found

    def _stage_names(self, target: Target, values: list[str], deal: Deal) -> list[Entry]:
        """§4 `history` by OpportunityHistory; closed runs are outcomes and no entries here."""
        found = [
            Entry(target, one.when, "Opportunity", deal.id, "history")
            for one in deal.history
            if one.stage in values and one.state == "open"
        ]
        if not deal.explained and deal.said == "open" and deal.stage in values:
            at = when(deal.row, "LastStageChangeDate")
            if at is None and not self._known_now:
                return found
            found.append(Entry(target, at, "Opportunity", deal.id, "unknown", CURRENT if at is None else None))
        return found
