"""The command `formula`: a number of one's own, by name or given with the question."""

from __future__ import annotations

from leadline.cli.insights import asked
from leadline.cli.options.funnel import Expression, FormulaName, FormulaOperand, Ranked
from leadline.cli.options.question import Answer, Place, Question
from leadline.errors import UsageError


def formula(
    place: Place,
    question: Question,
    answer: Answer,
    name: FormulaName = None,
    expression: Expression = None,
    ranked: Ranked = False,
    operand: FormulaOperand = None,
) -> None:
    """A number of your own over counts, amounts and times of stages; without a name, which there are."""
    from leadline import workspace
    from leadline.cli.deliver import deliver, deliver_metric

    if operand is not None and not answer.list_records:
        raise UsageError("--operand chooses among the records of --list; add --list.")
    common, metrics = asked(question), workspace.open(place.workspace).metrics
    if name is None and expression is None:
        if answer.chart or answer.list_records:
            raise UsageError("Which formula? Name one, or give it with --expression; `leadline formula` lists them.")
        deliver(metrics.formulas(), answer)
        return
    deliver_metric(metrics.formula(name, expression=expression, ranked=ranked, operand=operand, **common), answer)
