"""What pulls bring, kept in dictionaries instead of a ledger: quick, and made by nothing but the pull's own files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leadline.config import Settings
from leadline.progress import Silent
from leadline.sources.salesforce import run, typed
from leadline.sources.salesforce.marks import Marks
from leadline.sources.salesforce.pull import Asked, Pull
from leadline.sources.salesforce.session import Session


class Mirror:
    """What pulls brought, by object and id; it also tells pulls what is known."""

    def __init__(self, session: Callable[[], Session], now: Callable[[], dt.datetime], folder: Path) -> None:
        self._session, self._now, self.folder = session, now, folder
        self.rows: dict[str, dict[str, dict[str, Any]]] = {}
        self.marks = Marks()

    def live(self, name: str, ids: Sequence[str]) -> list[str]:
        known = self.rows.get(name, {})
        return [key for key in ids if key in known and not known[key]["IsDeleted"]]

    def dead(self, name: str, ids: Sequence[str]) -> list[str]:
        known = self.rows.get(name, {})
        return [key for key in ids if key in known and known[key]["IsDeleted"]]

    def pointing(self, name: str, fields: Sequence[str], ids: Sequence[str]) -> list[str]:
        known = self.rows.get(name, {})
        return [key for key, row in known.items() if {row.get(one) for one in fields} & set(ids)]

    def records(self, name: str, ids: Sequence[str], columns: Sequence[str]) -> pa.Table:
        kept = [{column: self.rows[name][key].get(column) for column in columns} for key in ids]
        return pa.Table.from_pylist(kept, schema=typed.schema(name, columns[:-1]))

    def missing(self, name: str, files: Sequence[Path]) -> tuple[int, int]:
        return 0, len(self.rows.get(name, {}))

    def pull(self, settings: Settings, asked: Asked | None = None) -> dict[str, bool]:
        """Pull and take in what came; which objects were read whole."""
        puller = Pull(self._session(), settings, self.folder, self, self.marks, Silent(), self._now)
        pulled = puller.stage(asked or Asked())
        for one in pulled.staged.objects:
            rows = {row["Id"]: row for path in one.files for row in pq.read_table(path).to_pylist()}
            assert len(rows) == one.rows == sum(pq.read_metadata(path).num_rows for path in one.files)
            before = {} if one.whole else self.rows.get(one.object, {})
            self.rows[one.object] = before | rows
        self.marks = pulled.marks
        run.drop(self.folder)
        return {one.object: one.whole for one in pulled.staged.objects}
