"""Volume, conversion and velocity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from leadline.workspace.asking import Asking, Question
from leadline.workspace.questions import addressed

if TYPE_CHECKING:
    from leadline.metrics.query import Query
    from leadline.model.opened import Opened
    from leadline.results import Result


@addressed
class FunnelMetrics(Asking):
    """Volume, conversion and velocity."""

    def volume(self, *, view: str = "entered", **question: Unpack[Question]) -> Result:
        """How many units entered, reached or stand in each stage; `view`: entered, cohort, standing."""
        from leadline.metrics.targets.goal_columns import with_goals
        from leadline.metrics.volume import volume

        def ask(opened: Opened, query: Query) -> Result:
            goals_file = self._file(self._goals_file.name, question.get("snapshot"))
            return with_goals(volume(opened, query, view=view), opened, query, view, goals_file)

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
