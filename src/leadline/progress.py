"""How long work tells of itself: one call per step begun, one per piece done.

The layers below know only this protocol; what a person sees (a bar on a terminal, plain lines
elsewhere) is decided where the command line is.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Something that hears of the work."""

    def begin(self, step: str, total: int | None = None, unit: str = "rows") -> None:
        """A step begins; the one before has ended. `total` is None where it is not known."""

    def advance(self, count: int = 1) -> None:
        """So many more units of the step are done."""


class Silent:
    """Hears and says nothing: the default of every call from Python."""

    def begin(self, step: str, total: int | None = None, unit: str = "rows") -> None:
        """Say nothing."""

    def advance(self, count: int = 1) -> None:
        """Say nothing."""
