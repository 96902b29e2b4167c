"""Volume on both sides: entered, cohort, standing, and the lists behind them."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from leadline.metrics.query import Query
from leadline.metrics.volume import volume as ask_engine
from tests.agreement.compare import differences
from tests.agreement.questions import Question, Sides, place, rows, unit_name
from tests.oracle.units import IN_JOURNEYS, units
from tests.oracle.volume import Cell, standing, volume

COUNTS = ("count", "implied", "re_entries", "regressions", "requalifications")
Cells = dict[tuple, dict[str, Any]]


def volume_differences(sides: Sides, question: Question, view: str) -> list[str]:
    """Counts, amounts and the units behind them."""
    asked = oracle(sides, question, view)
    result = ask_engine(sides.opened, question.query, view=view)
    found = {}
    for row in rows(result):
        counts: dict[str, Any] = {name: row[name] for name in COUNTS} | {"amount": row["amount"] or 0}
        found[(*place(row, question.by), row["stage"])] = counts
    listed: dict[tuple, list[str]] = defaultdict(list)
    for row in rows(result.records()):
        listed[(*place(row, question.by), row["stage"])].append(row["unit_id"])
    units = {key: sorted(counts.pop("units")) for key, counts in asked.items()}
    what = f"{view} {question}"
    return differences(what, nonzero(asked), nonzero(found)) + differences(
        f"list of {what}",
        {key: names for key, names in units.items() if names},
        {key: sorted(names) for key, names in listed.items()},
    )


def nonzero(cells: Cells) -> Cells:
    """Cells in which something is counted."""
    return {key: counts for key, counts in cells.items() if any(counts[name] for name in COUNTS)}


def oracle(sides: Sides, question: Question, view: str) -> Cells:
    """The oracle's cells under the engine's labels."""
    answers = sides.answers
    cells = volume(answers, view, question.unit, question.grain, question.by, question.start, question.end)
    return {
        place_of(sides, question, key): {name: getattr(cell, name) for name in COUNTS}
        | {"amount": cell.amount, "units": [unit_name(one) for one in cell.ids]}
        for key, cell in cells.items()
    }


def place_of(sides: Sides, question: Question, cell: Cell) -> tuple:
    """(period label, dimension values, stage)."""
    first, dims, stage = cell
    return sides.period(question.grain, first), sides.dims(question.by, dims), stage


def touched_differences(sides: Sides, unit: str) -> list[str]:
    """First entries under every campaign that the unit's counted responses belong to (overlapping)."""
    answers = sides.answers
    campaigns: dict[Any, set[str]] = defaultdict(set)
    for one in answers.responses.values():
        if one.fate in IN_JOURNEYS and one.journey is not None:
            campaigns[one.journey if unit == "journeys" else one.person].add(one.campaign)
    expected = Counter(
        ("all", sides.dims(("campaign",), (campaign,)), stage)
        for one in units(answers, unit)
        for campaign in campaigns[one.id]
        for stage in one.first
    )
    result = ask_engine(sides.opened, Query(by=("campaign",), unit=unit, touched=True))
    found = {(*place(row, ("campaign",)), row["stage"]): row["count"] for row in rows(result) if row["count"]}
    return differences(f"touched {unit}", expected, found)


def standing_differences(sides: Sides, question: Question) -> list[str]:
    """Who stands where at as-of."""
    expected = {
        (sides.dims(question.by, dims), stage): count
        for (dims, stage), count in standing(sides.answers, question.unit, by=question.by).items()
    }
    result = ask_engine(sides.opened, question.query, view="standing")
    found = {(place(row, question.by)[1], row["stage"]): row["count"] for row in rows(result)}
    lines = differences(f"standing {question}", expected, found)
    counted = len(rows(result.records()))
    return lines if counted == sum(expected.values()) else [*lines, f"list of standing {question}: {counted} rows"]
