"""Credit: who influenced which revenue, at what cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Unpack

from leadline.workspace.asking import Asking, AsOf, Question, noted
from leadline.workspace.questions import addressed

if TYPE_CHECKING:
    from leadline.credit_models import Model
    from leadline.metrics.query import Query
    from leadline.model.opened import Opened
    from leadline.results import Result


@addressed
class CreditMetrics(Asking):
    """Credit: who influenced which revenue, at what cost."""

    def influence(
        self,
        *,
        models: Sequence[str] | None = None,
        scope: str | None = None,
        window: str = "influenced",
        date: str = "created",
        goal: str = "closed",
        intervals: bool = False,
        hierarchy: str = "own",
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
            hierarchy: own, or total: each campaign with all below it, its own credit beside.
            question: what every metric can be asked.

        Raises:
            ConfigError: a file of models/ has faults (all of all files listed).
        """
        from leadline.metrics.influence import influence

        chosen, known = list(models) if models else None, self.known_models(question.get("snapshot"))

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
                hierarchy=hierarchy,
            )

        return self._answer(question, ask)

    def compare_models(
        self,
        *,
        models: Sequence[str],
        scope: str | None = None,
        window: str = "influenced",
        date: str = "created",
        goal: str = "closed",
        **question: Unpack[Question],
    ) -> Result:
        """How the place and the credit of campaigns change from model to model; its list: deals that moved most.

        Args:
            models: at least two credit models; the others are compared with the first.
            scope: whose responses count; default: that of the settings.
            window: influenced, sourced, accelerated.
            date: which day of an opportunity decides its period: created, closed.
            goal: up to when responses count: closed (or as-of), created.
            question: what every metric can be asked.

        Raises:
            UsageError: fewer than two models.
        """
        from leadline.metrics.credit.compare_models import compared

        known = self.known_models(question.get("snapshot"))

        def ask(opened: Opened, query: Query) -> Result:
            return compared(opened, query, models, scope=scope, window=window, date=date, goal=goal, known=known)

        return self._answer(question, ask)

    def sensitivity(
        self,
        *,
        varied: str,
        models: Sequence[str] | None = None,
        scope: str | None = None,
        window: str = "influenced",
        date: str = "created",
        goal: str = "closed",
        **question: Unpack[Question],
    ) -> Result:
        """How far the place and the credit of campaigns depend on what the rules leave open.

        Args:
            varied: look-back, scope, or undated for responses without a date.
            models: credit models, each by itself; default: those of the settings.
            scope: whose responses count; default: that of the settings.
            window: influenced, sourced, accelerated.
            date: which day of an opportunity decides its period: created, closed.
            goal: up to when responses count: closed (or as-of), created.
            question: what every metric can be asked.
        """
        from leadline.metrics.credit.compare_models import sensitive

        known = self.known_models(question.get("snapshot"))

        def ask(opened: Opened, query: Query) -> Result:
            return sensitive(
                opened, query, varied, models=models, scope=scope, window=window, date=date, goal=goal, known=known
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
        return noted(result, findings)

    def models(self) -> Result:
        """The credit models that can be asked for by name: those of models/, and those that Leadline ships."""
        from leadline.metrics.credit.model_list import model_list

        return self._answer({}, lambda opened, _: model_list(opened, self.known_models()))

    def known_models(self, snapshot: str | None = None) -> Mapping[str, Model]:
        """The credit models by name: those of models/, or those frozen with a snapshot, and those that Leadline ships."""
        # Like a formula, a model changes nothing that is published: what its file says now holds without a build.
        from leadline import credit_models

        return credit_models.load(self.models_folder or self._file(credit_models.FOLDER, snapshot))

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

        chosen, known = list(models) if models else None, self.known_models(question.get("snapshot"))

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

        known = self.known_models(question.get("snapshot"))

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

        known = self.known_models(question.get("snapshot"))

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

        known = self.known_models(question.get("snapshot"))

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
        return noted(suggested(opened, Query(unit="opportunities"), top=top, opportunity=opportunity), findings)
