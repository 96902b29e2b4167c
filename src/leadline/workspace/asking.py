"""How metrics are asked: the question they have in common, and the snapshot they are asked of."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, Self, TypedDict

from leadline.errors import UsageError
from leadline.findings import Finding

if TYPE_CHECKING:
    from leadline.config import Formula
    from leadline.explain import Explanation
    from leadline.metrics.query import Query
    from leadline.model.opened import Opened
    from leadline.results import Result

AsOf = dt.date | dt.datetime | str | None
"""A date (its end, in the reporting zone), an instant, either as text, or None for the snapshot's own."""

HELD_TO_RECORDS = frozenset(
    {
        "volume",
        "pipeline",
        "comparison",
        "fates",
        "newness",
        "conversion",
        "conversion_matrix",
        "conversion_triangle",
        "conversion_change",
        "problems",
        "velocity",
        "influence",
        "deal_credit",
        "models",
        "formulas",
    }
)
"""Metrics that count units, or one unit, so that a restricted reader can be shown their own; all others are refused."""

GOALS_FILE = "goals.csv"
"""Name of the file of goals in a workspace."""

BESIDE: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("influence", "influence-stage", "roi", "roi-trend"), ("models/*.toml", "credit models")),
    **dict.fromkeys(("volume", "goals"), (GOALS_FILE, "goals")),
}
"""Kind of result → files of a workspace that give its numbers besides the snapshot, and what they hold."""

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


class Asking:
    """Asks one published snapshot."""

    def __init__(
        self, opener: Opener, goals_file: Path, formulas: Callable[[], Mapping[str, Formula]] | None = None
    ) -> None:
        self._opener = opener
        self._goals_file = goals_file
        self._written = formulas
        self.models_folder: Path | None = None
        self.explained_by: Callable[[str], Explanation] | None = None
        self._records: Mapping[str, str] = {}

    def restricted(self, records: Mapping[str, str]) -> Self:
        """The same metrics for somebody who sees only units with these values (dimension → value).

        Touches and shares are worked out before: of a unit that is seen, all is as for everybody else.
        What counts more than units is refused.
        """
        made = copy.copy(self)
        opener = self._opener

        def opened(
            as_of: AsOf, close_date: CloseDate = None, snapshot: str | None = None
        ) -> tuple[Opened, tuple[Finding, ...]]:
            found, findings = opener(as_of, close_date, snapshot)
            return found.held_to(records), findings

        vars(made).update(_opener=opened, _records={**self._records, **records})
        return made

    def _file(self, name: str, snapshot: str | None) -> Path:
        """A file or folder of the workspace; of a frozen state the one frozen with it, which gave its numbers."""
        from leadline.snapshots.frozen import kept_folder

        folder = self._goals_file.parent
        return ((kept_folder(folder, snapshot) if snapshot else None) or folder) / name

    def _todays(self, kind: str, snapshot: str | None) -> tuple[str, ...]:
        """What to say of a named state whose numbers rest on files of today, because none were frozen with it."""
        from leadline.snapshots.frozen import CURRENT, kept_folder

        folder = self._goals_file.parent
        if snapshot in (None, CURRENT) or kind not in BESIDE or kept_folder(folder, snapshot or ""):
            return ()
        files, held = BESIDE[kind]
        said = f"No files were frozen with {snapshot}: {held} of {files} are those of today."
        return (said,) if any(folder.glob(files)) else ()

    def require_shown(self, metric: str) -> None:
        """Refuse a metric that cannot be held to the records that may be seen.

        Raises:
            UsageError: somebody restricted asks for it.
        """
        if self._records and metric not in HELD_TO_RECORDS:
            raise UsageError(
                f"{metric} counts more than single records and is not shown to you: you see only "
                f"{', '.join(f'{name} = {value}' for name, value in self._records.items())}."
            )

    def _answer(self, question: Question, ask: Callable[[Opened, Query], Result]) -> Result:
        from leadline.metrics.query import Query
        from leadline.workspace.links import linked

        asked = dict(question)
        close_date, named = asked.pop("close_date", None), asked.pop("snapshot", None)
        opened, findings = self._opener(question.get("as_of"), close_date, named)  # type: ignore[arg-type]
        asked |= {"by": tuple(question.get("by", ())), "where": dict(question.get("where", {})), "as_of": opened.moment}
        result = ask(opened, Query(**asked))  # type: ignore[arg-type]  # the keys are those of Question
        if opened.records:
            # The steps from records to the model count those of the whole org.
            result = replace(result, lineage=())
        if said := self._todays(result.kind, named):  # type: ignore[arg-type]
            result = replace(result, notes=(*result.notes, *said))
        return noted(linked(result, opened.settings), findings)


def noted(result: Result, findings: tuple[Finding, ...]) -> Result:
    """A result that says first what its snapshot is not."""
    if not findings:
        return result
    return replace(result, notes=(*(finding.message for finding in findings), *result.notes))
