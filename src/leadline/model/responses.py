"""Responses at an as-of: which count, and what each came to (its fate)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.model.asof import AsOf

AFTER_AS_OF, EXCLUDED, NO_DATE, DUPLICATE = "after_as_of", "excluded", "no_date", "duplicate_member"
TIPPED, BEFORE, AFTER, NOT_QUALIFIED = "tipped", "joined_before", "joined_after", "not_qualified"
FATES = (AFTER_AS_OF, EXCLUDED, NO_DATE, DUPLICATE, TIPPED, BEFORE, AFTER, NOT_QUALIFIED)
COUNTED_FATES = FATES[4:]


def sorted_out(members: ir.Table, duplicates: ir.Table, as_of: AsOf) -> ir.Table:
    """Members with `out`: why a response does not count (one of the first four fates), or null."""
    marked = _marked(members, as_of)
    repeated = duplicates.select(repeated_id="response_id")
    joined = marked.left_join(repeated, marked.response_id == repeated.repeated_id)
    out = ibis.ifelse(joined.repeated_id.notnull(), ibis.literal(DUPLICATE), joined.out)
    return joined.mutate(out=out).drop("repeated_id")


def _marked(members: ir.Table, as_of: AsOf) -> ir.Table:
    """Members with `out` as far as each says it by itself, without what only the members are asked for."""
    members = members.drop("created_by_id")
    dated = members.responded_s.notnull()
    later = members.created_s.notnull() & ~as_of.happened(members, "created")
    after = ibis.ifelse(dated, ~as_of.happened(members, "responded"), later)
    return members.mutate(
        out=ibis.cases((after, AFTER_AS_OF), (members.excluded.notnull(), EXCLUDED), (~dated, NO_DATE))
    )


def duplicates(members: ir.Table, as_of: AsOf) -> ir.Table:
    """Responses that repeat another of the same person to the same campaign: response_id.

    Of the dated responses the earliest counts: ties by the member's creation, then id. Only groups
    of several are sorted; there are few.
    """
    marked = _marked(members, as_of)
    counted = marked.filter(marked.out.isnull())
    keys = ["person_id", "campaign_id"]
    several = counted.group_by(*keys).aggregate(size=counted.count()).filter(ibis._.size > 1)
    found = counted.semi_join(several, keys)
    same = ibis.window(group_by=keys, order_by=["responded_s", ibis._.created_s.isnull(), "created_s", "response_id"])
    ranked = found.select("response_id", nth=ibis.row_number().over(same))
    return ranked.filter(ranked.nth > 0).select("response_id")


def fates(answers: ir.Table, journeys: ir.Table) -> ir.Table:
    """What became of the responses that lie in a journey: response_id, journey_id, journey_no, fate."""
    facts = journeys.select("unit", "journey_id", "tipping_response_id", "qualified_s")
    known = answers.join(facts, "unit")
    fate = ibis.cases(
        (known.id == known.tipping_response_id, TIPPED),
        (known.qualified_s.isnull(), NOT_QUALIFIED),
        (known.s <= known.qualified_s, BEFORE),
        else_=AFTER,
    )
    return known.select("journey_id", journey_no="unit", response_id="id", fate=fate)


def responses(sorted_members: ir.Table, fates: ir.Table) -> ir.Table:
    """Every response with its fate and, where it counts, its journey.

    Columns: those of `members` without `excluded`, with excluded_why, fate, journey_id and journey_no (null
    where it does not count).
    """
    joined = sorted_members.left_join(fates, "response_id").drop("response_id_right")
    fate = ibis.coalesce(joined.out, joined.fate, ibis.literal(NOT_QUALIFIED))
    return joined.mutate(fate=fate, excluded_why=joined.excluded).drop("out", "excluded")
