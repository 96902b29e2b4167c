"""The figures of many rows of velocity, estimated together, against each row estimated by itself."""

import numpy as np
import pytest

from leadline.maths.restricted import restricted_mean
from leadline.maths.survival import aalen_johansen, kaplan_meier
from leadline.metrics.times.figures import ESTIMATES, HORIZON, NEEDED, Agreed, figures
from leadline.metrics.times.lengths import Lengths
from tests.scale import scaled

# The same sums over a row that is filled up with zeros: added in another order.
ROUNDING = 1e-13
DAY = 86_400


def drawn(rng):
    """A row of any size, with ties of days, one cause or several, all or none waiting."""
    seconds = np.unique(rng.integers(0, rng.choice([20, 500]) * DAY, int(rng.integers(1, 300))))
    if rng.random() < 0.5:
        seconds = np.unique(seconds // DAY * DAY)
    counts = rng.integers(0, 4, (len(seconds), 3))
    counts[:, rng.integers(0, 3)] *= rng.integers(0, 2)
    return Lengths(rng.permuted(seconds), counts, int(rng.integers(0, 3)))


def alone(lengths):
    durations = lengths.durations()
    advanced = aalen_johansen(durations, 0)
    half = advanced.time_to([advanced.final / 2])[0] if advanced.final > 0 else np.nan
    mean = restricted_mean(durations, HORIZON)[0]
    quantiles = kaplan_meier(durations).quantile([0.5, 0.75, 0.9]).ravel()
    return dict(
        zip(ESTIMATES, [*quantiles, advanced.final, advanced.low[-1], advanced.high[-1], half, mean], strict=True)
    )


def test_each_row_is_estimated_as_if_alone():
    rng = np.random.default_rng(11)
    rows = {number: drawn(rng) for number in range(scaled(1000))}
    found = figures({(number,): (lengths, None) for number, lengths in rows.items()})
    estimated = 0
    for number, lengths in rows.items():
        row = found[(number,)]
        assert (row["n"], row["open"]) == (lengths.units, lengths.waiting)
        if row["thin"]:
            assert lengths.units < NEEDED or lengths.waiting == lengths.units
            assert all(row[name] is None for name in ESTIMATES)
            continue
        estimated += 1
        for name, value in alone(lengths).items():
            assert (row[name] is None) == bool(np.isnan(value)), name
            assert row[name] is None or row[name] == pytest.approx(value, rel=ROUNDING, abs=ROUNDING), name
    assert estimated > len(rows) / 2


def test_a_row_of_its_own_and_no_row_at_all():
    ten = Lengths(np.array([2, 1]) * DAY, np.array([[5, 0, 0], [5, 0, 0]]), 0)
    row = figures({("one",): (ten, Agreed(1))})[("one",)]
    assert (row["median_days"], row["p90_days"], row["advance_share"], row["sla_share"]) == (1.5, 2.0, 1.0, 0.5)
    assert row["restricted_mean_days"] == 1.5
    assert figures({}) == {}
