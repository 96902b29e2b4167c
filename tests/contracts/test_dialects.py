"""Every table of the model compiles for every engine it may run on, without a server.

A store that records instead of materialising walks the same build that makes a snapshot.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, cast

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pytest
from ibis.backends.duckdb import Backend as DuckDB
from ibis.config import Config

from leadline import schema
from leadline.config import parse
from leadline.matching import duplicates, leads, parties, run
from leadline.metrics.conversion import conversion
from leadline.metrics.influence import influence
from leadline.metrics.query import Query
from leadline.metrics.velocity import velocity
from leadline.metrics.volume import volume
from leadline.model import build, catalogue
from leadline.model.compiled import Compiler
from leadline.model.opened import Opened
from leadline.model.source import TYPES, Source
from leadline.model.store import Store
from leadline.results import Result

ENGINES = ("duckdb", "pyspark", "databricks", "postgres", "snowflake", "bigquery", "trino", "clickhouse")

SETTINGS = """
[workspace]
timezone = "Europe/Berlin"
currency = "EUR"
fiscal_year_start = 4

[responses]
responded = "statuses"
date_field = "Responded_At__c"
exclude_campaign_types = ["Internal"]
[responses.statuses]
"*" = ["Responded"]
Webinar = ["Attended"]

[generated_by]
Webinar = "marketing"

[dimensions.region]
object = "Account"
field = "BillingCountry"

[funnel.people]
stages = [
  { name = "Inquiry", from = [{ object = "CampaignMember", milestone = "response" }] },
  { name = "MQL", from = [
    { object = "Lead", field = "MQL_Date__c", stamp = true },
    { object = "Lead", field = "Status", values = ["MQL"] },
    { object = "Contact", field = "Stage__c", values = ["MQL"] },
  ] },
  { name = "SAL", from = [{ object = "Lead", milestone = "converted" }] },
  { name = "SQL", from = [{ object = "Opportunity", milestone = "created" }] },
  { name = "Proposal", from = [{ object = "Opportunity", field = "StageName", values = ["Proposal"] }] },
  { name = "Won", from = [{ object = "Opportunity", milestone = "won" }] },
]
[funnel.people.outcomes]
disqualified = [{ object = "Lead", field = "Status", values = ["Junk"] }]
recycled = [{ object = "Contact", field = "Stage__c", values = ["Nurture"] }]

[funnel.deals]
stages = [
  { name = "Open", from = [{ object = "Opportunity", milestone = "created" }] },
  { name = "Closed", from = [{ object = "Opportunity", milestone = "closed" }] },
]
"""
CUSTOM = {
    "Lead": {"MQL_Date__c": "string"},
    "Contact": {"Stage__c": "string"},
    "CampaignMember": {"Responded_At__c": "string"},
}
KNOWN_AT = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)


class SparkOptions(Config):
    """The one option that the compiler for Spark reads."""

    treat_nan_as_null: bool = False


class RecordingStore(Store):
    """Keeps the expressions it is given and computes nothing."""

    def __init__(self) -> None:
        super().__init__(cast(Any, None))  # no engine: every method that would use one stands below
        self.recorded: list[tuple[str, ir.Expr]] = []

    def _create(self, name: str, expression: ir.Table, *, temporary: bool) -> ir.Table:
        self.recorded.append((name, expression))
        return ibis.table(expression.schema(), name=name)

    def _insert(self, name: str, expression: ir.Table, *, temporary: bool) -> None:
        self.recorded.append((name, expression))

    def forget(self) -> None:
        self.steps.clear()

    def count(self, expression: ir.Table) -> int:
        """There are rows, so that every branch is walked; only a join that looks for faults finds none."""
        self.recorded.append(("count", expression.count()))
        return 0 if isinstance(expression.op(), ops.JoinChain) else 1

    def rows(self, expression: ir.Table) -> list[dict[str, Any]]:
        self.recorded.append(("rows", expression))
        return []


def whole_source() -> Source:
    """Every object and field of the schema, with versions, over no engine."""

    def table(name: str, extra: dict[str, str]) -> ir.Table:
        fields = {column: TYPES[kind] for column, kind in schema.OBJECTS[name].items()}
        own = {**fields, **CUSTOM.get(name, {}), schema.DATE_ONLY: "string", **extra}
        return ibis.table(own, name=name.lower() + ("_versions" if extra else ""))

    versions = {"_valid_from": "timestamp(6)", "_valid_to": "timestamp(6)"}
    return Source(
        {name: table(name, {}) for name in schema.OBJECTS},
        {name: table(name, versions) for name in schema.VERSIONED},
    )


@pytest.fixture(scope="module")
def expressions() -> list[tuple[str, ir.Expr]]:
    """All expressions of the model, in order of building."""
    store = RecordingStore()
    source, settings = whole_source(), parse(SETTINGS)
    build.build(source, settings, KNOWN_AT, store)
    parties.prepare(store, source, settings.matching)
    leads.match(store)
    duplicates.prepare(store, store.steps["lead_matches"])
    # The pairs themselves are compared by DuckDB alone, whatever engine holds the model.
    run.run(store, source, settings.matching.model_copy(update={"duplicates": False}))
    return store.recorded


def test_all_of_the_model_is_walked(expressions: list[tuple[str, ir.Expr]]):
    built = {name for name, _ in expressions}
    assert {table.name for table in catalogue.PUBLISHED} <= built


@pytest.fixture(autouse=True)
def _spark_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ibis sets Spark's options when Spark itself is imported, which this test does without."""
    monkeypatch.setattr(ibis.options, "pyspark", SparkOptions())


@pytest.mark.parametrize("engine", ENGINES)
def test_every_expression_compiles(expressions: list[tuple[str, ir.Expr]], engine: str):
    failed = []
    for name, expression in expressions:
        try:
            ibis.to_sql(expression, dialect=engine)
        except ibis.IbisError as error:
            failed.append(f"{name}: {error}")
    assert not failed, "\n".join(failed)


QUESTIONS: tuple[Callable[[Opened], Result], ...] = (
    lambda opened: volume(opened, Query(by=("campaign_type",), grain="month")),
    lambda opened: volume(opened, Query(unit="people"), view="cohort"),
    lambda opened: volume(opened, Query(unit="accounts", grain="quarter"), view="standing"),
    lambda opened: volume(opened, Query(unit="responses", where={"campaign_type": "Webinar"})),
    lambda opened: conversion(opened, Query(by=("campaign_type",), grain="month")),
    lambda opened: conversion(opened, Query(unit="opportunities", funnel="deals"), convention="period"),
    lambda opened: velocity(opened, Query(by=("campaign_type",), grain="quarter")),
    lambda opened: velocity(opened, Query(), stuck=True),
    lambda opened: influence(opened, Query(), models=["last"], scope="account", window="sourced", date="closed"),
)
NOT_RUN = [engine for engine in ENGINES if engine not in {"duckdb", "databricks"}]
"""The questions run on DuckDB in every other test, and Databricks is Spark's dialect."""


@pytest.fixture(scope="module")
def questions() -> list[ir.Expr]:
    """All expressions that the metrics ask, over a snapshot without rows."""
    store = Store(ibis.duckdb.connect())
    built = build.build(Source({}), parse(SETTINGS), KNOWN_AT, store)
    opened = Opened(
        store.backend,
        store.tables,
        parse(SETTINGS),
        built.zone,
        built.currency,
        built.as_of,
        KNOWN_AT,
        KNOWN_AT,
        "-",
        {},
        {},
    )
    asked: list[ir.Expr] = []
    answer = Compiler.arrow

    def recording(self: Compiler, backend: DuckDB, expression: ir.Expr) -> Any:
        asked.append(expression)
        return answer(self, backend, expression)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Compiler, "arrow", recording)
        for ask in QUESTIONS:
            ask(opened)
    return list({expression.op(): expression for expression in asked}.values())


@pytest.mark.parametrize("engine", NOT_RUN)
def test_every_question_of_a_metric_compiles(questions: list[ir.Expr], engine: str):
    assert len(questions) > len(QUESTIONS)
    failed = []
    for question in questions:
        try:
            ibis.to_sql(question, dialect=engine)
        except ibis.IbisError as error:
            failed.append(str(error))
    assert not failed, "\n".join(failed)
