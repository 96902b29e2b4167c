"""Goals and the funnel backwards on the demo org, against hand-written SQL on its snapshot."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from leadline.errors import UnknownNameError, UsageError
from leadline.results import Result
from tests import goal_org
from tests.demo_workspace import Demo, imported

PRELUDE = Path(__file__).parent / "cases" / "prelude.sql"
GOALS = """metric,period,segment,goal,unit
MQL,2026-Q2,,400,
MQL,2026-Q2,campaign_type=Webinar,50,
Inquiry,2026-03,,300,responses
SQL,2026-Q1,lead_source=,3,people
SQL,2026-Q1,,30,opportunities
won_amount,2026,,2500000.50,
"""
# metric, period, segment, unit → how one would ask the tables of the snapshot.
ACTUALS = {
    ("MQL", "2026-Q2", None, "journeys"): """
        SELECT count(DISTINCT journey_id) FROM (
            SELECT journey_id, min(entered_day) AS day FROM entries WHERE stage_no = 1 GROUP BY ALL
        ) WHERE quarter(date_of(day)) = 2 AND year(date_of(day)) = 2026""",
    ("MQL", "2026-Q2", "campaign_type=Webinar", "journeys"): """
        SELECT count(*) FROM (
            SELECT journey_id, min(entered_day) AS day FROM entries WHERE stage_no = 1 GROUP BY ALL
        ) JOIN journeys USING (journey_id)
        JOIN dimension_values AS d ON d.id = journeys.origin_campaign_id AND d.dimension = 'campaign_type'
        WHERE d.value = 'Webinar' AND quarter(date_of(day)) = 2 AND year(date_of(day)) = 2026""",
    ("Inquiry", "2026-03", None, "responses"): """
        SELECT count(*) FROM counted_responses WHERE month_of(responded_day) = '2026-03'""",
    ("SQL", "2026-Q1", "lead_source=", "people"): """
        SELECT count(*) FROM (
            SELECT person_id, min(entered_day) AS day FROM entries JOIN journeys USING (journey_id)
            WHERE stage_no = 3 GROUP BY ALL
        ) AS p LEFT JOIN dimension_values AS d ON d.id = p.person_id AND d.dimension = 'lead_source'
        WHERE d.value IS NULL AND quarter(date_of(day)) = 1 AND year(date_of(day)) = 2026""",
    ("SQL", "2026-Q1", None, "opportunities"): """
        SELECT count(*) FROM deals
        WHERE quarter(date_of(created_day)) = 1 AND year(date_of(created_day)) = 2026""",
    ("won_amount", "2026", None, "opportunities"): """
        SELECT sum(amount) FROM deals WHERE state = 'won' AND year(date_of(closed_day)) = 2026""",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    made = imported(tmp_path_factory.mktemp("goals"), people=4_000, seed=5)
    (made.workspace.folder / "goals.csv").write_text(GOALS)
    return made


@pytest.fixture(scope="module")
def plain(demo: Demo) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB on the snapshot, with nothing of the engine."""
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{demo.snapshot}' AS snapshot (READ_ONLY)")
        con.execute("USE snapshot")
        con.execute(PRELUDE.read_text(encoding="utf-8"))
        yield con


def one(plain: duckdb.DuckDBPyConnection, question: str) -> tuple[Any, ...]:
    row = plain.execute(question).fetchone()
    assert row is not None
    return row


def test_actuals_are_those_of_hand_written_sql(demo: Demo, plain: duckdb.DuckDBPyConnection) -> None:
    rows = demo.workspace.metrics.goals().table.to_pylist()
    found = {
        (row["metric"], row["period"], row["segment"], row["unit"]): row["actual_amount"]
        if row["actual"] is None
        else row["actual"]
        for row in rows
    }
    expected = {key: one(plain, question)[0] for key, question in ACTUALS.items()}
    assert found == expected
    assert min(expected.values()) > 0


def test_actuals_are_those_of_volume(demo: Demo) -> None:
    goals = {(row["metric"], row["period"]): row for row in demo.workspace.metrics.goals().table.to_pylist()}
    for unit, metric, grain, period in (
        ("responses", "Inquiry", "month", "2026-03"),
        ("opportunities", "SQL", "quarter", "2026-Q1"),
        ("opportunities", "Won", "year", "2026"),
    ):
        volume = demo.workspace.metrics.volume(unit=unit, grain=grain).table.to_pylist()
        row = next(one for one in volume if (one["stage"], one["period"]) == (metric, period))
        if metric == "Won":
            assert goals["won_amount", "2026"]["actual_amount"] == row["amount"]
        elif unit == "responses":
            assert goals[metric, period]["actual"] == row["count"]


def test_the_list_of_every_unit_is_its_number(demo: Demo) -> None:
    result = demo.workspace.metrics.goals()
    listed = result.records().table.to_pylist()
    for row in result.table.to_pylist():
        key = row["metric"], row["period"], row["segment"]
        own = [one for one in listed if (one["metric"], one["goal_period"], one["segment"]) == key]
        if row["actual"] is None:
            assert sum(one["amount"] or 0 for one in own) == row["actual_amount"]
        elif (row["metric"], row["period"]) != ("SQL", "2026-Q1"):
            assert len(own) == row["actual"]
    assert result.unit == "journeys and responses and people and opportunities"
    assert result.trust.grade is not None


def factors_of(result: Result) -> dict[str, dict[str, Any]]:
    return {row["factor"]: row for row in result.table.to_pylist() if row["factor"]}


def test_factors_are_those_of_hand_written_sql(demo: Demo, plain: duckdb.DuckDBPyConnection) -> None:
    factors = factors_of(demo.workspace.metrics.reverse(1_000_000))
    year = "a.day - 364 AND a.day"
    won = f"FROM deals, as_of AS a WHERE state = 'won' AND closed_day BETWEEN {year}"
    mean, deals = one(plain, f"SELECT avg(amount), count(amount) {won}")
    assert factors["deal_size"]["n"] == deals
    assert factors["deal_size"]["value_amount"] == round(mean)
    journeys, responses = (
        one(plain, f"SELECT count(*) FROM ({first}) AS f, as_of AS a WHERE f.day BETWEEN {year}")[0]
        for first in (
            "SELECT journey_id, min(entered_day) AS day FROM entries WHERE stage_no = 4 GROUP BY ALL",
            "SELECT responded_day AS day FROM counted_responses",
        )
    )
    assert factors["journeys_per_deal"]["value"] == journeys / deals
    began = one(
        plain,
        f"SELECT count(*) FROM (SELECT journey_id, min(entered_day) AS day FROM entries WHERE stage_no = 0 "
        f"GROUP BY ALL) AS f, as_of AS a WHERE f.day BETWEEN {year}",
    )[0]
    assert factors["responses_per_journey"]["value"] == responses / began
    through, all_of = one(
        plain,
        f"""
        WITH firsts AS (SELECT journey_id, stage_no, min(entered_s) AS s, min(entered_day) AS day FROM entries GROUP BY ALL)
        SELECT count(*) FILTER (sal.s <= sql.s), count(*)
        FROM firsts AS sql LEFT JOIN firsts AS sal ON sal.journey_id = sql.journey_id AND sal.stage_no = 2, as_of AS a
        WHERE sql.stage_no = 3 AND sql.day BETWEEN {year}""",
    )
    assert 0 < through < all_of
    assert factors["SAL>SQL"]["through"] == through / all_of


def test_rates_are_those_of_conversion(demo: Demo) -> None:
    factors = factors_of(demo.workspace.metrics.reverse(1_000_000))
    rows = demo.workspace.metrics.conversion(grain="month").table.to_pylist()
    for name in ("Inquiry>MQL", "MQL>SAL"):
        start, end = name.split(">")
        own = [row for row in rows if (row["from_stage"], row["to_stage"]) == (start, end) and row["started"]]
        last = sorted((row for row in own if row["period"]), key=lambda row: str(row["period"]))[-12:]
        started, converted = (sum(row[column] for row in last) for column in ("started", "converted"))
        assert factors[name]["n"] == started
        assert factors[name]["rate"] == converted / started
        assert factors[name]["rate_low"] < factors[name]["rate"] < factors[name]["rate_high"]


SET = [
    "deal_size=20000",
    "journeys_per_deal=1.5",
    "SQL>Won=0.25",
    "through:SQL>Won=1",
    "days:SQL>Won=30.2",
    "sal>sql=0.5",
    "through:SAL>SQL=0.8",
    "days:SAL>SQL=10",
    "MQL>SAL=0.6",
    "through:MQL>SAL=1",
    "days:MQL>SAL=0",
    "Inquiry>MQL=0.1",
    "through:Inquiry>MQL=0.5",
    "days:Inquiry>MQL=5",
    "responses_per_journey=2",
]


def test_the_way_back_by_hand(demo: Demo) -> None:
    result = demo.workspace.metrics.reverse("500000", period="2026-Q4", factors=SET)
    rows = {row["step"]: row for row in result.table.to_pylist()}
    # 500,000 ÷ 20,000 = 25 deals; × 1.5 = 37.5 journeys; ÷ 0.25 = 150 SQL; × 0.8 ÷ 0.5 = 240 SAL; ÷ 0.6 = 400 MQL;
    # × 0.5 ÷ 0.1 = 2,000 Inquiry; × 2 = 4,000 responses.
    needed = {
        "revenue": None, "deals won": 25, "Won": 38, "SQL": 150, "SAL": 240, "MQL": 400, "Inquiry": 2000,
        "responses": 4000,
    }  # fmt: skip
    assert {step: row["needed"] for step, row in rows.items()} == needed
    assert rows["revenue"]["needed_amount"] == 500_000_00
    last = dt.date(2026, 12, 31)
    days = {"Won": 0, "SQL": 31, "SAL": 41, "MQL": 41, "Inquiry": 46, "responses": 46}
    for step, before in days.items():
        assert rows[step]["latest_on"] == last - dt.timedelta(days=before)
    assert rows["SQL"]["source"] == "SQL>Won set; through:SQL>Won set; days:SQL>Won set"
    assert all(row["reason"] is None for row in rows.values())
    assert result.filters["set"]["deal_size"] == "20000"
    assert result.kind == "reverse"


def test_revenue_from_the_goals(demo: Demo) -> None:
    result = demo.workspace.metrics.reverse(period="2026")
    assert result.table["needed_amount"][0].as_py() == 2_500_000_50
    rows = result.table.to_pylist()
    size = rows[1]["value_amount"]
    assert abs(rows[1]["needed"] - math.ceil(2_500_000_50 / size)) <= 1  # the size shown is rounded to cents
    with pytest.raises(UsageError, match="It has: 2026"):
        demo.workspace.metrics.reverse(period="2026-Q1")


def test_factors_of_a_segment(demo: Demo) -> None:
    whole = factors_of(demo.workspace.metrics.reverse(1_000_000))
    part = factors_of(demo.workspace.metrics.reverse(1_000_000, where={"campaign_type": "Webinar"}))
    assert part["Inquiry>MQL"]["n"] < whole["Inquiry>MQL"]["n"]


def test_opportunities_by_themselves(demo: Demo) -> None:
    rows = demo.workspace.metrics.reverse(1_000_000, unit="opportunities").table.to_pylist()
    assert [row["step"] for row in rows] == ["revenue", "deals won", "SQL"]
    with pytest.raises(UsageError, match="journeys or opportunities, not in people"):
        demo.workspace.metrics.reverse(1_000_000, unit="people")


@pytest.mark.parametrize(
    ("factors", "error", "said"),
    [
        (["deal_sise=1"], UnknownNameError, "Did you mean 'deal_size'"),
        (["deal_size"], UsageError, "write NAME=VALUE"),
        (["deal_size=1,5"], UsageError, "write NAME=VALUE"),
        (["deal_size=0"], UsageError, "a number above 0"),
        (["MQL>SAL=1.5"], UsageError, "at most 1"),
        (["MQL>SAL=0.5", "mql>sal=0.4"], UsageError, "twice"),
    ],
)
def test_settings_that_cannot_be(demo: Demo, factors: list[str], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        demo.workspace.metrics.reverse(1_000_000, factors=factors)


def test_what_is_too_thin_is_said_and_not_guessed(tmp_path: Path) -> None:
    day = dt.date(2026, 1, 5)
    deals = [(day, day, "100.00")] * 29
    made = goal_org.built(tmp_path, [(day, "Event")] * 40, deals, as_of="2026-06-01T00:00:00Z")
    rows = {row["step"]: row for row in made.metrics.reverse(10_000).table.to_pylist()}
    assert rows["deals won"]["needed"] is None
    assert "deal_size rests on 29, fewer than 30" in rows["deals won"]["reason"]
    assert "nothing shows SQL>Won" in rows["SQL"]["reason"]
    assert rows["responses"]["needed"] is None
    given = {row["step"]: row for row in made.metrics.reverse(10_000, factors=["deal_size=100"]).table.to_pylist()}
    assert given["deals won"]["needed"] == 100
    assert "rests on" in given["SQL"]["reason"]
    with pytest.raises(UsageError, match="above 0"):
        made.metrics.reverse(0)
