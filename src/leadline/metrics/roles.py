"""Suggested contact roles: who probably took part in opportunities on which nobody has a role.

Candidates are the contacts of the opportunity's account and the contact its lead was converted
into. What the records show of each is its evidence; how much that is worth, the opportunities that
do have roles say: the share of the people with that evidence there who have one.
"""

from __future__ import annotations

from typing import Any, Final

import ibis
import ibis.expr.types as ir

from leadline.errors import UnknownNameError
from leadline.metrics.assemble import Assembly, instant
from leadline.metrics.credit import touches
from leadline.metrics.query import Asked, Query, ask
from leadline.model.opened import Opened
from leadline.results import Column, Result

EVIDENCE: Final = (
    "converted into the opportunity",
    "responded and was spoken to",
    "responded",
    "was spoken to",
    "has a role on another opportunity",
    "belongs to the account",
)
"""What the records show of a candidate, first that applies."""

TEXT: Final = (
    "Contacts of the account of each opportunity without a contact role, and the contact its lead was converted into, "
    "ranked by confidence: the share of people with the same evidence on opportunities with roles who have one there, "
    "with one hit and one miss added. Responses and activities count from {days} days before the creation up to the "
    "close (or as-of)."
)

COLUMNS: Final = (
    Column("opportunity_id", "text", help="Salesforce id of the opportunity"),
    Column("opportunity", "text", help="Its name"),
    Column("state", "text", help="won, lost or open at as-of"),
    Column("amount", "money", help="Its amount"),
    Column("rank", "integer", help="Place among the candidates, from 1"),
    Column("contact_id", "text", help="Salesforce id of the suggested contact"),
    Column("evidence", "text", help="What speaks for the contact"),
    Column("responses", "integer", help="Responses in the window"),
    Column("last_response", "instant", help="The latest of them"),
    Column("activities", "integer", help="Completed tasks and events in the window"),
    Column("other_roles", "integer", help="Roles on other opportunities"),
    Column("confidence", "rate", help="Share of people with this evidence who have a role where there are roles"),
)

_OPEN_END: Final = "open"


def suggested(opened: Opened, query: Query, *, top: int = 3, opportunity: str | None = None) -> Result:
    """The best candidates of each opportunity without a role; the largest amounts first.

    Args:
        top: at most so many per opportunity.
        opportunity: only this one, by its id.

    Raises:
        UnknownNameError: no opportunity of that id is in the snapshot.
    """
    asked = ask(opened, query)
    look_back = opened.settings.influence.look_back_days
    pairs = opened.keep(_pairs(asked, look_back))
    worth = _worth(asked, pairs)
    bare = opened["deals"].anti_join(_with_role(asked), "opportunity_id")
    if opportunity is not None:
        bare = _only(opened, bare, opportunity)
    found = opened.arrow(_ranked(pairs.semi_join(bare, "opportunity_id"), bare, worth, top)).to_pylist()
    made = Assembly(asked, "roles", "Suggested contact roles", TEXT.format(days=look_back))
    notes = [_said(opened, bare, found), _learned(worth)]
    return made.result(
        COLUMNS, [_row(row, worth) for row in found], totals=tuple(_scopes(asked, look_back)), notes=notes
    )


def _only(opened: Opened, bare: ir.Table, opportunity: str) -> ir.Table:
    known = opened["deals"].filter(ibis._.opportunity_id == opportunity).select("opportunity_id").limit(1)
    if not opened.arrow(known).num_rows:
        raise UnknownNameError("opportunity", opportunity, (), f"snapshot {opened.snapshot}")
    return bare.filter(bare.opportunity_id == opportunity)


def _with_role(asked: Asked) -> ir.Table:
    people = asked.opened["opportunity_people"]
    return people.filter(people.has_role).select("opportunity_id", "person_id")


def _pairs(asked: Asked, look_back: int) -> ir.Table:
    """Every opportunity with its candidates and what speaks for each.

    Columns: opportunity_id, person_id, evidence_no, responses, last_s, activities, other_roles, has_role.
    """
    opened = asked.opened
    deals = opened["deals"]
    converted = opened["opportunity_people"].filter(ibis._.is_converted_lead)
    converted = converted.select("opportunity_id", "person_id", is_converted=ibis.literal(True))
    contacts = opened["people"].filter(ibis._.object == "Contact").select("person_id")
    there = ibis.union(
        touches.people(asked, deals, "account").select("opportunity_id", "person_id"),
        converted.select("opportunity_id", "person_id"),
        distinct=True,
    ).semi_join(contacts, "person_id")
    pairs = opened.keep(there)
    told = _joined(pairs, converted)
    told = _joined(told, _responses(asked, deals, look_back))
    told = _joined(told, _activities(asked, pairs, deals, look_back))
    told = _joined(told, _with_role(asked).mutate(has_role=ibis.literal(True)))
    roles = _with_role(asked).group_by("person_id").aggregate(roles=ibis._.count())
    told = told.left_join(roles, "person_id").drop("person_id_right")
    facts = told.select(
        "opportunity_id",
        "person_id",
        "last_s",
        responses=told.responses.fill_null(0),
        activities=told.activities.fill_null(0),
        has_role=told.has_role.fill_null(False),
        is_converted=told.is_converted.fill_null(False),
        other_roles=told.roles.fill_null(0) - ibis.ifelse(told.has_role.fill_null(False), 1, 0),
    )
    answered, spoken = facts.responses > 0, facts.activities > 0
    number = ibis.cases(
        (facts.is_converted, 0),
        (answered & spoken, 1),
        (answered, 2),
        (spoken, 3),
        (facts.other_roles > 0, 4),
        else_=5,
    )
    return facts.mutate(evidence_no=number).drop("is_converted")


def _joined(pairs: ir.Table, facts: ir.Table) -> ir.Table:
    keys = ["opportunity_id", "person_id"]
    return pairs.left_join(facts, keys).drop(*[f"{key}_right" for key in keys])


def _responses(asked: Asked, deals: ir.Table, look_back: int) -> ir.Table:
    touched = touches.touches(asked, deals, "account", look_back)
    return touched.group_by("opportunity_id", "person_id").aggregate(responses=touched.count(), last_s=touched.s.max())


def _activities(asked: Asked, pairs: ir.Table, deals: ir.Table, look_back: int) -> ir.Table:
    """Completed tasks and events of candidates in the window of touches."""
    cut = ibis.literal(asked.opened.as_of.second, "int64")
    until = ibis.ifelse(deals.state == _OPEN_END, cut, ibis.least(deals.closed_s.fill_null(cut), cut))
    first = ibis.coalesce(deals.created_day, deals.closed_day) - look_back
    windows = deals.select("opportunity_id", until_s=until, first_day=first)
    done = asked.opened["activities"].select("person_id", "done_s", "done_day")
    joined = pairs.join(windows, "opportunity_id").join(done, "person_id")
    inside = joined.filter((joined.done_s <= joined.until_s) & (joined.done_day >= joined.first_day))
    return inside.group_by("opportunity_id", "person_id").aggregate(activities=inside.count())


def _worth(asked: Asked, pairs: ir.Table) -> dict[str, tuple[int, int]]:
    """Per evidence, of the candidates on opportunities with roles: those with a role, and all."""
    known = pairs.semi_join(_with_role(asked), "opportunity_id")
    counted = known.group_by("evidence_no").aggregate(hits=known.has_role.cast("int64").sum(), all=known.count())
    found = {row["evidence_no"]: (int(row["hits"]), int(row["all"])) for row in asked.opened.arrow(counted).to_pylist()}
    return {name: found.get(number, (0, 0)) for number, name in enumerate(EVIDENCE)}


def _confidence(hits: int, total: int) -> float:
    return (hits + 1) / (total + 2)


def _ranked(pairs: ir.Table, bare: ir.Table, worth: dict[str, tuple[int, int]], top: int) -> ir.Table:
    """The first `top` candidates of each opportunity in `bare`."""
    by_worth = sorted(range(len(EVIDENCE)), key=lambda number: (-_confidence(*worth[EVIDENCE[number]]), number))
    place = ibis.cases(*[(pairs.evidence_no == number, at) for at, number in enumerate(by_worth)])
    placed = pairs.mutate(place=place)
    order = [
        placed.place,
        placed.responses.desc(),
        placed.activities.desc(),
        placed.other_roles.desc(),
        placed.last_s.fill_null(-1).desc(),
        placed.person_id,
    ]
    window = ibis.window(group_by="opportunity_id", order_by=order)
    ranked = placed.mutate(rank=ibis.row_number().over(window) + 1)
    facts = bare.select("opportunity_id", "opportunity", "state", "amount")
    shown = ranked.filter(ranked["rank"] <= top).join(facts, "opportunity_id")
    return shown.order_by(shown.amount.fill_null(-1).desc(), "opportunity_id", "rank")


def _row(row: dict[str, Any], worth: dict[str, tuple[int, int]]) -> dict[str, Any]:
    evidence = EVIDENCE[row["evidence_no"]]
    return {
        **row,
        "contact_id": row["person_id"],
        "evidence": evidence,
        "last_response": instant(row["last_s"]),
        "confidence": _confidence(*worth[evidence]),
    }


def _scopes(asked: Asked, look_back: int) -> list[dict[str, Any]]:
    """What each scope of influence reaches: amounts of opportunities with a touch in it, and of those without.

    A snapshot built before leads were matched has no answer for the scope of matched leads.
    """
    deals = asked.opened["deals"]
    valued = asked.opened.keep(deals.filter(deals.amount_state == "known"))
    found = []
    known = [scope for scope in touches.SCOPES if scope != touches.MATCHED or touches.MATCHES in asked.opened]
    for scope in known:
        touched = touches.touches(asked, valued, scope, look_back).select("opportunity_id").distinct()
        reached = valued.semi_join(touched, "opportunity_id").amount.sum().fill_null(0)
        whole = asked.opened.arrow(
            valued.aggregate(total=valued.amount.sum().fill_null(0), deals=valued.count()).mutate(
                reached=reached.as_scalar()
            )
        ).to_pylist()[0]
        total, credited = int(whole["total"]), int(whole["reached"])
        found.append(
            {
                "scope": scope,
                "total_amount": total,
                "credited_amount": credited,
                "pending_amount": 0,
                "unattributed_amount": total - credited,
            }
        )
    return found


def _learned(worth: dict[str, tuple[int, int]]) -> str:
    told = "; ".join(f"{name} {hits:,} of {total:,}" for name, (hits, total) in worth.items())
    return f"Of the candidates on opportunities with roles, so many have one there: {told}."


def _said(opened: Opened, bare: ir.Table, found: list[dict[str, Any]]) -> str:
    count = int(opened.arrow(bare.count()).as_py())
    helped = len({row["opportunity_id"] for row in found})
    return f"{count:,} opportunities have no contact role; there are candidates for {helped:,} of them."
