"""The pipeline: open opportunities with their amounts at any instant, and what moved them in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from leadline.dates import day_number, day_of
from leadline.errors import UnknownNameError, UsageError
from leadline.metrics.assemble import Assembly
from leadline.metrics.counts import movements
from leadline.metrics.counts.movements import Span
from leadline.metrics.grouping import Grouping, grouping
from leadline.metrics.listing import listed
from leadline.metrics.query import Asked, Query, ask
from leadline.model.opened import Opened
from leadline.results import Column, Result

VIEWS = ("standing", "movements")
STAGE = "stage"
"""The one dimension that is not of the opportunity: where a movement happened."""

TEXT = {
    "standing": "Opportunities open at the end of the period (at as-of where that is earlier), in the stage, with "
    "the amount and close date in force then",
    "movements": "What changed the open opportunities between the start and the end of the period: "
    "start + movements = end, in count and amount; pushed and pulled change neither",
}

COLUMNS = (
    Column("period", "text", help="Period at whose end it stands, or over which it moved"),
    Column(
        STAGE, "text", help="Value of StageName in force then; absent where it is not known, or all stages together"
    ),
    Column("movement", "text", help="standing, or what happened"),
    Column("opportunities", "integer", help="Opportunities concerned"),
    Column("value", "money", help="Their amount: at the start for start, else at the end of the period"),
    Column("count", "integer", help="Open opportunities: how many (standing, start, end), or by how many they changed"),
    Column("amount", "money", help="Open amount: how much (standing, start, end), or by how much it changed"),
    Column("without_amount", "integer", help="Of the opportunities concerned, those without a known amount"),
)

_EXTRA = (
    Column("movement", "text", help="standing, or what happened"),
    Column("count", "integer", help="Change of the count of open opportunities by it"),
    Column("value", "money", help="Amount of the opportunity"),
    Column("close_date", "date", help="Close date in force then"),
)

_LINKS = {
    "object": "object",
    "stage": "stage_name",
    "at": "at_s",
    "evidence": "evidence",
    "person_id": "person_id",
    "campaign_id": "campaign_id",
    "opportunity_id": "unit_id",
    "amount": "change",
    "movement": "movement",
    "count": "opens",
    "value": "worth",
    "close_date": "close_day",
}


def pipeline(opened: Opened, query: Query, *, view: str = "standing") -> Result:
    """Standing opportunities and amounts per stage, or what moved them over a period.

    Args:
        view: standing: at the end of each period; movements: from its start to its end, stage by
            stage if `stage` is among the dimensions.

    Raises:
        UnknownNameError: view, funnel or dimension that does not exist.
        UsageError: a unit other than opportunities, or movements without a first day.
        SnapshotError: the snapshot was built before versions were kept.
    """
    if view not in VIEWS:
        raise UnknownNameError("view", view, VIEWS)
    if query.unit not in (None, "opportunities"):
        raise UsageError(f"The pipeline holds opportunities, not {query.unit}; leave --unit away.")
    if STAGE in query.where:
        raise UsageError("A movement leads from stage to stage: ask with --by stage, not with --where stage=VALUE.")
    dims = tuple(name for name in query.by if name != STAGE)
    asked = ask(opened, replace(query, by=dims, unit="opportunities"))
    spans = _spans(asked, view)
    by_stage = view == "standing" or STAGE in query.by
    group = grouping(asked)
    question = group.of(_marks(asked, spans, view, by_stage=by_stage))
    return _result(asked, view, question, opened.keep(question), group, by_stage=by_stage)


def _marks(asked: Asked, spans: Sequence[Span], view: str, *, by_stage: bool) -> ir.Table:
    if view == "standing":
        return movements.standing(asked.opened, spans)
    moves = asked.opened.keep(movements.followed(asked.opened, spans))
    order = movements.stage_order(asked)
    places = pa.table(
        {"stage_name": pa.array([name for name, _ in order], pa.string()), "place": [at for _, at in order]}
    )
    grain = asked.query.grain or "month"
    days = asked.opened["days"]
    periods = days.select(_day="day", period="day" if grain == "day" else grain)
    return movements.bookings(moves, ibis.memtable(places), by_stage=by_stage, day_periods=periods)


def _spans(asked: Asked, view: str) -> list[Span]:
    """The periods asked for with the instants at their ends; those after as-of are left out."""
    as_of, grain = asked.opened.as_of, asked.query.grain
    last = as_of.day if asked.end_day is None else min(as_of.day, asked.end_day - 1)
    first = asked.start_day
    if view == "movements" and first is None:
        raise UsageError("Movements lie between two instants: give the first day, e.g. --from 2026-01-01.")
    if grain is None:
        ranges = [(0, last if first is None else min(first, last), last)] if first is None or first <= last else []
    else:
        ranges = _periods(asked, _first_day(asked) if first is None else first, last)
    return _at(asked, ranges)


def _periods(asked: Asked, first: int, last: int) -> list[tuple[int, int, int]]:
    """(period, its first day, its last day) of each period that holds a day from first to last."""
    grain, calendar = asked.query.grain, asked.calendar
    found = []
    for start in calendar.period_starts(day_of(first), day_of(last), grain):  # type: ignore[arg-type]
        end = calendar.following(start, grain)  # type: ignore[arg-type]
        found.append((day_number(start), max(day_number(start), first), min(day_number(end) - 1, last)))
    return found


def _at(asked: Asked, ranges: list[tuple[int, int, int]]) -> list[Span]:
    wanted = sorted({day for _, first, last in ranges for day in (first - 1, last)})
    days = asked.opened["days"]
    rows = asked.opened.arrow(days.filter(days.day.isin(wanted or [0])).select("day", "ends")).to_pylist()
    ends = {row["day"]: row["ends"] for row in rows}
    limit = asked.opened.as_of.second
    return [Span(period, ends[first - 1], min(ends[last], limit)) for period, first, last in ranges]


def _first_day(asked: Asked) -> int:
    table = movements.versions(asked.opened)
    own = asked.opened["opportunities"].select("opportunity_id", "created_day").semi_join(table, "opportunity_id")
    rows = asked.opened.arrow(own.aggregate(first=own.created_day.min())).to_pylist()
    return asked.opened.as_of.day if rows[0]["first"] is None else int(rows[0]["first"])


def _result(asked: Asked, view: str, question: ir.Table, marks: ir.Table, group: Grouping, *, by_stage: bool) -> Result:
    made = Assembly(asked, "volume", f"Pipeline: {view}", f"{TEXT[view]}.")
    sums = {
        "opportunities": marks.count(),
        "value": marks.worth.sum(),
        "count": marks.opens.sum(),
        "amount": marks.change.sum(),
        "without_amount": marks.worth.isnull().cast("int64").sum(),
    }
    counted = marks.group_by(*asked.by, "period_day", "stage_name", "movement").aggregate(**sums)
    rows = [_row(asked, row) for row in _ordered(asked, asked.opened.arrow(counted).to_pylist())]
    units = marks.select("unit_id").distinct()
    result = made.result(
        COLUMNS,
        rows,
        totals=_totals(view, rows),
        query=question,
        units=units,
        records=lambda: listed(made, group.with_links(marks), _LINKS, _EXTRA, kind="pipeline"),
        notes=_notes(asked, marks, with_stages=by_stage),
        evidence=_evidence(asked, marks),
    )
    return replace(result, kind="pipeline")


def _row(asked: Asked, row: dict) -> dict:
    return {
        **{name: row[name] for name in asked.by},
        "period": asked.period_label(row["period_day"]),
        STAGE: row["stage_name"],
        "movement": row["movement"],
        "opportunities": row["opportunities"],
        "value": row["value"],
        "count": row["count"],
        "amount": row["amount"],
        "without_amount": row["without_amount"],
    }


def _ordered(asked: Asked, rows: list[dict]) -> list[dict]:
    places = dict(movements.stage_order(asked))
    kinds = {name: at for at, name in enumerate(movements.ORDER)}
    far = max(places.values(), default=0) + 1
    return sorted(
        rows,
        key=lambda row: (
            *[(row[name] is None, row[name] or "") for name in asked.by],
            row["period_day"],
            (row["stage_name"] is None, places.get(row["stage_name"], far), row["stage_name"] or ""),
            kinds[row["movement"]],
        ),
    )


def _totals(view: str, rows: list[dict]) -> tuple[dict, ...]:
    """Sums over stages and dimensions, one per period and movement; moves inside the pipeline cancel out."""
    sums: dict[tuple, dict] = {}
    for row in rows:
        name = row["movement"].removesuffix("_in")
        if name.endswith("_out"):
            continue
        key = (row["period"], name)
        total = sums.setdefault(
            key, {"period": row["period"], "view": view, "movement": name, "count": 0, "amount": 0, "opportunities": 0}
        )
        total["opportunities"] += row["opportunities"]
        if name not in movements.MOVED:
            total["count"] += row["count"]
            total["amount"] += row["amount"] or 0
    order = ("standing", *movements.OVERALL)
    return tuple(sorted(sums.values(), key=lambda one: (one["period"], order.index(one["movement"]))))


def _evidence(asked: Asked, marks: ir.Table) -> dict[str, int]:
    """What the stages rest on, by distinct opportunities, most frequent first."""
    counted = marks.group_by("evidence").aggregate(n=marks.unit_id.nunique())
    rows = asked.opened.arrow(counted).to_pylist()
    return {row["evidence"]: row["n"] for row in sorted(rows, key=lambda row: (-row["n"], row["evidence"]))}


def _notes(asked: Asked, marks: ir.Table, *, with_stages: bool) -> list[str]:
    if not asked.opened.arrow(asked.opened["opportunity_stages"].limit(1)).num_rows:
        return [
            "The source has no history of stages: stage, amount and close date are those of the record at every "
            "instant, and only openings and closes move the pipeline."
        ]
    unknown = marks.filter(marks.stage_name.isnull())
    rows = asked.opened.arrow(unknown.aggregate(n=unknown.unit_id.nunique())).to_pylist()
    if not with_stages or not rows[0]["n"]:
        return []
    return [f"Of {rows[0]['n']:,} opportunities the stage they stood in is not known: their history begins later."]
