"""The four metric commands: parse the question, ask the workspace, hand the result on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from leadline.cli.options import (
    Answer,
    Convention,
    DateOf,
    FromStage,
    Measure,
    Models,
    Place,
    Question,
    Scope,
    Stuck,
    ToStage,
    View,
    Window,
    WindowDays,
)
from leadline.dates import parse_range
from leadline.errors import UsageError

if TYPE_CHECKING:
    from leadline.results import Result
    from leadline.workspace import Metrics
    from leadline.workspace import Question as Asked


def volume(place: Place, question: Question, answer: Answer, view: View = "entered") -> None:
    """How many units entered, reached or stand in each stage."""
    common = asked(question)
    _give(place, answer, lambda metrics: metrics.volume(view=view, **common))


def conversion(
    place: Place,
    question: Question,
    answer: Answer,
    convention: Convention = "cohort",
    window_days: WindowDays = None,
    from_stage: FromStage = None,
    to_stage: ToStage = None,
) -> None:
    """What share of the units goes on from stage to stage, with its interval."""
    common = asked(question)
    _give(
        place,
        answer,
        lambda metrics: metrics.conversion(
            convention=convention, window_days=window_days, from_stage=from_stage, to_stage=to_stage, **common
        ),
    )


def velocity(
    place: Place,
    question: Question,
    answer: Answer,
    measure: Measure = "sum",
    stuck: Stuck = False,
    from_stage: FromStage = None,
    to_stage: ToStage = None,
) -> None:
    """How long units stand in each stage, open ones included, and where they wait."""
    common = asked(question)
    _give(
        place,
        answer,
        lambda metrics: metrics.velocity(
            measure=measure, stuck=stuck, from_stage=from_stage, to_stage=to_stage, **common
        ),
    )


def influence(
    place: Place,
    question: Question,
    answer: Answer,
    model: Models = None,
    scope: Scope = None,
    window: Window = "influenced",
    date: DateOf = "created",
) -> None:
    """Which campaigns the amounts of opportunities are credited to, to the last cent."""
    common, models = asked(question), names(model)
    _give(
        place,
        answer,
        lambda metrics: metrics.influence(models=models or None, scope=scope, window=window, date=date, **common),
    )


def names(text: str | None) -> list[str]:
    """Names written with commas between them."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def asked(question: Question) -> Asked:
    """The arguments every metric takes."""
    start, end = parse_range(question.start, question.end)
    return {
        "by": names(question.by),
        "where": _filters(question.where or []),
        "start": start,
        "end": end,
        "as_of": question.as_of,
        "grain": question.grain,
        "unit": question.unit,
        "funnel": question.funnel,
        "touched": question.touched,
    }


def _filters(written: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in written:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise UsageError(f"--where {text!r} is no filter; write DIM=VALUE, e.g. --where campaign_type=Webinar.")
        if name.strip() in found:
            raise UsageError(f"--where names the dimension {name.strip()!r} twice; give each dimension one value.")
        found[name.strip()] = value
    return found


def _give(place: Place, answer: Answer, ask: Callable[[Metrics], Result]) -> None:
    from leadline import workspace
    from leadline.cli.deliver import deliver_metric

    deliver_metric(ask(workspace.open(place.workspace).metrics), answer)
