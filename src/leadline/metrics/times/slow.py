"""Slow transitions: how long units of a segment take to move up, against the rest."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import ibis
import ibis.expr.types as ir

from leadline.maths.clustered import Comparison, ratio_of_means
from leadline.metrics import periods
from leadline.metrics.assemble import Assembly
from leadline.metrics.grouping import Grouping, grouping
from leadline.metrics.query import Asked
from leadline.metrics.rates.against_rest import FALSE_DISCOVERY_RATE, Part, discoveries, parts, with_cluster
from leadline.metrics.times.measures import listed
from leadline.metrics.times.transitions import BEYOND, arrived, pairs
from leadline.model.calendar import DAY_SECONDS
from leadline.results import Column, Result

DEFAULT_BY = ("campaign_type",)
NEEDED = 10
"""Units that must have moved up, in the segment and in the rest, before they are compared."""

FOLLOWED = 180
"""Days a unit is followed: those that moved up within them are timed, if they entered longer ago."""

COLUMNS = (
    Column("stage", "text", help="Where the clock starts"),
    Column("to_stage", "text", help="Where it stops"),
    Column("n", "integer", help=f"Units of the segment that moved up within {FOLLOWED} days"),
    Column("rest_n", "integer", help="Units of all other segments that did"),
    Column("mean_days", "number", "days", "Mean time of those that moved up within the window"),
    Column("rest_mean_days", "number", "days", "The same of the rest"),
    Column("ratio", "number", help="How many times as long the segment takes"),
    Column("ratio_low", "number", help="Lower end of its 95 % interval"),
    Column("ratio_high", "number", help="Upper end of it"),
    Column("days_lost", "number", "days", "Days its units would have saved at the pace of the rest"),
    Column("p_value", "rate", help="Test that there is no difference, units clustered by opportunity"),
    Column("q_value", "rate", help="The same corrected for the number of comparisons (Benjamini–Hochberg)"),
    Column("slow", "boolean", help="Slower than the rest at a false discovery rate of 10 %"),
)


def slow(asked: Asked, start: str | None, end: str | None) -> Result:
    """Transitions of segments ranked: the slow ones first, by the lower limit of the ratio.

    Only units that moved up within 180 days are timed, and only those that entered longer ago: so a segment that converts less is not called slow, and a young one
    not quick. Who skipped the next stage has taken another way and is not timed. Without `--by` segments are campaign types.
    """
    if not asked.by:
        asked = replace(asked, query=replace(asked.query, by=DEFAULT_BY))
    steps = {one: two for one, two in pairs(asked, start, end).items() if two != BEYOND}
    group = grouping(asked)
    question = _moved(asked, steps, group)
    marks = asked.opened.keep(question)
    found = list(parts(asked, with_cluster(asked, marks.mutate(value=marks.seconds)), asked.by))
    compared = [_compared(one) for one in found]
    adjusted = discoveries([one.p_value for one in compared])
    rows = [
        _row(asked, steps, one, comparison, q_value)
        for one, comparison, q_value in zip(found, compared, adjusted, strict=True)
    ]
    made = Assembly(asked, "velocity", f"Slow transitions of {asked.unit} by {', '.join(asked.by)}", _text(asked))
    return made.result(
        COLUMNS,
        sorted(rows, key=_rank),
        query=question,
        units=marks,
        records=lambda: listed(made, group, marks),
        notes=_notes(rows),
    )


def _moved(asked: Asked, steps: dict[int, int], group: Grouping) -> ir.Table:
    """Units that moved up within the window, entered longer ago than it."""
    spells = arrived(asked, steps)
    as_of = asked.opened.as_of.day
    in_time = spells.seconds <= FOLLOWED * DAY_SECONDS
    old = spells.entered_day + FOLLOWED < as_of
    kept = spells.filter(in_time & old)
    kept = periods.within(asked, kept, "entered_day")
    return group.of(kept.mutate(period_day=ibis.literal(0, "int64")))


def _compared(segment: Part) -> Comparison:
    if min(segment.sums.units) < NEEDED:
        own, rest = segment.sums.means
        return Comparison(own, rest, math.nan, math.nan, math.nan, math.nan)
    return ratio_of_means(segment.sums)


def _row(
    asked: Asked, steps: dict[int, int], segment: Part, compared: Comparison, q_value: float | None
) -> dict[str, Any]:
    own_units, rest_units = segment.sums.units
    goal = steps[segment.stage_no]
    tested = not math.isnan(compared.effect)
    lost = own_units * (compared.own - compared.rest) / DAY_SECONDS if tested else None
    found = tested and q_value is not None and q_value <= FALSE_DISCOVERY_RATE and compared.effect > 1
    return {
        **dict(zip(asked.by, segment.values, strict=True)),
        "stage": asked.stage_name(segment.stage_no),
        "to_stage": asked.stage_name(goal),
        "n": int(own_units),
        "rest_n": int(rest_units),
        "mean_days": compared.own / DAY_SECONDS,
        "rest_mean_days": None if math.isnan(compared.rest) else compared.rest / DAY_SECONDS,
        "ratio": compared.effect if tested else None,
        "ratio_low": compared.low if tested else None,
        "ratio_high": compared.high if tested else None,
        "days_lost": lost,
        "p_value": compared.p_value if tested else None,
        "q_value": q_value,
        "slow": found,
    }


def _rank(row: dict[str, Any]) -> tuple:
    """Slow ones first, then the others compared; each by how many times as slow it is at least."""
    return (
        not row["slow"],
        row["ratio"] is None,
        -(row["ratio_low"] or 0.0),
        row["stage"],
        *[str(value) for value in row.values()][:3],
    )


def _text(asked: Asked) -> str:
    return (
        "Time from the first entry into a stage to the first entry into the next one, of units that were seen there "
        f"within {FOLLOWED} days and entered longer ago. Ratio of the mean times of a segment and of the "
        "rest; limits and test take units that share an opportunity as one; all comparisons together at a false "
        f"discovery rate of 10 %. Unit: {asked.unit}."
    )


def _notes(rows: list[dict[str, Any]]) -> list[str]:
    few = sum(row["ratio"] is None for row in rows)
    notes = []
    if few:
        notes.append(
            f"{few} of {len(rows)} segments are not compared: fewer than {NEEDED} units moved up, there or elsewhere."
        )
    if rows and not any(row["slow"] for row in rows):
        notes.append("No segment is slower than the rest beyond chance.")
    return notes
