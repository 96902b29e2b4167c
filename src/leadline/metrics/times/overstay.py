"""Segments in which records get stuck: how many stood too long, against the rest."""

from __future__ import annotations

import math
from typing import Any

import ibis
import ibis.expr.types as ir

from leadline.maths.clustered import Comparison, difference_of_shares
from leadline.metrics import periods
from leadline.metrics.assemble import Assembly
from leadline.metrics.grouping import grouping
from leadline.metrics.query import Asked
from leadline.metrics.rates.against_rest import FALSE_DISCOVERY_RATE, Part, discoveries, parts, with_cluster
from leadline.metrics.times import standing, stuck
from leadline.metrics.times.figures import is_thin, percentiles
from leadline.metrics.times.lengths import Lengths, counted, number
from leadline.model.calendar import DAY_SECONDS
from leadline.results import Column, Result

FEWEST = 5
"""Visits to judge that a segment, and the rest, must have to be compared."""

YEAR = 365
"""Visits that began within so many days before as-of are judged."""

COLUMNS = (
    Column("stage", "text", help="Where they stand"),
    Column("open", "integer", help="Units of the segment that stand there now"),
    Column("stuck", "integer", help="Of these, older than the limit"),
    Column("stuck_share", "rate", help="Stuck ÷ open"),
    Column("amount", "money", help="Open opportunities of the stuck units, each once per segment"),
    Column("judged", "integer", help="Visits that began in the last 365 days, longer ago than the limit"),
    Column("overstayed", "integer", help="Of these, stood longer than the limit, still there or not"),
    Column("overstay_share", "rate", help="Overstayed ÷ judged"),
    Column("rest_share", "rate", help="The same of all other segments"),
    Column("difference", "rate", help="Overstay share less that of the rest"),
    Column("difference_low", "rate", help="Lower end of its 95 % interval (Newcombe)"),
    Column("difference_high", "rate", help="Upper end of it"),
    Column("excess", "number", help="Overstayed beyond what the rest's share gives"),
    Column("median_days", "number", "days", "Median time in the stage, where the segment stands out"),
    Column("rest_median_days", "number", "days", "The same of the rest"),
    Column("slowdown", "number", help="Ratio of these medians"),
    Column("p_value", "rate", help="Test that there is no difference, units clustered by opportunity"),
    Column("q_value", "rate", help="The same corrected for the number of comparisons (Benjamini–Hochberg)"),
    Column("stands_out", "boolean", help="More overstay than elsewhere at a false discovery rate of 10 %"),
)


def compared(asked: Asked, start: str | None, end: str | None) -> Result:
    """Segments and stages ranked: by the lower limit of the difference, those that stand out first."""
    opened, group = asked.opened, grouping(asked)
    stages = [stage for stage in stuck.between(asked, start, end) if stage in stuck.limits(asked)]
    measured = standing.measured(asked)
    question = group.of(periods.within(asked, measured.filter(measured.stage_no.isin(stages)), "entered_day"))
    visits = opened.keep(question.mutate(period_day=ibis.literal(0, "int64")))
    found = list(parts(asked, with_cluster(asked, _judged(asked, visits)), asked.by))
    tests = [_tested(one) for one in found]
    adjusted = discoveries([one.p_value for one in tests])
    now = _now(asked, visits)
    rows = [_row(asked, *case, now) for case in zip(found, tests, adjusted, strict=True)]
    rows += _only_now(asked, rows, now)
    _add_medians(asked, visits, rows)
    made = Assembly(asked, "velocity", f"Stuck {asked.unit} by {', '.join(asked.by)}", _text(asked))
    stuck_now = stuck.stuck(asked, visits)
    return made.result(
        COLUMNS,
        [
            {name: row[name] for name in (*asked.by, *[column.name for column in COLUMNS])}
            for row in sorted(rows, key=_rank)
        ],
        query=question,
        units=stuck_now,
        records=lambda: stuck.listed(asked, made, measured.filter(measured.stage_no.isin(stages)), group),
        notes=[*_notes(rows), *stuck.notes(asked)],
    )


def _judged(asked: Asked, visits: ir.Table) -> ir.Table:
    """Visits of the last year old enough to have overstayed; value 1 if they did."""
    as_of = asked.opened.as_of.day
    cases = [(visits.stage_no == stage, ibis.literal(limit, "int64")) for stage, limit in stuck.limits(asked).items()]
    known = visits.mutate(limit_s=ibis.cases(*cases) if cases else ibis.null("int64"))
    # A whole day more than the limit: a visit of that age has overstayed or ended, whatever its hour.
    old = known.entered_day + (known.limit_s // DAY_SECONDS).cast("int64") + 1 < as_of
    kept = known.filter(known.limit_s.notnull() & old & (known.entered_day >= as_of - YEAR) & (known.seconds >= 0))
    return kept.mutate(value=(kept.seconds > kept.limit_s).cast("int64"))


def _tested(segment: Part) -> Comparison:
    if min(segment.sums.units) < FEWEST:
        own, rest = segment.sums.means
        return Comparison(own, rest, math.nan, math.nan, math.nan, math.nan)
    return difference_of_shares(segment.sums)


def _now(asked: Asked, visits: ir.Table) -> dict[tuple, dict[str, Any]]:
    """Open and stuck units and the money of the stuck ones per (stage, segment)."""
    keys = ["stage_no", *asked.by]
    standing_now = visits.filter(visits.is_open)
    late = stuck.stuck(asked, visits)
    counts = standing_now.group_by(*keys).aggregate(open=standing_now.count())
    stuck_counts = late.group_by(*keys).aggregate(stuck=late.count())
    held = late.drop(*[name for name in ("amount", "opportunity_id") if name in late.columns])
    held = held.join(stuck.open_deals(asked), "unit_id").select(*keys, "opportunity_id", "amount").distinct()
    money = held.group_by(*keys).aggregate(amount=held.amount.sum())
    found: dict[tuple, dict[str, Any]] = {}
    for part in (counts, stuck_counts, money):
        for row in asked.opened.arrow(part).to_pylist():
            place = found.setdefault(tuple(row[key] for key in keys), {"open": 0, "stuck": 0, "amount": None})
            place |= {name: int(value) for name, value in row.items() if name not in keys and value is not None}
    return found


def _row(
    asked: Asked, segment: Part, compared: Comparison, q_value: float | None, now: dict[tuple, dict[str, Any]]
) -> dict[str, Any]:
    units, _ = segment.sums.units
    tested = not math.isnan(compared.effect)
    out = tested and q_value is not None and q_value <= FALSE_DISCOVERY_RATE and compared.effect > 0
    return {
        **_standing(asked, segment.stage_no, segment.values, now),
        "judged": int(units),
        "overstayed": int(segment.sums.own[0]),
        "overstay_share": compared.own,
        "rest_share": number(compared.rest),
        "difference": compared.effect if tested else None,
        "difference_low": compared.low if tested else None,
        "difference_high": compared.high if tested else None,
        "excess": units * compared.effect if tested else None,
        "p_value": compared.p_value if tested else None,
        "q_value": q_value,
        "stands_out": out,
    }


def _standing(asked: Asked, stage_no: int, values: tuple[Any, ...], now: dict[tuple, dict[str, Any]]) -> dict[str, Any]:
    """What a segment holds now; every column has a value or None."""
    there = now.get((stage_no, *values), {"open": 0, "stuck": 0, "amount": None})
    share = there["stuck"] / there["open"] if there["open"] else None
    return {
        **dict.fromkeys(column.name for column in COLUMNS),
        **dict(zip(asked.by, values, strict=True)),
        "stage": asked.stage_name(stage_no),
        **there,
        "stuck_share": share,
        "judged": 0,
        "overstayed": 0,
        "stands_out": False,
        "_place": (stage_no, *values),
    }


def _only_now(asked: Asked, rows: list[dict[str, Any]], now: dict[tuple, dict[str, Any]]) -> list[dict[str, Any]]:
    """Segments with stuck units none of whose visits could be judged, and those that are no segment."""
    known = {row["_place"] for row in rows}
    return [
        _standing(asked, place[0], place[1:], now)
        for place, there in now.items()
        if place not in known and there["stuck"]
    ]


def _add_medians(asked: Asked, visits: ir.Table, rows: list[dict[str, Any]]) -> None:
    """Medians of the segments that stand out and of their rest."""
    chosen = [row for row in rows if row["stands_out"]]
    if not chosen:
        return
    stages = sorted({row["_place"][0] for row in chosen})
    own_visits = visits.filter(visits.stage_no.isin(stages))
    cause = ibis.ifelse(own_visits.is_open, ibis.literal(standing.CENSORED), ibis.literal(standing.EXIT))
    cells = counted(asked, own_visits.mutate(cause=cause), ["stage_no", *asked.by])
    for row in chosen:
        own = cells.get(row["_place"])
        rest = [cell for place, cell in cells.items() if place[0] == row["_place"][0] and place != row["_place"]]
        row["median_days"] = _median([own] if own else [])
        row["rest_median_days"] = _median(rest)
        if row["median_days"] is not None and row["rest_median_days"]:
            row["slowdown"] = row["median_days"] / row["rest_median_days"]


def _median(cells: list[Lengths]) -> float | None:
    merged = Lengths.together(cells)
    if is_thin(merged):
        return None
    return number(percentiles(merged, [0.5])[0, 0])


def _rank(row: dict[str, Any]) -> tuple:
    """Those that stand out first, then the others compared, each by the lower limit of the difference; then the rest."""
    compared = row["difference"] is not None
    first = -row["difference_low"] if compared else -row["stuck"]
    return (not row["stands_out"], not compared, first, *map(str, row["_place"]))


def _text(asked: Asked) -> str:
    return (
        f"{stuck.text(asked)} Segments are compared by the visits of the last {YEAR} days that began longer ago than "
        "the limit: the share that stood longer than it, against the same share of all other segments. Limits and "
        "test take units that share an opportunity as one; all comparisons together at a false discovery rate of 10 %."
    )


def _notes(rows: list[dict[str, Any]]) -> list[str]:
    few = sum(row["difference"] is None for row in rows)
    notes = []
    if few:
        notes.append(
            f"{few} of {len(rows)} rows are not compared: fewer than {FEWEST} visits to judge, there or elsewhere."
        )
    if rows and not any(row["stands_out"] for row in rows):
        notes.append("No segment stands out beyond chance.")
    return notes
