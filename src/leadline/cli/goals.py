"""`leadline goals`: goals with pace and landing, a template of the file, the funnel backwards from revenue."""

from __future__ import annotations

import sys
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from leadline.cli.insights import filters
from leadline.cli.options.question import Answer, GoalQuestion, Place
from leadline.cli.options.targets import Pace, PeriodLabel, Reverse, SetFactors, Template
from leadline.dates import parse_range
from leadline.errors import UsageError

if TYPE_CHECKING:
    from leadline.results import Result
    from leadline.workspace import Metrics


def goals(
    place: Place,
    question: GoalQuestion,
    answer: Answer,
    pace: Pace = "workdays",
    template: Template = False,
    reverse: Reverse = None,
    period: PeriodLabel = None,
    factors: SetFactors = None,
) -> None:
    """Goals of goals.csv: what has come of them, pace, required rate, landing; --reverse: what revenue needs."""
    from leadline import workspace
    from leadline.cli.deliver import deliver_metric

    metrics = workspace.open(place.workspace).metrics
    if template:
        text = metrics.goals_template(as_of=question.as_of, funnel=question.funnel)
        sys.stdout.write(text)
    elif reverse is None:
        if period or factors:
            raise UsageError("--period and --set belong to --reverse; for goals of some days use --from and --to.")
        start, end = parse_range(question.start, question.end)
        found = metrics.goals(
            pace=pace,
            start=start,
            end=end,
            as_of=question.as_of,
            close_date=question.close_date,
            funnel=question.funnel,
            unit=question.unit,
            where=filters(question.where or []),
        )
        deliver_metric(found, answer)
    else:
        deliver_metric(_reversed(metrics, question, reverse, period, factors or []), answer)


def _reversed(metrics: Metrics, question: GoalQuestion, reverse: str, period: str | None, factors: list[str]) -> Result:
    if question.start or question.end:
        raise UsageError("--reverse takes its period by --period LABEL, not by --from and --to.")
    return metrics.reverse(
        None if reverse.strip().casefold() == "goal" else _amount(reverse),
        period=period,
        factors=factors,
        as_of=question.as_of,
        close_date=question.close_date,
        funnel=question.funnel,
        unit=question.unit,
        where=filters(question.where or []),
    )


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation as fault:
        raise UsageError(
            f"--reverse {text!r} is no amount; write it without thousands marks, e.g. 1000000 or 1000000.50, or 'goal'."
        ) from fault
    if not amount.is_finite():
        raise UsageError(f"--reverse {text!r} is no amount; write one such as 1000000.")
    return amount
