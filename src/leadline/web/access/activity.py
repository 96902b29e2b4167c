"""The activity log: who did what when, one event each, in a table that only grows."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request

from leadline.dates import format_instant
from leadline.web.store import Store

LONGEST: Final = 200
"""Characters kept of a text that came from outside."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Writes and reads events; `now` is the clock in UTC seconds."""

    store: Store
    now: Callable[[], float] = time.time

    def note(self, request: Request, what: str, /, **detail: str | int | None) -> None:
        """Write one event of whoever asks.

        Args:
            request: tells who.
            what: in few words: export, share, import …
            detail: what it was done to, how many rows.
        """
        self.write(request.state.who.name if request.state.who else "nobody", what, **detail)

    def write(self, who: str, what: str, /, **detail: str | int | None) -> None:
        """Write one event."""
        kept = {name: value[:LONGEST] if isinstance(value, str) else value for name, value in detail.items()}
        # JSON escapes line breaks and control signs: one event stays one line wherever it is shown.
        self.store.run(
            "INSERT INTO activity (at_s, who, what, detail) VALUES (?, ?, ?, ?)",
            [int(self.now()), who[:LONGEST], what, json.dumps(kept)],
        )

    def newest(self, count: int = 500) -> list[dict[str, Any]]:
        """The newest events, the newest first: at, who, what, detail."""
        import datetime as dt

        rows = self.store.rows("SELECT * FROM activity ORDER BY id DESC LIMIT ?", [count])
        return [
            {
                "at": format_instant(dt.datetime.fromtimestamp(row["at_s"], tz=dt.UTC)),
                "who": row["who"],
                "what": row["what"],
                "detail": json.loads(row["detail"]),
            }
            for row in rows
        ]
