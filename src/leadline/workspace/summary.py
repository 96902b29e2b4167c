"""The four insights side by side: what a reader wants to know first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leadline import dates

if TYPE_CHECKING:
    from leadline.results import Result
    from leadline.workspace.metrics import Metrics

MODEL = "even"
"""The credit model of the summary: it favours no place on the way."""


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """The stage in which most of the waiting happens.

    Attributes:
        share: its part of all days stood in waiting stages over the last 12 months.
        share_before: the same for the 12 months before those, or None.
        standing: units that stand in it at as-of.
        median_days: Kaplan–Meier median of the time to leave it, or None if not reached.
        stuck: units that have stood there longer than nine in ten that went on, or None if not judged.
    """

    stage: str
    share: float
    share_before: float | None
    standing: int
    median_days: float | None
    stuck: int | None


@dataclass(frozen=True, slots=True)
class Summary:
    """Results for all time at the snapshot's as-of, and what they say together.

    Attributes:
        stages: of the funnel, in order, also those that nobody has reached.
        funnel: volume, view cohort: how many units have reached each stage.
        conversion: cohort rates of each stage to the next.
        velocity: time in stage.
        influence: credit by campaign, model `even`; None for a funnel without people.
        bottleneck: None where nothing has waited.
    """

    workspace: str
    stages: tuple[str, ...]
    funnel: Result
    conversion: Result
    velocity: Result
    influence: Result | None
    bottleneck: Bottleneck | None

    def results(self) -> dict[str, Result]:
        """Heading → result, in the order of a report."""
        found = {"Volume": self.funnel, "Conversion": self.conversion, "Velocity": self.velocity}
        return found | ({"Influence": self.influence} if self.influence is not None else {})


def summarise(metrics: Metrics, workspace: str, stages: tuple[str, ...], *, of_people: bool) -> Summary:
    """Ask the four metrics and find the bottleneck."""
    funnel = metrics.volume(view="cohort")
    velocity = metrics.velocity()
    return Summary(
        workspace=workspace,
        stages=stages,
        funnel=funnel,
        conversion=metrics.conversion(),
        velocity=velocity,
        influence=metrics.influence(models=[MODEL]) if of_people else None,
        bottleneck=bottleneck(metrics, velocity),
    )


def bottleneck(metrics: Metrics, velocity: Result) -> Bottleneck | None:
    """The waiting stage with the largest share of the last 12 months, with the 12 months before."""
    end = dates.local_day(velocity.as_of, velocity.timezone) + dt.timedelta(days=1)
    start, earlier = _year_before(end), _year_before(_year_before(end))
    recent = _shares(metrics.velocity(start=start, end=end))
    if not recent:
        return None
    stage = max(recent, key=lambda name: recent[name])
    before = _shares(metrics.velocity(start=earlier, end=start))
    standing = {row["stage"]: row["count"] for row in metrics.volume(view="standing").table.to_pylist()}
    row: dict[str, Any] = next((row for row in velocity.table.to_pylist() if row["stage"] == stage), {})
    return Bottleneck(
        stage, recent[stage], before.get(stage), standing.get(stage, 0), row.get("median_days"), row.get("stuck")
    )


def _shares(velocity: Result) -> dict[str, float]:
    return {row["stage"]: row["waiting_share"] for row in velocity.table.to_pylist() if row["waiting_share"]}


def _year_before(day: dt.date) -> dt.date:
    # 29 February has no day of its name a year before; 1 March keeps the range half-open and whole.
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return dt.date(day.year - 1, 3, 1)
