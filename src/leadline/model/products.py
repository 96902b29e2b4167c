"""What opportunities sell: their line items, with product and product family."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.model import money
from leadline.model.source import Source


def opportunity_products(source: Source, static_rates: ir.Table, corporate: str) -> ir.Table:
    """Every line item that is not deleted.

    Columns: line_id, opportunity_id, product (the product's name, else its id, else the line's
    name), product_family, line_amount (TotalPrice in minor units of the opportunity's currency; what
    lines of one opportunity are weighed by).
    """
    rows = source.table("OpportunityLineItem").filter(ibis._.OpportunityId.notnull())
    known = source.with_deleted("Product2")
    named = rows.left_join(
        known.select(found_id="Id", found_name="Name", family="Family"), [("Product2Id", "found_id")]
    )
    currencies = source.table("Opportunity").select(deal_id="Id", deal_currency="CurrencyIsoCode")
    joined = named.left_join(currencies, [("OpportunityId", "deal_id")])
    coded = joined.mutate(code=ibis.coalesce(joined.deal_currency, ibis.literal(corporate)))
    rated = coded.left_join(static_rates.select(known_code="currency", known_digits="digits"), [("code", "known_code")])
    return rated.select(
        line_id="Id",
        opportunity_id="OpportunityId",
        product=ibis.coalesce(rated.found_name, rated.Product2Id, rated.Name),
        product_family="family",
        line_amount=money.minor_units(rated.TotalPrice.cast(money.RAW), rated.known_digits.fill_null(2)),
    )
