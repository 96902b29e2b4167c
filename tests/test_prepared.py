"""What a snapshot keeps ready of journeys changes no number: with it, without it, and without numbers at all."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from leadline.metrics.conversion import conversion
from leadline.metrics.query import Query
from leadline.metrics.rates.problems import problems
from leadline.metrics.units import NUMBER
from leadline.metrics.velocity import velocity
from leadline.metrics.volume import volume
from leadline.model.opened import JOURNEY_DIMENSIONS, JOURNEY_FINDINGS, JOURNEY_TIMES, Opened
from leadline.results import Result
from tests.demo_workspace import imported

READY = (JOURNEY_DIMENSIONS, JOURNEY_FINDINGS, JOURNEY_TIMES)

QUESTIONS: dict[str, Callable[[Opened], Result]] = {
    "volume by two": lambda opened: volume(opened, Query(by=("campaign_type", "lead_source"), grain="quarter")),
    "volume where": lambda opened: volume(opened, Query(where={"campaign_type": "Webinar"}, grain="month")),
    "volume without a value": lambda opened: volume(opened, Query(by=("industry",), where={"lead_source": ""})),
    "volume of people": lambda opened: volume(opened, Query(unit="people", by=("pass",))),
    "volume touched": lambda opened: volume(opened, Query(unit="people", by=("campaign",), touched=True)),
    "conversion": lambda opened: conversion(opened, Query(by=("campaign",))),
    "problems": lambda opened: problems(opened, Query()),
    "velocity": lambda opened: velocity(opened, Query(by=("campaign_type",), grain="quarter")),
    "velocity of some stages": lambda opened: velocity(opened, Query(by=("written_by",)), from_stage="MQL"),
    "stuck": lambda opened: velocity(opened, Query(), stuck=True),
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return imported(tmp_path_factory.mktemp("prepared"), people=1_500, seed=3).open()


def without(opened: Opened, *, numbers: bool) -> Opened:
    """The same snapshot with nothing ready; without numbers as an earlier version published it."""
    tables = {name: table for name, table in opened.tables.items() if name not in READY}
    if not numbers:
        tables = {name: table.drop(NUMBER) if NUMBER in table.columns else table for name, table in tables.items()}
    return replace(opened, tables=tables)


def test_a_snapshot_keeps_it_ready(opened: Opened):
    journeys = opened.arrow(opened["journeys"].select(NUMBER, "journey_id")).to_pydict()
    assert set(READY) <= set(opened.tables)
    assert len(set(journeys[NUMBER])) == len(set(journeys["journey_id"])) == len(journeys[NUMBER])
    assert sorted(opened.arrow(opened[JOURNEY_DIMENSIONS].select(NUMBER))[NUMBER].to_pylist()) == sorted(
        journeys[NUMBER]
    )


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_answer_is_that_of_a_snapshot_with_nothing_ready(opened: Opened, name: str):
    ask = QUESTIONS[name]
    ready = ask(opened)
    assert ready.table.num_rows
    for numbers in (True, False):
        other = ask(without(opened, numbers=numbers))
        assert ready.table.equals(other.table)
        assert ready.totals == other.totals
        assert ready.trust == other.trust
        assert ready.records().table.equals(other.records().table)
