"""Passes through the funnel: what each person does, is given and becomes, pass by pass.

A pass is one journey as it was meant: responses, qualification, acceptance, a deal or an exit.
What the records show of it is less: a stamp is missing, a status was not tracked yet.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.demo.book import Book, Days, Mask
from leadline.demo.clock import NO_DAY
from leadline.demo.deals import plan_deals
from leadline.demo.params import (
    CAMPAIGN_TYPES,
    CONTACT,
    DELETED,
    LEAD,
    LEGACY,
    OUTBOUND,
    PURCHASED,
    S_DISQUALIFIED,
    S_MQL,
    S_QUALIFIED,
    S_RECYCLED,
    S_SAL,
    S_WORKING,
    T_CONTENT,
    T_EVENT,
    TWIN,
    TYPE_SHARES,
)
from leadline.demo.world import Columns, World, rng_for, take

_WIDTH = 8
_HOUR = 3600


def run_passes(world: World, block: int, people: Columns, passes: int = 3) -> Book:
    """Every pass of every person of a block; changes stamps and conversions in `people`."""
    rng = rng_for(world.parameters.seed, block, "passes")
    book = Book()
    _single_responses(rng, world, people, book)
    person = np.flatnonzero(np.isin(people["kind"], (LEAD, CONTACT, OUTBOUND)))
    start = people["first_day"][person]
    for number in range(passes):
        again = Pass(world, rng, people, book, person, start, number).run()
        person, start = again
    if block == 0:
        tracking = np.array([world.parameters.tracking_day])
        book.change(np.array([0]), tracking, np.array([4 * _HOUR]), S_WORKING, np.array([True]))
    return book


def _single_responses(rng: np.random.Generator, world: World, people: Columns, book: Book) -> None:
    """One response of twins, legacy and deleted leads, who are qualified by nobody."""
    chance = np.zeros(len(people["kind"]))
    chance[people["kind"] == TWIN] = 0.5
    chance[people["kind"] == LEGACY] = 0.6
    chance[people["kind"] == DELETED] = 1.0
    person = np.flatnonzero(rng.random(len(chance)) < chance)
    day = people["first_day"][person]
    kinds = rng.choice(len(CAMPAIGN_TYPES), len(person), p=TYPE_SHARES)
    campaign = world.pick_campaigns(kinds, day, rng)
    book.responses.append({"person": person, "campaign": campaign, "day": day})


class Pass:
    """One pass of many people at once; every array has one row per person in it."""

    def __init__(
        self,
        world: World,
        rng: np.random.Generator,
        people: Columns,
        book: Book,
        person: Days,
        start: Days,
        number: int,
    ) -> None:
        self.world, self.rng, self.people, self.book = world, rng, people, book
        self.rates = world.parameters
        self.end = self.rates.days
        self.person, self.start, self.number = person, start, number
        self.on_lead = people["has_lead"][person] & (people["converted_day"][person] == NO_DAY)
        outbound = people["kind"][person] == OUTBOUND
        self.responding = ~outbound if number == 0 else ~outbound | (rng.random(len(person)) < 0.5)

    def run(self) -> tuple[Days, Days]:
        """Tell the pass; returns who has another one and the day it starts on."""
        self._respond()
        self._qualify()
        self._accept()
        self._move_back()
        self._make_deals()
        self._write_stages()
        self._convert_without_deal()
        self._leave()
        return self._again()

    def _chance(self, share: float | NDArray[np.float64]) -> Mask:
        return self.rng.random(len(self.person)) < share

    def _lag(self, mean: float | NDArray[np.float64]) -> Days:
        return self.rng.exponential(mean, len(self.person)).astype(np.int64)

    def _respond(self) -> None:
        shape = (len(self.person), _WIDTH)
        wanted = np.minimum(self.rng.geometric(self.rates.response_stop, shape[0]), _WIDTH)
        gaps = np.minimum(self.rng.exponential(self.rates.response_gap_days, shape).astype(np.int64), 120)
        gaps[:, 0] = 0
        days = self.start[:, None] + np.cumsum(gaps, axis=1)
        live = (np.arange(_WIDTH) < wanted[:, None]) & (days < self.end) & self.responding[:, None]
        drawn = self.rng.choice(len(CAMPAIGN_TYPES), shape, p=TYPE_SHARES)
        kinds = np.where(self.rng.random(shape) < 0.45, drawn[:, :1], drawn)
        campaigns = self.world.pick_campaigns(kinds, np.minimum(days, self.end - 1), self.rng)
        nurtured = (kinds == T_CONTENT) & (days >= self.end - self.rates.stuck_days)
        campaigns[nurtured & (self.rng.random(shape) < self.rates.stuck_share)] = self.world.stuck
        for later in range(1, _WIDTH):
            for earlier in range(later):
                live[:, later] &= ~(live[:, earlier] & (campaigns[:, later] == campaigns[:, earlier]))
        self.days, self.campaigns, self.kinds, self.live = days, campaigns, kinds, live
        row, column = np.nonzero(live)
        part = {"person": self.person[row], "campaign": campaigns[row, column], "day": days[row, column]}
        self.book.responses.append(part)

    def _qualify(self) -> None:
        """MQL: on the tipping response's day or soon after; outbound leads without any response."""
        position = np.cumsum(self.live, axis=1)
        wanted = np.minimum(self.rng.geometric(0.6, len(self.person)), position[:, -1])
        tip = np.argmax(position >= np.maximum(wanted, 1)[:, None], axis=1)
        rows = np.arange(len(self.person))
        self.tip_day = np.where(self.responding, self.days[rows, tip], self.start)
        self.tip_kind = np.where(self.responding, self.kinds[rows, tip], -1)
        self.stuck = self.responding & (self.campaigns[rows, tip] == self.world.stuck)
        chance = np.where(self.responding, np.array(self.rates.mql)[self.tip_kind], 0.9)
        lag = np.where(self._chance(0.55) | ~self.responding, 0, self.rng.geometric(0.4, len(rows)))
        self.mql_day = self.tip_day + lag
        self.mql = self._chance(np.where(self.stuck, 0.9, chance)) & (self.mql_day < self.end)
        tracked = self.on_lead & (self.mql_day >= self.rates.tracking_day)
        skipped = self._chance(self.rates.skip_mql)
        sure = self.start >= self.rates.tracking_day + 10
        self.born_mql = (
            self.mql & ~self.responding & sure & (self.number == 0) & self._chance(self.rates.created_as_mql)
        )
        self.mql_shown = self.mql & (~skipped | self.born_mql)
        self.mql_history = self.mql_shown & tracked & ~self.born_mql
        late = self._chance(self.rates.late_history) & (self.mql_day + 1 < self.end)
        self.mql_history_day = self.mql_day + late

    def _accept(self) -> None:
        """SAL; a status change to MQL comes on an earlier day, so that the order is beyond doubt."""
        poor = self.people["source"][self.person] == PURCHASED
        chance = np.where(poor, self.rates.sal * self.rates.poor_factor, self.rates.sal)
        chance = np.where(self.stuck, self.rates.stuck_sal, chance)
        self.sal_day = self.mql_day + self._lag(self.rates.sal_days)
        self.sal_day = np.where(self.mql_history, np.maximum(self.sal_day, self.mql_history_day + 1), self.sal_day)
        self.sal_day = np.where(self.born_mql, np.maximum(self.sal_day, self.mql_day + 1), self.sal_day)
        self.sal = self.mql & self._chance(chance) & (self.sal_day < self.end)
        self.sal_history = self.sal & self.on_lead & (self.sal_day >= self.rates.tracking_day)
        late = self._chance(self.rates.late_history) & (self.sal_day + 1 < self.end)
        self.sal_history_day = self.sal_day + late
        self.sal_stamp = self.sal & ~self._chance(self.rates.no_stamp)
        self.mql_stamp = self.mql_shown & ~self._chance(self.rates.no_stamp)
        self.last_day = np.where(self.sal, self.sal_history_day, np.where(self.mql, self.mql_history_day, self.tip_day))

    def _move_back(self) -> None:
        """SAL set back to MQL, some accepted again; and MQL stamped only after SAL."""
        back = self.last_day + self.rng.integers(2, 11, len(self.person))
        self.back = self.sal_history & ~self.stuck & self._chance(self.rates.backward) & (back < self.end)
        self.back_day = back
        again = back + self.rng.integers(2, 11, len(self.person))
        self.resal = self.back & self._chance(0.6) & (again < self.end)
        self.resal_day = again
        self.last_day = np.where(self.resal, again, np.where(self.back, back, self.last_day))
        after = self.sal_history_day + self.rng.integers(1, 6, len(self.person))
        swapped = (
            self.sal
            & ~self.back
            & ~self.born_mql
            & ~self.stuck
            & self._chance(self.rates.out_of_order)
            & (after < self.end)
        )
        self.mql_day = np.where(swapped, after, self.mql_day)
        self.mql_stamp |= swapped
        self.mql_shown |= swapped
        self.mql_history &= ~swapped
        self.swapped = swapped

    def _make_deals(self) -> None:
        """Each response up to SAL may cause the deal; so may nothing at all."""
        asked = self.live & (self.days <= self.sal_day[:, None])
        caused = asked & (self.rng.random(asked.shape) < np.array(self.rates.lift)[self.kinds])
        outbound = self.people["kind"][self.person] == OUTBOUND
        wanted = self._chance(np.where(outbound, self.rates.outbound_deal, self.rates.base_deal)) | caused.any(axis=1)
        slow = np.where(self.tip_kind == T_EVENT, self.rates.slow_factor, 1.0)
        day = np.maximum(self.sal_day + 1 + self._lag(self.rates.sql_days * slow), self.last_day)
        direct = ~self.on_lead & ~self.mql & self._chance(self.rates.direct_deal)
        day = np.where(direct, self.tip_day + self._lag(30.0), day)
        self.deal = ((self.sal & wanted & ~self.stuck) | direct) & (day < self.end)
        self.deal_day = day
        second = self.rng.integers(17 * _HOUR, 22 * _HOUR, len(self.person))
        hidden = self.deal & self.sal & ~self.back & ~self.swapped & self._chance(self.rates.skip_sal)
        self.sal_stamp &= ~hidden
        self.sal_history &= ~hidden
        self.number_of_deal = np.where(self.deal, np.cumsum(self.deal) - 1 + self.book.deal_count, -1)
        rows = np.flatnonzero(self.deal)
        plan = plan_deals(self.rng, self.rates, self.deal_day[rows], second[rows])
        plan["person"] = self.person[rows]
        self.book.deals.append(plan)
        self.book.deal_count += len(rows)
        self._note_causes(caused & (self.deal & ~direct)[:, None])
        self.closed_day = np.full(len(self.person), NO_DAY, np.int64)
        self.closed_day[rows] = plan["closed_day"]
        self._convert(self.deal & self.on_lead, self.deal_day, second, self.number_of_deal)

    def _note_causes(self, caused: Mask) -> None:
        row, column = np.nonzero(caused)
        share = 1.0 / np.maximum(caused.sum(axis=1), 1)
        part = {"deal": self.number_of_deal[row], "campaign": self.campaigns[row, column], "share": share[row]}
        self.book.causes.append(part)

    def _write_stages(self) -> None:
        """Status changes and stamps; a stamp holds the newest date only."""
        person, book = self.person, self.book
        second = self.rng.integers(9 * _HOUR, 15 * _HOUR, len(person))
        working = self.mql_history & self.sal_history & self._chance(0.2)
        book.change(person, self.mql_history_day, second, S_MQL, self.mql_history)
        book.change(person, self.mql_history_day, second + 600, S_WORKING, working)
        book.change(person, self.sal_history_day, second, S_SAL, self.sal_history)
        book.change(person, self.back_day, second, S_MQL, self.back)
        book.change(person, self.resal_day, second, S_SAL, self.resal)
        self.people["created_as_mql"][person[self.born_mql]] = True
        for record, rows in (("lead", self.on_lead), ("contact", ~self.on_lead)):
            for stage, stamped, day in (("mql", self.mql_stamp, self.mql_day), ("sal", self.sal_stamp, self.sal_day)):
                chosen = rows & stamped
                self.people[f"{record}_{stage}"][person[chosen]] = day[chosen]
        self._copy_stamps(person[self.deal & self.on_lead])
        book.mqls.append(take({"person": person, "day": self.mql_day}, self.mql_shown))

    def _copy_stamps(self, person: Days) -> None:
        """Conversion maps the lead's stamps onto the contact."""
        for stage in ("mql", "sal"):
            self.people[f"contact_{stage}"][person] = self.people[f"lead_{stage}"][person]

    def _convert(self, rows: Mask, day: Days, second: Days, deal: Days) -> None:
        people, person = self.people, self.person[rows]
        existing = self._chance(self.rates.existing_contact)[rows]
        earlier = np.maximum(people["lead_day"][person] - self.rng.integers(20, 300, len(person)), -90)
        people["existing_contact"][person] = existing
        people["has_contact"][person] = True
        people["contact_day"][person] = np.where(existing, earlier, day[rows])
        people["contact_second"][person] = np.where(existing, people["contact_second"][person], second[rows])
        people["converted_day"][person] = day[rows]
        people["converted_second"][person] = second[rows]
        apart = self._chance(self.rates.no_converted_deal)[rows]
        people["converted_deal"][person] = np.where(apart, -1, deal[rows])
        tracked = rows & (day >= self.rates.tracking_day)
        self.book.change(self.person, day, second, S_QUALIFIED, tracked)

    def _convert_without_deal(self) -> None:
        day = self.last_day + self.rng.integers(1, 8, len(self.person))
        rows = self.sal & ~self.deal & self.on_lead & ~self.stuck & (day < self.end)
        rows &= self._chance(self.rates.converted_without_deal)
        second = self.rng.integers(17 * _HOUR, 22 * _HOUR, len(self.person))
        self._convert(rows, day, second, np.full(len(day), -1))
        self._copy_stamps(self.person[rows])
        self.converted_only = rows
        self.last_day = np.where(rows, day, self.last_day)

    def _leave(self) -> None:
        """Recycled and disqualified leads; before tracking only the status itself shows it."""
        stage = np.where(self.sal, 2, np.where(self.mql, 1, 0))
        free = self.on_lead & ~self.deal & ~self.stuck & ~self.converted_only
        day = self.last_day + 3 + self._lag(25.0)
        draw = self.rng.random(len(day))
        recycled = np.array(self.rates.recycled)[stage]
        gone = recycled + np.array(self.rates.disqualified)[stage]
        free &= day < self.end
        self.recycled = free & (draw < recycled)
        self.disqualified = free & (draw >= recycled) & (draw < gone)
        tracked = day >= self.rates.tracking_day
        second = self.rng.integers(9 * _HOUR, 15 * _HOUR, len(day))
        for rows, status in ((self.recycled, S_RECYCLED), (self.disqualified, S_DISQUALIFIED)):
            self.book.change(self.person, day, second, status, rows & tracked)
            self.people["untracked_status"][self.person[rows & ~tracked]] = status
        self.left_day = day

    def _again(self) -> tuple[Days, Days]:
        last = np.maximum(self.last_day, np.where(self.live, self.days, NO_DAY).max(axis=1))
        last = np.maximum(last, self.mql_day * self.mql_stamp)
        closed = self.closed_day != NO_DAY
        left = self.recycled | self.disqualified
        after = np.where(left, self.left_day + 20 + self._lag(40.0), last + 180 + self._lag(60.0))
        after = np.where(closed, self.closed_day + 30 + self._lag(90.0), after)
        chance = np.where(self.recycled, self.rates.again_recycled, self.rates.again_dormant)
        chance = np.where(self.disqualified, self.rates.again_disqualified, chance)
        chance = np.where(self.deal, np.where(closed, self.rates.again_closed, 0.0), chance)
        rows = self._chance(chance) & (after < self.end) & ~self.stuck
        return self.person[rows], after[rows]
