"""What stands outside a table: opportunities without a person, people without account, journeys without response."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline import money
from leadline.metrics import units
from leadline.metrics.query import Asked


def notes(asked: Asked) -> list[str]:
    """What a table of this unit cannot hold, at as-of, whatever its filters; nothing where there is nothing."""
    if asked.unit == "opportunities" or "journeys" not in asked.opened:
        return []
    lines = _opportunities(asked)
    if asked.unit == "accounts":
        lines += _without_account(asked)
    if asked.unit == "responses":
        lines += _without_response(asked)
    return lines


def _opportunities(asked: Asked) -> list[str]:
    """Opportunities that no journey of the funnel holds, by why."""
    opened = asked.opened
    held = units.of_funnel(asked, "journey_opportunities")
    missing = opened["deals"].anti_join(held, "opportunity_id")
    people = opened["opportunity_people"].select("opportunity_id").distinct().mutate(attached=True)
    marked = missing.left_join(people, "opportunity_id").select("amount", attached=ibis._.attached.fill_null(False))
    sums = marked.group_by("attached").aggregate(count=marked.count(), amount=marked.amount.sum())
    found = {row["attached"]: row for row in opened.arrow(sums).to_pylist()}
    said = {
        False: "without a person: not in this funnel",
        True: "attached only, to people who came after their creation: not in this funnel",
    }
    return [_line(asked, found[attached], text) for attached, text in said.items() if attached in found]


def _line(asked: Asked, row: dict, text: str) -> str:
    currency = asked.opened.currency
    amount = money.format_minor(row["amount"] or 0, currency.digits, grouped=True)
    noun = "opportunity" if row["count"] == 1 else "opportunities"
    return f"{row['count']:,} {noun} ({' '.join(part for part in (amount, currency.code) if part)}) {text}."


def _without_account(asked: Asked) -> list[str]:
    people = asked.opened["people"]
    own = units.of_funnel(asked, "journeys").select("person_id").distinct()
    without = own.join(people.filter(people.account_id.isnull()).select("person_id"), "person_id")
    count = _count(asked, without)
    return [f"{count:,} {'person' if count == 1 else 'people'} without account: outside."] if count else []


def _without_response(asked: Asked) -> list[str]:
    journeys = units.of_funnel(asked, "journeys")
    count = _count(asked, journeys.filter(journeys.origin_response_id.isnull()))
    return [f"{count:,} {'journey' if count == 1 else 'journeys'} with no response: outside."] if count else []


def _count(asked: Asked, table: ir.Table) -> int:
    return int(asked.opened.arrow(table.aggregate(n=table.count())).to_pylist()[0]["n"])
