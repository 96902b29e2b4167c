"""Rules on journeys: which share of a conversion each touch gets, from its place alone.

A path has no times and no milestones. So U is its first touch, its last touch and what lies between,
and time decay counts steps back from the end in place of days.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from leadline.maths.paths.journeys import Floats, Journeys, added


def first(given: Journeys) -> Floats:
    """All to the first touch: shape (n,), adding up to 1 in each journey."""
    return (given.place == 0).astype(np.float64)


def last(given: Journeys) -> Floats:
    """All to the last touch."""
    return (given.place == _size(given) - 1).astype(np.float64)


def even(given: Journeys) -> Floats:
    """The same to every touch."""
    return 1.0 / _size(given)


def even_per_campaign(given: Journeys) -> Floats:
    """The same to every distinct campaign, shared by its touches."""
    at, code = given.memberships
    distinct = np.bincount(at, minlength=len(given.lengths))
    keys = given.owner * given.states + given.touches
    own = np.searchsorted(at * given.states + code, keys)
    touches = np.bincount(own, minlength=len(at))
    return 1.0 / (distinct[given.owner] * touches[own])


def position(given: Journeys, first_share: float = 0.4, last_share: float = 0.4) -> Floats:
    """Fixed shares to the first and the last touch, the rest to those between them, evenly.

    Two touches share in the proportion of first to last; one touch has it all.

    Args:
        given: the journeys.
        first_share, last_share: not negative, together above 0 and at most 1.

    Raises:
        ValueError: other shares.
    """
    ends = first_share + last_share
    if min(first_share, last_share) < 0 or not 0 < ends <= 1:
        raise ValueError("shares of first and last must not be negative and add up to more than 0 and at most 1")
    size = _size(given)
    is_first, is_last = given.place == 0, given.place == size - 1
    middle = (1 - ends) / np.maximum(size - 2, 1)
    return np.select(
        [size == 1, is_first & (size == 2), is_last & (size == 2), is_first, is_last],
        [1.0, first_share / ends, last_share / ends, first_share, last_share],
        middle,
    )


def time_decay(given: Journeys, half_life: float = 1.0) -> Floats:
    """Weights that halve with every `half_life` steps back from the end, made to add up to 1.

    Raises:
        ValueError: a half-life that is not above 0.
    """
    if not half_life > 0:
        raise ValueError("a half-life must be above 0")
    size = _size(given)
    keep = 0.5 ** (1.0 / half_life)
    sums = np.cumsum(keep ** np.arange(int(given.lengths.max(initial=0))))
    return keep ** (size - 1.0 - given.place) / sums[size - 1]


def credited(given: Journeys, weights: Floats) -> tuple[Floats, Floats]:
    """Conversions and value per state, shape (states,) each, by the touches' shares."""
    return tuple(  # type: ignore[return-value]  # two of them
        added(given.touches, weights * amount[given.owner], given.states) for amount in (given.conversions, given.value)
    )


def at_end(given: Journeys, *, start: bool) -> tuple[Floats, Floats]:
    """The credit of `first` or `last` without a look at the touches between."""
    some = given.some
    ends = given.touches[given.offsets[:-1][some] if start else given.offsets[1:][some] - 1]
    return tuple(  # type: ignore[return-value]  # two of them
        added(ends, amount[some], given.states) for amount in (given.conversions, given.value)
    )


def _size(given: Journeys) -> np.ndarray:
    return given.lengths[given.owner]


WEIGHTS: dict[str, Callable[..., Floats]] = {
    "first": first,
    "last": last,
    "even": even,
    "even_per_campaign": even_per_campaign,
    "u_shaped": position,
    "position": position,
    "time_decay": time_decay,
}
"""Rules by name; each gives the touches their shares."""
