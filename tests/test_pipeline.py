"""Pipeline: standing amounts at any instant, and movements that add up between any two."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections import Counter, defaultdict
from typing import Any

import pytest

from leadline.errors import UnknownNameError, UsageError
from leadline.metrics import pipeline as pipelines
from leadline.metrics.counts import compare, fates, newness
from leadline.metrics.counts.movements import OVERALL
from leadline.metrics.pipeline import pipeline
from leadline.metrics.query import Query
from leadline.model.opened import Opened
from leadline.results import Column, Result
from tests.agreement import engine
from tests.contracts.code import ROOT
from tests.oracle.batch import random_batch
from tests.oracle.records import Org
from tests.pipeline_org import Pipeline
from tests.scale import costly

MARCH = Query(start=dt.date(2024, 3, 1), end=dt.date(2024, 4, 1))
MAY, JULY = "2024-05-15", "2024-07-20"
CHANGES = ("new", "reopened", "amount_changed", "revalued", "advanced", "regressed", "moved", "won", "lost")
BATCHES = list(range(50, 50 + costly(20)))
ORGS = 8
"""Orgs in a batch: fewer than the oracle compares, because each is asked many questions."""


def movements(opened: Opened, query: Query = MARCH) -> dict[str, tuple[int, int, int]]:
    """movement → opportunities, count, amount in minor units."""
    rows = pipeline(opened, query, view="movements").table.to_pylist()
    return {row["movement"]: (row["opportunities"], row["count"], row["amount"] or 0) for row in rows}


def by_stage(opened: Opened, query: Query = MARCH) -> dict[tuple[str | None, str], tuple[int, int]]:
    """(stage, movement) → count, amount."""
    asked = Query(by=("stage",), start=query.start, end=query.end)
    rows = pipeline(opened, asked, view="movements").table.to_pylist()
    return {(row["stage"], row["movement"]): (row["count"], row["amount"] or 0) for row in rows}


def spring() -> Pipeline:
    """One opportunity per thing that can happen in March 2024."""
    org = Pipeline()
    before = "2024-01-10T10:00"
    org.deal("stays", before, (before, "Discovery", "100", MAY))
    org.deal("advances", before, (before, "Discovery", "200", MAY), ("2024-03-05T10:00", "Negotiation", "200", MAY))
    org.deal("regresses", before, (before, "Negotiation", "300", MAY), ("2024-03-06T10:00", "Proposal", "300", MAY))
    org.deal("grows", before, (before, "Discovery", "400", MAY), ("2024-03-07T10:00", "Discovery", "450.55", MAY))
    org.deal("pushed", before, (before, "Proposal", "500", MAY), ("2024-03-08T10:00", "Proposal", "500", JULY))
    org.deal("pulled", before, (before, "Proposal", "600", JULY), ("2024-03-09T10:00", "Proposal", "600", MAY))
    org.deal(
        "same month", before, (before, "Proposal", "50", MAY), ("2024-03-09T11:00", "Proposal", "50", "2024-05-31")
    )
    org.deal(
        "wins",
        before,
        (before, "Discovery", "700", MAY),
        ("2024-03-10T10:00", "Negotiation", "800", MAY),
        ("2024-03-20T10:00", "Closed Won", "850", "2024-03-20"),
    )
    org.deal("loses", before, (before, "Proposal", "900", MAY), ("2024-03-11T10:00", "Closed Lost", "900", MAY))
    org.deal("new", "2024-03-12T10:00", ("2024-03-12T10:00", "Discovery", "1000", MAY))
    org.deal(
        "passes through",
        "2024-03-13T10:00",
        ("2024-03-13T10:00", "Discovery", "1100", MAY),
        ("2024-03-25T10:00", "Closed Won", "1200", "2024-03-25"),
    )
    org.deal(
        "reopens",
        before,
        (before, "Proposal", "1300", MAY),
        ("2024-02-01T10:00", "Closed Lost", "1300", MAY),
        ("2024-03-14T10:00", "Proposal", "1300", MAY),
    )
    org.deal("lost to won", before, (before, "Closed Lost", "7", MAY), ("2024-03-15T10:00", "Closed Won", "7", MAY))
    org.deal("later", "2024-04-01T00:00", ("2024-04-01T00:00", "Discovery", "9000", MAY))
    org.deal("without amount", "2024-03-16T10:00", ("2024-03-16T10:00", "Discovery", None, MAY))
    return org


def test_each_movement_worked_on_paper() -> None:
    assert movements(spring().opened()) == {
        # stays 100, advances 200, regresses 300, grows 400, 500 + 600 + 50, wins 700, loses 900
        "start": (9, 9, 3750_00),
        # new 1000, passes through at 1200, without amount
        "new": (3, 3, 2200_00),
        "reopened": (1, 1, 1300_00),
        # grows by 50.55, wins from 700 to 850
        "amount_changed": (2, 0, 200_55),
        # advances; wins went from Discovery to Negotiation first
        "advanced": (2, 0, 0),
        "regressed": (1, 0, 0),
        "won": (2, -2, -2050_00),
        "lost": (1, -1, -900_00),
        "end": (10, 10, 4500_55),
        "pushed": (1, 0, 0),
        "pulled": (1, 0, 0),
    }


def test_each_movement_of_each_stage_worked_on_paper() -> None:
    assert by_stage(spring().opened()) == {
        ("Discovery", "start"): (4, 1400_00),
        ("Discovery", "new"): (3, 2200_00),
        ("Discovery", "amount_changed"): (0, 200_55),
        ("Discovery", "advanced_out"): (-2, -1050_00),
        ("Discovery", "won"): (-1, -1200_00),
        ("Discovery", "end"): (4, 1550_55),
        ("Proposal", "start"): (4, 2050_00),
        ("Proposal", "reopened"): (1, 1300_00),
        ("Proposal", "regressed_in"): (1, 300_00),
        ("Proposal", "lost"): (-1, -900_00),
        ("Proposal", "end"): (5, 2750_00),
        ("Proposal", "pushed"): (0, 0),
        ("Proposal", "pulled"): (0, 0),
        ("Negotiation", "start"): (1, 300_00),
        ("Negotiation", "advanced_in"): (2, 1050_00),
        ("Negotiation", "regressed_out"): (-1, -300_00),
        ("Negotiation", "won"): (-1, -850_00),
        ("Negotiation", "end"): (1, 200_00),
    }


def test_standing_is_read_at_the_instant() -> None:
    opened = spring().opened()
    asked = Query(start=dt.date(2024, 2, 1), end=dt.date(2024, 4, 1), grain="month")
    rows = pipeline(opened, asked).table.to_pylist()
    assert {(row["period"], row["stage"]): (row["count"], row["amount"], row["without_amount"]) for row in rows} == {
        ("2024-02", "Discovery"): (4, 1400_00, 0),
        ("2024-02", "Proposal"): (4, 2050_00, 0),
        ("2024-02", "Negotiation"): (1, 300_00, 0),
        ("2024-03", "Discovery"): (4, 1550_55, 1),
        ("2024-03", "Proposal"): (5, 2750_00, 0),
        ("2024-03", "Negotiation"): (1, 200_00, 0),
    }


def test_the_close_date_decides_what_is_pushed_by_the_period_asked_for() -> None:
    opened = spring().opened()
    quarter = movements(opened, Query(start=dt.date(2024, 1, 15), end=dt.date(2024, 4, 1), grain="quarter"))
    assert (quarter["pushed"][0], quarter["pulled"][0]) == (1, 1)  # May → July is a later quarter
    year = movements(opened, Query(start=dt.date(2024, 1, 15), end=dt.date(2024, 4, 1), grain="year"))
    assert not {"pushed", "pulled"} & year.keys()


def test_an_amount_in_another_currency_is_converted_at_the_close_date_in_force_and_revalued_when_it_moves() -> None:
    org = Pipeline()
    for code, rate, corporate in (("USD", "1", True), ("EUR", "0.5", False)):
        values = {"IsoCode": code, "ConversionRate": rate, "DecimalPlaces": 2, "IsCorporate": corporate}
        org.tiny.add("CurrencyType", f"c{code}", **values)
    for record, start, rate in (("d1", dt.date(2024, 1, 1), "0.5"), ("d2", dt.date(2024, 7, 1), "0.8")):
        values = {"IsoCode": "EUR", "StartDate": start, "ConversionRate": rate}
        org.tiny.add("DatedConversionRate", record, **values)
    first, moved = ("2024-01-10T10:00", "Discovery", "100", MAY), ("2024-03-08T10:00", "Discovery", "100", JULY)
    org.deal("euro", "2024-01-10T10:00", first, moved, CurrencyIsoCode="EUR")
    assert movements(org.opened()) == {
        "start": (1, 1, 200_00),
        "revalued": (1, 0, -75_00),
        "end": (1, 1, 125_00),
        "pushed": (1, 0, 0),
    }


def test_an_amount_that_becomes_known_is_a_changed_amount() -> None:
    org = Pipeline()
    before = "2024-01-10T10:00"
    org.deal("blank", before, (before, "Discovery", None, MAY), ("2024-03-05T10:00", "Discovery", "40", MAY))
    assert movements(org.opened()) == {"start": (1, 1, 0), "amount_changed": (1, 0, 40_00), "end": (1, 1, 40_00)}


def test_without_history_openings_and_closes_move_the_pipeline_and_the_stage_before_a_close_is_unknown() -> None:
    org = Pipeline()
    org.record("open", "2024-01-10T10:00", "Proposal", "100", MAY)
    org.record("won", "2024-01-10T10:00", "Closed Won", "200", "2024-03-20")
    opened = org.opened()
    assert by_stage(opened) == {
        ("Proposal", "start"): (1, 100_00),
        ("Proposal", "end"): (1, 100_00),
        (None, "start"): (1, 200_00),
        (None, "won"): (-1, -200_00),
    }
    notes = pipeline(opened, Query()).notes
    assert any("no history of stages" in note for note in notes)


def test_order_comes_from_the_list_then_the_funnel_then_the_platform() -> None:
    step = "2024-03-05T10:00"
    unlisted = Pipeline(listed=False)
    before = "2024-01-10T10:00"
    unlisted.deal("up", before, (before, "Prospecting", "1", MAY), (step, "Negotiation/Review", "1", MAY))
    unlisted.deal("own", before, (before, "Prospecting", "1", MAY), (step, "Our stage", "1", MAY))
    found = movements(unlisted.opened())
    assert (found["advanced"][0], found["moved"][0]) == (1, 1)


def test_the_list_behind_each_cell_adds_up_to_it() -> None:
    opened = spring().opened()
    for query in (MARCH, Query(by=("stage",), start=MARCH.start, end=MARCH.end)):
        result = pipeline(opened, query, view="movements")
        assert cells(result.records()) == cells(result)
    standing = pipeline(opened, Query(grain="month", start=dt.date(2024, 1, 1)))
    assert cells(standing.records()) == cells(standing)


def cells(result: Result) -> dict[tuple, tuple[int, int, int]]:
    """(period, stage, movement) → opportunities, count, amount: of a table, or added up from a list."""
    sums: dict[tuple, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in result.table.to_pylist():
        own = sums[row["period"], row["stage"], row["movement"]]
        own[0] += row.get("opportunities", 1)
        own[1] += row["count"]
        own[2] += row["amount"] or 0
    return {key: (one[0], one[1], one[2]) for key, one in sums.items()}


@pytest.mark.parametrize("seed", BATCHES)
def test_movements_add_up_between_random_instants_of_random_orgs(seed: int) -> None:
    org, settings, as_of = random_batch(random.Random(seed), ORGS)
    opened, rng = engine.built(org, settings, as_of), random.Random(seed)
    for _ in range(3):
        start = as_of.date() - dt.timedelta(days=rng.randrange(30, 700))
        end = start + dt.timedelta(days=rng.randrange(1, 400))
        grain = rng.choice([None, "month", "quarter"])
        whole = pipeline(opened, Query(start=start, end=end, grain=grain), view="movements")
        stages = pipeline(opened, Query(by=("stage",), start=start, end=end, grain=grain), view="movements")
        check_identity(whole)
        check_identity(stages)
        check_chain(whole)
        assert inside(whole) == inside(stages), (seed, start, end, grain)
        assert cells(stages.records()) == cells(stages)
        last = pipeline(opened, Query(start=start, end=end, grain=grain))
        assert ends(stages) == ends(last)


def check_identity(result: Result) -> None:
    """start + movements = end in each period and stage, in count and minor units."""
    sums: dict[tuple, Counter[str]] = defaultdict(Counter)
    for row in result.table.to_pylist():
        own = sums[row["period"], row["stage"]]
        sign = -1 if row["movement"] == "end" else 1
        own["count"] += sign * row["count"]
        own["amount"] += sign * (row["amount"] or 0)
    assert all(not own["count"] and not own["amount"] for own in sums.values()), sums


def check_chain(result: Result) -> None:
    """One period ends where the next begins."""
    found: dict[str, dict[str, tuple]] = defaultdict(dict)
    for row in result.table.to_pylist():
        found[row["period"]][row["movement"]] = (row["count"], row["amount"] or 0)
    periods = sorted(found)
    for one, two in itertools.pairwise(periods):
        if "end" in found[one] or "start" in found[two]:
            assert found[one].get("end", (0, 0)) == found[two].get("start", (0, 0)), (one, two)


def inside(result: Result) -> list[dict[str, Any]]:
    """Totals over stages."""
    return [dict(total) for total in result.totals]


def ends(result: Result) -> dict[tuple, tuple[int, int]]:
    """(period, stage) → count and amount at the end of the period."""
    return {
        (row["period"], row["stage"]): (row["count"], row["amount"] or 0)
        for row in result.table.to_pylist()
        if row["movement"] in ("end", "standing")
    }


def answers(opened: Opened, start: dt.date, end: dt.date) -> list[dict[str, Any]]:
    """All movements by stage and owner of one range."""
    query = Query(by=("stage", "opportunity_type"), start=start, end=end)
    return pipeline(opened, query, view="movements").table.to_pylist()


@pytest.mark.parametrize("seed", BATCHES[: max(1, len(BATCHES) // 3)])
def test_parts_add_up_order_of_rows_is_irrelevant_and_weeks_shift_the_answer(seed: int) -> None:
    org, settings, as_of = random_batch(random.Random(seed), ORGS)
    start, end = as_of.date() - dt.timedelta(days=200), as_of.date() - dt.timedelta(days=20)
    opened = engine.built(org, settings, as_of)
    parts = answers(opened, start, end)
    stages = pipeline(opened, Query(by=("stage",), start=start, end=end), view="movements").table.to_pylist()
    sums: Counter[tuple] = Counter()
    for row in parts:
        sums[row["stage"], row["movement"], "count"] += row["count"]
        sums[row["stage"], row["movement"], "amount"] += row["amount"] or 0
    for row in stages:
        assert sums[row["stage"], row["movement"], "count"] == row["count"]
        assert sums[row["stage"], row["movement"], "amount"] == (row["amount"] or 0)
    assert answers(engine.built(shuffled(org, seed), settings, as_of), start, end) == parts


def shuffled(org: Org, seed: int) -> Org:
    """The same records in another order."""
    rng = random.Random(seed)
    return {name: rng.sample(rows, len(rows)) for name, rows in org.items()}


def test_all_times_shifted_by_whole_weeks_shift_the_answer() -> None:
    later = Pipeline()
    later.tiny.org = {name: [moved(row) for row in rows] for name, rows in spring().tiny.org.items()}
    shift = dt.timedelta(weeks=52)
    query = Query(start=dt.date(2024, 3, 1) + shift, end=dt.date(2024, 4, 1) + shift)
    plain, shifted = movements(spring().opened()), movements(later.opened("2025-12-30T12:00"), query)
    # Close dates lie in other months' weeks; what is pushed is told by the calendar.
    beside = ("pushed", "pulled")
    assert {key: one for key, one in shifted.items() if key not in beside} == {
        key: one for key, one in plain.items() if key not in beside
    }


def moved(row: dict[str, Any]) -> dict[str, Any]:
    """A record a year of weeks later."""
    shift = dt.timedelta(weeks=52)
    return {key: value + shift if isinstance(value, dt.date) else value for key, value in row.items()}


def test_records_after_as_of_change_nothing_earlier() -> None:
    org = spring()
    before = movements(org.opened())
    org.deal("next year", "2025-02-01T10:00", ("2025-02-01T10:00", "Discovery", "5000", MAY))
    assert movements(org.opened()) == before


def test_questions_without_sense_are_refused() -> None:
    opened = spring().opened()
    with pytest.raises(UsageError, match="first day"):
        pipeline(opened, Query(), view="movements")
    with pytest.raises(UsageError, match="holds opportunities"):
        pipeline(opened, Query(unit="people"))
    with pytest.raises(UnknownNameError, match="view"):
        pipeline(opened, Query(), view="flow")
    with pytest.raises(UsageError, match="--by stage"):
        pipeline(opened, Query(where={"stage": "Proposal"}))


@pytest.mark.parametrize(
    ("page", "columns"),
    [
        ("pipeline", pipelines.COLUMNS),
        ("volume", fates.COLUMNS),
        ("volume", newness.COLUMNS),
        ("volume", compare.COLUMNS),
    ],
)
def test_every_column_and_movement_is_in_the_manual(page: str, columns: tuple[Column, ...]) -> None:
    text = (ROOT / "docs" / "metrics" / f"{page}.md").read_text(encoding="utf-8")
    assert not [column.name for column in columns if f"`{column.name}`" not in text]
    if page == "pipeline":
        assert not [name for name in OVERALL if f"`{name}`" not in text]
