"""Opportunities through time: what each was at any instant, read as `deals` reads one as-of.

A version says stage, state, amount and close date of an opportunity between two instants. The one
that holds at an instant is what `deals` says at that as-of, so that standing amounts and movements
between any two instants need no model of their own.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.model.opportunities import OPEN
from leadline.model.source import Source

RECORD = "record"
"""Evidence of a version that rests on the record as it stands, not on its history."""

_ALWAYS = -(2**61)
"""Begin of an opportunity without a creation date, as a number that compares."""


def versions(
    opportunities: ir.Table, stages: ir.Table, days: ir.Table, *, amounts_told: bool, by_field: bool = False
) -> ir.Table:
    """One row per opportunity and span of time in which nothing of it changes.

    Args:
        opportunities, stages: tables `opportunities` and `opportunity_stages`.
        days: the calendar.
        amounts_told: whether OpportunityHistory holds the amounts that count.
        by_field: whether CloseDate alone dates a close.

    Columns: opportunity_id, from_s (null: always), to_s (the first second of the next version, null:
    the newest), state (won, lost, open), stage_name (null while unknown), evidence (history,
    observed, record), raw_amount, currency, close_day.
    """
    told = _numbered(stages)
    said = _said(opportunities, _spans(opportunities, told), told, amounts_told=amounts_told)
    return _split(_shut(said, days, by_field=by_field))


def _numbered(stages: ir.Table) -> ir.Table:
    """Dated stages with their number, the number of rows of history so far, and the start of their run of state."""
    order = {"group_by": "opportunity_id", "order_by": [ibis._.at_s, ibis._.id]}
    window, so_far = ibis.window(**order), ibis.window(**order, rows=(None, 0))
    marked = stages.mutate(
        nth=ibis.row_number().over(window) + 1,
        told=(stages.evidence == "history").cast("int64"),
        before=stages.state.lag().over(window),
        next_s=stages.at_s.lead().over(window),
    )
    starts = marked.before.isnull() | (marked.before != marked.state)
    return marked.mutate(
        told_nth=marked.told.sum().over(so_far),
        run_s=ibis.ifelse(starts, marked.at_s, ibis.null("int64")).max().over(so_far),
    )


def _spans(opportunities: ir.Table, told: ir.Table) -> ir.Table:
    """Spans between dated stages: opportunity_id, from_s, to_s, the numbers of the rows in force, what follows."""
    totals = told.group_by("opportunity_id").aggregate(
        rows=told.count(), told_rows=told.told.sum(), first_s=told.at_s.min()
    )
    born = opportunities.select("opportunity_id", born_s=opportunities.created_s.fill_null(_ALWAYS))
    known = born.left_join(totals, "opportunity_id").drop("opportunity_id_right")
    before = known.filter(known.first_s.isnull() | (known.born_s < known.first_s)).select(
        "opportunity_id", begin="born_s", nth=ibis.literal(0, "int64"), told_nth=ibis.literal(0, "int64")
    )
    own = told.filter(told.next_s.isnull() | (told.next_s != told.at_s)).select(
        "opportunity_id", begin="at_s", nth="nth", told_nth="told_nth"
    )
    both = before.union(own)
    window = ibis.window(group_by="opportunity_id", order_by="begin")
    spans = both.mutate(to_s=both.begin.lead().over(window)).join(known, "opportunity_id")
    spans = spans.select(*spans.columns)
    placed = spans.mutate(
        from_s=ibis.greatest(spans.begin, spans.born_s),
        later=(spans.nth < spans.rows).fill_null(False),
        told_later=((spans.told_nth > 0) & (spans.told_nth < spans.told_rows)).fill_null(False),
    )
    return placed.filter(placed.to_s.isnull() | (placed.to_s > placed.from_s)).select(
        "opportunity_id", "from_s", "to_s", "nth", "told_nth", "later", "told_later"
    )


def _said(opportunities: ir.Table, spans: ir.Table, told: ir.Table, *, amounts_told: bool) -> ir.Table:
    """What is said in each span: by the row in force where more follows, else by the record."""
    row = told.select(
        "opportunity_id", "nth", "run_s", told_state="state", told_stage="stage_name", told_evidence="evidence"
    )
    amount = told.filter(told.evidence == "history").select(
        "opportunity_id", "told_nth", told_amount="history_amount", told_close="history_close_day"
    )
    joined = spans.left_join(row, ["opportunity_id", "nth"]).drop("opportunity_id_right", "nth_right")
    joined = joined.left_join(amount, ["opportunity_id", "told_nth"]).drop("opportunity_id_right", "told_nth_right")
    record = opportunities.select(
        "opportunity_id", "state", "stage_name", "raw_amount", "currency", "close_day", "stage_change_s"
    )
    # A projection of its own: in a join Ibis cannot compare a column that a join has computed.
    both = joined.join(record, "opportunity_id")
    both = both.select(*both.columns)
    return both.select(
        "opportunity_id",
        "from_s",
        "to_s",
        "run_s",
        "told_state",
        "currency",
        change_s=ibis.ifelse(both.later, ibis.null("int64"), both.stage_change_s),
        evidence=ibis.ifelse(both.nth > 0, both.told_evidence, ibis.literal(RECORD)),
        state=ibis.ifelse(both.later, both.told_state.fill_null(OPEN), both.state),
        stage_name=ibis.ifelse(both.later, both.told_stage, both.stage_name),
        raw_amount=ibis.ifelse(both.told_later & amounts_told, both.told_amount, both.raw_amount),
        close_day=ibis.ifelse(both.told_later, both.told_close, both.close_day),
    )


def _shut(said: ir.Table, days: ir.Table, *, by_field: bool) -> ir.Table:
    """Add shut_s: the second from which the closed state that is said holds (null: from the start on).

    What is known by its day only holds from the first second of that day, as at any as-of.
    """
    joined = said.left_join(days.select(close_day="day", day_starts="starts"), "close_day").drop("close_day_right")
    by_history = (joined.told_state == joined.state).fill_null(False)
    shut = ibis.ifelse(by_history, joined.run_s, ibis.coalesce(joined.change_s, joined.day_starts))
    shut = joined.day_starts if by_field else shut
    return joined.mutate(shut_s=shut).drop("day_starts", "run_s", "told_state", "change_s")


def _split(said: ir.Table) -> ir.Table:
    """Closed versions begin when the close holds; until then the deal is open, its stage unknown."""
    columns = ("opportunity_id", "evidence", "raw_amount", "currency", "close_day")
    waits = (said.state != OPEN) & (said.shut_s > said.from_s).fill_null(False)
    shut = ibis.ifelse(waits, said.shut_s, said.from_s)
    open_until = said.filter(waits)
    end = ibis.ifelse(
        open_until.to_s.isnull() | (open_until.shut_s < open_until.to_s), open_until.shut_s, open_until.to_s
    )
    still_open = open_until.select(
        *columns, from_s="from_s", to_s=end, state=ibis.literal(OPEN), stage_name=ibis.null("string")
    )
    held = said.mutate(shut_s=shut)
    held = held.filter(held.to_s.isnull() | (held.shut_s < held.to_s)).select(
        *columns, from_s="shut_s", to_s="to_s", state="state", stage_name="stage_name"
    )
    both = held.union(still_open.select(*held.columns))
    return both.mutate(from_s=ibis.ifelse(both.from_s == _ALWAYS, ibis.null("int64"), both.from_s))


def stage_values(source: Source, states: ir.Table) -> ir.Table:
    """Values of StageName that mean something: stage_name, state, place_no (of the org's list, or null)."""
    listed = source.table("OpportunityStage")
    named = listed.select(stage_name="ApiName", place_no="SortOrder").union(
        listed.select(stage_name="MasterLabel", place_no="SortOrder")
    )
    orders = named.group_by("stage_name").aggregate(place_no=named.place_no.min())
    joined = states.left_join(orders, "stage_name")
    return joined.select("stage_name", "state", "place_no")
