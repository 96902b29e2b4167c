"""Responses at an as-of: which count, and what each came to (its fate)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.model.asof import AsOf

AFTER_AS_OF, EXCLUDED, NO_DATE, DUPLICATE = "after_as_of", "excluded", "no_date", "duplicate_member"
TIPPED, BEFORE, AFTER, NOT_QUALIFIED = "tipped", "joined_before", "joined_after", "not_qualified"
FATES = (AFTER_AS_OF, EXCLUDED, NO_DATE, DUPLICATE, TIPPED, BEFORE, AFTER, NOT_QUALIFIED)
COUNTED_FATES = FATES[4:]


def sorted_out(members: ir.Table, as_of: AsOf) -> ir.Table:
    """Members with `out`: why a response does not count (one of the first four fates), or null.

    Of the dated responses of one person to one campaign the earliest counts: ties by the member's
    creation, then id.
    """
    dated = members.responded_s.notnull()
    later = members.created_s.notnull() & ~as_of.happened(members, "created")
    after = ibis.ifelse(dated, ~as_of.happened(members, "responded"), later)
    marked = members.mutate(
        out=ibis.cases((after, AFTER_AS_OF), (members.excluded.notnull(), EXCLUDED), (~dated, NO_DATE))
    )
    same = ibis.window(
        group_by=["person_id", "campaign_id", marked.out.isnull()],
        order_by=["responded_s", ibis._.created_s.isnull(), "created_s", "response_id"],
    )
    ranked = marked.mutate(nth=ibis.row_number().over(same))
    duplicate = ranked.out.isnull() & (ranked.nth > 0)
    return ranked.mutate(out=ibis.ifelse(duplicate, ibis.literal(DUPLICATE), ranked.out)).drop("nth")


def responses(sorted_members: ir.Table, events: ir.Table, journeys: ir.Table) -> ir.Table:
    """Every response with its fate and, where it counts, its journey.

    Columns: those of `members` without `excluded`, with excluded_why, fate, journey_id (null where
    it does not count).
    """
    placed = events.filter(events.kind == "response").select(response_id="id", journey_id="journey_id")
    joined = sorted_members.left_join(placed, "response_id").drop("response_id_right")
    known = joined.left_join(journeys.select("journey_id", "tipping_response_id", "qualified_s"), "journey_id").drop(
        "journey_id_right"
    )
    fate = ibis.cases(
        (known.out.notnull(), known.out),
        (known.response_id == known.tipping_response_id, TIPPED),
        (known.qualified_s.isnull(), NOT_QUALIFIED),
        (known.responded_s <= known.qualified_s, BEFORE),
        else_=AFTER,
    )
    return known.mutate(fate=fate, excluded_why=known.excluded).drop(
        "out", "excluded", "tipping_response_id", "qualified_s"
    )
