"""A person's events in order, cut into passes through the funnel: the journeys.

All events are sorted once, in `numbered`; from there on their place `n` stands for the order. The
rules of beginning and ending then run over the few events at which either can happen (`turns`).
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis.expr.builders import WindowBuilder

from leadline.model.events import CLOSE, ENDING, ORDER, STAGE

NEVER = 2**31
"""Place after every event."""

PASSES_OF_ONE = 2**20
"""Passes that the number of a journey has room for; a new one takes a day at least, so there are fewer."""


def numbered(events: ir.Table) -> ir.Table:
    """Events with their place in the person's order and what lies before it.

    Adds n (from 0), rank_before (rank of the event before) and last_day (of the activities, that is
    responses and stage entries, before).
    """
    order = ibis.window(group_by="owner", order_by=list(ORDER))
    preceding = ibis.window(group_by="owner", order_by=list(ORDER), rows=(None, -1))
    active_day = ibis.ifelse(events["rank"] <= STAGE, events.day, ibis.null("int64"))
    return events.mutate(
        n=ibis.row_number().over(order).cast("int64"),
        rank_before=events["rank"].lag().over(order),
        last_day=active_day.max().over(preceding),
    )


def turns(numbered: ir.Table, dormancy_days: int) -> ir.Table:
    """The events at which a journey may begin or end, with what they do.

    Those are: what opens or closes an opportunity, disqualifies or recycles; the first activity; an
    activity after something that is none, or after so many days that the journey may have slept. Of
    other events it is known that they go on with the journey that is open.

    Adds ender (the journey ends with this event) and begins (a pass begins with it, at the first
    activity while none is open).
    """
    rank, gone_by = numbered["rank"], numbered.day >= numbered.last_day + dormancy_days
    resumed = (numbered.rank_before > STAGE).fill_null(False)
    quiet = numbered.last_day.isnull() | gone_by.fill_null(False)
    chosen = numbered.filter(numbered.until.notnull() | (rank > STAGE) | resumed | quiet)
    flagged = _flag_enders(chosen)
    activity = flagged["rank"] <= STAGE
    seen = flagged.mutate(
        is_activity=activity,
        last_ender=ibis.ifelse(flagged.ender, flagged.n, ibis.null("int64")).max().over(_preceding()),
        last_activity=ibis.ifelse(activity, flagged.n, ibis.null("int64")).max().over(_preceding()),
    )
    awake = (seen.open_until >= seen.s).fill_null(False)
    lapsed = ~awake & (seen.day >= seen.last_day + dormancy_days)
    ended = (seen.last_ender > seen.last_activity).fill_null(False)
    fresh = seen.last_day.isnull() | ended | lapsed.fill_null(False)
    return seen.mutate(begins=seen.is_activity & fresh).drop("last_ender", "last_activity", "open_until")


def _preceding() -> WindowBuilder:
    return ibis.window(group_by="owner", order_by="n", rows=(None, -1))


def _flag_enders(chosen: ir.Table) -> ir.Table:
    """Mark the close after which no opportunity is open, and disqualified or recycled while none is."""
    marked = chosen.mutate(open_until=chosen.until.max().over(_preceding()))
    shut = (marked["rank"] == CLOSE) & (marked.s >= marked.open_until)
    out = (marked["rank"] == ENDING) & (marked.open_until.isnull() | (marked.open_until < marked.s))
    return marked.mutate(ender=(shut | out).fill_null(False))


def passes(turns: ir.Table, persons: ir.Table) -> ir.Table:
    """One row per journey with a start.

    Columns: unit (its number), journey_id, person_id, owner, pass_no, from_n and to_n (its events
    have from_n ≤ n < to_n), the first event (started_s, started_day, started_is_date, rank,
    evidence, kind, stage_no), end_n and the event that ended it (ender_s, ender_day, ender_is_date,
    ender_kind; end_n is NEVER and the others null without one).
    """
    order = ibis.window(group_by="owner", order_by="n")
    begun = turns.filter(turns.begins)
    counted = begun.mutate(pass_no=(ibis.row_number().over(order) + 1).cast("int64"), next_n=begun.n.lead().over(order))
    spans = counted.select(
        "owner",
        "pass_no",
        "rank",
        "kind",
        "evidence",
        "stage_no",
        unit=journey_no(counted.owner, counted.pass_no),
        from_n="n",
        to_n=counted.next_n.fill_null(NEVER),
        started_s="s",
        started_day="day",
        started_is_date="is_date",
    )
    joined = spans.left_join(_first_enders(turns, spans), "unit").drop("unit_right")
    named = joined.join(persons, joined.owner == persons.person_no).drop("person_no")
    return named.mutate(end_n=named.end_n.fill_null(NEVER), journey_id=journey_id(named.person_id, named.pass_no))


def _first_enders(turns: ir.Table, spans: ir.Table) -> ir.Table:
    """The event that ends each journey that has one: unit, end_n, ender_s, ender_day, ender_is_date, ender_kind."""
    inside = _inside(turns.filter(turns.ender), spans)
    ranked = inside.mutate(nth=ibis.row_number().over(ibis.window(group_by="unit", order_by="n")))
    return ranked.filter(ranked.nth == 0).select(
        "unit", end_n="n", ender_s="s", ender_day="day", ender_is_date="is_date", ender_kind="kind"
    )


def placed(events: ir.Table, passes: ir.Table) -> ir.Table:
    """Events with the journey they lie in; those outside any are left out.

    Adds unit, seq (the order in the journey) and end_seq (of the event that ends it).
    """
    joined = _inside(events, passes.select("unit", "owner", "from_n", "to_n", "end_n"))
    return joined.select(*events.columns, "unit", seq="n", end_seq="end_n").drop("n")


def _inside(events: ir.Table, spans: ir.Table) -> ir.Table:
    own = spans.rename(of_owner="owner")
    return events.join(own, [events.owner == own.of_owner, events.n >= own.from_n, events.n < own.to_n])


def journey_no(owner: ir.IntegerValue, pass_no: ir.IntegerValue) -> ir.IntegerValue:
    """The number of a journey inside a build."""
    return owner * PASSES_OF_ONE + pass_no


def journey_id(person_id: ir.StringValue, pass_no: ir.IntegerValue) -> ir.StringValue:
    """The name of a journey: PERSON#PASS."""
    return person_id.concat("#", pass_no.cast("string"))
