"""From the ledger to a snapshot file: build, audit, learn, and let the file explain itself."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa

from leadline import engines
from leadline.audit import lineage as audit_lineage
from leadline.audit import run as audit_run
from leadline.config import Settings
from leadline.errors import SnapshotError
from leadline.explain import watched
from leadline.findings import Finding
from leadline.ledger import Ledger
from leadline.matching import run as matching
from leadline.metrics import prepared
from leadline.metrics.times import learn
from leadline.model import build, catalogue, rests
from leadline.model.opened import Opened
from leadline.model.source import Source
from leadline.model.store import Store
from leadline.sources import costs_file
from leadline.sources.costs_file import CostsFile
from leadline.sources.matches_file import MatchesFile

if TYPE_CHECKING:
    import duckdb

DEFINITION_VERSION = "1"
"""Version of the definitions in docs/definitions.md that the code follows."""

NUMBERS_FILE = "numbers.json"
"""Learned numbers of a workspace, carried from publish to publish."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a built snapshot file holds."""

    known_at: dt.datetime
    as_of: dt.datetime
    numbers: dict[str, int]
    rows: dict[str, int]


def write(
    ledger: Ledger,
    settings: Settings,
    path: Path,
    *,
    numbers: dict[str, int] | None = None,
    findings: Iterable[Finding] = (),
    spent: CostsFile | None = None,
    matches: MatchesFile | None = None,
    progress: Callable[[str], None] | None = None,
) -> Published:
    """Build the snapshot file at `path` from the ledger.

    Args:
        numbers: learned numbers known before; they are kept as they are.
        findings: what the loads themselves found.
        spent: the costs of the workspace's file, if it has one.
        matches: leads whose account the workspace says by hand, if it does.

    Raises:
        CostsError: that file does not fit the records.
        SnapshotError: the ledger is empty.
        IdentityError: merge or conversion pointers without an end.
    """
    connection = engines.maker(path)
    try:
        ledger.attach(connection)
        connection.execute("SET preserve_insertion_order = false")
        known_at = _known_at(connection)
        backend, source = build.source_of(connection)
        store = Store(backend, progress=progress)
        facts = {"loads": _loads(connection)}
        spill = path.parent / f"{path.stem}.spill"
        built, learned = fill(
            store,
            source,
            settings,
            known_at,
            numbers=numbers or {},
            findings=tuple(findings),
            spent=spent,
            matches=matches,
            spill=spill,
            facts=facts,
        )
        connection.execute("DROP SCHEMA src CASCADE")
        connection.execute("DETACH ledger")
        connection.execute("CHECKPOINT")
    finally:
        connection.close()
    return Published(known_at, known_at, learned, built.rows)


def fill(
    store: Store,
    source: Source,
    settings: Settings,
    known_at: dt.datetime,
    *,
    numbers: dict[str, int],
    findings: tuple[Finding, ...],
    spent: CostsFile | None,
    matches: MatchesFile | None,
    spill: Path | None,
    facts: dict[str, str],
    opened: Callable[[Opened], Opened] = lambda opened: opened,
) -> tuple[build.Built, dict[str, int]]:
    """Put every table of a snapshot into `store`, whatever engine it stands on; what was built and what was learned.

    Args:
        facts: more entries for `_meta`.
        opened: what makes the tables just built ready for questions on another engine than DuckDB.
    """
    built = build.build(source, settings, known_at, store, spent=spent)
    matched = matching.run(store, source, settings.matching, matches, spill)
    audit_run.run(store, source, settings, built, more=(*findings, *matched.findings))
    ready = opened(_opened(store, settings, built, known_at, numbers))
    learned = learn.learned(ready, numbers)
    _keep_ready(ready, store)
    keep_lineage(store, source)
    keep_fields(store, source)
    explain(
        store,
        settings,
        built,
        known_at,
        learned,
        facts | {"matching_seconds": f"{matched.seconds['matching']:.1f}", costs_file.META: costs_file.to_text(spent)},
    )
    return built, learned


def _keep_ready(ready: Opened, store: Store) -> None:
    """The tables that questions find ready; what they were made of on the way counts among what the store has made."""
    at, asked = len(store.made), watched.watched(ready)
    prepared.keep(asked, store)
    store.made[at:at] = [(name, expression) for name, expression in asked.heard if name]


def _known_at(connection: object) -> dt.datetime:
    row = connection.execute('SELECT max(extracted_at) FROM src."_loads"').fetchone()  # type: ignore[attr-defined]
    if row is None or row[0] is None:
        raise SnapshotError("The ledger holds no load yet. Import records with `leadline import PATH`.")
    return row[0].replace(tzinfo=dt.UTC)


def _loads(connection: duckdb.DuckDBPyConnection) -> str:
    """The loads the snapshot rests on, as JSON: key, name, moment, coverage, records of each object, rows of its files."""
    rows = connection.execute(
        'SELECT l.key, l.name, l.extracted_at, l.coverage, o."object", o."rows" FROM ledger._loads AS l '
        "LEFT JOIN ledger._load_objects AS o ON o.key = l.key ORDER BY ALL"
    ).fetchall()
    found: dict[str, dict[str, Any]] = {}
    for key, name, moment, coverage, held, count in rows:
        facts = {"key": key, "name": name, "extracted_at": moment.isoformat(), "coverage": coverage, "objects": {}}
        load = found.setdefault(key, facts)
        if held is not None:
            load["objects"][held] = count
    for key, held, count, taken in connection.execute(
        'SELECT key, "object", sum("rows")::BIGINT, sum(loaded)::BIGINT FROM ledger._files WHERE "object" IS NOT NULL '
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        found[key].setdefault("files", {})[held] = {"rows": count, "loaded": taken}
    return json.dumps(list(found.values()))


def _opened(
    store: Store, settings: Settings, built: build.Built, known_at: dt.datetime, numbers: dict[str, int]
) -> Opened:
    """The tables just built, as a metric sees them."""
    return Opened(
        backend=store.backend,
        tables=store.tables,
        settings=settings,
        zone=built.zone,
        currency=built.currency,
        as_of=built.as_of,
        moment=known_at,
        known_at=known_at,
        snapshot="",
        numbers=numbers,
        meta={},
    )


def keep_lineage(store: Store, source: Source) -> None:
    """The table `_lineage`: the steps from the source's records to the model."""
    rows = [asdict(step) for step in audit_lineage.steps(store, source)]
    names = {"step": pa.string(), "rows_in": pa.int64(), "rows_out": pa.int64(), "why": pa.string()}
    made = pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in names.items()})
    store.keep("_lineage", ibis.memtable(made))


def keep_fields(store: Store, source: Source) -> None:
    """The table `_fields`: which fields of the source the columns and rows of each table rest on."""
    known = rests.tables(store, source)
    rows = sorted(
        (name, column, *place)
        for name in (*(info.name for info in catalogue.PUBLISHED), *prepared.TABLES)
        for column, places in known.get(name, {}).items()
        for place in places
        if place[1] and not place[1].startswith("_")
    )
    names = ("table", "column", "object", "field")
    made = pa.table({name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(names)})
    store.keep("_fields", ibis.memtable(made))


def explain(
    store: Store,
    settings: Settings,
    built: build.Built,
    known_at: dt.datetime,
    numbers: dict[str, int],
    facts: dict[str, str],
) -> None:
    """Tables about the tables: `_meta` with more facts, `_tables`, `_columns`."""
    given = settings.model_dump(mode="json", by_alias=True)
    text = json.dumps(given, sort_keys=True)
    meta = {
        "as_of": known_at.isoformat(),
        "known_at": known_at.isoformat(),
        "zone": built.zone,
        "currency": json.dumps(asdict(built.currency)),
        "definition_version": DEFINITION_VERSION,
        "settings": text,
        "config_hash": hashlib.sha256(text.encode()).hexdigest(),
        "numbers": json.dumps(numbers, sort_keys=True),
        **facts,
    }
    store.keep("_meta", ibis.memtable(pa.table({"key": list(meta), "value": list(meta.values())})))
    last = [info for info in catalogue.EXTRA if info.name == "_columns"]
    held = [info for info in (*catalogue.PUBLISHED, *catalogue.EXTRA) if info.name in store or info.name == "_tables"]
    store.keep(
        "_tables",
        ibis.memtable(
            pa.table(
                {
                    "table": [info.name for info in held + last],
                    "key_columns": [",".join(info.key) for info in held + last],
                    "description": [info.text for info in held + last],
                }
            )
        ),
    )
    columns = [
        (info.name, name, str(kind), catalogue.column_text(name))
        for info in held
        for name, kind in store[info.name].schema().items()
    ]
    made = zip(("table", "column", "type", "description"), zip(*columns, strict=True), strict=True)
    store.keep("_columns", ibis.memtable(pa.table({name: list(values) for name, values in made})))
