"""Kaplan-Meier and Aalen-Johansen against published tables, R, lifelines and first principles."""

import csv
import datetime as dt
from pathlib import Path

import lifelines
import numpy as np
import pytest

from leadline.maths.survival import Durations, aalen_johansen, kaplan_meier, learned_window, split
from tests.scale import scaled

# Sums of up to 200 terms below 1, in two orders of adding; products along the curve lose more.
ROUNDING = 1e-12
LONG_ROUNDING = 1e-9
SQUARE_ROUNDING = 1e-14

REFERENCE = Path(__file__).parent / "reference"


def individuals(times, causes, n_causes=1):
    """One unit per entry: cause 0 is censored, cause k is column k − 1."""
    causes = np.asarray(causes)
    events = np.column_stack([causes == k + 1 for k in range(n_causes)]).astype(int)
    return Durations.of(times, events, (causes == 0).astype(int))


def freireich(arm):
    with (REFERENCE / "freireich_6mp.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["arm"] == arm]
    weeks = [int(row["weeks"]) for row in rows]
    relapsed = [int(row["relapsed"]) * int(row["patients"]) for row in rows]
    censored = [(1 - int(row["relapsed"])) * int(row["patients"]) for row in rows]
    return Durations.of(weeks, relapsed, censored)


# Remission of leukaemia under 6-mercaptopurine: Freireich et al. 1963, Blood 21:699. The table
# is the one printed in Kleinbaum & Klein, Survival Analysis, and in Stata's manual (log-log).
PUBLISHED = [
    (6, 21, 0.8571, 0.0764, 0.6197, 0.9516),
    (7, 17, 0.8067, 0.0869, 0.5631, 0.9228),
    (10, 15, 0.7529, 0.0963, 0.5032, 0.8894),
    (13, 12, 0.6902, 0.1068, 0.4316, 0.8491),
    (16, 11, 0.6275, 0.1141, 0.3675, 0.8049),
    (22, 7, 0.5378, 0.1282, 0.2678, 0.7468),
    (23, 6, 0.4482, 0.1346, 0.1881, 0.6801),
]


def test_published_table_of_remission():
    curve = kaplan_meier(freireich("6-MP"))
    weeks = [row[0] for row in PUBLISHED]
    # Four printed digits: half a unit of the last one.
    np.testing.assert_allclose(curve.at(weeks), [row[2:] for row in PUBLISHED], atol=5.1e-5, rtol=0)
    at_risk = dict(zip(curve.times, curve.at_risk, strict=True))
    assert [at_risk[week] for week in weeks] == [row[1] for row in PUBLISHED]


def test_published_medians():
    treated, control = kaplan_meier(freireich("6-MP")), kaplan_meier(freireich("placebo"))
    median, low, high = treated.quantile([0.5])[0]
    assert (median, low) == (23, 13)
    assert np.isnan(high)
    assert control.quantile([0.5])[0].tolist() == [8, 4, 11]


@pytest.fixture(scope="module")
def maven(shared_data):
    """Days from engage to close of every engaged deal; Won is cause 0, Lost cause 1."""
    cut = dt.date(2017, 12, 31)
    times, causes = [], []
    with (shared_data / "maven-crm-sales-opportunities" / "sales_pipeline.csv").open() as file:
        for row in csv.DictReader(file):
            if row["engage_date"]:
                closed = row["close_date"]
                end = dt.date.fromisoformat(closed) if closed else cut
                times.append((end - dt.date.fromisoformat(row["engage_date"])).days)
                causes.append({"Won": 1, "Lost": 2, "Engaging": 0}[row["deal_stage"]])
    return individuals(times, causes, 2)


@pytest.fixture(scope="module")
def from_r(shared_data):
    with (shared_data / "maven-crm-sales-opportunities" / "expected_survival.csv").open() as file:
        return list(csv.DictReader(file))


def number(text):
    return float(text) if text else np.nan


# R's figures are printed with eight decimals.
EIGHT_DIGITS = 5.1e-9


def test_every_survival_row_of_r(maven, from_r):
    """R's default band is on the log scale; the rows hold 1 − S, so its limits swap."""
    lost_censored = Durations(maven.times, maven.events[:, :1], maven.censored + maven.events[:, 1], maven.late)
    curves = {"km_closed_any": kaplan_meier(maven, "log"), "km_won": kaplan_meier(lost_censored, "log")}
    seen = 0
    for row in from_r:
        name = next((name for name in curves if row["quantity"].startswith(name)), None)
        if name is None:
            continue
        curve, day = curves[name], float(row["t"])
        value, se, low, high = curve.at([day])[0]
        expected = [number(row[key]) for key in ("value", "se", "lo95", "hi95")]
        np.testing.assert_allclose([1 - value, se, 1 - high, 1 - low], expected, atol=EIGHT_DIGITS, rtol=0)
        assert curve.at_risk[np.searchsorted(curve.times, day)] == float(row["n_risk"])
        seen += 1
    assert seen == 10


def test_every_quantile_of_r(maven, from_r):
    curve = kaplan_meier(maven, "log")
    rows = [row for row in from_r if row["quantity"].startswith("km_quantile_")]
    shares = [float(row["quantity"].removeprefix("km_quantile_")) for row in rows]
    expected = [[number(row[key]) for key in ("value", "lo95", "hi95")] for row in rows]
    np.testing.assert_array_equal(curve.quantile(shares), expected)
    assert len(rows) == 4
    assert np.isnan(curve.quantile([0.9])).all()


def test_every_competing_row_of_r(maven, from_r):
    won, lost, waiting = aalen_johansen(maven, 0), aalen_johansen(maven, 1), kaplan_meier(maven)
    curves = {"aalen_johansen_won": won, "aalen_johansen_lost": lost, "aalen_johansen_open": waiting}
    rows = [row for row in from_r if row["quantity"] in curves]
    for row in rows:
        value, se = curves[row["quantity"]].at([float(row["t"])])[0, :2]
        np.testing.assert_allclose([value, se], [float(row["value"]), float(row["se"])], atol=EIGHT_DIGITS, rtol=0)
    assert len(rows) == 21


def random_units(rng, causes=1, ties=True):
    n = int(rng.integers(2, 200))
    times = rng.integers(0, 40, n).astype(float) if ties else rng.permutation(n) + rng.random(n)
    return times, rng.integers(0, causes + 1, n)


def test_agrees_with_lifelines_on_random_data():
    rng = np.random.default_rng(1)
    for _ in range(scaled(200)):
        times, causes = random_units(rng)
        curve = kaplan_meier(individuals(times, causes))
        other = lifelines.KaplanMeierFitter().fit(times, causes > 0)
        expected = other.survival_function_at_times(curve.times).to_numpy()
        # Two correct implementations differ by rounding only.
        np.testing.assert_allclose(curve.value, expected, atol=LONG_ROUNDING, rtol=0)
        band = other.confidence_interval_.loc[curve.times].to_numpy()
        inside = (curve.value > 0) & (curve.value < 1)
        np.testing.assert_allclose(curve.low[inside], band[inside, 0], atol=LONG_ROUNDING, rtol=0)
        np.testing.assert_allclose(curve.high[inside], band[inside, 1], atol=LONG_ROUNDING, rtol=0)


def test_competing_causes_agree_with_lifelines():
    rng = np.random.default_rng(2)
    for _ in range(scaled(100)):
        times, causes = random_units(rng, 2, ties=False)
        curve = aalen_johansen(individuals(times, causes, 2), 0)
        other = lifelines.AalenJohansenFitter(calculate_variance=False).fit(times, causes, event_of_interest=1)
        expected = other.cumulative_density_.loc[curve.times].to_numpy()[:, 0]
        np.testing.assert_allclose(curve.value, expected, atol=LONG_ROUNDING, rtol=0)


def jackknife_variance(times, causes, cause, step=1e-6):
    """Variance from what each unit's own weight does to the estimate, by finite differences."""

    def estimate(weights):
        waiting, share, path = 1.0, 0.0, []
        for t in np.unique(times):
            n = weights[times >= t].sum()
            share += waiting * weights[(times == t) & (causes == cause)].sum() / n
            waiting *= 1 - weights[(times == t) & (causes > 0)].sum() / n
            path.append(share)
        return np.array(path)

    ones = np.ones(len(times))
    moved = [(estimate(ones + step * row) - estimate(ones - step * row)) / (2 * step) for row in np.eye(len(times))]
    return (np.array(moved) ** 2).sum(axis=0)


def test_incidence_variance_is_the_infinitesimal_jackknife():
    rng = np.random.default_rng(3)
    for _ in range(scaled(50)):
        times, causes = rng.integers(0, 12, 30).astype(float), rng.integers(0, 3, 30)
        # Someone is left at the end: there the finite difference stays away from 0 / 0.
        times, causes = np.append(times, 12.0), np.append(causes, 0)
        curve = aalen_johansen(individuals(times, causes, 2), 0)
        # Central differences with step 1e-6 are good to about 1e-9.
        np.testing.assert_allclose(curve.se**2, jackknife_variance(times, causes, 1), atol=1e-8, rtol=0)


def test_one_cause_incidence_is_one_minus_survival():
    rng = np.random.default_rng(4)
    for _ in range(scaled(200)):
        durations = individuals(*random_units(rng))
        waiting, share = kaplan_meier(durations), aalen_johansen(durations)
        np.testing.assert_allclose(share.value, 1 - waiting.value, atol=ROUNDING, rtol=0)
        np.testing.assert_allclose(share.se**2, waiting.se**2, atol=SQUARE_ROUNDING, rtol=0)


def test_causes_and_waiting_add_up_to_one():
    rng = np.random.default_rng(5)
    for _ in range(scaled(200)):
        times, causes = random_units(rng, 3)
        durations = individuals(times, causes, 3)
        parts = [aalen_johansen(durations, k).value for k in range(3)]
        np.testing.assert_allclose(sum(parts) + kaplan_meier(durations).value, 1, atol=ROUNDING, rtol=0)


def test_order_and_grouping_of_rows_change_nothing():
    rng = np.random.default_rng(6)
    times, causes = random_units(rng, 2)
    order = rng.permutation(len(times))
    once, shuffled = individuals(times, causes, 2), individuals(times[order], causes[order], 2)
    for field in ("times", "events", "censored"):
        np.testing.assert_array_equal(getattr(once, field), getattr(shuffled, field))
    assert once.units == len(times)


@pytest.mark.parametrize(
    ("times", "causes", "share", "expected"),
    [
        ([1, 2, 3, 4], [1, 1, 1, 1], 0.5, 2.5),  # met exactly at 2: the middle of the flat 2..3
        ([1, 2, 2, 4], [1, 1, 1, 1], 0.5, 2.0),  # crossed at 2
        ([1, 2, 2, 4], [1, 0, 0, 0], 0.25, 2.5),  # met at the end: the middle up to the last time
        ([1, 2, 2, 4], [1, 0, 0, 0], 0.5, np.nan),  # never reached
        ([0, 0, 5], [1, 1, 1], 0.5, 0.0),  # zero-length stays count
        ([3, 3], [0, 0], 0.5, np.nan),  # nobody left
    ],
)
def test_quantile_rule(times, causes, share, expected):
    np.testing.assert_equal(kaplan_meier(individuals(times, causes)).quantile([share])[0, 0], expected)


def test_late_units_are_at_risk_only_after_arrival():
    """Three units; one of them seen from day 3 on. By hand: 1 − 1/2 at 2, then × (1 − 1/2) at 5."""
    durations = Durations.of([2, 3, 5, 7], [1, 0, 1, 0], [0, 0, 0, 1], late=[0, 1, 0, 0])
    assert durations.at_risk.tolist() == [2, 1, 2, 1]
    assert kaplan_meier(durations).value.tolist() == [0.5, 0.5, 0.25, 0.25]


def test_late_arrival_agrees_with_lifelines():
    rng = np.random.default_rng(7)
    for _ in range(scaled(100)):
        entry = rng.integers(0, 10, 60)
        end, ended = entry + rng.integers(1, 20, 60), rng.integers(0, 2, 60)
        times = np.arange(31)
        counts = [np.bincount(x, minlength=31) for x in (end[ended == 1], end[ended == 0], entry[entry > 0])]
        curve = kaplan_meier(Durations.of(times, *counts))
        other = lifelines.KaplanMeierFitter().fit(end, ended, entry=entry)
        expected = other.survival_function_at_times(curve.times).to_numpy()
        np.testing.assert_allclose(curve.value, expected, atol=LONG_ROUNDING, rtol=0)


def test_learned_window_takes_the_first_that_has_nine_tenths():
    quick = individuals([5] * 90 + [100] * 10 + [400] * 10, [1] * 100 + [0] * 10)
    assert learned_window(aalen_johansen(quick)) == 30
    slow = individuals([5] * 50 + [170] * 50 + [400] * 10, [1] * 100 + [0] * 10)
    assert learned_window(aalen_johansen(slow)) == 180
    never = individuals([400] * 10, [0] * 10)
    assert learned_window(aalen_johansen(never)) == 365


def test_half_of_the_final_value():
    curve = aalen_johansen(individuals([1, 2, 3, 4, 9, 9], [1, 1, 1, 1, 0, 0]))
    assert curve.final == pytest.approx(4 / 6)
    assert curve.time_to([curve.final / 2])[0] == 2.5


def test_split_gives_each_group_its_counts():
    groups, times = [1, 0, 1, 0], [3, 2, 1, 2]
    parts = split(groups, times, [[1, 0], [0, 1], [2, 0], [0, 1]], [0, 0, 1, 0])
    assert list(parts) == [0, 1]
    assert parts[0].times.tolist() == [2]
    assert parts[0].events.tolist() == [[0, 2]]
    assert parts[1].events.tolist() == [[2, 0], [1, 0]]
    assert parts[1].censored.tolist() == [1, 0]


def test_nothing_at_all():
    nothing = Durations.of([], np.zeros((0, 2)), [])
    assert kaplan_meier(nothing).final == 1
    assert aalen_johansen(nothing, 1).final == 0
    assert np.isnan(kaplan_meier(nothing).quantile([0.5])).all()
    assert kaplan_meier(nothing).at([3])[0, 0] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ([-1], [1], [0]),
        ([np.inf], [1], [0]),
        ([1], [-1], [0]),
        ([1, 2], [1, 1], [0]),
        ([1, 2], [1, 0], [0, 0], [0, 1]),
    ],
)
def test_refuses_impossible_counts(arguments):
    with pytest.raises(ValueError):
        Durations.of(*arguments)
