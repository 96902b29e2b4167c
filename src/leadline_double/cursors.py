"""Open queries: rows kept for further pages until they have been unread for too long."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from leadline_double.org import Org
from leadline_double.problems import ApiError
from leadline_double.query import Found


@dataclass
class Cursor:
    """The rows of a query, and when one of its pages was last read."""

    found: Found
    used_at: dt.datetime


class Cursors:
    """At most `most` are open; one unread for `seconds` is gone."""

    def __init__(self, org: Org) -> None:
        self.org, self.seconds, self.most = org, 900, 10
        self.open: dict[str, Cursor] = {}

    def keep(self, found: Found) -> str:
        """Open a cursor; the one unread for longest goes where too many are open."""
        while len(self.open) >= self.most:
            del self.open[min(self.open, key=lambda key: (self.open[key].used_at, key))]
        key = self.org.numbering.new("01g")
        self.open[key] = Cursor(found, self.org.clock.now())
        return key

    def read(self, key: str) -> Found:
        """The rows of an open cursor.

        Raises:
            ApiError: INVALID_QUERY_LOCATOR.
        """
        cursor, now = self.open.get(key), self.org.clock.now()
        if cursor is None or now - cursor.used_at > dt.timedelta(seconds=self.seconds):
            self.open.pop(key, None)
            raise ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")
        cursor.used_at = now
        return cursor.found
