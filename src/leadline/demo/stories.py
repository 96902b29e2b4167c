"""The stories of one block of people: everything that happened, before it is written as records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from leadline.demo.clock import NO_DAY
from leadline.demo.deals import add_deals, deal_rows, make_roles
from leadline.demo.members import make_losers, make_members
from leadline.demo.params import BLOCK_PEOPLE, LEAD, S_QUALIFIED
from leadline.demo.passes import Book, run_passes
from leadline.demo.people import make_people
from leadline.demo.status import previous_status
from leadline.demo.world import Columns, World, concat, rng_for, take

_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Stories:
    """Tables of one block; a row's number is its record's running number in the block.

    Attributes:
        people: one row per person, with its records, stamps, present status and conversion.
        accounts: one row per account.
        losers: records merged away.
        members: campaign members.
        changes: Lead.Status changes that history recorded.
        deals, deal_rows, roles: opportunities, their stage history, their contact roles.
        activities: tasks and events on people.
        causes: hidden truth: which campaign caused which deal, in shares that add up to 1 per deal;
            a deal without a row was caused by no campaign.
    """

    block: int
    people: Columns
    accounts: Columns
    losers: Columns
    members: Columns
    changes: Columns
    deals: Columns
    deal_rows: Columns
    roles: Columns
    activities: Columns
    causes: Columns


def blocks(people: int) -> Iterator[tuple[int, int]]:
    """Number and size of each block of an org."""
    for block, first in enumerate(range(0, people, BLOCK_PEOPLE)):
        yield block, min(BLOCK_PEOPLE, people - first)


def tell(world: World, block: int, count: int) -> Stories:
    """The stories of one block, the same for the same world, block and count."""
    people, accounts = make_people(world, block, count)
    book = run_passes(world, block, people)
    deals = add_deals(world, block, people, accounts, concat(book.deals))
    responses = concat(book.responses)
    _join_existing_deals(world, block, people, deals, responses, book)
    changes, status = previous_status(people, concat(book.changes))
    people["status"] = status
    members = make_members(world, block, people, responses)
    losers = make_losers(world, block, people, members)
    roles = make_roles(world, block, people, deals)
    return Stories(
        block, people, accounts, losers, members, changes, deals, deal_rows(world, block, deals), roles,
        _activities(world, block, people, concat(book.mqls)), concat(book.causes),
    )  # fmt: skip


def _join_existing_deals(
    world: World, block: int, people: Columns, deals: Columns, responses: Columns, book: Book
) -> None:
    """Leads converted into a deal of their account that is older than they are."""
    rng = rng_for(world.parameters.seed, block, "existing deals")
    person = np.flatnonzero((people["kind"] == LEAD) & (people["converted_day"] == NO_DAY))
    person = person[rng.random(len(person)) < world.parameters.existing_deal]
    last = people["first_day"].copy()
    for table in (responses, *book.changes):
        np.maximum.at(last, table["person"], table["day"])
    day = last[person] + 1 + rng.integers(0, 10, len(person))
    older = _older_deal(people, deals, person)
    rows = (older >= 0) & (day < world.parameters.days)
    person, day, older = person[rows], day[rows], older[rows]
    second = rng.integers(17 * _HOUR, 22 * _HOUR, len(person))
    people["has_contact"][person] = True
    people["contact_day"][person] = people["converted_day"][person] = day
    people["contact_second"][person] = people["converted_second"][person] = second
    people["converted_deal"][person] = older
    for stage in ("mql", "sal"):
        people[f"contact_{stage}"][person] = people[f"lead_{stage}"][person]
    book.change(person, day, second, S_QUALIFIED, day >= world.parameters.tracking_day)


def _older_deal(people: Columns, deals: Columns, person: np.ndarray) -> np.ndarray:
    """The newest deal of each person's account made before the person's lead, or −1."""
    usable = np.flatnonzero(~deals["deleted"])
    order = usable[np.lexsort((deals["day"][usable], deals["account"][usable]))]
    span = 10_000
    keys = deals["account"][order] * span + deals["day"][order]
    wanted = people["account"][person] * span + people["lead_day"][person]
    place = np.searchsorted(keys, wanted, side="left") - 1
    found = order[np.maximum(place, 0)] if len(order) else np.zeros(len(person), np.int64)
    same = (place >= 0) & (deals["account"][found] == people["account"][person])
    return np.where(same, found, -1)


def _activities(world: World, block: int, people: Columns, mqls: Columns) -> Columns:
    """Tasks and events: person, event (else task), day, second, done (a task's completion).

    After most MQLs; some tasks stay open, some meetings lie after as-of, some came before any MQL.
    """
    rng = rng_for(world.parameters.seed, block, "activities")
    rates, parts = world.parameters, []
    for event, share, mean in (
        (False, rates.task_after_mql, 1.5),
        (False, 0.15, 20.0),
        (True, rates.event_after_mql, 6.0),
    ):
        rows = rng.random(len(mqls["person"])) < share
        person, day = mqls["person"][rows], mqls["day"][rows] + rng.exponential(mean, int(rows.sum())).astype(np.int64)
        done = np.ones(len(person), bool) if event else rng.random(len(person)) < 0.92
        parts.append({"person": person, "event": np.full(len(person), event), "day": day, "done": done})
    person = rng.integers(0, len(people["kind"]), len(people["kind"]) // 10)
    day = np.maximum(people["first_day"][person], 0) + rng.integers(0, 30, len(person))
    parts.append(
        {"person": person, "event": np.zeros(len(person), bool), "day": day, "done": np.ones(len(person), bool)}
    )
    table = concat(parts)
    table = take(table, table["event"] | (table["day"] < world.parameters.days))
    table["second"] = rng.integers(9 * _HOUR, 18 * _HOUR, len(table["day"]))
    table["subject"] = rng.integers(0, 4, len(table["day"]))
    return take(table, np.lexsort((table["second"], table["day"])))
