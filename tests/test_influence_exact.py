"""Exact sums: the credits of an opportunity and what is pending are its amount, for every model of rules."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from ibis.backends.duckdb import Backend

from leadline import credit_models
from leadline.metrics.credit import points, weighing
from leadline.metrics.credit.base import Base, Share, Touched
from tests.oracle.credit import on_grid
from tests.oracle.influence import split
from tests.scale import scaled

DEALS = scaled(200_000)
LARGEST = 2**50 - 1
"""The largest amount the model lets through."""
MANY = 5_000
AMOUNTS = (0, 1, -1, 2, 3, 7, 99, 100, -10_001, 333_333, 10_000_000, LARGEST, -LARGEST)

DRAWN: dict[str, dict[str, Any]] = {
    "odd_weights": {"kind": "milestones", "weights": {"first": 33.333, "closed": 0.001, "last": 7}, "middle": 12.34567},
    "only_the_close": {"kind": "milestones", "weights": {"closed": 1}},
    "only_middle": {"kind": "position", "first": 0, "last": 0, "rest": 1},
    "short_memory": {"kind": "decay", "half_life_days": 0.01},
    "huge_points": {
        "kind": "points",
        "base": -3,
        "rules": [
            {"on": "status", "points": {"a": 1_000_000, "b": 7, "c": -1_000_000}},
            {"on": "touch", "points": {"first": -5}},
        ],
    },
    "nothing": {"kind": "points", "base": -1, "rules": [{"on": "status", "points": {"a": -1}}]},
}


def models() -> dict[str, credit_models.Model]:
    """Shipped models that look at touches alone, and some that push at the limits."""
    apart = {"role_points", "engagement_points"}
    shipped = {
        name: model
        for name, model in credit_models.load().items()
        if name not in apart and model.kind in ("touch", "even", "milestones", "position", "decay")
    }
    return shipped | {name: credit_models.KINDS[made["kind"]].model_validate(made) for name, made in DRAWN.items()}


class Stand:
    """Deals and touches of a seed as the engine holds them."""

    def __init__(self, deals: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.backend: Backend = ibis.duckdb.connect()
        counts = rng.choice([1, 1, 2, 2, 3, 4, 5, 6, 9, 17, 40], deals)
        counts[0] = MANY
        amounts = np.where(rng.random(deals) < 0.3, rng.choice(AMOUNTS, deals), rng.integers(-(10**9), 10**11, deals))
        is_open = rng.random(deals) < 0.4
        created = np.full(deals, 1_700_000_000) + rng.integers(0, 10**7, deals)
        closed = created + rng.integers(0, 10**7, deals)
        deal = np.repeat(np.arange(deals), counts)
        nth = np.concatenate([np.arange(1, count + 1) for count in counts])
        rank = rng.random(deals)[deal]
        second = created[deal] - 10**6 + nth * 997
        day = second // 86_400
        self.amounts, self.is_open = amounts, is_open
        self.table = self._kept(
            "touches",
            deal_no=deal,
            nth=nth,
            touch_count=counts[deal],
            opportunity_id=np.char.mod("%d", deal),
            response_id=np.char.mod("%d", np.arange(len(deal))),
            person_id=np.char.mod("%d", deal),
            campaign_id=np.char.mod("%d", rng.integers(0, 30, len(deal))),
            status=rng.choice(["a", "b", "c", "d"], len(deal)),
            s=second,
            day=day,
            is_date=rng.random(len(deal)) < 0.5,
            is_sourced=second <= created[deal],
            lead_n=np.floor(rank * (counts[deal] + 1)).astype(np.int64),
            created_n=np.minimum(counts[deal], np.floor(rank * 1.7 * counts[deal])).astype(np.int64),
            is_open=is_open[deal],
            amount=amounts[deal],
        )
        self.deals = self._kept(
            "deals",
            deal_no=np.arange(deals),
            opportunity_id=np.char.mod("%d", np.arange(deals)),
            amount=amounts,
            state=np.where(is_open, "open", "won"),
            primary_campaign_id=np.char.mod("%d", rng.integers(0, 30, deals)),
            created_s=created,
            created_day=created // 86_400,
            created_is_date=rng.random(deals) < 0.2,
            closed_s=closed,
            closed_day=closed // 86_400,
            closed_is_date=rng.random(deals) < 0.7,
        )
        self.once = self.deals
        self.most = int(counts.max())
        self.base = Base("role", 365)
        cut = SimpleNamespace(second=1_720_000_000, day=1_720_000_000 // 86_400)
        self.asked = SimpleNamespace(opened=SimpleNamespace(as_of=cut))

    def _kept(self, name: str, **columns: Any) -> Any:
        return self.backend.create_table(name, pa.table({key: pa.array(values) for key, values in columns.items()}))

    def given(self, model: credit_models.Model) -> tuple[pa.Table, Share]:
        """Touches with points and credit of a model."""
        table, share = weighing.weigh(cast(Touched, self), self.table, model, "m")
        found = points.credited([(table, share)], self.deals, lambda one: one)
        own = self.table.select("deal_no", "nth").left_join(found, ["deal_no", "nth"])
        known = own.select("deal_no", "nth", m_points=own.points.fill_null(0), m_credit=own.credit.fill_null(0))
        return self.backend.to_pyarrow(known), share


@pytest.fixture(scope="module")
def stand() -> Stand:
    return Stand(DEALS, seed=11)


@pytest.mark.parametrize("name", sorted(models()))
def test_every_cent_of_every_deal_is_somewhere(stand: Stand, name: str) -> None:
    found, share = stand.given(models()[name])
    grouped = found.group_by("deal_no").aggregate([("m_credit", "sum"), ("m_points", "sum"), ("m_points", "min")])
    grouped = grouped.sort_by("deal_no")
    credited = grouped["m_credit_sum"].to_numpy()
    assert len(credited) == DEALS
    assert pc.min(grouped["m_points_min"]).as_py() >= 0
    assert pc.max(grouped["m_points_sum"]).as_py() <= points.GRID
    left = stand.amounts - credited
    if share.pending:
        # What is left has the sign of the amount, and is never more than it.
        assert np.all(left * np.sign(stand.amounts) >= 0)
        assert np.all(np.abs(left) <= np.abs(stand.amounts))
        assert not np.any(left[~stand.is_open])
    elif share.alone:
        assert np.all((left == 0) | (credited == 0))
        assert np.array_equal(left != 0, (grouped["m_points_sum"].to_numpy() == 0) & (stand.amounts != 0))
    else:
        assert np.array_equal(credited, stand.amounts)


@pytest.mark.parametrize("name", ["full_path", "odd_weights", "huge_points", "time_decay", "even_per_campaign"])
def test_credit_is_by_largest_remainder(stand: Stand, name: str) -> None:
    """Against exact fractions, for the deal of thousands of touches and some others."""
    found, share = stand.given(models()[name])
    pending: dict[int, int] = {}
    if share.pending:
        raw = weighing.weigh(cast(Touched, stand), stand.table, models()[name], "m")[0]
        some = raw.filter(raw.deal_no < 200).select("deal_no", "m_points", "m_pending")
        pending = on_the_grid(stand.backend.to_pyarrow(some))
    rows = (
        found.filter(pc.less(found["deal_no"], 200))
        .sort_by([("deal_no", "ascending"), ("nth", "ascending")])
        .to_pylist()
    )
    for deal in range(200):
        own = [row for row in rows if row["deal_no"] == deal]
        given = [row["m_points"] for row in own] + [pending.get(deal, 0)]
        expected = split(int(stand.amounts[deal]), given)
        assert [row["m_credit"] for row in own] == expected[:-1], (name, deal)


def on_the_grid(table: pa.Table) -> dict[int, int]:
    """Points that are pending per deal, put on the grid with those of its touches where they exceed it."""
    deals: dict[int, list[dict[str, int]]] = {}
    for row in table.to_pylist():
        deals.setdefault(row["deal_no"], []).append(row)
    found = {}
    for deal, own in deals.items():
        raw = [*[row["m_points"] for row in own], own[0]["m_pending"]]
        found[deal] = on_grid([Fraction(one) for one in raw])[-1] if sum(raw) > points.GRID else raw[-1]
    return found
