"""Records that stand several times in one load: the newest is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from leadline.sources.sql_text import file_list, literal


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
    hashes = con.execute(f"SELECT hash(Id) AS h FROM {read}").fetchnumpy()["h"]
    hashes = np.sort(np.asarray(hashes))
    twice = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
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
