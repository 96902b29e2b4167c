"""Mean time up to a horizon: the area under a curve of waiting units.

A mean of all time is not known while some still wait; the mean of the time up to a horizon is.
Source: Irwin 1949; the variance is that of the R package `survival` (Greenwood over the area left).
"""

from __future__ import annotations

import math

import numpy as np

from leadline.maths.survival import Durations, kaplan_meier


def restricted_mean(durations: Durations, horizon: float) -> tuple[float, float]:
    """Mean of min(time, horizon) and its standard error.

    Args:
        durations: units by the time they ended or were last seen.
        horizon: in days, above 0.

    Returns:
        NaN twice where nobody was observed up to the horizon although some still waited: what they
        did until then is not known.

    Raises:
        ValueError: a horizon of 0 or less.
    """
    if not horizon > 0:
        raise ValueError("the horizon of a mean must be above 0")
    curve = kaplan_meier(durations)
    if not len(curve.times) or (curve.times[-1] < horizon and curve.final > 0):
        return math.nan, math.nan
    inside = curve.times < horizon
    times, waiting = curve.times[inside], curve.value[inside]
    edges = np.concatenate([[0.0], times, [horizon]])
    areas = np.diff(edges) * np.concatenate([[1.0], waiting])
    # Beyond each time: what the units that ended there would have added had they waited on.
    beyond = areas.sum() - np.cumsum(areas)[:-1]
    ended, at_risk = durations.events.sum(axis=1)[inside], curve.at_risk[inside]
    # After everyone has ended nothing lies beyond; the last term is 0 by its area.
    spread = at_risk * (at_risk - ended).astype(np.float64)
    terms = np.divide(beyond**2 * ended, spread, out=np.zeros(len(times)), where=spread > 0)
    return float(areas.sum()), math.sqrt(float(terms.sum()))
