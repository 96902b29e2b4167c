"""The four metrics, asked of one published snapshot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict, Unpack

from leadline.findings import Finding

if TYPE_CHECKING:
    from leadline.metrics.query import Query
    from leadline.model.opened import Opened
    from leadline.results import Result

AsOf = dt.date | dt.datetime | str | None
"""A date (its end, in the reporting zone), an instant, either as text, or None for the snapshot's own."""

Opener = Callable[[AsOf], "tuple[Opened, tuple[Finding, ...]]"]
"""Opens the snapshot at a moment; with findings if it is not the one published last."""


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
    touched: bool
    """A unit under every campaign that touched it."""


class Metrics:
    """Volume, conversion, velocity and influence; all take a `Question` beside their own arguments.

    Raises:
        SnapshotError: nothing is published yet, or no snapshot is sound.
        UnknownNameError: a dimension, stage, unit, funnel or model that does not exist.
        UsageError: a question that makes no sense, e.g. a unit the metric does not know.
    """

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def volume(self, *, view: str = "entered", **question: Unpack[Question]) -> Result:
        """How many units entered, reached or stand in each stage; `view`: entered, cohort, standing."""
        from leadline.metrics.volume import volume

        return self._answer(question, lambda opened, query: volume(opened, query, view=view))

    def conversion(
        self,
        *,
        convention: str = "cohort",
        window_days: int | None = None,
        from_stage: str | None = None,
        to_stage: str | None = None,
        **question: Unpack[Question],
    ) -> Result:
        """What share goes on from stage to stage; `convention`: cohort, period."""
        from leadline.metrics.conversion import conversion

        def ask(opened: Opened, query: Query) -> Result:
            return conversion(
                opened,
                query,
                convention=convention,
                window_days=window_days,
                from_stage=from_stage,
                to_stage=to_stage,
            )

        return self._answer(question, ask)

    def velocity(
        self,
        *,
        measure: str = "sum",
        stuck: bool = False,
        from_stage: str | None = None,
        to_stage: str | None = None,
        **question: Unpack[Question],
    ) -> Result:
        """How long units stand in each stage; `stuck` lists the records that have stood too long."""
        from leadline.metrics.velocity import velocity

        def ask(opened: Opened, query: Query) -> Result:
            return velocity(opened, query, measure=measure, stuck=stuck, from_stage=from_stage, to_stage=to_stage)

        return self._answer(question, ask)

    def influence(
        self,
        *,
        models: Sequence[str] | None = None,
        scope: str | None = None,
        window: str = "influenced",
        date: str = "created",
        **question: Unpack[Question],
    ) -> Result:
        """Which campaigns the amounts of opportunities are credited to.

        Args:
            models: credit models; default: those of the settings.
            scope: whose responses count: role, primary role, account; default: that of the settings.
            window: influenced, or the part before (sourced) or after (accelerated) the creation.
            date: which day of an opportunity decides its period: created, closed.
            question: what every metric can be asked.
        """
        from leadline.metrics.influence import influence

        chosen = list(models) if models else None

        def ask(opened: Opened, query: Query) -> Result:
            return influence(opened, query, models=chosen, scope=scope, window=window, date=date)

        return self._answer(question, ask)

    def _answer(self, question: Question, ask: Callable[[Opened, Query], Result]) -> Result:
        from leadline.metrics.query import Query

        asked = dict(question)
        opened, findings = self._opener(question.get("as_of"))
        asked |= {"by": tuple(question.get("by", ())), "where": dict(question.get("where", {})), "as_of": opened.moment}
        result = ask(opened, Query(**asked))  # type: ignore[arg-type]  # the keys are those of Question
        if not findings:
            return result
        return replace(result, notes=(*(finding.message for finding in findings), *result.notes))
