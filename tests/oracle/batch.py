"""Many small random orgs as one: the same zone, settings and as-of, so that one build of a model serves them all."""

from __future__ import annotations

import datetime as dt
import random

from leadline.config import Settings
from tests.oracle.draw import Draw
from tests.oracle.org import add_campaigns, add_currencies, add_organization, random_settings
from tests.oracle.org_deals import add_deals
from tests.oracle.org_people import add_members, add_people
from tests.oracle.records import Org

SHARED = ("Organization", "OpportunityStage", "CurrencyType", "DatedConversionRate")
"""Objects that describe the whole org: one small org's rows of them serve all."""


def random_batch(rng: random.Random, orgs: int) -> tuple[Org, Settings, dt.datetime]:
    """`orgs` small orgs in one, its settings and an as-of instant (UTC)."""
    whole: Org = {}
    first = Draw(rng)
    currencies = add_currencies(whole, first)
    for _ in range(orgs):
        part = small_org(part_of(rng, first), currencies)
        for name, rows in part.items():
            if name not in SHARED:
                whole.setdefault(name, []).extend(rows)
            elif name not in whole:
                whole[name] = list(rows)
    limit_tracking(whole, first)
    thin_out(whole, first)
    return whole, random_settings(first, whole, currencies), first.as_of


def part_of(rng: random.Random, first: Draw) -> Draw:
    """Another org's luck under the same zone and as-of; ids stay unique over all."""
    draw = Draw(rng)
    days = first.today - draw.today
    draw.hot = [day + days for day in draw.hot]
    draw.zone, draw.today, draw.as_of = first.zone, first.today, first.as_of
    draw._taken = first._taken
    return draw


def small_org(draw: Draw, currencies: list[str]) -> Org:
    """One org without currencies and settings of its own."""
    org: Org = {}
    add_organization(org, draw)
    add_campaigns(org, draw)
    people = add_people(org, draw)
    add_members(org, draw, people)
    add_deals(org, draw, people, currencies)
    return org


def limit_tracking(org: Org, draw: Draw) -> None:
    """Whether and since when changes are tracked holds for the whole org (D6), so it is drawn once."""
    for name in ("LeadHistory", "ContactHistory"):
        rows = org.get(name, [])
        if draw.chance(0.15):
            org.pop(name, None)
        elif draw.chance(0.4):
            since = draw.instant()
            org[name] = [row for row in rows if row["CreatedDate"] >= since]  # type: ignore[operator]


def thin_out(org: Org, draw: Draw) -> None:
    """What some orgs do not have, or their exports do not hold."""
    if draw.chance(0.1):
        org.pop("OpportunityHistory", None)
    if draw.chance(0.2):
        org.pop("OpportunityStage", None)
    if draw.chance(0.1):
        for row in org["Opportunity"]:
            row.pop("IsClosed", None)
            row.pop("IsWon", None)
