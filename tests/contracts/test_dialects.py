"""Every table of the model compiles for every engine it may run on, without a server.

A store that records instead of materialising walks the same build that makes a snapshot.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import pytest
from ibis.config import Config

from leadline import schema
from leadline.config import parse
from leadline.model import build, catalogue
from leadline.model.source import TYPES, Source
from leadline.model.store import Store

ENGINES = ("duckdb", "pyspark", "databricks", "postgres", "snowflake", "bigquery", "trino")

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


class RecordingBackend:
    """Stands where an engine would: keeps the expressions it is given and computes nothing."""

    def __init__(self) -> None:
        self.recorded: list[tuple[str, ir.Expr]] = []

    def create_table(self, name: str, obj: ir.Table, **_: Any) -> ir.Table:
        """The table that would be there."""
        self.recorded.append((name, obj))
        return ibis.table(obj.schema(), name=name)

    def insert(self, name: str, obj: ir.Table, **_: Any) -> None:
        """More rows of a table."""
        self.recorded.append((name, obj))

    def drop_table(self, name: str, **_: Any) -> None:
        """Nothing to drop."""

    def to_pyarrow(self, expression: ir.Expr) -> pa.Table | pa.Scalar:
        """There are rows, so that every branch is walked; only a join that looks for faults finds none."""
        self.recorded.append(("asked", expression))
        if isinstance(expression, ir.Table):
            return expression.schema().to_pyarrow().empty_table()
        counted = expression.op().args[0] if expression.op().args else None
        return pa.scalar(0 if isinstance(counted, ops.JoinChain) else 1)


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
    backend = RecordingBackend()
    store = Store(cast(Any, backend))  # only the methods above are called
    build.build(whole_source(), parse(SETTINGS), KNOWN_AT, store)
    return backend.recorded


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
