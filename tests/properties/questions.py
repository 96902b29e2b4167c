"""Every metric in many forms, as functions of an open model; answers as plain rows."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from leadline.metrics.conversion import conversion
from leadline.metrics.influence import influence
from leadline.metrics.query import UNITS, Query
from leadline.metrics.velocity import velocity
from leadline.metrics.volume import VIEWS, volume
from leadline.model.opened import Opened
from leadline.results import Result

Ask = Callable[[Opened], Result]


def units(found: Opened) -> tuple[str, ...]:
    """Units of the first funnel."""
    _, funnel = found.funnel(None)
    return UNITS if funnel.of_people else ("opportunities",)


def volumes(found: Opened, **query: Any) -> Iterator[tuple[str, Ask]]:
    """Volume of every unit in every view."""
    for unit, view in itertools.product(units(found), VIEWS):
        asked = Query(unit=unit, **query)
        yield f"volume {unit} {view}", partial(volume, query=asked, view=view)


def conversions(found: Opened, **query: Any) -> Iterator[tuple[str, Ask]]:
    """Conversion of every unit."""
    for unit in units(found):
        asked = Query(unit=unit, **query)
        yield f"conversion {unit}", partial(conversion, query=asked)


def velocities(found: Opened, **query: Any) -> Iterator[tuple[str, Ask]]:
    """Every measure of the units that stand in stages, also in working days."""
    for unit in sorted(set(units(found)) & {"journeys", "opportunities"}):
        asked = Query(unit=unit, **query)
        for measure in ("sum", "first", "elapsed", "cycle"):
            yield f"velocity {unit} {measure}", partial(velocity, query=asked, measure=measure)
        yield f"velocity {unit} working", partial(velocity, query=asked, days="working")


def influences(**query: Any) -> Iterator[tuple[str, Ask]]:
    """Influence by the models of the settings, per scope and window."""
    for scope, window in [("role", "influenced"), ("account", "influenced"), ("role", "sourced")]:
        asked = Query(**query)
        yield f"influence {scope} {window}", partial(influence, query=asked, scope=scope, window=window)


def everything(found: Opened) -> list[tuple[str, Ask]]:
    """All of these."""
    return [*volumes(found), *conversions(found), *velocities(found), *influences()]


def some(found: Opened, seed: int) -> list[tuple[str, Ask]]:
    """A quarter of all of these, another one for the next seed: asking is what takes the time."""
    return everything(found)[seed % 4 :: 4]


def rows(result: Result, moved: dt.timedelta = dt.timedelta()) -> list[str]:
    """Rows in an order that does not depend on the engine, their dates set back by `moved`."""

    def told(value: Any) -> Any:
        return value - moved if isinstance(value, dt.date) else value

    return sorted(
        repr([(name, told(value)) for name, value in sorted(row.items())]) for row in result.table.to_pylist()
    )
