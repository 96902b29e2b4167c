"""The convention `summary`: the ratio that a Salesforce report with a formula SQL:SUM / MQL:SUM shows.

Records whose chosen date lies in the period: those with the flag of the later stage, divided by those
with the flag of the earlier one, as of now. Beside it stand the cohort and the period ratio, and a
note says in numbers why they differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import ibis
import ibis.expr.types as ir

from leadline.metrics import periods, rollup
from leadline.metrics.assemble import Assembly
from leadline.metrics.conversion import COLUMNS as COHORT_COLUMNS
from leadline.metrics.conversion import SMALL, conversion
from leadline.metrics.grouping import Grouping, grouping
from leadline.metrics.query import NO_PERIOD, Asked, Query, ask
from leadline.metrics.rates import flags
from leadline.metrics.rates.steps import CLASSES, Transition, transitions
from leadline.metrics.rates.summary_bridge import sentences
from leadline.model.opened import Opened
from leadline.results import Column, Result

CONVENTION = "summary"

TEXT = (
    "What a Salesforce report with a summary formula shows: of the {unit} {dated} in the period, those that have the "
    "later stage on record divided by those that have the earlier one, as of now; a stage that only a later one "
    "implies is not on record. Different {unit}, so it can exceed 100 %. Beside it the cohort rate and the period ratio."
)

_OWN_HELP = {
    "period": "Period of the chosen date",
    "convention": CONVENTION,
    "started": "Denominator: units of the period with the earlier stage on record",
    "converted": "Numerator: units of the period with the later stage on record",
    "rate": "Converted divided by started",
    "rate_low": "Absent: the numerator is no part of the denominator",
    "rate_high": "Absent: the numerator is no part of the denominator",
    "rate_of_first": "Units with the later stage on record per unit with the first one on record",
}

COLUMNS = (
    *(
        Column(one.name, one.type, one.unit, _OWN_HELP[one.name]) if one.name in _OWN_HELP else one
        for one in COHORT_COLUMNS
    ),
    Column("cohort_started", "integer", help="Denominator of the cohort rate of the same period"),
    Column("cohort_converted", "integer", help="Numerator of the cohort rate"),
    Column("cohort_rate", "rate", help="Cohort rate: units followed from their first entry, young ones apart"),
    Column("date_field", "text", help="Which date decides the period"),
)

LIST_EXTRA = (
    Column("in_denominator", "boolean", help="Has the earlier stage on record"),
    Column("in_numerator", "boolean", help="Has the later stage on record"),
)


@dataclass(frozen=True, slots=True)
class _Counts:
    """Units with a flag per place and stage."""

    marks: ir.Table
    cells: dict[tuple, int]


def summary_ratio(
    opened: Opened,
    query: Query,
    *,
    from_stage: str | None = None,
    to_stage: str | None = None,
    window_days: int | None = None,
    date_field: str = flags.OPENED,
) -> Result:
    """Conversion by the convention `summary`; rows as those of `conversion`, with the cohort beside.

    Args:
        from_stage, to_stage: one transition; default: each stage to the next.
        window_days: window of the cohort rate beside it.
        date_field: which date decides the period: opened, created, closed, close_date, or a stage's
            name (its first entry).

    Raises:
        UnknownNameError: stage, date field, unit, funnel or dimension that does not exist.
        UsageError: a transition backwards, or a date that the unit does not have.
    """
    asked = ask(opened, query, numbered=True)
    wanted = transitions(asked, window_days, from_stage, to_stage)
    group = grouping(asked)
    counts = _count(asked, group, date_field)
    beside = conversion(opened, query, from_stage=from_stage, to_stage=to_stage, window_days=window_days)
    rows = _rows(asked, wanted, counts, beside, date_field)
    dated = flags.DATE_TEXT.get(date_field, f"whose first entry into {date_field} lies")
    made = Assembly(
        asked, "conversion", f"Conversion of {asked.unit}: summary formula", TEXT.format(unit=asked.unit, dated=dated)
    )
    firsts = {one.start for one in wanted}
    result = made.result(
        COLUMNS,
        rows,
        totals=() if query.touched else _totals([row for row in rows if not _is_rolled_up(asked, row)]),
        query=counts.marks,
        units=counts.marks.filter(counts.marks.stage_no.isin(list(firsts))),
        records=lambda: _list(asked, made, group, counts.marks, wanted),
        notes=[*sentences(asked, group, wanted, date_field), *beside.notes],
    )
    # What the cohort beside it says as well is said once.
    return replace(result, notes=tuple(dict.fromkeys(result.notes)))


def _count(asked: Asked, group: Grouping, date_field: str) -> _Counts:
    days = flags.dates(asked, date_field)
    placed = periods.with_period(asked, periods.within(asked, days, "day"), "day").select("unit_id", "period_day")
    marks = asked.opened.keep(group.of(flags.flags(asked).join(placed, "unit_id")))
    keys = [*asked.by, "period_day", "stage_no"]
    found = asked.opened.arrow(marks.group_by(*keys).aggregate(units=marks.count())).to_pylist()
    cells = {tuple(row[key] for key in keys): {"units": row["units"]} for row in found}
    rollup.rolled_up(asked.by, cells)
    return _Counts(marks, {key: cell["units"] for key, cell in cells.items()})


def _rows(
    asked: Asked, wanted: list[Transition], counts: _Counts, beside: Result, date_field: str
) -> list[dict[str, Any]]:
    cohort = {
        (*[row[name] for name in asked.by], row["period"], row["from_stage"], row["to_stage"]): row
        for row in beside.table.to_pylist()
    }
    labelled = {
        (*dims, asked.period_label(None if day == NO_PERIOD else day), stage): units
        for (*dims, day, stage), units in counts.cells.items()
    }
    places = {key[:-1] for key in labelled} | {key[:-2] for key in cohort}
    order = sorted(places, key=lambda key: [(value is None, value or "") for value in key[:-1]] + [key[-1] or ""])
    rows = []
    for place in order:
        group = dict(zip(asked.by, place[:-1], strict=True))
        for one in wanted:
            names = asked.stage_name(one.start), asked.stage_name(one.end)
            started, converted = labelled.get((*place, one.start), 0), labelled.get((*place, one.end), 0)
            other = cohort.get((*place, *names))
            if started or converted or other:
                first = labelled.get((*place, wanted[0].start), 0)
                said = {"period": place[-1], "from_stage": names[0], "to_stage": names[1], "window_days": one.window}
                rows.append(
                    _beside(other) | group | said | _own(started, converted, first) | {"date_field": date_field}
                )
    return rows


def _beside(other: dict[str, Any] | None) -> dict[str, Any]:
    """A row with what the cohort says of its place."""
    empty = dict.fromkeys((column.name for column in COLUMNS), None) | dict.fromkeys(CLASSES, 0)
    known = {name: value for name, value in (other or {}).items() if name in empty}
    return {
        **empty,
        **known,
        "cohort_started": other["started"] if other else 0,
        "cohort_converted": other["converted"] if other else 0,
        "cohort_rate": other["rate"] if other else None,
        "mature_on": None,
        "immature": None,
    }


def _own(started: int, converted: int, first: int) -> dict[str, Any]:
    """What the summary formula itself says; no interval, for the numerator is no part of the denominator."""
    return {
        "convention": CONVENTION,
        "started": started,
        "converted": converted,
        "rate": _ratio(converted, started),
        "rate_low": None,
        "rate_high": None,
        "rate_of_first": _ratio(converted, first),
        "small": started < SMALL,
    }


def _is_rolled_up(asked: Asked, row: dict[str, Any]) -> bool:
    return rollup.is_rolled_up(asked.by, tuple(row[name] for name in asked.by))


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _totals(rows: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Sums over the dimensions, one per period and transition."""
    sums: dict[tuple, dict[str, Any]] = {}
    for row in rows:
        key = (row["period"], row["from_stage"], row["to_stage"])
        total = sums.setdefault(key, dict(zip(("period", "from_stage", "to_stage"), key, strict=True)))
        for name in (*CLASSES, "converted", "cohort_started", "cohort_converted"):
            total[name] = total.get(name, 0) + row[name]
    for total in sums.values():
        total["rate"] = _ratio(total["converted"], total["started"])
        total["cohort_rate"] = _ratio(total["cohort_converted"], total["cohort_started"])
    return tuple(sums.values())


def _list(asked: Asked, made: Assembly, group: Grouping, marks: ir.Table, wanted: list[Transition]) -> Result:
    """The units with either flag, per transition, each with the sides on which it counts."""
    parts = []
    # A funnel of one stage has no transition, so nobody is listed.
    for one in wanted or [Transition(-1, -1, 0)]:
        own = marks.filter(marks.stage_no.isin([one.start, one.end]))
        keys = [name for name in own.columns if name != "stage_no"]
        sides = own.group_by(*keys).aggregate(
            in_denominator=(own.stage_no == one.start).cast("int64").max() == 1,
            in_numerator=(own.stage_no == one.end).cast("int64").max() == 1,
        )
        parts.append(sides.mutate(stage_no=ibis.literal(one.start, "int64")))
    listed = ibis.union(*parts)
    return made.list_of(group, listed.mutate(at_s=ibis.null("int64")), "flag", LIST_EXTRA)
