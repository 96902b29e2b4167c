"""Models and variations side by side, on an org small enough to be worked out by hand (tests/campaign_org.py).

By `first` deal 1 (300) is A's, by `last` C's, by `even` 150 each; deals 2 (40) and 3 (500) are B's by all.
"""

from __future__ import annotations

from typing import Any

import pytest

from leadline.errors import UnknownNameError, UsageError
from leadline.maths import ranks
from leadline.results import Result
from leadline.workspace import Workspace
from tests import campaign_org as org

UNDATED = """Id,CampaignId,ContactId,Status,HasResponded,FirstRespondedDate,CreatedDate,LastModifiedDate
00v000000000005AAA,{D},003000000000001AAA,Responded,true,,2026-01-08T01:00:00Z,2026-01-09T01:00:00Z
00v000000000006AAA,{D},003000000000001AAA,Responded,true,,2026-01-07T01:00:00Z,2026-01-09T01:00:00Z
00v000000000007AAA,{A},003000000000001AAA,Responded,true,,2026-01-01T01:00:00Z,2026-01-09T01:00:00Z
"""
"""One more campaign without a date, told twice, and one that the person has answered with a date already."""


def members() -> str:
    """The members of the org with those of `UNDATED`."""
    header, *rows = org.FILES["CampaignMember.csv"].splitlines()
    more = UNDATED.format(A=org.A, D=org.D).splitlines()
    dated = [f"{row},{row.rsplit(',', 1)[1]}" for row in rows]
    return "\n".join([f"{header},LastModifiedDate", *dated, *more[1:]]) + "\n"


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return org.built(tmp_path_factory.mktemp("compare"), {"CampaignMember.csv": members()})


def cells(result: Result, *names: str, label: str = "model") -> dict[tuple[str, str], tuple[Any, ...]]:
    """Values of the rows of campaigns, by campaign and model or variation."""
    rows = [row for row in result.table.to_pylist() if row["bucket"] == "campaign"]
    return {(row["campaign"], row[label]): tuple(row[name] for name in names) for row in rows}


def test_places_and_their_changes(space: Workspace) -> None:
    result = space.metrics.compare_models(models=["first", "last", "even"])
    assert cells(result, "credit", "rank", "rank_change", "moved_amount") == {
        ("Beta", "first"): (54_000, 1, 0, 0),
        ("Beta", "last"): (54_000, 1, 0, 0),
        ("Beta", "even"): (54_000, 1, 0, 0),
        ("Alpha", "first"): (30_000, 2, 0, 0),
        ("Alpha", "last"): (0, 3, -1, -30_000),
        ("Alpha", "even"): (15_000, 2, 0, -15_000),
        ("Gamma", "first"): (0, 3, 0, 0),
        ("Gamma", "last"): (30_000, 2, 1, 30_000),
        ("Gamma", "even"): (15_000, 2, 1, 15_000),
    }


def test_correlations_and_what_moved(space: Workspace) -> None:
    result = space.metrics.compare_models(models=["first", "last", "even"])
    pairs = {total["compared"]: total for total in result.totals if "compared" in total}
    # Places 1, 2, 3 against 1, 3, 2: rho = 1 − 6·2 ÷ (3·8), two of three pairs in order.
    assert pairs["last"]["spearman"] == pytest.approx(0.5, abs=1e-15)  # one rounding of a square root
    assert pairs["last"]["kendall"] == pytest.approx(1 / 3, abs=1e-15)  # one rounding of a division
    assert (pairs["last"]["opportunities_moved"], pairs["last"]["moved_amount"]) == (1, 30_000)
    assert (pairs["even"]["opportunities_moved"], pairs["even"]["moved_amount"]) == (1, 15_000)
    # Against 1, 2.5, 2.5: one pair is a tie on one side.
    assert pairs["even"]["kendall"] == pytest.approx(2 / 6**0.5, abs=1e-15)  # one rounding of a square root
    assert {total["total_amount"] for total in result.totals if "total_amount" in total} == {84_000}


def test_the_list_has_what_moved_most_first(space: Workspace) -> None:
    result = space.metrics.compare_models(models=["first", "even", "last"])
    found = result.records().table.to_pylist()
    assert [
        (row["opportunity_id"], row["variation"], row["moved_amount"], row["moved_from"], row["moved_to"])
        for row in found
    ] == [
        ("006000000000001AAA", "last", 30_000, "Alpha", "Gamma"),
        ("006000000000001AAA", "even", 15_000, "Alpha", "Gamma"),
    ]
    for total in result.totals:
        if "compared" in total:
            own = [row["moved_amount"] for row in found if row["variation"] == total["compared"]]
            assert (len(own), sum(own)) == (total["opportunities_moved"], total["moved_amount"])


def test_models_without_anything_in_common_to_compare_are_refused(space: Workspace) -> None:
    with pytest.raises(UsageError, match="at least two"):
        space.metrics.compare_models(models=["first"])
    with pytest.raises(UnknownNameError, match="goal"):
        space.metrics.compare_models(models=["first", "last"], goal="SQL")
    with pytest.raises(UnknownNameError, match="sensitivity"):
        space.metrics.sensitivity(varied="weather")
    with pytest.raises(UsageError, match="whatever scope"):
        space.metrics.sensitivity(varied="scope", models=["salesforce_even"])


def test_every_variation_reconciles_to_the_same_total_and_moves_nothing_in_sum(space: Workspace) -> None:
    for varied in ("look-back", "scope", "undated"):
        result = space.metrics.sensitivity(varied=varied, models=["u_shaped", "even"], grain="month")
        sums: dict[tuple[str, str, str], list[int]] = {}
        for row in result.table.to_pylist():
            found = sums.setdefault((row["period"], row["model"], row["variation"]), [0, 0])
            found[0] += row["credit"]
            found[1] += row["moved_amount"]
        assert {(period, *found) for (period, _, _), found in sums.items()} == {
            ("2026-01", 30_000, 0),
            ("2026-02", 54_000, 0),
        }


def test_other_look_backs_stand_beside_that_of_the_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Deal 1 was created on 01-10: C's response is 5 days old then, A's 8."""
    made = org.built(tmp_path_factory.mktemp("short"), config="\n[influence]\nlook_back_days = 6\n")
    result = made.metrics.sensitivity(varied="look-back", models=["even"])
    labels = list(dict.fromkeys(result.table["variation"].to_pylist()))
    assert labels == ["6 days", "30 days", "90 days", "180 days", "365 days", "730 days"]
    found = cells(result, "credit", "rank_change", label="variation")
    assert {label: (found["Alpha", label], found["Gamma", label]) for label in labels} == {
        "6 days": ((0, 0), (30_000, 0)),
        **{f"{days} days": ((15_000, 1), (15_000, 0)) for days in (30, 90, 180, 365, 730)},
    }


def test_undated_responses_count_once_from_their_creation(space: Workspace) -> None:
    result = space.metrics.sensitivity(varied="undated", models=["even", "last"])
    by_model = {model: cells(_only(result, model), "credit", label="variation") for model in ("even", "last")}
    without, within = "dated responses only", "undated ones from their member's creation"
    # A and C alone share 300; with D, told twice but one response, a third each.
    assert by_model["even"]["Delta", without] == (0,)
    assert by_model["even"]["Delta", within] == (10_000,)
    assert by_model["even"]["Alpha", within] == (10_000,)
    # The earlier of the two members came on 01-07, after C on 01-05.
    assert by_model["last"]["Delta", within] == (30_000,)
    assert by_model["last"]["Gamma", without] == (30_000,)


def _only(result: Result, model: str) -> Result:
    from dataclasses import replace

    return replace(result, table=result.table.filter([name == model for name in result.table["model"].to_pylist()]))


def test_each_campaign_with_all_below_it(space: Workspace) -> None:
    """B lies below A; A has 150 of deal 1, B 40 and 500: 690 together, and totals count them once."""
    result = space.metrics.influence(models=["even"], hierarchy="total")
    rows = {row["campaign"]: row for row in result.table.to_pylist() if row["bucket"] == "campaign"}
    assert {name: (row["won_amount"], row["open_amount"], row["opportunities"]) for name, row in rows.items()} == {
        "Alpha": (15_000 + 4_000, 50_000, 3),
        "Beta": (4_000, 50_000, 2),
        "Gamma": (15_000, 0, 1),
    }
    assert {name: (row["own_won_amount"], row["own_open_amount"]) for name, row in rows.items()} == {
        "Alpha": (15_000, 0),
        "Beta": (4_000, 50_000),
        "Gamma": (15_000, 0),
    }
    plain = space.metrics.influence(models=["even"])
    assert result.totals == plain.totals
    listed = result.records().table.to_pylist()
    assert sum(row["credit"] for row in listed if row["campaign_id"] == org.A) == 69_000
    assert {row["earned_by"] for row in listed if row["campaign_id"] == org.A} == {org.A, org.B}


def test_a_deal_of_two_below_counts_once_above(tmp_path_factory: pytest.TempPathFactory) -> None:
    """With C below A too, deal 1 has a touch of A and one of C: one opportunity of A, two responses."""
    campaigns = org.FILES["Campaign.csv"].replace(f"{org.C},Gamma,Event,,", f"{org.C},Gamma,Event,{org.A},")
    made = org.built(tmp_path_factory.mktemp("below"), {"Campaign.csv": campaigns})
    result = made.metrics.influence(models=["even"], hierarchy="total", window="sourced")
    row = next(row for row in result.table.to_pylist() if row["campaign"] == "Alpha")
    assert (row["opportunities"], row["responses"], row["won_amount"], row["own_won_amount"]) == (3, 4, 34_000, 15_000)
    assert row["cost"] is None


def test_a_hierarchy_of_types_is_refused(space: Workspace) -> None:
    with pytest.raises(UsageError, match="row per campaign"):
        space.metrics.influence(hierarchy="total", by=["campaign_type"])
    with pytest.raises(UsageError, match="row per campaign"):
        space.metrics.influence(hierarchy="total", intervals=True)
    with pytest.raises(UnknownNameError, match="hierarchy"):
        space.metrics.influence(hierarchy="upward")


@pytest.mark.parametrize(
    ("one", "other", "rho", "tau"),
    [
        # Squared differences of places add up to 182: 1 − 6·182 ÷ 990; 21 pairs in order, 24 not.
        ([7, 4, 3, 10, 6, 2, 9, 8, 1, 5], [5, 7, 3, 10, 1, 9, 6, 2, 8, 4], -17 / 165, -3 / 45),
        ([1, 2, 3], [1, 2, 3], 1.0, 1.0),
        ([1, 2, 3], [3, 2, 1], -1.0, -1.0),
        ([1, 1, 1], [1, 2, 3], None, None),
        ([], [], None, None),
    ],
)
def test_correlations_of_ranks(one: list[int], other: list[int], rho: float | None, tau: float | None) -> None:
    assert ranks.spearman(one, other) == (None if rho is None else pytest.approx(rho, abs=1e-12))  # a square root
    assert ranks.kendall(one, other) == (None if tau is None else pytest.approx(tau, abs=1e-12))  # a square root


def test_equal_values_share_the_best_place() -> None:
    assert ranks.places([10, 30, 20, 20, -5]).tolist() == [4, 1, 2, 2, 5]
    assert ranks.middle_places([10, 30, 20, 20, -5]).tolist() == [4, 1, 2.5, 2.5, 5]
