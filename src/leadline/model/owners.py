"""Who looks after a person now: the owner of the person's record."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.model.source import Source


def person_owners(source: Source, people: ir.Table, users: ir.Table) -> ir.Table:
    """The owner of each person's surviving record: person_id, owner (name, else id: a queue has no user)."""
    parts = [source.table(name).select("OwnerId", record_id="Id") for name in ("Lead", "Contact")]
    records = ibis.union(*parts).filter(ibis._.OwnerId.notnull())
    owned = people.select("person_id").join(records, [("person_id", "record_id")])
    named = owned.left_join(users.select("user_id", "user"), [("OwnerId", "user_id")])
    return named.select("person_id", owner=ibis.coalesce(named.user, named.OwnerId))
