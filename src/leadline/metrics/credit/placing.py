"""Where a campaign's figures stand: under itself, under what it has in common with others, under those above it."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from leadline.errors import UsageError
from leadline.metrics import dimensions
from leadline.metrics.query import Asked
from leadline.model import dimensions as declared_dimensions

PER_CAMPAIGN = frozenset({"campaign", "campaign_id"})
"""Dimensions that ask for one row per campaign, which the table has anyway."""

MISSING = "missing"


def is_of_campaign(asked: Asked, name: str) -> bool:
    """Whether a dimension belongs to campaigns."""
    fields = declared_dimensions.declared(asked.opened.settings)
    return name in dimensions.CAMPAIGN or (name in fields and declared_dimensions.kind_of(fields[name]) == "campaign")


def require_campaign_dimensions(asked: Asked) -> None:
    """Refuse to split or filter a campaign's cost by what is not the campaign's.

    Raises:
        UsageError: a dimension of opportunities or people.
    """
    for name in (*asked.by, *asked.query.where):
        if not is_of_campaign(asked, name) and name in dimensions.names(asked):
            raise UsageError(
                f"A campaign's cost has no {name!r}: it can be split and filtered by dimensions of campaigns only. "
                "For credit by dimensions of opportunities ask `leadline influence`."
            )


class Placing:
    """The rows of one question about campaigns.

    Attributes:
        by: dimensions asked for, without those the table has anyway.
        keys: columns that tell rows apart: those dimensions, the campaign where each has a row, the
            state of its cost.
    """

    def __init__(self, asked: Asked, states: dict[str, str], *, whole: bool) -> None:
        self.asked = asked
        self.by = [name for name in asked.by if name not in PER_CAMPAIGN]
        each = not self.by or bool(PER_CAMPAIGN & set(asked.by))
        self.keys = [*self.by, *(["campaign_id"] if each else []), "cost_state"]
        columns = {"_state_id": list(states), "_state": list(states.values())}
        self._states = ibis.memtable(pa.table({name: pa.array(one, pa.string()) for name, one in columns.items()}))
        self._above = ancestors(asked) if whole else None

    def placed(self, table: ir.Table, *, labels: bool = False) -> ir.Table:
        """Rows of a table with campaign_id under every row they belong to, with `keys` and is_own.

        Args:
            labels: with a column for every dimension of `--by`, the campaign's name too.
        """
        known = table.left_join(self._states, [("campaign_id", "_state_id")]).drop("_state_id")
        own = known.mutate(cost_state=known["_state"].fill_null(MISSING)).drop("_state")
        under = own.mutate(is_own=ibis.literal(True)) if self._above is None else under_all(own, self._above)
        kept = dimensions.filtered(self.asked, under)
        return dimensions.attach(self.asked, kept, list(self.asked.by) if labels else self.by)


def ancestors(asked: Asked) -> ir.Table:
    """Every campaign with itself and each campaign above it: _below_id, _top_id."""
    opened = asked.opened
    rows = opened.arrow(opened["campaigns"].select("campaign_id", "parent_id")).to_pylist()
    parents = {row["campaign_id"]: row["parent_id"] for row in rows}
    pairs = [(name, top) for name in parents for top in line(name, parents)]
    columns = {"_below_id": [one for one, _ in pairs], "_top_id": [top for _, top in pairs]}
    return ibis.memtable(pa.table({name: pa.array(one, pa.string()) for name, one in columns.items()}))


def under_all(table: ir.Table, above: ir.Table) -> ir.Table:
    """Rows of a table with campaign_id under every campaign they belong to, with is_own; `above` as of `ancestors`."""
    joined = table.left_join(above, [("campaign_id", "_below_id")])
    # A campaign that is not there any more has nothing above it, and still its credit.
    top = ibis.coalesce(joined["_top_id"], joined.campaign_id)
    return joined.mutate(campaign_id=top, is_own=joined.campaign_id == top).drop("_below_id", "_top_id")


def line(campaign_id: str, parents: dict[str, str | None]) -> list[str]:
    """A campaign and those above it; a circle is gone round once."""
    found = [campaign_id]
    above = parents.get(campaign_id)
    while above in parents and above not in found:
        found.append(above)
        above = parents[above]
    return found
