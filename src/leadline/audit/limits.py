"""The limits of checks: from where on a count, a length or a score is worth saying."""

from __future__ import annotations

from dataclasses import dataclass

from leadline.config import Settings


@dataclass(frozen=True, slots=True)
class Limit:
    """What `limit` under [audit.CODE] of leadline.toml means for one check.

    Attributes:
        value: the limit unless configured.
        text: what it counts.
    """

    value: float
    text: str


LIMITS: dict[str, Limit] = {
    "bulk-loaded-day": Limit(25, "responses of one campaign written by one user within one hour"),
    "history-ages-out": Limit(60, "days before the platform drops a row of history"),
    "close-date-pushed": Limit(3, "times a close date was moved to a later day"),
    "close-dates-bunched": Limit(0.05, "share of closed opportunities on the last day of a quarter"),
    "zone-suspicion": Limit(20, "records whose date is that of UTC and not of the reporting zone"),
    "object-stale": Limit(30, "days since a record of the object was last changed"),
    "writer-jump": Limit(4, "times the median of the six months before, for the records a writer creates in a month"),
    "writer-silent": Limit(20, "records a month, the median of its last six, from which a writer's silence is said"),
    "volume-jump": Limit(8, "robust z-score of a day against the same weekdays of the eight weeks before"),
}
"""Code → its limit; checks that are not named here have none."""


def limit(settings: Settings, code: str) -> float:
    """The limit of a check: configured, else its own."""
    configured = settings.audit.get(code)
    if configured is None or configured.limit is None:
        return LIMITS[code].value
    return configured.limit
