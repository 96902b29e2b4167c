"""Parts of the units against the rest: sums over clusters from the engine, tests over all of them together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from leadline.maths.clustered import VARIABLES, Sums
from leadline.maths.intervals import benjamini_hochberg
from leadline.metrics import units
from leadline.metrics.dimensions import NO_RESPONSE
from leadline.metrics.query import Asked

FALSE_DISCOVERY_RATE = 0.1


@dataclass(frozen=True, slots=True)
class Part:
    """The units of one stage that share the values of all dimensions.

    Attributes:
        values: its value per dimension.
        sums: of its clusters and of everything in that stage.
    """

    stage_no: int
    values: tuple[Any, ...]
    sums: Sums


def with_cluster(asked: Asked, table: ir.Table) -> ir.Table:
    """Add `cluster`: the opportunity a journey holds (of several the first id), else the unit itself."""
    if asked.unit == "opportunities":
        return table.mutate(cluster=table.unit_id)
    own = units.of_funnel(asked, "journey_opportunities")
    deals = own.group_by(unit_id=own.journey_id).aggregate(deal_id=own.opportunity_id.min())
    joined = table.left_join(deals, "unit_id").drop("unit_id_right")
    return joined.mutate(cluster=ibis.coalesce(joined.deal_id, joined.unit_id.cast("string"))).drop("deal_id")


def parts(asked: Asked, table: ir.Table, by: tuple[str, ...]) -> Iterator[Part]:
    """Every part of every stage; units without a value or a response are none, but stay in the rest.

    Args:
        table: stage_no, cluster, `by` and value (a number, not null), one row per unit.
    """
    opened = asked.opened
    inside = opened.keep(
        table.group_by("stage_no", "cluster", *by).aggregate(
            own_value=table.value.cast("float64").sum(), own_units=table.count().cast("float64")
        )
    )
    whole = opened.keep(
        inside.group_by("stage_no", "cluster").aggregate(value=inside.own_value.sum(), units=inside.own_units.sum())
    )
    everything = opened.arrow(_products(whole, ["stage_no"], ("value", "units"))).to_pylist()
    totals = {row["stage_no"]: _read(row, ("value", "units")) for row in everything}
    joined = inside.join(whole, ["stage_no", "cluster"])
    for row in opened.arrow(_products(joined, ["stage_no", *by], VARIABLES)).to_pylist():
        values = tuple(row[name] for name in by)
        if None not in values and NO_RESPONSE not in values:
            yield Part(row["stage_no"], values, Sums(*_read(row, VARIABLES), *totals[row["stage_no"]]))


def discoveries(p_values: list[float]) -> list[float | None]:
    """Adjusted p-values over all tests; None where nothing was tested."""
    adjusted = benjamini_hochberg(p_values) if p_values else np.zeros(0)
    return [None if np.isnan(value) else float(value) for value in adjusted]


def _products(table: ir.Table, keys: list[str], names: tuple[str, ...]) -> ir.Table:
    sums = {f"sum_{name}": table[name].sum() for name in names}
    squares = {f"{a}_x_{b}": (table[a] * table[b]).sum() for a, b in combinations_with_replacement(names, 2)}
    return table.group_by(*keys).aggregate(**sums, **squares)


def _read(row: dict[str, Any], names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Sums and their symmetric matrix of products."""
    sums = np.array([float(row[f"sum_{name}"]) for name in names])
    products = np.zeros((len(names), len(names)))
    for (i, a), (j, b) in combinations_with_replacement(enumerate(names), 2):
        products[i, j] = products[j, i] = float(row[f"{a}_x_{b}"])
    return sums, products
