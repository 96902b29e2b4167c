"""Campaign members: which are responses, of whom, and when they responded.

`members` holds what is known at the load, for every member that responded; what a response came
to (its fate) depends on as-of and funnel and stands in `responses`.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.config import ResponseSettings
from leadline.model import moments
from leadline.model.source import Source

CREATED_AS_RESPONDED_SECONDS = 60
"""A member that was not touched longer than this after its creation responded when it was created."""


def members(
    source: Source, settings: ResponseSettings, days: ir.Table, persons: ir.Table, campaigns: ir.Table
) -> ir.Table:
    """Every campaign member that responded.

    Columns: response_id (member id), record_id (its contact, else its lead), person_id, campaign_id,
    campaign_type, status, excluded (why a rule leaves it out, or null), date_evidence (date_field,
    first_responded, created, or null), created_by_id, the moments `responded` and `created`.
    """
    rows = source.table("CampaignMember").filter(ibis._.CampaignId.notnull())
    typed = rows.left_join(campaigns.select("campaign_id", "campaign_type"), [("CampaignId", "campaign_id")])
    answered = typed.mutate(responded_flag=_responded(source, settings, typed))
    answered = answered.filter(answered.responded_flag)
    placed = with_person(answered, persons)
    dated = _responded_at(placed, settings, days)
    return dated.select(
        "responded_s",
        "responded_day",
        "responded_is_date",
        "created_s",
        "created_day",
        "created_is_date",
        "person_id",
        "date_evidence",
        "campaign_type",
        response_id="Id",
        record_id="who",
        campaign_id="CampaignId",
        status="Status",
        created_by_id="CreatedById",
        excluded=_excluded(dated, settings),
    )


def member_counts(source: Source) -> ir.Table:
    """Members that are not deleted, by campaign: campaign_id, members."""
    rows = source.table("CampaignMember")
    return rows.group_by(campaign_id="CampaignId").aggregate(members=rows.count())


def _responded(source: Source, settings: ResponseSettings, typed: ir.Table) -> ir.BooleanValue:
    if settings.responded == "statuses":
        return _by_statuses(settings, typed)
    if source.has("CampaignMember", "HasResponded"):
        return typed.HasResponded.fill_null(False)
    return _by_label(source, typed)


def _by_statuses(settings: ResponseSettings, typed: ir.Table) -> ir.BooleanValue:
    listed = [kind for kind in settings.statuses if kind != "*"]
    rest = _status_in(typed, settings.statuses.get("*", []))
    cases = [(typed.campaign_type == kind, _status_in(typed, settings.statuses[kind])) for kind in listed]
    return ibis.cases(*cases, else_=rest).fill_null(False) if cases else rest.fill_null(False)


def _status_in(typed: ir.Table, statuses: list[str]) -> ir.BooleanValue:
    if "*" in statuses:
        return ibis.literal(True)
    return typed.Status.isin(statuses) if statuses else ibis.literal(False)


def _by_label(source: Source, typed: ir.Table) -> ir.BooleanValue:
    """Without HasResponded: the campaign's statuses, else the platform's two default ones."""
    default = (typed.Status == "Responded").fill_null(False)
    if not source.has("CampaignMemberStatus"):
        return default
    labels = source.table("CampaignMemberStatus")
    answered = labels.filter(labels.HasResponded.fill_null(False))
    named = labels.select(campaign="CampaignId", label="Label").distinct()
    keys = typed.select("Id", "CampaignId", "Status")
    known = keys.join(named, [keys.CampaignId == named.campaign, keys.Status == named.label]).select("Id")
    yes = keys.join(answered, [keys.CampaignId == answered.CampaignId, keys.Status == answered.Label]).select("Id")
    return typed.Id.isin(yes.Id) | (~typed.Id.isin(known.Id) & default)


def with_person(rows: ir.Table, persons: ir.Table) -> ir.Table:
    """Campaign members with `person_id` (null where lead and contact are not there) and `who`, the record itself."""
    whose = rows.mutate(who=ibis.coalesce(rows.ContactId, rows.LeadId))
    return whose.left_join(persons.select("record_id", "person_id"), [("who", "record_id")]).drop("record_id")


def _responded_at(rows: ir.Table, settings: ResponseSettings, days: ir.Table) -> ir.Table:
    """The moment of response: the first of the sources of evidence that is present."""
    table = moments.of_instant(rows, days, "CreatedDate", "created")
    table = moments.of_instant(table, days, "LastModifiedDate", "modified")
    table = moments.of_date(table, days, "FirstRespondedDate", "first")
    close_by = table.modified_s - table.created_s <= CREATED_AS_RESPONDED_SECONDS
    untouched = (close_by & ~table.created_is_date & ~table.modified_is_date).fill_null(False)
    choices = [("first_responded", table.first_s.notnull(), "first"), ("created", untouched, "created")]
    if settings.date_field and settings.date_field in table.columns:
        table = moments.of_field(table, days, settings.date_field, "own")
        choices.insert(0, ("date_field", table.own_s.notnull(), "own"))
    columns: dict[str, ir.Value] = {
        f"responded_{part}": ibis.cases(*[(present, table[f"{name}_{part}"]) for _, present, name in choices])
        for part in ("s", "day", "is_date")
    }
    evidence = ibis.cases(*[(present, ibis.literal(label)) for label, present, _ in choices])
    return table.mutate(**columns, date_evidence=evidence)


def _excluded(rows: ir.Table, settings: ResponseSettings) -> ir.StringValue:
    """Why a rule leaves the response out: first that applies, or null."""
    by_type = rows.campaign_type.isin(settings.exclude_campaign_types) if settings.exclude_campaign_types else None
    by_id = rows.CampaignId.isin(settings.exclude_campaigns) if settings.exclude_campaigns else None
    cases = [(rows.person_id.isnull(), "no person")]
    if by_id is not None:
        cases.append((by_id, "campaign excluded"))
    if by_type is not None:
        cases.append((by_type.fill_null(False), "campaign type excluded"))
    return ibis.cases(*cases)
