"""One number explained, from the sentence it says down to the loads of its records and the SQL."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from leadline import dates
from leadline.address import Address, ordered
from leadline.errors import LeadlineError, UnknownNameError, UsageError
from leadline.explain import words
from leadline.explain.watched import Watched, fields_asked, known_fields
from leadline.model.opened import Opened
from leadline.model.rests import Place
from leadline.results import Column, Result, Step

FINDING = "finding:"
"""How the keys of a trust's evidence begin that count the units a finding touches."""

CLASSES = ("too_young", "implied", "out_of_order", "undated")
"""Columns of conversion with the units that are in no rate, and so the reason why they left."""


BY_ITSELF = frozenset({"volume", "conversion"})
"""Metrics whose rows say nothing of other rows; those of velocity have shares of all waiting, and the rest beside."""


@dataclass(frozen=True, slots=True)
class State:
    """A published state that can be asked.

    Attributes:
        ask: answers an address of a table.
        opened: the snapshot, watched.
        frozen: the names it is kept under for good.
    """

    ask: Callable[[Address], Result]
    opened: Watched
    frozen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything known of one number; `to_dict` is its JSON."""

    address: str
    value: Any
    text: str
    sentence: str
    formula: str
    definition: dict[str, str]
    filters: dict[str, Any]
    as_of: dt.datetime
    known_at: dt.datetime
    snapshot: str
    frozen: tuple[str, ...]
    timezone: str
    currency: str
    unit: str
    row: dict[str, Any]
    steps: tuple[Step, ...]
    sources: tuple[dict[str, Any], ...]
    loads: tuple[dict[str, Any], ...]
    evidence: dict[str, int]
    grade: dict[str, Any]
    findings: tuple[dict[str, Any], ...]
    previous: dict[str, Any]
    notes: tuple[str, ...]
    sql: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values: money as text in major units, instants as ISO text."""
        return asdict(self) | {
            "as_of": dates.format_instant(self.as_of),
            "known_at": dates.format_instant(self.known_at),
        }

    def to_json(self) -> str:
        """The same as JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)


def explain(address: Address, now: State, before: State | None) -> Explanation:
    """Explain the number at an address.

    Args:
        address: of one cell.
        now: the state the number is of.
        before: the state published before it, for comparison.

    Raises:
        UsageError: the address names a table, no cell, or a row that is not there.
        UnknownNameError: a metric, parameter or column that does not exist.
    """
    if not address.column:
        raise UsageError(
            f"{address} is a whole table. Name a number of it: '{address}#COLUMN@KEY=VALUE'; "
            "the columns are those of the command, `--format json` shows them."
        )
    result, own = _asked(address, now)
    column = _column(result, address.column)
    row = result.table.slice(result.row_of(address.cell), 1).to_pylist()[0]
    own = own or _narrowed(address, result, row, now)
    heard = fields_asked(now.opened, known_fields(now.opened))
    plain = _plain(result, address)
    return Explanation(
        address=str(address),
        value=plain[column.name],
        text=words.value_text(result, column, row[column.name]),
        sentence=words.sentence(result, row, column),
        formula=words.formula(result, row, column),
        definition=asdict(result.definition),
        filters=_filters(result, address),
        as_of=now.opened.moment,
        known_at=now.opened.known_at,
        snapshot=result.snapshot,
        frozen=now.frozen,
        timezone=result.timezone,
        currency=result.currency,
        unit=result.unit,
        row=plain,
        steps=(*result.lineage, *_own_steps(result, row)),
        sources=_sources(heard, now.opened),
        loads=tuple(json.loads(now.opened.meta.get("loads", "[]"))),
        evidence={name: count for name, count in own.trust.evidence.items() if not name.startswith(FINDING)},
        grade=_grade(own),
        findings=_findings(own, now.opened),
        previous=_previous(address, result, row, column, before),
        notes=result.notes,
        sql=result.sql(),
    )


def _asked(address: Address, now: State) -> tuple[Result, Result | None]:
    """The table with the number, and the same of the cell's units alone where that is not to be asked for by itself.

    Where no column looks at other rows, the cell's units alone give the row: one question in place of two.
    """
    cell = dict(address.cell)
    split = [name for text in address.values("by") for name in text.split(",")]
    filtered = {text.partition("=")[0] for text in address.values("where")}
    by_itself = address.metric in BY_ITSELF and split and "touched" not in dict(address.question)
    if by_itself and all(name in cell and name not in filtered for name in split):
        wanted = [("where", f"{name}={cell[name] or ''}") for name in split]
        try:
            narrow = now.ask(Address(address.metric, ordered([*address.question, *wanted])))
            narrow.row_of(address.cell)
        except UsageError:
            # A part of a campaign path selects no units, or the row is not there: the whole table tells.
            return now.ask(address.table), None
        return narrow, narrow
    return now.ask(address.table), None


def _column(result: Result, name: str) -> Column:
    known = {column.name: column for column in result.columns}
    if name not in known:
        raise UnknownNameError("column", name, known, result.title)
    return known[name]


def _filters(result: Result, address: Address) -> dict[str, Any]:
    """The filters of the question; those by which a cell was asked for alone are its row."""
    asked = {text.partition("=")[0] for text in address.values("where")}
    split = {name for text in address.values("by") for name in text.split(",")} - asked
    found = result.to_dict(rows=False)["filters"]
    return {name: value for name, value in found.items() if name not in split}


def _plain(result: Result, address: Address) -> dict[str, Any]:
    """The row as the JSON of the table has it."""
    found: dict[str, Any] = result.plain().slice(result.row_of(address.cell), 1).to_pylist()[0]
    return found


def _narrowed(address: Address, result: Result, row: dict[str, Any], now: State) -> Result:
    """The same question for the units of the row alone, so that evidence, findings and grade are those of the number."""
    split = [name for text in address.values("by") for name in text.split(",")]
    held = [name for name in split if name in row and name in result.key_columns()]
    if not held or "touched" in dict(address.question):
        return result
    kept = [pair for pair in address.question if pair[0] != "by"]
    question = ordered([*kept, *(("where", f"{name}={'' if row[name] is None else row[name]}") for name in held)])
    asked = {text.partition("=")[0] for name, text in question if name == "where"}
    if len(asked) < sum(name == "where" for name, _ in question):
        return result
    try:
        return now.ask(Address(address.metric, question))
    except UsageError:
        # Some dimensions split a table but select no units (parts of a campaign path, stages).
        return result


def _own_steps(result: Result, row: dict[str, Any]) -> tuple[Step, ...]:
    """Units of the row that the number leaves out, and why."""
    if result.kind == "conversion" and row.get("started") is not None:
        left = {name: row[name] for name in CLASSES if row.get(name)}
        why = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in left.items())
        entered = row["started"] + sum(left.values())
        return (
            Step(f"{result.unit} that reached {row['from_stage']}", entered, row["started"], why),
            Step(
                f"of these, on to {row['to_stage']} or beyond",
                row["started"],
                row["converted"],
                f"{row['started'] - row['converted']:,} did not{' in time' if row['window_days'] is not None else ''}",
            ),
        )
    if result.kind == "velocity" and row.get("n") is not None:
        why = f"{row['excluded']:,} without both times" if row["excluded"] else ""
        return (Step(f"{result.unit} in {row['stage']}", row["n"] + row["excluded"], row["n"], why),)
    return ()


def _sources(fields: frozenset[Place], opened: Opened) -> tuple[dict[str, Any], ...]:
    """Objects the number rests on, each with its fields and the keys of the loads that brought records of it."""
    loads = json.loads(opened.meta.get("loads", "[]"))
    names = sorted({name for name, _ in fields})
    return tuple(
        {
            "object": name,
            "fields": sorted(field for held, field in fields if held == name and field),
            "loads": [load["key"] for load in loads if name in load["objects"]],
        }
        for name in names
    )


def _grade(result: Result) -> dict[str, Any]:
    """The grade with its decomposition: which share is clean, and how many units each finding touches."""
    trust = result.trust
    touched = {name.removeprefix(FINDING): count for name, count in trust.evidence.items() if name.startswith(FINDING)}
    return {"grade": trust.grade, "clean_share": trust.clean_share, "touched": touched}


def _findings(result: Result, opened: Opened) -> tuple[dict[str, Any], ...]:
    """The findings that touch the number, in full."""
    if not result.trust.findings or "findings" not in opened:
        return ()
    table = opened["findings"]
    wanted = table.filter(table.code.isin(list(result.trust.findings)))
    columns = ("code", "object", "severity", "message", "row_count", "remedy")
    rows = opened.arrow(wanted.select(*columns).order_by("code", "object", "message")).to_pylist()
    touched = _grade(result)["touched"]
    return tuple({**row, "touched": touched.get(row["code"])} for row in rows)


def _previous(
    address: Address, result: Result, row: dict[str, Any], column: Column, before: State | None
) -> dict[str, Any]:
    """The same number in the state published before: its value, and by how much this one is more."""
    if before is None:
        return {"why": "No earlier snapshot is kept."}
    facts = {"snapshot": before.opened.snapshot, "as_of": dates.format_instant(before.opened.moment)}
    cell = tuple(dict(address.cell).items()) or tuple((name, row[name]) for name in result.key_columns())
    try:
        earlier = before.ask(address.table)
        place = earlier.row_of([(name, None if value is None else str(value)) for name, value in cell])
    except LeadlineError as fault:
        return facts | {"why": str(fault)}
    value = earlier.table.column(column.name)[place].as_py() if column.name in earlier.table.column_names else None
    told = facts | {"value": earlier.plain().column(column.name)[place].as_py(), "change": None}
    if isinstance(value, int | float) and isinstance(row[column.name], int | float):
        change = row[column.name] - value
        told["change"] = words.value_text(result, replace(column, help=""), change)
    return told
