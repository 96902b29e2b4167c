"""The Markov chain of paths as a table: what comes after what, how often, and how paths end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from leadline.errors import UsageError
from leadline.maths.paths.chain import Chain, chain
from leadline.maths.paths.models import Options
from leadline.path_table.answer import of_paths
from leadline.path_table.reading import PathTable
from leadline.results import Column, Definition, Result

KIND = "paths-transitions"
VERSION = "transitions-1"
TEXT = (
    "Transitions of a Markov chain of order {order}: after each state the states that come next and the ends, counted "
    "by path. A repeat of the state before it is no step."
)
CONVERSION, NULL = "conversion", "null"
DIGITS = 6
"""Decimals of counts: conversions and nulls may be fractions, and no one gives them finer."""

COLUMNS = (
    Column("from_state", "text", help="State that is left; empty for the begin of paths"),
    Column("to_state", "text", help="State that comes next; empty where paths end"),
    Column("end", "text", help="How they end: conversion or null"),
    Column("count", "number", help="How often"),
    Column("share", "rate", help="Of all that leave the state, or of all begins"),
)


def transitions(table: PathTable, options: Options) -> Result:
    """One row per transition, those of each state together, the most visited state and the largest share first.

    Counts out of each state add up to its visits, begins to the number of paths with a state.

    Raises:
        UsageError: no path with a state was seen, or states of that order cannot be numbered.
    """
    try:
        made = chain(table.given, options.order)
    except ValueError as fault:
        raise UsageError(f"The chain cannot be counted so: {fault}.") from fault
    if not made.size:
        raise UsageError("No path with a state was seen, so there is no chain.")
    labels = [*(_label(table.names, codes) for codes in made.members), None]
    return of_paths(
        table,
        kind=KIND,
        title=f"Transitions between states, order {options.order}",
        definition=Definition(TEXT.format(order=options.order), VERSION),
        filters={"order": options.order} if options.order > 1 else {},
        columns=COLUMNS,
        table=_columns(made, pa.array(labels, pa.string())),
        totals=({"conversions": made.conversions, "nulls": made.nulls, "states": made.size},),
        notes=table.notes,
    )


def _label(names: list[str], codes: Any) -> str:
    """A state of several touches, the oldest first."""
    return " > ".join(names[code] for code in codes[::-1] if code >= 0)


def _columns(made: Chain, labels: pa.Array) -> pa.Table:
    """The rows; the last label is that of no state."""
    total = made.conversions + made.nulls
    moved = np.bincount(made.rows, made.steps, minlength=made.size)
    lost = np.maximum(1.0 - moved - made.converts, 0.0)
    nobody, every = np.full(made.size, -1), np.arange(made.size)
    parts = [
        (nobody, every, None, made.start * total),
        (made.rows, made.columns, None, made.steps * made.visits[made.rows]),
        (every, nobody, CONVERSION, made.converts * made.visits),
        (every, nobody, NULL, lost * made.visits),
    ]
    source, target, count = (np.concatenate([part[at] for part in parts]) for at in (0, 1, 3))
    end = [name for part in parts for name in [part[2]] * len(part[0])]
    count = np.round(count, DIGITS)
    share = count / np.append(made.visits, total)[source]
    busy = np.where(source >= 0, -made.visits[source], -np.inf)
    # Of equal ones moves come first, then ends as they stand above.
    order = np.lexsort((np.where(target < 0, made.size, target), -count, source, busy))
    order = order[count[order] > 0]
    last = len(labels) - 1
    return pa.table(
        {
            "from_state": labels.take(pa.array(np.where(source < 0, last, source)[order])),
            "to_state": labels.take(pa.array(np.where(target < 0, last, target)[order])),
            "end": pa.array(end, pa.string()).take(pa.array(order)),
            "count": pa.array(count[order], pa.float64()),
            "share": pa.array(share[order], pa.float64()),
        }
    )
