"""What a snapshot keeps ready, so that no question has to join it together again: facts of journeys by their number."""

from __future__ import annotations

import ibis

from leadline.metrics import dimensions, trust, units
from leadline.metrics.query import Asked, Query, ask
from leadline.metrics.times import standing
from leadline.model.opened import JOURNEY_DIMENSIONS, JOURNEY_FINDINGS, JOURNEY_TIMES, Opened
from leadline.model.store import Store

TABLES = (JOURNEY_DIMENSIONS, JOURNEY_FINDINGS, JOURNEY_TIMES)

_TAKEN = ("unit_id", "journey_id", units.NUMBER, "funnel")
"""Columns of the tables themselves; a dimension of such a name is joined when it is asked for."""


def keep(opened: Opened, store: Store) -> None:
    """Keep `JOURNEY_DIMENSIONS`, `JOURNEY_FINDINGS` and `JOURNEY_TIMES` of every funnel of people.

    Args:
        opened: the tables of the snapshot, findings included.
        store: where they are kept.
    """
    for name, funnel in opened.settings.funnel.items():
        if not funnel.of_people:
            continue
        asked = ask(opened, Query(unit="journeys", funnel=name), numbered=True)
        hits = trust.every_hit(asked)
        if hits is not None:
            kept = hits.select("mask", journey_no="unit_id")
            store.add(JOURNEY_FINDINGS, kept.mutate(funnel=ibis.literal(name)))
        store.add(JOURNEY_DIMENSIONS, _values(asked).mutate(funnel=ibis.literal(name)))
        times = standing.summed(asked, standing.measured(asked)).rename(journey_no="unit_id")
        store.add(JOURNEY_TIMES, times.mutate(funnel=ibis.literal(name)))


def _values(asked: Asked) -> ibis.expr.types.Table:
    """Every dimension that splits journeys in a way of its own: journey_no and a column for each."""
    names = [name for name in dimensions.looked_through(asked) if name not in _TAKEN]
    described = dimensions.attach(asked, units.units(asked), names)
    return described.select(*names, journey_no="unit_id")
