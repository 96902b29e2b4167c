"""Positions and visits: where a journey stood, from when until when.

The position is the furthest current stage among the open held opportunities, else the furthest
current stage of the person's leads and contacts, else Inquiry. A visit is a maximal run of one
position.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.model.events import NO_STAGE, ORDER, STAGE

NEVER = 2**31
"""Sequence number after every event."""


def sequenced(events: ir.Table) -> ir.Table:
    """Events of journeys with their number `seq` inside the journey, cut after the one that ends it."""
    order = ibis.window(group_by="journey_id", order_by=list(ORDER))
    numbered = events.mutate(seq=ibis.row_number().over(order).cast("int64"))
    ends = numbered.filter(numbered.ender).group_by("journey_id").aggregate(end_seq=ibis._.seq.min())
    joined = numbered.left_join(ends, "journey_id").drop("journey_id_right")
    return joined.mutate(end_seq=joined.end_seq.fill_null(NEVER))


def positions(events: ir.Table) -> ir.Table:
    """The position after each event that can move it, in order.

    `events` is the output of `sequenced`. Columns: journey_id, seq, s, day, is_date, kind, evidence,
    stage_no, record_id, own_before (stage of the event's record before it), position.
    """
    moving = events.filter((events["rank"] == STAGE) | (events["rank"] > STAGE) | (events.seq == 0))
    points = moving.filter((moving.seq < moving.end_seq) & ~moving.kind.isin(["disqualified", "recycled"]))
    spans = _spans(events)
    at = points.select("journey_id", "seq")
    standing = at.join(spans, [at.journey_id == spans.journey_id, at.seq >= spans.from_seq, at.seq < spans.to_seq])
    furthest = standing.group_by("journey_id", "seq").aggregate(
        deal_stage=ibis.ifelse(standing.side == "deal", standing.stage_no, ibis.null("int64")).max(),
        lead_stage=ibis.ifelse(standing.side == "lead", standing.stage_no, ibis.null("int64")).max(),
    )
    own = spans.select("journey_id", "own_before", seq="from_seq")
    joined = points.left_join(furthest, ["journey_id", "seq"]).drop("journey_id_right", "seq_right")
    joined = joined.left_join(own, ["journey_id", "seq"])
    return joined.select(
        "journey_id",
        "seq",
        "s",
        "day",
        "is_date",
        "kind",
        "evidence",
        "stage_no",
        "record_id",
        "own_before",
        position=ibis.coalesce(joined.deal_stage, joined.lead_stage, ibis.literal(0, "int64")),
    )


def _spans(events: ir.Table) -> ir.Table:
    """How long each record stands in each stage, in sequence numbers of its journey.

    Columns: journey_id, side, stage_no, from_seq, to_seq, own_before.
    """
    marks = events.filter(ibis._.kind.isin(["created", "entry", "close"]) & (events.seq <= events.end_seq))
    record = ibis.window(group_by=["journey_id", "side", "record_id"], order_by="seq")
    spanned = marks.mutate(to_seq=marks.seq.lead().over(record), own_before=marks.stage_no.lag().over(record))
    entries = spanned.filter(spanned.stage_no != NO_STAGE)
    return entries.select(
        "journey_id",
        "side",
        "stage_no",
        "own_before",
        from_seq="seq",
        to_seq=entries.to_seq.fill_null(NEVER),
    )


def visits(positions: ir.Table, ends: ir.Table) -> ir.Table:
    """Maximal runs of one position per journey.

    `ends` has journey_id, ended_s, ended_day, ended_is_date (null while open). Columns: journey_id,
    visit_no, stage_no, the moments `entered` and `left` (null while it stands), evidence, regression
    (came from a later stage), re_entry (was in this stage before in this journey).
    """
    order = ibis.window(group_by="journey_id", order_by="seq")
    compared = positions.mutate(before=positions.position.lag().over(order))
    starts = compared.filter(compared.before.isnull() | (compared.before != compared.position))
    following = starts.mutate(
        visit_no=ibis.row_number().over(order),
        next_s=starts.s.lead().over(order),
        next_day=starts.day.lead().over(order),
        next_is_date=starts.is_date.lead().over(order),
        nth=ibis.row_number().over(ibis.window(group_by=["journey_id", "position"], order_by="seq")),
    )
    joined = following.left_join(ends, "journey_id").drop("journey_id_right")
    more = joined.next_s.notnull()
    return joined.select(
        "journey_id",
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

    Columns: journey_id, stage_no and the moment (s, day, is_date).
    """
    order = ibis.window(group_by="journey_id", order_by="seq")
    compared = positions.mutate(before=positions.position.lag().over(order))
    moved = compared.own_before.isnull() | (compared.own_before != compared.stage_no)
    kept = compared.filter(
        compared.kind.isin(["created", "entry"])
        & (compared.stage_no != NO_STAGE)
        & moved
        & (compared.before == compared.position).fill_null(False)
        & (compared.stage_no < compared.position)
    )
    return kept.select("journey_id", "stage_no", "s", "day", "is_date")
