"""Deals: how they run, who is on them, what they are worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.demo.clock import NO_DAY
from leadline.demo.params import (
    CLOSED_LOST,
    CLOSED_WON,
    CURRENCY_OF_COUNTRY,
    DISCOVERY,
    NEGOTIATION,
    PROPOSAL,
    Parameters,
)
from leadline.demo.world import HUMANS, Columns, World, concat, rng_for, take

_HOUR = 3600
_SHORTEST = 5


def plan_deals(
    rng: np.random.Generator, rates: Parameters, day: NDArray[np.int64], second: NDArray[np.int64]
) -> Columns:
    """How each deal created on `day` runs, as far as as-of.

    Columns: day, second, planned (days to the first close), first_day and first_won (first close),
    reopen_day (opened again), last_day and last_won (close after that, or the flip of a won deal),
    closed_day (the close that holds, NO_DAY = open) and won (that it is won).
    """
    count, end = len(day), rates.days
    planned = _SHORTEST + rng.lognormal(np.log(rates.cycle_days), 0.7, count).astype(np.int64)
    first = day + planned
    won = rng.random(count) < rates.won
    closed = first < end
    gap, rest = rng.integers(5, 60, count), rng.integers(10, 60, count)
    draw = rng.random(count)
    reopened = closed & ~won & (draw < rates.reopened) & (first + gap < end)
    flipped = closed & won & (draw < rates.flipped) & (first + gap < end)
    again = reopened & (first + gap + rest < end)
    last = np.where(again, first + gap + rest, np.where(flipped, first + gap, NO_DAY))
    last_won = again & (rng.random(count) < 0.6)
    moved = again | flipped
    closed_day = np.where(moved, last, np.where(reopened, NO_DAY, np.where(closed, first, NO_DAY)))
    return {
        "day": day,
        "second": second,
        "planned": planned,
        "first_day": np.where(closed, first, NO_DAY),
        "first_won": closed & won,
        "reopen_day": np.where(reopened, first + gap, NO_DAY),
        "last_day": last,
        "last_won": last_won,
        "closed_day": closed_day,
        "won": (closed_day != NO_DAY) & np.where(moved, last_won, won),
    }


def add_deals(world: World, block: int, people: Columns, accounts: Columns, primary: Columns) -> Columns:
    """All deals of a block: those of the passes first, then second, orphan and deleted ones.

    Adds person (−1 = nobody), account, owner, deleted, amount and close date to the plans.
    """
    rng = rng_for(world.parameters.seed, block, "deals")
    rates = world.parameters
    count = len(primary["day"])
    second = _second_deals(rng, rates, primary)
    orphans = _apart(rng, rates, round(rates.orphan_deals * count))
    deleted = _apart(rng, rates, round(rates.deleted_deals * count))
    for part in (orphans, deleted):
        part["person"] = np.full(len(part["day"]), -1, np.int64)
    deals = concat([primary, second, orphans, deleted])
    total = len(deals["day"])
    deals["kind"] = np.repeat(np.arange(4), [count, len(second["day"]), len(orphans["day"]), len(deleted["day"])])
    deals["deleted"] = deals["kind"] == 3
    anywhere = rng.integers(0, len(accounts["industry"]), total)
    deals["account"] = np.where(deals["person"] >= 0, people["account"][deals["person"]], anywhere)
    deals["owner"] = rng.integers(0, HUMANS, total)
    deals["type"] = rng.integers(0, 3, total)
    _add_amounts(rng, rates, deals, accounts)
    deals["close_date"] = _close_dates(rng, deals)
    return deals


def _second_deals(rng: np.random.Generator, rates: Parameters, primary: Columns) -> Columns:
    """Another deal with the same person, made while the first was open."""
    rows = np.flatnonzero(rng.random(len(primary["day"])) < rates.second_deal)
    end = np.where(primary["closed_day"][rows] == NO_DAY, rates.days, primary["closed_day"][rows])
    span = np.maximum(end - primary["day"][rows] - 1, 1)
    day = primary["day"][rows] + 1 + (span * rng.random(len(rows)) * 0.8).astype(np.int64)
    rows, day = rows[day < end], day[day < end]
    plan = plan_deals(rng, rates, day, rng.integers(17 * _HOUR, 22 * _HOUR, len(rows)))
    plan["person"] = primary["person"][rows]
    return plan


def _apart(rng: np.random.Generator, rates: Parameters, count: int) -> Columns:
    day = rng.integers(0, rates.days - 1, count)
    return plan_deals(rng, rates, day, rng.integers(9 * _HOUR, 22 * _HOUR, count))


def _add_amounts(rng: np.random.Generator, rates: Parameters, deals: Columns, accounts: Columns) -> None:
    """Amounts in thousandths of a unit, so that one with three decimals is exact; −1 = none."""
    count = len(deals["day"])
    currency = np.array(CURRENCY_OF_COUNTRY)[accounts["country"][deals["account"]]]
    value = np.maximum(rng.lognormal(np.log(18_000), 0.9, count), 500)
    cents = np.round(value * 100).astype(np.int64) * 10
    yen = np.round(value * 150).astype(np.int64) * 1000
    draw = rng.random(count)
    milli = np.where(currency == 2, yen, cents)
    odd = (currency == 0) & (draw > 1 - rates.odd_amount)
    milli = np.where(odd, milli + 5, milli)
    milli = np.where(draw < rates.no_amount, -1, milli)
    zero = (draw >= rates.no_amount) & (draw < rates.no_amount + rates.zero_amount)
    deals["amount"] = np.where(zero, 0, milli)
    deals["currency"] = currency


def _close_dates(rng: np.random.Generator, deals: Columns) -> NDArray[np.int64]:
    """CloseDate: the day it closed, now and then what the owner typed; open deals a forecast."""
    count = len(deals["day"])
    typed = np.where(rng.random(count) < 0.1, rng.integers(-4, 5, count), 0)
    open_date = deals["day"] + deals["planned"] + rng.integers(-5, 40, count)
    day = np.where(deals["closed_day"] == NO_DAY, open_date, deals["closed_day"] + typed)
    return np.maximum(day, 0)


def deal_rows(world: World, block: int, deals: Columns) -> Columns:
    """Stage history: a row at creation and at each change; deal, day, second, stage, amount.

    Rows of one deal lie on different days, in order.
    """
    rng = rng_for(world.parameters.seed, block, "deal rows")
    count = len(deals["day"])
    number = np.arange(count)
    straight = rng.random(count) < 0.15
    early = rng.random(count) < 0.8
    back = rng.random(count) < 0.05
    late = rng.random(count) < 0.8
    planned, day = deals["planned"], deals["day"]
    always = np.ones(count, bool)
    steps = [
        (day, np.where(straight, PROPOSAL, DISCOVERY), always),
        (day + planned * 3 // 10, np.full(count, PROPOSAL), early & ~straight),
        (day + planned * 65 // 100, np.full(count, NEGOTIATION), late),
        (day + planned * 8 // 10, np.full(count, PROPOSAL), late & back),
        (deals["first_day"], np.where(deals["first_won"], CLOSED_WON, CLOSED_LOST), deals["first_day"] != NO_DAY),
        (deals["reopen_day"], np.full(count, NEGOTIATION), deals["reopen_day"] != NO_DAY),
        (deals["last_day"], np.where(deals["last_won"], CLOSED_WON, CLOSED_LOST), deals["last_day"] != NO_DAY),
    ]
    parts = []
    for step, (when, stage, shown) in enumerate(steps):
        second = deals["second"] if step == 0 else rng.integers(9 * _HOUR, 23 * _HOUR, count)
        part = {"deal": number, "day": when, "second": second, "stage": stage.astype(np.int64)}
        parts.append(take(part, shown & (when < world.parameters.days) & ((step == 0) | (when > day))))
    rows = concat(parts)
    return take(rows, np.lexsort((rows["day"], rows["deal"])))


def make_roles(world: World, block: int, people: Columns, deals: Columns) -> Columns:
    """Contact roles: deal, person, primary, day, second, title (code).

    Late roles, deals without any, without a primary one, and one contact twice on a deal.
    """
    rng = rng_for(world.parameters.seed, block, "roles")
    rates = world.parameters
    count = len(deals["day"])
    number = np.arange(count)
    bare = (rng.random(count) < rates.no_roles) | (deals["kind"] == 2)
    own = take({"deal": number, "person": deals["person"]}, ~bare & (deals["person"] >= 0))
    extra = _colleagues(rng, rates, people, deals, ~bare)
    own["primary"] = rng.random(count)[own["deal"]] >= rates.no_primary
    extra["primary"] = np.zeros(len(extra["deal"]), bool)
    roles = concat([own, extra])
    twice = take(roles, (rng.random(len(roles["deal"])) < rates.role_twice) & ~roles["primary"])
    roles = concat([roles, twice])
    made = len(roles["deal"])
    late = np.where(rng.random(made) < 0.3, rng.integers(1, 40, made), 0)
    contact_day = people["contact_day"][roles["person"]]
    roles["day"] = np.maximum(deals["day"][roles["deal"]] + late, contact_day + 1)
    roles["day"] = np.where(
        (late == 0) & (contact_day <= deals["day"][roles["deal"]]), deals["day"][roles["deal"]], roles["day"]
    )
    roles["second"] = np.minimum(deals["second"][roles["deal"]] + rng.integers(0, 1800, made), 23 * _HOUR + 1800)
    roles["title"] = rng.integers(0, 4, made)
    return take(roles, roles["day"] < rates.days)


def _colleagues(
    rng: np.random.Generator, rates: Parameters, people: Columns, deals: Columns, shown: NDArray[np.bool_]
) -> Columns:
    """Other people of the deal's account that have a contact, at most three, each once."""
    with_contact = np.flatnonzero(people["has_contact"])
    order = with_contact[np.argsort(people["account"][with_contact], kind="stable")]
    accounts = people["account"][order]
    low = np.searchsorted(accounts, deals["account"], side="left")
    size = np.searchsorted(accounts, deals["account"], side="right") - low
    wanted = rng.choice(4, len(low), p=rates.extra_roles)
    wanted = np.where(deals["deleted"], np.maximum(wanted, 1), wanted)
    parts = []
    for slot in range(3):
        rows = np.flatnonzero(shown & (wanted > slot) & (size > 0))
        person = order[low[rows] + (size[rows] * rng.random(len(rows))).astype(np.int64)]
        other = person != deals["person"][rows]
        parts.append({"deal": rows[other], "person": person[other]})
    all_parts = concat(parts)
    key = all_parts["deal"] * len(people["kind"]) + all_parts["person"]
    _, first = np.unique(key, return_index=True)
    return take(all_parts, np.sort(first))
