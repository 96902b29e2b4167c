"""Cost and return: spread to the day, periods and hierarchy that add up, every quotient with its list."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from leadline.errors import CostsError, UnknownNameError, UsageError
from leadline.metrics.credit.costs import Campaign, Piece
from leadline.metrics.credit.payback import OPEN, PAID_BACK, UNDATED, payback
from leadline.metrics.credit.roi_columns import per
from leadline.workspace import Workspace
from tests import campaign_org as org
from tests.demo_workspace import imported
from tests.scale import scaled


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return org.built(tmp_path_factory.mktemp("roi"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return imported(tmp_path_factory.mktemp("roi-demo"), people=1_000, seed=5).workspace


def rows(space: Workspace, **question: object) -> dict[str, dict]:
    """The rows by the name of their campaign."""
    table = space.metrics.roi(models=["even"], **question).table.to_pylist()  # type: ignore[arg-type]
    return {row["campaign"]: row for row in table}


def test_worked_by_hand(small: Workspace) -> None:
    found = rows(small)
    picked = ("cost_state", "cost", "won_amount", "roi", "roas", "responses", "opportunities", "wins")
    assert {name: tuple(row[one] for one in picked) for name, row in found.items()} == {
        "Alpha": ("known", 10_000, 15_000, 0.5, 1.5, 1, 1, 1),
        "Beta": ("known", 5_000, 4_000, -0.2, 0.8, 2, 2, 1),
        "Gamma": ("missing", None, 15_000, None, None, 1, 1, 1),
        "Delta": ("known", 1_000, 0, -1.0, 0.0, 0, 0, 0),
        "Epsilon": ("known", 0, 0, None, None, 0, 0, 0),
    }
    assert [found["Beta"][f"cost_per_{one}"] for one in ("response", "opportunity", "win")] == [2_500, 2_500, 5_000]
    # Deal 1 was tipped by Gamma, the last response before it; Beta brought the other two.
    assert {name: row["qualified"] for name, row in found.items() if row["qualified"]} == {"Gamma": 1, "Beta": 2}
    assert found["Beta"]["cost_per_qualified"] == 2_500


def test_payback_worked_by_hand(small: Workspace) -> None:
    found = rows(small)
    told = ("payback", "first_cost_on", "paid_back_on", "payback_days")
    assert tuple(found["Alpha"][name] for name in told) == (
        "paid back",
        dt.date(2026, 1, 1),
        dt.date(2026, 2, 10),
        40,
    )
    assert tuple(found["Beta"][name] for name in told) == ("open", dt.date(2026, 2, 1), None, None)
    assert tuple(found["Delta"][name] for name in told) == ("undated", None, None, None)
    assert tuple(found["Epsilon"][name] for name in told) == (None, None, None, None)


def test_a_cost_is_spread_over_its_days_with_the_rest_first(small: Workspace) -> None:
    listed = small.metrics.roi(models=["even"], grain="day").records().table.to_pylist()
    costs = [(row["campaign_id"], row["period"], row["amount"]) for row in listed if row["measure"] == "cost"]
    assert [one[1:] for one in costs if one[0] == org.A] == [
        ("2026-01-01", 3_334),
        ("2026-01-02", 3_333),
        ("2026-01-03", 3_333),
    ]
    assert sum(amount for name, _, amount in costs if name == org.B) == 5_000


def test_an_undated_cost_is_in_no_period_and_said(small: Workspace) -> None:
    result = small.metrics.roi(models=["even"], grain="month")
    assert org.D not in result.table.column("campaign_id").to_pylist()
    assert {total["undated_cost_amount"] for total in result.totals} == {1_000}
    assert any("without StartDate" in note for note in result.notes)
    assert {row["period"]: row["cost"] for row in result.table.to_pylist() if row["campaign"] == "Beta"} == {
        "2026-02": 5_000
    }


def test_with_all_below_counts_nothing_twice(small: Workspace) -> None:
    own, total = (small.metrics.roi(models=["even"], hierarchy=one) for one in ("own", "total"))
    found = {(row["campaign"], row["cost_state"]): row for row in total.table.to_pylist()}
    assert found["Alpha", "known"]["cost"] == 15_000
    assert found["Alpha", "known"]["won_amount"] == 19_000
    assert found["Alpha", "known"]["opportunities"] == 3
    assert found["Beta", "known"]["cost"] == 5_000
    assert own.totals == total.totals


def test_a_missing_cost_stands_apart_in_groups(small: Workspace) -> None:
    table = small.metrics.roi(models=["even"], by=["campaign_type"]).table.to_pylist()
    found = {(row["campaign_type"], row["cost_state"]): row for row in table}
    assert found["Event", "missing"]["won_amount"] == 15_000
    assert found["Event", "missing"]["roi"] is None
    assert (found["Event", "known"]["cost"], found["Event", "known"]["roi"]) == (1_000, -1.0)
    assert found["Webinar", "known"]["roi"] == (19_000 - 15_000) / 15_000


def test_filters_choose_campaigns(small: Workspace) -> None:
    assert set(rows(small, where={"campaign_type": "Webinar"})) == {"Alpha", "Beta"}


@pytest.mark.parametrize("grain", ["day", "week", "month", "quarter", "year"])
def test_periods_add_up(demo: Workspace, grain: str) -> None:
    def sums(**more: object) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for row in demo.metrics.roi(models=["even"], **more).table.to_pylist():  # type: ignore[arg-type]
            for name in ("won_amount", "responses", "qualified"):
                found[row["campaign_id"]][name] += row[name]
            if row["cost_state"] == "known":
                found[row["campaign_id"]]["cost"] += row["cost"]
        return found

    whole, parts = sums(), sums(grain=grain)
    undated = {
        row["campaign_id"] for row in demo.metrics.roi(models=["even"]).table.to_pylist() if row["payback"] == UNDATED
    }
    assert undated, "the demo has campaigns without a StartDate"
    for name, found in whole.items():
        expected = {**found, "cost": 0} if name in undated else found
        assert {key: value for key, value in expected.items() if value} == {
            key: value for key, value in parts[name].items() if value
        }


@pytest.mark.parametrize("date", ["created", "closed"])
def test_totals_are_those_of_influence(demo: Workspace, date: str) -> None:
    ours = demo.metrics.roi(models=["first", "even"], date=date, grain="quarter").totals
    theirs = demo.metrics.influence(models=["first", "even"], date=date, grain="quarter").totals
    credited = {(one["period"], one["model"]): one["won_credited_amount"] for one in theirs}
    told = {(one["period"], one["model"]): one["won_credited_amount"] for one in ours if one["won_credited_amount"]}
    assert told == {place: amount for place, amount in credited.items() if amount}


@pytest.mark.parametrize("hierarchy", ["own", "total"])
def test_the_list_is_the_number(demo: Workspace, hierarchy: str) -> None:
    result = demo.metrics.roi(models=["even", "last"], hierarchy=hierarchy, grain="year")
    sums: dict[tuple, int] = defaultdict(int)
    deals: dict[tuple, set[str]] = defaultdict(set)
    for row in result.records().table.to_pylist():
        place = (row["period"], row["campaign_id"], row["cost_state"])
        sums[*place, row["measure"], row["model"]] += 1 if row["measure"] in ("response", "qualified") else 0
        if row["measure"] == "cost" or row["state"] == "won":
            sums[*place, row["measure"], row["model"]] += row["amount"]
        if row["measure"] == "credit":
            deals[*place, row["model"]].add(row["opportunity_id"])
    for row in result.table.to_pylist():
        place = (row["period"], row["campaign_id"], row["cost_state"])
        assert sums[*place, "response", None] == row["responses"]
        assert sums[*place, "qualified", None] == row["qualified"]
        assert sums[*place, "cost", None] == (row["cost"] or 0)
        assert sums[*place, "credit", row["model"]] == row["won_amount"]
        assert len(deals[*place, row["model"]]) == row["opportunities"]


def test_rolled_up_rows_of_the_top_hold_everything_below(demo: Workspace) -> None:
    whole = demo.metrics.roi(models=["even"], hierarchy="total")
    own = demo.metrics.roi(models=["even"], by=["campaign_level_1", "campaign"])
    names: dict[tuple, list[int]] = defaultdict(lambda: [0, 0])
    for row in own.table.to_pylist():
        cell = names[row["campaign_level_1"], row["cost_state"]]
        cell[0] += row["cost"] or 0
        cell[1] += row["won_amount"]
    rolled = {
        (row["campaign"], row["cost_state"]): [row["cost"] or 0, row["won_amount"]] for row in whole.table.to_pylist()
    }
    assert names.items() <= rolled.items()


def test_the_file_takes_the_place_of_actual_cost(tmp_path: Path) -> None:
    text = (
        "campaign,start_date,end_date,amount,currency\n"
        "# the agency's invoice\n"
        "Gamma,2026-01-01,2026-01-02,0.03,\n"
        f"{org.A[:15]},2026-02-01,2026-02-28,28,USD\n"
        "Alpha,,,3,\n"
    )
    space = org.built(tmp_path, costs=text)
    assert {name: row["cost"] for name, row in rows(space).items()} == {
        "Alpha": 3_100,
        "Beta": 5_000,
        "Gamma": 3,
        "Delta": 1_000,
        "Epsilon": 0,
    }
    monthly = space.metrics.roi(models=["even"], grain="month").table.to_pylist()
    assert {row["period"]: row["cost"] for row in monthly if row["campaign"] == "Alpha"} == {
        "2026-01": 300,
        "2026-02": 2_800,
    }


FAULTS = {
    "campaign,amount\nAlfa,1\n": ["line 2, column campaign: 'Alfa' is neither", "Did you mean 'Alpha'?"],
    "campaign,amount\nAlpha,1.000,50\n": ["line 2: has 3 cells and the heading 2"],
    "campaign,amount\nAlpha,\n,5\n": ["line 2, column amount: ''", "line 3, column campaign: is empty"],
    "campaign,amount,start_date\nAlpha,1,31.01.2026\n": ["line 2, column start_date: '31.01.2026' is no date"],
    "campaign,amount,end_date\nAlpha,1,2026-01-31\n": ["line 2, column start_date: is empty beside an end_date"],
    "campaign,amount,start_date,end_date\nAlpha,1,2026-02-01,2026-01-31\n": ["lies before the start_date"],
    "campaign,amount,currency\nAlpha,1,Euro\n": ["'EURO' is no ISO code"],
    "campaign,amount,currency\nAlpha,1,XAU\n": ["line 2, column currency: 'XAU' has no rate"],
    "campaign,cost\nAlpha,1\n": ["the heading has 'cost'", "no column 'amount'"],
    "campaign,campaign,amount\n": ["'campaign' more than once"],
    "": ["it is empty"],
    'campaign,amount\n"Alpha,1\n': ["is no CSV"],
    "campaign,amount\nAlpha,99999999999999\n": ["too large"],
}


@pytest.mark.parametrize("text", FAULTS, ids=lambda text: text.replace("\n", "|")[:40])
def test_every_fault_of_the_file_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(CostsError) as caught:
        org.built(tmp_path, costs=text)
    for part in FAULTS[text]:
        assert part in str(caught.value)


def test_a_name_that_two_campaigns_have_needs_the_id(tmp_path: Path) -> None:
    twice = org.FILES["Campaign.csv"].replace(",Beta,", ",Alpha,")
    with pytest.raises(CostsError, match="is the name of several campaigns"):
        org.built(tmp_path, {"Campaign.csv": twice}, costs="campaign,amount\nAlpha,1\n")


def test_a_file_that_the_settings_name_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(CostsError, match="there is no such file"):
        org.built(tmp_path, config='\n[costs]\nfile = "spent.csv"\n')


@pytest.mark.parametrize(
    ("question", "error", "told"),
    [
        ({"by": ["opportunity_type"]}, UsageError, "leadline influence"),
        ({"where": {"lead_source": "Web"}}, UsageError, "leadline influence"),
        ({"by": ["campain_type"]}, UnknownNameError, "campaign_type"),
        ({"hierarchy": "all"}, UnknownNameError, "total"),
        ({"hierarchy": "total", "by": ["campaign_type"]}, UsageError, "leave out --by"),
        ({"unit": "people"}, UsageError, "leave --unit out"),
        ({"date": "won"}, UnknownNameError, "closed"),
    ],
)
def test_questions_without_sense_are_refused(
    small: Workspace, question: dict[str, object], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        small.metrics.roi(**question)  # type: ignore[arg-type]


def test_spread_costs_add_up_for_any_cut() -> None:
    chance = random.Random(11)
    for _ in range(scaled(2_000)):
        length, amount = chance.randint(1, 800), chance.randint(-(10**12), 10**12)
        piece = Piece(0, amount, first := chance.randint(0, 20_000), first + length)
        cuts = sorted(chance.randint(first - 50, first + length + 50) for _ in range(chance.randint(0, 9)))
        sums = np.diff(piece.until([first - 60, *cuts, first + length + 60]))
        assert int(sums.sum()) == amount
        days = np.diff(piece.until(np.arange(first, first + length + 1)))
        assert int(days.max() - days.min()) <= 1


def test_payback_by_brute_force() -> None:
    chance = random.Random(12)
    for _ in range(scaled(1_000)):
        spent = [
            Campaign(
                None,
                "known",
                [Piece(0, chance.randint(0, 300), first := chance.randint(0, 30), first + chance.randint(1, 20))],
            )
            for _ in range(chance.randint(1, 3))
        ]
        wins = sorted((chance.randint(-5, 60), chance.randint(0, 200)) for _ in range(chance.randint(0, 6)))
        days, won = (np.array([one[at] for one in wins], np.int64) for at in (0, 1))
        as_of = 70
        begin = min(one.first_day for one in spent if one.first_day is not None)
        fine = [
            sum(amount for day, amount in wins if day <= at) >= sum(int(one.until([at + 1])[0]) for one in spent)
            for at in range(begin, as_of + 1)
        ]
        expected = next((begin + at for at in range(len(fine)) if all(fine[at:])), None)
        found = payback(spent, days, won, as_of)
        if not any(piece.amount for one in spent for piece in one.pieces):
            assert found.state is None
        else:
            assert (found.state, found.day) == (OPEN if expected is None else PAID_BACK, expected)


@pytest.mark.parametrize(
    ("amount", "count", "expected"), [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (10, 0, None), (None, 3, None)]
)
def test_quotients_are_rounded_half_to_even(amount: int | None, count: int, expected: int | None) -> None:
    assert per(amount, count) == expected


def test_totals_and_notes_are_of_the_campaigns_asked_for(small: Workspace) -> None:
    # Gamma without a cost and Delta without days are events; both webinars have cost and days.
    webinars, events = (
        small.metrics.roi(models=["even"], grain="month", where={"campaign_type": kind})
        for kind in ("Webinar", "Event")
    )
    assert {total["undated_cost_amount"] for total in webinars.totals} == {0}
    assert not any("StartDate" in note or "have no cost" in note for note in webinars.notes)
    assert {total["undated_cost_amount"] for total in events.totals} == {1_000}
    assert any("1 campaigns have a cost without StartDate" in note for note in events.notes)
