"""Velocity on both sides: times in stage with their causes, percentiles, shares, waiting days."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from typing import Any

from leadline.metrics import dimensions, periods, units
from leadline.metrics.query import ask
from leadline.metrics.times import standing
from leadline.metrics.velocity import velocity as ask_engine
from tests.agreement.compare import differences
from tests.agreement.questions import Question, Sides, place, rows, unit_name
from tests.oracle.survival import Spell, advance_median, advance_share, quantile
from tests.oracle.velocity import implied_only, stuck, stuck_in, velocity_in, waiting_days, waiting_stages
from tests.oracle.volume import Periods

# The engine's curves are products and sums of up to some hundred floats; the oracle's are exact fractions.
ROUNDING = 1e-12
COUNTS = ("n", "open", "excluded", "stuck")
FIGURES = ("median_days", "p75_days", "p90_days", "advance_share", "advance_median_days", "waiting_share")
CAUSES = {"advanced": "advanced", "exit": "exit", None: "censored"}
DAY = 86_400
FEWEST = 10
"""Units of which something is estimated (decision 7)."""


def velocity_differences(sides: Sides, question: Question) -> list[str]:
    """Every stage's times, counts, percentiles and share of the waiting days."""
    spells, expected = oracle(sides, question)
    result = ask_engine(sides.opened, question.query)
    found = {(*place(row, question.by), row["stage"]): row for row in rows(result)}
    what = f"velocity {question}"
    lines = differences(f"times {what}", spells, engine_spells(sides, question))
    lines += differences(what, expected, {key: counted(row) for key, row in found.items()})
    lines += [
        f"{what} {key}.{name}: oracle {float_of(expected[key][name])}, engine {row[name]}"
        for key, row in found.items()
        for name in FIGURES
        if key in expected and not close(expected[key][name], row[name])
    ]
    listed = Counter((*place(row, question.by), row["stage"]) for row in rows(result.records()))
    return lines + differences(f"list of {what}", {key: len(own) for key, own in spells.items()}, listed)


class Row(dict[str, Any]):
    """Counts that must be equal; figures under the same keys are compared with room for rounding."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and all(self[name] == other[name] for name in COUNTS)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # equal rows may differ in figures, so none is a key


def counted(row: dict[str, Any]) -> Row:
    """The engine's counts."""
    return Row({name: row[name] for name in COUNTS})


def oracle(sides: Sides, question: Question) -> tuple[dict[tuple, Counter], dict[tuple, Row]]:
    """Times with their causes, and the row of the table, per (period, dimensions, stage)."""
    answers, by = sides.answers, question.by
    periods = Periods(answers, question.grain, question.start, question.end)
    times: dict[tuple, Counter] = {}
    table: dict[tuple, Row] = {}
    waiting = waits_of(sides, question)
    whole: dict[Any, Fraction] = {}
    for (first, _, _), days in waiting.items():
        whole[first] = whole.get(first, Fraction(0)) + days
    for stage in wanted(sides, question.unit):
        spells, limit = velocity_in(answers, question.unit, stage, by, periods), limit_of(sides, question.unit, stage)
        old = {} if limit is None else stuck_in(answers, question.unit, stage, limit, by, periods)
        excluded = implied_only(answers, question.unit, stage, by, periods)
        waits = {(first, dims): days for (first, dims, name), days in waiting.items() if name == stage}
        for at in {*spells, *excluded, *waits, *old}:
            own, key = spells.get(at, []), (sides.period(question.grain, at[0]), sides.dims(by, at[1]), stage)
            if own:
                times[key] = Counter((unit_name(name), seconds(one), CAUSES[one.cause]) for name, one in own)
            table[key] = _row([one for _, one in own], excluded.get(at, 0))
            table[key]["stuck"] = None if limit is None else old.get(at, 0)
            table[key]["waiting_share"] = waits[at] / whole[at[0]] if at in waits else None
    return times, table


def waits_of(sides: Sides, question: Question) -> dict[tuple, Fraction]:
    """Days stood per (first day of the period or None, dimensions, waiting stage).

    Where days are asked for they are one month here, and there is no grain.
    """
    if question.start is None:
        return dict(waiting_days(sides.answers, question.unit, question.grain, question.by))
    found = waiting_days(sides.answers, question.unit, "month", question.by)
    return {(None, dims, stage): days for (first, dims, stage), days in found.items() if first == question.start}


def _row(spells: list[Spell], excluded: int) -> Row:
    waiting = sum(one.cause is None for one in spells)
    counts = {"n": len(spells), "open": waiting, "excluded": excluded}
    if len(spells) < FEWEST or waiting == len(spells):
        return Row(**counts, **dict.fromkeys(FIGURES))
    return Row(
        **counts,
        median_days=quantile(spells, Fraction(1, 2)),
        p75_days=quantile(spells, Fraction(3, 4)),
        p90_days=quantile(spells, Fraction(9, 10)),
        advance_share=advance_share(spells),
        advance_median_days=advance_median(spells),
    )


def wanted(sides: Sides, unit: str) -> list[str]:
    """Stages in which a unit can stand: Inquiry and the waiting stages."""
    ends = {"won", "lost", "closed"}
    closing = {stage.name for stage in sides.answers.funnel.stages if {one.milestone for one in stage.sources} & ends}
    people = [sides.answers.stages[0]] if unit == "journeys" else []
    stages = people + waiting_stages(sides.answers, unit)
    return [stage for stage in stages if stage not in closing]


def seconds(spell: Spell) -> int:
    """A time in whole seconds."""
    return int(spell.days * DAY)


def engine_spells(sides: Sides, question: Question) -> dict[tuple, Counter]:
    """Time and cause of each unit per (period, dimensions, stage), as the table counts them."""
    asked = ask(sides.opened, question.query)
    sums = periods.within(asked, standing.summed(asked, standing.measured(asked)), "entered_day")
    described = dimensions.described(asked, units.units(asked)).drop("opened_day")
    marks = periods.with_period(asked, sums, "entered_day").join(described, "unit_id")
    found: dict[tuple, Counter] = {}
    for row in sides.opened.arrow(marks).to_pylist():
        dims = tuple(row[name] for name in question.by)
        key = (asked.period_label(row["period_day"]), dims, asked.stage_name(row["stage_no"]))
        found.setdefault(key, Counter())[row["unit_id"], row["seconds"], row["cause"]] += 1
    return found


def float_of(value: Fraction | None) -> float | None:
    """A fraction as the nearest float."""
    return None if value is None else float(value)


def close(expected: Fraction | None, found: float | None) -> bool:
    """Equal but for rounding; both absent."""
    if expected is None or found is None:
        return (expected or 0) == (found or 0)
    return math.isclose(float(expected), found, rel_tol=ROUNDING, abs_tol=ROUNDING)


def stuck_differences(sides: Sides, unit: str) -> list[str]:
    """The list of open visits older than the configured days of their stage."""
    expected = {
        (unit_name(name), stage): float(age)
        for stage in wanted(sides, unit)
        if (limit := limit_of(sides, unit, stage)) is not None
        for name, age in stuck(sides.answers, unit, stage, limit)
    }
    result = ask_engine(sides.opened, Question(unit).query, stuck=True)
    return differences(
        f"stuck {unit}", expected, {(row["unit_id"], row["stage"]): row["age_days"] for row in rows(result)}
    )


def limit_of(sides: Sides, unit: str, stage: str) -> int | None:
    """Days after which a visit of a stage is stuck, as configured; None: not judged."""
    return sides.answers.funnel.stuck_days.get(stage) if stage in wanted(sides, unit) else None
