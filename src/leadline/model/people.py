"""Who is who: lead and contact records → persons (definitions, "Money and identity").

A person is the last record of the chain lead → contact it was converted into → survivor of
merges. The chain is followed by pointer doubling, driven by `build`.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.model import moments
from leadline.model.source import Source

ROUNDS = 6
"""Doubling rounds: chains of up to 2**6 = 64 records."""


def records(source: Source, days: ir.Table) -> ir.Table:
    """Every lead and contact record, the deleted ones too.

    Columns: record_id, object, next_id (what it was merged or converted into, or null), deleted,
    account_id, lead_source, created_by_id and the moment `created`.
    """
    leads = source.with_deleted("Lead")
    contacts = source.with_deleted("Contact")
    converted = ibis.ifelse(leads.IsConverted.fill_null(False), leads.ConvertedContactId, ibis.null("string"))
    lead_rows = _with_created(leads, days).select(
        record_id="Id",
        object=ibis.literal("Lead"),
        next_id=_next(leads, converted),
        deleted=leads.IsDeleted.fill_null(False),
        account_id=ibis.ifelse(leads.IsConverted.fill_null(False), leads.ConvertedAccountId, ibis.null("string")),
        lead_source="LeadSource",
        created_by_id="CreatedById",
        created_s="created_s",
        created_day="created_day",
        created_is_date="created_is_date",
    )
    contact_rows = _with_created(contacts, days).select(
        record_id="Id",
        object=ibis.literal("Contact"),
        next_id=_next(contacts, ibis.null("string")),
        deleted=contacts.IsDeleted.fill_null(False),
        account_id="AccountId",
        lead_source="LeadSource",
        created_by_id="CreatedById",
        created_s="created_s",
        created_day="created_day",
        created_is_date="created_is_date",
    )
    return ibis.union(lead_rows, contact_rows)


def _with_created(table: ir.Table, days: ir.Table) -> ir.Table:
    return moments.of_instant(table, days, "CreatedDate", "created")


def _next(table: ir.Table, otherwise: ir.StringValue) -> ir.StringValue:
    """A deleted record points at its survivor, a living one at `otherwise`."""
    merged = table.IsDeleted.fill_null(False) & table.MasterRecordId.notnull()
    return ibis.ifelse(merged, table.MasterRecordId, otherwise)


def pointers(known: ir.Table) -> ir.Table:
    """Records that point at a record that is there: record_id, next_id."""
    there = known.select(next_id="record_id")
    pointing = known.filter(known.next_id.notnull() & (known.next_id != known.record_id))
    return pointing.select("record_id", "next_id", "deleted").semi_join(there, "next_id")


def living_pointers(pointing: ir.Table, known: ir.Table) -> ir.Table:
    """Pointers whose target counts: it is not deleted, or points on itself.

    Run until the number of rows stands still, so that a chain ends before a record that is gone.
    """
    alive = known.filter(~known.deleted).select(next_id="record_id")
    onward = pointing.select(next_id="record_id")
    return pointing.semi_join(ibis.union(alive, onward, distinct=True), "next_id")


def doubled(pointing: ir.Table) -> ir.Table:
    """One doubling round: everyone points at what their target points at."""
    onward = pointing.select(next_id="record_id", further="next_id")
    joined = pointing.left_join(onward, "next_id")
    return joined.select("record_id", "deleted", next_id=ibis.coalesce(joined.further, joined.next_id))


def person_records(known: ir.Table, pointing: ir.Table) -> ir.Table:
    """Each record with its person; deleted records that lead nowhere have none and are left out.

    Columns: those of `records` without next_id, and person_id.
    """
    roots = pointing.select("record_id", person_id="next_id")
    joined = known.left_join(roots, "record_id")
    person = ibis.coalesce(joined.person_id, ibis.ifelse(joined.deleted, ibis.null("string"), joined.record_id))
    columns = [column for column in known.columns if column != "next_id"]
    return joined.select(*columns, person_id=person).filter(ibis._.person_id.notnull())


def people(records_of_persons: ir.Table) -> ir.Table:
    """One row per person.

    Columns: person_id, object (of the surviving record), account_id, records, lead_source and
    created_by_id (of the earliest record), first_created_day (null: unknown).
    """
    own = records_of_persons.filter(records_of_persons.record_id == records_of_persons.person_id)
    survivors = own.select("person_id", "object", own_account="account_id")
    earliest = _earliest(records_of_persons)
    summary = records_of_persons.group_by("person_id").aggregate(
        records=ibis._.count(), first_created_day=ibis._.created_day.min()
    )
    joined = summary.left_join(survivors, "person_id").drop("person_id_right").left_join(earliest, "person_id")
    return joined.select(
        "person_id",
        "object",
        "records",
        "lead_source",
        "created_by_id",
        "first_created_day",
        account_id="own_account",
    )


def _earliest(records_of_persons: ir.Table) -> ir.Table:
    window = ibis.window(
        group_by="person_id",
        order_by=[ibis._.created_s.isnull(), ibis._.created_s, ibis._.record_id],
    )
    ranked = records_of_persons.mutate(rank=ibis.row_number().over(window))
    return ranked.filter(ranked["rank"] == 0).select("person_id", "lead_source", "created_by_id")
