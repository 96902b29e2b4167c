"""Findings grouped: whose records they are, of which campaign, from which month, written by whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis
import ibis.expr.types as ir

from leadline.audit.run import MONTH, RECORDS
from leadline.dates import day_of
from leadline.errors import SnapshotError, UnknownNameError
from leadline.model.opened import Opened
from leadline.results import Column

NOBODY = "(none)"
"""Shown for records without such a value."""


def columns(by: str) -> tuple[Column, ...]:
    """Columns of the table grouped by one of `GROUPS`.

    Raises:
        UnknownNameError: findings are not grouped by that.
    """
    if by not in GROUPS:
        raise UnknownNameError("grouping", by, GROUPS)
    return (
        Column("code", "text", help="Name of the check"),
        Column("object", "text", help="Salesforce object of the records"),
        Column(by, "text", help=HELP[by]),
        Column("rows", "integer", help="Records with the fault"),
        Column("amount", "money", help="Amount of the opportunities concerned; one of several groups counts in each"),
    )


def rows(opened: Opened, by: str, code: str | None = None) -> list[dict[str, Any]]:
    """Records and amount per finding, object and group; of each finding the largest groups first.

    Raises:
        SnapshotError: the snapshot is older than that.
    """
    if RECORDS not in opened:
        return []
    records = opened[RECORDS]
    if MONTH not in records.columns:
        raise SnapshotError(
            "This snapshot was published before findings could be grouped. Import again, or change a setting and build."
        )
    chosen = records if code is None else records.filter(records.code == code)
    named = GROUPS[by](opened, chosen)
    keys = ["code", "object", "value"]
    counted = opened.arrow(named.group_by(*keys).aggregate(rows=named.count())).to_pylist()
    deal_id = ibis.ifelse(named.object == "Opportunity", named.record_id, named.opportunity_id)
    deals = named.select(*keys, deal_id=deal_id).distinct()
    valued = deals.join(opened["deals"].select("amount", deal_id="opportunity_id"), "deal_id")
    sums = opened.arrow(valued.group_by(*keys).aggregate(amount=valued.amount.sum())).to_pylist()
    amounts = {tuple(row[key] for key in keys): row["amount"] for row in sums}
    found = [
        {
            "code": row["code"],
            "object": row["object"],
            by: _shown(row["value"]),
            "rows": row["rows"],
            "amount": _whole(amounts.get(tuple(row[key] for key in keys))),
        }
        for row in counted
    ]
    return sorted(found, key=lambda row: (row["code"], row["object"], -row["rows"], row[by]))


def _shown(value: str | int | None) -> str:
    if value is None:
        return NOBODY
    return f"{day_of(value):%Y-%m}" if isinstance(value, int) else value


def _whole(amount: int | None) -> int | None:
    return None if amount is None else int(amount)


def _owner(opened: Opened, records: ir.Table) -> ir.Table:
    """The record's own owner, else that of its person, else that of its opportunity."""
    users = opened["users"].select("user", user_key="user_id")
    own = records.left_join(users, [("owner_id", "user_key")])
    own = own.select(*records.columns, own=ibis.coalesce(own.user, own.owner_id))
    persons = opened["person_owners"].select(person_key="person_id", person_owner="owner")
    both = own.left_join(persons, [("person_id", "person_key")])
    deals = opened["opportunities"].select(deal_key="opportunity_id", deal_owner="owner_id")
    every = both.left_join(deals, [("opportunity_id", "deal_key")])
    last = every.left_join(users.select(deal_user="user", deal_user_key="user_key"), [("deal_owner", "deal_user_key")])
    return last.select(
        *records.columns, value=ibis.coalesce(last.own, last.person_owner, last.deal_user, last.deal_owner)
    )


def _campaign(opened: Opened, records: ir.Table) -> ir.Table:
    named = opened["campaigns"].select("campaign", campaign_key="campaign_id")
    joined = records.left_join(named, [("campaign_id", "campaign_key")])
    return joined.select(*records.columns, value=ibis.coalesce(joined.campaign, joined.campaign_id))


def _month(opened: Opened, records: ir.Table) -> ir.Table:
    return records.mutate(value=records[MONTH])


def _written_by(opened: Opened, records: ir.Table) -> ir.Table:
    users = opened["users"].select("written_by", user_key="user_id")
    joined = records.left_join(users, [("created_by_id", "user_key")])
    return joined.select(*records.columns, value=ibis.coalesce(joined.written_by, joined.created_by_id))


GROUPS: dict[str, Callable[[Opened, ir.Table], ir.Table]] = {
    "owner": _owner,
    "campaign": _campaign,
    "month": _month,
    "written_by": _written_by,
}
"""What findings can be grouped by."""

HELP = {
    "owner": "Who looks after the record, else its person, else its opportunity",
    "campaign": "Campaign of the member, of the opportunity, or the campaign itself",
    "month": "Local month in which the record was created",
    "written_by": "User or tool that created the record",
}
