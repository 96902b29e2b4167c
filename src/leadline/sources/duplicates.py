"""Records that stand several times in one load: the newest is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from leadline.sources.sql_text import file_list, literal

_AT_ONCE: Final = 4_000_000
"""Hashes that are held at a time: 32 MB, and as much again while they are sorted."""


@dataclass(frozen=True, slots=True)
class Loser:
    """Rows of one file (by its number) that a newer record with the same Id replaces, ascending."""

    file: int
    rows: npt.NDArray[np.int64]

    def rewrite(self, con: duckdb.DuckDBPyConnection, source: Path, target: Path) -> None:
        """Write the file without those rows."""
        con.register("losing", pa.table({"losing": self.rows}))
        con.execute(
            f"COPY (SELECT * EXCLUDE (file_row_number) FROM read_parquet({literal(str(source))}, "
            "file_row_number = true) ANTI JOIN losing ON file_row_number = losing ORDER BY file_row_number) "
            f"TO {literal(str(target))} (FORMAT parquet, COMPRESSION snappy, PARQUET_VERSION v2)"
        )
        con.unregister("losing")


def older_twins(con: duckdb.DuckDBPyConnection, files: list[Path], columns: set[str]) -> list[Loser]:
    """Rows whose Id stands in another row that is newer.

    Newer is by SystemModstamp, else LastModifiedDate, else later in the order of the files and rows.
    Hashes of the ids come first: as long as those are all different nothing else is looked at.
    """
    read = f"read_parquet({file_list(files)}, filename = true, file_row_number = true)"
    twice = hashes_seen_twice(con, "Id", read)
    if not len(twice):
        return []
    con.register("twice", pa.table({"twice": twice}))
    con.register("places", pa.table({"path": [str(path) for path in files], "place": range(len(files))}))
    stamps = [f"{stamp} DESC NULLS LAST" for stamp in ("SystemModstamp", "LastModifiedDate") if stamp in columns]
    newest = ", ".join([*stamps, "place DESC", "file_row_number DESC"])
    found = con.execute(
        f"SELECT place, file_row_number AS row FROM {read} JOIN places ON path = filename "
        "WHERE hash(Id) IN (SELECT twice FROM twice) "
        f"QUALIFY row_number() OVER (PARTITION BY Id ORDER BY {newest}) > 1"
    ).fetchnumpy()
    con.unregister("twice")
    con.unregister("places")
    place, row = np.asarray(found["place"]), np.asarray(found["row"], np.int64)
    return [Loser(int(file), np.sort(row[place == file])) for file in np.unique(place)]


def hashes_seen_twice(con: duckdb.DuckDBPyConnection, column: str, relation: str) -> npt.NDArray[np.uint64]:
    """Hashes that several rows of a relation have in a column; none of them proves its values to be different.

    Many rows are looked at in parts, so that the memory it takes does not grow with them.
    """
    (rows,) = con.execute(f"SELECT count(*) FROM {relation}").fetchone() or (0,)
    parts = 1 + rows // _AT_ONCE
    found = []
    for part in range(parts):
        some = f" WHERE hash({column}) % {parts} = {part}" if parts > 1 else ""
        hashes = np.asarray(con.execute(f"SELECT hash({column}) AS h FROM {relation}{some}").fetchnumpy()["h"])
        hashes = np.sort(hashes)
        found.append(np.unique(hashes[1:][hashes[1:] == hashes[:-1]]))
    return np.concatenate(found)
