"""Formulas on a real developer org: win rates against SQL over its files, without any part of the engine."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.test_real_sets import published

NAME = "salesforce-dev-org-sample"

# Both sides divide the same whole numbers.
ROUNDING = 1e-12
# Wilson's interval of 12 successes in 20 trials, worked out on paper to four decimals.
WILSON_12_OF_20 = (0.3866, 0.7812)
FOUR_DECIMALS = 5e-5

CLOSED = """
SELECT
    count(*) FILTER (IsWon = 'TRUE') AS won,
    count(*) FILTER (IsClosed = 'TRUE' AND IsWon = 'FALSE') AS lost,
    coalesce(sum(Amount::DECIMAL(18, 2)) FILTER (IsWon = 'TRUE'), 0) AS won_amount,
    coalesce(sum(Amount::DECIMAL(18, 2)) FILTER (IsClosed = 'TRUE' AND IsWon = 'FALSE'), 0) AS lost_amount,
    coalesce(sum(Amount::DECIMAL(18, 2)) FILTER (IsClosed = 'FALSE'), 0) AS open_amount
FROM read_csv($file, all_varchar = true)
"""


def test_win_rates_of_a_developer_org(shared_data: Path, tmp_path: Path) -> None:
    made, _ = published(shared_data, NAME, tmp_path, date_order="mdy")
    with duckdb.connect() as con:
        found = con.execute(CLOSED, {"file": str(shared_data / NAME / "Opportunity.csv")}).fetchone()
    assert found is not None
    won, lost, won_amount, lost_amount, open_amount = found
    assert (won, lost) == (12, 8)
    (row,) = made.metrics.formula("win_rate").table.to_pylist()
    assert (row["won_count"], row["lost_count"]) == (won, lost)
    assert row["value"] == pytest.approx(won / (won + lost), rel=ROUNDING)
    assert (row["value_low"], row["value_high"]) == pytest.approx(WILSON_12_OF_20, abs=FOUR_DECIMALS)
    assert row["small"]
    (row,) = made.metrics.formula("win_rate_amount").table.to_pylist()
    assert (row["won_amount"], row["lost_amount"]) == (won_amount * 100, lost_amount * 100)
    assert row["value"] == pytest.approx(float(won_amount / (won_amount + lost_amount)), rel=ROUNDING)
    (row,) = made.metrics.formula(expression="open_amount / open_count", unit="opportunities").table.to_pylist()
    assert row["open_amount"] == open_amount * 100
    assert row["open_count"] == 36 - won - lost
    listed = made.metrics.formula("win_rate", operand="won_count").records().table
    assert listed.num_rows == won
