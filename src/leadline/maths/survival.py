"""Time to an event when some units are still waiting: Kaplan-Meier and Aalen-Johansen.

Everything works on counts per distinct duration, which an engine delivers by one `group by`,
so the cost depends on the number of distinct durations and not on the number of units.

Sources: Kaplan & Meier 1958 (product limit), Greenwood 1926 (its variance), Aalen & Johansen
1978 (competing causes), Kalbfleisch & Prentice 1980 (log-log limits), Brookmeyer & Crowley
1982 (limits of a quantile by inverting the band). Conventions are those of the R package
`survival`: a unit censored at t is at risk at t; a unit that comes under observation at t is
at risk after t; a quantile that the curve meets exactly is the middle of the flat stretch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leadline.maths.intervals import Z95

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Transform = Literal["log-log", "log"]
Estimate = tuple[Floats, Floats, Floats, Floats]

# A level counts as met exactly when it differs from the curve by rounding only; R's tolerance.
_TIE = float(np.sqrt(np.finfo(np.float64).eps))
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Durations:
    """How many units ended, or were last seen waiting, at each duration.

    Attributes:
        times: shape (n,), strictly ascending, in days.
        events: shape (n, causes), units that ended at that duration by each cause.
        censored: shape (n,), units still waiting when last seen, at that duration.
        late: shape (n,), units that came under observation only at that duration (left
            truncation); they are at risk after it.
    """

    times: Floats
    events: Counts
    censored: Counts
    late: Counts

    @classmethod
    def of(cls, times: ArrayLike, events: ArrayLike, censored: ArrayLike, late: ArrayLike | None = None) -> Durations:
        """Counts in any order, equal durations merged.

        Args:
            times: shape (n,), days, finite and not negative.
            events: shape (n,) for one cause or (n, causes).
            censored: shape (n,).
            late: shape (n,); units first observed at that duration, none if absent.

        Raises:
            ValueError: shapes that differ, a negative count, a time below 0 or not finite, or
                a unit that ended before it came under observation.
        """
        given = np.asarray(times, dtype=np.float64)
        counts = _columns(events, censored, late, len(given))
        if given.ndim != 1 or not np.isfinite(given).all() or (given < 0).any():
            raise ValueError("times must be one row of finite durations of 0 or more")
        if (counts < 0).any():
            raise ValueError("counts of events, censored and late units must not be negative")
        distinct, place = np.unique(given, return_inverse=True)
        merged = np.zeros((len(distinct), counts.shape[1]), dtype=np.int64)
        np.add.at(merged, place, counts)
        durations = cls(distinct, merged[:, :-2], merged[:, -2], merged[:, -1])
        if (durations.at_risk < merged[:, :-1].sum(axis=1)).any():
            raise ValueError("more units ended than were at risk; a late unit must end after it arrived")
        return durations

    @property
    def at_risk(self) -> Counts:
        """Shape (n,): units that could still end at each duration, just before it."""
        gone = self.events.sum(axis=1) + self.censored
        before = np.cumsum(gone) - gone
        arrived = np.cumsum(self.late) - self.late
        return gone.sum() - self.late.sum() + arrived - before

    @property
    def units(self) -> int:
        """Number of units, ended or not."""
        return int(self.events.sum() + self.censored.sum())

    def any_cause(self) -> Durations:
        """The same units with all causes of ending taken as one."""
        return Durations(self.times, self.events.sum(axis=1, keepdims=True), self.censored, self.late)


@dataclass(frozen=True, slots=True)
class Curve:
    """An estimated step function of time with its 95 % band.

    Attributes:
        times: shape (n,), ascending; the value holds from that time on.
        value: shape (n,), the estimate.
        se: shape (n,), standard error of `value`.
        low, high: shape (n,), limits; NaN where the transform is undefined (value 0 or 1).
        at_risk: shape (n,), units at risk just before the time.
        start: the value before the first time: 1 for a survival curve, 0 for an incidence.
    """

    times: Floats
    value: Floats
    se: Floats
    low: Floats
    high: Floats
    at_risk: Counts
    start: float

    def at(self, times: ArrayLike) -> Floats:
        """Shape (m, 4): value, standard error, low and high at each of m times.

        Beyond the last time the last row is carried forward.
        """
        place = np.searchsorted(self.times, np.asarray(times, dtype=np.float64), side="right")
        first = np.array([[self.start, 0.0, np.nan, np.nan]])
        return np.vstack([first, np.column_stack([self.value, self.se, self.low, self.high])])[place]

    @property
    def final(self) -> float:
        """The value after the last time."""
        return float(self.value[-1]) if len(self.value) else self.start

    def quantile(self, shares: ArrayLike) -> Floats:
        """When a share of units has left, of a survival curve; shape (m, 3): time, low, high.

        Args:
            shares: shape (m,), between 0 and 1; 0.5 asks for the median.

        NaN stands for "not reached". The limits are the times at which the lower and the
        upper limit of the curve leave the same share.
        """
        bands = (self.value, self.low, self.high)
        return np.column_stack([reach(self.times, 1 - band, shares) for band in bands])

    def time_to(self, levels: ArrayLike) -> Floats:
        """When an incidence curve reaches each of m levels, shape (m,); NaN if it never does."""
        return reach(self.times, self.value, levels)


def kaplan_meier(durations: Durations, transform: Transform = "log-log") -> Curve:
    """Share of units still waiting at each duration, ended by whatever cause.

    The standard error is Greenwood's; the band is 95 % on the scale of `transform`.
    """
    at_risk, ended = durations.at_risk, durations.events.sum(axis=1)
    return Curve(durations.times, *still_waiting(ended, at_risk, transform), at_risk, 1.0)


def still_waiting(ended: Counts, at_risk: Counts, transform: Transform = "log-log") -> Estimate:
    """The curve of Kaplan and Meier along the last axis: value, standard error, low, high.

    Args:
        ended, at_risk: units at each duration, of one group or, with more axes, of several.
    """
    hazard = _ratio(ended, at_risk)
    waiting = np.cumprod(1 - hazard, axis=-1, dtype=np.float64)
    # After everyone has ended the estimate is 0 for certain, so Greenwood's sum stops there.
    greenwood = np.cumsum(_ratio(ended, at_risk * (at_risk - ended).astype(np.float64)), axis=-1)
    se = waiting * np.sqrt(greenwood)
    return waiting, se, *_limits(waiting, se, transform)


def aalen_johansen(durations: Durations, cause: int = 0, transform: Transform = "log-log") -> Curve:
    """Share of units that have ended by one cause at each duration, the others competing.

    Args:
        durations: counts with one column of events per cause.
        cause: which column.
        transform: scale on which the 95 % band is symmetric.

    The variance is that of the multinomial (delta method), which for this estimator equals
    the infinitesimal jackknife.
    """
    at_risk, ended = durations.at_risk, durations.events.sum(axis=1)
    return Curve(durations.times, *incidence(durations.events[:, cause], ended, at_risk, transform), at_risk, 0.0)


def incidence(of_cause: Counts, ended: Counts, at_risk: Counts, transform: Transform = "log-log") -> Estimate:
    """The curve of Aalen and Johansen along the last axis: value, standard error, low, high.

    Args:
        of_cause, ended, at_risk: units at each duration, those that ended by the cause and by any;
            of one group or, with more axes, of several.
    """
    own, hazard = _ratio(of_cause, at_risk), _ratio(ended, at_risk)
    after = np.cumprod(1 - hazard, axis=-1)
    waiting = np.concatenate([np.ones_like(after[..., :1]), after[..., :-1]], axis=-1)
    share = np.cumsum(waiting * own, axis=-1)
    se = np.sqrt(_incidence_variance(waiting, own, hazard, share, at_risk))
    return share, se, *_limits(share, se, transform)


def learned_window(curve: Curve, candidates: Sequence[int] = (30, 60, 90, 180, 365), share: float = 0.9) -> int:
    """The smallest candidate window at which an incidence has `share` of its value at the last.

    Returns the last candidate when no earlier one does, or when nothing ever happened.
    """
    values = curve.at(candidates)[:, 0]
    enough = np.flatnonzero(values >= share * values[-1])
    return candidates[int(enough[0])] if values[-1] > 0 else candidates[-1]


def split(groups: ArrayLike, times: ArrayLike, events: ArrayLike, censored: ArrayLike) -> dict[int, Durations]:
    """Counts of many groups at once → one `Durations` per group code, ascending.

    Args:
        groups: shape (n,), integer code of the group each row of counts belongs to.
        times, events, censored: as for `Durations.of`.
    """
    codes = np.asarray(groups, dtype=np.int64)
    order = np.argsort(codes, kind="stable")
    distinct, starts = np.unique(codes[order], return_index=True)
    given, counts, waiting = (np.asarray(values)[order] for values in (times, events, censored))
    ends = np.append(starts[1:], len(codes))
    return {
        int(code): Durations.of(given[lo:hi], counts[lo:hi], waiting[lo:hi])
        for code, lo, hi in zip(distinct, starts, ends, strict=True)
    }


def _columns(events: ArrayLike, censored: ArrayLike, late: ArrayLike | None, rows: int) -> Counts:
    """One matrix of all counts: causes, then censored, then late."""
    ended = np.asarray(events, dtype=np.int64)
    ended = ended.reshape(rows, -1) if rows else np.zeros((0, ended.shape[1] if ended.ndim == 2 else 1), np.int64)
    waiting = np.asarray(censored, dtype=np.int64)
    arrived = np.zeros(rows, dtype=np.int64) if late is None else np.asarray(late, dtype=np.int64)
    if waiting.shape != (rows,) or arrived.shape != (rows,):
        raise ValueError(f"times has {rows} entries; censored has shape {waiting.shape}, late {arrived.shape}")
    return np.column_stack([ended, waiting, arrived])


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64] | Floats) -> Floats:
    """Part of a whole, 0 where nothing is at risk."""
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)


def _incidence_variance(waiting: Floats, own: Floats, hazard: Floats, share: Floats, at_risk: Counts) -> Floats:
    """Variance of an incidence at each time t, as sums over the times s ≤ t.

    A change of the hazards at s moves the incidence at t by `waiting·(1 if own)` minus what
    the units lost at s would still have contributed, (share(t) − share(s)) / (1 − hazard(s)).
    Written out, the square is a polynomial in share(t), whose coefficients are running sums.
    """
    per_unit = np.divide(1.0, at_risk, out=np.zeros(at_risk.shape), where=at_risk > 0)
    # Where everyone left has ended, nothing can follow: the second effect is nil.
    odds = np.divide(hazard, 1 - hazard, out=np.zeros(hazard.shape), where=hazard < 1)
    own_part = np.cumsum(waiting**2 * own * (1 - own) * per_unit, axis=-1)
    cross = np.cumsum(waiting * own * per_unit, axis=-1)
    cross_share = np.cumsum(waiting * own * per_unit * share, axis=-1)
    later = np.cumsum(odds * per_unit, axis=-1)
    later_share = np.cumsum(odds * per_unit * share, axis=-1)
    later_square = np.cumsum(odds * per_unit * share**2, axis=-1)
    variance = own_part - 2 * (share * cross - cross_share) + share**2 * later - 2 * share * later_share + later_square
    # The terms cancel to rounding where the variance is 0; it cannot be negative.
    return np.maximum(variance, 0.0)


def _limits(value: Floats, se: Floats, transform: Transform) -> tuple[Floats, Floats]:
    """95 % limits symmetric on the given scale; NaN where the scale is undefined."""
    # A sum of shares may miss 1 by rounding, where the scale would blow it up.
    inside = (value > _ROUNDING) & (value < 1 - _ROUNDING)
    safe = np.where(inside, value, 0.5)
    if transform == "log":
        step = Z95 * se / safe
        low, high = safe * np.exp(-step), np.minimum(safe * np.exp(step), 1.0)
    else:
        step = Z95 * se / np.abs(safe * np.log(safe))
        low, high = safe ** np.exp(step), safe ** np.exp(-step)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def reach(times: Floats, rising: Floats, levels: ArrayLike) -> Floats:
    """First time at which a rising step function reaches each of m levels; NaN if it never does.

    A level met exactly holds on a flat stretch: the answer is its middle, that is the mean
    of its beginning and of the next rise, or of the last time observed at the curve's end.

    Args:
        times, rising: shape (…, n); NaN is what is not known.
        levels: shape (m,), or (…, m) for levels of each curve's own.

    Returns:
        shape (…, m).
    """
    wanted = np.broadcast_to(np.asarray(levels, dtype=np.float64), (*times.shape[:-1], np.shape(levels)[-1]))
    known, nothing = ~np.isnan(rising), np.zeros_like(times[..., :0].sum(axis=-1, keepdims=True))
    # A limit may step back a little where the curve is nearly flat; the first crossing counts.
    x = np.concatenate([nothing, times], axis=-1)
    y = np.maximum.accumulate(np.concatenate([nothing, np.where(known, rising, 0.0)], axis=-1), axis=-1)
    at_end = known.all(axis=-1) | (known[..., -1] if known.shape[-1] else True)
    found = np.full(wanted.shape, np.nan)
    for place in range(wanted.shape[-1]):
        level = wanted[..., place]
        first, following = _first(x, y >= (level - _TIE)[..., None]), _first(x, y > (level + _TIE)[..., None])
        ends_there = (np.abs(level - y[..., -1]) < _TIE) & at_end
        middle = (first + np.where(ends_there, x[..., -1], following)) / 2
        found[..., place] = np.where(level <= 0, 0.0, middle)
    return found


def _first(times: Floats, met: NDArray[np.bool_]) -> Floats:
    """The time of the first place along the last axis where something holds; NaN without one."""
    place = met.argmax(axis=-1)[..., None]
    there = np.take_along_axis(met, place, axis=-1)
    return np.where(there, np.take_along_axis(times, place, axis=-1), np.nan)[..., 0]
