"""Journeys: a person's passes through the funnel, their end, outcome and origin."""

from __future__ import annotations

from functools import reduce

import ibis
import ibis.expr.types as ir

from leadline.model.asof import AsOf
from leadline.model.events import FOREVER, journey_id
from leadline.model.funnels import ClosedStage


def journey_opportunities(events: ir.Table) -> ir.Table:
    """Which journey holds which opportunity: journey_id, person_id, opportunity_id, state."""
    created = events.filter(events.kind == "created")
    return created.select("journey_id", "person_id", "state", opportunity_id="id")


def ends(events: ir.Table, days: ir.Table, dormancy_days: int, as_of: AsOf) -> ir.Table:
    """When and why each journey ended; `events` is the output of `visits.sequenced`.

    Columns: journey_id, person_id, pass_no, the moments `started` and `ended` (null while open),
    ended_by (close, disqualified, recycled, dormant, or null), last_day, status_conflicts.
    """
    inside = events.filter(events.seq <= events.end_seq)
    ending = inside.record_id.concat(" ", inside.kind, " ", inside.s.cast("string"))
    conflict = inside.kind.isin(["disqualified", "recycled"]) & ~inside.ender
    summary = inside.group_by("journey_id", "person_id", "pass_no").aggregate(
        last_day=ibis.ifelse(inside.is_activity, inside.day, ibis.null("int64")).max(),
        open_until=inside.until.max(),
        status_conflicts=ending.nunique(where=conflict),
    )
    first = inside.filter(inside.seq == 0).select(
        "journey_id", started_s="s", started_day="day", started_is_date="is_date"
    )
    last = events.filter(events.seq == events.end_seq).select(
        "journey_id", ender_s="s", ender_day="day", ender_is_date="is_date", ender_kind="kind"
    )
    joined = summary.join(first, "journey_id").left_join(last, "journey_id").drop("journey_id_right")
    return _ended(joined, days, dormancy_days, as_of)


def _ended(joined: ir.Table, days: ir.Table, dormancy_days: int, as_of: AsOf) -> ir.Table:
    asleep = joined.mutate(asleep_day=joined.last_day + dormancy_days)
    known = asleep.left_join(days.select(asleep_day="day", asleep_s="starts"), "asleep_day")
    closed = (known.ender_kind == "close").fill_null(False)
    stopped = (known.ender_kind.notnull() & (known.ender_day < known.asleep_day)).fill_null(False)
    by_ender = closed | stopped
    still_open = ~by_ender & (known.open_until == FOREVER).fill_null(False)
    dormant = ~by_ender & ~still_open & (known.asleep_day <= as_of.day)
    return known.select(
        "journey_id",
        "person_id",
        "pass_no",
        "started_s",
        "started_day",
        "started_is_date",
        "last_day",
        "status_conflicts",
        ended_s=ibis.cases((by_ender, known.ender_s), (dormant, known.asleep_s)),
        ended_day=ibis.cases((by_ender, known.ender_day), (dormant, known.asleep_day)),
        ended_is_date=ibis.cases((by_ender, known.ender_is_date), (dormant, True)),
        ended_by=ibis.cases((by_ender, known.ender_kind), (dormant, "dormant")),
    )


def closes(events: ir.Table, deals: ir.Table) -> ir.Table:
    """Closes of held opportunities: journey_id, opportunity_id, state, stage_name, the moment `closed`.

    `events` is the output of `visits.sequenced`.
    """
    ended = events.filter(events.kind == "close").select(
        "journey_id", "state", opportunity_id="id", closed_s="s", closed_day="day", closed_is_date="is_date"
    )
    return ended.join(deals.select("opportunity_id", "stage_name"), "opportunity_id")


def outcome_entries(closes: ir.Table, stages: list[ClosedStage]) -> ir.Table:
    """Entries into stages that a close enters, one per close and stage.

    Columns: journey_id, stage_no, opportunity_id, the moment `entered`, re_entry (not the journey's
    first entry into the stage).
    """
    parts = [
        closes.filter(_enters(closes, stage)).mutate(stage_no=ibis.literal(stage.number, "int64")) for stage in stages
    ]
    nothing = closes.filter(ibis.literal(False)).mutate(stage_no=ibis.null("int64"))
    marked = reduce(ibis.union, parts) if parts else nothing
    same = ibis.window(group_by=["journey_id", "stage_no"], order_by=["closed_s", "opportunity_id"])
    return marked.select(
        "journey_id",
        "stage_no",
        "opportunity_id",
        entered_s="closed_s",
        entered_day="closed_day",
        entered_is_date="closed_is_date",
        re_entry=ibis.row_number().over(same) > 0,
    )


def _enters(closes: ir.Table, stage: ClosedStage) -> ir.BooleanValue:
    """Whether a close enters a stage: by what it came to, or by the value of StageName that says so."""
    by_outcome = ibis.literal("closed" in stage.outcomes) | closes.state.isin(stage.outcomes or ("",))
    return by_outcome | closes.stage_name.isin(stage.values or ("",)).fill_null(False)


def qualified(visits: ir.Table, outcomes: ir.Table) -> ir.Table:
    """The first timed entry beyond Inquiry per journey: journey_id, qualified_s, qualified_day."""
    beyond = visits.filter(visits.stage_no > 0).select("journey_id", s="entered_s", day="entered_day")
    won = outcomes.filter(outcomes.stage_no > 0).select("journey_id", s="entered_s", day="entered_day")
    entries = ibis.union(beyond, won)
    return entries.group_by("journey_id").aggregate(qualified_s=entries.s.min(), qualified_day=entries.day.min())


def origins(events: ir.Table, qualified: ir.Table, campaigns: ir.Table, look_back_days: int) -> ir.Table:
    """The response each journey comes from (decisions D10, D11).

    Columns: journey_id, origin_response_id, origin_campaign_id, tipping_response_id (null until the
    journey qualifies).
    """
    answers = events.filter(events.kind == "response").select("journey_id", "s", "day", response_id="id")
    joined = answers.left_join(qualified, "journey_id").drop("journey_id_right")
    unqualified = joined.qualified_s.isnull()
    near = (joined.s <= joined.qualified_s) & (joined.qualified_day - joined.day <= look_back_days)
    candidates = joined.filter(unqualified | near)
    newest = ibis.window(group_by="journey_id", order_by=[ibis.desc("s"), ibis.desc("response_id")])
    ranked = candidates.mutate(nth=ibis.row_number().over(newest))
    chosen = ranked.filter(ranked.nth == 0)
    named = chosen.join(campaigns, "response_id")
    return named.select(
        "journey_id",
        origin_response_id="response_id",
        origin_campaign_id="campaign_id",
        tipping_response_id=ibis.ifelse(named.qualified_s.notnull(), named.response_id, ibis.null("string")),
    )


def journeys(ends: ir.Table, held: ir.Table, qualified: ir.Table, origins: ir.Table, undated: ir.Table) -> ir.Table:
    """One row per journey.

    Columns: those of `ends`, held_count, outcome (won, open, lost, disqualified, recycled, dormant),
    qualified_s, qualified_day, origin_response_id, origin_campaign_id, tipping_response_id.
    """
    deals = held.group_by("journey_id").aggregate(
        held_count=held.count(), any_won=(held.state == "won").any(), any_open=(held.state == "open").any()
    )
    joined = ends
    for table in (deals, qualified, origins):
        joined = joined.left_join(table, "journey_id").drop("journey_id_right")
    by = joined.ended_by
    outcome = ibis.cases(
        (joined.any_won.fill_null(False), "won"),
        (joined.any_open.fill_null(False), "open"),
        (joined.held_count.fill_null(0) > 0, "lost"),
        (by.isin(["disqualified", "recycled", "dormant"]).fill_null(False), by),
        else_="open",
    )
    dated = joined.mutate(outcome=outcome, held_count=joined.held_count.fill_null(0)).drop("any_won", "any_open")
    return ibis.union(dated, _like(undated, dated))


def undated_journeys(untimed: ir.Table, ends: ir.Table) -> ir.Table:
    """Persons with nothing but untimed entries: one journey each, without a start (decision D7)."""
    without = untimed.select("person_id").distinct().anti_join(ends, "person_id")
    pass_no = ibis.literal(1, "int64")
    return without.select(
        "person_id", pass_no=pass_no, journey_id=journey_id(without.person_id, pass_no), outcome=ibis.literal("open")
    )


def _like(rows: ir.Table, model: ir.Table) -> ir.Table:
    """`rows` with the columns of `model`; what it lacks is null (counts 0)."""
    counts = ("held_count", "status_conflicts")
    columns = {
        name: rows[name].cast(kind)
        if name in rows.columns
        else (ibis.literal(0, kind) if name in counts else ibis.null(kind))
        for name, kind in model.schema().items()
    }
    return rows.select(**columns)


def opportunity_origins(held: ir.Table, journeys: ir.Table, pairs: ir.Table) -> ir.Table:
    """The journey an opportunity comes from: converted lead, then primary role, then earliest start, then id.

    Columns: opportunity_id, journey_id, person_id.
    """
    known = held.join(journeys.select("journey_id", "started_s"), "journey_id")
    flags = pairs.select("opportunity_id", "person_id", "is_converted_lead", "is_primary")
    joined = known.join(flags, ["opportunity_id", "person_id"])
    best = ibis.window(
        group_by="opportunity_id",
        order_by=[ibis.desc("is_converted_lead"), ibis.desc("is_primary"), "started_s", "journey_id"],
    )
    ranked = joined.mutate(nth=ibis.row_number().over(best))
    return ranked.filter(ranked.nth == 0).select("opportunity_id", "journey_id", "person_id")


def untimed_entries(
    entries: ir.Table, records: ir.Table, held: ir.Table, journey_ends: ir.Table, as_of: AsOf
) -> ir.Table:
    """Mapped values whose time is unknown, per person and with the journey they count in (D7).

    Columns: person_id, journey_id, stage_no.
    """
    untimed = entries.filter(entries.at_s.isnull() & entries.stage_no.notnull())
    there = records.filter(records.created_s.isnull() | as_of.happened(records, "created"))
    own = untimed.filter(untimed.object != "Opportunity").join(there.select("record_id", "person_id"), "record_id")
    spans = journey_ends.group_by("person_id").aggregate(
        first_pass=journey_ends.pass_no.min(), last_pass=journey_ends.pass_no.max()
    )
    placed = own.left_join(spans, "person_id").drop("person_id_right")
    number = ibis.ifelse(placed.evidence == "first", placed.first_pass, placed.last_pass).fill_null(1)
    by_person = placed.select("person_id", "stage_no", journey_id=journey_id(placed.person_id, number))
    deals = untimed.filter(untimed.object == "Opportunity").select("stage_no", opportunity_id="record_id")
    by_deal = held.join(deals, "opportunity_id").select("person_id", "stage_no", "journey_id")
    return ibis.union(by_person, by_deal).distinct()
