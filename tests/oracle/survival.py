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


def quantile(spells: list[Spell], share: Fraction) -> Fraction | None:
    """The smallest time by which `share` have left; None: not reached."""
    return next((step.days for step in curve(spells) if step.surviving <= 1 - share), None)


def advance_share(spells: list[Spell]) -> Fraction:
    """§7: Aalen–Johansen share that moves up."""
    steps = curve(spells)
    return steps[-1].advanced if steps else Fraction(0)


def advance_median(spells: list[Spell]) -> Fraction | None:
    """§7: the time at which that curve reaches half its final value."""
    half = advance_share(spells) / 2
    if half == 0:
        return None
    return next(step.days for step in curve(spells) if step.advanced >= half)
