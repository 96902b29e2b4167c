"""Which records a reader may see, beyond the numbers of metrics, which carry the filter themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from fastapi import HTTPException

if TYPE_CHECKING:
    from leadline.model.opened import Opened
    from leadline.web.access.who import Principal

Unit = Literal["people", "opportunities"]
Sees = Callable[[Unit, str], bool]
"""Whether the reader may see a record: unit (opportunities, people) and id."""


def anyone(unit: Unit, record: str) -> bool:
    """The rule for readers from whom no record is kept."""
    return True


def seer(opened: Opened, who: Principal) -> Sees:
    """The rule for a reader."""
    if not who.records:
        return anyone
    from leadline.metrics.records import visible

    held = opened.held_to(who.records)
    return lambda unit, record: bool(visible(held, unit, [record]))


def hidden(name: str) -> HTTPException:
    """The answer where a record is kept from a reader: the same as for one that is not there."""
    return HTTPException(404, f"There is no record {name!r} that you may see.")
