"""Kaplan–Meier and Aalen–Johansen with exact fractions (§7)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Spell:
    """A time in days and how it ended: `advanced`, `exit`, or None while it lasts (censored)."""

    days: Fraction
    cause: str | None


@dataclass(frozen=True)
class Step:
    """The curves just after a time: share still in, share advanced, share gone otherwise."""

    days: Fraction
    surviving: Fraction
    advanced: Fraction
    exited: Fraction


def curve(spells: list[Spell]) -> list[Step]:
    """One step per time at which something ended; a spell censored at that time was still at risk."""
    surviving, advanced, exited = Fraction(1), Fraction(0), Fraction(0)
    ends = Counter((spell.days, spell.cause) for spell in spells)
    at_risk = len(spells)
    steps = []
    for time in sorted({spell.days for spell in spells}):
        up, out, censored = ends[time, "advanced"], ends[time, "exit"], ends[time, None]
        if up or out:
            advanced += surviving * Fraction(up, at_risk)
            exited += surviving * Fraction(out, at_risk)
            surviving *= 1 - Fraction(up + out, at_risk)
            steps.append(Step(time, surviving, advanced, exited))
        at_risk -= up + out + censored
    return steps


def reach(points: list[tuple[Fraction, Fraction]], level: Fraction, end: Fraction) -> Fraction | None:
    """The time at which a rising step curve reaches a level; None: not reached.

    A level met exactly holds on a flat stretch up to the next rise, or up to the last time seen:
    the answer is its middle, as in R (D41).
    """
    for place, (days, value) in enumerate(points):
        if value == level:
            following = next((later for later, higher in points[place:] if higher > level), end)
            return (days + following) / 2
        if value > level:
            return days
    return None


def last_time(spells: list[Spell]) -> Fraction:
    """The longest time, ended or not."""
    return max((spell.days for spell in spells), default=Fraction(0))


def quantile(spells: list[Spell], share: Fraction) -> Fraction | None:
    """The time by which `share` have left."""
    return reach([(step.days, 1 - step.surviving) for step in curve(spells)], share, last_time(spells))


def advance_share(spells: list[Spell]) -> Fraction:
    """§7: Aalen–Johansen share that moves up."""
    steps = curve(spells)
    return steps[-1].advanced if steps else Fraction(0)


def advance_median(spells: list[Spell]) -> Fraction | None:
    """§7: the time at which that curve reaches half its final value."""
    half = advance_share(spells) / 2
    if half == 0:
        return None
    return reach([(step.days, step.advanced) for step in curve(spells)], half, last_time(spells))
