"""When the milestones of one opportunity were: what models look for the touches of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from leadline.dates import day_of, format_instant, in_zone
from leadline.metrics.assemble import instant
from leadline.metrics.credit.base import Touched

LEAD, CREATED, CLOSED = "lead creation", "opportunity creation", "closed"


def milestones(touched: Touched) -> dict[str, str]:
    """Milestone → instant with `Z`, or the day where no more is known; only those that have been reached.

    Args:
        touched: touches of one opportunity.
    """
    opened = touched.asked.opened
    leads = touched.leads_of_people()
    found = opened.arrow(leads.order_by(["key", leads.created_is_date]).limit(1)).to_pylist()
    when = [(LEAD, row["key"], row["created_day"], row["created_is_date"]) for row in found]
    (deal,) = opened.arrow(touched.once).to_pylist()
    reached = [(CREATED, "created")] + ([(CLOSED, "closed")] if _is_over(touched, deal["state"]) else [])
    when += [(name, deal[f"{part}_s"], deal[f"{part}_day"], deal[f"{part}_is_date"]) for name, part in reached]
    return {name: told for name, *moment in when if (told := _told(*moment))}


def said(when: Mapping[str, str], zone: str) -> list[str]:
    """The milestones as one note, in local time."""
    told = [f"{name} {_local(moment, zone)}" for name, moment in when.items()]
    return [f"Milestones: {', '.join(told)}."] if told else []


def _local(moment: str, zone: str) -> str:
    return f"{in_zone(dt.datetime.fromisoformat(moment), zone):%Y-%m-%d %H:%M}" if moment.endswith("Z") else moment


def _is_over(touched: Touched, state: str) -> bool:
    return state != "open" and touched.base.goal == "closed"


def _told(second: int | None, day: int | None, is_date: bool | None) -> str | None:
    if is_date or second is None:
        return None if day is None else day_of(day).isoformat()
    moment = instant(second)
    return None if moment is None else format_instant(moment)
