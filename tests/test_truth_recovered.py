"""The engine finds in the files of a demo org what its generator put there, exactly.

Two orgs, one from CSV and one from Parquet. What must come out says `leadline.demo.truth`, which
shares nothing with the metrics.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext
from functools import cached_property, partial
from typing import Any

import numpy as np
import pytest

from leadline.demo import ids
from leadline.demo.params import INQUIRY, STAGES, WON
from leadline.demo.truth import Truth, truth
from leadline.demo.truth_law import DAY, Journey, Moment
from leadline.demo.truth_measures import CENSORED, By, Conversion, TrueJourney
from leadline.demo.truth_money import MODELS
from leadline.demo.writers import Format
from leadline.metrics.credit import touches
from leadline.metrics.query import Query, ask
from leadline.metrics.times import standing, waiting
from leadline.model.opened import Opened
from leadline.results import Result
from tests.demo_workspace import Demo, imported
from tests.scale import scaled

PEOPLE = max(3_000, scaled(20_000))
ORGS: list[tuple[int, Format]] = [(7, "csv"), (23, "parquet")]
STEPS = list(itertools.pairwise(STAGES))
WINDOWS = (30, 365)
DIMENSIONS: dict[By, str] = {
    "campaign_type": "campaign_type",
    "campaign": "campaign_id",
    "industry": "industry",
    "lead_source": "lead_source",
}
"""Dimension in the truth → its name in the engine."""

FATES = {
    "after as-of": "after_as_of", "excluded by rule": "excluded", "no date": "no_date",
    "duplicate member": "duplicate_member", "tipped a journey": "tipped",
    "joined before qualification": "joined_before", "joined after": "joined_after",
    "not qualified (yet)": "not_qualified",
}  # fmt: skip
ENDED = {"closed": "close"}
CAUSES = {0: "censored", 1: "advanced", 2: "exit"}
RANGES = [
    (dt.date(2024, 7, 1), dt.date(2026, 6, 30)),
    (dt.date(2025, 7, 1), dt.date(2026, 6, 30)),
    (dt.date(2026, 3, 1), dt.date(2026, 3, 31)),
]
"""First and last day; the whole history, a year, and a month with a change of the clock."""

Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Case:
    """An org, its truth and what the engine made of its files."""

    demo: Demo
    truth: Truth
    opened: Opened

    @cached_property
    def tables(self) -> dict[str, list[Row]]:
        """Rows of the tables of the snapshot that are read here."""
        names = ("people", "responses", "journeys", "journey_visits", "journey_stages", "journey_outcomes",
                 "journey_opportunities", "requalifications", "deals")  # fmt: skip
        return {name: self.opened.arrow(self.opened[name]).to_pylist() for name in names}

    def grouped(self, name: str) -> dict[str, list[Row]]:
        """Rows of a table by journey."""
        found: dict[str, list[Row]] = {}
        for row in self.tables[name]:
            found.setdefault(row["journey_id"], []).append(row)
        return found

    def moment(self, moment: Moment) -> tuple[int, int, bool]:
        """UTC second by which it is ordered, days since 1970, whether only the day is known."""
        clock = self.truth.world.clock
        day = clock.day0 + moment.day
        into = moment.key - moment.day * DAY
        second = int(clock.utc(np.array([moment.day]), np.array([into]))[0]) if into else clock.midnight_utc(moment.day)
        return second, day, moment.date_only


@pytest.fixture(scope="module", params=ORGS, ids=lambda org: f"{org[0]}-{org[1]}")
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    seed, form = request.param
    demo = imported(tmp_path_factory.mktemp("demo"), people=PEOPLE, seed=seed, form=form)
    return Case(demo, truth(demo.org), demo.open())


def assert_equal(mine: Mapping[Any, object], theirs: Mapping[Any, object]) -> None:
    """Two mappings are the same; the message shows a few differences instead of thousands of rows."""
    keys = [key for key in {**mine, **theirs} if mine.get(key) != theirs.get(key)]
    shown = "\n".join(f"{key}: truth {mine.get(key)}, engine {theirs.get(key)}" for key in keys[:5])
    assert not keys, f"{len(keys)} of {len(mine)} differ:\n{shown}"


def rows_of(result: Result) -> list[Row]:
    return result.table.to_pylist()


def filled(counts: Mapping[Any, int]) -> Counter[Any]:
    """Counts without those of 0."""
    return +Counter(dict(counts))


# --- people, responses, journeys


def test_people(case: Case) -> None:
    assert len(case.tables["people"]) == case.truth.people


def test_every_member_has_the_fate_it_had(case: Case) -> None:
    theirs = {row["response_id"]: row["fate"] for row in case.tables["responses"]}
    assert_equal({member: FATES[fate] for member, fate in case.truth.member_fates.items()}, theirs)
    assert Counter(theirs.values()) == Counter({FATES[fate]: count for fate, count in case.truth.fates.items()})


def true_journey(case: Case, item: TrueJourney) -> Row:
    """A journey as the snapshot must hold it."""
    journey = item.journey
    end = journey.visits[-1].left if journey.visits else None
    tip = journey.tip and ids.one("CampaignMember", journey.tip.member)
    return {
        "start": journey.start and case.moment(journey.start),
        "end": end and case.moment(end),
        "ended_by": journey.ended and ENDED.get(journey.ended, journey.ended),
        "outcome": journey.outcome,
        "conflicts": journey.conflicts,
        "origin": journey.origin and ids.one("CampaignMember", journey.origin.member),
        "origin_campaign": item.campaign,
        "tipped_by": tip,
        "held": sorted((ids.one("Opportunity", deal.number), deal.state) for deal in journey.held),
        "visits": [
            (visit.stage, case.moment(visit.entered), visit.left and case.moment(visit.left))
            for visit in journey.visits
        ],
        "won": journey.won and case.moment(journey.won),
        "reached": reached_stages(case, journey),
        "regressions": journey.regressions,
        "re_entries": [journey.re_entries(stage) for stage in range(WON)],
        "requalifications": journey.requalifications,
    }


def reached_stages(case: Case, journey: Journey) -> list[object]:
    """First time of each stage up to the furthest, None where it has no time."""
    first = [journey.first(stage) for stage in range(journey.furthest + 1)]
    return [moment and case.moment(moment) for moment in first]


def moment_of(row: Row, name: str) -> tuple[int, int, bool] | None:
    return None if row[f"{name}_s"] is None else (row[f"{name}_s"], row[f"{name}_day"], row[f"{name}_is_date"])


def engine_journeys(case: Case) -> dict[tuple[str, int], Row]:
    """Journeys of the snapshot, by person and pass."""
    held, visits, stages = (case.grouped(f"journey_{name}") for name in ("opportunities", "visits", "stages"))
    outcomes, lower = case.grouped("journey_outcomes"), case.grouped("requalifications")
    found = {}
    for row in case.tables["journeys"]:
        key = row["journey_id"]
        own = sorted(visits.get(key, []), key=lambda visit: visit["visit_no"])
        won = [moment_of(one, "entered") for one in outcomes.get(key, [])]
        found[row["person_id"], row["pass_no"]] = {
            "start": moment_of(row, "started"),
            "end": moment_of(row, "ended"),
            "ended_by": row["ended_by"],
            "outcome": row["outcome"],
            "conflicts": row["status_conflicts"],
            "origin": row["origin_response_id"],
            "origin_campaign": row["origin_campaign_id"],
            "tipped_by": row["tipping_response_id"],
            "held": sorted((one["opportunity_id"], one["state"]) for one in held.get(key, [])),
            "visits": [(one["stage_no"], moment_of(one, "entered"), moment_of(one, "left")) for one in own],
            "won": min(moment for moment in won if moment) if won else None,
            "reached": [
                moment_of(one, "entered") for one in sorted(stages.get(key, []), key=lambda one: one["stage_no"])
            ],
            "regressions": sum(one["regression"] for one in own),
            "re_entries": [sum(one["re_entry"] for one in own if one["stage_no"] == stage) for stage in range(WON)],
            "requalifications": len(lower.get(key, [])),
        }
    return found


def test_every_journey_is_the_one_that_was_told(case: Case) -> None:
    mine = {(item.person_id, item.journey.number): true_journey(case, item) for item in case.truth.journeys}
    theirs = engine_journeys(case)
    assert len(theirs) == len(case.tables["journeys"])
    fields = {
        key: {name for name in one if one[name] != theirs.get(key, {}).get(name, ...)} for key, one in mine.items()
    }
    wrong = {
        key: {name: (mine[key][name], theirs.get(key, {}).get(name)) for name in names}
        for key, names in fields.items()
        if names
    }
    assert not wrong, f"{len(wrong)} of {len(mine)}: {dict(itertools.islice(wrong.items(), 3))}"
    assert mine.keys() == theirs.keys()


# --- volume


def test_volume_entered_by_month_and_campaign_type(case: Case) -> None:
    found = case.demo.workspace.metrics.volume(grain="month", by=["campaign_type"])
    theirs = {(row["stage"], row["period"], row["campaign_type"]): row["count"] for row in rows_of(found)}
    assert_equal(filled(case.truth.entered), filled(theirs))


def test_volume_cohort_by_month(case: Case) -> None:
    found = rows_of(case.demo.workspace.metrics.volume(view="cohort", grain="month"))
    theirs = {(row["stage"], row["period"]): row["count"] for row in found if row["period"] is not None}
    assert_equal(filled(case.truth.cohort), filled(theirs))
    undated = sum(item.journey.start is None for item in case.truth.journeys)
    assert sum(row["count"] for row in found if row["period"] is None and row["stage"] == "Inquiry") == undated


def test_volume_standing(case: Case) -> None:
    found = rows_of(case.demo.workspace.metrics.volume(view="standing"))
    assert_equal(filled(case.truth.standing), filled({row["stage"]: row["count"] for row in found}))


def test_what_stands_beside_the_volume(case: Case) -> None:
    cohort = {row["stage"]: row for row in rows_of(case.demo.workspace.metrics.volume(view="cohort"))}
    assert_equal(filled(case.truth.implied), filled({stage: row["implied"] for stage, row in cohort.items()}))
    entered = {row["stage"]: row for row in rows_of(case.demo.workspace.metrics.volume())}
    again = Counter(case.truth.re_entries)
    again["Won"] += sum(max(0, sum(d.state == "won" for d in one.journey.held) - 1) for one in case.truth.journeys)
    assert_equal(filled(again), filled({stage: row["re_entries"] for stage, row in entered.items()}))
    assert sum(row["regressions"] for row in entered.values()) == case.truth.regressions
    assert sum(row["requalifications"] for row in entered.values()) == case.truth.requalifications


def test_outcomes_and_status_conflicts(case: Case) -> None:
    assert Counter(row["outcome"] for row in case.tables["journeys"]) == case.truth.outcomes
    assert sum(row["status_conflicts"] for row in case.tables["journeys"]) == case.truth.conflicts


# --- deals


def test_deals(case: Case) -> None:
    deals = case.tables["deals"]
    found = Counter(row["state"] for row in deals)
    found.update({name: sum(bool(row[name]) for row in deals) for name in ("ever_won", "reopened")})
    found["all"] = len(deals)
    assert {name: found[name] for name in found} == {name: case.truth.deals[name] for name in found}
    pairs = case.opened.arrow(case.opened["opportunity_people"]).to_pylist()
    assert sum(not pair["held"] for pair in pairs) == case.truth.deals["attached"]


def test_open_pipeline(case: Case) -> None:
    deals = case.tables["deals"]
    assert case.opened.currency.code == "USD"
    assert sum(row["amount"] or 0 for row in deals if row["state"] == "open") == case.truth.open_pipeline
    found = rows_of(case.demo.workspace.metrics.volume(view="standing", unit="opportunities"))
    [standing_there] = [row for row in found if row["stage"] == "SQL"]
    assert (standing_there["count"], standing_there["amount"]) == (case.truth.deals["open"], case.truth.open_pipeline)


# --- conversion


def classes(row: Row) -> Conversion:
    return Conversion(**{name: row[name] for name in Conversion.__dataclass_fields__})


def from_some(found: dict[str | None, Conversion]) -> dict[str | None, Conversion]:
    """Only values that some unit has."""
    return {key: value for key, value in found.items() if value != Conversion()}


@pytest.mark.parametrize("window", WINDOWS)
def test_conversion_in_total(case: Case, window: int) -> None:
    found = rows_of(case.demo.workspace.metrics.conversion(window_days=window))
    theirs = {(row["from_stage"], row["to_stage"]): classes(row) for row in found}
    mine = {step: case.truth.conversion(*step, window)[None] for step in STEPS}
    assert_equal(mine, theirs)
    [whole] = rows_of(case.demo.workspace.metrics.conversion(window_days=window, from_stage="Inquiry", to_stage="Won"))
    assert classes(whole) == case.truth.conversion("Inquiry", "Won", window)[None]


@pytest.mark.parametrize("by", DIMENSIONS)
def test_conversion_by_dimension(case: Case, by: By) -> None:
    seen, window, name = case.truth, 90, DIMENSIONS[by]
    found = rows_of(case.demo.workspace.metrics.conversion(window_days=window, by=[name]))
    for step in STEPS:
        rows = [row for row in found if (row["from_stage"], row["to_stage"]) == step]
        assert_equal(from_some(seen.conversion(*step, window, by)), {row[name]: classes(row) for row in rows})


def test_conversion_by_month(case: Case) -> None:
    found = rows_of(case.demo.workspace.metrics.conversion(window_days=60, grain="month"))
    for step in STEPS:
        rows = [row for row in found if (row["from_stage"], row["to_stage"]) == step]
        mine = from_some(case.truth.conversion(*step, 60, "month"))
        assert_equal(mine, {row["period"]: classes(row) for row in rows})


# --- velocity


def spells(case: Case) -> Iterable[Row]:
    """Sum of visits per journey and stage, with the campaign type of the journey."""
    asked = ask(case.opened, Query(unit="journeys"))
    return case.opened.arrow(standing.summed(asked, standing.measured(asked))).to_pylist()


def test_every_length_and_cause(case: Case) -> None:
    found: dict[int, list[tuple[int, str]]] = {stage: [] for stage in range(WON)}
    for row in spells(case):
        found[row["stage_no"]].append((row["seconds"], row["cause"]))
    for number, stage in enumerate(STAGES[:-1]):
        mine = case.truth.velocity(stage)
        expected = [
            (seconds, CAUSES[cause]) for seconds, cause in zip(mine.seconds.tolist(), mine.cause.tolist(), strict=True)
        ]
        assert Counter(expected) == Counter(found[number]), stage


def quantiles(seconds: list[int], closed: list[bool]) -> dict[float, int | None]:
    """Product-limit times in 50 digits: the first length after which less than a share still waits.

    A share met exactly would be a flat stretch, whose middle counts; so many lengths meet none.
    """
    wanted: dict[float, int | None] = dict.fromkeys((0.5, 0.25, 0.1))
    with localcontext(prec=50):
        waiting, at_risk = Decimal(1), len(seconds)
        for length, group in itertools.groupby(sorted(zip(seconds, closed, strict=True)), key=lambda one: one[0]):
            ends = [left for _, left in group]
            waiting *= 1 - Decimal(sum(ends)) / at_risk
            at_risk -= len(ends)
            for share, known in wanted.items():
                if known is None and waiting < Decimal(str(share)):
                    wanted[share] = length
    return wanted


def test_velocity_figures(case: Case) -> None:
    found = {row["stage"]: row for row in rows_of(case.demo.workspace.metrics.velocity())}
    for stage in STAGES[:-1]:
        mine, row = case.truth.velocity(stage), found[stage]
        closed = (mine.cause != CENSORED).tolist()
        assert (row["n"], row["open"]) == (len(closed), closed.count(False))
        assert row["excluded"] == mine.excluded
        expected = quantiles(mine.seconds.tolist(), closed)
        times = {0.5: row["median_days"], 0.25: row["p75_days"], 0.1: row["p90_days"]}
        assert times == {share: None if length is None else length / DAY for share, length in expected.items()}


@pytest.mark.parametrize(("first", "last"), RANGES)
def test_waiting(case: Case, first: dt.date, last: dt.date) -> None:
    end = last + dt.timedelta(days=1)
    mine = case.truth.waited(first, last)
    asked = ask(case.opened, Query(unit="journeys", start=first, end=end))
    visits = standing.measured(asked)
    within = waiting.overlap(asked, visits, standing.CALENDAR)
    sums = case.opened.arrow(within.group_by("stage_no").aggregate(seconds=within.within_s.sum())).to_pylist()
    theirs = {STAGES[row["stage_no"]]: row["seconds"] for row in sums if row["stage_no"] != INQUIRY}
    assert_equal(filled(mine), filled(theirs))
    found = rows_of(case.demo.workspace.metrics.velocity(start=first, end=end))
    shares = {row["stage"]: row["waiting_share"] for row in found if row["stage"] != "Inquiry"}
    assert shares == {stage: seconds / sum(mine.values()) for stage, seconds in mine.items()}


# --- influence


def state_amounts(row: Row) -> dict[str, int]:
    return {state: row[f"{state}_amount"] for state in ("won", "open", "lost")}


@pytest.mark.parametrize("model", MODELS)
def test_influence(case: Case, model: str) -> None:
    result, mine = case.demo.workspace.metrics.influence(models=[model]), case.truth.influence
    credited: Counter[tuple[str, str]] = Counter()
    missed: Counter[tuple[str, str]] = Counter()
    for row in rows_of(result):
        for state, amount in state_amounts(row).items():
            if row["bucket"] == "campaign":
                credited[row["campaign_id"], state] += amount
            else:
                missed[row["reason"], state] += amount
    assert_equal(
        filled({key[1:]: amount for key, amount in mine.credited.items() if key[0] == model}), filled(credited)
    )
    assert_equal(filled(mine.unattributed), filled(missed))
    [total] = result.totals
    assert {state: total[f"{state}_total_amount"] for state in mine.total} == dict(mine.total)
    assert total["total_amount"] == total["credited_amount"] + total["unattributed_amount"] == mine.total.total()
    assert total["outside"] == {"no_amount": mine.no_amount.total(), "no_rate": 0}


def test_every_touch_of_every_deal(case: Case) -> None:
    asked = ask(case.opened, Query(unit="opportunities"))
    deals = case.opened["deals"]
    valued = deals.filter(deals.amount_state == "known")
    found = case.opened.arrow(touches.touches(asked, valued, "role", 365).order_by("s", "response_id")).to_pylist()
    theirs: dict[str, list[str]] = {row["opportunity_id"]: [] for row in found}
    for row in found:
        theirs[row["opportunity_id"]].append(row["response_id"])
    assert_equal({deal: list(own) for deal, own in case.truth.influence.touches.items() if own}, theirs)


def test_campaigns_touch_as_many_deals(case: Case) -> None:
    found = rows_of(case.demo.workspace.metrics.influence(models=["even"]))
    theirs = {row["campaign_id"]: row["opportunities"] for row in found if row["bucket"] == "campaign"}
    assert_equal(case.truth.influence.touched, theirs)


# --- what was planted shows in the numbers


def stages_of(transition: object) -> tuple[str, str]:
    """From where to where."""
    assert isinstance(transition, tuple)
    return transition


def test_the_slow_channel_shows(case: Case) -> None:
    """SAL to SQL takes about three times as long where an Event tipped the journey."""
    planted = case.truth.planted
    found = rows_of(case.demo.workspace.metrics.velocity(by=["campaign_type"]))
    slow_stage = stages_of(planted["slow_transition"])[0]
    days = {
        row["campaign_type"]: row["advance_median_days"]
        for row in found
        if row["stage"] == slow_stage and row["n"] >= 50 and row["campaign_type"] != "no response"
    }
    slow = days.pop(str(planted["slow_campaign_type"]))
    assert len(days) >= 3
    assert slow > 1.5 * max(days.values())


def test_the_stuck_campaign_shows(case: Case) -> None:
    """Hardly anybody whom it tipped moves on from SAL; far more of them than elsewhere have stood too long."""
    planted, metrics = case.truth.planted, case.demo.workspace.metrics
    found = [row for row in rows_of(metrics.velocity(by=["campaign_id"])) if row["stage"] == planted["stuck_stage"]]
    [stuck] = [row for row in found if row["campaign_id"] == planted["stuck_campaign"]]
    [whole] = [row for row in rows_of(metrics.velocity()) if row["stage"] == planted["stuck_stage"]]
    assert stuck["n"] > 5
    # Where nobody at all has left there is no share to estimate.
    assert (stuck["advance_share"] or 0.0) < whole["advance_share"] / 5
    assert stuck["stuck"] / stuck["n"] > 3 * whole["stuck"] / whole["n"]


def test_the_purchased_list_shows(case: Case) -> None:
    """It is accepted about a third as often; its interval lies below that of the rest."""
    planted, metrics = case.truth.planted, case.demo.workspace.metrics
    first, second = stages_of(planted["poor_transition"])
    conversion = partial(metrics.conversion, from_stage=first, to_stage=second, window_days=60)
    [poor] = rows_of(conversion(where={"lead_source": str(planted["poor_lead_source"])}))
    [whole] = rows_of(conversion())
    assert not poor["small"]
    assert poor["rate"] < whole["rate"] / 2
    assert poor["rate_high"] < whole["rate_low"]
