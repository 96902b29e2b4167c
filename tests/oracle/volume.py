"""Volume: entered, cohort, standing (§5)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

from tests.oracle.answers import Answers, Pass, Track
from tests.oracle.clock import Moment, period_end, period_start
from tests.oracle.units import IN_JOURNEYS, Unit, stages_of, units

Dims = tuple[str | None, ...]
UnitId = str | Pass
Cell = tuple[dt.date | None, Dims, str]
"""(first day of the period or None, dimension values, stage)."""


@dataclass
class Count:
    """One cell. amounts: minor units of the units counted that bear money (unit opportunities)."""

    count: int = 0
    observed: int = 0
    implied: int = 0
    re_entries: int = 0
    regressions: int = 0
    requalifications: int = 0
    amount: int = 0
    ids: list[UnitId] = field(default_factory=list)


@dataclass(frozen=True)
class Periods:
    """Periods of a grain, or one without bounds; days outside [start, end) are left out."""

    answers: Answers
    grain: str | None
    start: dt.date | None = None
    end: dt.date | None = None

    @property
    def bounded(self) -> bool:
        """Whether days are asked for."""
        return self.start is not None or self.end is not None

    def holds(self, day: dt.date) -> bool:
        """§1: half-open."""
        return (self.start is None or day >= self.start) and (self.end is None or day < self.end)

    def of(self, day: dt.date) -> dt.date | None:
        """First day of the period of `day`."""
        if self.grain is None:
            return None
        workspace = self.answers.settings.workspace
        return period_start(day, self.grain, workspace.week_start, workspace.fiscal_year_start)


def volume(
    answers: Answers,
    view: str = "entered",
    unit: str = "journeys",
    grain: str | None = None,
    by: tuple[str, ...] = (),
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> dict[Cell, Count]:
    """Cells that are not zero. view: entered or cohort; `standing` has its own function."""
    periods = Periods(answers, grain, start, end)
    cells: dict[Cell, Count] = {}
    for one in units(answers, unit):
        dims = tuple(one.dimensions[name] for name in by)
        if view == "entered":
            _entered(cells, one, dims, periods, stages_of(answers, unit))
        else:
            _cohort(cells, one, dims, periods, stages_of(answers, unit))
    return cells


def _cell(cells: dict[Cell, Count], key: Cell) -> Count:
    return cells.setdefault(key, Count())


def _entered(cells: dict[Cell, Count], unit: Unit, dims: Dims, periods: Periods, stages: list[str]) -> None:
    """Each unit's first entry of a stage by its day; re-entries and so on by theirs.

    Beside them, not counted: stages reached without a time, by the day of the next timed entry.
    """
    for stage in unit.reached - set(unit.first):
        later = [unit.first[one] for one in stages[stages.index(stage) :] if one in unit.first]
        if later and periods.holds(min(later).day):
            _cell(cells, (periods.of(min(later).day), dims, stage)).implied += 1
    for stage, moment in unit.first.items():
        if stage in stages and periods.holds(moment.day):
            cell = _cell(cells, (periods.of(moment.day), dims, stage))
            cell.count += 1
            cell.observed += 1
            cell.amount += unit.amount or 0
            cell.ids.append(unit.id)
    for name in ("re_entries", "regressions", "requalifications"):
        pairs: list[tuple[str, Moment]] = getattr(unit, name)
        for stage, moment in pairs:
            if stage in stages and periods.holds(moment.day):
                cell = _cell(cells, (periods.of(moment.day), dims, stage))
                setattr(cell, name, getattr(cell, name) + 1)


def _cohort(cells: dict[Cell, Count], unit: Unit, dims: Dims, periods: Periods, stages: list[str]) -> None:
    """Of those that opened in the period: how many have reached each stage.

    Undated ones are in no period: they count under None unless days are asked for (D39).
    """
    if unit.opened is None and periods.bounded:
        return
    if unit.opened is not None and not periods.holds(unit.opened.day):
        return
    period = None if unit.opened is None else periods.of(unit.opened.day)
    for stage in stages:
        if stage in unit.reached:
            cell = _cell(cells, (period, dims, stage))
            cell.count += 1
            cell.observed += stage in unit.first
            cell.implied += stage not in unit.first
            cell.amount += unit.amount or 0
            cell.ids.append(unit.id)


def standing(
    answers: Answers, unit: str = "journeys", at: dt.datetime | None = None, by: tuple[str, ...] = ()
) -> dict[tuple[Dims, str], int]:
    """How many stand in each stage at an instant (default as-of)."""
    at = at or answers.clock.as_of
    places = _places(answers, unit, at)
    dims = {one.id: tuple(one.dimensions[name] for name in by) for one in units(answers, unit)}
    return dict(Counter((dims[name], stage) for name, stage in places.items()))


def position(track: Track, at: dt.datetime) -> str | None:
    """§4 Position at an instant: the visit [entered, left) that holds it."""
    for visit in track.visits:
        if visit.entered.key <= at and (visit.left is None or at < visit.left.key):
            return visit.stage
    return None


def _places(answers: Answers, unit: str, at: dt.datetime) -> dict[UnitId, str]:
    """Unit → stage it stands in; those that stand nowhere are left out."""
    if unit == "opportunities":
        found = {deal.id: position(deal.track, at) for deal in answers.opportunities.values()}
        return {name: stage for name, stage in found.items() if stage is not None}
    journeys = {one.id: stage for one in answers.journeys.values() if (stage := position(one.track, at)) is not None}
    if unit == "journeys":
        return dict(journeys.items())
    if unit == "responses":
        return _response_places(answers, journeys, at)
    places: dict[UnitId, str] = {}
    for (person, _), stage in journeys.items():
        name = person if unit == "people" else answers.people.account(person)
        if name is not None:
            places[name] = max(stage, places.get(name, stage), key=answers.stages.index)
    return places


def _response_places(answers: Answers, journeys: dict[tuple[str, int], str], at: dt.datetime) -> dict[UnitId, str]:
    """§4: a response stands later if the journey it tipped does; else at Inquiry while its journey lasts."""
    places: dict[UnitId, str] = {}
    for response in answers.responses.values():
        if (
            response.fate in IN_JOURNEYS
            and response.journey in journeys
            and response.moment
            and response.moment.key <= at
        ):
            tipped = response.fate == "tipped"
            places[response.id] = journeys[response.journey] if tipped else answers.stages[0]
    return places


def last_instants(answers: Answers, grain: str, first: dt.date, last: dt.date) -> list[dt.datetime]:
    """Ends of the periods from `first` to `last` as instants, the last one cut to as-of."""
    periods, found = Periods(answers, grain), []
    start = periods.of(first)
    while start is not None and start <= last:
        end = period_end(start, grain)
        found.append(min(answers.clock.start_of(end), answers.clock.as_of))
        start = end
    return found
