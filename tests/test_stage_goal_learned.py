"""Data-driven models for a stage as goal, on journeys few enough to be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from leadline.workspace import Workspace
from tests import campaign_org as org

MORE_PEOPLE = "".join(f"003{at:012}AAA,More{at},2025-01-01T00:00:00Z\n" for at in (4, 5, 6))
MORE_MEMBERS = "".join(
    f"00v{at:012}AAA,{campaign},003{who:012}AAA,Responded,true,{day},{day}T01:00:00Z\n"
    for at, campaign, who, day in [
        (5, org.C, 4, "2025-07-02"),
        (6, org.B, 5, "2025-07-03"),
        (7, org.C, 6, "2026-03-20"),
    ]
)


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Three people with a deal (A, C; B; B), two who fell asleep (C; B), one under way (C)."""
    files = {
        "Contact.csv": org.FILES["Contact.csv"] + MORE_PEOPLE,
        "CampaignMember.csv": org.FILES["CampaignMember.csv"] + MORE_MEMBERS,
    }
    return org.built(tmp_path_factory.mktemp("learned"), files)


def credited(space: Workspace, model: str) -> dict[str, float]:
    """Journeys credited to each campaign."""
    result = space.metrics.influence(goal="SQL", models=[model])
    return {row["campaign"]: row["credited"] for row in result.table.to_pylist() if row["bucket"] == "campaign"}


def test_removal_effects_of_journeys(space: Workspace) -> None:
    """A begins one of five paths and leads to C, which converts 1 of 2; B converts 2 of 3: P = 0.1 + 0.1 + 0.4.

    Without A 0.1 is lost, without C 0.2: of the first deal A has one third, C two, to the millionth.
    The one under way is in neither: with it C would convert 1 of 3, and the first two would lose 1/18 and 1/9.
    """
    assert credited(space, "markov") == {"Alpha": 0.333333, "Gamma": 0.666667, "Beta": 2.0}


def test_rates_of_sets_of_campaign_types(space: Workspace) -> None:
    """Webinar alone 2 of 3, Event alone 0 of 1, both 3 of 5, none 0.

    Webinar is worth (2/3 + 3/5 − 0) ÷ 2 = 19/30, Event (0 + 3/5 − 2/3) ÷ 2 < 0: it has no weight.
    """
    assert credited(space, "shapley_rate") == {"Alpha": 1.0, "Beta": 2.0}


def test_sets_of_campaigns_share_evenly(space: Workspace) -> None:
    assert credited(space, "shapley_coverage") == {"Alpha": 0.5, "Gamma": 0.5, "Beta": 2.0}


def test_intervals_are_those_of_journeys_drawn_anew(space: Workspace) -> None:
    """Three journeys that reached the stage are drawn 200 times; Alpha and Gamma share one of them, Beta has two."""
    result = space.metrics.influence(goal="SQL", models=["even"], intervals=True)
    listed = space.metrics.influence(goal="SQL", models=["even"]).records().table.to_pylist()
    journeys = sorted({row["evidence"] for row in listed})
    shared = journeys.index(next(row["evidence"] for row in listed if row["campaign_id"] == org.A))
    chance = np.random.default_rng(0)
    drawn = [chance.multinomial(3, [1 / 3] * 3)[shared] / 3 for _ in range(200)]
    low, high = np.percentile(drawn, [5, 95])
    found = {row["campaign"]: row for row in result.table.to_pylist() if row["bucket"] == "campaign"}
    for name, part in (("Alpha", 0.5), ("Gamma", 0.5)):
        assert (found[name]["share_low"], found[name]["share_high"]) == pytest.approx((low * part, high * part))
    assert (found["Beta"]["share_low"], found["Beta"]["share_high"]) == pytest.approx((1 - high, 1 - low))
    assert (found["Beta"]["rank_low"], found["Beta"]["credited"]) == (1, 2.0)
    assert any("even: cannot be told apart: " in note for note in result.notes)
    learned = space.metrics.influence(goal="SQL", models=["markov"], intervals=True)
    assert learned.notes[0] == (
        "markov: learned from 5 journeys that reached the stage or ended with a response, 3 of them reached it; chain of "
        "order 1 with 3 states."
    )
    for row in learned.table.to_pylist():
        assert row["share_low"] <= row["share"] <= row["share_high"]
