"""The four insights side by side: what a reader wants to know first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leadline.audit.moved import Effect
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
        driver: dimension and value of the segment that waits there more than its number explains, or None.
        driver_share, driver_unit_share: its part of the days and of the units there.
    """

    stage: str
    share: float
    share_before: float | None
    standing: int
    median_days: float | None
    stuck: int | None
    driver: str | None = None
    driver_share: float | None = None
    driver_unit_share: float | None = None


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
        digest: the findings that move headline numbers most; None where measuring would take long.
    """

    workspace: str
    stages: tuple[str, ...]
    funnel: Result
    conversion: Result
    velocity: Result
    influence: Result | None
    bottleneck: Bottleneck | None
    digest: tuple[Effect, ...] | None = None

    def results(self) -> dict[str, Result]:
        """Heading → result, in the order of a report."""
        found = {"Volume": self.funnel, "Conversion": self.conversion, "Velocity": self.velocity}
        return found | ({"Influence": self.influence} if self.influence is not None else {})


def summarise(
    metrics: Metrics,
    workspace: str,
    stages: tuple[str, ...],
    *,
    of_people: bool,
    digest: tuple[Effect, ...] | None = None,
) -> Summary:
    """Ask the four metrics and find the bottleneck; `digest` is handed on."""
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
        digest=digest,
    )


def bottleneck(metrics: Metrics, velocity: Result) -> Bottleneck | None:
    """The waiting stage with the largest share of the last 12 months, with the 12 months before."""
    found = metrics.velocity(show="bottleneck").table.to_pylist()
    if not found:
        return None
    top = found[0]
    row: dict[str, Any] = next((row for row in velocity.table.to_pylist() if row["stage"] == top["stage"]), {})
    return Bottleneck(
        stage=top["stage"],
        share=top["waiting_share"],
        share_before=top["waiting_share_before"],
        standing=top["standing"],
        median_days=row.get("median_days"),
        stuck=top["stuck"],
        driver=None if top["driver"] is None else f"{top['driver']} {top['driver_value']}",
        driver_share=top["driver_share"],
        driver_unit_share=top["driver_unit_share"],
    )
