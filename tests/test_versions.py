"""Versions of opportunities say at any instant what the model of that as-of says."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest

from leadline.model import deals
from leadline.model.asof import AsOf
from leadline.model.opened import Opened
from leadline.model.opportunities import TOLD_AMOUNT
from tests.agreement import engine
from tests.agreement.show import ORGS
from tests.oracle.batch import random_batch
from tests.scale import costly

BATCHES = list(range(100, 100 + costly(20)))
INSTANTS = 6
FACTS = ("state", "stage_name", "amount", "amount_state", "close_day", "currency")


def modelled(opened: Opened, at: AsOf) -> dict[str, tuple]:
    """Opportunity → facts of the model made for this as-of; a stage that says closed too early is unknown."""
    settings = opened.settings
    told = settings.amount.field == TOLD_AMOUNT
    known = deals.deals(opened["opportunities"], opened["opportunity_stages"], opened["days"], at, amounts_told=told)
    valued = deals.with_amounts(known, opened["rates_static"], opened["rates_dated"], settings.amount, opened.currency)
    states = {row["stage_name"]: row["state"] for row in opened.arrow(opened["stage_values"]).to_pylist()}
    found = {}
    for row in opened.arrow(valued).to_pylist():
        early = row["state"] == "open" and states.get(row["stage_name"], "open") != "open"
        found[row["opportunity_id"]] = facts(row | ({"stage_name": None} if early else {}))
    return found


def facts(row: dict[str, Any]) -> tuple:
    """What a version and a deal both say."""
    return tuple(row[name] for name in FACTS)


def in_force(versions: list[dict[str, Any]], second: int) -> dict[str, tuple]:
    """Opportunity → facts of its version at a second; never two."""
    own = [
        row
        for row in versions
        if (row["from_s"] is None or row["from_s"] <= second) and (row["to_s"] is None or row["to_s"] > second)
    ]
    assert len({row["opportunity_id"] for row in own}) == len(own)
    return {row["opportunity_id"]: facts(row) for row in own}


@pytest.mark.parametrize("seed", BATCHES)
def test_versions_are_what_deals_says_at_any_instant(seed: int) -> None:
    org, settings, as_of = random_batch(random.Random(seed), ORGS)
    opened, rng = engine.built(org, settings, as_of), random.Random(seed)
    versions = opened.arrow(opened["opportunity_versions"]).to_pylist()
    edges = [row["from_s"] for row in versions if row["from_s"] is not None]
    seconds = [int(as_of.timestamp()) - rng.randrange(800 * 86_400) for _ in range(INSTANTS)]
    seconds += [rng.choice(edges) + shift for shift in (-1, 0, 1)]
    for second in seconds:
        at = AsOf.at(dt.datetime.fromtimestamp(second, dt.UTC), opened.zone)
        assert in_force(versions, second) == modelled(opened, at), (seed, second)
