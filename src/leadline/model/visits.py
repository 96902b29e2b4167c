"""Positions and visits: where a journey stood, from when until when.

The position is the furthest current stage among the open held opportunities, else the furthest
current stage of the person's leads and contacts, else Inquiry. A visit is a maximal run of one
position.

A `unit` is the number of a journey, or the id of an opportunity that is looked at by itself.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.model.events import NO_STAGE, ORDER
from leadline.model.passes import NEVER


def sequenced(events: ir.Table) -> ir.Table:
    """Events with their number `seq` inside the unit, and that of the one that ends it."""
    order = ibis.window(group_by="unit", order_by=list(ORDER))
    numbered = events.mutate(seq=ibis.row_number().over(order).cast("int64"))
    ends = numbered.filter(numbered.ender).group_by("unit").aggregate(end_seq=ibis._.seq.min())
    joined = numbered.left_join(ends, "unit").drop("unit_right")
    return joined.mutate(end_seq=joined.end_seq.fill_null(NEVER))


def positions(moves: ir.Table, starts: ir.Table | None = None) -> ir.Table:
    """The position after each event that can move it, in order.

    Args:
        moves: events of a rank from STAGE on, with unit, seq and end_seq.
        starts: first events of the units that are responses, in the columns of the result up to
            stage_no; there the position is Inquiry.

    Columns: unit, seq, s, day, is_date, kind, evidence, stage_no, own_before (stage of the event's
    record before it), position, before (the position before it).
    """
    points = moves.filter((moves.seq < moves.end_seq) & ~moves.kind.isin(["disqualified", "recycled"]))
    spans = _spans(moves)
    at = points.select("unit", "seq")
    standing = at.join(spans, [at.unit == spans.unit, at.seq >= spans.from_seq, at.seq < spans.to_seq])
    furthest = standing.group_by("unit", "seq").aggregate(
        deal_stage=ibis.ifelse(standing.side == "deal", standing.stage_no, ibis.null("int64")).max(),
        lead_stage=ibis.ifelse(standing.side == "lead", standing.stage_no, ibis.null("int64")).max(),
    )
    own = spans.select("unit", "own_before", seq="from_seq")
    joined = points.left_join(furthest, ["unit", "seq"]).drop("unit_right", "seq_right")
    joined = joined.left_join(own, ["unit", "seq"])
    rows = joined.select(
        *POINT, "own_before", position=ibis.coalesce(joined.deal_stage, joined.lead_stage, ibis.literal(0, "int64"))
    )
    if starts is not None:
        first = starts.select(*POINT, own_before=ibis.null("int64"), position=ibis.literal(0, "int64"))
        rows = ibis.union(rows, first)
    return rows.mutate(before=rows.position.lag().over(ibis.window(group_by="unit", order_by="seq")))


POINT = ("unit", "seq", "s", "day", "is_date", "kind", "evidence", "stage_no")
"""What is known of an event where a position may change."""


def _spans(events: ir.Table) -> ir.Table:
    """How long each record stands in each stage, in sequence numbers of its unit.

    Columns: unit, side, stage_no, from_seq, to_seq, own_before.
    """
    marks = events.filter(ibis._.kind.isin(["created", "entry", "close"]) & (events.seq <= events.end_seq))
    record = ibis.window(group_by=["unit", "side", "id"], order_by="seq")
    spanned = marks.mutate(to_seq=marks.seq.lead().over(record), own_before=marks.stage_no.lag().over(record))
    entries = spanned.filter(spanned.stage_no != NO_STAGE)
    return entries.select(
        "unit",
        "side",
        "stage_no",
        "own_before",
        from_seq="seq",
        to_seq=entries.to_seq.fill_null(NEVER),
    )


def visits(positions: ir.Table, ends: ir.Table) -> ir.Table:
    """Maximal runs of one position per unit.

    `ends` has unit, ended_s, ended_day, ended_is_date (null while open). Columns: unit,
    visit_no, stage_no, the moments `entered` and `left` (null while it stands), evidence, regression
    (came from a later stage), re_entry (was in this stage before in this unit).
    """
    order = ibis.window(group_by="unit", order_by="seq")
    starts = positions.filter(positions.before.isnull() | (positions.before != positions.position))
    following = starts.mutate(
        visit_no=ibis.row_number().over(order),
        next_s=starts.s.lead().over(order),
        next_day=starts.day.lead().over(order),
        next_is_date=starts.is_date.lead().over(order),
        nth=ibis.row_number().over(ibis.window(group_by=["unit", "position"], order_by="seq")),
    )
    joined = following.left_join(ends, "unit").drop("unit_right")
    more = joined.next_s.notnull()
    return joined.select(
        "unit",
        "visit_no",
        "evidence",
        stage_no="position",
        entered_s="s",
        entered_day="day",
        entered_is_date="is_date",
        left_s=ibis.ifelse(more, joined.next_s, joined.ended_s),
        left_day=ibis.ifelse(more, joined.next_day, joined.ended_day),
        left_is_date=ibis.ifelse(more, joined.next_is_date, joined.ended_is_date),
        regression=(joined.before > joined.position).fill_null(False),
        re_entry=joined.nth > 0,
    )


def requalifications(positions: ir.Table) -> ir.Table:
    """Entries into a lower stage on another record that left the position where it was.

    Columns: unit, stage_no and the moment (s, day, is_date).
    """
    moved = positions.own_before.isnull() | (positions.own_before != positions.stage_no)
    kept = positions.filter(
        positions.kind.isin(["created", "entry"])
        & (positions.stage_no != NO_STAGE)
        & moved
        & (positions.before == positions.position).fill_null(False)
        & (positions.stage_no < positions.position)
    )
    return kept.select("unit", "stage_no", "s", "day", "is_date")
