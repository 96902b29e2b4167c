"""Markov and Shapley on opportunities: learned by removal one by one, split by hand."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import leadline
from leadline.cli.app import run
from leadline.workspace import Workspace
from tests import campaign_org
from tests.reference import path_brute as brute
from tests.reference.apportion import apportion, integer_points
from tests.soundness.orgs import Org, name_of, rows

CREATED = dt.date(2026, 3, 1)
TYPES = ("Webinar", "Event", "Webinar", "Email", "Event")
DEALS = 24
CLOSED = {
    "won": {"StageName": "Closed Won", "IsClosed": "true", "IsWon": "true", "CloseDate": "2026-04-01"},
    "lost": {"StageName": "Closed Lost", "IsClosed": "true", "IsWon": "false", "CloseDate": "2026-04-02"},
    "open": {},
}


def deals() -> list[tuple[tuple[str, ...], str, int]]:
    """Path of campaigns, state and amount in cents of each deal; some paths repeat a campaign."""
    chance = np.random.default_rng(11)
    found = []
    for number in range(DEALS):
        size = int(chance.integers(1, 5))
        path = tuple(name_of("Campaign", int(one)) for one in chance.integers(1, len(TYPES) + 1, size))
        state = ("won", "lost", "open", "won")[number % 4]
        found.append((path, state, int(chance.integers(1, 10_000_000))))
    return found


MADE = deals()


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """An org of those deals: one contact per touch, one touch a day."""
    made = Org()
    for number, kind in enumerate(TYPES, start=1):
        made.campaign(number, Type=kind)
    people = 0
    for number, (path, state, cents) in enumerate(MADE, start=1):
        deal = made.deal(number, f"{CREATED}T10:00:00.000Z", f"{cents / 100:.2f}", **CLOSED[state])
        for step, campaign in enumerate(path):
            people += 1
            who = made.contact(people)
            made.role(people, deal, who)
            made.response(people, int(campaign[3:15]), who, str(CREATED - dt.timedelta(days=30 - step)))
    return made.workspace(tmp_path_factory.mktemp("driven"))


def journeys(label: dict[str, str]) -> list[brute.Journey]:
    """The closed deals as journeys of labels."""
    return [
        brute.Journey(
            tuple(label[one] for one in path), int(state == "won"), int(state == "lost"), cents * (state == "won")
        )
        for path, state, cents in MADE
        if state != "open"
    ]


def credits(made: Workspace, model: str, **asked: Any) -> dict[tuple[str, str], int]:
    """(deal, response) → credit by the engine."""
    listed = rows(made.metrics.influence(models=[model], **asked).records())
    return {(row["opportunity_id"], row["unit_id"]): row["credit"] for row in listed if row["bucket"] == "campaign"}


def by_hand(weights: dict[str, float]) -> dict[tuple[str, str], int]:
    """The same from weights of campaigns, by largest remainder over the touches of each deal."""
    found: dict[tuple[str, str], int] = {}
    people = 0
    for number, (path, _, cents) in enumerate(MADE, start=1):
        members = [name_of("CampaignMember", people + step) for step in range(1, len(path) + 1)]
        people += len(path)
        points = integer_points([weights[one] for one in path], [0] * len(path), 1)
        for member, one, credit in zip(members, points, apportion([cents], [0] * len(path), points), strict=True):
            if one:
                found[name_of("Opportunity", number), member] = int(credit)
    return found


SELF = {name_of("Campaign", number): name_of("Campaign", number) for number in range(1, len(TYPES) + 1)}
TYPE = {name_of("Campaign", number): kind for number, kind in enumerate(TYPES, start=1)}


def effects(label: dict[str, str], order: int, column: int, *, nulls: bool = True) -> dict[str, float]:
    """Campaign → removal effect of its label, by removal one by one."""
    given = [one._replace(path=brute.collapsed(one.path)) for one in journeys(label) if nulls or one.conversions]
    found = brute.removal_effects(given, order)
    return {campaign: float(found[name][column]) for campaign, name in label.items()}


def refitted() -> dict[str, float]:
    """Campaign → share of conversions lost when its touches are deleted and the chain is counted anew."""
    found = brute.refit_effects([one._replace(path=brute.collapsed(one.path)) for one in journeys(SELF)], 1)
    return {campaign: float(found[campaign]) for campaign in SELF}


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ('kind = "markov"', effects(SELF, 1, 1)),
        ('kind = "markov"\nvalue = "proportional"', effects(SELF, 1, 0)),
        ('kind = "markov"\norder = 2', effects(SELF, 2, 1)),
        ('kind = "markov"\norder = 3\nby = "campaign_type"', effects(TYPE, 3, 1)),
        ('kind = "markov"\nnulls = false\nvalue = "proportional"', effects(SELF, 1, 0, nulls=False)),
        ('kind = "markov"\nremoval = "refit"\nvalue = "proportional"', refitted()),
    ],
    ids=["markov", "proportional", "order 2", "by type", "no nulls", "refit"],
)
def test_amounts_are_split_by_removal_effects(org: Workspace, text: str, weights: dict[str, float]) -> None:
    place = org.folder / "models" / "mine.toml"
    place.parent.mkdir(exist_ok=True)
    place.write_text(text + "\n", encoding="utf-8")
    assert credits(org, "mine") == by_hand(weights)


def test_the_shipped_model_learns_from_all_deals_whatever_is_asked(org: Workspace) -> None:
    expected = by_hand(effects(SELF, 1, 1))
    assert credits(org, "markov") == expected
    chosen = credits(org, "markov", where={"stage_name": "Closed Won"})
    assert chosen == {key: credit for key, credit in expected.items() if key in chosen}
    assert 0 < len(chosen) < len(expected)


def test_the_model_on_a_part_of_the_window_learns_from_that_part(org: Workspace) -> None:
    """All touches lie before the creation, so the part before it is all, and the other part is nothing."""
    assert credits(org, "markov@sourced") == credits(org, "markov")
    assert credits(org, "markov@accelerated") == {}


def test_shapley_coverage_is_even_over_the_campaigns_of_a_deal(org: Workspace) -> None:
    assert credits(org, "shapley_coverage") == credits(org, "even_per_campaign")


def test_shapley_rates_by_type(org: Workspace) -> None:
    given = journeys(TYPE)
    found = brute.shapley(brute.names(given), brute.rate(given))
    assert any(value < 0 for value in found.values()) or len(set(found.values())) == len(found)
    weights = {campaign: max(float(found[kind]), 0.0) for campaign, kind in TYPE.items()}
    assert credits(org, "shapley_rate") == by_hand(weights)


def test_an_answer_says_what_it_was_learned_from(org: Workspace) -> None:
    """18 of the 24 deals are closed, 12 of them won; all have responses, to five campaigns of three types."""
    asked = org.metrics.influence(models=["markov", "shapley_rate", "even"])
    learned = "learned from 18 closed opportunities with a response, 12 of them won"
    expected = (
        f"markov: {learned}; chain of order 1 with {len(TYPES)} states.",
        f"shapley_rate: {learned}; every set looked at.",
    )
    assert asked.notes[:2] == expected
    assert org.metrics.compare_models(models=["markov", "shapley_rate"]).notes[:2] == expected
    before = org.metrics.influence(models=["markov"], as_of="2026-03-15").notes
    assert any("0 closed opportunities" in note and "touches share evenly" in note for note in before)
    assert not [note for note in org.metrics.influence(models=["even"]).notes if "learned" in note]


def test_drawn_values_state_their_standard_error(org: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error in the note is the largest of those that the table of paths has beside each campaign."""
    monkeypatch.setattr("leadline.maths.paths.shapley.PLAYERS", 3)
    place = org.folder / "models" / "by_campaign.toml"
    place.parent.mkdir(exist_ok=True)
    place.write_text('kind = "shapley"\ngame = "rate"\nby = "campaign_id"\n', encoding="utf-8")
    (note,) = [one for one in org.metrics.influence(models=["by_campaign"]).notes if "learned" in one]
    beside = rows(org.paths(["shapley_rate"]))
    error, largest = (max(row[name] for row in beside) * 100 for name in ("effect_error", "effect"))
    assert error > 0
    assert "1,000 orders drawn, each also backwards" in note
    assert f"standard error of a value at most {error:.2f} points, the largest value {largest:.1f} points" in note


@pytest.mark.parametrize("model", ["markov", "shapley_coverage", "shapley_rate"])
def test_every_deal_adds_up(org: Workspace, model: str) -> None:
    sums: Counter[str] = Counter()
    for (deal, _), credit in credits(org, model).items():
        sums[deal] += credit
    assert sums == {name_of("Opportunity", number): cents for number, (_, _, cents) in enumerate(MADE, start=1)}
    (total,) = org.metrics.influence(models=[model]).totals
    assert total["credited_amount"] == total["total_amount"] == sum(cents for _, _, cents in MADE)


def test_nothing_learned_is_split_evenly(org: Workspace) -> None:
    """Before the first close no campaign has an effect: open amounts are split as `even` splits them."""
    even = credits(org, "even", as_of="2026-03-15")
    assert len(even) == sum(len(path) for path, _, _ in MADE)
    assert credits(org, "markov", as_of="2026-03-15") == even
    assert credits(org, "shapley_rate", as_of="2026-03-15") == even


def test_the_classical_split_is_that_of_a_table_of_paths(org: Workspace) -> None:
    """All won amounts at once, by effects; states are names of campaigns."""
    given = journeys(SELF)
    table = leadline.paths(
        [[f"Campaign {int(one[3:15])}" for one in journey.path] for journey in given],
        [one.conversions for one in given],
        nulls=[one.nulls for one in given],
        value=[f"{one.value / 100:.2f}" for one in given],
        model=["markov", "even"],
        currency="USD",
    )
    found = org.paths(["markov", "even"])
    assert found.to_dict()["rows"] == table.to_dict()["rows"]
    assert found.totals == table.totals
    assert (found.unit, found.filters["scope"], found.snapshot != "") == ("opportunities", "role", True)
    by_type = {row["state"] for row in rows(org.paths(by="campaign_type"))}
    assert by_type == set(TYPES)


def test_the_command_without_a_file(org: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    told = ["paths", "--workspace", str(org.folder)]
    assert run([*told, "--by", "campaign_type", "--intervals", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {"share_low", "share_high", "rank_low", "rank_high"} <= set(answer["rows"][0])
    assert all(row["share_low"] <= row["share"] <= row["share_high"] for row in answer["rows"])
    several = [*told, "--by", "campaign_type", "--model", "first,markov"]
    for kind in ("slope", "scatter"):
        assert run([*several, "--chart", str(org.folder / f"{kind}.svg"), "--chart-name", kind]) == 0
    assert (org.folder / "slope.svg").read_bytes() != (org.folder / "scatter.svg").read_bytes()
    capsys.readouterr()
    assert run([*told, "--path", "path"]) == 2
    assert "Which file?" in capsys.readouterr().err
    assert run(["paths", "some.csv", "--by", "campaign_type"]) == 2
    assert run(["paths", "some.csv"]) == 2
    assert "--path COL --conversions COL" in capsys.readouterr().err


def drawn_by_hand(model: str) -> dict[str, tuple[float, float]]:
    """Campaign → 5th and 95th percentile of its share, with every draw worked out deal by deal."""
    chance = np.random.default_rng(0)
    shares = []
    for _ in range(200):
        often = chance.multinomial(DEALS, [1 / DEALS] * DEALS)
        given = [
            brute.Journey(
                brute.collapsed(path), int(state == "won") * n, int(state == "lost") * n, cents * n * (state == "won")
            )
            for (path, state, cents), n in zip(MADE, often.tolist(), strict=True)
            if state != "open"
        ]
        found = brute.removal_effects([one for one in given if one.conversions + one.nulls], 1)
        weights = {name: max(float(found[name][1]), 0.0) if name in found else 0.0 for name in SELF}
        sums: Counter[str] = Counter()
        for (path, _, cents), n in zip(MADE, often.tolist(), strict=True):
            own = [weights[one] if model == "markov" else 1.0 for one in path]
            own = own if sum(own) else [1.0] * len(path)
            for one, weight in zip(path, own, strict=True):
                sums[one] += n * cents * weight / sum(own)
        total = sum(n * cents for (_, _, cents), n in zip(MADE, often.tolist(), strict=True))
        shares.append([sums[name] / total for name in SELF])
    low, high = np.percentile(shares, [5, 95], axis=0)
    return {name: (float(low[at]), float(high[at])) for at, name in enumerate(SELF)}


@pytest.mark.parametrize("model", ["even", "markov"])
def test_intervals_are_those_of_opportunities_drawn_anew(org: Workspace, model: str) -> None:
    result = org.metrics.influence(models=[model], intervals=True)
    found = {row["campaign_id"]: (row["share_low"], row["share_high"]) for row in rows(result) if row["campaign_id"]}
    expected = drawn_by_hand(model)
    assert found.keys() == expected.keys()
    for name, limits in expected.items():
        # Credits are whole cents of shares that are not, of deals worth some 10,000 of them and more.
        assert found[name] == pytest.approx(limits, abs=1e-5)
    for row in rows(result):
        if row["bucket"] == "campaign":
            assert 1 <= row["rank_low"] <= row["rank_high"] <= len(TYPES)
        else:
            assert row["share_low"] is None
    assert "share_low" not in org.metrics.influence(models=[model]).table.column_names


def test_intervals_by_period_dimension_and_part(org: Workspace) -> None:
    result = org.metrics.influence(
        models=["even", "markov@sourced"], by=["stage_name", "campaign_type"], grain="quarter", intervals=True
    )
    told = [row for row in rows(result) if row["bucket"] == "campaign"]
    assert {row["model"] for row in told} == {"even", "markov@sourced"}
    assert all(row["share_low"] <= row["share_high"] for row in told)
    late = rows(org.metrics.influence(models=["even"], window="accelerated", intervals=True))
    assert {row["share_high"] for row in late if row["bucket"] == "campaign"} == {0.0}


def test_campaigns_without_a_record_are_learned_each(tmp_path: Path) -> None:
    """Two campaigns that only members name: deal 1 passed A, X and C, deal 2 passed B and Y, nothing was lost."""
    one, other = (f"701{at:012}AAA" for at in (98, 99))
    more = (
        f"00v000000000005AAA,{one},003000000000001AAA,Responded,true,2026-01-03,2026-01-03T01:00:00Z\n"
        f"00v000000000006AAA,{other},003000000000002AAA,Responded,true,2026-02-02,2026-02-02T01:00:00Z\n"
    )
    files = {"CampaignMember.csv": campaign_org.FILES["CampaignMember.csv"] + more}
    space = campaign_org.built(tmp_path, files)
    found = space.metrics.influence(models=["markov"], intervals=True).table.to_pylist()
    # Without any of its campaigns a deal is not won, so each has the same weight on it.
    assert {row["campaign_id"]: row["won_amount"] for row in found if row["bucket"] == "campaign"} == {
        campaign_org.A: 100_00,
        one: 100_00,
        campaign_org.C: 100_00,
        campaign_org.B: 20_00,
        other: 20_00,
    }
    ends = {row["campaign_id"]: (row["share_low"], row["share_high"]) for row in found}
    assert ends[one] == ends[campaign_org.A]
