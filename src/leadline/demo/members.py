"""Campaign members: responses with what dates them, members that were only sent something, dirt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.demo.clock import NO_DAY
from leadline.demo.params import (
    CAMPAIGN_TYPES,
    IMPORT,
    LEGACY,
    LINK_BOTH,
    LINK_CONTACT,
    LINK_LEAD,
    LINK_LOSER,
    SYNC,
    TYPE_SHARES,
)
from leadline.demo.world import HUMANS, INTEGRATIONS, Columns, World, concat, rng_for, take

_HOUR = 3600


def make_members(world: World, block: int, people: Columns, responses: Columns) -> Columns:
    """All members of a block in order of their creation.

    Columns: person, campaign, responded, responded_day (FirstRespondedDate, NO_DAY = blank), day and
    second (CreatedDate), touched (seconds from creation to LastModifiedDate), link, deleted, writer,
    loser (row of `losers` to link to, −1), bulk.

    One row per (record, campaign): a person is twice in a campaign only through two records.
    """
    rng = rng_for(world.parameters.seed, block, "members")
    responses = _first_of_each(world, people, responses)
    dated = _evidence(rng, world, people, responses)
    bulk = _bulk(rng, world, people, responses)
    sent = _sent(rng, world, people, concat([_keys(responses), _keys(bulk)]))
    twice = _twice(rng, world, people, dated)
    members = concat([dated, bulk, sent, twice])
    members["deleted"] = rng.random(len(members["person"])) < world.parameters.deleted_member
    members["deleted"] |= members["campaign"] == world.deleted_campaign
    gone = people["deleted"][members["person"]]
    members["deleted"] |= gone & (rng.random(len(gone)) < 0.5)
    members["loser"] = np.full(len(gone), -1, np.int64)
    return take(members, np.lexsort((members["second"], members["day"])))


def _keys(table: Columns) -> Columns:
    return {name: table[name] for name in ("person", "campaign", "day")}


def _first_of_each(world: World, people: Columns, responses: Columns) -> Columns:
    """An org holds one member per person and campaign: a later response there leaves no trace."""
    order = np.argsort(responses["day"], kind="stable")
    responses = take(responses, order)
    key = responses["campaign"] * len(people["kind"]) + responses["person"]
    _, first = np.unique(key, return_index=True)
    return take(responses, np.sort(first))


def _table(person: NDArray[np.int64], campaign: NDArray[np.int64], day: NDArray[np.int64]) -> Columns:
    count = len(person)
    return {
        "person": person,
        "campaign": campaign,
        "responded": np.ones(count, bool),
        "responded_day": np.full(count, NO_DAY, np.int64),
        "day": day,
        "second": np.zeros(count, np.int64),
        "touched": np.zeros(count, np.int64),
        "link": np.full(count, LINK_LEAD, np.int64),
        "writer": np.full(count, SYNC, np.int64),
        "bulk": np.zeros(count, bool),
    }


def _first_record(people: Columns) -> NDArray[np.int64]:
    """Day of each person's first record."""
    lead = np.where(people["has_lead"], people["lead_day"], 10**6)
    contact = np.where(people["has_contact"], people["contact_day"], 10**6)
    return np.minimum(lead, contact)


def _evidence(rng: np.random.Generator, world: World, people: Columns, responses: Columns) -> Columns:
    """What dates each response: FirstRespondedDate, its creation, or nothing."""
    rates, person, day = world.parameters, responses["person"], responses["day"]
    count = len(person)
    members = _table(person, responses["campaign"], day)
    draw = rng.random(count)
    undated = draw < rates.undated
    created = (draw >= rates.undated) & (draw < rates.undated + rates.dated_by_creation)
    future = (draw >= 1 - rates.future * 1.5) & ~people["has_contact"][person]
    invited = np.where(rng.random(count) < 0.5, rng.integers(1, 20, count), 0)
    known = np.maximum(_first_record(people)[person], -90)
    members["day"] = np.where(created | undated, day, np.maximum(day - invited, np.minimum(known, day)))
    members["second"] = rng.integers(7 * _HOUR, 23 * _HOUR, count)
    quick, slow = rng.integers(0, 61, count), rng.integers(61, 40 * 86_400, count)
    members["touched"] = np.where(created, quick, slow)
    members["responded_day"] = np.where(created | undated, NO_DAY, day)
    later = rates.days + rng.integers(3, 300, count)
    members["responded_day"] = np.where(future, later, members["responded_day"])
    members["link"] = _links(rng, people, person, members["day"])
    humans = INTEGRATIONS + rng.integers(0, HUMANS, count)
    members["writer"] = np.where(rng.random(count) < 0.2, humans, SYNC)
    return members


def _links(
    rng: np.random.Generator, people: Columns, person: NDArray[np.int64], day: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Members of a lead follow it to the contact in part; some keep the lead only, some lose it."""
    draw = rng.random(len(person))
    converted = people["converted_day"][person]
    before = np.where(draw < 0.3, LINK_LEAD, np.where(draw < 0.8, LINK_BOTH, LINK_CONTACT))
    link = np.where(day < converted, before, LINK_CONTACT)
    link = np.where(converted == NO_DAY, LINK_LEAD, link)
    unborn = people["existing_contact"][person] & (day < people["lead_day"][person])
    return np.where(people["has_lead"][person] & ~unborn, link, LINK_CONTACT)


def _bulk(rng: np.random.Generator, world: World, people: Columns, responses: Columns) -> Columns:
    """Lists loaded on two days: nobody dated them, so that each seems to respond within minutes.

    Legacy leads stay out: with one journey at most, a status without a time has one place to go.
    """
    parts = []
    known = _first_record(people)
    loaded = people["kind"] == LEGACY
    for day in world.parameters.bulk_days:
        chosen = (known < day) & ~loaded & (rng.random(len(known)) < world.parameters.bulk_share)
        loaded |= chosen
        person = np.flatnonzero(chosen)
        count = len(person)
        part = _table(person, np.full(count, world.bulk), np.full(count, day))
        part["second"] = 14 * _HOUR + rng.integers(0, 900, count)
        part["touched"] = rng.integers(0, 6, count)
        part["link"] = _links(rng, people, person, part["day"])
        part["writer"] = np.full(count, IMPORT)
        part["bulk"] = np.ones(count, bool)
        parts.append(part)
    return concat(parts)


def _sent(rng: np.random.Generator, world: World, people: Columns, taken: Columns) -> Columns:
    """Members that never responded; never beside a response to the same campaign."""
    count = len(people["kind"])
    person = np.repeat(np.arange(count), rng.poisson(world.parameters.sent_per_person, count))
    known = np.maximum(_first_record(people)[person], 0)
    day = known + (rng.random(len(person)) * (world.parameters.days - known)).astype(np.int64)
    kinds = rng.choice(len(CAMPAIGN_TYPES), len(person), p=TYPE_SHARES)
    campaign = world.pick_campaigns(kinds, day, rng)
    campaign = np.where(rng.random(len(person)) < 0.001, world.deleted_campaign, campaign)
    key = campaign * count + person
    _, first = np.unique(key, return_index=True)
    first = first[~np.isin(key[first], taken["campaign"] * count + taken["person"])]
    members = _table(person[first], campaign[first], day[first])
    members["responded"] = np.zeros(len(first), bool)
    members["second"] = rng.integers(7 * _HOUR, 23 * _HOUR, len(first))
    members["touched"] = np.where(rng.random(len(first)) < 0.5, 0, rng.integers(1, 86_400, len(first)))
    members["link"] = _links(rng, people, members["person"], members["day"])
    return members


def _twice(rng: np.random.Generator, world: World, people: Columns, dated: Columns) -> Columns:
    """A second member of a converted person in a campaign it was in as a lead, through the contact."""
    person = dated["person"]
    as_lead = (dated["link"] == LINK_LEAD) & (people["converted_day"][person] != NO_DAY)
    as_lead &= dated["responded_day"] < world.parameters.days
    rows = np.flatnonzero(as_lead & (rng.random(len(person)) < world.parameters.twice_in_campaign * 4))
    converted = people["converted_day"][person[rows]]
    span = np.maximum(world.parameters.days - converted - 1, 0)
    day = converted + 1 + (np.minimum(span, 60) * rng.random(len(rows))).astype(np.int64)
    rows, day = rows[day < world.parameters.days], day[day < world.parameters.days]
    members = _table(person[rows], dated["campaign"][rows], day)
    members["responded_day"] = day
    members["second"] = rng.integers(7 * _HOUR, 23 * _HOUR, len(rows))
    members["touched"] = rng.integers(61, 86_400, len(rows))
    members["link"] = np.full(len(rows), LINK_CONTACT)
    return members


def make_losers(world: World, block: int, people: Columns, members: Columns) -> Columns:
    """Records that were merged into a person's lead or contact, some into another loser.

    Columns: person, contact (it is a contact), day, second, into (row of the loser it was merged
    into, −1 = the surviving record). The contact a conversion made may be a loser: then the
    lead's pointer leads to it first. Lets some members point at a loser.
    """
    rng = rng_for(world.parameters.seed, block, "losers")
    rates, count = world.parameters, len(people["kind"])
    alive = ~people["deleted"] & (people["twin_of"] < 0)
    lead = np.flatnonzero(alive & people["has_lead"] & (rng.random(count) < rates.merged_lead))
    contact = np.flatnonzero(alive & people["has_contact"] & (rng.random(count) < rates.merged_contact))
    person = np.concatenate([lead, contact])
    is_contact = np.arange(len(person)) >= len(lead)
    chained = np.flatnonzero(rng.random(len(person)) < rates.merged_twice)
    into = np.concatenate([np.full(len(person), -1), chained])
    person = np.concatenate([person, person[chained]])
    is_contact = np.concatenate([is_contact, is_contact[chained]])
    born = np.where(is_contact, people["contact_day"][person], people["lead_day"][person])
    made_by_conversion = is_contact & (people["converted_day"][person] == people["contact_day"][person])
    day = born + 1 + (rng.random(len(person)) * np.maximum(world.parameters.days - born - 2, 0)).astype(np.int64)
    second = rng.integers(8 * _HOUR, 18 * _HOUR, len(person))
    losers: Columns = {
        "person": person,
        "contact": is_contact,
        "day": np.where(made_by_conversion, born, np.minimum(day, world.parameters.days - 1)),
        "second": np.where(made_by_conversion, people["contact_second"][person], second),
        "into": into,
    }
    _link_to_losers(rng, losers, members)
    return losers


def _link_to_losers(rng: np.random.Generator, losers: Columns, members: Columns) -> None:
    """A member made after the loser may still point at it, one per loser at most."""
    for is_contact, link in ((False, LINK_LEAD), (True, LINK_CONTACT)):
        rows = np.flatnonzero(losers["contact"] == is_contact)
        by_person = np.full(int(members["person"].max(initial=0)) + 1, -1, np.int64)
        inside = rows[losers["person"][rows] < len(by_person)]
        by_person[losers["person"][inside]] = inside
        loser = by_person[members["person"]]
        chosen = (loser >= 0) & (members["link"] == link) & (rng.random(len(loser)) < 0.3)
        chosen &= members["day"] > losers["day"][loser] if len(rows) else False
        members["loser"][chosen] = loser[chosen]
        members["link"][chosen] = LINK_LOSER
