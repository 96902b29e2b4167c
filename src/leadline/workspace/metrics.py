"""The metrics, asked of one published snapshot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict, Unpack

from leadline.errors import UsageError
from leadline.findings import Finding
from leadline.workspace.questions import addressed, ask

if TYPE_CHECKING:
    from leadline.config import Formula
    from leadline.credit_models import Model
    from leadline.explain import Explanation
    from leadline.metrics.query import Query
    from leadline.model.opened import Opened
    from leadline.results import Result

AsOf = dt.date | dt.datetime | str | None
"""A date (its end, in the reporting zone), an instant, either as text, or None for the snapshot's own."""

GOALS_FILE = "goals.csv"
"""Name of the file of goals in a workspace."""

CloseDate = Literal["history", "field"] | None
"""What dates the close of an opportunity; None for what the snapshot was built with."""


class Opener(Protocol):
    """Opens the snapshot."""

    def __call__(
        self, as_of: AsOf, close_date: CloseDate = None, snapshot: str | None = None
    ) -> tuple[Opened, tuple[Finding, ...]]:
        """The snapshot at a moment; with findings if it is not the one published last. `snapshot` names another one."""


class Question(TypedDict, total=False):
    """What every metric can be asked; each key may be left out."""

    by: Sequence[str]
    """Dimensions to split by."""
    where: Mapping[str, str]
    """Dimension → the value its units must have; an empty value asks for units without one."""
    start: dt.date | None
    """First day."""
    end: dt.date | None
    """The day after the last day."""
    as_of: AsOf
    """Count what had happened by then."""
    grain: str | None
    """day, week, month, quarter, year; None for one row over all time."""
    unit: str | None
    """responses, people, journeys, accounts, opportunities; None for the funnel's own."""
    funnel: str | None
    """Its name; None for the first one."""
    close_date: CloseDate
    """history, field: what dates the close of an opportunity; None for the setting of the workspace."""
    touched: bool
    """A unit under every campaign that touched it."""
    snapshot: str | None
    """A frozen name or an id; None for the newest snapshot."""


@addressed
class Metrics:
    """Volume, conversion, velocity and influence, which take a `Question` beside their own arguments; goals.

    Raises:
        SnapshotError: nothing is published yet, or no snapshot is sound.
        UnknownNameError: a dimension, stage, unit, funnel or model that does not exist.
        UsageError: a question that makes no sense, e.g. a unit the metric does not know.
    """

    def __init__(
        self, opener: Opener, goals_file: Path, formulas: Callable[[], Mapping[str, Formula]] | None = None
    ) -> None:
        self._opener = opener
        self._goals_file = goals_file
        self._written = formulas
        self.explained_by: Callable[[str], Explanation] | None = None

    def volume(self, *, view: str = "entered", **question: Unpack[Question]) -> Result:
        """How many units entered, reached or stand in each stage; `view`: entered, cohort, standing."""
        from leadline.metrics.targets.goal_columns import with_goals
        from leadline.metrics.volume import volume

        def ask(opened: Opened, query: Query) -> Result:
            return with_goals(volume(opened, query, view=view), opened, query, view, self._goals_file)

        return self._answer(question, ask)

    def pipeline(self, *, view: str = "standing", **question: Unpack[Question]) -> Result:
        """Open opportunities and amounts per stage, or what moved them; `view`: standing, movements.

        Among the dimensions `stage` tells movements stage by stage. Movements need a first day.
        """
        from leadline.metrics.pipeline import pipeline

        return self._answer(question, lambda opened, query: pipeline(opened, query, view=view))

    def comparison(self, *, view: str = "entered", compare: str = "previous", **question: Unpack[Question]) -> Result:
        """Volume beside that of another period; `compare`: previous, last-year, or FIRST:END as two days."""
        from leadline.metrics.counts.compare import compared

        return self._answer(question, lambda opened, query: compared(opened, query, view=view, compare=compare))

    def fates(self, **question: Unpack[Question]) -> Result:
        """What became of every response; adds up to all campaign members that responded."""
        from leadline.metrics.counts.fates import fates

        return self._answer(question, fates)

    def newness(self, **question: Unpack[Question]) -> Result:
        """Responses of new and of known people, first responses and repeats."""
        from leadline.metrics.counts.newness import newness

        return self._answer(question, newness)

    def conversion(
        self,
        *,
        convention: str = "cohort",
        window_days: int | None = None,
        from_stage: str | None = None,
        to_stage: str | None = None,
        date_field: str | None = None,
        **question: Unpack[Question],
    ) -> Result:
        """What share goes on from stage to stage, by a `convention` of docs/metrics/conversion.md.

        `date_field` belongs to the convention `summary`: which date decides the period.
        """
        from leadline.metrics.rates.conventions import convert

        def ask(opened: Opened, query: Query) -> Result:
            return convert(
                opened,
                query,
                convention=convention,
                window_days=window_days,
                from_stage=from_stage,
                to_stage=to_stage,
                date_field=date_field,
            )

        return self._answer(question, ask)

    def conversion_matrix(self, *, window_days: int | None = None, **question: Unpack[Question]) -> Result:
        """Cohort rates between all stages, and where units went next, backward moves and exits included."""
        from leadline.metrics.rates.matrix import matrix

        return self._answer(question, lambda opened, query: matrix(opened, query, window_days=window_days))

    def conversion_triangle(
        self,
        *,
        age: str = "weeks",
        window_days: int | None = None,
        from_stage: str | None = None,
        to_stage: str | None = None,
        **question: Unpack[Question],
    ) -> Result:
        """Cumulative conversion by start period and age; `age`: days, weeks."""
        from leadline.metrics.rates.triangle import triangle

        def ask(opened: Opened, query: Query) -> Result:
            return triangle(opened, query, age=age, window_days=window_days, from_stage=from_stage, to_stage=to_stage)

        return self._answer(question, ask)

    def conversion_change(
        self,
        *,
        compare: str = "previous",
        window_days: int | None = None,
        from_stage: str | None = None,
        to_stage: str | None = None,
        **question: Unpack[Question],
    ) -> Result:
        """Why rates changed against another period, by segment: mix and rate; `compare`: previous, last-year, FROM:TO."""
        from leadline.metrics.rates.mix import mix

        def ask(opened: Opened, query: Query) -> Result:
            return mix(
                opened, query, compare=compare, window_days=window_days, from_stage=from_stage, to_stage=to_stage
            )

        return self._answer(question, ask)

    def problems(
        self,
        *,
        window_days: int | None = None,
        from_stage: str | None = None,
        to_stage: str | None = None,
        **question: Unpack[Question],
    ) -> Result:
        """Segments that go on less often than the rest, ranked by the wins they cost; `by`: which dimensions."""
        from leadline.metrics.rates.problems import problems

        def ask(opened: Opened, query: Query) -> Result:
            return problems(opened, query, window_days=window_days, from_stage=from_stage, to_stage=to_stage)

        return self._answer(question, ask)

    def velocity(
        self,
        *,
        measure: str = "sum",
        days: str = "calendar",
        show: str = "times",
        stuck: bool = False,
        from_stage: str | None = None,
        to_stage: str | None = None,
        **question: Unpack[Question],
    ) -> Result:
        """How long units stand in each stage, or take from one to another.

        Args:
            measure: sum, first, elapsed, cycle, first-response.
            days: calendar, or working days by the holidays of the settings.
            show: times, distribution, bottleneck, slow, detours.
            stuck: the records that have stood too long; with `by` their segments against the rest.
            from_stage, to_stage: stages asked for, or between which time is taken.
            question: what every metric can be asked.
        """
        from leadline.metrics.velocity import velocity

        def ask(opened: Opened, query: Query) -> Result:
            return velocity(
                opened,
                query,
                measure=measure,
                days=days,
                show=show,
                stuck=stuck,
                from_stage=from_stage,
                to_stage=to_stage,
            )

        return self._answer(question, ask)

    def influence(
        self,
        *,
        models: Sequence[str] | None = None,
        scope: str | None = None,
        window: str = "influenced",
        date: str = "created",
        goal: str = "closed",
        intervals: bool = False,
        **question: Unpack[Question],
    ) -> Result:
        """Which campaigns the amounts of opportunities are credited to.

        Args:
            models: credit models (see `models`), `even@sourced` on that window alone; default: those of the settings.
            scope: whose responses count: role, primary role, account; default: that of the settings.
            window: influenced, or the part before (sourced) or after (accelerated) the creation.
            date: which day of an opportunity decides its period: created, closed.
            goal: up to when responses count: closed (or as-of), created; or a stage: journeys that reached it, one each.
            intervals: also bootstrap intervals of shares and places.
            question: what every metric can be asked.

        Raises:
            ConfigError: a file of models/ has faults (all of all files listed).
        """
        from leadline.metrics.influence import influence

        chosen, known = list(models) if models else None, self.known_models()

        def ask(opened: Opened, query: Query) -> Result:
            return influence(
                opened,
                query,
                models=chosen,
                scope=scope,
                window=window,
                date=date,
                goal=goal,
                known=known,
                intervals=intervals,
            )

        return self._answer(question, ask)

    def deal_credit(
        self,
        opportunity: str,
        *,
        models: Sequence[str] | None = None,
        scope: str | None = None,
        goal: str = "closed",
        as_of: AsOf = None,
    ) -> Result:
        """One opportunity: every touch with its points by rule and credit by model, and what got nothing and why.

        Args:
            opportunity: its Salesforce id.
            models: credit models; default: those of the settings.
            scope: whose responses count; default: that of the settings.
            goal: up to when responses count: closed (or as-of), created.
            as_of: look from there.

        Raises:
            UsageError: there is no such opportunity, or it has no amount.
        """
        from leadline.metrics.credit.deal_credit import deal_credit

        opened, findings = self._opener(as_of)
        result = deal_credit(opened, opportunity, models=models, scope=scope, goal=goal, known=self.known_models())
        return _noted(result, findings)

    def models(self) -> Result:
        """The credit models that can be asked for by name: those of models/, and those that Leadline ships."""
        from leadline.metrics.credit.model_list import model_list

        return self._answer({}, lambda opened, _: model_list(opened, self.known_models()))

    def ask(self, address: str) -> Result:
        """The table an address names; see `Result.address`.

        Raises:
            UnknownNameError: no metric of that name, or a parameter it does not take.
            UsageError: the address cannot be read.
        """
        from leadline.address import parse

        return ask(self, parse(address))

    def known_models(self) -> Mapping[str, Model]:
        """The credit models by name: those of models/, and those that Leadline ships."""
        # Like a formula, a model changes nothing that is published: what its file says now holds without a build.
        from leadline import credit_models

        return credit_models.load(self._goals_file.parent / credit_models.FOLDER)

    def roi(
        self,
        *,
        models: Sequence[str] | None = None,
        scope: str | None = None,
        date: str = "created",
        hierarchy: str = "own",
        **question: Unpack[Question],
    ) -> Result:
        """What campaigns cost, what they won, and what each result cost.

        Args:
            models: credit models; default: those of the settings.
            scope: whose responses count: role, primary role, account; default: that of the settings.
            date: which day of an opportunity decides its period: created, closed.
            hierarchy: own, or total: each campaign with all below it.
            question: what every metric can be asked; dimensions and filters of campaigns only.

        Raises:
            UsageError: a dimension that campaigns do not have.
        """
        from leadline.metrics.credit.returns import roi

        chosen, known = list(models) if models else None, self.known_models()

        def ask(opened: Opened, query: Query) -> Result:
            return roi(opened, query, models=chosen, known=known, scope=scope, date=date, hierarchy=hierarchy)

        return self._answer(question, ask)

    def roi_trend(
        self,
        *,
        model: str | None = None,
        scope: str | None = None,
        window_days: int = 180,
        **question: Unpack[Question],
    ) -> Result:
        """Whether the return of each campaign falls or rises from month to month.

        Args:
            model: a credit model; default: the first of the settings.
            scope: whose responses count: role, primary role, account; default: that of the settings.
            window_days: days after a response within which a win counts for its month.
            question: filters of campaigns, funnel and as-of.
        """
        from leadline.metrics.credit.diminishing import diminishing

        known = self.known_models()

        def ask(opened: Opened, query: Query) -> Result:
            return diminishing(opened, query, model=model, known=known, scope=scope, window_days=window_days)

        return self._answer(question, ask)

    def lift(
        self,
        *,
        match: Sequence[str] | None = None,
        to_stage: str | None = None,
        landmark_days: int = 30,
        window_days: int = 180,
        model: str | None = None,
        **question: Unpack[Question],
    ) -> Result:
        """Whether responders of a campaign went on more often than comparable others: association, not proof.

        Args:
            match: dimensions that both sides share beside the month of their start, or `none`; default: lead_source.
            to_stage: the stage to be entered; default: the first one of opportunities.
            landmark_days: days after the start by which a response counts.
            window_days: days after the landmark within which the stage is to be entered.
            model: of the credit beside it; default: the first of the settings.
            question: what every metric can be asked, but for by and grain.
        """
        from leadline.metrics.credit.lift import lift

        known = self.known_models()

        def ask(opened: Opened, query: Query) -> Result:
            return lift(
                opened,
                query,
                match=match,
                to_stage=to_stage,
                landmark_days=landmark_days,
                window_days=window_days,
                model=model,
                known=known,
            )

        return self._answer(question, ask)

    def salesforce(
        self,
        *,
        model: str | None = None,
        scope: str | None = None,
        org_model: str | None = None,
        opportunity: str | None = None,
        **question: Unpack[Question],
    ) -> Result:
        """The influence rows that Salesforce wrote beside a model of ours: what differs, and why.

        Args:
            model: one of ours; default: all to the primary campaign, any member status, roles only.
            scope: whose responses count, for a model of responses.
            org_model: label or id of the org's model; default: its default one.
            opportunity: only this one, by its id.
            question: days and as-of; dimensions and filters are refused.
        """
        from leadline.metrics.credit.org_compare import compared

        known = self.known_models()

        def ask(opened: Opened, query: Query) -> Result:
            return compared(
                opened, query, model=model, known=known, scope=scope, org_model=org_model, opportunity=opportunity
            )

        return self._answer(question, ask)

    def suggested_roles(self, *, top: int = 3, opportunity: str | None = None, as_of: AsOf = None) -> Result:
        """Who probably took part in opportunities on which nobody has a contact role.

        Args:
            top: at most so many contacts per opportunity.
            opportunity: only this one, by its id.
            as_of: look from there.

        Raises:
            UnknownNameError: there is no such opportunity.
        """
        from leadline.metrics.query import Query
        from leadline.metrics.roles import suggested

        opened, findings = self._opener(as_of)
        return _noted(suggested(opened, Query(unit="opportunities"), top=top, opportunity=opportunity), findings)

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
            known, written = chosen(name, expression, self._formulas(opened))
            return formula(opened, query, written, name=known, ranked=ranked, operand=operand)

        return self._answer(question, ask)

    def formulas(self) -> Result:
        """The formulas that can be asked for by name: those of leadline.toml, and those that Leadline ships."""
        from leadline.metrics.formula import known

        return self._answer({}, lambda opened, _: known(opened, self._formulas(opened)))

    def _formulas(self, opened: Opened) -> Mapping[str, Formula]:
        # A formula changes nothing that is published, so what the file says now holds without a build.
        return opened.settings.formula if self._written is None else self._written()

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
        return _noted(linked(result, opened.settings), findings)

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
        return _noted(result, findings)

    def _answer(self, question: Question, ask: Callable[[Opened, Query], Result]) -> Result:
        from leadline.metrics.query import Query
        from leadline.workspace.links import linked

        asked = dict(question)
        close_date, named = asked.pop("close_date", None), asked.pop("snapshot", None)
        opened, findings = self._opener(question.get("as_of"), close_date, named)  # type: ignore[arg-type]
        asked |= {"by": tuple(question.get("by", ())), "where": dict(question.get("where", {})), "as_of": opened.moment}
        result = ask(opened, Query(**asked))  # type: ignore[arg-type]  # the keys are those of Question
        return _noted(linked(result, opened.settings), findings)


def _noted(result: Result, findings: tuple[Finding, ...]) -> Result:
    """A result that says first what its snapshot is not."""
    if not findings:
        return result
    return replace(result, notes=(*(finding.message for finding in findings), *result.notes))
