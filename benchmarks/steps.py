"""The measured steps, each run in a process of its own: `python -m benchmarks.steps STEP ARGUMENT...`.

Every step prints one line of JSON: the seconds of the work itself, without the start of the process,
and what it touched.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SQL_TYPES = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "decimal": "DECIMAL(28, 8)",
    "rate": "DECIMAL(28, 12)",
    "date": "DATE",
    "datetime": "TIMESTAMP",
}


def read_csv(folder: str, database: str = "") -> dict[str, Any]:
    """The limit of an import: DuckDB parses and types every cell of the files.

    Args:
        folder: where the files are.
        database: file to keep the rows in, one table per file; without it nothing is kept.
    """
    import duckdb

    from leadline.schema import OBJECTS

    con = duckdb.connect(database or ":memory:")
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET preserve_insertion_order = false")
    queries = []
    for path in sorted(Path(folder).glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as opened:
            header = next(csv.reader(opened))
        kinds = OBJECTS.get(path.stem, {})
        columns = {name: SQL_TYPES[kinds[name]] if name in kinds else "VARCHAR" for name in header}
        file = (
            f"read_csv('{path}', columns = {columns}, header = true, "
            "auto_detect = false, delim = ',', quote = '\"', escape = '\"')"
        )
        kept = f'CREATE TABLE "{path.stem}" AS SELECT * FROM {file}'
        queries.append(kept if database else f"SELECT count(*), count(COLUMNS(*)) FROM {file}")
    began = time.perf_counter()
    rows = sum(answer[0] for query in queries if (answer := con.execute(query).fetchone()))
    con.close()
    return {"seconds": time.perf_counter() - began, "rows": rows}


def scan_ledger(workspace: str) -> dict[str, Any]:
    """The limit of a build: every value of the records it reads is looked at once."""
    from leadline import engines
    from leadline.ledger import Ledger
    from leadline.schema import OBJECTS

    con = engines.writer(":memory:")
    Ledger(Path(workspace)).attach(con)
    views = "SELECT view_name FROM duckdb_views() WHERE schema_name = 'src'"
    wanted = sorted({name for (name,) in con.execute(views).fetchall() if name.removesuffix("__versions") in OBJECTS})
    seconds = 0.0
    for name in wanted:
        columns = [row[0] for row in con.execute(f'DESCRIBE src."{name}"').fetchall()]
        seconds += _scan(con, f'src."{name}"', columns)
    return {"seconds": seconds, "tables": len(wanted)}


def ask(workspace: str, metric: str) -> dict[str, Any]:
    """One metric with its defaults, and after it the scan of the columns that its queries read."""
    import leadline

    opened = leadline.open(workspace)
    with scan_of_queries() as scan:
        began = time.perf_counter()
        result = getattr(opened.metrics, metric)()
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "scan_seconds": scan(), "rows": result.table.num_rows}


@contextmanager
def scan_of_queries() -> Iterator[Callable[[], float]]:
    """Records the queries of the block; the function it gives then scans the columns of the snapshot they read.

    What a question keeps for its own parts is no column of the snapshot: what was read to keep it is.
    """
    from ibis.backends.duckdb import Backend

    from leadline.model.opened import Opened

    asked: list[tuple[Backend, Any]] = []
    answer, keep = Backend.to_pyarrow, Opened.keep

    def answering(self: Backend, expression: Any, /, **options: Any) -> Any:
        asked.append((self, expression))
        return answer(self, expression, **options)

    def keeping(self: Opened, expression: Any) -> Any:
        asked.append((self.backend, expression))
        return keep(self, expression)

    Backend.to_pyarrow, Opened.keep = answering, keeping  # type: ignore[method-assign]  # put back below
    try:
        yield lambda: _scan_seconds(asked)
    finally:
        Backend.to_pyarrow, Opened.keep = answer, keep  # type: ignore[method-assign]  # as above


def _scan_seconds(asked: list[tuple[Any, Any]]) -> float:
    """The median of three scans of the columns that some queries read."""
    read: dict[str, set[str]] = defaultdict(set)
    for backend, expression in asked:
        plan = backend.con.execute(f"EXPLAIN (FORMAT json) {backend.compile(expression)}").fetchall()[-1][-1]
        for node in _nodes(json.loads(plan)):
            _add_scan(node, read)
    of_snapshot = {table: columns for table, columns in read.items() if not table.startswith('"temp".')}
    con = asked[0][0].con
    scans = [sum(_scan(con, table, sorted(columns)) for table, columns in of_snapshot.items()) for _ in range(3)]
    return sorted(scans)[1]


def _nodes(plan: Any) -> list[dict[str, Any]]:
    waiting, found = list(plan) if isinstance(plan, list) else [plan], []
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += node.get("children", [])
    return found


def _add_scan(node: dict[str, Any], read: dict[str, set[str]]) -> None:
    info = node.get("extra_info", {})
    if not isinstance(info, dict) or "Table" not in info:
        return
    columns = info.get("Projections", [])
    columns = [columns] if isinstance(columns, str) else columns
    read[str(info["Table"])].update(one for one in columns if one.isidentifier())


def _scan(con: Any, table: str, columns: list[str]) -> float:
    """Seconds to look at every value of some columns once."""
    if not columns:
        return 0.0
    looked_at = ", ".join(f'bit_xor(hash("{name}"))' for name in columns)
    began = time.perf_counter()
    con.execute(f"SELECT {looked_at} FROM {table}").fetchall()
    return time.perf_counter() - began


STEPS: dict[str, Callable[..., dict[str, Any]]] = {"read_csv": read_csv, "scan_ledger": scan_ledger, "ask": ask}

if __name__ == "__main__":
    print(json.dumps(STEPS[sys.argv[1]](*sys.argv[2:])))
