"""The org's own influence rows in the place of touches: what Salesforce wrote, as it stands."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.errors import UnknownNameError, UsageError
from leadline.metrics.query import Asked

SOURCE = "org_rows"
"""What a model looks at that takes the org's rows as they are."""

NO_ROW = "no row of the org"
LEFT = "left open by the org"
REASONS = (NO_ROW, LEFT)
"""Why an amount is unattributed by the org's own rows."""


def model_of(asked: Asked, name: str | None = None) -> tuple[str | None, str | None, bool]:
    """Id, label and lock of one influence model of the org: that of the name, else the default one, else the first.

    Raises:
        UsageError: the snapshot has no table of these rows.
        UnknownNameError: no model of that name.
    """
    if "salesforce_influence" not in asked.opened:
        raise UsageError(
            f"Snapshot {asked.opened.snapshot} was built before the org's influence rows were kept; "
            "run `leadline build` once."
        )
    rows = asked.opened["salesforce_influence"]
    told = rows.select("model_id", "org_model", "is_default_model", "is_locked_model").distinct()
    found = asked.opened.arrow(told).to_pylist()
    found.sort(key=lambda row: (not row["is_default_model"], row["org_model"] or "", row["model_id"] or ""))
    if name is not None:
        labels = {label: row for row in reversed(found) for label in (row["model_id"], row["org_model"]) if label}
        if name not in labels:
            raise UnknownNameError("influence model of the org", name, labels)
        found = [labels[name]]
    if not found:
        return None, None, False
    return found[0]["model_id"], found[0]["org_model"], bool(found[0]["is_locked_model"])


def rows_of(asked: Asked, model_id: str | None) -> ir.Table:
    """The rows of one model that stood at as-of."""
    rows = asked.opened["salesforce_influence"]
    same = rows.model_id.isnull() if model_id is None else rows.model_id == model_id
    return rows.filter(same & (rows.created_s.isnull() | asked.opened.as_of.happened(rows, "created")))


def touches(asked: Asked, deals: ir.Table) -> ir.Table:
    """The org's rows on these opportunities with the columns of touches; response_id is the id of the row.

    A row stands where its campaign member was created; without one where the row itself was.
    """
    rows = rows_of(asked, model_of(asked)[0])
    members = asked.opened["role_members"]
    known = members.filter(members.created_s.notnull())
    own = ibis.window(group_by=["person_id", "campaign_id"], order_by=["created_s", "response_id"])
    ranked = known.mutate(nth=ibis.row_number().over(own))
    first = ranked.filter(ranked.nth == 0).select(
        "person_id",
        "campaign_id",
        "status",
        member_s="created_s",
        member_day="created_day",
        member_is_date="created_is_date",
    )
    placed = rows.left_join(first, ["person_id", "campaign_id"])
    cut = asked.opened.as_of
    moments = {
        name: ibis.coalesce(placed[f"member_{name}"], placed[f"created_{name}"], otherwise)
        for name, otherwise in (
            ("s", ibis.literal(cut.second, "int64")),
            ("day", ibis.literal(cut.day, "int64")),
            ("is_date", ibis.literal(False)),
        )
    }
    timed = placed.select("opportunity_id", "person_id", "campaign_id", "status", response_id="influence_id", **moments)
    joined = timed.join(deals.select("opportunity_id", "created_s", "created_day", "created_is_date"), "opportunity_id")
    before = ibis.ifelse(joined.created_is_date, joined.day <= joined.created_day, joined.s <= joined.created_s)
    return joined.mutate(is_sourced=before.fill_null(True)).drop("created_s", "created_day", "created_is_date")


def reasons(deals: ir.Table, touched: ir.Table) -> ir.Table:
    """Opportunities without any row: opportunity_id, reason."""
    without = deals.select("opportunity_id").anti_join(touched, "opportunity_id")
    return without.mutate(reason=ibis.literal(NO_ROW))
