"""Which single records somebody may see who is held to some values of some dimensions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

import ibis.expr.types as ir

from leadline.metrics import dimensions, units
from leadline.metrics.query import Query, ask
from leadline.model.opened import Opened

Kind = Literal["people", "journeys", "opportunities", "responses", "accounts"]


def visible(opened: Opened, kind: Kind, ids: Collection[str]) -> set[str]:
    """Those of some units that may be seen; a unit that is in no funnel cannot be placed and is not seen.

    Args:
        opened: a snapshot with what may be seen (`Opened.records`).
        kind: the unit.
        ids: of units, e.g. of persons or opportunities (18 characters).

    Raises:
        UsageError: such units have no single value of a dimension that may be seen by.
    """
    if not opened.records:
        return set(ids)
    seen = all_visible(opened, kind)
    return set(opened.arrow(seen.filter(seen.unit_id.isin(list(ids))))["unit_id"].to_pylist())


def all_visible(opened: Opened, kind: Kind) -> ir.Table:
    """Ids (`unit_id`) of all units that may be seen; arguments and errors as `visible`."""
    asked = ask(opened, Query(unit=kind))
    return dimensions.filtered(asked, units.units(asked)).select("unit_id")


def sees(opened: Opened, records: Mapping[str, str], kind: Kind, record: str) -> bool:
    """Whether one unit may be seen by somebody held to `records`; see `visible`."""
    return record in visible(opened.held_to(records), kind, [record])
