"""Conversion on both sides: classes, numerators, period ratio, and the list behind the denominator."""

from __future__ import annotations

import itertools
from collections import defaultdict
from fractions import Fraction
from typing import Any

from leadline.metrics.conversion import CLASSES
from leadline.metrics.conversion import conversion as ask_engine
from tests.agreement.compare import differences
from tests.agreement.questions import Question, Sides, place, rows, unit_name
from tests.oracle.conversion import conversion, period_ratio, window_days
from tests.oracle.units import stages_of

COUNTS = (*CLASSES, "converted")


def conversion_differences(
    sides: Sides, question: Question, window: int | None, pair: tuple[str, str] | None = None
) -> list[str]:
    """All neighbouring transitions, or one over several stages."""
    pairs = [pair] if pair else list(itertools.pairwise(stages_of(sides.answers, question.unit)))
    start, end = pair or (None, None)
    result = ask_engine(sides.opened, question.query, window_days=window, from_stage=start, to_stage=end)
    found: dict[tuple, dict[str, Any]] = {}
    ratios = {}
    for row in rows(result):
        key = (*place(row, question.by), row["from_stage"], row["to_stage"])
        found[key] = {name: row[name] for name in COUNTS} | {"rate": row["rate"], "window": row["window_days"]}
        ratios[key] = row["period_ratio"]
    expected, listed = oracle(sides, question, window, pairs)
    what = f"conversion {question} N={window}"
    lines = differences(what, expected, found) + differences(f"list of {what}", listed, engine_list(result, question))
    if not question.start:
        lines += differences(f"ratio {question}", oracle_ratios(sides, question, pairs, set(ratios)), ratios)
    return lines


def oracle(
    sides: Sides, question: Question, window: int | None, pairs: list[tuple[str, str]]
) -> tuple[dict[tuple, dict[str, Any]], dict[tuple, list]]:
    """Classes per (period, dimensions, A, B), and the units of the denominator with whether they converted."""
    answers, cells, listed = sides.answers, {}, {}
    for a, b in pairs:
        days = window_days(answers, question.unit, a, b) if window is None else window
        asked = (question.grain, question.by, question.start, question.end)
        for (first, dims), rate in conversion(answers, question.unit, a, b, window, *asked).items():
            label = (sides.period(question.grain, first), sides.dims(question.by, dims))
            counts: dict[str, Any] = {name: getattr(rate, name) for name in COUNTS}
            exact = None if rate.rate is None else float(rate.rate)
            cells[(*label, a, b)] = counts | {"rate": exact, "window": days}
            if rate.started_ids:
                listed[(*label, a)] = sorted((unit_name(one), one in rate.converted_ids) for one in rate.started_ids)
    return cells, listed


def engine_list(result: Any, question: Question) -> dict[tuple, list]:
    """The list behind the denominators by (period, dimensions, A)."""
    found: dict[tuple, list] = defaultdict(list)
    for row in rows(result.records()):
        found[(*place(row, question.by), row["stage"])].append((row["unit_id"], row["in_numerator"]))
    return {key: sorted(units) for key, units in found.items()}


def oracle_ratios(
    sides: Sides, question: Question, pairs: list[tuple[str, str]], wanted: set[tuple]
) -> dict[tuple, float | None]:
    """Entries B ÷ entries A of the same period, for the rows the engine has."""
    found: dict[tuple, float | None] = dict.fromkeys(wanted)
    for a, b in pairs:
        ratios = period_ratio(sides.answers, question.unit, a, b, question.grain, question.by)
        for (first, dims), ratio in ratios.items():
            key = (sides.period(question.grain, first), sides.dims(question.by, dims), a, b)
            if key in wanted:
                found[key] = None if ratio is None else float(Fraction(ratio))
    return found
