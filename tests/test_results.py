"""The JSON contract and the frames a result turns into."""

import builtins
import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pytest

from leadline import results
from leadline.errors import DependencyError, LeadlineError
from leadline.results import Column, ColumnType, Definition
from tests import sample_results as sample

CONTRACT = [
    "kind",
    "title",
    "definition",
    "as_of",
    "known_at",
    "snapshot",
    "timezone",
    "currency",
    "unit",
    "filters",
    "columns",
    "rows",
    "totals",
    "trust",
    "lineage",
    "notes",
]


@pytest.fixture
def every_type():
    types: tuple[ColumnType, ...] = ("text", "integer", "number", "rate", "money", "date", "instant", "boolean")
    moment = dt.datetime(2026, 3, 1, 12, 30, 0, 250_000)
    rows = [
        ("a", 3, 1.5, 0.25, 4_100_000, dt.date(2026, 3, 1), moment, True),
        ("b", -1, float("nan"), float("inf"), -5, dt.date(1999, 12, 31), dt.datetime(2026, 3, 1), False),
        (None,) * 8,
    ]
    return sample.make("volume", "Every type", {f"a_{name}": name for name in types}, rows)


def test_keys_and_their_order():
    data = json.loads(sample.influence().to_json())
    assert list(data) == CONTRACT
    assert list(data["columns"][0]) == ["name", "type", "unit", "help"]
    assert list(data["definition"]) == ["text", "version"]
    assert list(data["trust"]) == ["grade", "clean_share", "evidence", "findings"]
    assert list(data["lineage"][0]) == ["step", "rows_in", "rows_out", "why"]
    assert list(data["rows"][0]) == [column["name"] for column in data["columns"]]


def test_values_of_every_type(every_type):
    first, second, third = json.loads(every_type.to_json())["rows"]
    assert list(first.values()) == ["a", 3, 1.5, 0.25, "41000.00", "2026-03-01", "2026-03-01T12:30:00.250000Z", True]
    assert list(second.values()) == ["b", -1, None, None, "-0.05", "1999-12-31", "2026-03-01T00:00:00Z", False]
    assert set(third.values()) == {None}


def test_moments_end_in_z():
    data = sample.funnel().to_dict()
    assert (data["as_of"], data["known_at"]) == ("2026-10-31T22:59:59.999999Z", "2026-11-01T04:00:00Z")


@pytest.mark.parametrize(("currency", "digits", "text"), [("JPY", 0, "4100000"), ("KWD", 3, "4100.000")])
def test_money_follows_the_currency(every_type, currency, digits, text):
    result = replace(every_type, currency=currency, currency_digits=digits)
    assert result.to_dict()["rows"][0]["a_money"] == text


def test_a_column_may_have_its_own_currency(every_type):
    columns = tuple(replace(column, unit="JPY") if column.type == "money" else column for column in every_type.columns)
    assert replace(every_type, columns=columns).to_dict()["rows"][0]["a_money"] == "4100000"


def test_totals_hold_money_as_text_and_counts_as_numbers():
    total = sample.influence().to_dict()["totals"][0]
    assert total["total_amount"] == "6067356.39"
    assert total["unattributed"] == {"no person in scope": "1204001.00", "no response in window": "631800.33"}
    assert total["outside"] == {"no_amount": 7, "no_rate": 0}


def test_filters_become_plain():
    filters = {
        "from": dt.date(2026, 1, 1),
        "by": ("a", "b"),
        "where": {"type": {"y", "x"}},
        "at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    }
    result = replace(sample.funnel(), filters=filters)
    assert result.to_dict()["filters"] == {
        "from": "2026-01-01",
        "by": ["a", "b"],
        "where": {"type": ["x", "y"]},
        "at": "2026-01-01T00:00:00Z",
    }


def test_identical_results_give_identical_bytes():
    assert sample.volume().to_json() == sample.volume().to_json()


def test_typed_table(every_type):
    typed = every_type.typed()
    assert typed.schema.field("a_money").type.scale == 2
    assert typed.column("a_money").to_pylist()[0] == Decimal("41000.00")
    assert typed.schema.field("a_instant").type == pa.timestamp("us", tz="UTC")
    assert typed.column("a_number").null_count == 2


def test_frames(every_type):
    pandas, polars = every_type.to_pandas(), every_type.to_polars()
    assert pandas["a_money"][0] == polars["a_money"][0] == Decimal("41000.00")
    assert list(pandas.columns) == polars.columns == [column.name for column in every_type.columns]
    assert len(pandas) == len(polars) == 3


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_a_missing_package_is_named(monkeypatch, package):
    real = builtins.__import__
    import importlib

    def refuse(name, *more):
        if name == package:
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(DependencyError, match=f"pip install {package}"):
        getattr(sample.funnel(), f"to_{package}")()


def test_records_and_sql():
    behind = sample.velocity()
    result = replace(sample.funnel(), list_records=lambda: behind, query="select 1")
    assert result.records() is behind
    assert result.sql() == "select 1"
    with pytest.raises(LeadlineError, match="no list behind it"):
        sample.funnel().records()


def test_charts_announce_themselves(monkeypatch):
    monkeypatch.setattr(results, "_drawing", [])
    with pytest.raises(LeadlineError, match=r"import leadline\.charts"):
        sample.funnel().chart()
    results.draw_with(lambda result, name: "an older one")
    results.draw_with(lambda result, name: (result.kind, name))
    assert sample.funnel().chart() == ("volume", None)
    assert sample.velocity().chart("waiting") == ("velocity", "waiting")


def test_column_order_is_that_of_the_description():
    result = sample.funnel()
    swapped = replace(result, columns=result.columns[::-1], definition=Definition("x", "2"))
    assert next(iter(swapped.to_dict()["rows"][0])) == "attainment"
    assert Column("a", "text").help == ""
