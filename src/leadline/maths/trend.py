"""Whether numbers in a row rise or fall: the test of Mann 1945 with Kendall's variance under ties (Kendall 1975)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def mann_kendall(values: Sequence[float]) -> tuple[float, float]:
    """Kendall's tau of values against their order, and the two-sided p-value of no trend.

    Args:
        values: in order, at least two; equal ones are ties.

    Returns:
        tau within -1..1 (below 0: falling; ties count as neither), and p by the normal distribution
        with correction for continuity: from eight values on it is off by less than 0.01. Values that
        are all the same give 0 and 1.
    """
    series = np.asarray(values, np.float64)
    n = len(series)
    score = float(np.sign(series[None, :] - series[:, None])[np.triu_indices(n, 1)].sum())
    ties = np.unique(series, return_counts=True)[1].astype(np.float64)
    spread = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    if spread <= 0:
        return 0.0, 1.0
    z = max(abs(score) - 1, 0.0) / math.sqrt(spread)
    return score / (n * (n - 1) / 2), math.erfc(z / math.sqrt(2))
