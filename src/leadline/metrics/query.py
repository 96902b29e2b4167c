"""What a metric is asked: dimensions, filters, periods, unit, funnel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from leadline.config import Funnel
from leadline.dates import Calendar, day_number, day_of
from leadline.errors import UnknownNameError, UsageError
from leadline.model import dimensions, funnels
from leadline.model.opened import Opened

UNITS = ("responses", "people", "journeys", "accounts", "opportunities")
ALL = "all"
"""Label of the one period of a question without grain."""

NO_PERIOD = -(10**6)
"""Period of what has no day, as a number that groups and sorts in every engine."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question in the words of the public contract.

    Attributes:
        by: dimensions to group by, in order.
        where: dimension → the value its units must have; "" means no value.
        start, end: local days `[start, end)`; None is open.
        as_of: cut events there; None is the snapshot's own as-of.
        grain: day, week, month, quarter, year, or None for one period.
        unit: one of `UNITS`; None is journeys where there are people, else opportunities.
        funnel: its name; None is the first.
        touched: units under every campaign they responded to (overlapping).
    """

    by: tuple[str, ...] = ()
    where: dict[str, str] = field(default_factory=dict)
    start: dt.date | None = None
    end: dt.date | None = None
    as_of: dt.datetime | None = None
    grain: str | None = None
    unit: str | None = None
    funnel: str | None = None
    touched: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A query made definite on one snapshot."""

    query: Query
    opened: Opened
    funnel_name: str
    funnel: Funnel
    unit: str
    stages: tuple[int, ...]
    """Numbers of the stages this unit can be seen in."""
    numbered: bool = False
    """Whether journeys and people are told apart by their numbers (see `units.of_funnel`)."""

    def __post_init__(self) -> None:
        """Force the filters of whoever asks on the query: here, so that no way of making a question goes past it."""
        if self.opened.records:
            forced = replace(self.query, where=_allowed(self.opened, self.query.where))
            object.__setattr__(self, "query", forced)

    @property
    def by(self) -> tuple[str, ...]:
        """Dimensions to group by."""
        return self.query.by

    @property
    def calendar(self) -> Calendar:
        """The workspace's fiscal year and week."""
        work = self.opened.settings.workspace
        return Calendar(work.fiscal_year_start, work.week_start)

    @property
    def start_day(self) -> int | None:
        """First day number asked for, or None."""
        return None if self.query.start is None else day_number(self.query.start)

    @property
    def end_day(self) -> int | None:
        """First day number no longer asked for, or None."""
        return None if self.query.end is None else day_number(self.query.end)

    def stage_name(self, number: int) -> str:
        """Name of a stage."""
        return self.funnel.stages[number].name

    def stage_number(self, name: str) -> int:
        """Number of a stage by name.

        Raises:
            UnknownNameError: no stage of the funnel has that name.
            UsageError: the unit cannot be seen in that stage.
        """
        names = self.funnel.stage_names
        folded = {known.casefold(): number for number, known in enumerate(names)}
        if name.casefold() not in folded:
            raise UnknownNameError("stage", name, names, f"funnel {self.funnel_name!r}")
        number = folded[name.casefold()]
        if number not in self.stages:
            raise UsageError(
                f"Stage {names[number]!r} cannot be seen on {self.unit} by themselves; ask with --unit journeys."
            )
        return number

    def period_label(self, first_day: int | None) -> str | None:
        """Label of the period that starts on a day number; None for what has no period."""
        if self.query.grain is None:
            return ALL
        if first_day is None or first_day == NO_PERIOD:
            return None
        return self.calendar.label(day_of(first_day), self.query.grain)  # type: ignore[arg-type]

    def filters(self) -> dict[str, Any]:
        """The filters of the question, for the result."""
        found: dict[str, Any] = {"funnel": self.funnel_name, **self.query.where}
        if self.query.start:
            found["from"] = self.query.start.isoformat()
        if self.query.end:
            found["to"] = self.query.end.isoformat()
        return found


def ask(opened: Opened, query: Query, *, numbered: bool = False) -> Asked:
    """Choose funnel and unit.

    Args:
        numbered: tell journeys and people apart by their numbers, which are quicker to join, group
            and keep than their names; a list has to name them (see `units.of_funnel`).

    Raises:
        UnknownNameError: funnel, unit or grain that does not exist.
        UsageError: a unit the funnel has no people for, or units that whoever asks may not see.
    """
    name, funnel = opened.funnel(query.funnel)
    unit = query.unit or ("journeys" if funnel.of_people and not _of_deals(opened) else "opportunities")
    if unit not in UNITS:
        raise UnknownNameError("unit", unit, UNITS)
    if unit != "opportunities" and not funnel.of_people:
        raise UsageError(f"Funnel {name!r} is one of opportunities; it has no {unit}. Ask with --unit opportunities.")
    if query.touched and unit not in ("journeys", "people"):
        raise UsageError(f"--touched counts journeys or people under every campaign they touched, not {unit}.")
    stages = funnels.opportunity_stages(funnel) if unit == "opportunities" else range(len(funnel.stages))
    return Asked(query, opened, name, funnel, unit, tuple(stages), numbered)


def _allowed(opened: Opened, where: Mapping[str, str]) -> dict[str, str]:
    """The filters of a question with those forced on it."""
    for name, value in opened.records.items():
        if where.get(name, value) != value:
            raise UsageError(f"Only {name} = {value} is shown to you, not {name} = {where[name]}.")
    return {**where, **opened.records}


def _of_deals(opened: Opened) -> bool:
    """Whether what may be seen is told by opportunities, which people and their journeys can have several of."""
    fields = dimensions.declared(opened.settings)
    return any(name in fields and dimensions.kind_of(fields[name]) == "opportunity" for name in opened.records)
