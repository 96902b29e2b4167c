"""The grid a formula is computed on: groups of rows in periods, the groups above and the periods before."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from leadline.dates import day_of
from leadline.errors import UsageError
from leadline.formulas import tree
from leadline.formulas.kinds import MONEY, of_operand
from leadline.formulas.tree import Operand
from leadline.metrics import rollup
from leadline.metrics.formulas.formula_sources import Cell, Source, sources
from leadline.metrics.query import ALL, Asked

AT_END = ("standing", "open_count", "open_amount")
"""Operands that are a level at the end of a period: over several periods they are that of the last."""


@dataclass(frozen=True, slots=True)
class Place:
    """A group of rows.

    Attributes:
        dims: values of the first dimensions; fewer than asked for is a group above.
        period: label of the period (None: undated).
        whole: all periods together.
        is_total: the total of a period, which is its own parent.
    """

    dims: tuple[Any, ...]
    period: str | None
    whole: bool = False
    is_total: bool = False


@dataclass(slots=True)
class Grid:
    """Values of operands at every place of a question.

    Attributes:
        asked: the question.
        found: where the operands come from.
        periods: labels of all periods of the question, in order; one without a grain.
    """

    asked: Asked
    found: list[Source]
    periods: list[str]
    _sums: dict[tuple, dict[tuple, Fraction]] = field(default_factory=dict)

    @classmethod
    def of(cls, asked: Asked, operands: list[Operand]) -> Grid:
        """Measure the operands.

        Raises:
            UsageError: an operand that the unit does not have.
        """
        found = sources(asked, operands)
        labels = {cell[-1] for one in found for values in one.cells.values() for cell in values}
        return cls(asked, found, _periods(asked, sorted(label for label in labels if label is not None)))

    def places(self, *, dense: bool) -> list[Place]:
        """The rows: dimensions in order, periods in order, undated first.

        Args:
            dense: every group in every period from its first one on; else only where anything is.
        """
        cells = {cell for one in self.found for values in one.cells.values() for cell, value in values.items() if value}
        if not self.asked.by and self.asked.query.grain is None:
            cells.add((ALL,))
        if dense or not self.asked.by:
            cells |= self._filled(cells)
        cells |= {top for tops in rollup.holders(self.asked.by, cells).values() for top in tops}
        order = sorted(cells, key=lambda cell: [(value is None, value or "") for value in cell[:-1]] + [cell[-1] or ""])
        return [Place(cell[:-1], cell[-1]) for cell in order]

    def _filled(self, cells: set[Cell]) -> set[Cell]:
        firsts: dict[tuple, int] = {}
        for *dims, period in cells:
            if period is not None:
                at = self.periods.index(period)
                firsts[tuple(dims)] = min(at, firsts.get(tuple(dims), at))
        return {(*dims, period) for dims, first in firsts.items() for period in self.periods[first:]}

    def total(self, period: str | None) -> Place:
        """All groups of a period together."""
        return Place((), period, is_total=True)

    @property
    def everything(self) -> Place:
        """All groups and periods together."""
        return Place((), None, whole=True, is_total=True)

    def value(self, operand: Operand, place: Place) -> Fraction | None:
        """The value of an operand at a place; money in major units. Nothing counted is 0, no time is None."""
        key = (place.dims, None if place.whole else place.period)
        sums = self._level(operand, len(place.dims), whole=place.whole)
        if operand.what in tree.DURATIONS:
            return sums.get(key)
        value = sums.get(key, Fraction(0))
        return value / 10**self.asked.opened.currency.digits if of_operand(operand) == MONEY else value

    def parent(self, place: Place, level: str | None) -> Place:
        """The group above: of a dimension, a period, all of it, or the next one up.

        Raises:
            UsageError: a dimension that is not asked for.
        """
        if self.asked.query.touched:
            raise UsageError("parent(…) adds up groups, and with --touched they overlap; leave one of them out.")
        if level is None:
            if place.is_total:
                return place
            return replace(place, dims=place.dims[:-1]) if place.dims else replace(place, period=None, whole=True)
        named = level.casefold()
        if named == tree.TOTAL:
            return Place((), None, whole=True, is_total=place.is_total)
        if named == tree.PERIOD:
            return replace(place, dims=())
        names = [name.casefold() for name in self.asked.by]
        if named not in names:
            known = ", ".join([*self.asked.by, tree.PERIOD, tree.TOTAL])
            raise UsageError(f"parent(…, {level}) needs --by {level}; this question has the groups {known}.")
        return replace(place, dims=place.dims[: names.index(named) + 1])

    def previous(self, place: Place, back: int) -> Place | None:
        """The same group so many periods before.

        Raises:
            UsageError: the question has no periods.
        """
        if self.asked.query.grain is None:
            raise UsageError("previous(…) looks at the period before; add --grain, e.g. --grain month.")
        if place.whole or place.period is None:
            return None
        at = self.periods.index(place.period) - back
        return None if at < 0 else replace(place, period=self.periods[at])

    def _level(self, operand: Operand, depth: int, *, whole: bool) -> dict[tuple, Fraction]:
        """An operand over groups of so many dimensions: (dimensions, period) → value."""
        key = (operand, depth, whole)
        if key not in self._sums:
            if operand.what in tree.DURATIONS:
                self._sums[key] = self._times(operand, depth, whole=whole)
            else:
                self._sums[key] = self._added(operand, depth, whole=whole)
        return self._sums[key]

    def _added(self, operand: Operand, depth: int, *, whole: bool) -> dict[tuple, Fraction]:
        last = self.periods[-1] if self.periods else ALL
        sums: dict[tuple, Fraction] = {}
        above: dict[tuple, Fraction] = {}
        for (*dims, period), value in self._cells(operand).items():
            if whole and operand.what in AT_END and period != last:
                continue
            key = (*dims[:depth], None if whole else period)
            sums[key] = sums.get(key, Fraction(0)) + value
        for key, tops in rollup.holders(self.asked.by[:depth], sums).items():
            for top in tops:
                above[top] = above.get(top, Fraction(0)) + sums[key]
        return {(key[:-1], key[-1]): value for key, value in (sums | above).items()}

    def _times(self, operand: Operand, depth: int, *, whole: bool) -> dict[tuple, Fraction]:
        """A median over a larger group is no sum of medians: it is asked for."""
        cells = self._cells(operand)
        if depth < len(self.asked.by) or (whole and self.asked.query.grain is not None):
            query = replace(self.asked.query, by=self.asked.by[:depth], grain=None if whole else self.asked.query.grain)
            (found,) = sources(replace(self.asked, query=query), [operand])
            cells = found.cells[operand]
        return {(cell[:-1], None if whole else cell[-1]): value for cell, value in cells.items()}

    def _cells(self, operand: Operand) -> dict[Cell, Fraction]:
        return next(one.cells[operand] for one in self.found if operand in one.cells)


def _periods(asked: Asked, labels: list[str]) -> list[str]:
    """Labels of every period from the first one asked for, or with anything in it, to the last one until as-of."""
    grain = asked.query.grain
    if grain is None:
        return [ALL]
    if not labels:
        return []
    calendar, cut = asked.calendar, asked.opened.as_of.day
    last_day = cut if asked.end_day is None else min(cut, asked.end_day - 1)
    start = calendar.start(day_of(last_day), grain)  # type: ignore[arg-type]  # ask() has checked it
    first_day = last_day if asked.start_day is None else asked.start_day
    found = [calendar.label(start, grain)]  # type: ignore[arg-type]
    # Labels of one grain sort as their periods do.
    while found[-1] > labels[0] or start > day_of(first_day):
        start = calendar.start(start - dt.timedelta(days=1), grain)  # type: ignore[arg-type]
        found.append(calendar.label(start, grain))  # type: ignore[arg-type]
    return sorted({*found, *labels})
