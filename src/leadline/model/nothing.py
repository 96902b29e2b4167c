"""A table without rows."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir


def nothing(schema: ibis.Schema) -> ir.Table:
    """A table of these columns and no rows, as an expression.

    A table held in memory would say the same, but every engine has to be handed one, under
    another name each time, so that its statement cannot be known again.
    """
    first, *others = (ibis.literal(None, type=kind).name(column) for column, kind in schema.items())
    return first.as_table().mutate(*others).filter(ibis.literal(False))
