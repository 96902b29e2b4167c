"""The restricted mean against R and first principles."""

import csv
import math
from pathlib import Path

import lifelines.utils
import numpy as np
import pytest

from leadline.maths.restricted import restricted_mean
from leadline.maths.survival import Durations

REFERENCE = Path(__file__).parent / "reference"
# Sums of up to 200 products; R writes 17 digits.
ROUNDING = 1e-9


def reference(data, group):
    with (REFERENCE / "r_data.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if (row["data"], row["group"]) == (data, group)]
    units = [int(row["units"]) for row in rows]
    ended = [count if row["status"] == "1" else 0 for row, count in zip(rows, units, strict=True)]
    waiting = [count - out for count, out in zip(units, ended, strict=True)]
    return Durations.of([float(row["time"]) for row in rows], ended, waiting)


def cases():
    with (REFERENCE / "r_summary.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["what"] == "restricted_mean"]


@pytest.mark.parametrize("row", cases(), ids=lambda row: f"{row['data']}-{row['group']}-{row['at']}")
def test_agrees_with_r(row):
    mean, error = restricted_mean(reference(row["data"], row["group"]), float(row["at"]))
    assert mean == pytest.approx(float(row["value"]), rel=ROUNDING)
    assert error == pytest.approx(float(row["se"]), rel=ROUNDING)


def test_without_censoring_it_is_the_mean_of_the_cut_times():
    times = np.array([1.0, 2.0, 5.0, 40.0])
    mean, error = restricted_mean(Durations.of(times, np.ones(4), np.zeros(4)), 10)
    cut = np.minimum(times, 10)
    assert mean == pytest.approx(cut.mean(), rel=ROUNDING)
    # Greenwood without censoring is the variance of the mean with divisor n.
    assert error == pytest.approx(cut.std() / 2, rel=ROUNDING)


def test_agrees_with_lifelines():
    rng = np.random.default_rng(5)
    times, ended = rng.integers(1, 60, 300).astype(float), rng.random(300) < 0.7
    fitted = lifelines.KaplanMeierFitter().fit(times, ended)
    mean, _ = restricted_mean(Durations.of(times, ended, ~ended), 30)
    assert mean == pytest.approx(lifelines.utils.restricted_mean_survival_time(fitted, 30), rel=ROUNDING)


def test_it_is_not_known_beyond_what_was_watched():
    assert all(math.isnan(value) for value in restricted_mean(Durations.of([1, 2], [1, 0], [0, 1]), 10))
    assert restricted_mean(Durations.of([1, 2], [1, 1], [0, 0]), 10)[0] == pytest.approx(1.5)
    assert all(math.isnan(value) for value in restricted_mean(Durations.of([], [], []), 10))
