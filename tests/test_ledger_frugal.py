"""Loads that work on disk rather than in memory: what they bring is the same, and too little memory is no end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from leadline import engines
from leadline.ledger import Ledger, ledger
from leadline.sources import duplicates
from tests.ledger_loads import content, staged_load

MOMENTS = ("2026-01-01T06:00:00", "2026-01-08T06:00:00")
WIDE = 40
"""Columns of text; with the rows below far more than the memory permitted."""
ROWS = 3_000


def loads(folder: Path, **how: Any) -> Ledger:
    """Two full loads, of which the second changes each third row and lacks one in a hundred."""
    made = Ledger(folder / "workspace")
    rows = [{"Id": f"L{n}"} | {f"C{c}__c": f"text {n} of column {c}" for c in range(WIDE)} for n in range(ROWS)]
    later = [row | ({"C7__c": "other"} if n % 3 == 0 else {}) for n, row in enumerate(rows) if n % 100]
    for number, (at, part) in enumerate(zip(MOMENTS, (rows, later), strict=True)):
        made.load(staged_load(folder / str(number), at, {"Lead": part}), **how)
    return made


def test_a_frugal_load_is_the_same_load(tmp_path: Path):
    assert content(loads(tmp_path / "a", frugal=True).workspace) == content(loads(tmp_path / "b").workspace)


def test_where_little_memory_is_too_little_more_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    refused = []
    merge = ledger.merge

    def observed(con: duckdb.DuckDBPyConnection, *rest: Any) -> Any:
        try:
            return merge(con, *rest)
        except duckdb.OutOfMemoryException:
            refused.append(con.execute("SELECT count(*) FROM _loads").fetchall())
            raise

    monkeypatch.setattr(engines, "FRUGAL", "3MB")
    monkeypatch.setattr(ledger, "merge", observed)
    made = loads(tmp_path / "a", frugal=True)
    assert refused
    assert refused[0] == [(0,)], "a merge that fell short left its load behind"
    monkeypatch.undo()
    assert content(made.workspace) == content(loads(tmp_path / "b").workspace)


@pytest.mark.parametrize("at_once", [7, 1000])
def test_twins_are_found_in_parts(at_once: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(duplicates, "_AT_ONCE", at_once)
    with duckdb.connect() as con:
        ids = [f"K{n}" for n in range(200)] + ["K3", "K150", "K150"]
        con.register("kept", pa.table({"Id": ids}))
        (expected,) = con.execute("SELECT list(hash(Id)) FROM (VALUES ('K3'), ('K150')) AS t (Id)").fetchall()[0]
        assert sorted(duplicates.hashes_seen_twice(con, "Id", "kept")) == sorted(np.array(expected, np.uint64))
