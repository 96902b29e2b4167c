"""The states between two published ones, each built from records on their way and asked the same questions."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from leadline import engines
from leadline.address import Address
from leadline.config import Settings
from leadline.diff import beside
from leadline.diff.changes import Cells, Difference, cells_of
from leadline.diff.records import REST, Records, Step, replayed
from leadline.engines import quoted
from leadline.errors import SnapshotError, UnknownNameError, UsageError
from leadline.explain.watched import fields_asked, known_fields, watched
from leadline.ledger import Ledger
from leadline.model import build, catalogue
from leadline.model.opened import Opened
from leadline.model.rests import Place
from leadline.model.store import Store
from leadline.progress import Progress, Silent
from leadline.publish import DEFINITION_VERSION
from leadline.results import Result

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from leadline.snapshots import Snapshot

_COSTS: dict[str, set[str] | None] = {"campaigns": {"cost", "cost_state"}, "campaign_costs": None}
"""Tables and columns that costs.csv fills; not looked at where a snapshot does not say its lines."""


@dataclass
class States:
    """Two published states and how to ask them.

    Attributes:
        earlier, later: the snapshots.
        ledger: the ledger of the workspace, whose kept loads both rest on.
        ask: answers an address on an open state, with the credit models of the earlier one.
        ask_later: the same with those of the later one, where they are others.
        open_at: opens a snapshot at a moment.
        addresses: what is asked.
        listing: whether the records are asked for as well.
        moment: the moment both are looked at; None is the earlier one's own.
        own: each at its own moment; the change by that is the part `time`.
        rests: address → fields its answer rests on, where the earlier snapshot says so; a change of another field
            needs no new answer.
    """

    earlier: Snapshot
    later: Snapshot
    ledger: Ledger
    ask: Callable[[Address, Opened], Result]
    open_at: Callable[[Path, dt.datetime], Opened]
    addresses: tuple[Address, ...]
    listing: bool = False
    moment: dt.datetime | None = None
    own: bool = False
    progress: Progress = field(default_factory=Silent)
    rests: dict[Address, frozenset[Place]] = field(default_factory=dict)
    ask_later: Callable[[Address, Opened], Result] | None = None

    @property
    def at(self) -> dt.datetime:
        """The moment all states but perhaps the first are looked at."""
        return self.later.as_of if self.own else self.moment or self.earlier.as_of

    def with_later_models(self) -> States:
        """The same states, asked with the credit models of the later one."""
        return replace(self, ask=self.ask_later or self.ask)


def differences(states: States) -> list[Difference]:
    """The first state, then one after each step that does anything; the last is the later state as published.

    Raises:
        SnapshotError: a snapshot does not say what it rests on, or its records give another state today under
            the same version of the definitions.
        LoadOrderError: the files of a load are no longer kept.
        UnknownNameError: no state knows what an address names.
    """
    first = states.open_at(states.earlier.path, _first_moment(states))
    _learn(states, first)
    found = [_asked(states, "", "", {}, first)]
    if states.own:
        found.append(_asked(states, "time", "", {}, states.open_at(states.earlier.path, states.at)))
    last = states.open_at(states.later.path, states.at)
    found += _between(states, last, found[-1])
    before, after = _settings(states.earlier), _settings(states.later)
    as_before = replace(last, settings=after.model_copy(update={"influence": before.influence}))
    found.append(_asked(states, "definitions", "", {}, as_before))
    unlike = before == after and _same_rules(states) and found[-2].cells != found[-1].cells
    if before.influence != after.influence or states.ask_later is not None:
        found.append(_asked(states.with_later_models(), "models", "", {}, last))
    _require_known(states, found)
    if unlike:
        raise SnapshotError(
            f"The records of snapshot {states.later.id} give other numbers today than it holds, though the settings and "
            f"the definitions (version {DEFINITION_VERSION}) are the same. A change of definitions needs a new version; "
            "nothing is compared."
        )
    return found


def _same_rules(states: States) -> bool:
    """Whether both follow this program's definitions with the same learned numbers."""
    metas = states.earlier.meta, states.later.meta
    return (
        all(meta["definition_version"] == DEFINITION_VERSION for meta in metas)
        and len({meta.get("numbers", "{}") for meta in metas}) == 1
    )


def _first_moment(states: States) -> dt.datetime:
    return states.earlier.as_of if states.own else states.at


def _settings(snapshot: Snapshot) -> Settings:
    return Settings.model_validate(json.loads(snapshot.meta["settings"]))


def _require_known(states: States, found: list[Difference]) -> None:
    """Refuse an address that no state can answer."""
    asked = {key[0] for state in found for key in state.cells}
    for address in states.addresses:
        if str(address.table) not in asked:
            result = states.with_later_models().ask(address.table, states.open_at(states.later.path, states.at))
            if address.column and address.column not in result.table.column_names:
                raise UnknownNameError("column", address.column, result.table.column_names, result.title)


def _learn(states: States, opened: Opened) -> None:
    """Find out which fields each answer rests on, by hearing what is asked of the earlier state."""
    known = known_fields(opened)
    for address in states.addresses if known else ():
        memory = watched(opened)
        try:
            states.ask(address.table, memory)
        except UsageError:
            # Known to the later state only, or to none: then it is refused before anything is built.
            states.with_later_models().ask(address.table, states.open_at(states.later.path, states.at))
            continue
        states.rests[address] = fields_asked(memory, known)


def _touched(states: States, step: Step) -> list[Address]:
    """Addresses whose answers a step can change."""
    if step.place is None or step.place[1] == REST:
        return list(states.addresses)
    held, _ = step.place
    beside = set(step.records) - {held}
    return [
        address
        for address in states.addresses
        if (fields := states.rests.get(address)) is None
        or step.place in fields
        or any(name in beside for name, _ in fields)
    ]


def _asked(
    states: States,
    part: str,
    name: str,
    records: dict[str, int],
    opened: Opened,
    before: Difference | None = None,
    touched: Iterable[Address] | None = None,
) -> Difference:
    """Every number of a state; what it does not know is not there.

    With `touched` only these are asked, the others are as they were `before`.
    """
    asked = states.addresses if touched is None else tuple(touched)
    left = {str(one.table) for one in states.addresses if one not in asked}
    cells: Cells = {key: value for key, value in before.cells.items() if key[0] in left} if before else {}
    lists: dict[str, pa.Table] = {key: rows for key, rows in before.lists.items() if key in left} if before else {}
    for address in asked:
        try:
            result = states.ask(address.table, opened)
        except UsageError:
            # A stage or dimension of the other state's settings: here it counts nothing.
            continue
        cells |= cells_of(address, result)
        if states.listing and result.list_records is not None:
            lists[str(address.table)] = result.records().plain()
    return Difference(part, name, records, cells, lists)


def _loads(snapshot: Snapshot) -> list[str]:
    if "loads" not in snapshot.meta:
        raise SnapshotError(
            f"The snapshot {snapshot.id} does not say which loads it rests on; publish it anew with `leadline build`."
        )
    return [load["key"] for load in json.loads(snapshot.meta["loads"])]


def _between(states: States, last: Opened, before_all: Difference) -> Iterator[Difference]:
    """The states of the records between the two, with the earlier settings; none if both rest on the same loads."""
    earlier, later = _loads(states.earlier), _loads(states.later)
    before, after = _settings(states.earlier), _settings(states.later)
    rated = before.amount.model_copy(update={"rate": after.amount.rate, "budget": after.amount.budget})
    spent = [beside.cost_lines(state) for state in (states.earlier, states.later)]
    costs_before, costs_after = spent if None not in spent else (None, None)
    moved = beside.lines_moved(costs_before or (), costs_after or ())
    same_version = states.earlier.meta["definition_version"] == DEFINITION_VERSION
    if earlier == later and rated == before.amount and same_version and not moved:
        return
    root = states.ledger.workspace / ".diff"
    root.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as scratch:
        folder = Path(scratch)
        for name in ("a", "b"):
            (folder / name).mkdir()
        states.progress.begin("replay")
        paths = [replayed(states.ledger, keys, folder / name) for keys, name in ((earlier, "a"), (later, "b"))]
        records = Records.open(paths[0], paths[1], folder, _read(states, last)) if earlier != later else None
        way = _Way(states, folder, before, records, paths[0], before_all, costs_before)
        yield from way.walk()
        if rated != before.amount:
            way.settings = before.model_copy(update={"amount": rated})
            yield way.state(Step("rates", None, {}))
        if moved:
            way.costs = costs_after
            yield way.state(Step("costs", None, {"lines that came or went": moved}))
        if records is not None:
            records.close()


def _read(states: States, last: Opened) -> frozenset[Place] | None:
    """Fields that numbers of either state rest on; None where one does not say."""
    found: set[Place] = set()
    for opened in (states.open_at(states.earlier.path, states.at), last):
        known = known_fields(opened)
        if not known:
            return None
        found |= {place for columns in known.values() for places in columns.values() for place in places}
    return frozenset(found)


class _Way:
    """States built from records that are on their way."""

    def __init__(
        self,
        states: States,
        folder: Path,
        settings: Settings,
        records: Records | None,
        ledger: Path,
        before: Difference,
        costs: beside.Lines | None,
    ) -> None:
        self.before = before
        self.costs = costs
        self.states = states
        self.folder = folder
        self.settings = settings
        self.records = records
        self.ledger = ledger
        self.known_at = states.earlier.known_at
        self.built = 0

    def walk(self) -> Iterator[Difference]:
        """The state again as it was, then one after each step."""
        states = self.states
        with self._opened() as (opened, con):
            derived = states.at == states.earlier.as_of
            _require_same(states.earlier, con, derived=derived, left_out=_COSTS if self.costs is None else {})
            if states.earlier.meta["definition_version"] != DEFINITION_VERSION:
                self.before = _asked(states, "definitions", "", {}, opened)
                yield self.before
        # What the earlier loads showed is known from them by their versions.
        self.known_at = states.later.known_at
        for step in self.records.steps() if self.records else ():
            yield self.state(step)

    def state(self, step: Step) -> Difference:
        """The state after a step."""
        touched = _touched(self.states, step)
        if touched:
            self.states.progress.begin(f"{step.part} {step.field}".strip())
            with self._opened() as (opened, _):
                self.before = _asked(self.states, step.part, step.field, step.records, opened, self.before, touched)
        else:
            self.before = replace(self.before, part=step.part, field=step.field, records=step.records)
        return self.before

    @contextmanager
    def _opened(self) -> Iterator[tuple[Opened, duckdb.DuckDBPyConnection]]:
        """The records as they are now, built into a model of their own."""
        self.built += 1
        path = self.folder / f"state{self.built}.duckdb"
        con = engines.writer(path)
        try:
            if self.records is not None:
                self.records.attach(con)
            else:
                Ledger(self.ledger.parent).attach(con)
            con.execute("SET preserve_insertion_order = false")
            yield self._model(con), con
        finally:
            if self.records is not None:
                self.records.detach(con)
            con.close()
            path.unlink(missing_ok=True)

    def _model(self, con: duckdb.DuckDBPyConnection) -> Opened:
        backend, source = build.source_of(con)
        store = Store(backend)
        spent = beside.fitting(self.costs or (), store, source)
        built = build.build(source, self.settings, self.known_at, store, as_of=self.states.at, spent=spent)
        earlier = self.states.earlier
        return Opened(
            backend=backend,
            tables=store.tables,
            settings=self.settings,
            zone=built.zone,
            currency=built.currency,
            as_of=built.as_of,
            moment=self.states.at,
            known_at=self.known_at,
            snapshot=earlier.id,
            numbers=json.loads(earlier.meta.get("numbers", "{}")),
            meta={"definition_version": DEFINITION_VERSION},
        )


def _require_same(
    snapshot: Snapshot, con: duckdb.DuckDBPyConnection, *, derived: bool, left_out: Mapping[str, set[str] | None]
) -> None:
    """Refuse a snapshot whose records give other tables today though the version of the definitions is the same.

    Raises:
        SnapshotError: the definitions changed without a new version.
    """
    if snapshot.meta["definition_version"] != DEFINITION_VERSION:
        return
    with engines.reader(snapshot.path) as published:
        wanted = [info.name for info in catalogue.PUBLISHED if derived or not info.derived]
        other = [name for name in wanted if _sums(published, con, name, left_out.get(name, set()))]
    if other:
        raise SnapshotError(
            f"The records of snapshot {snapshot.id} give other rows in {', '.join(other)} today, though the definitions "
            f"have version {DEFINITION_VERSION} then and now. A change of definitions needs a new version; "
            "nothing is compared."
        )


def _sums(
    one: duckdb.DuckDBPyConnection, other: duckdb.DuckDBPyConnection, table: str, left_out: set[str] | None
) -> bool:
    """Whether two databases hold different rows of a table, in the columns both have; of `left_out` None: no matter."""
    shared = sorted(_columns(one, table) & _columns(other, table))
    if not shared or left_out is None:
        return False
    values = ", ".join(quoted(name) for name in shared if name not in left_out)
    query = f"SELECT count(*), sum(hash({values})) FROM {quoted(table)}"
    return one.execute(query).fetchone() != other.execute(query).fetchone()


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    found = con.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() "
        "AND schema_name = 'main' AND table_name = ?",
        [table],
    ).fetchall()
    return {name for name, _ in found}


def usual(of_people: bool) -> Iterable[str]:
    """Addresses compared where none is named."""
    return ("volume", "conversion", "influence") if of_people else ("volume", "pipeline")
