"""What is said of the units of one group by their lengths: percentiles, shares, the agreed time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.config import FIRST_RESPONSE
from leadline.maths.restricted import restricted_mean
from leadline.maths.survival import Curve, aalen_johansen, kaplan_meier
from leadline.metrics.query import Asked
from leadline.metrics.times.lengths import Lengths, number
from leadline.model.calendar import DAY_SECONDS

Figures = dict[str, float | int | bool | None]

NEEDED = 10
"""Fewer units than that are counted, but nothing is estimated of them."""

HORIZON = 365
"""Days up to which the restricted mean counts."""

QUANTILES = {"median": 0.5, "p75": 0.75, "p90": 0.9}


@dataclass(frozen=True, slots=True)
class Agreed:
    """An agreed time.

    Attributes:
        days: within which a unit has to leave.
        by_advance: whether only moving up fulfils it (first response), not any exit.
    """

    days: int
    by_advance: bool = False


def agreed(asked: Asked, measure: str, stage_no: int) -> Agreed | None:
    """The agreed time of a stage for this measure, if one is set."""
    limits = asked.funnel.sla_days
    if measure == FIRST_RESPONSE:
        return Agreed(limits[FIRST_RESPONSE], by_advance=True) if FIRST_RESPONSE in limits else None
    days = limits.get(asked.stage_name(stage_no)) if measure != "cycle" else None
    return None if days is None else Agreed(days)


def figures(lengths: Lengths, limit: Agreed | None) -> Figures:
    """Every figure of a row that rests on lengths.

    Below `NEEDED` units, and where nobody has left yet, only counts are given and `thin` is true.
    """
    thin = is_thin(lengths)
    found: Figures = {"n": lengths.units, "open": lengths.waiting, "thin": thin}
    durations = lengths.durations()
    quantiles = percentiles(lengths, list(QUANTILES.values()))
    for at, name in enumerate(QUANTILES):
        columns = (f"{name}_days", f"{name}_low", f"{name}_high")
        found |= dict(zip(columns, [None if thin else number(value) for value in quantiles[at]], strict=True))
    found |= _advance(aalen_johansen(durations, 0), thin)
    mean = math.nan if thin else restricted_mean(durations, HORIZON)[0]
    return found | {"restricted_mean_days": number(mean), "horizon_days": HORIZON} | _within(lengths, limit)


def percentiles(lengths: Lengths, shares: list[float]) -> NDArray[np.float64]:
    """Shape (m, 3): when each share has left, with its limits; NaN where it is not reached."""
    return kaplan_meier(lengths.durations()).quantile(shares)


def is_thin(lengths: Lengths) -> bool:
    """Whether there is too little to estimate from."""
    return lengths.units < NEEDED or lengths.waiting == lengths.units


def _advance(curve: Curve, thin: bool) -> Figures:
    names = ("advance_share", "advance_low", "advance_high", "advance_median_days")
    if thin:
        return dict.fromkeys(names)
    half = curve.time_to([curve.final / 2])[0] if curve.final > 0 else math.nan
    low, high = number(float(curve.low[-1])), number(float(curve.high[-1]))
    return dict(zip(names, (curve.final, low, high, number(half)), strict=True))


def _within(lengths: Lengths, limit: Agreed | None) -> Figures:
    """Share that kept the agreed time, of the units of which that is known by now.

    Known are those that have left, early or late, and those still there beyond the time. Who is
    still within it is too young.
    """
    if limit is None:
        return dict.fromkeys(("sla_days", "sla_share", "sla_known", "sla_too_young"))
    early = lengths.seconds <= limit.days * DAY_SECONDS
    young = int(lengths.counts[early, 2].sum())
    kept = int(lengths.counts[early, 0].sum()) + (0 if limit.by_advance else int(lengths.counts[early, 1].sum()))
    known = lengths.units - young
    share = kept / known if known >= NEEDED else None
    return {"sla_days": limit.days, "sla_share": share, "sla_known": known, "sla_too_young": young}
