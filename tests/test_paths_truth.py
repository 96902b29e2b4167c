"""Path models against what really caused the deals of demo orgs, which no record shows.

docs/metrics/influence.md says beforehand which models recover it, under which assumption of the generator, and
which cannot. Models that divide what converted among what was there credit a type for being frequent.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leadline.demo.params import SAL, SQL
from tests.contracts.code import ROOT
from tests.demo_workspace import imported
from tests.scale import scaled
from tests.true_influence import ALL_ALIKE, AS_IT_IS, ONE_RESPONSE, TYPES, Measured, measure, told

ORGS = scaled(200)
FULL = 200

COVERAGE = (0.85, 0.95)
"""Within which the coverage of 90 % intervals must lie, over 200 orgs."""

FEWER = 0.1
"""What fewer orgs may be off by beyond that: with 20 of them and types that hang together, three standard errors."""

FREQUENT, CAUSING = ("Email", "Paid Search"), ("Webinar", "Event")
PAGE = (ROOT / "docs" / "metrics" / "influence.md").read_text(encoding="utf-8")


def seeds(orgs: int = ORGS) -> Iterable[int]:
    return range(1, 1 + orgs)


def assert_covered(found: Measured, models: Iterable[str]) -> None:
    low, high = COVERAGE if ORGS >= FULL else (COVERAGE[0] - FEWER, COVERAGE[1] + FEWER)
    caused = found.true.mean(axis=0) > 0
    for model in models:
        by_type = found.covered(model)[caused]
        assert low <= by_type.mean() <= high, (model, by_type)
        if ORGS >= FULL:
            # A type alone: within half a point more, for one org more or less is half a point.
            assert low - 0.005 <= by_type.min() <= by_type.max() <= high + 0.005, (model, by_type)


def test_one_response_a_journey_is_recovered_by_all_that_divide() -> None:
    models = ["first", "last", "even", "markov", "shapley_coverage"]
    assert_covered(measure(ONE_RESPONSE, models, seeds()), models)


def test_responses_all_alike_are_recovered_by_first_last_and_even() -> None:
    models = ["first", "last", "even"]
    assert_covered(measure(ALL_ALIKE, models, seeds()), models)


@pytest.fixture(scope="module")
def as_it_is() -> Measured:
    return measure(AS_IT_IS, ["first", "last", "even", "markov", "shapley_rate"], seeds())


def test_as_it_is_divisions_credit_what_is_frequent(as_it_is: Measured) -> None:
    for model in ("first", "last", "even", "markov"):
        bias = dict(zip(TYPES, as_it_is.bias(model), strict=True))
        assert all(bias[kind] > 0.02 for kind in FREQUENT), (model, bias)
        assert all(bias[kind] < -0.02 for kind in CAUSING), (model, bias)
        # Hardly an interval holds the truth of what is most frequent, and of what causes most.
        covered = dict(zip(TYPES, as_it_is.covered(model), strict=True))
        assert max(covered["Email"], covered["Event"]) < 0.1


def test_as_it_is_rates_are_of_another_question(as_it_is: Measured) -> None:
    bias = dict(zip(TYPES, as_it_is.bias("shapley_rate"), strict=True))
    assert bias["Partner"] > 0.05
    assert bias["Content"] < -0.05
    assert as_it_is.covered("shapley_rate").mean() < COVERAGE[0]


def test_the_page_has_the_figures_that_were_measured(as_it_is: Measured) -> None:
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("|")]
    found = {line[0]: [float(cell.split()[0]) / 100 for cell in line[1:]] for line in lines if _is_of_a_type(line)}
    expected = [
        as_it_is.true,
        *(as_it_is.share[model] for model in ("first", "last", "even", "markov", "shapley_rate")),
    ]
    for at, kind in enumerate(TYPES):
        means = [one[:, at].mean() for one in expected]
        # Rounding of the page; with fewer orgs than it speaks of, six standard errors of a mean more.
        spread = [6 * one[:, at].std() / len(one) ** 0.5 * (ORGS < FULL) for one in expected]
        assert np.all(np.abs(np.array(found[kind]) - means) <= np.array(spread) + 0.0006), kind


def _is_of_a_type(line: list[str]) -> bool:
    return line[0] in TYPES and all(re.fullmatch(r"[\d.]+ %", cell) for cell in line[1:])


def test_what_is_told_is_what_records_show(tmp_path: Path) -> None:
    """The paths of the orgs above are those of a workspace made of the same org's files."""
    opened = imported(tmp_path, people=2_000, seed=7).open()
    stages, answers, campaigns = (
        opened.arrow(opened[name]).to_pylist() for name in ("journey_stages", "responses", "campaigns")
    )
    type_of = {row["campaign_id"]: row["campaign_type"] or "none" for row in campaigns}
    first = {(row["journey_id"], row["stage_no"]): row["entered_s"] for row in stages if row["entered_s"] is not None}
    won, lost = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    by_journey: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for row in answers:
        journey = row["journey_id"]
        end = first.get((journey, SAL), first.get((journey, SQL)))
        if end is not None and row["responded_s"] is not None and row["responded_s"] <= end:
            by_journey[journey].append((row["responded_s"], row["response_id"], type_of[row["campaign_id"]]))
    for journey, found in by_journey.items():
        (won if (journey, SQL) in first else lost)[tuple(kind for _, _, kind in sorted(found))] += 1
    expected = told(replace(AS_IT_IS, people=2_000, seed=7))
    assert (won, lost) == expected[:2]
    assert sum(won.values()) > 50
