"""From the ledger to a published snapshot."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from leadline import config, engines
from leadline.findings import Finding
from leadline.progress import Progress

if TYPE_CHECKING:
    from leadline.config import Settings
    from leadline.ledger import Ledger
    from leadline.snapshots import Published, Snapshots
    from leadline.warehouse.published import WarehouseSnapshots


def build_and_publish(ledger: Ledger, settings: Settings, snapshots: Snapshots, *, progress: Progress) -> Published:
    """Build into a new snapshot and switch readers to it; learned numbers stay as they were first learned."""
    from leadline import publish
    from leadline.model import catalogue
    from leadline.sources import costs_file, matches_file

    tables = {info.name for info in catalogue.PUBLISHED}
    known = _known_numbers(snapshots.workspace)
    learned: dict[str, int] = {}
    spent = costs_file.read(snapshots.workspace, settings.costs.file)
    matches = matches_file.read(snapshots.workspace)

    def build(path: Path) -> dict[str, str]:
        progress.begin("build", len(tables), "tables")
        made = publish.write(
            ledger,
            settings,
            path,
            numbers=known,
            findings=load_findings(ledger),
            spent=spent,
            matches=matches,
            progress=lambda table: progress.advance(int(table in tables)),
        )
        learned.update(made.numbers)
        progress.begin("verify")
        return {
            "as_of": made.as_of.isoformat(),
            "known_at": made.known_at.isoformat(),
            "definitions": publish.DEFINITION_VERSION,
            "config": _hash(settings, made.numbers),
        }

    published = snapshots.publish(build)
    _keep_numbers(snapshots.workspace, learned)
    return published


def snapshots_of(workspace: Path) -> Snapshots:
    """The snapshots of a workspace: in files beside it, or in the warehouse that its settings name."""
    from leadline.snapshots import Snapshots
    from leadline.warehouse.published import WarehouseSnapshots

    path = workspace / config.FILE_NAME
    # Most workspaces name none; they are spared the reading, and faults of the file are told where it is used.
    if path.exists() and b"[warehouse" in path.read_bytes():
        warehouse = config.load(path).warehouse
        if warehouse.engine != "duckdb":
            return WarehouseSnapshots(workspace, warehouse)
    return Snapshots(workspace)


def build_in_warehouse(settings: Settings, snapshots: WarehouseSnapshots, *, progress: Progress) -> Published:
    """Build from the tables of a warehouse and switch readers there; learned numbers stay as they were first learned."""
    from leadline.model import catalogue
    from leadline.sources import costs_file, matches_file

    tables = {info.name for info in catalogue.PUBLISHED}
    progress.begin("build", len(tables), "tables")
    published, learned = snapshots.build(
        settings,
        numbers=_known_numbers(snapshots.workspace),
        config_hash=lambda numbers: _hash(settings, numbers),
        spent=costs_file.read(snapshots.workspace, settings.costs.file),
        matches=matches_file.read(snapshots.workspace),
        progress=lambda table: progress.advance(int(table in tables)),
    )
    _keep_numbers(snapshots.workspace, learned)
    return published


def _known_numbers(workspace: Path) -> dict[str, int]:
    """Numbers learned before."""
    from leadline import publish

    kept = workspace / publish.NUMBERS_FILE
    known: dict[str, int] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    return known


def _keep_numbers(workspace: Path, learned: dict[str, int]) -> None:
    from leadline import publish

    kept = workspace / publish.NUMBERS_FILE
    draft = kept.with_name(f".{kept.name}")
    draft.write_text(json.dumps(learned, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    draft.replace(kept)


def load_findings(ledger: Ledger) -> tuple[Finding, ...]:
    """What the loads found that make up the present state: the last full one and all after it."""
    with engines.writer(":memory:") as con:
        ledger.attach(con)
        rows = con.execute(
            'SELECT code, severity, message, "object", "rows", amount, moves, remedy, record_ids FROM src._findings '
            "WHERE load_id >= (SELECT coalesce(max(load_id) FILTER (coverage = 'full'), 0) FROM src._loads) "
            "ORDER BY load_id, code, message"
        ).fetchall()
    return tuple(
        Finding(
            code=code,
            severity=severity,
            message=message,
            object=name or "",
            rows=rows_touched or 0,
            amount=amount,
            moves=tuple(moves or ()),
            remedy=remedy or "",
            record_ids=tuple(ids or ()),
        )
        for code, severity, message, name, rows_touched, amount, moves, remedy, ids in rows
    )


def _hash(settings: Settings, numbers: dict[str, int]) -> str:
    """One hash of all that shapes the numbers besides the records: settings and learned windows."""
    # How the live org is read shapes no number: the same records by another way are the same.
    shape = [settings.model_dump(mode="json", by_alias=True, exclude={"salesforce"}), numbers]
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()
