"""How far a number can be believed: evidence, findings that touch it, grade."""

from __future__ import annotations

import ibis.expr.types as ir

from leadline.metrics.query import Asked
from leadline.model.opened import Opened
from leadline.results import Step, Trust


def of(asked: Asked, kind: str, units: ir.Table | None) -> Trust:
    """Trust of a metric on these units."""
    return Trust()


def lineage(opened: Opened, kind: str) -> tuple[Step, ...]:
    """The steps from records to the model this metric rests on."""
    return ()
