"""Plans on disk: what was looked at, what is to be done row by row, and how far it is."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from leadline.errors import UnknownNameError
from leadline.sources.sql_text import literal, quoted
from leadline.writeback.journal import Journal
from leadline.writeback.target import Target

FOLDER: Final = ".push"
_FILE: Final = "plan.json"
ROWS: Final = "rows.parquet"
BEFORE: Final = "before.parquet"

ACTIONS: Final = ("delete", "change", "create")
"""In the order in which they are done: what an opportunity has never exceeds 100 % on the way."""

Run = Literal["apply", "undo"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of a plan by what becomes of them."""

    create: int
    change: int
    delete: int
    unchanged: int

    @property
    def written(self) -> int:
        """Rows that are sent."""
        return self.create + self.change + self.delete


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, made once and never changed.

    Attributes:
        id: its name.
        what: influence or members.
        about: what it writes and where, in words.
        org: id of the org.
        snapshot: id of the snapshot its values come from.
        made_at: when it was made (UTC).
        target: the records and fields it may touch.
        counts: rows by what becomes of them.
        amounts: what the rows under the model say of the opportunities' amounts, before and after,
            in minor units; None where rows hold no amounts.
        currency: code of the reporting currency.
        digits: its decimal places.
        calls: API calls that doing it takes, at least.
        notes: what else should be known before it is applied.
        folder: where it lies.
    """

    id: str
    what: str
    about: str
    org: str
    snapshot: str
    made_at: dt.datetime
    target: Target
    counts: Counts
    amounts: tuple[int, int] | None
    currency: str
    digits: int
    calls: int
    notes: tuple[str, ...]
    folder: Path

    @property
    def rows(self) -> Path:
        """Its rows: no, action, id, key, old, new, extra (the last three texts of JSON)."""
        return self.folder / ROWS

    @property
    def before(self) -> Path:
        """All records of the target before: id, key, image, extra."""
        return self.folder / BEFORE

    def first_rows(self, count: int) -> list[tuple[str, str, str, str]]:
        """The first rows in words: action, record or key, old and new values."""
        import duckdb

        with duckdb.connect() as con:
            rows = con.execute(
                "SELECT action, coalesce(id, key), coalesce(old, ''), coalesce(new, '') "
                f"FROM read_parquet({literal(str(self.rows))}) ORDER BY no LIMIT {count}"
            ).fetchall()
        return [(action, record, self._words(old), self._words(new)) for action, record, old, new in rows]

    def write_rows(self, path: Path) -> None:
        """Write every row into a CSV: no, action, id, and each field old and new."""
        import duckdb

        fields = ", ".join(
            f"json_extract_string({side}, {literal('$.' + name)}) AS {quoted(f'{side} {name}')}"
            for name in self.target.fields
            for side in ("old", "new")
        )
        with duckdb.connect() as con:
            con.execute(
                f"COPY (SELECT no, action, id, {fields} FROM read_parquet({literal(str(self.rows))}) ORDER BY no) "
                f"TO {literal(str(path))} (FORMAT csv, HEADER)"
            )

    def _words(self, image: str) -> str:
        values: dict[str, str | None] = json.loads(image) if image else {}
        return ", ".join(f"{name} {text or '–'}" for name, text in values.items() if name in self.target.changed)

    def journal(self, run: Run) -> Journal:
        """The journal of its application, or of its undoing."""
        return Journal(self.folder / f"{run}.jsonl")

    @property
    def state(self) -> str:
        """How far it is: planned, being applied, applied, being undone, undone."""
        undone, applied = self.journal("undo"), self.journal("apply")
        if undone.begun:
            return "undone" if undone.ended else "being undone"
        if applied.begun:
            return "applied" if applied.ended else "being applied"
        return "planned"

    def save(self) -> None:
        """Write what is told of it beside its rows; from then on the plan is there."""
        told = asdict(self) | {"made_at": self.made_at.isoformat()}
        del told["folder"]
        draft = self.folder / f".{_FILE}"
        draft.write_text(json.dumps(told, indent=1), encoding="utf-8")
        draft.replace(self.folder / _FILE)


def known(workspace: Path) -> list[str]:
    """Ids of the plans of a workspace, the newest first."""
    return sorted((path.parent.name for path in (workspace / FOLDER).glob(f"*/{_FILE}")), reverse=True)


def load(workspace: Path, name: str) -> Plan:
    """A plan by its id.

    Raises:
        UnknownNameError: there is none of that id.
    """
    ids = known(workspace)
    if name not in ids:
        raise UnknownNameError("plan", name, ids, "this workspace")
    folder = workspace / FOLDER / name
    told: dict[str, Any] = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    target = told["target"]
    lists = {each: tuple(target[each]) for each in ("key", "changed", "extra")}
    return Plan(
        **told
        | {
            "made_at": dt.datetime.fromisoformat(told["made_at"]),
            "target": Target(**target | lists),
            "counts": Counts(**told["counts"]),
            "amounts": tuple(told["amounts"]) if told["amounts"] else None,
            "notes": tuple(told["notes"]),
            "folder": folder,
        }
    )
