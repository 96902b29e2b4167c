"""How sure shares of credit are: opportunities drawn anew, every share computed again on each draw.

What a data-driven model has learned is learned anew on each draw, from the same opportunities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadline import credit_models
from leadline.maths.paths.bootstrap import DRAWS, alike, intervals
from leadline.maths.paths.journeys import Floats, Ints, added
from leadline.metrics import dimensions
from leadline.metrics.credit import data_driven
from leadline.metrics.credit.allocation import Allocations, Chosen
from leadline.metrics.credit.influence_rows import Shape
from leadline.results import Column

COLUMNS = (
    Column("share_low", "rate", help="5th percentile of the share over opportunities (or journeys) drawn anew"),
    Column("share_high", "rate", help="95th percentile of the share"),
    Column("rank_low", "integer", help="5th percentile of the place by share within its period"),
    Column("rank_high", "integer", help="95th percentile of the place"),
)
Row = dict[str, Any]


@dataclass(frozen=True)
class _Touches:
    """Touches of one model's group.

    Attributes:
        deal: shape (n,), place of the deal in `deals`.
        credit: shape (n,), credit in minor units.
        cell: shape (n,), the row it is credited to.
        inside: shape (n,), whether it lies in the part of the window asked for.
        campaign: shape (n,), the campaign.
        cells: key of each row: dimensions of the deal, period, then of the campaign.
    """

    deal: Ints
    credit: Floats
    cell: Ints
    inside: Floats
    campaign: pa.ChunkedArray
    cells: list[tuple[Any, ...]]


def add(shape: Shape, allocations: Allocations, rows: list[Row], seed: int = 0) -> list[str]:
    """Put the columns of `COLUMNS` into the rows of campaigns; returns what cannot be told apart.

    Args:
        shape: what the rows of the question share.
        allocations: its models.
        rows: rows of all models, which get the columns.
        seed: of the draws.
    """
    said = []
    keys = _keys(shape)
    for row in rows:
        row |= {column.name: None for column in COLUMNS}
    deals = shape.asked.opened.arrow(
        allocations.deals.select("deal_no", "opportunity_id", "amount", *shape.deal_keys).order_by("deal_no")
    )
    places, place = _coded([deals[name] for name in shape.deal_keys])
    for one in allocations.models:
        own = [row for row in rows if row["model"] == one.name and row["bucket"] == "campaign"]
        if not own:
            continue
        touches = _touches(shape, allocations, one)
        drawn = np.stack(list(_draws(shape, allocations, one, touches, deals, place, len(places), seed)))
        number = {cell: code for code, cell in enumerate(touches.cells)}
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in own:
            groups.setdefault(tuple(row[name] for name in shape.deal_keys), []).append(row)
        for group in groups.values():
            at = [number[tuple(row[name] for name in keys)] for row in group]
            said += _told(shape, one, group, drawn[:, at], alone=len(groups) == 1)
    return said


def _learns(one: Chosen) -> bool:
    """Whether a model rests on more than the opportunity itself."""
    model = one.model
    return isinstance(model, credit_models.Markov) or (
        isinstance(model, credit_models.Shapley) and model.game == "rate"
    )


def _keys(shape: Shape) -> list[str]:
    return [*shape.deal_keys, *shape.campaign_by, *([data_driven.CAMPAIGN] if shape.each_campaign else [])]


def _told(shape: Shape, one: Chosen, group: list[Row], shares: Floats, *, alone: bool) -> list[str]:
    """The columns of the rows of one period; and, of a single period, neighbours that cannot be told apart."""
    if not np.isfinite(shares).all(axis=1).any():
        return []
    found = intervals(shares)
    for place, row in enumerate(group):
        row |= {
            "share_low": float(found.low[place]),
            "share_high": float(found.high[place]),
            "rank_low": int(found.rank_low[place]),
            "rank_high": int(found.rank_high[place]),
        }
    order = sorted(range(len(group)), key=lambda place: -(group[place]["share"] or 0.0))
    pairs = alike(found, order, [_name(shape, row) for row in group]) if alone else ""
    return [f"{one.name}: cannot be told apart: {pairs}."] if pairs else []


def _name(shape: Shape, row: Row) -> str:
    """The campaign of a row, or what its campaigns have in common."""
    names = [row[name] for name in shape.campaign_by] + (
        [row["campaign"] or row["campaign_id"]] if shape.each_campaign else []
    )
    return " / ".join("no value" if name is None else str(name) for name in names)


def _touches(shape: Shape, allocations: Allocations, one: Chosen) -> _Touches:
    group = allocations.group(one.name)
    own = ("deal_no", "campaign_id", "is_sourced")
    if _learns(one):
        # A touch without weight may have one on a draw.
        table = group.touched.table.select(*own, credit=ibis.literal(0, "int64"))
    else:
        table = allocations.credits(one.name).select(*own, "credit")
    joined = table.join(group.touched.deals.select("deal_no", *shape.deal_keys), "deal_no")
    named = dimensions.attach(shape.asked, joined, shape.campaign_by) if shape.campaign_by else joined
    found = shape.asked.opened.arrow(named)
    cells, cell = _coded([found[name] for name in _keys(shape)])
    window = one.only or shape.window
    sourced = found["is_sourced"].to_numpy()
    inside = np.ones(len(cell)) if window == "influenced" else (sourced == (window == "sourced")).astype(np.float64)
    return _Touches(
        deal=found["deal_no"].to_numpy().astype(np.int64),
        credit=found["credit"].to_numpy().astype(np.float64),
        cell=cell,
        inside=inside,
        campaign=found["campaign_id"],
        cells=cells,
    )


def _coded(columns: list[pa.ChunkedArray]) -> tuple[list[tuple[Any, ...]], Ints]:
    """Distinct combinations of values, and the number of each row's combination."""
    codes = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
        codes = codes * (len(encoded.dictionary) + 1) + encoded.indices.to_numpy()
        # Numbered anew after each column, so that no number outgrows 64 bits.
        _, codes = np.unique(codes, return_inverse=True)
    _, first = np.unique(codes, return_index=True)
    taken = [column.take(pa.array(first)).to_pylist() for column in columns]
    return list(zip(*taken, strict=True)), codes


def _draws(
    shape: Shape,
    allocations: Allocations,
    one: Chosen,
    touches: _Touches,
    deals: pa.Table,
    place: Ints,
    places: int,
    seed: int,
) -> Iterator[Floats]:
    """Shares of all cells, shape (cells,), on each draw."""
    chance = np.random.default_rng(seed)
    first = int(deals["deal_no"][0].as_py())
    amount = deals["amount"].to_numpy().astype(np.float64)
    at = touches.deal - first
    cell_place = np.zeros(len(touches.cells), dtype=np.int64)
    cell_place[touches.cell] = place[at]
    learn = _learner(shape, allocations, one, touches, at, amount, deals)
    for _ in range(DRAWS):
        often = chance.multinomial(len(amount), np.full(len(amount), 1 / len(amount))).astype(np.float64)
        credit = touches.credit if learn is None else learn(often, chance)
        totals = added(place, often * amount, places)[cell_place]
        sums = added(touches.cell, often[at] * credit * touches.inside, len(touches.cells))
        yield np.divide(sums, totals, out=np.full(len(sums), np.nan), where=totals != 0)


Learner = Callable[[Floats, np.random.Generator], Floats]


def _learner(
    shape: Shape, allocations: Allocations, one: Chosen, touches: _Touches, at: Ints, amount: Floats, deals: pa.Table
) -> Learner | None:
    """Credit of touches as a data-driven model would give it on a draw; None for models that learn nothing."""
    model = one.model
    if not _learns(one) or not isinstance(model, credit_models.Markov | credit_models.Shapley):
        return None
    nulls = not isinstance(model, credit_models.Markov) or model.nulls
    base = allocations.group(one.name).touched.base
    closed = data_driven.closed_deals(shape.asked, base, model.by, nulls=nulls)
    number = {label: code for code, label in enumerate(closed.labels)}
    campaigns = touches.campaign.combine_chunks().dictionary_encode()
    # A campaign that no closed deal met has the number behind the last one, and no weight.
    own = [number.get(closed.label_of.get(name), len(number)) for name in campaigns.dictionary.to_pylist()]
    codes = np.array(own, dtype=np.int64)[campaigns.indices.to_numpy()]
    # Closed deals that the question leaves out are drawn as well, apart from those it holds.
    known = pc.index_in(pa.array(closed.deals), value_set=deals["opportunity_id"].combine_chunks())
    here = pc.fill_null(known, -1).to_numpy()
    touch_count = added(at, np.ones(len(at)), len(amount))

    def learned(often: Floats, chance: np.random.Generator) -> Floats:
        others = int((here < 0).sum())
        weight = np.where(here >= 0, often[here], 0.0)
        if others:
            weight[here < 0] = chance.multinomial(others, np.full(others, 1 / others))
        given = closed.given
        drawn = given.counted(given.conversions * weight, given.nulls * weight, given.value * weight)
        weights = np.append(np.maximum(data_driven.learned(drawn, model).weights, 0.0), 0.0)[codes]
        sums = added(at, weights, len(amount))
        share = np.divide(weights, sums[at], out=1 / touch_count[at], where=sums[at] > 0)
        return amount[at] * share

    return learned
