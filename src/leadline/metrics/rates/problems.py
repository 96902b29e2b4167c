"""Problem areas: segments that go on less often than the rest, ranked by the wins they cost.

Every value of every dimension is set against all other units at the same transition. Units that
share a deal succeed and fail together and are one cluster. What is found is what a false discovery
rate of 10 % over all tests of the question lets through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from leadline.errors import UsageError
from leadline.maths.intervals import benjamini_hochberg, clustered_proportions, newcombe
from leadline.metrics import dimensions
from leadline.metrics.assemble import Assembly
from leadline.metrics.conversion import cohort
from leadline.metrics.grouping import Grouping, grouping
from leadline.metrics.query import Asked, Query, ask
from leadline.metrics.rates import cells, steps
from leadline.metrics.rates.segments import Segment, Segments
from leadline.metrics.rates.steps import Transition
from leadline.model.funnels import closed_stages
from leadline.model.opened import Opened
from leadline.money import format_minor
from leadline.results import Column, Result

KIND = "conversion-problems"

DISCOVERY_RATE = 0.1
"""Share of false alarms among all alarms that is put up with."""

EXPECTED = 5
"""Conversions and failures a segment must be expected to have, for the normal distribution to hold (Cochran)."""

TEXT = (
    "Segments that go on less often than all other units at the same transition: two-proportion test with units that "
    "share an opportunity as one cluster, false discovery rate 10 % over all tests (Benjamini–Hochberg), ranked by "
    "the wins lost for certain: (rate of the rest − rate) × started × the later rates, at the end of the interval "
    "nearer to no difference. Units without a value of a dimension stand outside of it"
)

COLUMNS = (
    Column("rank", "integer", help="1 is the segment that costs most wins for certain: by wins_lost_low"),
    Column("dimension", "text", help="What the segment is a value of"),
    Column("value", "text", help="The segment"),
    Column("from_stage", "text", help="The earlier stage"),
    Column("to_stage", "text", help="The later stage"),
    Column("window_days", "integer", "days", "Days a unit has to go on"),
    Column("started", "integer", help="Units of the segment that are old enough"),
    Column("converted", "integer", help="Of these, went on within the window"),
    Column("rate", "rate", help="Converted divided by started"),
    Column("rest_started", "integer", help="All other units that are old enough"),
    Column("rest_converted", "integer", help="Of these, went on within the window"),
    Column("rest_rate", "rate", help="Rate of the rest"),
    Column("difference", "rate", help="Rate less rate of the rest"),
    Column("difference_low", "rate", help="Lower end of its 95 % interval (Newcombe, clustered)"),
    Column("difference_high", "rate", help="Upper end of its 95 % interval"),
    Column("p_value", "rate", help="Two-sided p-value of the clustered test"),
    Column("q_value", "rate", help="The same adjusted for all tests (Benjamini–Hochberg)"),
    Column("records_lost", "number", help="Units that would have gone on at the rate of the rest"),
    Column("wins_lost", "number", help="Of these, wins, at the rates of the later transitions"),
    Column("wins_lost_low", "number", help="The same at the end of the interval that is nearer to no difference"),
    Column("amount_at_stake", "money", help="Wins lost × mean amount of a won opportunity"),
    Column("sentence", "text", help="The finding in words"),
)


@dataclass(frozen=True, slots=True)
class Worth:
    """What one more unit in a stage is worth.

    Attributes:
        wins: stage → wins per unit that enters it.
        amount: mean amount of a won opportunity in minor units, None if none is known.
    """

    wins: dict[int, float]
    amount: float | None


def problems(
    opened: Opened,
    query: Query,
    *,
    window_days: int | None = None,
    from_stage: str | None = None,
    to_stage: str | None = None,
) -> Result:
    """Segments that convert worse than the rest.

    Args:
        query: `by` names the dimensions to look through; without it all that the unit has.
        window_days, from_stage, to_stage: as for `conversion`.

    Raises:
        UnknownNameError: stage, unit, funnel or dimension that does not exist.
        UsageError: a grain, or overlapping units.
    """
    if query.touched or query.grain is not None:
        raise UsageError(
            "--problems looks at all periods together and at each unit once; leave out --grain and --touched."
        )
    asked = ask(opened, query, numbered=True)
    looked = dimensions.looked_through(asked)
    asked = replace(asked, query=replace(query, by=()))
    wanted = steps.transitions(asked, window_days, from_stage, to_stage)
    group = grouping(asked)
    question = group.of(cohort(asked, wanted))
    marks = opened.keep(question)
    segments = Segments(asked, group, marks, looked).split()
    rows, tests = _found(asked, segments, wanted, _worth(asked, group, window_days))
    made = Assembly(asked, "conversion", f"Problem areas of {asked.unit}", f"{TEXT}. Unit: {asked.unit}.")
    result = made.result(
        COLUMNS,
        rows,
        query=question,
        units=marks,
        records=lambda: _records(made, group, marks, rows),
        notes=_notes(asked, tests, len(segments), looked),
        by=(),
    )
    return replace(result, kind=KIND)


def _found(
    asked: Asked, segments: list[Segment], wanted: Sequence[Transition], worth: Worth
) -> tuple[list[dict[str, Any]], int]:
    """Rows of the segments below the rest that the false discovery rate lets through, and how many were tested."""
    tested = [one for one in segments if _is_testable(one)]
    if not tested:
        return [], 0
    moments = np.array([one.moments for one in tested])
    sums = np.array([[one.converted, one.started, one.all_converted, one.all_started] for one in tested])
    _, p_values, effects = clustered_proportions(moments, sums)
    q_values = benjamini_hochberg(p_values)
    windows = {(one.start, one.end): one.window for one in wanted}
    rows = [
        _row(asked, one, windows[(one.start, one.end)], worth, float(p), float(q), float(effect))
        for one, p, q, effect in zip(tested, p_values, q_values, effects, strict=True)
        if q <= DISCOVERY_RATE and one.rate < one.rest_rate
    ]
    rows.sort(key=_order)
    return [{**row, "rank": at} for at, row in enumerate(rows, 1)], len(tested)


def _order(row: dict[str, Any]) -> tuple[Any, ...]:
    """The most wins lost for certain first, then the surest."""
    return (-row["wins_lost_low"], row["p_value"], row["dimension"], row["value"], row["from_stage"])


def _is_testable(one: Segment) -> bool:
    """Whether both sides can be expected to succeed and to fail often enough for the test to hold.

    What holds more than half of all units is the norm: then it is the others that stand out.
    """
    sides = (one.started, one.all_started - one.started)
    share = one.all_converted / one.all_started
    return sides[0] <= sides[1] and all(side * part >= EXPECTED for side in sides for part in (share, 1 - share))


def _row(
    asked: Asked, one: Segment, window: int, worth: Worth, p_value: float, q_value: float, effect: float
) -> dict[str, Any]:
    rest_started, rest_converted = one.all_started - one.started, one.all_converted - one.converted
    # Clustered units tell less than as many independent ones: the interval is that of fewer units.
    counts = (one.converted, one.started, rest_converted, rest_started)
    low, high = newcombe(*(count / effect for count in counts))
    lost, surely = (one.rest_rate - one.rate) * one.started, max(-float(high), 0.0) * one.started
    wins = lost * worth.wins[one.end]
    row = {
        "dimension": one.dimension,
        "value": one.value,
        "from_stage": asked.stage_name(one.start),
        "to_stage": asked.stage_name(one.end),
        "window_days": window,
        "started": one.started,
        "converted": one.converted,
        "rate": one.rate,
        "rest_started": rest_started,
        "rest_converted": rest_converted,
        "rest_rate": one.rest_rate,
        "difference": one.rate - one.rest_rate,
        "difference_low": float(low),
        "difference_high": float(high),
        "p_value": p_value,
        "q_value": q_value,
        "records_lost": lost,
        "wins_lost": wins,
        "wins_lost_low": surely * worth.wins[one.end],
        "amount_at_stake": None if worth.amount is None else round(wins * worth.amount),
    }
    return row | {"sentence": _sentence(asked, row)}


def _sentence(asked: Asked, row: dict[str, Any]) -> str:
    text = (
        f"Where {row['dimension']} is {row['value']!r}, {row['rate']:.1%} of {row['started']:,} {asked.unit} go from "
        f"{row['from_stage']} to {row['to_stage']} within {row['window_days']} days; elsewhere it is {row['rest_rate']:.1%}. "
        f"At that rate {row['records_lost']:,.0f} more would have gone on, {row['wins_lost']:,.1f} of them to a win"
    )
    currency = asked.opened.currency
    if row["amount_at_stake"] is None:
        return f"{text}."
    return f"{text}, worth {format_minor(row['amount_at_stake'], currency.digits, grouped=True)} {currency.code}."


def _worth(asked: Asked, group: Grouping, window_days: int | None) -> Worth:
    """Wins per unit of each stage by the rates of the transitions after it, and what a win brings in."""
    chain = steps.required(asked)
    following = {stage: min((one for one in chain if one > stage), default=None) for stage in asked.stages}
    later = [steps.windowed(asked, one, two, window_days) for one, two in following.items() if two is not None]
    found = cells.counted(asked, group.of(cohort(asked, later)))
    rates: dict[tuple[int, int], float] = {}
    for (*_, start, end), cell in found.items():
        rates[(start, end)] = cell["converted"] / cell["started"] if cell["started"] else 0.0
    wins: dict[int, float] = {}
    for stage in reversed(asked.stages):
        two = following[stage]
        wins[stage] = 1.0 if two is None else rates.get((stage, two), 0.0) * wins[two]
    return Worth(wins, _mean_won(asked))


def _mean_won(asked: Asked) -> float | None:
    deals = asked.opened["deals"]
    won = deals.filter((deals.state == "won") & (deals.amount_state == "known"))
    (row,) = asked.opened.arrow(won.aggregate(total=won.amount.sum(), count=won.count())).to_pylist()
    return int(row["total"]) / row["count"] if row["count"] else None


def _notes(asked: Asked, tests: int, segments: int, looked: Sequence[str]) -> list[str]:
    notes = [
        f"{tests} of {segments} segments of {len(looked)} dimensions were tested: at most half of the units, and {EXPECTED} "
        f"conversions and {EXPECTED} failures expected on both sides."
    ]
    if not any("won" in stage.outcomes for stage in closed_stages(asked.funnel) if stage.number in asked.stages):
        notes.append(
            f"The funnel has no stage of won deals: wins are entries into {asked.stage_name(asked.stages[-1])}."
        )
    return notes


def _records(made: Assembly, group: Grouping, marks: ir.Table, rows: Sequence[dict[str, Any]]) -> Result:
    """The units of every segment found, each with the rank of the finding and whether it went on."""
    asked = made.asked
    started = marks.filter(marks["class"] == "started")
    parts = [_members(asked, group, started, row) for row in rows]
    none = started.filter(ibis.literal(False)).mutate(rank=ibis.null("int64"))
    found = ibis.union(none, *parts)
    listed = found.mutate(
        stage_no=found.from_no, evidence=found["class"], at_s=found.reached_s, in_numerator=found.converted
    )
    extra = (
        Column("rank", "integer", help="Which finding"),
        Column("in_numerator", "boolean", help="Counts in the numerator"),
    )
    return made.list_of(group, listed, "conversion", extra=extra)


def _members(asked: Asked, group: Grouping, started: ir.Table, row: dict[str, Any]) -> ir.Table:
    valued = dimensions.attach(asked, group.linked, [row["dimension"]])
    column = valued[row["dimension"]]
    own = valued.filter(column == row["value"])
    start, end = asked.stage_number(row["from_stage"]), asked.stage_number(row["to_stage"])
    here = started.filter((started.from_no == start) & (started.to_no == end))
    return here.semi_join(own, "unit_id").mutate(rank=ibis.literal(row["rank"], "int64"))
