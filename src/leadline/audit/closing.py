"""Checks of close dates: past ones, pushed ones, bunches on the last day of a quarter, deals that none closes as old as."""

from __future__ import annotations

from collections.abc import Iterator

import ibis
import ibis.expr.types as ir

from leadline.audit.check import Audited, Hits
from leadline.audit.limits import limit
from leadline.model.opportunities import OPEN

LEAST = 20
"""Closed opportunities below which nothing is said of how they close: no bunch, no longest time."""


def past(at: Audited) -> Iterator[Hits]:
    """Open opportunities whose close date lies before as-of."""
    still_open = at["deals"].filter(at["deals"].state == OPEN)
    late = still_open.filter(still_open.close_day < at.built.as_of.day).select(record_id="opportunity_id")
    yield Hits("Opportunity", late, still_open, "{rows} of {among} open opportunities have a close date in the past.")


def pushed(at: Audited) -> Iterator[Hits]:
    """Opportunities whose close date was moved to a later day again and again."""
    often = int(limit(at.settings, "close-date-pushed"))
    told = at["opportunity_stages"].filter(ibis._.history_close_day.notnull())
    window = ibis.window(group_by="opportunity_id", order_by=["at_s", "id"])
    moved = told.mutate(before=told.history_close_day.lag().over(window))
    later = moved.filter(moved.history_close_day > moved.before)
    by_history = later.group_by(record_id="opportunity_id").aggregate(pushes=later.count())
    found = by_history.filter(by_history.pushes >= often).select("record_id")
    if at.source.has("Opportunity", "PushCount"):
        rows = at.source.table("Opportunity")
        found = found.union(rows.filter(rows.PushCount >= often).select(record_id="Id"), distinct=True)
    says = f"The close date of {{rows}} of {{among}} opportunities was pushed to a later day {often} times or more."
    yield Hits("Opportunity", found, at["opportunities"], says)


def bunched(at: Audited) -> Iterator[Hits]:
    """Closed opportunities dated to the last day of a fiscal quarter, where they are more than the limit's share."""
    closed = at["deals"].filter((at["deals"].state != OPEN) & at["deals"].close_day.notnull())
    on_last = closed.semi_join(_last_days(at), "close_day").select(record_id="opportunity_id")
    among, found = at.store.count(closed), at.store.count(on_last)
    if found >= LEAST and found > limit(at.settings, "close-dates-bunched") * among:
        says = (
            "{rows} of {among} closed opportunities have the last day of a quarter as close date, about one in ninety "
            "would by chance: that day is when they were entered, not when they closed."
        )
        yield Hits("Opportunity", on_last, closed, says)


def outlived(at: Audited) -> Iterator[Hits]:
    """Open opportunities that are older than any closed one was at its close."""
    deals = at["deals"].select("opportunity_id", "state", "created_day", "close_day")
    closed = deals.filter((deals.state != OPEN) & (deals.close_day >= deals.created_day))
    (known,) = at.store.rows(
        closed.aggregate(count=closed.count(), longest=(closed.close_day - closed.created_day).max())
    )
    if known["count"] < LEAST:
        return
    aged = deals.filter((deals.state == OPEN) & deals.created_day.notnull())
    outlived = aged.filter(at.built.as_of.day - aged.created_day > known["longest"]).select(record_id="opportunity_id")
    says = (
        f"{{rows}} of {{among}} open opportunities are older than any of {known['count']:,} closed ones was at its close "
        f"({known['longest']} days): averages of closed ones say nothing about them."
    )
    yield Hits("Opportunity", outlived, aged, says)


def _last_days(at: Audited) -> ir.Table:
    days = at["days"]
    return days.group_by("quarter").aggregate(close_day=days.day.max()).select("close_day")
