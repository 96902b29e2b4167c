"""Conversion: what share of the units that reached a stage goes on to the next one.

Cohort convention: each unit that reached A falls into one class (implied, out of order, too young,
started); the rate is started units that entered B or later within N days, over started units.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from leadline.errors import UnknownNameError, UsageError
from leadline.maths.intervals import wilson
from leadline.metrics import numbers, periods, units
from leadline.metrics.assemble import Assembly
from leadline.metrics.grouping import Grouping, grouping
from leadline.metrics.query import Asked, Query, ask
from leadline.model.opened import Opened
from leadline.results import Column, Result

CONVENTIONS = ("cohort", "period")
SMALL = 30
"""Rates of fewer units than this are marked small."""

CLASSES = ("started", "too_young", "implied", "out_of_order", "undated")

TEXT = {
    "cohort": "Share of the units that reached a stage and entered the next one or a later one within the window, "
    "of all units that reached it long enough ago; younger ones stand apart",
    "period": "Entries into the later stage divided by entries into the earlier one in the same period "
    "(different units, so it can exceed 100 %)",
}

COLUMNS = (
    Column("period", "text", help="Period of the first entry into the earlier stage"),
    Column("from_stage", "text", help="The earlier stage"),
    Column("to_stage", "text", help="The later stage"),
    Column("convention", "text", help="cohort or period"),
    Column("window_days", "integer", "days", "Days a unit has to go on"),
    Column("started", "integer", help="Denominator: units old enough, with a known time"),
    Column("converted", "integer", help="Numerator: of these, entered the later stage or beyond within the window"),
    Column("too_young", "integer", help="Units whose window has not passed yet; in no rate"),
    Column("implied", "integer", help="Units seen only beyond the earlier stage; in no rate"),
    Column("out_of_order", "integer", help="Units that were in the later stage first; in no rate"),
    Column("undated", "integer", help="Units without any time; in no rate and no period"),
    Column("rate", "rate", help="Converted divided by started"),
    Column("rate_low", "rate", help="Lower end of the 95 % Wilson interval"),
    Column("rate_high", "rate", help="Upper end of the 95 % Wilson interval"),
    Column("rate_of_first", "rate", help="Share of the units of the first stage that came this far in time"),
    Column("period_ratio", "rate", help="Entries into the later stage per entry into the earlier one, same period"),
    Column("small", "boolean", help=f"Fewer than {SMALL} units started"),
)


@dataclass(frozen=True, slots=True)
class Transition:
    """From one stage to another within a number of days."""

    start: int
    end: int
    window: int


def conversion(
    opened: Opened,
    query: Query,
    *,
    convention: str = "cohort",
    window_days: int | None = None,
    from_stage: str | None = None,
    to_stage: str | None = None,
) -> Result:
    """Conversion per transition; rows as the public contract lists them.

    Args:
        convention: cohort or period.
        window_days: N for every transition; default: learned per transition, else 90.
        from_stage, to_stage: one transition; default: each stage to the next.

    Raises:
        UnknownNameError: convention, stage, unit, funnel or dimension that does not exist.
        UsageError: a transition backwards or a window below 0.
    """
    if convention not in CONVENTIONS:
        raise UnknownNameError("convention", convention, CONVENTIONS)
    asked = ask(opened, query)
    wanted = transitions(asked, window_days, from_stage, to_stage)
    group = grouping(asked)
    question = classified(asked, wanted, group)
    marks = opened.keep(question)
    rows = _rows(asked, convention, wanted, marks, group)
    made = Assembly(asked, "conversion", f"Conversion of {asked.unit}", f"{TEXT[convention]}. Unit: {asked.unit}.")
    return made.result(
        COLUMNS,
        rows,
        totals=_totals(asked, rows),
        query=question,
        units=marks,
        records=lambda: _list(made, group, marks),
        notes=_notes(asked, wanted, rows),
    )


def transitions(asked: Asked, window_days: int | None, start: str | None, end: str | None) -> list[Transition]:
    """The transitions asked for, each with its window."""
    if window_days is not None and window_days < 0:
        raise UsageError(f"--window-days {window_days} is below 0.")
    if start is None and end is None:
        pairs: Iterable[tuple[int, int]] = pairwise(asked.stages)
    else:
        first = asked.stage_number(start) if start else asked.stages[0]
        last = asked.stage_number(end) if end else asked.stages[-1]
        if first >= last:
            raise UsageError(
                f"{asked.stage_name(first)} does not come before {asked.stage_name(last)}; swap --from-stage and --to-stage."
            )
        pairs = [(first, last)]
    return [
        Transition(one, two, numbers.window(asked, one, two) if window_days is None else window_days)
        for one, two in pairs
    ]


def classified(asked: Asked, wanted: list[Transition], group: Grouping) -> ir.Table:
    """Every unit of every transition with its class, its period and whether it converted.

    Columns: unit_id, the dimensions asked for, from_no, to_no, class, converted, reached_s (first timed entry
    into the earlier stage), at_s (into the later one or beyond), period_day.
    """
    reached = units.stages(asked)
    plan = ibis.memtable(
        pa.table(
            {
                "from_no": pa.array([one.start for one in wanted], pa.int64()),
                "to_no": pa.array([one.end for one in wanted], pa.int64()),
                "window": pa.array([one.window for one in wanted], pa.int64()),
            }
        )
    )
    earlier = reached.select(
        "unit_id", from_no="stage_no", reached_s="entered_s", reached_day="entered_day", beyond_day="beyond_day"
    ).join(plan, "from_no")
    later = reached.select("unit_id", to_no="stage_no", at_s="later_s", at_day="later_day")
    pairs = earlier.left_join(later, ["unit_id", "to_no"]).drop("unit_id_right", "to_no_right")
    marked = pairs.mutate(
        **{
            "class": _class(asked, pairs),
            "on_time": ((pairs.at_day - pairs.reached_day) <= pairs.window).fill_null(False),
            "day": ibis.coalesce(pairs.reached_day, pairs.beyond_day),
        }
    )
    marked = marked.mutate(converted=(marked["class"] == "started") & marked.on_time)
    kept = periods.within(asked, marked, "day")
    return group.of(periods.with_period(asked, kept, "day").drop("on_time", "window", "beyond_day"))


def _class(asked: Asked, pairs: ir.Table) -> ir.StringValue:
    return ibis.cases(
        (pairs.reached_s.isnull() & pairs.beyond_day.isnull(), "undated"),
        (pairs.reached_s.isnull(), "implied"),
        ((pairs.at_s < pairs.reached_s).fill_null(False), "out_of_order"),
        (pairs.reached_day + pairs.window >= asked.opened.as_of.day, "too_young"),
        else_="started",
    )


def _rows(asked: Asked, convention: str, wanted: list[Transition], marks: ir.Table, group: Grouping) -> list[dict]:
    counted = _count(asked, marks)
    firsts = _of_first(asked, wanted, group)
    entries = _entries(asked, group)
    rows = []
    for key, cell in sorted(counted.items(), key=lambda item: _sortable(item[0])):
        *dims, period_day, start, end = key
        transition = next(one for one in wanted if (one.start, one.end) == (start, end))
        place = (*dims, period_day)
        ratio = _ratio(entries.get((*place, end), 0), entries.get((*place, start), 0))
        rows.append(
            {
                **dict(zip(asked.by, dims, strict=True)),
                "period": asked.period_label(None if period_day == periods.NO_PERIOD else period_day),
                "from_stage": asked.stage_name(start),
                "to_stage": asked.stage_name(end),
                "convention": convention,
                "window_days": transition.window,
                **{name: cell[name] for name in CLASSES},
                "converted": cell["converted"],
                **_rates(convention, cell, ratio),
                "rate_of_first": firsts.get((*place, end)),
                "period_ratio": ratio,
                "small": cell["started"] < SMALL,
            }
        )
    return rows


def _sortable(key: tuple) -> tuple:
    *dims, period_day, start, end = key
    return (*[(value is None, value or "") for value in dims], period_day, start, end)


def _rates(convention: str, cell: dict, ratio: float | None) -> dict:
    if convention == "period":
        return {"rate": ratio, "rate_low": None, "rate_high": None}
    if not cell["started"]:
        return {"rate": None, "rate_low": None, "rate_high": None}
    low, high = wilson([cell["converted"]], [cell["started"]])
    return {"rate": cell["converted"] / cell["started"], "rate_low": float(low[0]), "rate_high": float(high[0])}


def _ratio(later: int, earlier: int) -> float | None:
    return later / earlier if earlier else None


def _count(asked: Asked, marks: ir.Table) -> dict[tuple, dict]:
    keys = [*asked.by, "period_day", "from_no", "to_no"]
    counted = marks.group_by(*keys).aggregate(
        **{name: (marks["class"] == name).cast("int64").sum() for name in CLASSES},
        converted=marks.converted.cast("int64").sum(),
    )
    return {tuple(row[key] for key in keys): row for row in asked.opened.arrow(counted).to_pylist()}


def _entries(asked: Asked, group: Grouping) -> dict[tuple, int]:
    """First timed entries per period and stage: what the period ratio divides."""
    reached = units.stages(asked)
    observed = reached.filter(reached.known == "observed").select("unit_id", "stage_no", day="entered_day")
    placed = group.of(periods.with_period(asked, periods.within(asked, observed, "day"), "day"))
    keys = [*asked.by, "period_day", "stage_no"]
    counted = placed.group_by(*keys).aggregate(entries=placed.count())
    return {tuple(row[key] for key in keys): row["entries"] for row in asked.opened.arrow(counted).to_pylist()}


def _of_first(asked: Asked, wanted: list[Transition], group: Grouping) -> dict[tuple, float]:
    """Share of the units of the first stage that came to each later stage within the windows so far.

    Counted without a row per unit and stage: every unit old enough is in the denominator, and only
    those that came further have to be looked at (out of order, or in time).
    """
    passed = list(accumulate(one.window for one in wanted))
    reached = units.stages(asked)
    first = reached.filter((reached.stage_no == wanted[0].start) & reached.entered_s.notnull())
    first = first.select("unit_id", reached_s="entered_s", day="entered_day")
    placed = group.of(periods.with_period(asked, periods.within(asked, first, "day"), "day"))
    old = [placed.day + window < asked.opened.as_of.day for window in passed]
    keys = [*asked.by, "period_day"]
    totals = placed.group_by(*keys).aggregate(
        **{f"old_{one.end}": is_old.cast("int64").sum() for one, is_old in zip(wanted, old, strict=True)}
    )
    further = _came_further(asked, wanted, passed, placed, reached)
    shares = {}
    for row in asked.opened.arrow(totals).to_pylist():
        place = tuple(row[key] for key in keys)
        for one in wanted:
            out_of_order, converted = further.get((*place, one.end), (0, 0))
            if started := row[f"old_{one.end}"] - out_of_order:
                shares[(*place, one.end)] = converted / started
    return shares


def _came_further(
    asked: Asked, wanted: list[Transition], passed: list[int], placed: ir.Table, reached: ir.Table
) -> dict[tuple, tuple[int, int]]:
    """Of the units of the first stage that are old enough: out of order, and in time, per later stage."""
    later = reached.select("unit_id", to_no="stage_no", at_s="later_s", at_day="later_day")
    later = later.filter(later.to_no.isin([one.end for one in wanted]) & later.at_s.notnull())
    joined = placed.join(later, "unit_id")
    window = ibis.cases(*[(joined.to_no == one.end, days) for one, days in zip(wanted, passed, strict=True)])
    known = joined.mutate(window=window.cast("int64"), backwards=joined.at_s < joined.reached_s)
    known = known.filter(known.day + known.window < asked.opened.as_of.day)
    on_time = ~known.backwards & (known.at_day - known.day <= known.window)
    keys = [*asked.by, "period_day", "to_no"]
    counted = known.group_by(*keys).aggregate(
        out_of_order=known.backwards.cast("int64").sum(), converted=on_time.cast("int64").sum()
    )
    rows = asked.opened.arrow(counted).to_pylist()
    return {tuple(row[key] for key in keys): (row["out_of_order"], row["converted"]) for row in rows}


def _totals(asked: Asked, rows: list[dict]) -> tuple[dict, ...]:
    if asked.query.touched:
        return ()
    sums: dict[tuple, dict] = {}
    for row in rows:
        key = (row["period"], row["from_stage"], row["to_stage"])
        total = sums.setdefault(key, {"period": key[0], "from_stage": key[1], "to_stage": key[2]})
        for name in (*CLASSES, "converted"):
            total[name] = total.get(name, 0) + row[name]
    for total in sums.values():
        total["rate"] = _ratio(total["converted"], total["started"])
    return tuple(sums.values())


def _list(made: Assembly, group: Grouping, marks: ir.Table) -> Result:
    """The units of the denominator, each with whether it converted."""
    started = marks.filter(marks["class"] == "started")
    listed = started.mutate(
        stage_no=started.from_no, evidence=started["class"], at_s=started.reached_s, in_numerator=started.converted
    )
    return made.list_of(
        group, listed, "conversion", extra=(Column("in_numerator", "boolean", help="Counts in the numerator"),)
    )


def _notes(asked: Asked, wanted: list[Transition], rows: list[dict]) -> list[str]:
    notes = []
    default = [one for one in wanted if not numbers.has_window(asked, one.start, one.end)]
    if default:
        names = ", ".join(f"{asked.stage_name(one.start)} > {asked.stage_name(one.end)}" for one in default)
        notes.append(f"Too few old units to learn a window for {names}: {numbers.DEFAULT_WINDOW} days per step.")
    undated = sum(row["undated"] for row in rows)
    if undated:
        notes.append(f"{undated} cases have no time at all and stand in no period.")
    return notes
