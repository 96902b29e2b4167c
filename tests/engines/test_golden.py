"""The SQL of a few expressions in every dialect, kept beside the tests for somebody who knows the dialect to read.

For Snowflake, BigQuery, Trino and ClickHouse this is all that is held: compiled, not run.
After a wanted change: `python -m tests.engines.test_golden` writes the files anew; read what changed.
"""

from __future__ import annotations

from pathlib import Path

import ibis
import ibis.expr.types as ir
import pytest
import sqlglot
from ibis.config import Config

from leadline.model import money

GOLDEN = Path(__file__).parent / "golden"
DIALECTS = {
    "duckdb": "duckdb",
    "postgres": "postgres",
    "pyspark": "spark",
    "databricks": "databricks",
    "snowflake": "snowflake",
    "bigquery": "bigquery",
    "trino": "trino",
    "clickhouse": "clickhouse",
}
"""Dialect of Ibis → that of sqlglot."""


class SparkOptions(Config):
    """The one option that the compiler for Spark reads."""

    treat_nan_as_null: bool = False


def expressions() -> dict[str, ir.Table]:
    """What a reader can check: rounding of money, days of dates, sums, an order with ties broken."""
    deals = ibis.table(
        {"id": "string", "amount": "decimal(28, 8)", "digits": "int64", "close_date": "date", "is_won": "boolean"},
        name="deals",
    )
    events = ibis.table(
        {"person_id": "string", "second": "int64", "rank": "int64", "record_id": "string"}, name="events"
    )
    order = ibis.row_number().over(group_by=events.person_id, order_by=[events.second, events.rank, events.record_id])
    return {
        "money_in_minor_units": deals.select("id", minor=money.minor_units(deals.amount, deals.digits)),
        "day_of_a_date": deals.select("id", close_day=money.day_of(deals.close_date)),
        "won_and_amount_by_day": deals.group_by(day=money.day_of(deals.close_date)).aggregate(
            won=deals.is_won.cast("int64").sum(), amount=deals.amount.sum()
        ),
        "place_of_an_event": events.mutate(n=order),
    }


def written(expression: ir.Table, dialect: str) -> str:
    """The SQL of an expression, a last line break included."""
    return f"{ibis.to_sql(expression, dialect=dialect)}\n"


@pytest.fixture(autouse=True)
def _spark_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ibis sets Spark's options when Spark itself is imported, which this test does without."""
    monkeypatch.setattr(ibis.options, "pyspark", SparkOptions())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_sql_is_what_was_read(dialect: str):
    for name, expression in expressions().items():
        kept = (GOLDEN / f"{name}.{dialect}.sql").read_text(encoding="utf-8")
        assert written(expression, dialect) == kept, name
        assert sqlglot.parse_one(kept, dialect=DIALECTS[dialect]), "and its own dialect reads it"


def test_every_kept_text_is_one_of_these():
    assert {path.name for path in GOLDEN.iterdir()} == {
        f"{name}.{dialect}.sql" for name in expressions() for dialect in DIALECTS
    }


if __name__ == "__main__":
    ibis.options.pyspark = SparkOptions()
    GOLDEN.mkdir(exist_ok=True)
    for name, expression in expressions().items():
        for dialect in DIALECTS:
            (GOLDEN / f"{name}.{dialect}.sql").write_text(written(expression, dialect), encoding="utf-8")
