"""Lift of responders over comparable others: published figures, counts by hand, and no lift where none is planted."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leadline.errors import UnknownNameError, UsageError
from leadline.maths.strata import mantel_haenszel
from leadline.workspace import Workspace
from tests import campaign_org as org
from tests.demo_workspace import imported

# Vaccine trials of Colditz et al. 1994: ill and well with, ill and well without (data set dat.bcg of R's metafor).
BCG = np.array(
    [
        [4, 119, 11, 128],
        [6, 300, 29, 274],
        [3, 228, 11, 209],
        [62, 13536, 248, 12619],
        [33, 5036, 47, 5761],
        [180, 1361, 372, 1079],
        [8, 2537, 10, 619],
        [505, 87886, 499, 87892],
        [29, 7470, 45, 7232],
        [17, 1699, 65, 1600],
        [186, 50448, 141, 27197],
        [5, 2493, 3, 2338],
        [27, 16886, 29, 17825],
    ]
)
# Admissions to Berkeley 1973 by department: men admitted and not, women admitted and not (R's UCBAdmissions).
UCB = np.array(
    [
        [512, 313, 89, 19],
        [353, 207, 17, 8],
        [120, 205, 202, 391],
        [138, 279, 131, 244],
        [53, 138, 94, 299],
        [22, 351, 24, 317],
    ]
)
# Both references are printed with four decimals.
PRINTED = 5e-5


def pooled(table: np.ndarray) -> Any:
    a, b, c, d = table.T
    return mantel_haenszel((a, a + b, c, c + d), np.zeros(len(table), int), 1)


def test_the_ratio_is_that_of_metafor() -> None:
    found = pooled(BCG)
    assert np.log(found.ratio[0]) == pytest.approx(-0.4537, abs=PRINTED)
    assert np.log(found.ratio_low[0]) == pytest.approx(-0.5308, abs=PRINTED)
    assert np.log(found.ratio_high[0]) == pytest.approx(-0.3766, abs=PRINTED)
    assert found.difference[0] == pytest.approx(-0.0033, abs=PRINTED)


def test_the_test_is_that_of_r() -> None:
    """R corrects for continuity: X-squared = 1.4269 for the admissions (help page of mantelhaen.test)."""
    found = pooled(UCB)
    a, b, c, d = UCB.T
    astray = float(np.sum(a - (a + b) * (a + c) / (a + b + c + d)))
    spread = (astray / found.z[0]) ** 2
    assert (abs(astray) - 0.5) ** 2 / spread == pytest.approx(1.4269, abs=PRINTED)


def test_one_stratum_is_a_plain_comparison() -> None:
    found = mantel_haenszel(([30], [100], [20], [200]), [0], 1)
    assert (found.rate[0], found.other_rate[0], found.ratio[0]) == pytest.approx((0.3, 0.1, 3.0))


def test_without_a_success_the_interval_has_a_width_and_nothing_is_tested() -> None:
    found = mantel_haenszel(([0, 0], [6, 4], [5, 6], [80, 90]), [0, 0], 1)
    assert found.rate[0] == 0
    assert found.low[0] < -0.05
    assert found.high[0] > 0.2
    assert np.isnan(found.z[0])
    assert np.isnan(found.ratio_low[0])


def test_a_stratum_with_one_side_says_nothing() -> None:
    both = mantel_haenszel(([9, 5], [20, 5], [10, 0], [50, 0]), [0, 0], 1)
    one = mantel_haenszel(([9], [20], [10], [50]), [0], 1)
    assert both.difference[0] == one.difference[0]
    nothing = mantel_haenszel(([5], [5], [0], [0]), [0], 1)
    assert np.isnan(nothing.difference[0])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return imported(tmp_path_factory.mktemp("lift"), people=1_500, seed=6).workspace


def test_the_list_holds_both_sides(demo: Workspace) -> None:
    result = demo.metrics.lift(landmark_days=20, window_days=90)
    counts: dict[tuple[str, bool], list[int]] = defaultdict(lambda: [0, 0])
    for row in result.records().table.to_pylist():
        cell = counts[row["campaign_id"], row["responded"]]
        cell[0] += 1
        cell[1] += row["in_numerator"]
    compared = [row for row in result.table.to_pylist() if row["responders"]]
    assert compared
    for row in compared:
        assert counts[row["campaign_id"], True] == [row["responders"], row["converted"]]
        assert counts[row["campaign_id"], False] == [row["comparable"], row["comparable_converted"]]


def test_matching_by_more_leaves_more_out(demo: Workspace) -> None:
    loose, tight = (
        {row["campaign_id"]: row for row in demo.metrics.lift(match=match).table.to_pylist()}
        for match in (["none"], ["lead_source", "industry"])
    )
    assert sum(row["left_out"] for row in tight.values()) > sum(row["left_out"] for row in loose.values())
    for name, row in tight.items():
        assert row["responders"] + row["left_out"] == loose[name]["responders"] + loose[name]["left_out"]


def test_sourced_credit_is_that_of_influence(demo: Workspace) -> None:
    table = demo.metrics.influence(models=["even"]).table.to_pylist()
    sourced = {row["campaign_id"]: row["sourced_amount"] for row in table if row["bucket"] == "campaign"}
    for row in demo.metrics.lift(model="even").table.to_pylist():
        assert row["sourced_amount"] == sourced.get(row["campaign_id"], 0)


@pytest.mark.parametrize(
    ("question", "error", "told"),
    [
        ({"by": ["campaign_type"]}, UsageError, "--match"),
        ({"grain": "month"}, UsageError, "--grain"),
        ({"unit": "people"}, UsageError, "--unit"),
        ({"match": ["campaign_type"]}, UsageError, "by what people have"),
        ({"match": []}, UsageError, "'none'"),
        ({"match": ["lead_sorce"]}, UnknownNameError, "lead_source"),
        ({"to_stage": "Inquiry"}, UsageError, "name a later stage"),
        ({"to_stage": "Woon"}, UnknownNameError, "Won"),
    ],
)
def test_questions_without_sense_are_refused(
    demo: Workspace, question: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        demo.metrics.lift(**question)


def test_an_org_too_young_compares_nothing(tmp_path: Path) -> None:
    result = org.built(tmp_path).metrics.lift()
    assert result.table.num_rows == 0
