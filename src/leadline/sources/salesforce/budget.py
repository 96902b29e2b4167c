"""Our share of the API calls an org allows in a day."""

from __future__ import annotations

import datetime as dt
from typing import Final

from leadline.sources.salesforce.marks import Marks
from leadline.sources.salesforce.session import Session

_DAY: Final = dt.timedelta(days=1)


def allow(session: Session, marks: Marks, share: float, now: dt.datetime) -> int | None:
    """Ask how many calls of the day are used, and set how many the session may make; None where the org does not say.

    Args:
        marks: they hold what we have used ourselves.
        share: of the org's calls of a day that may be ours.
    """
    told = session.get(session.data("limits/"), "the limits of the org").get("DailyApiRequests")
    usage = session.usage
    if told is None:
        return None
    usage.limit = int(told["Max"])
    usage.used = usage.limit - int(told["Remaining"])
    usage.allowance = max(0, int(share * usage.limit) - marks.calls_since(now - _DAY))
    return usage.used
