"""What an org holds, and when changes become visible."""

from __future__ import annotations

import datetime as dt
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

from leadline_double.clock import Clock
from leadline_double.ids import Numbering
from leadline_double.problems import ApiError
from leadline_double.schema import ObjectType, standard_objects

Record = dict[str, Any]
BIN_DAYS: Final = 15
"""Days that the recycle bin and the delete log reach back."""


@dataclass(frozen=True)
class Rules:
    """What differs between orgs or is not documented: each can be switched to see that a client copes."""

    reparent_moves_stamp: bool = False
    """Whether a merge moves SystemModstamp of the children it gives to the master."""
    member_keeps_lead: bool = True
    """Whether a campaign member of a converted lead keeps LeadId beside ContactId."""
    influence_sum_limit: bool = False
    """Whether the percents of one opportunity and model may not exceed 100."""
    member_needs_status: bool = False
    """Whether a campaign member's status must be one of its campaign's."""


@dataclass(order=True)
class Late:
    """A transaction under way: its changes carry the stamp of its begin and show from `commit_at`."""

    commit_at: dt.datetime
    number: int
    stamp: dt.datetime = field(compare=False)
    change: Callable[[], Any] = field(compare=False)
    done: bool = field(default=False, compare=False)
    result: Any = field(default=None, compare=False)


class State:
    """Tables of records, the recycle bin, the delete log, and transactions under way.

    `tables[object][id]` is a record; `lock` is held by each request and each change.
    """

    def __init__(self, clock: Clock | None = None, *, multi_currency: bool = True, rules: Rules | None = None) -> None:
        self.clock = clock or Clock()
        self.rules = rules or Rules()
        self.lock = threading.RLock()
        self.multi_currency = multi_currency
        self.objects: dict[str, ObjectType] = standard_objects(multi_currency=multi_currency)
        self.tables: dict[str, dict[str, Record]] = {name: {} for name in self.objects}
        self.bin: dict[str, tuple[dt.datetime, str]] = {}
        self.delete_log: dict[str, list[tuple[str, dt.datetime]]] = defaultdict(list)
        self.log_begins: dict[str, dt.datetime] = {}
        self.tracked: dict[str, set[str]] = defaultdict(set)
        self.formulas: dict[str, dict[str, Callable[[Record, State], Any]]] = defaultdict(dict)
        self.hidden_records: set[str] = set()
        self.numbering = Numbering()
        self.version = 0
        self.currency = "USD"
        self._late: list[Late] = []
        self._stamp: dt.datetime | None = None
        self._links: dict[tuple[str, str], dict[Any, list[Record]]] = {}
        self.clock.hear(self.settle)
        self.user_id = self.organization_id = ""

    def now(self) -> dt.datetime:
        """The stamp of a change: the present second, or the begin of the transaction it belongs to."""
        return self._stamp or self.clock.now()

    def today(self) -> dt.date:
        """The calendar date of a change in the org's time zone."""
        zone = self.tables["Organization"].get(self.organization_id, {}).get("TimeZoneSidKey") or "UTC"
        return self.now().astimezone(ZoneInfo(zone)).date()

    def object(self, name: str) -> ObjectType:
        """The object of a name, as the user sees it.

        Raises:
            ApiError: NOT_FOUND, also when it is hidden from the user.
        """
        found = self.objects.get(name)
        if found is None or found.hidden:
            raise ApiError("NOT_FOUND", "The requested resource does not exist", 404)
        return found

    def record(self, object_name: str, record_id: str) -> Record:
        """The record of an id, deleted or not.

        Raises:
            KeyError: there is none.
        """
        return self.tables[object_name][record_id]

    def object_of(self, record_id: str) -> str | None:
        """The object that holds an id."""
        return next((name for name, rows in self.tables.items() if record_id in rows), None)

    def live(self, object_name: str) -> list[Record]:
        """Records outside the recycle bin."""
        return [one for one in self.tables[object_name].values() if not one.get("IsDeleted")]

    def value(self, object_name: str, record: Record, field_name: str) -> Any:
        """A field of a record; formulas are worked out now."""
        formula = self.formulas.get(object_name, {}).get(field_name)
        return formula(record, self) if formula else record.get(field_name)

    def late(self, change: Callable[[], Any], *, seconds: int) -> Late:
        """Begin a transaction now that commits `seconds` later: its records carry today's stamp but show then.

        What fails at commit (its record is gone, say) is rolled back: `done` stays False.
        """
        with self.lock:
            commit_at = self.clock.now() + dt.timedelta(seconds=seconds)
            one = Late(commit_at, len(self._late) + self.version, self.clock.now(), change)
            self._late.append(one)
            return one

    def settle(self) -> None:
        """Commit what is due and empty what has lain in the bin for 15 days."""
        with self.lock:
            for one in sorted(late for late in self._late if late.commit_at <= self.clock.now()):
                self._late.remove(one)
                with self.at(one.stamp):
                    try:
                        one.result, one.done = one.change(), True
                    except (LookupError, ApiError):
                        one.done = False
            horizon = self.clock.now() - dt.timedelta(days=BIN_DAYS)
            for record_id in [key for key, (deleted_at, _) in self.bin.items() if deleted_at <= horizon]:
                self.forget(record_id)

    def oldest_open(self) -> dt.datetime | None:
        """Begin of the oldest transaction under way."""
        return min((one.stamp for one in self._late), default=None)

    @contextmanager
    def at(self, stamp: dt.datetime) -> Any:
        """Changes inside carry this stamp."""
        before, self._stamp = self._stamp, stamp
        try:
            yield
        finally:
            self._stamp = before

    def forget(self, record_id: str) -> None:
        """Remove a record for good; the delete log keeps its id."""
        name = self.object_of(record_id)
        if name is not None:
            del self.tables[name][record_id]
            self.unlink(name)
        self.bin.pop(record_id, None)
        self.version += 1

    def restore(self, tables: Any, in_bin: Any, delete_log: Any) -> None:
        """Take back what a transaction did."""
        self.tables, self.bin, self.delete_log = tables, in_bin, delete_log
        self._links.clear()
        self.version += 1

    def referring(self, object_name: str, field_name: str, target: Any) -> list[Record]:
        """Records of an object whose lookup holds an id; the links are kept until a lookup changes."""
        key = (object_name, field_name)
        if key not in self._links:
            links: dict[Any, list[Record]] = defaultdict(list)
            for one in self.tables[object_name].values():
                links[one.get(field_name)].append(one)
            self._links[key] = links
        return list(self._links[key].get(target, ()))

    def linked(self, object_name: str, record: Record) -> None:
        """A record was added."""
        for (name, field_name), links in self._links.items():
            if name == object_name:
                links[record.get(field_name)].append(record)

    def unlink(self, object_name: str) -> None:
        """Lookups of an object changed, or records went: find them anew."""
        for key in [one for one in self._links if one[0] == object_name]:
            del self._links[key]
