"""Velocity on both sides: times in stage with their causes, percentiles, shares, waiting days."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from typing import Any

from leadline.metrics import dimensions, periods, standing, units
from leadline.metrics.query import ask
from leadline.metrics.velocity import velocity as ask_engine
from tests.agreement.compare import differences
from tests.agreement.questions import Question, Sides, place, rows, unit_name
from tests.oracle.survival import Spell, advance_median, advance_share, quantile
from tests.oracle.velocity import implied_only, stuck, velocity, waiting_days, waiting_stages

# The engine's curves are products and sums of up to some hundred floats; the oracle's are exact fractions.
ROUNDING = 1e-12
FIGURES = ("median_days", "p75_days", "p90_days", "advance_share", "advance_median_days", "waiting_share")
CAUSES = {"advanced": "advanced", "exit": "exit", None: "censored"}
DAY = 86_400


def velocity_differences(sides: Sides, question: Question) -> list[str]:
    """Every stage's times, counts, percentiles and share of the waiting days."""
    spells, expected = oracle(sides, question)
    result = ask_engine(sides.opened, question.query)
    found = {(*place(row, question.by)[1], row["stage"]): row for row in rows(result)}
    what = f"velocity {question}"
    lines = differences(f"times {what}", spells, engine_spells(sides, question))
    lines += differences(what, expected, {key: counted(row) for key, row in found.items()})
    lines += [
        f"{what} {key}.{name}: oracle {float_of(expected[key][name])}, engine {row[name]}"
        for key, row in found.items()
        for name in FIGURES
        if key in expected and not close(expected[key][name], row[name])
    ]
    listed = Counter((*place(row, question.by)[1], row["stage"]) for row in rows(result.records()))
    return lines + differences(f"list of {what}", {key: len(own) for key, own in spells.items()}, listed)


class Row(dict[str, Any]):
    """Counts that must be equal; figures under the same keys are compared with room for rounding."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and all(self[name] == other[name] for name in ("n", "open", "excluded"))

    def __ne__(self, other: object) -> bool:
        return not self == other


def counted(row: dict[str, Any]) -> Row:
    """The engine's counts."""
    return Row({name: row[name] for name in ("n", "open", "excluded")})


def oracle(sides: Sides, question: Question) -> tuple[dict[tuple, Counter], dict[tuple, Row]]:
    """Times with their causes, and the row of the table, per (dimensions, stage)."""
    answers, by = sides.answers, question.by
    times: dict[tuple, Counter] = {}
    table: dict[tuple, Row] = {}
    waiting = waiting_days(answers, question.unit, None, by)
    whole = sum(waiting.values(), Fraction(0))
    for stage in wanted(sides, question.unit):
        spells = velocity(answers, question.unit, stage, by)
        excluded = implied_only(answers, question.unit, stage, by)
        waits = {dims: days for (_, dims, name), days in waiting.items() if name == stage}
        for dims in {*spells, *excluded, *waits}:
            own, key = spells.get(dims, []), (*sides.dims(by, dims), stage)
            if own:
                times[key] = Counter((unit_name(name), seconds(one), CAUSES[one.cause]) for name, one in own)
            table[key] = _row([one for _, one in own], excluded.get(dims, 0))
            table[key]["waiting_share"] = waits[dims] / whole if dims in waits else None
    return times, table


def _row(spells: list[Spell], excluded: int) -> Row:
    return Row(
        n=len(spells),
        open=sum(one.cause is None for one in spells),
        excluded=excluded,
        median_days=quantile(spells, Fraction(1, 2)),
        p75_days=quantile(spells, Fraction(3, 4)),
        p90_days=quantile(spells, Fraction(9, 10)),
        advance_share=advance_share(spells) if spells else None,
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
    """Time and cause of each unit per (dimensions, stage), from the marks the table counts."""
    asked = ask(sides.opened, question.query)
    sums = standing.summed(asked, standing.measured(asked))
    described = dimensions.described(asked, units.units(asked)).drop("opened_day")
    marks = periods.with_period(asked, sums, "entered_day").join(described, "unit_id")
    found: dict[tuple, Counter] = {}
    for row in sides.opened.arrow(marks).to_pylist():
        key = (*[row[name] for name in question.by], asked.stage_name(row["stage_no"]))
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
    days = sides.answers.funnel.stuck_days
    expected = {
        (unit_name(name), stage): round(float(age), 6)
        for stage, limit in days.items()
        if stage in wanted(sides, unit) and stage in waiting_stages(sides.answers, unit)
        for name, age in stuck(sides.answers, unit, stage, limit)
    }
    result = ask_engine(sides.opened, Question(unit).query, stuck=True)
    found = {(row["unit_id"], row["stage"]): round(row["age_days"], 6) for row in rows(result)}
    return differences(f"stuck {unit}", expected, found)
