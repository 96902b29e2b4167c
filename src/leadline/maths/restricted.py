"""Mean time up to a horizon: the area under a curve of waiting units.

A mean of all time is not known while some still wait; the mean of the time up to a horizon is.
Source: Irwin 1949; the variance is that of the R package `survival` (Greenwood over the area left).
"""

from __future__ import annotations

import numpy as np

from leadline.maths.survival import Counts, Durations, Floats, still_waiting


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
    at_risk, ended = durations.at_risk, durations.events.sum(axis=1)
    mean, error = restricted_means(durations.times, ended, at_risk, horizon)
    return float(mean), float(error)


def restricted_means(times: Floats, ended: Counts, at_risk: Counts, horizon: float) -> tuple[Floats, Floats]:
    """The same along the last axis: of one group or, with more axes, of several.

    Args:
        times: ascending.
        ended, at_risk: units at each of them.
    """
    waiting = still_waiting(ended, at_risk)[0]
    cut = np.minimum(times, horizon)
    start = np.zeros_like(times[..., :0].sum(axis=-1, keepdims=True))
    edges = np.concatenate([start, cut, start + horizon], axis=-1)
    areas = np.diff(edges, axis=-1) * np.concatenate([start + 1.0, waiting], axis=-1)
    whole = areas.sum(axis=-1)
    # Beyond each time: what the units that ended there would have added had they waited on.
    beyond = whole[..., None] - np.cumsum(areas, axis=-1)[..., :-1]
    # After everyone has ended nothing lies beyond; the last term is 0 by its area.
    spread = at_risk * (at_risk - ended).astype(np.float64)
    inside = (spread > 0) & (times < horizon)
    terms = np.divide(beyond**2 * ended, spread, out=np.zeros(times.shape), where=inside)
    if not times.shape[-1]:
        return whole * np.nan, whole * np.nan
    unknown = (times[..., -1] < horizon) & (waiting[..., -1] > 0)
    return np.where(unknown, np.nan, whole), np.where(unknown, np.nan, np.sqrt(terms.sum(axis=-1)))
