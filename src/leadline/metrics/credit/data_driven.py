"""Markov and Shapley on opportunities: weights of campaigns learned from how closed deals went.

What is learned comes from every closed deal with a known amount, whatever the question filters: a
filter selects deals, the shares inside them stay. A won deal is a journey that converted, a lost one a
null; an open one is neither yet. The amount of each deal is then split over its own touches, each with
the weight of its campaign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadline import credit_models as models
from leadline.maths.paths import markov, shapley
from leadline.maths.paths.journeys import Floats, Journeys, journeys
from leadline.metrics import dimensions
from leadline.metrics.credit import journey_ends
from leadline.metrics.credit.base import Base, Share, Touched
from leadline.metrics.query import Asked

Weighed = tuple[ir.Table, Share]

CAMPAIGN = "campaign_id"


@dataclass(frozen=True)
class Closed:
    """The journeys of closed deals.

    Attributes:
        given: won deals converted, with their amount in minor units; lost ones are nulls.
        labels: the campaign, or value of the dimension, of each code; None is no value.
        label_of: campaign → label, of every campaign with a record or a member.
        deals: opportunity of each journey.
    """

    given: Journeys
    labels: list[str | None]
    label_of: dict[str, str | None]
    deals: list[str]


def by_markov(touched: Touched, table: ir.Table, model: models.Model, key: str) -> Weighed:
    """Touches weighed by the removal effect of their campaign."""
    assert isinstance(model, models.Markov)
    closed = closed_deals(touched.asked, touched.base, model.by, nulls=model.nulls)
    return _by_label(table, closed, learned(closed.given, model), key, _source(touched.base, closed.given))


def by_shapley(touched: Touched, table: ir.Table, model: models.Model, key: str) -> Weighed:
    """Touches weighed by the Shapley value of their campaign.

    In the game of coverage each deal is a game of its own, split evenly over its campaigns; nothing is
    learned. In the game of rates a campaign that lowers the rate has no weight.
    """
    assert isinstance(model, models.Shapley)
    if model.game == "rate":
        closed = closed_deals(touched.asked, touched.base, model.by)
        return _by_label(table, closed, learned(closed.given, model), key, _source(touched.base, closed.given))
    labels = [model.by] if model.by != CAMPAIGN else []
    labelled = dimensions.attach(touched.asked, table, labels)
    same = labelled.nth.count().over(ibis.window(group_by=["deal_no", model.by]))
    return labelled.mutate(**{f"{key}_weight": 1.0 / same}).drop(*labels), Share(key, real=True)


@dataclass(frozen=True)
class Learned:
    """What a model learns from journeys.

    Attributes:
        weights: shape (labels,): effects, or values in the game of rates.
        said: how it was learned, for the reader of the answer.
    """

    weights: Floats
    said: str


def learned(given: Journeys, model: models.Markov | models.Shapley) -> Learned:
    """What a model learns of each label from journeys."""
    if isinstance(model, models.Shapley):
        values = shapley.rate(given)
        weights, said = values.conversions, _values_said(values)
    else:
        found = markov.effects(given, model.order, model.removal)
        # Where no won deal is worth anything, only conversions can tell campaigns apart.
        weights = found.value if model.value == "expected" and found.value.any() else found.conversions
        chain = f"chain of order {model.order} with {found.states:,} states"
        said = chain if model.removal == "null" else "touches deleted and counted anew"
    return Learned(
        weights, said if (weights > 0).any() else f"{said}; no campaign has a weight, so touches share evenly"
    )


def _values_said(values: shapley.Values) -> str:
    if not values.draws:
        return "every set looked at"
    error, largest = (100 * float(one.max()) for one in (values.error, values.conversions))
    return (
        f"over {shapley.PLAYERS} campaigns, so {values.draws:,} orders drawn, each also backwards; standard error of a "
        f"value at most {error:.2f} points, the largest value {largest:.1f} points of the rate"
    )


def _source(base: Base, given: Journeys) -> str:
    """Of what was learned."""
    some, what = (
        given.some,
        "closed opportunities" if base.stage is None else "journeys that reached the stage or ended",
    )
    seen, won = (int(one[some].sum()) for one in (given.weights, given.conversions))
    return (
        f"learned from {seen:,} {what} with a response, {won:,} of them {'won' if base.stage is None else 'reached it'}"
    )


def closed_deals(asked: Asked, base: Base, by: str = CAMPAIGN, *, nulls: bool = True) -> Closed:
    """The journeys of all closed deals with a known amount, in total order; those without a touch come last.

    Where the goal is a stage, of all journeys that reached it or ended without.

    Args:
        asked: the question; its filters are not looked at.
        base: what touches are looked at.
        by: campaign_id, or a dimension of campaigns.
        nulls: whether lost deals are in.
    """
    if base.stage is None:
        deals = asked.opened["deals"]
        known = deals.filter(deals.amount_state == "known")
    else:
        known = journey_ends.ended(asked, base.stage)
    closed = known.filter(known.state.isin(["won", "lost"] if nulls else ["won"]))
    by_id = ibis.window(order_by="opportunity_id")
    kept = asked.opened.keep(closed.mutate(deal_no=ibis.row_number().over(by_id)))
    facts = kept.select("deal_no", "opportunity_id", "amount", won=(kept.state == "won").cast("int64"))
    touches = Touched(asked, kept, base, leads=False).table.select("deal_no", "nth", CAMPAIGN)
    found = asked.opened.arrow(
        facts.left_join(touches, "deal_no").select("deal_no", "opportunity_id", "nth", CAMPAIGN, "won", "amount")
    )
    return _closed(found, _labels(asked, by))


def _closed(found: pa.Table, label_of: dict[str, str | None]) -> Closed:
    """Rows of touches, and one without a touch for each deal that has none, as journeys."""
    nth = pc.fill_null(found["nth"], 0).to_numpy()
    deal = found["deal_no"].to_numpy()
    order = np.lexsort((nth, deal))
    deal, touched = deal[order], nth[order] > 0
    campaigns = found[CAMPAIGN].combine_chunks().dictionary_encode()
    own = [label_of.get(name) for name in campaigns.dictionary.to_pylist()]
    labels = sorted(set(own), key=lambda label: (label is None, label or ""))
    place = {label: code for code, label in enumerate(labels)}
    table = np.array([*(place[label] for label in own), 0], dtype=np.int64)
    codes = table[pc.fill_null(campaigns.indices, len(own)).to_numpy()[order]][touched]
    starts = np.flatnonzero(np.diff(deal, prepend=-1))
    won = found["won"].to_numpy()[order][starts].astype(np.float64)
    amount = found["amount"].to_numpy()[order][starts].astype(np.float64)
    offsets = np.concatenate([[0], np.cumsum(touched)])[np.append(starts, len(deal))]
    given = journeys(codes, offsets, won, nulls=1 - won, value=won * amount, states=len(labels))
    return Closed(given, labels, label_of, found["opportunity_id"].take(pa.array(order[starts])).to_pylist())


def _labels(asked: Asked, by: str) -> dict[str, str | None]:
    """The label of every campaign that there is a record or a member of; without a record no dimension has a value."""
    tables = [asked.opened[name] for name in ("campaigns", "responses", "role_members") if name in asked.opened]
    campaigns = ibis.union(*[table.select(CAMPAIGN) for table in tables], distinct=True)
    if by == CAMPAIGN:
        names = asked.opened.arrow(campaigns)[CAMPAIGN].to_pylist()
        return dict(zip(names, names, strict=True))
    found = asked.opened.arrow(dimensions.attach(asked, campaigns, [by]))
    return dict(zip(found[CAMPAIGN].to_pylist(), found[by].to_pylist(), strict=True))


def _by_label(table: ir.Table, closed: Closed, found: Learned, key: str, source: str) -> Weighed:
    """Weights of labels on the touches; a campaign that no closed deal met has none."""
    weight_of = dict(zip(closed.labels, found.weights.tolist(), strict=True))
    rows: dict[str, Any] = {
        CAMPAIGN: pa.array(list(closed.label_of), pa.string()),
        f"{key}_weight": pa.array(
            [max(weight_of.get(label, 0.0), 0.0) for label in closed.label_of.values()], pa.float64()
        ),
    }
    joined = table.left_join(ibis.memtable(pa.table(rows)), CAMPAIGN).drop(f"{CAMPAIGN}_right")
    return joined.mutate(**{f"{key}_weight": joined[f"{key}_weight"].fill_null(0.0)}), Share(
        key, real=True, said=f"{source}; {found.said}."
    )
