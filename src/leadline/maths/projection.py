"""What a count or an amount that has come so far will come to, with an interval.

The rest of a period is taken as drawn at the rate so far, with the spread that the weeks before
have shown. The spread is one number, the dispersion: variance ÷ mean of a week, 1 for events that
come one by one and independently (Poisson), more where they come in clusters, such as after a
fair; for amounts it also holds the sizes of the deals and has the unit of money.

Sources: McCullagh & Nelder 1989, chapter 4 (dispersion from Pearson residuals); Jeffreys 1946 (the
half event that keeps an interval open where nothing has come yet); the predictive distribution
of a Poisson count whose rate was seen with an error is negative binomial, of an amount a gamma
distribution of the same mean and variance is taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

FEWEST_WEEKS = 8
"""Weeks that must have been seen before a spread is estimated."""


def dispersion(values: ArrayLike, exposure: ArrayLike) -> float | None:
    """Variance ÷ mean per week, from Pearson residuals.

    Args:
        values: shape (n,), what came in each week.
        exposure: shape (n,), working days of each week; weeks without any are left out.

    Returns:
        The dispersion, or None with fewer than `FEWEST_WEEKS` weeks or if nothing came in them.
    """
    came, days = np.asarray(values, np.float64), np.asarray(exposure, np.float64)
    came, days = came[days > 0], days[days > 0]
    if len(came) < FEWEST_WEEKS or came.sum() <= 0:
        return None
    expected = came.sum() * days / days.sum()
    return float(((came - expected) ** 2 / expected).sum() / (len(came) - 1))


def rest_of_count(so_far: int, ratio: float, spread: float, level: float = 0.9) -> tuple[float, float]:
    """Interval of the events still to come.

    Args:
        so_far: events that have come.
        ratio: the rest of the period ÷ its part so far, above 0.
        spread: the dispersion; taken as 1 where it is less.
        level: share of the probability inside, the same outside on both sides.

    Returns:
        Low and high.

    Raises:
        ValueError: a ratio or spread that is not above 0, or less so far than an interval can rest on.
    """
    mean, variance = _moments(so_far, ratio, max(spread, 1.0))
    low, high = (1 - level) / 2, (1 + level) / 2
    return _negative_binomial(mean, variance, low), _negative_binomial(mean, variance, high)


def rest_of_amount(so_far: float, events: int, ratio: float, spread: float, level: float = 0.9) -> tuple[float, float]:
    """Interval of the amount still to come; arguments as for counts.

    Args:
        so_far: amount that has come, in any unit of money.
        events: how many events brought it. Where too few come to be sure of another one, the lower
            limit is 0: an amount taken as gamma would never say so.
        ratio: the rest of the period ÷ its part so far, above 0.
        spread: the dispersion in the same unit of money.
        level: share of the probability inside.

    Raises:
        ValueError: a ratio or spread that is not above 0, or less so far than an interval can rest on.
    """
    mean, variance = _moments(so_far, ratio, spread)
    tail = (1 - level) / 2
    chance_of_none = (1 + ratio) ** -(events + 0.5)
    low = 0.0 if chance_of_none >= tail else _gamma(mean, variance, tail)
    return low, _gamma(mean, variance, 1 - tail)


def _moments(so_far: float, ratio: float, spread: float) -> tuple[float, float]:
    """Mean and variance of the rest: that of the events to come, and that of the rate so far."""
    start = so_far + spread / 2
    if ratio <= 0 or spread <= 0 or start <= 0:
        raise ValueError("ratio, spread and what came so far must leave something to expect")
    mean = start * ratio
    return mean, spread * mean * (1 + ratio)


def _gamma(mean: float, variance: float, tail: float) -> float:
    from scipy.special import gammaincinv  # 0.1 s to import, and most commands project nothing

    return float(gammaincinv(mean**2 / variance, tail) * variance / mean)


def _negative_binomial(mean: float, variance: float, tail: float) -> float:
    """The smallest whole number whose cumulative probability reaches `tail`."""
    from scipy.special import betainc

    size, chance = mean**2 / (variance - mean), mean / variance
    low, high = -1, max(1, int(mean))
    while betainc(size, high + 1, chance) < tail:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if betainc(size, middle + 1, chance) >= tail else (middle, high)
    return float(high)
