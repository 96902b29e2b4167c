"""Credit on paths as a `Result`: rows that add up to the input, exactly, and what was said on the way."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from leadline.errors import UsageError
from leadline.maths.paths import bootstrap, models
from leadline.maths.paths.bootstrap import Intervals
from leadline.maths.paths.journeys import Floats, Ints
from leadline.maths.paths.models import Credit, Options
from leadline.maths.paths.shares import whole
from leadline.path_table.reading import PathTable
from leadline.results import Column, Definition, Result, Step

VERSION = "paths-1"

GRAIN = 10**6
"""Conversions are credited in millionths, so that the column adds up."""

COLUMNS = (
    Column("state", "text", help="Name on the path; empty for paths without any"),
    Column("conversions", "number", "conversions", "Conversions credited, to a millionth"),
    Column("value", "money", help="Value credited, to the minor unit"),
    Column("share", "rate", help="Part of all conversions"),
    Column(
        "effect",
        "rate",
        help="markov: share of conversions lost without the state; shapley_rate: what it adds to the rate",
    ),
)
ERROR = Column("effect_error", "rate", help="Standard error of the effect, where orders were drawn")
INTERVAL = (
    Column("share_low", "rate", help="5th percentile of the share over paths drawn anew"),
    Column("share_high", "rate", help="95th percentile"),
    Column("rank_low", "integer", help="5th percentile of the place by share"),
    Column("rank_high", "integer", help="95th percentile"),
)
MODEL = Column("model", "text", help="Model of the row")


@dataclass(frozen=True)
class _Whole:
    """Credit of one model in whole parts, shape (states + 1,) each; the last entry is paths without a state."""

    conversions: Ints
    value: Ints
    share: Floats


def answer(table: PathTable, wanted: list[str], options: Options, intervals: bool) -> Result:
    """The rows of one model or several.

    Raises:
        UsageError: no model, an unknown one, or a question that it cannot answer.
    """
    if not wanted or len(set(wanted)) < len(wanted):
        raise UsageError(f"Name one model, or several different ones, of: {', '.join(models.TEXTS)}.")
    notes = [*table.notes, *_of_paths(table)]
    rows: list[dict[str, Any]] = []
    drawn = None
    for model in wanted:
        found = models.credit(table.given, model, options)
        if intervals:
            drawn = _intervals(table, model, options, found)
        rows += _rows(table, model, found, drawn)
        notes += [
            f"{model}: {text}" if len(wanted) > 1 else text for text in _said(table, model, options, found, drawn)
        ]
    columns = (*COLUMNS, *([ERROR] if any("effect_error" in row for row in rows) else []))
    columns = (*columns, *(INTERVAL if intervals else ()), *((MODEL,) if len(wanted) > 1 else ()))
    return _result(table, wanted, options, columns, rows, notes)


def _rows(table: PathTable, model: str, found: Credit, drawn: Intervals | None) -> list[dict[str, Any]]:
    """One row per state, the largest first, and one for paths without any, if they hold anything."""
    made = _whole(table, found)
    rows = []
    for code, name in enumerate(table.names):
        row = _row(table, model, made, code, name)
        if found.effect is not None:
            row["effect"] = float(found.effect[code])
        if found.error is not None:
            row["effect_error"] = float(found.error[code])
        if drawn is not None:
            row |= {
                "share_low": float(drawn.low[code]),
                "share_high": float(drawn.high[code]),
                "rank_low": int(drawn.rank_low[code]),
                "rank_high": int(drawn.rank_high[code]),
            }
        rows.append(row)
    rows.sort(key=lambda row: (-row["conversions"], row["state"]))
    last = _row(table, model, made, len(table.names), None)
    return [*rows, last] if last["conversions"] or last["value"] else rows


def _row(table: PathTable, model: str, made: _Whole, at: int, name: str | None) -> dict[str, Any]:
    return {
        "state": name,
        "conversions": int(made.conversions[at]) / GRAIN,
        "value": int(made.value[at]) if table.has_value else None,
        "share": float(made.share[at]),
        "model": model,
    }


def _whole(table: PathTable, found: Credit) -> _Whole:
    """Whole parts that add up to what the paths hold, with and without a state."""
    given = table.given
    outside = ~given.some
    conversions = np.append(found.conversions, given.conversions[outside].sum())
    value = np.append(found.value, given.value[outside].sum())
    total = float(given.conversions.sum())
    return _Whole(
        whole(conversions * GRAIN, round(total * GRAIN)),
        whole(value, round(float(given.value.sum()))),
        conversions / total if total else np.full(len(conversions), np.nan),
    )


def _intervals(table: PathTable, model: str, options: Options, found: Credit) -> Intervals | None:
    """Bootstrap intervals of the shares of all conversions; None without any credit."""
    if not found.conversions.any():
        return None
    try:
        # What no draw converts has no share; such a draw tells nothing of this model and is left out.
        shares = [
            models.share(models.credit(one, model, options).conversions, one.conversions.sum())
            for one in bootstrap.redrawn(table.given, seed=options.seed)
        ]
    except ValueError as fault:
        raise UsageError(f"Intervals cannot be drawn: {fault}.") from fault
    return bootstrap.intervals(np.stack(shares))


def _of_paths(table: PathTable) -> list[str]:
    """What the paths themselves ask to be said."""
    given = table.given
    total, outside = given.conversions.sum(), given.conversions[~given.some].sum()
    said = []
    if outside:
        said.append(f"{outside:,g} conversions have a path without a state; they stand in a row of their own.")
    if not total:
        said.append("No path converts: there is nothing to credit.")
    idle = int(((given.weights == 0) & given.some).sum())
    if idle:
        why = "" if table.has_nulls else "; without a column of nulls nobody knows how often they did not convert"
        said.append(f"Different paths with neither a conversion nor a null: {idle:,}{why}.")
    return said


def _said(table: PathTable, model: str, options: Options, found: Credit, drawn: Intervals | None) -> list[str]:
    """What a model asks to be said of its answer."""
    said = []
    if found.chain_states:
        given = table.given.kept(table.given.some)
        rate = given.conversions.sum() / given.weights.sum()
        said.append(
            f"Chain of order {options.order} with {found.chain_states:,} states; a path converts with probability "
            f"{rate:.6g}" + ("." if table.has_nulls else ", for paths that did not convert were not given.")
        )
    if found.draws:
        said.append(
            f"Over 15 states: {found.draws:,} orders drawn, each also backwards, seed {options.seed}; the standard "
            "error stands beside the effect."
        )
    if drawn is not None:
        order = [int(code) for code in np.argsort(-found.conversions, kind="stable") if found.conversions[code] > 0]
        pairs = bootstrap.alike(drawn, order, table.names)
        said += [f"Cannot be told apart: {pairs}."] if pairs else []
    return said


def _result(
    table: PathTable,
    wanted: list[str],
    options: Options,
    columns: tuple[Column, ...],
    rows: list[dict[str, Any]],
    notes: list[str],
) -> Result:
    given = table.given
    kinds = {"text": pa.string(), "money": pa.int64(), "integer": pa.int64()}
    arrays = {
        column.name: pa.array([row.get(column.name) for row in rows], kinds.get(column.type, pa.float64()))
        for column in columns
    }
    told = {name: value for name, value in asdict(options).items() if value != getattr(Options(), name)}
    text = "; ".join(f"{model}: {models.TEXTS[model]}" for model in wanted)
    total = {"conversions": float(given.conversions.sum()), "nulls": float(given.nulls.sum()), "paths": table.rows}
    return of_paths(
        table,
        kind="paths",
        title=f"Paths: {', '.join(wanted)}",
        definition=Definition(f"{text}. A repeat of the state before it is no step of a chain.", VERSION),
        filters=told,
        columns=columns,
        table=pa.table(arrays),
        totals=({**total, "value_amount": round(float(given.value.sum())) if table.has_value else None},),
        notes=tuple(notes),
    )


def of_paths(given: PathTable, **parts: Any) -> Result:
    """A result about paths, which know no moment, no snapshot and no zone.

    Args:
        given: the paths.
        parts: kind, title, definition, filters, columns, table, totals and notes of the result.
    """
    some = int(given.given.some.sum())
    return Result(
        as_of=None,
        known_at=None,
        snapshot="",
        timezone="UTC",
        currency=given.currency,
        unit="conversions",
        lineage=(
            Step("rows", None, given.rows, "rows of the input"),
            Step("paths with a state", given.rows, some, "different paths that a model can credit"),
        ),
        currency_digits=given.digits,
        **parts,
    )
