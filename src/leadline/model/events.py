"""What happens to a person: the events that `passes` puts in order and cuts into journeys.

An event has a sort key (`s`, UTC second), its local `day`, a `rank` that orders ties (response,
stages in funnel order, disqualified or recycled, close), a stage and the record it happened on.
Rows are kept narrow, and persons are numbers: every event is sorted, which costs by the byte.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.model.asof import AsOf

FOREVER = 2**61
"""Close key of an open opportunity."""

RESPONSE, STAGE, ENDING, CLOSE = 0, 1, 2, 3
NO_STAGE = -1

ORDER = ("s", "rank", "stage_no", "is_date", "id", "kind", "evidence")
"""Total order: what is known by its second comes before what is known by its date only (D36)."""


def person_numbers(people: ir.Table) -> ir.Table:
    """A number per person, for the tables inside a build: person_id, person_no.

    Sorting and joining by a number costs a fraction of doing it by an id.
    """
    return people.select("person_id", person_no=ibis.row_number().over(ibis.window(order_by="person_id")))


def person_events(
    counted: ir.Table, entries: ir.Table, persons: ir.Table, pairs: ir.Table, deals: ir.Table, as_of: AsOf
) -> ir.Table:
    """All dated events of all persons up to as-of.

    Args:
        counted: the responses that count, with person_no.
        persons: record_id, person_id, person_no of every record.
        pairs: opportunity_people with person_no.

    Columns: owner (person_no), s, day, is_date, rank, stage_no (-1: none), id (of the response or
    the record), kind (response, entry, created, disqualified, recycled, close), side (lead or
    deal), evidence, until (of created: the close key of the opportunity).
    """
    answers = _answers(counted)
    last = answers.group_by("owner", "day").aggregate(last_response=answers.s.max())
    own = _dated_after_responses(_own_entries(entries, persons, as_of), last)
    held = _held(pairs, deals, last)
    of_deals = _deal_entries(entries, held, last, as_of)
    return ibis.union(answers, own, _created(held, of_deals), of_deals, _closes(held))


def _row(table: ir.Table, **columns: ir.Value | str) -> ir.Table:
    """The columns of an event in one order, absent ones as nulls."""
    defaults: dict[str, ir.Value] = {
        "evidence": ibis.null("string"),
        "until": ibis.null("int64"),
        "side": ibis.null("string"),
    }
    given = {name: table[value] if isinstance(value, str) else value for name, value in columns.items()}
    names = ("owner", "s", "day", "is_date", "rank", "stage_no", "id", "kind", "side", "evidence", "until")
    return table.select(**{name: given.get(name, defaults.get(name)) for name in names})


def _answers(counted: ir.Table) -> ir.Table:
    return _row(
        counted,
        owner="person_no",
        s="responded_s",
        day="responded_day",
        is_date="responded_is_date",
        rank=ibis.literal(RESPONSE, "int64"),
        stage_no=ibis.literal(0, "int64"),
        id="response_id",
        kind=ibis.literal("response"),
        evidence="date_evidence",
    )


def _own_entries(entries: ir.Table, persons: ir.Table, as_of: AsOf) -> ir.Table:
    """Entries on leads and contacts, and what disqualified or recycled them."""
    timed = entries.filter((entries.object != "Opportunity") & as_of.happened(entries, "at"))
    joined = timed.join(persons.select("record_id", "person_no"), "record_id")
    ends = joined.outcome.notnull()
    return _row(
        joined,
        owner="person_no",
        s="at_s",
        day="at_day",
        is_date="at_is_date",
        rank=ibis.ifelse(ends, ibis.literal(ENDING, "int64"), ibis.literal(STAGE, "int64")),
        stage_no=joined.stage_no.fill_null(NO_STAGE),
        id="record_id",
        kind=ibis.ifelse(ends, joined.outcome, ibis.literal("entry")),
        side=ibis.literal("lead"),
        evidence="evidence",
    )


def _dated_after_responses(events: ir.Table, last: ir.Table) -> ir.Table:
    """A date-only entry comes after the person's last response of its day."""
    joined = events.left_join(last, ["owner", "day"])
    later = joined.is_date & (joined.last_response > joined.s)
    moved = joined.mutate(s=ibis.ifelse(later.fill_null(False), joined.last_response, joined.s))
    return moved.select(*events.columns)


def _held(pairs: ir.Table, deals: ir.Table, last: ir.Table) -> ir.Table:
    """Held opportunities per person with the keys of their creation and close."""
    moments = deals.select(
        "opportunity_id",
        "state",
        "created_s",
        "created_day",
        "created_is_date",
        "closed_s",
        "closed_day",
        "closed_is_date",
    )
    joined = pairs.filter(pairs.held).select("opportunity_id", owner="person_no").join(moments, "opportunity_id")
    joined = joined.mutate(day=joined.created_day)
    answered = joined.left_join(last, ["owner", "day"])
    later = (answered.created_is_date & (answered.last_response > answered.created_s)).fill_null(False)
    opened = ibis.ifelse(later, answered.last_response, answered.created_s)
    known = answered.mutate(opened_s=opened)
    closed = ibis.ifelse(known.closed_s < known.opened_s, known.opened_s, known.closed_s)
    return known.mutate(shut_s=ibis.ifelse(known.state == "open", ibis.literal(FOREVER), closed)).select(
        *moments.columns, "owner", "opened_s", "shut_s"
    )


def _created(held: ir.Table, of_deals: ir.Table) -> ir.Table:
    """Creations; one that is, or comes with, a stage entry of the same second is that entry."""
    order = ibis.window(group_by=["owner", "id"], order_by=["s", "stage_no", "evidence"])
    ranked = of_deals.mutate(nth=ibis.row_number().over(order))
    first = ranked.filter(ranked.nth == 0).select(
        "owner", opportunity_id="id", first_s="s", first_stage="stage_no", evidence="evidence"
    )
    joined = held.left_join(first, ["owner", "opportunity_id"])
    at_once = (joined.first_s == joined.opened_s).fill_null(False)
    return _row(
        joined,
        owner="owner",
        s="opened_s",
        day="created_day",
        is_date="created_is_date",
        rank=ibis.literal(STAGE, "int64"),
        stage_no=ibis.ifelse(at_once, joined.first_stage, ibis.literal(NO_STAGE, "int64")),
        evidence=ibis.ifelse(at_once, joined.evidence, ibis.null("string")),
        id="opportunity_id",
        kind=ibis.literal("created"),
        side=ibis.literal("deal"),
        until="shut_s",
    )


def _closes(held: ir.Table) -> ir.Table:
    closed = held.filter(held.shut_s < FOREVER)
    return _row(
        closed,
        owner="owner",
        s="shut_s",
        day="closed_day",
        # A close that creation's place in its day has moved is no longer known by the second.
        is_date=closed.closed_is_date | (closed.shut_s > closed.closed_s),
        rank=ibis.literal(CLOSE, "int64"),
        stage_no=ibis.literal(NO_STAGE, "int64"),
        id="opportunity_id",
        kind=ibis.literal("close"),
        side=ibis.literal("deal"),
    )


def _deal_entries(entries: ir.Table, held: ir.Table, last: ir.Table, as_of: AsOf) -> ir.Table:
    """Stage entries on held opportunities while they are open, not before their creation."""
    timed = entries.filter(
        (entries.object == "Opportunity") & entries.stage_no.notnull() & as_of.happened(entries, "at")
    )
    owners = held.select("owner", record_id="opportunity_id")
    return _while_open(_dated_after_responses(_deal_rows(timed.join(owners, "record_id")), last), held)


def _while_open(rows: ir.Table, deals: ir.Table) -> ir.Table:
    """Entries at or after the creation of their opportunity, earlier ones moved there; none after its close."""
    bounds = deals.select(
        "opened_s", "shut_s", "created_day", "created_is_date", of_deal="opportunity_id", of_owner="owner"
    )
    bounded = rows.join(bounds, [rows.id == bounds.of_deal, rows.owner == bounds.of_owner])
    early = bounded.s < bounded.opened_s
    clipped = bounded.mutate(
        s=ibis.ifelse(early, bounded.opened_s, bounded.s),
        day=ibis.ifelse(early, bounded.created_day, bounded.day),
        is_date=bounded.is_date | (early & bounded.created_is_date),
    )
    return clipped.filter(clipped.s <= clipped.shut_s).select(*rows.columns)


def _deal_rows(joined: ir.Table) -> ir.Table:
    return _row(
        joined,
        owner="owner",
        s="at_s",
        day="at_day",
        is_date="at_is_date",
        rank=ibis.literal(STAGE, "int64"),
        stage_no="stage_no",
        id="record_id",
        kind=ibis.literal("entry"),
        side=ibis.literal("deal"),
        evidence="evidence",
    )


def deal_events(entries: ir.Table, deals: ir.Table, as_of: AsOf) -> ir.Table:
    """Stage entries and closes of opportunities by themselves, in the shape `visits` takes.

    unit and owner are the opportunity's id; nothing lies before its creation.
    """
    alone = deals.mutate(owner=deals.opportunity_id, opened_s=deals.created_s.fill_null(-FOREVER))
    closed = ibis.ifelse(alone.closed_s < alone.opened_s, alone.opened_s, alone.closed_s)
    alone = alone.mutate(shut_s=ibis.ifelse(alone.state == "open", ibis.literal(FOREVER), closed.fill_null(FOREVER)))
    timed = entries.filter(
        (entries.object == "Opportunity") & entries.stage_no.notnull() & as_of.happened(entries, "at")
    )
    owners = alone.select("owner", record_id="opportunity_id")
    rows = ibis.union(_while_open(_deal_rows(timed.join(owners, "record_id")), alone), _closes(alone))
    return rows.mutate(unit=rows.owner, ender=rows.kind == "close")
