"""Why a rate changed between two periods: other units (mix), or other rates of the same units.

Kitagawa 1955 with midpoint weights. Everything is reckoned in fractions, so that the parts add up
to the change exactly; only the finished numbers are rounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, cast

import ibis
import ibis.expr.types as ir

from leadline.dates import Grain, day_of
from leadline.errors import UsageError
from leadline.metrics.assemble import Assembly
from leadline.metrics.conversion import cohort, denominators
from leadline.metrics.counts import ranges
from leadline.metrics.counts.ranges import Pair
from leadline.metrics.grouping import grouping
from leadline.metrics.query import Asked, Query, ask
from leadline.metrics.rates import cells, steps
from leadline.metrics.rates.cells import Key
from leadline.metrics.rates.steps import Transition
from leadline.model.opened import Opened
from leadline.results import Column, Result

KIND = "conversion-mix"

POINTS = 10
"""Displayed effects are whole tenths of a percentage point, apportioned so that they add up."""

TEXT = (
    "Change of the cohort rate between two spans of days, split into mix (other shares of the segments) and rate "
    "(other rates of the segments) with midpoint weights (Kitagawa). Only days whose window has passed in both spans "
    "are compared"
)

COLUMNS = (
    Column("period", "text", help="The period"),
    Column("from_stage", "text", help="The earlier stage"),
    Column("to_stage", "text", help="The later stage"),
    Column("window_days", "integer", "days", "Days a unit has to go on"),
    Column("base_period", "text", help="The period it is compared with"),
    Column("base_started", "integer", help="Denominator in the base"),
    Column("base_converted", "integer", help="Numerator in the base"),
    Column("base_rate", "rate", help="Rate in the base"),
    Column("base_share", "rate", help="Part of all units started in the base"),
    Column("started", "integer", help="Denominator"),
    Column("converted", "integer", help="Numerator"),
    Column("rate", "rate", help="Rate"),
    Column("share", "rate", help="Part of all units started"),
    Column("change", "rate", help="Rate less rate in the base; of a segment missing on one side absent"),
    Column("mix_points", "number", "points", "Part of the change of the total that comes from the segment's share"),
    Column("rate_points", "number", "points", "Part of the change of the total that comes from the segment's rate"),
    Column("mix_effect", "rate", help="The same as mix_points, unrounded"),
    Column("rate_effect", "rate", help="The same as rate_points, unrounded"),
)


Side = dict[Key, tuple[int, int]]
"""Segment → (started, converted)."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Two spans of days `[start, end)` as day numbers, the base first."""

    base: tuple[int, int]
    now: tuple[int, int]

    @property
    def both(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Base and now."""
        return self.base, self.now

    @classmethod
    def of(cls, pair: Pair) -> Spans:
        """The days of two periods."""
        return cls((pair.before_first, pair.before_end), (pair.first, pair.end))

    def alike(self, days: int) -> Spans:
        """Both cut to at most their first days."""
        return Spans(
            (self.base[0], min(self.base[1], self.base[0] + days)), (self.now[0], min(self.now[1], self.now[0] + days))
        )


@dataclass(frozen=True, slots=True)
class Effect:
    """A segment's part in the change of the total."""

    mix: Fraction
    rate: Fraction


def mix(
    opened: Opened,
    query: Query,
    *,
    compare: str,
    window_days: int | None = None,
    from_stage: str | None = None,
    to_stage: str | None = None,
) -> Result:
    """The change of each rate against another span, by the segments of `query.by`.

    Args:
        query: its start and end are the span; with a grain each of its periods is compared.
        compare: previous, last-year, or FROM:TO (TO is the day after the last).
        window_days, from_stage, to_stage: as for `conversion`.

    Raises:
        UnknownNameError: stage, unit, funnel or dimension that does not exist.
        UsageError: no span, no dimension, overlapping units, or no day whose window has passed in both.
    """
    if query.touched:
        raise UsageError("--compare splits a total into parts that add up; with --touched they overlap.")
    if not query.by:
        raise UsageError("--compare tells mix from rate by segments; name them with --by, e.g. --by campaign_type.")
    asked = ask(opened, query, numbered=True)
    wanted = steps.transitions(asked, window_days, from_stage, to_stage)
    grain = cast("Grain | None", query.grain)
    found = ranges.pairs(asked.calendar, grain, asked.start_day, asked.end_day, opened.as_of.day, compare)
    asked = replace(asked, query=replace(query, start=None, end=None, grain=None))
    group = grouping(asked)
    question = group.of(cohort(asked, wanted))
    marks = opened.keep(question)
    parts = [part for pair in found for part in _parts(asked, marks, wanted, pair)]
    made = Assembly(asked, "conversion", f"Change of conversion of {asked.unit}", f"{TEXT}. Unit: {asked.unit}.")
    counted = marks.filter(_inside(marks, [(part.one, span) for part in parts for span in part.like.both]))
    result = made.result(
        COLUMNS,
        [row for part in parts for row in part.rows()],
        totals=tuple(part.total() for part in parts if part.effects),
        query=question,
        units=counted,
        records=lambda: denominators(made, group, counted),
        notes=[
            *(note for part in parts for note in part.notes()),
            "Points are apportioned so that they add up as shown.",
        ],
    )
    return replace(result, kind=KIND, filters=ask(opened, query).filters() | {"compare": compare})


def kitagawa(base: Side, now: Side) -> dict[Key, Effect]:
    """Each segment's part in the change of the total rate; the parts add up to it exactly.

    mix = change of its share × (mean of its two rates − mean of the two totals); rate = change of its rate
    × mean of its two shares. A segment without units on one side has the rate of the other there, so that
    its coming or going is all mix. Where a side has no units at all nothing is told.

    Args:
        base, now: segment → (started, converted).
    """
    whole = [sum(started for started, _ in side.values()) for side in (base, now)]
    if not all(whole):
        return {}
    total = [Fraction(sum(hits for _, hits in side.values()), n) for side, n in zip((base, now), whole, strict=True)]
    middle = (total[0] + total[1]) / 2
    found = {}
    for key in [*base, *(key for key in now if key not in base)]:
        sides = [side.get(key, (0, 0)) for side in (base, now)]
        shares = [Fraction(started, n) for (started, _), n in zip(sides, whole, strict=True)]
        known = [Fraction(hits, started) if started else None for started, hits in sides]
        before, after = (one if one is not None else other for one, other in zip(known, known[::-1], strict=True))
        if before is None or after is None:
            continue  # a segment without units on both sides
        found[key] = Effect(
            mix=(shares[1] - shares[0]) * ((before + after) / 2 - middle),
            rate=(after - before) * (shares[0] + shares[1]) / 2,
        )
    return found


def apportioned(parts: list[Fraction], units: int) -> list[int]:
    """Fractions × `units` as whole numbers that add up to their rounded sum: largest remainders get the rest."""
    scaled = [part * units for part in parts]
    floors = [one.numerator // one.denominator for one in scaled]
    rest = round(sum(scaled, Fraction(0))) - sum(floors)
    order = sorted(range(len(parts)), key=lambda at: (floors[at] - scaled[at], at))
    for at in order[:rest]:
        floors[at] += 1
    return floors


def _like(asked: Asked, spans: Spans, one: Transition) -> Spans:
    """The days of both spans whose window has passed; if one is cut, as many days from the start of both."""
    ripe = asked.opened.as_of.day - one.window
    lengths = [min(end, ripe) - start for start, end in (spans.base, spans.now) if end > ripe]
    return spans.alike(max(min(lengths), 0)) if lengths else spans


def _parts(asked: Asked, marks: ir.Table, wanted: Sequence[Transition], pair: Pair) -> list[_Part]:
    """One comparison per transition."""
    likes = {one: _like(asked, Spans.of(pair), one) for one in wanted}
    base, now = (_counts(asked, marks, [(one, like.both[at]) for one, like in likes.items()]) for at in (0, 1))
    return [_Part(asked, pair, one, like, base[one], now[one]) for one, like in likes.items()]


def _counts(
    asked: Asked, marks: ir.Table, spans: Sequence[tuple[Transition, tuple[int, int]]]
) -> dict[Transition, Side]:
    inside = marks.filter(_inside(marks, spans) & (marks["class"] == "started"))
    keys = [*asked.by, "from_no", "to_no"]
    counted = inside.group_by(*keys).aggregate(started=inside.count(), converted=inside.converted.cast("int64").sum())
    found: dict[Transition, Side] = {one: {} for one, _ in spans}
    places = {(one.start, one.end): one for one, _ in spans}
    for row in asked.opened.arrow(counted).to_pylist():
        side = found[places[(row["from_no"], row["to_no"])]]
        side[tuple(row[name] for name in asked.by)] = (row["started"], row["converted"])
    return found


def _inside(marks: ir.Table, spans: Sequence[tuple[Transition, tuple[int, int]]]) -> ir.BooleanValue:
    """Whether a unit's day lies in a span of its transition."""
    inside: ir.BooleanValue = ibis.literal(False)
    for one, (start, end) in spans:
        own = (marks.from_no == one.start) & (marks.to_no == one.end)
        inside = inside | (own & (marks.reached_day >= start) & (marks.reached_day < end))
    return inside.fill_null(False)


class _Part:
    """The comparison of one transition."""

    def __init__(self, asked: Asked, pair: Pair, one: Transition, like: Spans, base: Side, now: Side) -> None:
        self.asked, self.pair, self.one, self.like = asked, pair, one, like
        self.base, self.now = base, now
        self.effects = kitagawa(base, now)
        self.whole = [
            (sum(n for n, _ in side.values()), sum(hits for _, hits in side.values())) for side in (base, now)
        ]

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per segment, those without units on both sides left out."""
        keys = cells.ordered(list(self.effects))
        told = [self.effects[key].mix for key in keys] + [self.effects[key].rate for key in keys]
        points = apportioned(told, 100 * POINTS)
        for at, key in enumerate(keys):
            effect = self.effects[key]
            yield {
                **dict(zip(self.asked.by, key, strict=True)),
                **self._compared(self.base.get(key, (0, 0)), self.now.get(key, (0, 0))),
                "mix_points": points[at] / POINTS,
                "rate_points": points[len(keys) + at] / POINTS,
                "mix_effect": float(effect.mix),
                "rate_effect": float(effect.rate),
            }

    def total(self) -> dict[str, Any]:
        """All segments together."""
        found = self._compared(*self.whole)
        for name in ("base_share", "share"):
            del found[name]
        effects = self.effects.values()
        mixed, rated = (sum((getattr(one, name) for one in effects), Fraction(0)) for name in ("mix", "rate"))
        return found | {
            "mix_effect": float(mixed),
            "rate_effect": float(rated),
            "against_all": self._against_all(),
        }

    def _compared(self, base: tuple[int, int], now: tuple[int, int]) -> dict[str, Any]:
        before, after = _rate(base), _rate(now)
        return {
            "period": self.pair.label,
            "from_stage": self.asked.stage_name(self.one.start),
            "to_stage": self.asked.stage_name(self.one.end),
            "window_days": self.one.window,
            "base_period": self.pair.before_label,
            "base_started": base[0],
            "base_converted": base[1],
            "base_rate": None if before is None else float(before),
            "base_share": cells.ratio(base[0], self.whole[0][0]),
            "started": now[0],
            "converted": now[1],
            "rate": None if after is None else float(after),
            "share": cells.ratio(now[0], self.whole[1][0]),
            "change": None if before is None or after is None else float(after - before),
        }

    def _sentence(self) -> str:
        effects = self.effects.values()
        parts = [sum((one.mix for one in effects), Fraction(0)), sum((one.rate for one in effects), Fraction(0))]
        mixed, rated = (points / POINTS for points in apportioned(parts, 100 * POINTS))
        before, after = (100 * float(rate) for rate in map(_rate, self.whole) if rate is not None)
        return f"{before:.1f} % to {after:.1f} %, {mixed + rated:+.1f} points = mix {mixed:+.1f} + rate {rated:+.1f}."

    def _against_all(self) -> bool:
        """Whether the total moved against every segment that moved (Simpson's paradox)."""
        total = [_rate(side) for side in self.whole]
        if total[0] is None or total[1] is None:
            return False
        moved = [
            after - before
            for key in self.effects
            if (before := _rate(self.base.get(key, (0, 0)))) is not None
            and (after := _rate(self.now.get(key, (0, 0)))) is not None
        ]
        change = total[1] - total[0]
        return any(moved) and all(one * change <= 0 for one in moved) and change != 0

    def notes(self) -> Iterator[str]:
        """What has to be said of this transition."""
        step = f"{self.asked.stage_name(self.one.start)} > {self.asked.stage_name(self.one.end)}"
        name = f"{step}, {self.pair.label} against {self.pair.before_label}"
        if self.effects:
            yield f"{name}: {self._sentence()}"
        if not self.effects:
            yield f"{name}: no units whose {self.one.window} days have passed on both sides, so nothing is compared."
        elif self.like != Spans.of(self.pair):
            days = f"{_days(self.like.now)} with {_days(self.like.base)}"
            yield f"{name}: compared are {days}; the window of later days has not passed."
        if self.effects and self._against_all():
            yield f"{name}: the total moved against every segment, because their shares changed (Simpson's paradox)."


def _rate(side: tuple[int, int]) -> Fraction | None:
    return Fraction(side[1], side[0]) if side[0] else None


def _days(span: tuple[int, int]) -> str:
    return f"{day_of(span[0])} to {day_of(span[1])}"
