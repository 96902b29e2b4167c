"""What a pull must know of the ledger: which records it has, and their last state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from leadline import engines
from leadline.engines import quoted

if TYPE_CHECKING:
    import duckdb

    from leadline.ledger import Ledger


class KnownRecords:
    """The records of a ledger, as they stand now; an empty ledger knows none."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def holds(self, moment: dt.datetime) -> bool:
        """Whether the ledger has a load of this moment."""
        at = moment.astimezone(dt.UTC).replace(tzinfo=None)
        return any(load.extracted_at == at for load in self._ledger.loads())

    def live(self, name: str, ids: Sequence[str]) -> list[str]:
        """Those of the ids that the ledger has as records not deleted."""
        return self._those(name, ids, "")

    def dead(self, name: str, ids: Sequence[str]) -> list[str]:
        """Those of the ids that the ledger has as deleted records."""
        return self._those(name, ids, "NOT ")

    def pointing(self, name: str, fields: Sequence[str], ids: Sequence[str]) -> list[str]:
        """Ids of known records of which one of the fields holds one of the ids."""
        with self._object(name) as (con, columns):
            there = [quoted(one) for one in fields if one in columns]
            if con is None or not there:
                return []
            con.register("asked", pa.table({"asked": pa.array(ids, pa.string())}))
            holds = " OR ".join(f"{one} IN (SELECT asked FROM asked)" for one in there)
            return sorted(one for (one,) in con.execute(f"SELECT Id FROM src.{quoted(name)} WHERE {holds}").fetchall())

    def records(self, name: str, ids: Sequence[str], columns: Sequence[str]) -> pa.Table:
        """The newest known state of records; a column the ledger has not is empty."""
        with self._object(name) as (con, there):
            assert con is not None, "asked only for ids that the ledger has"
            con.register("asked", pa.table({"asked": list(ids)}))
            wanted = [quoted(one) if one in there else f"NULL AS {quoted(one)}" for one in columns]
            return con.sql(
                f"SELECT {', '.join(wanted)} FROM src.{quoted(name)} WHERE Id IN (SELECT asked FROM asked) ORDER BY Id"
            ).to_arrow_table()

    def missing(self, name: str, files: Sequence[Path]) -> tuple[int, int]:
        """How many of the live records the ledger knows are not in the files, and how many it knows."""
        with self._object(name) as (con, columns):
            if con is None:
                return 0, 0
            there = f"SELECT Id FROM read_parquet({engines.file_list(files)})" if files else "SELECT '' AS Id"
            known = f"FROM src.{quoted(name)} AS held WHERE {_alive(columns)}"
            (live,) = con.execute(f"SELECT count(*) {known}").fetchone() or (0,)
            # An anti join goes to disk where there are many; NOT IN would keep all ids in memory.
            absent = (
                f"SELECT count(*) FROM (SELECT Id {known}) AS held ANTI JOIN ({there}) AS come ON held.Id = come.Id"
            )
            (gone,) = con.execute(absent).fetchone() or (0,)
            return int(gone), int(live)

    def _those(self, name: str, ids: Sequence[str], negated: str) -> list[str]:
        with self._object(name) as (con, columns):
            if con is None:
                return []
            con.register("asked", pa.table({"asked": pa.array(ids, pa.string())}))
            query = f"SELECT Id FROM src.{quoted(name)} WHERE Id IN (SELECT asked FROM asked) AND {negated}({_alive(columns)})"
            return sorted(one for (one,) in con.execute(query).fetchall())

    @contextmanager
    def _object(self, name: str) -> Iterator[tuple[duckdb.DuckDBPyConnection | None, frozenset[str]]]:
        """A connection to the ledger and the columns of an object; None if the ledger lacks it."""
        if not self._ledger.loads():
            yield None, frozenset()
            return
        with engines.writer(":memory:", engines.FRUGAL, spill=self._ledger.spill) as con:
            self._ledger.attach(con)
            rows = con.execute('SELECT "column" FROM src._columns WHERE "object" = ?', [name]).fetchall()
            found = frozenset(one for (one,) in rows)
            yield (con, found | {"_date_only"}) if found else (None, found)


def _alive(columns: frozenset[str]) -> str:
    return "NOT coalesce(IsDeleted, false)" if "IsDeleted" in columns else "true"
