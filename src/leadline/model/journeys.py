"""Journeys: a person's passes through the funnel, their end, outcome and origin.

`moves` are the events from the first stage on and `answers` the responses, both placed in journeys;
`unit` is the number of a journey (see `passes`).
"""

from __future__ import annotations

from functools import reduce

import ibis
import ibis.expr.types as ir

from leadline.model.asof import AsOf
from leadline.model.events import FOREVER, STAGE
from leadline.model.funnels import ClosedStage
from leadline.model.passes import journey_id, journey_no


def journey_opportunities(moves: ir.Table, deals: ir.Table) -> ir.Table:
    """Which journey holds which opportunity: unit, opportunity_id, state."""
    created = moves.filter(moves.kind == "created").select("unit", opportunity_id="id")
    return created.join(deals.select("opportunity_id", "state"), "opportunity_id")


def last_days(answers: ir.Table, moves: ir.Table) -> ir.Table:
    """The day of the last activity of each journey: unit, last_day."""
    active = ibis.union(answers.select("unit", "day"), moves.filter(moves["rank"] == STAGE).select("unit", "day"))
    return active.group_by("unit").aggregate(last_day=active.day.max())


def ends(
    passes: ir.Table, turns: ir.Table, last_days: ir.Table, days: ir.Table, dormancy_days: int, as_of: AsOf
) -> ir.Table:
    """When and why each journey ended.

    Args:
        passes: the output of `passes.passes`.
        turns: the output of `passes.turns`, placed in journeys.

    Columns: unit, journey_id, person_id, pass_no, the moments `started` and `ended` (null while
    open), ended_by (close, disqualified, recycled, dormant, or null), last_day, status_conflicts.
    """
    inside = turns.filter(turns.seq <= turns.end_seq)
    shut = inside.filter(inside.until.notnull()).group_by("unit").aggregate(open_until=inside.until.max())
    joined = passes.join(last_days, "unit")
    for table in (shut, _status_conflicts(inside)):
        joined = joined.left_join(table, "unit").drop("unit_right")
    return _ended(joined, days, dormancy_days, as_of)


def _status_conflicts(inside: ir.Table) -> ir.Table:
    """How often a journey was disqualified or recycled without ending by it: unit, status_conflicts."""
    told = inside.filter(inside.kind.isin(["disqualified", "recycled"]) & ~inside.ender)
    once = told.select("unit", "id", "kind", "s").distinct()
    return once.group_by("unit").aggregate(status_conflicts=once.count())


def _ended(joined: ir.Table, days: ir.Table, dormancy_days: int, as_of: AsOf) -> ir.Table:
    asleep = joined.mutate(asleep_day=joined.last_day + dormancy_days)
    known = asleep.left_join(days.select(asleep_day="day", asleep_s="starts"), "asleep_day")
    closed = (known.ender_kind == "close").fill_null(False)
    stopped = (known.ender_kind.notnull() & (known.ender_day < known.asleep_day)).fill_null(False)
    by_ender = closed | stopped
    still_open = ~by_ender & (known.open_until == FOREVER).fill_null(False)
    dormant = ~by_ender & ~still_open & (known.asleep_day <= as_of.day)
    return known.select(
        "unit",
        "journey_id",
        "person_id",
        "pass_no",
        "started_s",
        "started_day",
        "started_is_date",
        "last_day",
        status_conflicts=known.status_conflicts.fill_null(0),
        ended_s=ibis.cases((by_ender, known.ender_s), (dormant, known.asleep_s)),
        ended_day=ibis.cases((by_ender, known.ender_day), (dormant, known.asleep_day)),
        ended_is_date=ibis.cases((by_ender, known.ender_is_date), (dormant, True)),
        ended_by=ibis.cases((by_ender, known.ender_kind), (dormant, "dormant")),
    )


def closes(moves: ir.Table, deals: ir.Table) -> ir.Table:
    """Closes of held opportunities: unit, opportunity_id, state, stage_name, the moment `closed`."""
    ended = moves.filter(moves.kind == "close").select(
        "unit", opportunity_id="id", closed_s="s", closed_day="day", closed_is_date="is_date"
    )
    return ended.join(deals.select("opportunity_id", "state", "stage_name"), "opportunity_id")


def outcome_entries(closes: ir.Table, stages: list[ClosedStage]) -> ir.Table:
    """Entries into stages that a close enters, one per close and stage.

    Columns: unit, stage_no, opportunity_id, the moment `entered`, re_entry (not the unit's
    first entry into the stage).
    """
    parts = [
        closes.filter(_enters(closes, stage)).mutate(stage_no=ibis.literal(stage.number, "int64")) for stage in stages
    ]
    nothing = closes.filter(ibis.literal(False)).mutate(stage_no=ibis.null("int64"))
    marked = reduce(ibis.union, parts) if parts else nothing
    same = ibis.window(group_by=["unit", "stage_no"], order_by=["closed_s", "opportunity_id"])
    return marked.select(
        "unit",
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
    """The first timed entry beyond Inquiry per journey: unit, qualified_s, qualified_day."""
    beyond = visits.filter(visits.stage_no > 0).select("unit", s="entered_s", day="entered_day")
    won = outcomes.filter(outcomes.stage_no > 0).select("unit", s="entered_s", day="entered_day")
    entries = ibis.union(beyond, won)
    return entries.group_by("unit").aggregate(qualified_s=entries.s.min(), qualified_day=entries.day.min())


def origins(answers: ir.Table, qualified: ir.Table, campaigns: ir.Table, look_back_days: int) -> ir.Table:
    """The response each journey comes from (decisions D10, D11).

    Columns: unit, origin_response_id, origin_campaign_id, tipping_response_id (null until the
    journey qualifies).
    """
    joined = answers.left_join(qualified, "unit").drop("unit_right")
    unqualified = joined.qualified_s.isnull()
    near = (joined.s <= joined.qualified_s) & (joined.qualified_day - joined.day <= look_back_days)
    candidates = joined.filter(unqualified | near)
    newest = ibis.window(group_by="unit", order_by=[ibis.desc("s"), ibis.desc("id")])
    ranked = candidates.select("unit", "qualified_s", response_id="id", nth=ibis.row_number().over(newest))
    named = ranked.filter(ranked.nth == 0).join(campaigns, "response_id")
    return named.select(
        "unit",
        origin_response_id="response_id",
        origin_campaign_id="campaign_id",
        tipping_response_id=ibis.ifelse(named.qualified_s.notnull(), named.response_id, ibis.null("string")),
    )


def journeys(ends: ir.Table, held: ir.Table, qualified: ir.Table, origins: ir.Table, undated: ir.Table) -> ir.Table:
    """One row per journey.

    Columns: those of `ends`, held_count, outcome (won, open, lost, disqualified, recycled, dormant),
    qualified_s, qualified_day, origin_response_id, origin_campaign_id, tipping_response_id.
    """
    deals = held.group_by("unit").aggregate(
        held_count=held.count(), any_won=(held.state == "won").any(), any_open=(held.state == "open").any()
    )
    joined = ends
    for table in (deals, qualified, origins):
        joined = joined.left_join(table, "unit").drop("unit_right")
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


def undated_journeys(untimed: ir.Table, passes: ir.Table, persons: ir.Table) -> ir.Table:
    """Persons with nothing but untimed entries: one journey each, without a start (decision D7).

    `untimed` is the output of `untimed_entries`. Columns: unit, journey_id, person_id, pass_no, outcome.
    """
    without = untimed.select("owner").distinct().anti_join(passes, "owner")
    named = without.join(persons, without.owner == persons.person_no)
    pass_no = ibis.literal(1, "int64")
    return named.select(
        "person_id",
        unit=journey_no(named.owner, pass_no),
        pass_no=pass_no,
        journey_id=journey_id(named.person_id, pass_no),
        outcome=ibis.literal("open"),
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

    Columns: opportunity_id, journey_id, journey_no, person_id.
    """
    known = held.join(journeys.select("unit", "journey_id", "person_id", "started_s"), "unit")
    flags = pairs.select("opportunity_id", "person_id", "is_converted_lead", "is_primary")
    joined = known.join(flags, ["opportunity_id", "person_id"])
    best = ibis.window(
        group_by="opportunity_id",
        order_by=[ibis.desc("is_converted_lead"), ibis.desc("is_primary"), "started_s", "journey_id"],
    )
    ranked = joined.mutate(nth=ibis.row_number().over(best))
    first = ranked.filter(ranked.nth == 0)
    return first.select("opportunity_id", "journey_id", "person_id", journey_no="unit")


def known_by(entries: ir.Table, as_of: AsOf) -> ir.BooleanValue:
    """Whether an entry has no time and is known to have happened by as-of (D42)."""
    return entries.at_s.isnull() & (entries.known_s.isnull() | (entries.known_s <= as_of.second))


def untimed_entries(entries: ir.Table, records: ir.Table, held: ir.Table, passes: ir.Table, as_of: AsOf) -> ir.Table:
    """Mapped values whose time is unknown, per person and with the journey they count in (D7).

    Args:
        records: record_id with person_no and the moment `created`.
        held: the output of `journey_opportunities`.

    Columns: owner (person_no), unit, stage_no.
    """
    untimed = entries.filter(known_by(entries, as_of) & entries.stage_no.notnull())
    there = records.filter(records.created_s.isnull() | as_of.happened(records, "created"))
    whose = there.select("record_id", owner="person_no")
    own = untimed.filter(untimed.object != "Opportunity").join(whose, "record_id")
    spans = passes.group_by("owner").aggregate(first_pass=passes.pass_no.min(), last_pass=passes.pass_no.max())
    joined = own.left_join(spans, "owner").drop("owner_right")
    number = ibis.ifelse(joined.evidence == "first", joined.first_pass, joined.last_pass).fill_null(1)
    by_person = joined.select("owner", "stage_no", unit=journey_no(joined.owner, number))
    deals = untimed.filter(untimed.object == "Opportunity").select("stage_no", opportunity_id="record_id")
    of_held = held.join(deals, "opportunity_id").join(passes.select("unit", "owner"), "unit")
    return ibis.union(by_person, of_held.select("owner", "stage_no", "unit")).distinct()
