"""Goals and formulas: numbers set beside those of the funnel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Unpack

from leadline.errors import UsageError
from leadline.workspace.asking import Asking, AsOf, CloseDate, Question, noted
from leadline.workspace.questions import addressed

if TYPE_CHECKING:
    from leadline.config import Formula
    from leadline.metrics.query import Query
    from leadline.model.opened import Opened
    from leadline.results import Result


@addressed
class TargetMetrics(Asking):
    """Goals and formulas: numbers set beside those of the funnel."""

    def formula(
        self,
        name: str | None = None,
        *,
        expression: str | None = None,
        ranked: bool = False,
        operand: str | None = None,
        **question: Unpack[Question],
    ) -> Result:
        """A number of your own over counts, amounts and times of stages.

        Args:
            name: a formula of leadline.toml, or one that Leadline ships (see `formulas`).
            expression: the formula itself, in place of a name.
            ranked: rows by value, the largest first, with a rank in each period.
            operand: only its records in the list behind the number.
            question: what every metric can be asked; unit and funnel are those of the formula unless given.

        Raises:
            FormulaError: it cannot be read, names unknown stages, or puts together what does not fit.
            UsageError: neither or both of name and expression.
        """
        from leadline.metrics.formula import chosen, formula

        if (name is None) == (expression is None):
            raise UsageError("Give either the name of a formula or an expression.")

        def ask(opened: Opened, query: Query) -> Result:
            known, written = chosen(name, expression, self._formulas(opened, question.get("snapshot")))
            return formula(opened, query, written, name=known, ranked=ranked, operand=operand)

        return self._answer(question, ask)

    def formulas(self) -> Result:
        """The formulas that can be asked for by name: those of leadline.toml, and those that Leadline ships."""
        from leadline.metrics.formula import known

        return self._answer({}, lambda opened, _: known(opened, self._formulas(opened)))

    def _formulas(self, opened: Opened, snapshot: str | None = None) -> Mapping[str, Formula]:
        # A formula changes nothing that is published, so what the file says now holds without a build; a frozen state
        # that is asked for by name keeps those it was frozen with.
        kept = snapshot is not None and "frozen" in opened.meta
        return opened.settings.formula if self._written is None or kept else self._written()

    def goals(
        self,
        *,
        pace: str = "workdays",
        start: dt.date | None = None,
        end: dt.date | None = None,
        as_of: AsOf = None,
        close_date: CloseDate = None,
        funnel: str | None = None,
        unit: str | None = None,
        where: Mapping[str, str] | None = None,
    ) -> Result:
        """What has come of the goals in goals.csv, and what their periods will come to.

        Args:
            pace: what is expected to date: workdays or seasonal.
            start, end: only periods that have a day in `[start, end)`.
            as_of: look from there.
            close_date: what dates a close: history or field; None is that of the settings.
            funnel: whose goals; None is the first one.
            unit: only goals of that unit.
            where: only goals of exactly this segment.

        Raises:
            GoalsError: goals.csv has faults (all listed).
            UsageError: there is no goals.csv, or no goal that was asked for.
        """
        from leadline.metrics.goals import goals
        from leadline.workspace.links import linked

        opened, findings = self._opener(as_of, close_date)
        result = goals(
            opened,
            self._goals_file,
            by=pace,
            start=start,
            end=end,
            funnel=funnel,
            unit=unit,
            segment=dict(where) if where else None,
        )
        return noted(linked(result, opened.settings), findings)

    def goals_template(self, *, as_of: AsOf = None, funnel: str | None = None) -> str:
        """The text of a goals.csv for a funnel, its goals to be filled in."""
        from leadline.metrics.targets.goals_template import template

        return template(self._opener(as_of)[0], funnel)

    def reverse(
        self,
        amount: Decimal | int | str | None = None,
        *,
        period: str | None = None,
        factors: Sequence[str] = (),
        as_of: AsOf = None,
        close_date: CloseDate = None,
        funnel: str | None = None,
        unit: str | None = None,
        where: Mapping[str, str] | None = None,
    ) -> Result:
        """What a revenue goal needs of each stage, and by when.

        Args:
            amount: revenue in major units; None takes it from goals.csv.
            period: label of its period; None is the quarter of as-of.
            factors: factors to use in place of the measured ones, as `NAME=VALUE`.
            as_of: look from there.
            close_date: what dates a close: history or field; None is that of the settings.
            funnel: its name; None is the first one.
            unit: journeys or opportunities; None is the funnel's own.
            where: dimension → value of the units the factors are measured on.

        Raises:
            GoalsError: goals.csv has faults, where the amount is taken from it.
            UsageError: no amount, a factor or a period that cannot be read.
        """
        from leadline.metrics.targets.goals_file import read
        from leadline.metrics.targets.reverse import reverse

        opened, findings = self._opener(as_of, close_date)
        result = reverse(
            opened,
            None if amount is None else Decimal(amount),
            goals=read(self._goals_file, opened) if amount is None else (),
            period=period,
            settings=factors,
            where=dict(where or {}),
            unit=unit,
            funnel=funnel,
        )
        return noted(result, findings)
