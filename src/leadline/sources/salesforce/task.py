"""One query on its way to disk: what is asked, the whole pages that have come, where it goes on.

The state is written after every page, in one step, behind the page itself. Whatever ends the
process, the next run finds whole pages and the place behind the last of them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from leadline.sources.salesforce.shapes import ObjectShape

if TYPE_CHECKING:
    import pyarrow as pa

Method = Literal["bulk", "rest"]
_STATE: Final = "task.json"


@dataclass
class _State:
    soql: str
    fields: list[str]
    method: Method
    job: str = ""
    locator: str = ""
    pages: list[tuple[str, int]] = field(default_factory=list)
    expected: int | None = None
    done: bool = False


class Task:
    """A query of one object and the folder its pages go to.

    Attributes:
        shape: the object as the org describes it.
        heard: called with the rows of each page that came.
    """

    def __init__(
        self,
        folder: Path,
        shape: ObjectShape,
        fields: tuple[str, ...],
        soql: str,
        method: Method,
        heard: Callable[[int], None] = lambda rows: None,
    ) -> None:
        self.folder, self.shape, self.fields, self.heard = folder, shape, fields, heard
        self._state = _read(folder) or _State(soql, list(fields), method)
        if (self._state.soql, self._state.fields) != (soql, list(fields)):
            self._state = _State(soql, list(fields), method)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._forget_strays()
        heard(self.rows)

    @property
    def soql(self) -> str:
        """The query."""
        return self._state.soql

    @property
    def method(self) -> Method:
        """By which API it is asked."""
        return self._state.method

    @property
    def job(self) -> str:
        """The bulk job that is under way, or an empty string."""
        return self._state.job

    @property
    def locator(self) -> str:
        """Where the next page of that job begins; empty for its first page."""
        return self._state.locator

    @property
    def rows(self) -> int:
        """Rows that have come."""
        return sum(rows for _, rows in self._state.pages)

    @property
    def files(self) -> list[Path]:
        """The pages, in order."""
        return [self.folder / name for name, _ in self._state.pages]

    @property
    def done(self) -> bool:
        """Whether all of it has come."""
        return self._state.done

    def turn_to(self, method: Method) -> None:
        """Ask by the other API, from the start."""
        self.start_over()
        self._state.method = method
        self._save()

    def begin_job(self, job: str) -> None:
        """Remember the bulk job, before its first page."""
        self._state.job, self._state.locator = job, ""
        self._save()

    def start_over(self) -> None:
        """Forget all pages."""
        self.heard(-self.rows)
        self._state = _State(self.soql, list(self.fields), self.method)
        self._save()
        self._forget_strays()

    def add(self, page: pa.Table, locator: str = "") -> None:
        """Keep a page, and where the next one begins."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if page.num_rows:
            name = f"page-{len(self._state.pages):05d}.parquet"
            draft = self.folder / f".{name}"
            pq.write_table(page, draft, compression="snappy", row_group_size=max(1, page.num_rows))
            # What Arrow has freed it keeps for later; of several objects at a time that is a lot.
            pa.default_memory_pool().release_unused()
            draft.replace(self.folder / name)
            self._state.pages.append((name, page.num_rows))
        self._state.locator = locator
        self._save()
        self.heard(page.num_rows)

    def finish(self) -> None:
        """All of it has come."""
        self._state.done = True
        self._save()

    def _save(self) -> None:
        draft = self.folder / f".{_STATE}"
        draft.write_text(json.dumps(asdict(self._state)), encoding="utf-8")
        draft.replace(self.folder / _STATE)

    def _forget_strays(self) -> None:
        kept = {path.name for path in self.files} | {_STATE}
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in kept:
                path.unlink()


def _read(folder: Path) -> _State | None:
    try:
        return _State(**json.loads((folder / _STATE).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        # Nothing there, or written by another version: then it is asked from the start.
        return None
