"""People of one block and the records they have before their stories begin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.demo.clock import NO_DAY
from leadline.demo.params import (
    CONTACT,
    COUNTRY_SHARES,
    DELETED,
    IDLE,
    INDUSTRY_SHARES,
    LEAD,
    LEGACY,
    OUTBOUND,
    OUTBOUND_SOURCE,
    S_MQL,
    S_OPEN,
    S_SAL,
    SENT_ONLY,
    SOURCE_SHARES,
    TWIN,
)
from leadline.demo.world import HUMANS, Columns, World, rng_for

SENTINEL_SECOND = 4 * 3600
"""Second of the tracking day at which the first status change of the org is recorded."""


def make_people(world: World, block: int, count: int) -> tuple[Columns, Columns]:
    """People and accounts of a block.

    People hold identity (account, twin_of, source), records (has_lead, has_contact and when they
    were made) and the state that passes change (stamps, status, conversion).
    """
    rng = rng_for(world.parameters.seed, block, "people")
    kind = rng.choice(8, count, p=world.parameters.kinds)
    if block == 0:
        kind[0] = SENT_ONLY
    accounts = _accounts(rng, max(3, int(count / world.parameters.people_per_account)))
    first_day = _first_days(rng, kind, world)
    people: Columns = {
        "kind": kind,
        "account": (len(accounts["industry"]) * rng.random(count) ** 1.2).astype(np.int64),
        "source": _sources(rng, kind),
        "first_day": first_day,
        "title": rng.integers(0, 6, count),
        "owner": rng.integers(0, HUMANS, count),
        "twin_of": np.full(count, -1, np.int64),
    }
    _make_twins(rng, people, world)
    _make_records(rng, people, world)
    if block == 0:
        people["first_day"][0] = people["lead_day"][0] = world.parameters.tracking_day - 10
    _make_state(rng, people)
    return people, accounts


def _accounts(rng: np.random.Generator, count: int) -> Columns:
    return {
        "industry": rng.choice(len(INDUSTRY_SHARES), count, p=INDUSTRY_SHARES),
        "country": rng.choice(len(COUNTRY_SHARES), count, p=COUNTRY_SHARES),
        "employees": (10 ** rng.uniform(1, 4.5, count)).astype(np.int64),
        "owner": rng.integers(0, HUMANS, count),
        "name": rng.integers(0, 1_000_000, count),
        "day": rng.integers(-500, -100, count),
    }


def _first_days(rng: np.random.Generator, kind: NDArray[np.int64], world: World) -> NDArray[np.int64]:
    """Growing arrivals; legacy leads came well before tracking began."""
    days = (world.parameters.days * rng.random(len(kind)) ** 0.75).astype(np.int64)
    legacy = (rng.random(len(kind)) * (world.parameters.tracking_day - 30)).astype(np.int64)
    return np.where(kind == LEGACY, legacy, days)


def _sources(rng: np.random.Generator, kind: NDArray[np.int64]) -> NDArray[np.int64]:
    source = rng.choice(len(SOURCE_SHARES), len(kind), p=SOURCE_SHARES)
    return np.where(kind == OUTBOUND, OUTBOUND_SOURCE, source)


def _make_twins(rng: np.random.Generator, people: Columns, world: World) -> None:
    """A twin has the account, source and e-mail of a lead that came before it."""
    twins = np.flatnonzero(people["kind"] == TWIN)
    leads = np.flatnonzero(people["kind"] == LEAD)
    if len(leads) == 0:
        people["kind"][twins] = SENT_ONLY
        return
    originals = rng.choice(leads, len(twins))
    people["twin_of"][twins] = originals
    for name in ("account", "source"):
        people[name][twins] = people[name][originals]
    later = people["first_day"][originals] + rng.integers(1, 200, len(twins))
    people["first_day"][twins] = np.minimum(later, world.parameters.days - 1)


def _make_records(rng: np.random.Generator, people: Columns, world: World) -> None:
    kind = people["kind"]
    count = len(kind)
    contact = np.isin(kind, (CONTACT, IDLE)) | ((kind == TWIN) & (rng.random(count) < 0.35))
    people["has_lead"] = ~contact
    people["has_contact"] = contact
    early = np.where(rng.random(count) < 0.7, rng.integers(5, 300, count), 0)
    people["lead_day"] = np.where(contact, NO_DAY, people["first_day"])
    people["contact_day"] = np.where(contact, np.maximum(people["first_day"] - early, -90), NO_DAY)
    people["lead_second"] = rng.integers(4 * 3600 + 60, 7 * 3600, count)
    people["contact_second"] = rng.integers(4 * 3600, 7 * 3600, count)
    people["deleted"] = (kind == DELETED) | ((kind == IDLE) & (rng.random(count) < world.parameters.deleted_contact))


def _make_state(rng: np.random.Generator, people: Columns) -> None:
    count = len(people["kind"])
    legacy = people["kind"] == LEGACY
    people["untracked_status"] = np.where(legacy, np.where(rng.random(count) < 0.6, S_MQL, S_SAL), S_OPEN)
    people["created_as_mql"] = np.zeros(count, bool)
    for name in ("lead_mql", "lead_sal", "contact_mql", "contact_sal", "converted_day"):
        people[name] = np.full(count, NO_DAY, np.int64)
    people["converted_second"] = np.zeros(count, np.int64)
    people["converted_deal"] = np.full(count, -1, np.int64)
    people["existing_contact"] = np.zeros(count, bool)
