"""Amounts are split to the last minor unit."""

from fractions import Fraction

import numpy as np
import pytest

from tests.reference.apportion import AMOUNT_LIMIT, POINTS_LIMIT, apportion, integer_points
from tests.scale import scaled


def by_hand(amount, points):
    """Largest remainder in exact fractions, one group."""
    quotas = [Fraction(abs(amount) * p, sum(points)) for p in points]
    whole = [int(quota) for quota in quotas]
    ranked = sorted(range(len(points)), key=lambda i: (whole[i] - quotas[i], i))
    for i in ranked[: abs(amount) - sum(whole)]:
        whole[i] += 1
    return [part if amount >= 0 else -part for part in whole]


def random_splits(rng, groups, most_rows=12):
    sizes = rng.integers(1, most_rows, groups)
    group = np.repeat(np.arange(groups), sizes)
    points = rng.integers(0, 80_000, len(group))
    points[np.append(0, np.cumsum(sizes)[:-1])] += 1
    magnitude = rng.integers(0, 50, groups)
    amounts = rng.integers(0, 2**magnitude, endpoint=True) * rng.choice([-1, 1], groups)
    return amounts, group, points


def test_every_random_split_adds_up():
    amounts, group, points = random_splits(np.random.default_rng(1), scaled(200_000))
    credit = apportion(amounts, group, points)
    sums = np.zeros(len(amounts), np.int64)
    np.add.at(sums, group, credit)
    np.testing.assert_array_equal(sums, amounts)
    # Nobody is more than one minor unit away from the exact quota, nor on the wrong side of 0.
    total = np.bincount(group, points)[group]
    assert (np.abs(credit - amounts[group] * (points / total)) < 1 + np.abs(amounts[group]) * 1e-12).all()
    assert (credit * np.sign(amounts)[group] >= 0).all()
    assert (credit[points == 0] == 0).all()


def test_agrees_with_exact_fractions():
    amounts, group, points = random_splits(np.random.default_rng(2), scaled(5_000))
    credit = apportion(amounts, group, points)
    edges = np.searchsorted(group, np.arange(len(amounts) + 1))
    for i, amount in enumerate(amounts):
        rows = slice(edges[i], edges[i + 1])
        assert credit[rows].tolist() == by_hand(int(amount), points[rows].tolist())


@pytest.mark.parametrize(
    ("amount", "points", "expected"),
    [
        (100, [1, 1, 1], [34, 33, 33]),  # ties: the earlier row
        (-100, [1, 1, 1], [-34, -33, -33]),
        (1, [1, 1], [1, 0]),
        (2, [30, 30, 40], [1, 0, 1]),  # remainders .6, .6 and .8
        (0, [5, 1], [0, 0]),
        (AMOUNT_LIMIT - 1, [1, POINTS_LIMIT - 1], [1125899907, 1125898780942716]),
    ],
)
def test_splits_by_hand(amount, points, expected):
    assert sum(expected) == amount
    assert apportion([amount], [0] * len(points), points).tolist() == expected


def test_groups_may_be_interleaved_and_empty():
    credit = apportion([10, 99, 5], [0, 2, 0, 2], [1, 1, 3, 1])
    assert credit.tolist() == [3, 3, 7, 2]


@pytest.mark.parametrize(
    ("amount", "points"),
    [(AMOUNT_LIMIT, [1]), (-AMOUNT_LIMIT, [1]), (5, [0, 0]), (5, [-1, 2]), (5, [POINTS_LIMIT, 1])],
)
def test_refuses_what_it_cannot_split_exactly(amount, points):
    with pytest.raises(ValueError):
        apportion([amount], [0] * len(points), points)


def test_real_weights_on_the_grid():
    points = integer_points([0.5, 0.25, 0.25, 0, -3, 0, 0], [0, 0, 0, 1, 1, 2, 2], 3)
    assert points.tolist() == [500_000, 250_000, 250_000, 500_000, 500_000, 500_000, 500_000]
    assert integer_points([1, 1, 1], [0, 0, 0], 1).tolist() == [333_333] * 3


def test_grid_never_exceeds_its_sum():
    rng = np.random.default_rng(3)
    for _ in range(scaled(300)):
        n = int(rng.integers(1, 60))
        group = rng.integers(0, 5, n)
        points = integer_points(rng.exponential(1, n) ** 5, group, 5)
        assert (np.bincount(group, points, 5) <= POINTS_LIMIT).all()
        assert (points >= 0).all()
