"""Volume: how many units entered, reached or stand in each stage."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.errors import UnknownNameError
from leadline.metrics import periods, units
from leadline.metrics.assemble import Assembly
from leadline.metrics.grouping import Grouping, grouping
from leadline.metrics.query import Asked, Query, ask
from leadline.model.funnels import closed_stages
from leadline.model.opened import Opened
from leadline.results import Column, Result

VIEWS = ("entered", "cohort", "standing")

TEXT = {
    "entered": "Units by the day of their first visit of each stage",
    "cohort": "Of the units that opened in the period, how many have reached each stage by as-of",
    "standing": "Units that stand in each stage at the end of the period (at as-of where that is earlier)",
}

_COUNTS = ("count", "implied", "re_entries", "regressions", "requalifications")


def volume(opened: Opened, query: Query, *, view: str = "entered") -> Result:
    """Volume per stage; rows as the public contract lists them.

    Args:
        view: entered, cohort or standing.

    Raises:
        UnknownNameError: view, unit, funnel or dimension that does not exist.
        UsageError: a unit or dimension the funnel does not have.
    """
    if view not in VIEWS:
        raise UnknownNameError("view", view, VIEWS)
    asked = ask(opened, query, numbered=True)
    group = grouping(asked)
    question = group.of(_MARKS[view](asked))
    marks = opened.keep(question)
    amount = marks.amount if asked.unit == "opportunities" else ibis.null("int64")
    counted = marks.group_by(*asked.by, "period_day", "stage_no").aggregate(
        **{name: (marks.mark == name).cast("int64").sum() for name in _COUNTS},
        money=ibis.ifelse(marks.mark == "count", amount, ibis.null("int64")).sum(),
    )
    rows = opened.arrow(counted).to_pylist()
    return _assemble(asked, view, rows, question, marks, group)


def _assemble(
    asked: Asked, view: str, rows: list[dict], question: ir.Table, marks: ir.Table, group: Grouping
) -> Result:
    made = Assembly(asked, "volume", f"Volume of {asked.unit}: {view}", f"{TEXT[view]}. Unit: {asked.unit}.")
    with_money = asked.unit == "opportunities"
    table_rows = []
    for row in _ordered(asked, rows):
        observed = row["count"] - (row["implied"] if view == "cohort" else 0)
        table_rows.append(
            {
                **{name: row[name] for name in asked.by},
                "period": asked.period_label(_day(row)),
                "stage": asked.stage_name(row["stage_no"]),
                "view": view,
                "count": row["count"],
                "amount": row["money"] if with_money else None,
                "observed": observed,
                "implied": row["implied"],
                "re_entries": row["re_entries"],
                "regressions": row["regressions"],
                "requalifications": row["requalifications"],
                "goal": None,
                "attainment": None,
            }
        )
    totals = () if asked.query.touched else _totals(asked, view, table_rows)
    return made.result(
        COLUMNS,
        table_rows,
        totals=totals,
        query=question,
        units=marks,
        records=lambda: made.list_of(group, marks.filter(marks.mark == "count"), view),
        notes=["Counts overlap: a unit stands under every campaign it touched."] if asked.query.touched else [],
    )


COLUMNS = (
    Column("period", "text", help="Period of the entry (of the opening in a cohort)"),
    Column("stage", "text", help="Stage of the funnel"),
    Column("view", "text", help="entered, cohort or standing"),
    Column("count", "integer", help="Units counted"),
    Column("amount", "money", help="Amount of the opportunities counted"),
    Column("observed", "integer", help="Counted with a known time of entry"),
    Column("implied", "integer", help="Reached without a time of its own: a later stage shows it"),
    Column("re_entries", "integer", help="Further visits of the stage, not counted"),
    Column("regressions", "integer", help="Visits that came from a later stage"),
    Column("requalifications", "integer", help="Entries on another record that moved nothing"),
    Column("goal", "number", help="Target, where goals are set"),
    Column("attainment", "rate", help="Count divided by goal"),
)


def _day(row: dict) -> int | None:
    return None if row["period_day"] == periods.NO_PERIOD else row["period_day"]


def _ordered(asked: Asked, rows: list[dict]) -> list[dict]:
    return sorted(
        rows,
        key=lambda row: (
            *[(row[name] is None, row[name] or "") for name in asked.by],
            row["period_day"],
            row["stage_no"],
        ),
    )


def _totals(asked: Asked, view: str, rows: list[dict]) -> tuple[dict, ...]:
    sums: dict[tuple, int] = {}
    for row in rows:
        key = (row["period"], row["stage"])
        sums[key] = sums.get(key, 0) + row["count"]
    return tuple(
        {"period": period, "stage": stage, "view": view, "count": count} for (period, stage), count in sums.items()
    )


def _mark(table: ir.Table, mark: str, day: str) -> ir.Table:
    return table.select("unit_id", "stage_no", day=table[day], mark=ibis.literal(mark), at_s=_second(table))


def _second(table: ir.Table) -> ir.IntegerValue:
    return table.entered_s if "entered_s" in table.columns else ibis.null("int64")


def _entered(asked: Asked) -> ir.Table:
    """Marks of the view `entered`: first visits, and beside them what is not counted."""
    reached = units.stages(asked)
    observed = reached.filter(reached.known == "observed")
    implied = reached.filter((reached.known != "observed") & reached.beyond_day.notnull())
    all_visits = units.visits(asked)
    parts = [
        _mark(observed, "count", "entered_day"),
        _mark(implied.drop("entered_s"), "implied", "beyond_day"),
        _mark(all_visits.filter(all_visits.regression), "regressions", "entered_day"),
        _mark(_again(asked, all_visits), "re_entries", "entered_day"),
    ]
    if asked.unit != "opportunities" and "requalifications" in asked.opened:
        lower = units.linked_to(asked, units.of_funnel(asked, "requalifications"))
        lower = lower.select("unit_id", "stage_no", entered_s="s", entered_day="day")
        parts.append(_mark(lower, "requalifications", "entered_day"))
    marks = periods.within(asked, ibis.union(*parts), "day")
    return periods.with_period(asked, marks, "day")


def _again(asked: Asked, all_visits: ir.Table) -> ir.Table:
    """Visits that are not the unit's first of their stage, won deals after the first included.

    Visits of a journey or opportunity know it themselves, but for stages that a close can enter as
    well; other units have several journeys, so theirs are ranked.
    """
    columns = ("unit_id", "stage_no", "entered_s", "entered_day")
    if asked.unit == "opportunities":
        return all_visits.filter(all_visits.re_entry).select(*columns)
    own = units.linked_to(asked, units.of_funnel(asked, "journey_outcomes")).select(*columns)
    if asked.unit != "journeys":
        return _after_first(ibis.union(all_visits.select(*columns), own))
    shared = all_visits.stage_no.isin([stage.number for stage in closed_stages(asked.funnel)] or [-1])
    ranked = _after_first(ibis.union(all_visits.filter(shared).select(*columns), own))
    return ibis.union(all_visits.filter(~shared & all_visits.re_entry).select(*columns), ranked)


def _after_first(entries: ir.Table) -> ir.Table:
    window = ibis.window(group_by=["unit_id", "stage_no"], order_by=["entered_s", "entered_day"])
    ranked = entries.mutate(nth=ibis.row_number().over(window))
    return ranked.filter(ranked.nth > 0).drop("nth")


def _cohort(asked: Asked) -> ir.Table:
    """Marks of the view `cohort`: every stage reached, in the period in which the unit opened."""
    opened_on = units.units(asked).select("unit_id", "opened_day")
    reached = units.stages(asked).join(opened_on, "unit_id")
    parts = [
        _mark(reached, "count", "opened_day"),
        _mark(reached.filter(reached.known != "observed"), "implied", "opened_day"),
    ]
    marks = periods.within(asked, ibis.union(*parts), "day")
    return periods.with_period(asked, marks, "day")


def _standing(asked: Asked) -> ir.Table:
    """Marks of the view `standing`: the open visit of each unit at the end of each period."""
    points = _points(asked)
    own = units.places(asked)
    joined = own.join(points, [own.entered_s <= points.at_s, (own.left_s.isnull()) | (own.left_s > points.at_s)])
    furthest = joined.group_by("unit_id", "period_day", "at_s").aggregate(stage_no=joined.stage_no.max())
    return furthest.mutate(mark=ibis.literal("count"), day=furthest.period_day)


def _points(asked: Asked) -> ir.Table:
    """Instants to look at: the last second of each period, cut to as-of."""
    opened = asked.opened
    days = opened["days"]
    last = opened.as_of.day if asked.end_day is None else min(opened.as_of.day, asked.end_day - 1)
    if asked.query.grain is None:
        chosen = days.filter(days.day == last).mutate(period_day=ibis.literal(0, "int64"))
    else:
        first = asked.start_day if asked.start_day is not None else _first_day(asked)
        inside = days.filter((days.day >= first) & (days.day <= last))
        inside = periods.with_period(asked, inside, "day")
        ends = inside.group_by("period_day").aggregate(day=inside.day.max())
        chosen = ends.join(days, "day")
    return chosen.select("period_day", at_s=opened.as_of.cut(chosen.ends))


def _first_day(asked: Asked) -> int:
    rows = asked.opened.arrow(units.visits(asked).aggregate(first=ibis._.entered_day.min())).to_pylist()
    return rows[0]["first"] if rows[0]["first"] is not None else asked.opened.as_of.day


_MARKS = {"entered": _entered, "cohort": _cohort, "standing": _standing}
