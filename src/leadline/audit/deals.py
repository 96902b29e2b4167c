"""Checks of opportunities: their people, amounts and dates."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import ibis.expr.types as ir

from leadline import money
from leadline.audit.check import Audited, Hits
from leadline.audit.values import listed_values, mapped_values
from leadline.model.opportunities import OPEN

_ROLE = "OpportunityContactRole"


def _deals(chosen: ir.Table, at: Audited, says: str) -> Hits:
    return Hits("Opportunity", chosen.select(record_id="opportunity_id"), at["deals"], says)


def without_role(at: Audited) -> Iterator[Hits]:
    """Opportunities on which nobody has a contact role."""
    if at.source.has(_ROLE):
        roles = at.source.table(_ROLE).select(opportunity_id="OpportunityId")
        bare = at["deals"].anti_join(roles, "opportunity_id")
        yield _deals(bare, at, "{rows} of {among} opportunities have no contact role: nobody can be credited on them.")


def without_primary_role(at: Audited) -> Iterator[Hits]:
    """Opportunities with contact roles of which none is primary."""
    if at.source.has(_ROLE, "IsPrimary"):
        roles = at.source.table(_ROLE)
        by_deal = roles.group_by(opportunity_id="OpportunityId").aggregate(any_primary=roles.IsPrimary.any())
        without = by_deal.filter(~by_deal.any_primary.fill_null(False))
        chosen = at["deals"].semi_join(without, "opportunity_id")
        yield _deals(chosen, at, "{rows} of {among} opportunities have contact roles, but none of them is primary.")


def role_twice(at: Audited) -> Iterator[Hits]:
    """Contact roles beyond the first of the same contact on the same opportunity."""
    if at.source.has(_ROLE):
        roles = at.source.table(_ROLE).filter(ibis._.ContactId.notnull() & ibis._.OpportunityId.notnull())
        pair = ibis.window(group_by=["OpportunityId", "ContactId"], order_by="Id")
        numbered = roles.select("Id", "OpportunityId", nth=ibis.row_number().over(pair))
        further = numbered.filter(numbered.nth > 0).select(record_id="Id", opportunity_id="OpportunityId")
        says = "{rows} of {among} contact roles repeat one of the same contact on the same opportunity."
        yield Hits(_ROLE, further, roles, says)


def without_account(at: Audited) -> Iterator[Hits]:
    """Opportunities without an account, where the source has accounts of opportunities at all."""
    if at.source.has("Opportunity", "AccountId"):
        bare = at["deals"].filter(at["deals"].account_id.isnull())
        says = "{rows} of {among} opportunities have no account: scopes of accounts credit nobody on them."
        yield _deals(bare, at, says)


def without_amount(at: Audited) -> Iterator[Hits]:
    """Opportunities whose amount is empty."""
    field = at.settings.amount.field
    if at.source.has("Opportunity", field):
        empty = at["deals"].filter(at["deals"].amount_state == "no amount")
        yield _deals(empty, at, f"{{rows}} of {{among}} opportunities have no {field}; no money of theirs is counted.")


def without_rate(at: Audited) -> Iterator[Hits]:
    """Opportunities whose amount cannot be converted."""
    lacking = at["deals"].filter(at["deals"].amount_state == "no rate")
    says = f"{{rows}} of {{among}} opportunities have an amount that no rate converts into {at.built.currency.code}."
    yield _deals(lacking, at, says)


def amount_too_large(at: Audited) -> Iterator[Hits]:
    """Opportunities whose amount is beyond what is computed with."""
    large = at["deals"].filter(at["deals"].amount_state == "too large")
    yield _deals(
        large, at, "{rows} of {among} opportunities have an amount of 2^50 minor units or more; it is left out."
    )


def close_before_creation(at: Audited) -> Iterator[Hits]:
    """Opportunities whose CloseDate lies before their CreatedDate.

    Only those whose close moment was moved to the creation count against a number: where stage
    history dates the close, the field does not matter.
    """
    records = at["opportunities"]
    early = records.filter(records.close_day < records.created_day).select("opportunity_id")
    clamped = at["deals"].filter(at["deals"].clamped).select(moved_id="opportunity_id")
    joined = early.left_join(clamped, [("opportunity_id", "moved_id")])
    found = joined.select(record_id="opportunity_id", opportunity_id="moved_id")
    says = "CloseDate lies before CreatedDate in {rows} of {among} opportunities."
    yield Hits("Opportunity", found, records, says)


def closed_without_date(at: Audited) -> Iterator[Hits]:
    """Closed opportunities whose close nothing dates: it is taken at the creation."""
    deals = at["deals"]
    bare = deals.filter((deals.state != OPEN) & deals.close_day.isnull() & deals.stage_change_s.isnull())
    undated = bare.anti_join(at["opportunity_stages"], "opportunity_id")
    says = "{rows} of {among} opportunities are closed and nothing dates the close; it is taken at their creation."
    yield _deals(undated, at, says)


def currency_without_rate(at: Audited) -> Iterator[Hits]:
    """Currencies of opportunities that no rate converts on any day."""
    deals = at["deals"]
    by_code = deals.group_by("currency").aggregate(
        lacking=(deals.amount_state == "no rate").cast("int64").sum(),
        known=(deals.amount_state == "known").cast("int64").sum(),
    )
    bare = by_code.filter((by_code.lacking > 0) & (by_code.known == 0))
    codes = ", ".join(row["currency"] for row in at.store.rows(bare.select("currency").order_by("currency").limit(20)))
    nothing = ibis.null("string")
    found = bare.select(record_id="currency", person_id=nothing, opportunity_id=nothing)
    yield Hits("CurrencyType", found, by_code, f"{{rows}} of {{among}} currencies in use have no rate: {codes}.")


def mixed_currency(at: Audited) -> Iterator[Hits]:
    """Opportunities in another currency than the reporting one: plain sums of their amounts mean nothing."""
    code, digits = at.built.currency.code, at.built.currency.digits
    valued = at["deals"].filter(at["deals"].amount_state == "known")
    foreign = valued.filter(valued.currency != code)
    sums = valued.aggregate(plain=valued.raw_amount.sum(), converted=valued.amount.sum())
    (total,) = at.store.rows(sums)
    plain = f"{total['plain'] or 0:,.{digits}f}"
    converted = money.format_minor(int(total["converted"] or 0), digits)
    says = (
        f"{{rows}} of {{among}} opportunities with an amount are not in {code}. Added up as they stand all amounts "
        f"would be {plain}; converted they are {converted} {code}."
    )
    yield Hits("Opportunity", foreign.select(record_id="opportunity_id"), valued, says)


def stage_not_mapped(at: Audited) -> Iterator[Hits]:
    """Opportunities in an open StageName that no funnel maps, where a funnel maps StageName at all."""
    mapped = mapped_values(at, "Opportunity", "StageName")
    if not mapped:
        return
    still_open = at["opportunities"].filter(at["opportunities"].state == OPEN)
    deals = at["deals"].filter(at["deals"].state == OPEN).semi_join(still_open, "opportunity_id")
    loose = deals.filter(deals.stage_name.notnull() & ~deals.stage_name.isin(mapped))
    values = listed_values(at, loose.select(value="stage_name"))
    says = f"{{rows}} of {{among}} open opportunities stand in a StageName that no funnel maps: {values}."
    yield Hits("Opportunity", loose.select(record_id="opportunity_id"), deals, says)
