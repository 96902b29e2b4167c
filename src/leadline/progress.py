"""How long work tells of itself: one call per step begun, one per piece done.

The layers below know only this protocol; what a person sees (a bar on a terminal, plain lines
elsewhere) is decided where the command line is.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable


class Progress(Protocol):
    """Something that hears of the work."""

    def begin(self, step: str, total: int | None = None, unit: str = "rows") -> None:
        """A step begins; the one before has ended. `total` is None where it is not known."""

    def advance(self, count: int = 1) -> None:
        """So many more units of the step are done."""


@runtime_checkable
class PartsProgress(Protocol):
    """A progress that also hears of the parts of a step that go on side by side."""

    def part(self, name: str, done: int, total: int | None, calls: int, *, ended: bool) -> None:
        """So many units of a part are done, of `total` where that is known, with so many calls to elsewhere."""


class Silent:
    """Hears and says nothing: the default of every call from Python."""

    def begin(self, step: str, total: int | None = None, unit: str = "rows") -> None:
        """Say nothing."""

    def advance(self, count: int = 1) -> None:
        """Say nothing."""
