"""Checks of history: values no picklist has any more, rows the platform will drop, parents that are gone."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator

import ibis
import ibis.expr.types as ir

from leadline.audit.check import Audited, Hits
from leadline.audit.limits import limit
from leadline.audit.values import listed_values, plural
from leadline.dates import day_of
from leadline.model import moments
from leadline.model.calendar import day_number
from leadline.schema import HISTORY_PARENT

KEPT_MONTHS = (18, 24)
"""Months for which the platform keeps field history: in the org, and through the API."""

_TRACKED = ("LeadHistory", "ContactHistory", "OpportunityFieldHistory")
_HISTORIES = (*_TRACKED, "OpportunityHistory")
_POINTERS = {
    "Contact": (("Account", "AccountId"),),
    "Opportunity": (("Account", "AccountId"), ("Campaign", "CampaignId")),
    "Campaign": (("Campaign", "ParentId"),),
}
"""Object → its parents with the field that names each."""


def picklist_changed(at: Audited) -> Iterator[Hits]:
    """Leads and opportunities whose history shows a status or stage that the picklist has no more."""
    if at.source.has("LeadStatus"):
        rows = at.source.table("LeadHistory")
        changes = rows.filter((rows.Field == "Status") & rows.LeadId.notnull())
        both = [changes.select(record_id="LeadId", value=name) for name in ("OldValue", "NewValue")]
        yield from _gone(at, "Lead", ibis.union(*both), "LeadStatus", "Status")
    if at.source.has("OpportunityStage"):
        told = at["opportunity_stages"].select(record_id="opportunity_id", value="stage_name")
        yield from _gone(at, "Opportunity", told, "OpportunityStage", "StageName")


def _gone(at: Audited, name: str, told: ir.Table, picklist: str, field: str) -> Iterator[Hits]:
    entries = at.source.table(picklist)
    known = ibis.union(entries.select(value="MasterLabel"), entries.select(value="ApiName"))
    lost = told.filter(told.value.notnull()).anti_join(known.filter(known.value.notnull()), "value").distinct()
    lost = at.store.once(f"lost_values_{name}", lost)
    alive = at.source.table(name)
    found = lost.semi_join(alive.select(record_id="Id"), "record_id")
    values = listed_values(at, found.select("value"))
    says = f"{{rows}} of {{among}} {plural(name)} had a {field} in their history that {picklist} does not know any more: {values}."
    ids = found.select("record_id").distinct()
    yield Hits(name, ids, alive, says)


def ages_out(at: Audited) -> Iterator[Hits]:
    """Rows of field history that the platform drops within the days of the limit."""
    warn = int(limit(at.settings, "history-ages-out"))
    today = day_of(at.built.as_of.day)
    edges = {months: day_number(_months_before(today, months)) for months in KEPT_MONTHS}
    for name in _TRACKED:
        if not at.source.has(name):
            continue
        rows = at.source.table(name)
        dated = moments.of_instant(rows, at["days"], "CreatedDate", "made").select(record_id="Id", day="made_day")
        near = ibis.or_(*[(dated.day >= edge) & (dated.day < edge + warn) for edge in edges.values()])
        says = (
            f"{{rows}} of {{among}} rows of {name} reach the age of 18 or 24 months within {warn} days; "
            "then the platform drops them, in the org first and then for exports."
        )
        yield Hits(name, dated.filter(near).select("record_id"), rows, says)


def _months_before(day: dt.date, months: int) -> dt.date:
    """The same day of an earlier month, or its last day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def orphans(at: Audited) -> Iterator[Hits]:
    """Records whose parent is not there: history without its record, contacts and opportunities without account."""
    for name, pointers in {**{name: (HISTORY_PARENT[name],) for name in _HISTORIES}, **_POINTERS}.items():
        there = [(parent, column) for parent, column in pointers if at.source.has(name, column)]
        there = [(parent, column) for parent, column in there if at.source.has(parent)]
        if there:
            yield _parentless(at, name, there)


def _parentless(at: Audited, name: str, pointers: list[tuple[str, str]]) -> Hits:
    """Records of an object of which some parent is not there, each once, whichever parents it lacks."""
    rows = at.source.table(name)
    found = [at.store.once(f"orphans_{name}_{column}", _lost(at, name, parent, column)) for parent, column in pointers]
    counts = [at.store.count(lost) for lost in found]
    told = [(count, *pointer) for count, pointer in zip(counts, pointers, strict=True) if count]
    if len(told) == 1:
        ((_, parent, column),) = told
        says = f"{{rows}} of {{among}} records of {name} name a {parent} in {column} that is not in the data."
    else:
        each = ", ".join(f"{count:,} in {column} ({parent})" for count, parent, column in told)
        says = f"{{rows}} of {{among}} records of {name} name a record that is not in the data: {each}."
    lost = found[0] if len(found) == 1 else ibis.union(*found, distinct=True)
    return Hits(name, lost, rows, says)


def _lost(at: Audited, name: str, parent: str, column: str) -> ir.Table:
    """Records whose parent is named and not there: record_id."""
    rows = at.source.table(name)
    pointing = rows.filter(rows[column].notnull()).select(record_id="Id", parent_id=column)
    there = at.source.with_deleted(parent).select(parent_id="Id")
    return pointing.anti_join(there, "parent_id").select("record_id")
