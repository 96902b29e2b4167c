"""What the units of a question are grouped and filtered by, and the links that lists show of them."""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.types as ir

from leadline.metrics import dimensions, units
from leadline.metrics.query import Asked


@dataclass(frozen=True, slots=True)
class Grouping:
    """The units of a question with their dimensions.

    Attributes:
        linked: every unit asked for: the columns of `units.units` and one per dimension of `by`.
        narrow: the columns a count needs (unit_id, dimensions, amount of opportunities, campaign_id
            under `touched`), run once or as the snapshot keeps them; None where every unit is asked for and nothing groups them.
    """

    asked: Asked
    linked: ir.Table
    narrow: ir.Table | None

    def of(self, marks: ir.Table) -> ir.Table:
        """Marks of the units asked for, with the dimensions of their units.

        Millions of marks are copied here, so nothing comes along that only a list shows.
        """
        return marks if self.narrow is None else marks.join(self.narrow, "unit_id")

    def with_links(self, marks: ir.Table) -> ir.Table:
        """Marks that `of` returned, with the links of their units (person, campaign, opportunity …)."""
        keys = ["unit_id", "campaign_id"] if self.asked.query.touched else ["unit_id"]
        links = self.linked.drop("opened_day")
        shared = [name for name in links.columns if name in marks.columns and name not in keys]
        return marks.join(links.drop(*shared), keys)


def grouping(asked: Asked, all_units: ir.Table | None = None) -> Grouping:
    """The units a question asks for; `all_units` in place of those the unit has by itself.

    Raises:
        UnknownNameError: a dimension that does not exist.
        UsageError: a dimension of which the unit has no single value.
    """
    linked = dimensions.described(asked, units.units(asked) if all_units is None else all_units)
    query = asked.query
    if not (query.by or query.where or query.touched or asked.unit == "opportunities"):
        return Grouping(asked, linked, None)
    values = None if query.touched or all_units is not None else dimensions.stored(asked, [*query.by, *query.where])
    if values is not None:
        return Grouping(asked, linked, dimensions.having(values, query.where).select("unit_id", *query.by))
    columns = dict.fromkeys(["unit_id", *query.by])
    if asked.unit == "opportunities":
        columns["amount"] = None
    if query.touched:
        columns["campaign_id"] = None
    return Grouping(asked, linked, asked.opened.keep(linked.select(*columns)))
