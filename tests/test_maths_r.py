"""Survival, competing risks, quantiles and restricted means equal those of R's package `survival`.

The values and the code that made them stand in tests/reference (survival.R, survival 3.5).
"""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from leadline.maths.restricted import restricted_mean
from leadline.maths.survival import Durations, aalen_johansen, kaplan_meier

REFERENCE = Path(__file__).parent / "reference"

# Sums and products of up to 1,000 terms in another order; the issue of a step is never larger.
SAME = 1e-9


def rows_of(name):
    with (REFERENCE / name).open() as file:
        return list(csv.DictReader(file))


def groups_of(name, *keys):
    found = defaultdict(list)
    for row in rows_of(name):
        found[tuple(row[key] for key in keys)].append(row)
    return found


DATA = groups_of("r_data.csv", "data", "group")
CURVES = groups_of("r_curves.csv", "data", "group", "cause", "transform")
SUMMARY = groups_of("r_summary.csv", "data", "group", "what", "transform")


def durations(data, group):
    rows = DATA[data, group]
    causes = max(int(row["status"]) for row in rows)
    events = [[int(row["units"]) * (int(row["status"]) == cause + 1) for cause in range(causes)] for row in rows]
    censored = [int(row["units"]) * (row["status"] == "0") for row in rows]
    return Durations.of([float(row["time"]) for row in rows], events, censored)


def number(text):
    return float("nan") if text.strip() in ("NA", "NaN") else float(text)


@pytest.mark.parametrize(("data", "group", "cause", "transform"), CURVES)
def test_every_step_of_every_curve(data, group, cause, transform):
    counts = durations(data, group)
    curve = (
        kaplan_meier(counts, transform) if cause == "0" else aalen_johansen(counts, int(cause) - 1, transform=transform)
    )
    expected = CURVES[data, group, cause, transform]
    times = [float(row["time"]) for row in expected]
    assert times == curve.times.tolist()
    ours = np.column_stack([curve.value, curve.se, curve.low, curve.high])
    theirs = np.array([[number(row[name]) for name in ("estimate", "se", "low", "high")] for row in expected])
    np.testing.assert_allclose(ours[:, 0], theirs[:, 0], rtol=SAME, atol=SAME)
    inside = (theirs[:, 0] > 0) & (theirs[:, 0] < 1)
    np.testing.assert_allclose(ours[inside], theirs[inside], rtol=SAME, atol=SAME)
    # At 0 and 1 nothing is left to vary: R has no error or repeats the estimate, here the error is 0 and limits absent.
    assert (ours[~inside, 1] == 0).all()
    assert np.isnan(ours[~inside, 2:]).all()


@pytest.mark.parametrize(("data", "group", "transform"), [(d, g, t) for d, g, what, t in SUMMARY if what == "quantile"])
def test_every_quantile(data, group, transform):
    expected = SUMMARY[data, group, "quantile", transform]
    ours = kaplan_meier(durations(data, group), transform).quantile([float(row["at"]) for row in expected])
    theirs = [[number(row[name]) for name in ("value", "low", "high")] for row in expected]
    np.testing.assert_allclose(ours, theirs, rtol=SAME)


@pytest.mark.parametrize(("data", "group"), [(d, g) for d, g, what, _ in SUMMARY if what == "restricted_mean"])
def test_restricted_means(data, group):
    for row in SUMMARY[data, group, "restricted_mean", "none"]:
        ours = restricted_mean(durations(data, group), float(row["at"]))
        np.testing.assert_allclose(ours, (number(row["value"]), number(row["se"])), rtol=SAME)


def test_a_mean_needs_a_horizon():
    with pytest.raises(ValueError, match="above 0"):
        restricted_mean(durations("veteran", "all"), 0)
