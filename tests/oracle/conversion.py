"""Cohort conversion and the period ratio (§6)."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field
from fractions import Fraction

from tests.oracle.answers import Answers
from tests.oracle.clock import Moment
from tests.oracle.units import Unit, stages_of, units
from tests.oracle.volume import Dims, Periods, volume

NOT_LEARNED = 90
"""§6, D19: the window until one is learned from 30 units."""


@dataclass
class Rate:
    """Classes of the units that reached A; `converted` is a part of `started`."""

    started: int = 0
    converted: int = 0
    too_young: int = 0
    implied: int = 0
    out_of_order: int = 0
    undated: int = 0
    started_ids: list[object] = field(default_factory=list)
    converted_ids: list[object] = field(default_factory=list)

    @property
    def rate(self) -> Fraction | None:
        """§6: converted ÷ started."""
        return Fraction(self.converted, self.started) if self.started else None


def window_days(answers: Answers, unit: str, a: str, b: str) -> int:
    """§6: configured, else 90 until learned; over several stages the sum of the steps (D40)."""
    stages = stages_of(answers, unit)
    steps = itertools.pairwise(stages[stages.index(a) : stages.index(b) + 1])
    days = answers.funnel.window_days
    return days.get(f"{a}>{b}", sum(days.get(f"{one}>{two}", NOT_LEARNED) for one, two in steps))


def first_of(unit: Unit, stages: list[str]) -> Moment | None:
    """First timed entry into any of the stages."""
    return min((unit.first[stage] for stage in stages if stage in unit.first), key=lambda one: one.key, default=None)


def classify(
    answers: Answers, unit: Unit, stages: list[str], a: str, b: str, window: int
) -> tuple[str, dt.date | None]:
    """§6: the class, first that applies, and the day that decides the period."""
    later = first_of(unit, stages[stages.index(b) :])
    entered = unit.first.get(a)
    if entered is None:
        beyond = first_of(unit, stages[stages.index(a) + 1 :])
        return ("implied", beyond.day) if beyond else ("undated", None)
    if later is not None and later.key < entered.key:
        return "out_of_order", entered.day
    if entered.day + dt.timedelta(days=window) >= answers.clock.today:
        return "too_young", entered.day
    if later is not None and (later.day - entered.day).days <= window:
        return "converted", entered.day
    return "started", entered.day


def conversion(
    answers: Answers,
    unit: str,
    a: str,
    b: str,
    window: int | None = None,
    grain: str | None = None,
    by: tuple[str, ...] = (),
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> dict[tuple[dt.date | None, Dims], Rate]:
    """Cohort conversion A → B by period and dimensions; undated units stand under the period None."""
    stages, periods = stages_of(answers, unit), Periods(answers, grain, start, end)
    window = window_days(answers, unit, a, b) if window is None else window
    rates: dict[tuple[dt.date | None, Dims], Rate] = {}
    for one in units(answers, unit):
        if a not in one.reached:
            continue
        name, day = classify(answers, one, stages, a, b, window)
        if periods.bounded and (day is None or not periods.holds(day)):
            continue
        period = None if day is None else periods.of(day)
        rate = rates.setdefault((period, tuple(one.dimensions[dim] for dim in by)), Rate())
        _count(rate, name, one)
    return rates


def _count(rate: Rate, name: str, unit: Unit) -> None:
    if name in ("started", "converted"):
        rate.started += 1
        rate.started_ids.append(unit.id)
    if name == "converted":
        rate.converted += 1
        rate.converted_ids.append(unit.id)
    if name in ("too_young", "implied", "out_of_order", "undated"):
        setattr(rate, name, getattr(rate, name) + 1)


def period_ratio(
    answers: Answers, unit: str, a: str, b: str, grain: str | None = None, by: tuple[str, ...] = ()
) -> dict[tuple[dt.date | None, Dims], Fraction | None]:
    """§6 Period ratio: entries B ÷ entries A of the same period."""
    cells = volume(answers, "entered", unit, grain, by)
    found: dict[tuple[dt.date | None, Dims], Fraction | None] = {}
    for period, dims, stage in cells:
        if stage in (a, b):
            counts = [cells[period, dims, one].count if (period, dims, one) in cells else 0 for one in (b, a)]
            found[period, dims] = Fraction(counts[0], counts[1]) if counts[1] else None
    return found
