"""What should stand under an own influence model: credit of opportunities as percentages per campaign and contact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import ibis
import ibis.expr.types as ir

from leadline.credit_models import Model
from leadline.metrics.credit.allocation import chosen
from leadline.metrics.influence import Question
from leadline.metrics.query import Query, ask
from leadline.model.opened import Opened
from leadline.writeback import present
from leadline.writeback.target import Target

if TYPE_CHECKING:
    import duckdb

_CREDIT: Final = "credit"


def want(
    con: duckdb.DuckDBPyConnection,
    opened: Opened,
    target: Target,
    model: str,
    known: Mapping[str, Model],
    scope: str | None,
) -> None:
    """Fill the tables `wanted` (key, image) and `amounts` (group_id, amount) of a connection.

    Percentages are those of the amount, by largest remainder: with what is pending or unattributed
    they make 100 exactly. What rounds to nothing gets no row.

    Raises:
        UnknownNameError: a model or scope that does not exist.
    """
    asked = ask(opened, Query(unit="opportunities"))
    question = Question(asked, chosen([model], known), scope, "influenced", "created")
    deals = opened["deals"].filter(ibis._.amount_state == "known").mutate(period_day=ibis.literal(0, "int64"))
    allocations = question.allocations(deals)
    con.register("credits_in", opened.arrow(_per_contact(opened, allocations.credits(model))))
    con.register("deals_in", opened.arrow(deals.select(group_id="opportunity_id", amount="amount")))
    con.execute("CREATE OR REPLACE TABLE amounts AS SELECT * FROM deals_in")
    con.execute("CREATE OR REPLACE TABLE wanted AS " + _percentages(target))
    con.unregister("credits_in")
    con.unregister("deals_in")


def _per_contact(opened: Opened, credits: ir.Table) -> ir.Table:
    """Credit per opportunity, campaign and contact; people without a contact of their own have none."""
    records = opened["person_records"].filter((ibis._.object == "Contact") & ~ibis._.deleted.fill_null(False))
    owned = records.mutate(is_own=records.record_id == records.person_id)
    contacts = owned.group_by("person_id").aggregate(has_own=owned.is_own.any(), least=owned.record_id.min())
    told = contacts.select("person_id", contact=ibis.ifelse(contacts.has_own, contacts.person_id, contacts.least))
    joined = credits.left_join(told, "person_id")
    named = joined.select("opportunity_id", "campaign_id", "contact", "credit")
    return named.group_by("opportunity_id", "campaign_id", "contact").aggregate(credit=named.credit.sum())


def _percentages(target: Target) -> str:
    """Largest remainder: what waits takes part like a row, and is the last of those with equal remainders."""
    hundred = target.hundred
    values = {
        "OpportunityId": "opportunity_id",
        "CampaignId": "campaign_id",
        "ContactId": "contact",
        "Influence": present.value(f"(parts / {hundred // 100}.0)", "percent", target.scale),
    }
    # Hundredths of percent times an amount in minor units leave 64 bits: HUGEINT keeps them whole.
    return f"""
        WITH given AS (
            SELECT c.*, abs(c.credit)::HUGEINT AS weight, abs(d.amount)::HUGEINT AS whole
            FROM credits_in c JOIN deals_in d ON d.group_id = c.opportunity_id WHERE d.amount <> 0 AND c.credit <> 0
        ), waiting AS (
            SELECT opportunity_id, NULL AS campaign_id, NULL AS contact, whole - sum(weight) AS weight, whole
            FROM given GROUP BY opportunity_id, whole
        ), every AS (
            SELECT opportunity_id, campaign_id, contact, weight, whole FROM given UNION ALL FROM waiting
        ), split AS (
            SELECT *, weight * {hundred} // whole AS least, weight * {hundred} % whole AS remainder FROM every
        ), ranked AS (
            SELECT *, row_number() OVER (
                PARTITION BY opportunity_id
                ORDER BY remainder DESC, campaign_id IS NULL, campaign_id, contact NULLS LAST
            ) AS place, {hundred} - sum(least) OVER (PARTITION BY opportunity_id) AS rest
            FROM split
        ), settled AS (
            SELECT *, least + (place <= rest)::INTEGER AS parts FROM ranked WHERE campaign_id IS NOT NULL
        )
        SELECT {present.key(values, target)} AS key, {present.image(values)} AS image, NULL::VARCHAR AS id
        FROM settled WHERE parts > 0
    """
