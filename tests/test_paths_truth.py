"""Path models against what really caused the deals of the demo org, which no record shows.

There each response causes a deal with a chance of its own, by the type of its campaign, beside a base
chance without any cause. On paths of people, those without a deal as nulls, the game of rates sees
that difference. Models that divide a deal among its touches credit a type for being frequent: e-mail
and paid search bring many responses and cause few deals. docs/metrics/paths.md says so beforehand.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import leadline
from leadline.demo.truth import truth
from tests.demo_workspace import Demo, imported
from tests.scale import costly

PEOPLE = 6_000
RECOVERS, BIASED = "shapley_rate", ("first", "even", "markov")
FREQUENT = ("Email", "Paid Search")


def paths_of(demo: Demo) -> tuple[Counter[tuple[str, ...]], Counter[tuple[str, ...]], dict[str, str]]:
    """Paths of campaign types up to the first deal of their person: with a deal, without; and each campaign's type."""
    opened = demo.open()
    campaigns = opened.arrow(opened["campaigns"].select("campaign_id", "campaign_type")).to_pylist()
    type_of = {row["campaign_id"]: row["campaign_type"] or "none" for row in campaigns}
    pairs = opened["opportunity_people"].filter(opened["opportunity_people"].has_role)
    made = pairs.join(opened["deals"].select("opportunity_id", "created_s"), "opportunity_id")
    first: dict[str, Any] = {}
    for row in opened.arrow(made.select("person_id", "created_s")).to_pylist():
        first[row["person_id"]] = min(first.get(row["person_id"], row["created_s"]), row["created_s"])
    answers = opened["responses"].filter(opened["responses"].responded_s.notnull())
    ordered = opened.arrow(answers.select("person_id", "responded_s", "response_id", "campaign_id").distinct())
    steps: dict[str, list[str]] = defaultdict(list)
    for row in sorted(ordered.to_pylist(), key=lambda row: (row["responded_s"], row["response_id"])):
        person = row["person_id"]
        if person not in first or row["responded_s"] <= first[person]:
            steps[person].append(type_of[row["campaign_id"]])
    won = Counter(tuple(path) for person, path in steps.items() if person in first)
    lost = Counter(tuple(path) for person, path in steps.items() if person not in first)
    return won, lost, type_of


def caused(demo: Demo, type_of: dict[str, str]) -> dict[str, float]:
    """Share of the caused deals by campaign type, from the generator."""
    sums: dict[str, float] = defaultdict(float)
    for campaign, deals in truth(demo.org).influence.causal_deals.items():
        sums[type_of[campaign]] += deals
    return {kind: deals / sum(sums.values()) for kind, deals in sums.items()}


def test_rates_of_people_recover_the_true_influence_and_divisions_of_deals_do_not(tmp_path: Path) -> None:
    inside, asked = 0, 0
    for seed in range(7, 7 + costly(10)):
        demo = imported(tmp_path / str(seed), people=PEOPLE, seed=seed)
        won, lost, type_of = paths_of(demo)
        true = caused(demo, type_of)
        every = sorted({*won, *lost})
        result = leadline.paths(
            [list(path) for path in every],
            [won[path] for path in every],
            nulls=[lost[path] for path in every],
            model=[RECOVERS, *BIASED],
            intervals=True,
        )
        found = {(row["model"], row["state"]): row for row in result.table.to_pylist()}
        for kind, share in true.items():
            row = found[RECOVERS, kind]
            inside += row["share_low"] <= share <= row["share_high"]
            asked += 1
        for model in BIASED:
            # One frequent type above its truth for certain, and all of them together above it.
            assert any(found[model, kind]["share_low"] > true[kind] for kind in FREQUENT), (seed, model)
            assert sum(found[model, kind]["share"] for kind in FREQUENT) > sum(true[kind] for kind in FREQUENT)
    # Of 90 % intervals of six types four are inside in 98 of 100 orgs.
    assert inside / asked >= 4 / 6
