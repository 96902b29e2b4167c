"""The return of campaigns from month to month: the test by enumeration, and a campaign that dwindles."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leadline.errors import UsageError
from leadline.maths.trend import mann_kendall
from leadline.workspace import Workspace
from tests import campaign_org as org

# The normal distribution in place of the exact one, from eight values on.
NORMAL = 0.01


def score(values: tuple[float, ...]) -> int:
    """Rising pairs less falling ones."""
    return sum((late > early) - (late < early) for early, late in itertools.combinations(values, 2))


@pytest.mark.parametrize("values", [(1, 2, 3, 4, 5, 6, 7, 8), (8, 7, 6, 5, 3, 4, 2, 1), (5, 3, 6, 2, 7, 1, 4, 8)])
def test_p_is_that_of_all_orders(values: tuple[float, ...]) -> None:
    every = [abs(score(order)) for order in itertools.permutations(values)]
    exact = sum(one >= abs(score(values)) for one in every) / len(every)
    tau, p_value = mann_kendall(values)
    assert tau == score(values) / 28
    assert p_value == pytest.approx(exact, abs=NORMAL)


def test_the_variance_under_ties_is_that_of_all_orders() -> None:
    values = (1.0, 1.0, 2.0, 3.0, 3.0, 3.0, 4.0)
    scores = np.array([score(order) for order in itertools.permutations(values)])
    z = (abs(score(values)) - 1) / float(np.sqrt(np.mean(scores.astype(float) ** 2)))
    assert mann_kendall(values)[1] == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-12)  # the same doubles


def test_all_the_same_is_no_trend() -> None:
    assert mann_kendall([3.0] * 9) == (0.0, 1.0)


MONTHS = range(1, 11)


def files(amounts: list[int]) -> dict[str, str]:
    """A campaign over ten months of 2025: each month one response, and a deal won ten days after it."""
    at = list(enumerate(MONTHS, start=1))
    return {
        "Campaign.csv": f"Id,Name,Type,StartDate,EndDate,ActualCost\n{org.A},Alpha,Webinar,2025-01-01,2025-10-31,304\n",
        "Contact.csv": "Id,LastName,CreatedDate\n"
        + "".join(f"003{n:012}AAA,P{n},2024-12-01T00:00:00Z\n" for n, _ in at),
        "CampaignMember.csv": "Id,CampaignId,ContactId,Status,HasResponded,FirstRespondedDate,CreatedDate\n"
        + "".join(
            f"00v{n:012}AAA,{org.A},003{n:012}AAA,Responded,true,2025-{month:02}-05,2025-{month:02}-05T01:00:00Z\n"
            for n, month in at
        ),
        "Opportunity.csv": "Id,Name,StageName,Amount,IsClosed,IsWon,CloseDate,CreatedDate\n"
        + "".join(
            f"006{n:012}AAA,D{n},Closed Won,{amounts[n - 1]},true,true,2025-{month:02}-15,2025-{month:02}-06T08:00:00Z\n"
            for n, month in at
        ),
        "OpportunityContactRole.csv": "Id,OpportunityId,ContactId,IsPrimary,CreatedDate\n"
        + "".join(f"00K{n:012}AAA,006{n:012}AAA,003{n:012}AAA,true,2025-{month:02}-06T08:00:00Z\n" for n, month in at),
    }


@pytest.fixture(scope="module")
def falling(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    amounts = [100 * (11 - month) for month in MONTHS]
    return org.built(tmp_path_factory.mktemp("trend"), files(amounts), as_of="2026-09-01")


def test_a_campaign_that_dwindles_is_told(falling: Workspace) -> None:
    (row,) = falling.metrics.roi_trend(model="even").table.to_pylist()
    assert (row["trend"], row["tau"], row["months"]) == ("diminishing", -1.0, 10)
    assert (row["cost"], row["won_amount"]) == (304_00, 5_500_00)
    # January to May cost a unit a day; so do June to October.
    assert row["early_roas"] == 4_000 / 151
    assert row["late_roas"] == 1_500 / 153


def test_young_months_are_left_out(falling: Workspace) -> None:
    (row,) = falling.metrics.roi_trend(model="even", as_of="2025-12-31").table.to_pylist()
    # 180 days before the end of December lie in July: January to June are old enough.
    assert (row["months"], row["trend"], row["tau"]) == (6, "too few months", None)


def test_a_late_win_counts_for_no_month(falling: Workspace) -> None:
    (row,) = falling.metrics.roi_trend(model="even", window_days=5).table.to_pylist()
    assert (row["won_amount"], row["trend"]) == (0, "no trend")


def test_the_list_is_the_number(falling: Workspace) -> None:
    result = falling.metrics.roi_trend(model="even")
    (row,) = result.table.to_pylist()
    sums: dict[str, int] = defaultdict(int)
    for one in result.records().table.to_pylist():
        sums[one["measure"]] += one["amount"]
    assert sums == {"cost": row["cost"], "credit": row["won_amount"]}


@pytest.mark.parametrize("question", [{"grain": "month"}, {"by": ["campaign_type"]}, {"unit": "people"}])
def test_questions_without_sense_are_refused(falling: Workspace, question: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="leave out"):
        falling.metrics.roi_trend(**question)


def test_a_campaign_without_cost_has_no_row(tmp_path: Path) -> None:
    found = org.built(tmp_path, as_of="2027-01-01").metrics.roi_trend(model="even").table.to_pylist()
    assert {row["campaign"] for row in found} == {"Alpha", "Beta", "Epsilon"}
