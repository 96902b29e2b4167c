"""Opportunities as known at the load, their runs of stage, and the deals at an as-of.

`opportunities` and `opportunity_stages` hold what the records say; `deals` says for one as-of
whether each is won, lost or open, since when, and what it is worth.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from leadline.config import Funnel, Settings
from leadline.model import moments, money
from leadline.model.nothing import nothing
from leadline.model.source import Source

WON, LOST, OPEN = "won", "lost", "open"

TOLD_AMOUNT = "Amount"
"""The one amount whose earlier values OpportunityHistory tells."""


def opportunities(source: Source, settings: Settings, days: ir.Table, states: ir.Table) -> ir.Table:
    """One row per opportunity that is not deleted, as the record stands.

    Columns: opportunity_id, opportunity, account_id, owner_id, created_by_id, opportunity_type, lead_source,
    primary_campaign_id, stage_name, state (won, lost, open), raw_amount, currency, close_day, the
    moments `created` and `stage_change`.
    """
    rows = source.table("Opportunity")
    rows = moments.of_instant(rows, days, "CreatedDate", "created")
    rows = moments.of_instant(rows, days, "LastStageChangeDate", "stage_change")
    joined = rows.left_join(states, rows.StageName == states.stage_name)
    amount = settings.amount.field
    return joined.select(
        "created_s",
        "created_day",
        "created_is_date",
        "stage_change_s",
        "stage_change_day",
        "stage_change_is_date",
        opportunity_id=joined.Id,
        opportunity=ibis.coalesce(joined.Name, joined.Id),
        account_id=joined.AccountId,
        owner_id=joined.OwnerId,
        created_by_id=joined.CreatedById,
        opportunity_type=joined.Type,
        lead_source=joined.LeadSource,
        primary_campaign_id=joined.CampaignId,
        stage_name=joined.StageName,
        state=_state(source, joined),
        raw_amount=joined[amount].cast("decimal(28, 8)"),
        currency=joined.CurrencyIsoCode,
        close_day=money.day_of(joined.CloseDate),
    )


def _state(source: Source, joined: ir.Table) -> ir.StringValue:
    """Configured outcome values win over the flags, the flags over what the stage says."""
    said = joined.state.fill_null(OPEN)
    if not source.has("Opportunity", "IsClosed") and not source.has("Opportunity", "IsWon"):
        return said
    won = joined.IsWon.fill_null(False)
    closed = joined.IsClosed.fill_null(False) | won
    flagged = ibis.cases((won, WON), (closed, LOST), else_=OPEN)
    unknown = joined.IsWon.isnull() & joined.IsClosed.isnull()
    return ibis.ifelse(joined.configured.fill_null(False) | unknown, said, flagged)


def stage_states(source: Source, funnels: list[Funnel]) -> ir.Table:
    """What a stage value means: stage_name, state, configured (said by the config).

    In this order: the config's outcomes, OpportunityStage, the flags of opportunities that stand in
    the stage now, the platform's standard names.
    """
    ranked = ibis.union(*_claims(source, funnels))
    best = ibis.window(group_by="stage_name", order_by=["rank", "state"])
    first = ranked.mutate(nth=ibis.row_number().over(best)).filter(ibis._.nth == 0)
    return first.select("stage_name", "state", configured=first["rank"] == 0)


def _claims(source: Source, funnels: list[Funnel]) -> list[ir.Table]:
    claims = [_claim(_pairs(_configured(funnels)), 0), _claim(_pairs({"Closed Won": WON, "Closed Lost": LOST}), 4)]
    if source.has("OpportunityStage"):
        stages = source.table("OpportunityStage")
        for name, rank in (("ApiName", 1), ("MasterLabel", 2)):
            claims.append(_claim(_flagged(stages.select("IsWon", "IsClosed", stage_name=name)), rank))
    if source.has("Opportunity", "IsClosed") or source.has("Opportunity", "IsWon"):
        seen = source.table("Opportunity").select("IsWon", "IsClosed", stage_name="StageName").distinct()
        claims.append(_claim(_flagged(seen), 3))
    return claims


def _configured(funnels: list[Funnel]) -> dict[str, str]:
    return {
        value: state
        for funnel in funnels
        for state, sources in ((LOST, funnel.outcomes.lost), (WON, funnel.outcomes.won))
        for source in sources
        if source.object == "Opportunity" and source.field == "StageName"
        for value in source.values or []
    }


def _pairs(states: dict[str, str]) -> ir.Table:
    schema = ibis.schema({"stage_name": "string", "state": "string"})
    if not states:
        return nothing(schema)
    rows = {"stage_name": list(states), "state": list(states.values())}
    return ibis.memtable(pa.table(rows, schema=schema.to_pyarrow()))


def _flagged(rows: ir.Table) -> ir.Table:
    won, closed = rows.IsWon.fill_null(False), rows.IsClosed.fill_null(False)
    known = rows.filter(rows.stage_name.notnull() & (rows.IsWon.notnull() | rows.IsClosed.notnull()))
    return known.select("stage_name", state=ibis.cases((won, WON), (closed, LOST), else_=OPEN))


def _claim(rows: ir.Table, rank: int) -> ir.Table:
    return rows.mutate(rank=ibis.literal(rank, "int64")).select("stage_name", "state", "rank")


def opportunity_stages(source: Source, days: ir.Table, states: ir.Table) -> ir.Table:
    """Every dated value of StageName: OpportunityHistory rows and changes seen between loads.

    Columns: opportunity_id, stage_name, state, evidence (history or observed), id, history_amount,
    history_close_day (null for observed), and the moment `at`.
    """
    rows = _dated_stages(source, days)
    living = source.table("Opportunity").select(opportunity_id="Id")
    joined = rows.semi_join(living, "opportunity_id").left_join(states, "stage_name")
    return joined.select(*rows.columns, state=joined.state.fill_null(OPEN))


def _dated_stages(source: Source, days: ir.Table) -> ir.Table:
    history = moments.of_instant(source.table("OpportunityHistory"), days, "CreatedDate", "at")
    history = history.filter(history.at_s.notnull() & history.OpportunityId.notnull())
    told = history.select(
        "at_s",
        "at_day",
        "at_is_date",
        opportunity_id="OpportunityId",
        stage_name="StageName",
        evidence=ibis.literal("history"),
        id="Id",
        history_amount=history.Amount.cast("decimal(28, 8)"),
        history_close_day=money.day_of(history.CloseDate),
        history_currency=history.CurrencyIsoCode,
    )
    seen = observed_changes(source, days, "Opportunity", "StageName")
    if seen is None:
        return told
    return ibis.union(
        told,
        seen.select(
            "at_s",
            "at_day",
            "at_is_date",
            opportunity_id="record_id",
            stage_name="value",
            evidence=ibis.literal("observed"),
            id=ibis.literal(""),
            history_amount=ibis.null("decimal(28, 8)"),
            history_close_day=ibis.null("int64"),
            history_currency=ibis.null("string"),
        ),
    )


def observed_changes(source: Source, days: ir.Table, name: str, field: str) -> ir.Table | None:
    """Values of a field that changed between two loads: record_id, value and the moment `at` of the later load."""
    versions = source.versions(name)
    if versions is None or field not in versions.columns:
        return None
    window = ibis.window(group_by="Id", order_by="_valid_from")
    compared = versions.mutate(before=versions[field].lag().over(window), nth=ibis.row_number().over(window))
    changed = compared.filter((compared.nth > 0) & ~compared[field].identical_to(compared.before))
    dated = moments.of_instant(changed.mutate(_date_only=ibis.null("string")), days, "_valid_from", "at")
    return dated.filter(dated[field].notnull()).select(
        "at_s", "at_day", "at_is_date", record_id="Id", value=dated[field]
    )


def state_runs(stages: ir.Table) -> ir.Table:
    """Starts of maximal runs of one state per opportunity.

    Columns: opportunity_id, state, nth (0 is the first run) and the moment `at`.
    """
    order = [ibis._.at_s, ibis._.id]
    window = ibis.window(group_by="opportunity_id", order_by=order)
    compared = stages.mutate(before=stages.state.lag().over(window))
    starts = compared.filter(compared.before.isnull() | (compared.before != compared.state))
    again = ibis.window(group_by="opportunity_id", order_by=order)
    return starts.select(
        "opportunity_id", "state", "at_s", "at_day", "at_is_date", "id", nth=ibis.row_number().over(again)
    )
