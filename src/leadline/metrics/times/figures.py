"""What is said of the units of one group by their lengths: percentiles, shares, the agreed time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadline.config import FIRST_RESPONSE
from leadline.maths.restricted import restricted_means
from leadline.maths.survival import incidence, kaplan_meier, reach, still_waiting
from leadline.metrics.query import Asked
from leadline.metrics.times.lengths import Key, Lengths, number
from leadline.model.calendar import DAY_SECONDS

Figures = dict[str, float | int | bool | None]

NEEDED = 10
"""Fewer units than that are counted, but nothing is estimated of them."""

HORIZON = 365
"""Days up to which the restricted mean counts."""

QUANTILES = {"median": 0.5, "p75": 0.75, "p90": 0.9}
ESTIMATES = (
    *[f"{name}_{part}" for name in QUANTILES for part in ("days", "low", "high")],
    *("advance_share", "advance_low", "advance_high", "advance_median_days", "restricted_mean_days"),
)
"""What is estimated of a row, in order."""


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


def figures(cells: Mapping[Key, tuple[Lengths, Agreed | None]]) -> dict[Key, Figures]:
    """Every figure of each row that rests on its lengths, which are distinct.

    Below `NEEDED` units, and where nobody has left yet, only counts are given and `thin` is true.
    All other rows are estimated together, as the rows of a few matrices: there may be thousands.
    """
    thick = [key for key, (lengths, _) in cells.items() if not is_thin(lengths)]
    estimates = dict(zip(thick, _estimated([cells[key][0] for key in thick]), strict=True))
    nothing: Figures = dict.fromkeys(ESTIMATES)
    return {
        key: {
            "n": lengths.units,
            "open": lengths.waiting,
            "thin": key not in estimates,
            **estimates.get(key, nothing),
            "horizon_days": HORIZON,
            **_within(lengths, limit),
        }
        for key, (lengths, limit) in cells.items()
    }


def percentiles(lengths: Lengths, shares: list[float]) -> NDArray[np.float64]:
    """Shape (m, 3): when each share has left, with its limits; NaN where it is not reached."""
    return kaplan_meier(lengths.durations()).quantile(shares)


def is_thin(lengths: Lengths) -> bool:
    """Whether there is too little to estimate from."""
    return lengths.units < NEEDED or lengths.waiting == lengths.units


def _estimated(rows: Sequence[Lengths]) -> list[Figures]:
    """The estimates of each row, in order; rows of similar size share a matrix, the shorter filled up."""
    order = sorted(range(len(rows)), key=lambda at: len(rows[at].seconds))
    found: dict[int, Figures] = {}
    while order:
        largest = len(rows[order[-1]].seconds)
        alike = [at for at in order if 2 * len(rows[at].seconds) >= largest]
        for at, values in zip(alike, _of_matrix([rows[at] for at in alike]), strict=True):
            found[at] = dict(zip(ESTIMATES, [number(value) for value in values], strict=True))
        order = order[: len(order) - len(alike)]
    return [found[at] for at in range(len(rows))]


def _of_matrix(rows: Sequence[Lengths]) -> NDArray[np.float64]:
    """Shape (rows, ESTIMATES). Beyond its last length a row is filled up with it and nobody: no curve moves there."""
    width = max(len(row.seconds) for row in rows)
    times, counts = np.zeros((len(rows), width)), np.zeros((len(rows), width, 3), dtype=np.int64)
    for at, row in enumerate(rows):
        place = np.argsort(row.seconds)
        times[at] = row.seconds[place[-1]] / DAY_SECONDS
        times[at, : len(place)], counts[at, : len(place)] = row.seconds[place] / DAY_SECONDS, row.counts[place]
    gone, ended = counts.sum(axis=2), counts[:, :, :2].sum(axis=2)
    at_risk = gone.sum(axis=1, keepdims=True) - np.cumsum(gone, axis=1) + gone
    waiting, _, *limits = still_waiting(ended, at_risk)
    quantiles = [reach(times, 1 - band, list(QUANTILES.values())) for band in (waiting, *limits)]
    share, _, low, high = incidence(counts[:, :, 0], ended, at_risk)
    final = share[:, -1:]
    half = np.where(final > 0, reach(times, share, final / 2), np.nan)
    mean = restricted_means(times, ended, at_risk, HORIZON)[0][:, None]
    of_quantiles = np.stack(quantiles, axis=2).reshape(len(rows), -1)
    return np.concatenate([of_quantiles, final, low[:, -1:], high[:, -1:], half, mean], axis=1)


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
