"""What moved the pipeline between two instants: every open amount from the first to the second.

Every opportunity that was open at either instant, or between them, is followed from the version in
force at the first to the one in force at the second. Its changes are booked in one order: it comes
in (start, new, reopened), its amount changes, it moves to its last open stage, it goes out (won,
lost) or stays (end). So the bookings add up by construction, in each stage and in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from leadline.errors import SnapshotError
from leadline.metrics.query import Asked
from leadline.model.opened import Opened
from leadline.model.opportunities import OPEN, WON

START, END = "start", "end"
IN = ("new", "reopened")
MOVED = ("advanced", "regressed", "moved")
OUT = ("won", "lost")
CHANGED = ("amount_changed", "revalued")
BESIDE = ("pushed", "pulled")

OVERALL = (START, *IN, *CHANGED, *MOVED, *OUT, END, *BESIDE)
"""Movements of the whole pipeline, in the order of a table; those of `BESIDE` change no sum."""

_WAYS = tuple(f"{move}_{way}" for move in MOVED for way in ("in", "out"))
ORDER = ("standing", START, *IN, *CHANGED, *MOVED, *_WAYS, *OUT, END, *BESIDE)
"""All of them in order; stage by stage what moves goes out of one and into another."""

_FIRST = -(2**61)
_EITHER = ("state", "stage_name", "amount", "raw_amount", "currency", "close_day")


@dataclass(frozen=True, slots=True)
class Span:
    """One period with the instants at its two ends.

    Attributes:
        period_day: number the period groups by.
        from_s, to_s: UTC seconds: the last before the period, and the last of it (as-of at most).
    """

    period_day: int
    from_s: int
    to_s: int


def versions(opened: Opened) -> ir.Table:
    """The versions of opportunities; those that began before any date begin at a number that compares.

    Raises:
        SnapshotError: the snapshot was built before versions were kept.
    """
    if "opportunity_versions" not in opened:
        raise SnapshotError(
            "This snapshot keeps no versions of opportunities, which the pipeline at past instants needs. "
            "Make a new one: leadline build."
        )
    table = opened["opportunity_versions"]
    return table.mutate(from_s=table.from_s.fill_null(_FIRST))


def spans_table(spans: Sequence[Span]) -> ir.Table:
    """Spans as a table: period_day, start_s, end_s."""
    schema = pa.schema([("period_day", pa.int64()), ("start_s", pa.int64()), ("end_s", pa.int64())])
    rows = [{"period_day": one.period_day, "start_s": one.from_s, "end_s": one.to_s} for one in spans]
    return ibis.memtable(pa.Table.from_pylist(rows, schema=schema))


def standing(opened: Opened, spans: Sequence[Span]) -> ir.Table:
    """Open opportunities at the end of each span.

    Columns: unit_id, period_day, stage_name, movement ("standing"), opens (1), change and worth (their
    amount), at_s, close_day, evidence.
    """
    table, points = versions(opened), spans_table(spans)
    own = table.filter(table.state == OPEN)
    joined = own.join(points, [own.from_s <= points.end_s, own.to_s.isnull() | (own.to_s > points.end_s)])
    return joined.select(
        "period_day",
        "stage_name",
        "close_day",
        "evidence",
        unit_id="opportunity_id",
        movement=ibis.literal("standing"),
        opens=ibis.literal(1, "int64"),
        change="amount",
        worth="amount",
        at_s="end_s",
    )


def followed(opened: Opened, spans: Sequence[Span]) -> ir.Table:
    """One row per period and opportunity that was open in it: what it was at both ends, and in between.

    Columns: unit_id, period_day, start_s, end_s; of the start (suffix _0) and the end (suffix _1)
    state, stage_name, amount, raw_amount, currency, close_day, null where the opportunity did not
    exist; first_s (when it was first open in the period); of its last open version last_stage, open_s
    and shut_s, its begin and end; evidence.
    """
    table, ends = versions(opened), spans_table(spans)
    near = table.join(ends, [table.from_s <= ends.end_s, table.to_s.isnull() | (table.to_s > ends.start_s)])
    at_start = near.from_s <= near.start_s
    at_end = near.to_s.isnull() | (near.to_s > near.end_s)
    # What stays closed from one end to the other is most of an old org, and moves nothing.
    live = near.mutate(at_start=at_start, at_end=at_end).filter((near.state == OPEN) | ~(at_start & at_end))
    whole = live.group_by("opportunity_id", "period_day").aggregate(
        **{f"{name}_0": _where(live, "at_start", name) for name in _EITHER},
        **{f"{name}_1": _where(live, "at_end", name) for name in _EITHER},
        evidence=_where(live, "at_end", "evidence"),
        start_s=live.start_s.max(),
        end_s=live.end_s.max(),
        first_s=ibis.ifelse(live.state == OPEN, live.from_s, ibis.null("int64")).min(),
        open_s=ibis.ifelse(live.state == OPEN, live.from_s, ibis.null("int64")).max(),
    )
    opens = live.filter(live.state == OPEN).select(
        "opportunity_id", "period_day", open_s="from_s", shut_s="to_s", last_stage="stage_name"
    )
    joined = whole.join(opens, ["opportunity_id", "period_day", "open_s"])
    return joined.rename(unit_id="opportunity_id")


def _where(live: ir.Table, flag: str, name: str) -> ir.Value:
    """The one value of the rows of an opportunity that carry a flag."""
    return ibis.ifelse(live[flag], live[name], ibis.null(live[name].type())).max()


def bookings(moves: ir.Table, order: ir.Table, *, by_stage: bool, day_periods: ir.Table) -> ir.Table:
    """Every booking of the opportunities in `followed`.

    Args:
        moves: output of `followed`.
        order: stage_name, place: the order of stages.
        by_stage: book what moves as out of one stage and into another; else once, without a stage.
        day_periods: _day, period: the period a close date lies in.

    Columns: unit_id, period_day, stage_name (null without `by_stage`), movement, opens (change of the
    count), change (of the amount), worth (amount of the opportunity then), at_s, close_day, evidence.
    """
    known = _classified(moves, order, day_periods)
    start = known.filter(known.began == START)
    entered = known.filter(known.began != START)
    left = known.filter(known.ended != END)
    stayed = known.filter(known.ended == END)
    now, before = known.amount_1, known.amount_0
    parts = [
        _book(start, START, "stage_name_0", 1, start.amount_0, start.amount_0, at="start_s"),
        _book(entered, entered.began, "last_stage", 1, entered.amount_1, entered.amount_1, at="first_s"),
        _changes(known.filter((known.began == START) & ~now.identical_to(before))),
        *_moves(known.filter(known.move.notnull()), by_stage=by_stage),
        _book(left, left.ended, "last_stage", -1, -left.amount_1, left.amount_1, at="shut_s"),
        _book(stayed, END, "last_stage", 1, stayed.amount_1, stayed.amount_1, at="end_s"),
        *_pushes(known.filter((known.began == START) & (known.ended == END))),
    ]
    booked = ibis.union(*parts)
    return booked if by_stage else booked.mutate(stage_name=ibis.null("string"))


def _classified(moves: ir.Table, order: ir.Table, day_periods: ir.Table) -> ir.Table:
    """Add began (start, new, reopened), ended (end, won, lost), move, and the periods of both close dates."""
    began = ibis.cases((moves.state_0 == OPEN, START), (moves.state_0.isnull(), IN[0]), else_=IN[1])
    ended = ibis.cases((moves.state_1 == OPEN, END), (moves.state_1 == WON, OUT[0]), else_=OUT[1])
    marked = moves.mutate(began=began, ended=ended)
    placed = marked.left_join(order.select(stage_name_0="stage_name", place_0="place"), "stage_name_0")
    placed = placed.drop("stage_name_0_right")
    placed = placed.left_join(order.select(last_stage="stage_name", place_1="place"), "last_stage")
    placed = placed.drop("last_stage_right")
    for end in ("0", "1"):
        periods = day_periods.select(**{f"close_day_{end}": "_day", f"close_period_{end}": "period"})
        placed = placed.left_join(periods, f"close_day_{end}").drop(f"close_day_{end}_right")
    moved = (placed.began == START) & ~placed.stage_name_0.identical_to(placed.last_stage)
    way = ibis.cases(
        (placed.place_1 > placed.place_0, MOVED[0]), (placed.place_1 < placed.place_0, MOVED[1]), else_=MOVED[2]
    )
    return placed.mutate(move=ibis.ifelse(moved, way, ibis.null("string")))


def _book(
    rows: ir.Table,
    movement: ir.Value | str,
    stage: str | None,
    opens: int,
    change: ir.Value,
    worth: ir.Value,
    at: str = "open_s",
) -> ir.Table:
    return rows.select(
        "unit_id",
        "period_day",
        stage_name=ibis.null("string") if stage is None else rows[stage],
        movement=ibis.literal(movement) if isinstance(movement, str) else movement,
        opens=ibis.literal(opens, "int64"),
        change=change.cast("int64"),
        worth=worth.cast("int64"),
        at_s=ibis.ifelse(rows[at] == _FIRST, ibis.null("int64"), rows[at]),
        close_day=rows.close_day_1,
        evidence=rows.evidence,
    )


def _changes(rows: ir.Table) -> ir.Table:
    """Changed amounts; where the record's own amount is the same, only the rate of its close date changed it."""
    same = rows.raw_amount_0.identical_to(rows.raw_amount_1) & rows.currency_0.identical_to(rows.currency_1)
    movement = ibis.ifelse(same, ibis.literal(CHANGED[1]), ibis.literal(CHANGED[0]))
    change = rows.amount_1.fill_null(0) - rows.amount_0.fill_null(0)
    return _book(rows, movement, "stage_name_0", 0, change, rows.amount_1)


def _moves(rows: ir.Table, *, by_stage: bool) -> list[ir.Table]:
    if not by_stage:
        nothing = ibis.ifelse(rows.amount_1.isnull(), ibis.null("int64"), ibis.literal(0, "int64"))
        return [_book(rows, rows.move, None, 0, nothing, rows.amount_1)]
    return [
        _book(rows, rows.move.concat("_out"), "stage_name_0", -1, -rows.amount_1, rows.amount_1),
        _book(rows, rows.move.concat("_in"), "last_stage", 1, rows.amount_1, rows.amount_1),
    ]


def _pushes(rows: ir.Table) -> list[ir.Table]:
    nothing = ibis.literal(0, "int64")
    later = rows.filter(rows.close_period_1 > rows.close_period_0)
    sooner = rows.filter(rows.close_period_1 < rows.close_period_0)
    return [
        _book(later, BESIDE[0], "last_stage", 0, nothing, later.amount_1),
        _book(sooner, BESIDE[1], "last_stage", 0, nothing, sooner.amount_1),
    ]


def stage_order(asked: Asked) -> list[tuple[str, int]]:
    """Stages of opportunities in order, as far as it is known: (stage_name, place).

    By the org's own list of stages; without one by the funnel; without both by the order the
    platform comes with.
    """
    rows = asked.opened.arrow(asked.opened["stage_values"].select("stage_name", "place_no")).to_pylist()
    listed = [(row["stage_name"], int(row["place_no"])) for row in rows if row["place_no"] is not None]
    if listed:
        return sorted(listed, key=lambda one: (one[1], one[0]))
    mapped = {
        value: number
        for number, stage in enumerate(asked.funnel.stages)
        for source in stage.sources
        if source.object == "Opportunity" and source.field == "StageName"
        for value in source.values or ()
    }
    if len(set(mapped.values())) > 1:
        return sorted(mapped.items(), key=lambda one: (one[1], one[0]))
    return [(name, place) for place, name in enumerate(PLATFORM_STAGES)]


PLATFORM_STAGES = (
    "Prospecting",
    "Qualification",
    "Needs Analysis",
    "Value Proposition",
    "Id. Decision Makers",
    "Perception Analysis",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
)
"""Values of StageName in the order in which a new org has them."""
