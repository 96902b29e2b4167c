"""Columns end in their kind, so that a reader knows what a number is before asking."""

from __future__ import annotations

import datetime as dt
from importlib import import_module

import ibis
import ibis.expr.datatypes as kinds
import pytest

from leadline import config
from leadline.matching import run
from leadline.model import build, catalogue
from leadline.model.source import Source
from leadline.model.store import Store
from leadline.results import Column
from tools.manual import FUNNEL

# Whole numbers of a model table: second, day number, position in an order, how many, minor units.
ENDINGS = ("_s", "_day", "_no", "_count", "_amount", "_cost")
WHOLE = {
    "s": "the second of a moment without a name of its own",
    "day": "its day",
    "amount": "minor units",
    "cost": "minor units",
    "records": "how many records a person has",
    "visits": "how many visits",
    "share_parts": "millionths of an amount",
    "score_parts": "millionths",
    "probability_parts": "millionths",
    "status_conflicts": "how many conflicts",
}


@pytest.fixture(scope="module")
def tables() -> dict[str, ibis.Schema]:
    """Columns of every table of a snapshot, as an empty build makes them."""
    store = Store(ibis.duckdb.connect())
    source, settings = Source({}), config.parse(FUNNEL)
    build.build(source, settings, dt.datetime(2024, 1, 1, tzinfo=dt.UTC), store)
    run.run(store, source, settings.matching)
    return {info.name: store[info.name].schema() for info in catalogue.PUBLISHED}


def test_numbers_of_the_model_end_in_their_kind(tables: dict[str, ibis.Schema]):
    unnamed = [
        f"{table}.{name}"
        for table, schema in tables.items()
        for name, kind in schema.items()
        if kind.is_integer() and not name.endswith(ENDINGS) and name not in WHOLE
    ]
    assert not unnamed


def test_endings_mean_what_they_say(tables: dict[str, ibis.Schema]):
    wrong = [
        f"{table}.{name}: {kind}"
        for table, schema in tables.items()
        for name, kind in schema.items()
        if (name.endswith(("_s", "_day", "_no", "_count")) and not isinstance(kind, kinds.Int64))
        or (name.endswith("_id") and not kind.is_string())
        or (name.endswith("_is_date") and not kind.is_boolean())
    ]
    assert not wrong


def test_money_of_the_model_is_never_a_float(tables: dict[str, ibis.Schema]):
    floats = [
        f"{table}.{name}" for table, schema in tables.items() for name, kind in schema.items() if kind.is_floating()
    ]
    assert not floats


def test_keys_are_columns(tables: dict[str, ibis.Schema]):
    missing = [(info.name, key) for info in catalogue.PUBLISHED for key in info.key if key not in tables[info.name]]
    assert not missing


METRICS = ("volume", "conversion", "velocity", "influence")
KINDS = {"_days": {"number", "integer"}, "_share": {"rate"}, "_amount": {"money"}, "_on": {"date"}, "_at": {"instant"}}


@pytest.mark.parametrize("metric", METRICS)
def test_columns_of_results_end_in_their_kind(metric: str):
    columns: tuple[Column, ...] = import_module(f"leadline.metrics.{metric}").COLUMNS
    wrong = [
        f"{column.name} is {column.type}"
        for column in columns
        for ending, allowed in KINDS.items()
        if column.name.endswith(ending) and column.type not in allowed
    ]
    assert not wrong
