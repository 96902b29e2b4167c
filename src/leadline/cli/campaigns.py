"""Commands about campaigns: what they cost and returned, and what the org itself says of their influence."""

from __future__ import annotations

from leadline.cli.insights import asked, names
from leadline.cli.options.credit import (
    DateOf,
    Hierarchy,
    LandmarkDays,
    LiftDays,
    Match,
    Models,
    OneModel,
    OneOpportunity,
    OrgModel,
    Scope,
    Trend,
)
from leadline.cli.options.funnel import ToStage
from leadline.cli.options.question import Answer, Place, Question
from leadline.errors import UsageError


def roi(
    place: Place,
    question: Question,
    answer: Answer,
    model: Models = None,
    scope: Scope = None,
    date: DateOf = "created",
    hierarchy: Hierarchy = "own",
    trend: Trend = False,
) -> None:
    """What campaigns cost, what they won, ROI, cost per result, and when they had paid back."""
    from leadline import workspace
    from leadline.cli.deliver import deliver_metric

    common, metrics = asked(question), workspace.open(place.workspace).metrics
    models = names(model) or None
    if trend:
        if date != "created" or hierarchy != "own" or len(models or ()) > 1:
            raise UsageError(
                "--trend goes by the month of the responses, with one model: leave out --date and --hierarchy."
            )
        deliver_metric(metrics.roi_trend(model=models[0] if models else None, scope=scope, **common), answer)
        return
    deliver_metric(metrics.roi(models=models, scope=scope, date=date, hierarchy=hierarchy, **common), answer)


def salesforce(
    place: Place,
    question: Question,
    answer: Answer,
    model: OneModel = None,
    scope: Scope = None,
    org_model: OrgModel = None,
    opportunity: OneOpportunity = None,
) -> None:
    """The influence rows that Salesforce wrote, beside a model of ours: what differs, and why."""
    from leadline import workspace
    from leadline.cli.deliver import deliver_metric

    common, metrics = asked(question), workspace.open(place.workspace).metrics
    found = metrics.salesforce(model=model, scope=scope, org_model=org_model, opportunity=opportunity, **common)
    deliver_metric(found, answer)


def lift(
    place: Place,
    question: Question,
    answer: Answer,
    match: Match = None,
    to_stage: ToStage = None,
    landmark_days: LandmarkDays = 30,
    window_days: LiftDays = 180,
    model: OneModel = None,
) -> None:
    """Whether responders of a campaign went on more often than comparable others: association, not proof."""
    from leadline import workspace
    from leadline.cli.deliver import deliver_metric

    common, metrics = asked(question), workspace.open(place.workspace).metrics
    found = metrics.lift(
        match=None if match is None else names(match),
        to_stage=to_stage,
        landmark_days=landmark_days,
        window_days=window_days,
        model=model,
        **common,
    )
    deliver_metric(found, answer)
