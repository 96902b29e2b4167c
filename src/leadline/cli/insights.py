"""The four metric commands: parse the question, ask the workspace, hand the result on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, TypedDict

from leadline.cli.options.credit import (
    CompareModels,
    DateOf,
    GoalOf,
    Hierarchy,
    ListModels,
    Models,
    OneDeal,
    Scope,
    Sensitivity,
    ShareIntervals,
    Window,
)
from leadline.cli.options.funnel import (
    ClockStart,
    ClockStop,
    Compare,
    CompareRates,
    Convention,
    DateField,
    Days,
    Fates,
    FromStage,
    Matrix,
    Measure,
    NewPeople,
    PipelineView,
    Problems,
    ToStage,
    Triangle,
    VelocityView,
    View,
    WindowDays,
)
from leadline.cli.options.question import Answer, Place, Question
from leadline.dates import parse_range
from leadline.errors import UsageError

if TYPE_CHECKING:
    from leadline.results import Result
    from leadline.workspace import Metrics
    from leadline.workspace import Question as Asked


def volume(
    place: Place,
    question: Question,
    answer: Answer,
    view: View = "entered",
    compare: Compare = None,
    fates: Fates = False,
    new: NewPeople = False,
) -> None:
    """How many units entered, reached or stand in each stage."""
    common = asked(question)
    if (compare is not None) + fates + new > 1:
        raise UsageError("--compare, --fates and --new are tables of their own: give one of them.")
    if fates:
        _give(place, answer, lambda metrics: metrics.fates(**common))
    elif new:
        _give(place, answer, lambda metrics: metrics.newness(**common))
    elif compare is not None:
        _give(place, answer, lambda metrics: metrics.comparison(view=view, compare=compare, **common))
    else:
        _give(place, answer, lambda metrics: metrics.volume(view=view, **common))


def pipeline(place: Place, question: Question, answer: Answer, view: PipelineView = "standing") -> None:
    """Open opportunities and their amounts per stage at any instant, and what moved them between two."""
    common = asked(question)
    _give(place, answer, lambda metrics: metrics.pipeline(view=view, **common))


class Within(TypedDict):
    """Which transitions of a conversion, and within how many days."""

    window_days: int | None
    from_stage: str | None
    to_stage: str | None


def conversion(
    place: Place,
    question: Question,
    answer: Answer,
    convention: Convention = "cohort",
    window_days: WindowDays = None,
    from_stage: FromStage = None,
    to_stage: ToStage = None,
    date_field: DateField = None,
    matrix: Matrix = False,
    triangle: Triangle = None,
    compare: CompareRates = None,
    problems: Problems = False,
) -> None:
    """What share of the units goes on from stage to stage, with its interval."""
    common = asked(question)
    within: Within = {"window_days": window_days, "from_stage": from_stage, "to_stage": to_stage}
    shapes = [
        name
        for name, on in (
            ("--matrix", matrix),
            ("--triangle", triangle),
            ("--compare", compare),
            ("--problems", problems),
        )
        if on
    ]
    _require_one_shape(shapes, convention, date_field, from_stage or to_stage)
    if matrix:
        _give(place, answer, lambda metrics: metrics.conversion_matrix(window_days=window_days, **common))
    elif triangle:
        _give(place, answer, lambda metrics: metrics.conversion_triangle(age=triangle, **within, **common))
    elif compare:
        _give(place, answer, lambda metrics: metrics.conversion_change(compare=compare, **within, **common))
    elif problems:
        _give(place, answer, lambda metrics: metrics.problems(**within, **common))
    else:
        _give(
            place,
            answer,
            lambda metrics: metrics.conversion(convention=convention, date_field=date_field, **within, **common),
        )


def _require_one_shape(shapes: list[str], convention: str, date_field: str | None, stage: str | None) -> None:
    """Refuse options that a table of its own would leave unheard."""
    if len(shapes) > 1:
        raise UsageError(f"{', '.join(shapes)} are tables of their own: give one of them.")
    if shapes and (convention != "cohort" or date_field is not None):
        raise UsageError(f"{shapes[0]} is made of cohort rates; leave out --convention and --date-field.")
    if shapes == ["--matrix"] and stage is not None:
        raise UsageError("--matrix shows all stages; leave out --from-stage and --to-stage.")


def velocity(
    place: Place,
    question: Question,
    answer: Answer,
    view: VelocityView,
    measure: Measure = "sum",
    days: Days = "calendar",
    from_stage: ClockStart = None,
    to_stage: ClockStop = None,
) -> None:
    """How long units stand in each stage, open ones included, and where they wait."""
    common, (stuck, show) = asked(question), _shown(view)
    _give(
        place,
        answer,
        lambda metrics: metrics.velocity(
            measure=measure, days=days, show=show, stuck=stuck, from_stage=from_stage, to_stage=to_stage, **common
        ),
    )


def _shown(view: VelocityView) -> tuple[bool, str]:
    """Whether stuck records are asked for, and what is shown in place of the table."""
    chosen = [name for name, asked_for in dataclasses.asdict(view).items() if asked_for]
    if len(chosen) > 1:
        raise UsageError(f"--{chosen[0]} and --{chosen[1]} are two questions; ask them one by one.")
    name = chosen[0] if chosen else "times"
    return name == "stuck", "times" if name == "stuck" else name


def influence(
    place: Place,
    question: Question,
    answer: Answer,
    model: Models = None,
    scope: Scope = None,
    window: Window = "influenced",
    date: DateOf = "created",
    goal: GoalOf = "closed",
    intervals: ShareIntervals = False,
    hierarchy: Hierarchy = "own",
    compare: CompareModels = None,
    sensitivity: Sensitivity = None,
    opportunity: OneDeal = None,
    models: ListModels = False,
) -> None:
    """Which campaigns the amounts of opportunities are credited to, to the last cent."""
    common, chosen = asked(question), names(model)
    _require_one_table(
        {
            "--models": models,
            "--opportunity": opportunity is not None,
            "--compare": compare is not None,
            "--sensitivity": sensitivity is not None,
        },
        plain=not intervals and hierarchy == "own",
    )
    split: Split = {"scope": scope, "window": window, "date": date, "goal": goal}
    if models:
        ask: Ask = _models
    elif compare is not None:
        ask = _compared(names(compare), chosen, split, common)
    elif sensitivity is not None:
        ask = _varied(sensitivity, chosen, split, common)
    elif opportunity is not None:
        ask = _one_deal(opportunity, chosen, split, common)
    else:
        ask = _credit(chosen, split, common, intervals=intervals, hierarchy=hierarchy)
    _give(place, answer, ask)


class Split(TypedDict):
    """How amounts are split, whatever is shown of it."""

    scope: str | None
    window: str
    date: str
    goal: str


Ask = Callable[["Metrics"], "Result"]


def _models(metrics: Metrics) -> Result:
    return metrics.models()


def _credit(chosen: list[str], split: Split, common: Asked, *, intervals: bool, hierarchy: str) -> Ask:
    return lambda metrics: metrics.influence(
        models=chosen or None, intervals=intervals, hierarchy=hierarchy, **split, **common
    )


def _compared(compared: list[str], chosen: list[str], split: Split, common: Asked) -> Ask:
    if chosen:
        raise UsageError("--compare names the models itself; leave out --model.")
    return lambda metrics: metrics.compare_models(models=compared, **split, **common)


def _varied(varied: str, chosen: list[str], split: Split, common: Asked) -> Ask:
    return lambda metrics: metrics.sensitivity(varied=varied, models=chosen or None, **split, **common)


def _one_deal(opportunity: str, chosen: list[str], split: Split, common: Asked) -> Ask:
    _require_nothing_beside(common, split["window"], split["date"])
    return lambda metrics: metrics.deal_credit(
        opportunity,
        models=chosen or None,
        scope=split["scope"],
        goal=split["goal"],
        as_of=common["as_of"],
    )


def _require_one_table(tables: dict[str, bool], *, plain: bool) -> None:
    """Refuse two tables at once, and options of the usual one that another would leave unheard."""
    chosen = [name for name, wanted in tables.items() if wanted]
    if len(chosen) > 1:
        raise UsageError(f"{', '.join(chosen)} are tables of their own: give one of them.")
    if chosen and not plain:
        raise UsageError(f"--intervals and --hierarchy belong to the table of credit; leave out {chosen[0]}.")


def _require_nothing_beside(question: Asked, window: str, date: str) -> None:
    """Refuse options that one opportunity would leave unheard."""
    unheard = [name for name, value in question.items() if value and name not in ("as_of", "unit")]
    if unheard or window != "influenced" or date != "created":
        raise UsageError(
            "--opportunity shows one opportunity whole; only --model, --scope, --goal and --as-of go with it."
        )


def names(text: str | None) -> list[str]:
    """Names written with commas between them."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def asked(question: Question) -> Asked:
    """The arguments every metric takes."""
    start, end = parse_range(question.start, question.end)
    return {
        "by": names(",".join(question.by or [])),
        "where": filters(question.where or []),
        "start": start,
        "end": end,
        "as_of": question.as_of,
        "grain": question.grain,
        "unit": question.unit,
        "funnel": question.funnel,
        "close_date": question.close_date,
        "touched": question.touched,
        "snapshot": question.snapshot,
    }


def filters(written: list[str]) -> dict[str, str]:
    """Values of `--where` as dimension → value."""
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
