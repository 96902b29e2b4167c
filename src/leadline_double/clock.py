"""Time in the org: it moves only when a test moves it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

START = dt.datetime(2026, 7, 1, 12, 0, 0, tzinfo=dt.UTC)


class Clock:
    """The org's time in whole seconds, UTC."""

    def __init__(self, start: dt.datetime = START) -> None:
        self._now = start.astimezone(dt.UTC).replace(microsecond=0)
        self._listeners: list[Callable[[], None]] = []

    def now(self) -> dt.datetime:
        """The present second."""
        return self._now

    def hear(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each move."""
        self._listeners.append(listener)

    def advance(self, *, seconds: int = 0, minutes: int = 0, hours: int = 0, days: int = 0) -> dt.datetime:
        """Move on; what was to happen meanwhile has happened afterwards.

        Raises:
            ValueError: the move would go back.
        """
        step = dt.timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)
        if step < dt.timedelta(0):
            raise ValueError(f"the clock cannot go back by {step}")
        return self.set(self._now + step)

    def set(self, moment: dt.datetime) -> dt.datetime:
        """Move to a moment that is not before the present one.

        Raises:
            ValueError: it is.
        """
        moment = moment.astimezone(dt.UTC).replace(microsecond=0)
        if moment < self._now:
            raise ValueError(f"the clock cannot go back from {self._now} to {moment}")
        self._now = moment
        for listener in self._listeners:
            listener()
        return self._now
