"""The model `salesforce`: each row of the org has the percentage that Salesforce wrote."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline import credit_models as models
from leadline.metrics.credit import org_touches
from leadline.metrics.credit.base import Share, Touched
from leadline.model.salesforce_rows import WHOLE

# Salesforce keeps two decimals of a percentage: each row may be off by half of the second one.
ROUNDING = 50


def weigh(touched: Touched, table: ir.Table, model: models.Model, key: str) -> tuple[ir.Table, Share]:
    """Points are the millionths that the rows say; what they leave of an amount belongs to nobody.

    Rows that add up to all but the rounding of two decimals are the whole; rows of more than the
    whole share it in proportion.
    """
    rows = touched.asked.opened["salesforce_influence"]
    said = rows.select(_row_id="influence_id", _parts=ibis.greatest(rows.share_parts.fill_null(0), 0))
    joined = table.join(said, [("response_id", "_row_id")]).drop("_row_id")
    own = ibis.window(group_by="deal_no")
    summed = joined.mutate(_sum=joined["_parts"].sum().over(own))
    rest = WHOLE - summed["_sum"]
    nothing = ibis.literal(0, "int64")
    pending = ibis.ifelse(rest > summed.touch_count * ROUNDING, rest, nothing)
    given = summed.mutate(**{f"{key}_points": summed["_parts"], f"{key}_pending": pending})
    return given.drop("_parts", "_sum"), Share(key, pending=True, left=org_touches.LEFT)
