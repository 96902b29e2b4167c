"""Which records of a demo org have which fault, by the code of the check that must find them.

Told from the stories, not from the files: a check is right if it lists these ids and no others.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from leadline.demo import ids
from leadline.demo.clock import NO_DAY
from leadline.demo.org import DemoOrg
from leadline.demo.params import T_BLANK
from leadline.demo.stories import Stories
from leadline.demo.world import World

Faults = dict[tuple[str, str], set[str]]
"""Code and object → ids of the records with the fault."""

_MINUTE, _UNKNOWN, _INACTIVE = 60, 6, 5

_Rows = NDArray[np.bool_] | NDArray[np.int64]


def faults(org: DemoOrg) -> Faults:
    """All of an org; kinds without a record are absent."""
    found: Faults = defaultdict(set)
    answered: set[int] = set()
    for stories in org.stories():
        told = _Told(org.world, stories, found)
        told.people()
        told.members()
        told.deals()
        answered |= told.answered()
    _campaigns(org.world, answered, found)
    return {key: records for key, records in found.items() if records}


def _campaigns(world: World, answered: set[int], found: Faults) -> None:
    """Gaps of the campaigns that somebody has responded to."""
    campaigns = world.campaigns
    here = np.isin(np.arange(len(campaigns["kind"])), list(answered))
    here[world.deleted_campaign] = False
    for code, gap in (
        ("campaign-without-cost", campaigns["no_cost"]),
        ("campaign-without-dates", campaigns["no_start"]),
        ("campaign-without-type", campaigns["kind"] == T_BLANK),
    ):
        found[code, "Campaign"] |= set(ids.text("Campaign", np.flatnonzero(here & gap)).to_pylist())


class _Told:
    """Faults of one block."""

    def __init__(self, world: World, stories: Stories, found: Faults) -> None:
        self.world, self.stories, self.found = world, stories, found
        self.base = stories.block * ids.BLOCK_STRIDE

    def _note(self, code: str, name: str, rows: _Rows) -> None:
        """Rows by mask or number."""
        numbers = np.flatnonzero(rows) if rows.dtype == bool else rows
        self.found[code, name] |= set(ids.text(name, numbers + self.base).to_pylist())

    def people(self) -> None:
        """Leads and contacts."""
        people, losers = self.stories.people, self.stories.losers
        twins = np.flatnonzero(people["twin_of"] >= 0)
        shared = np.zeros(len(people["kind"]), bool)
        shared[twins] = shared[people["twin_of"][twins]] = True
        alive = ~people["deleted"]
        for name, record in (("Lead", "lead"), ("Contact", "contact")):
            own = alive & people[f"has_{record}"]
            mql, sal = people[f"{record}_mql"], people[f"{record}_sal"]
            self._note("duplicate-email", name, own & shared)
            self._note("source-unknown", name, own & (people["source"] == _UNKNOWN))
            self._note("stage-dates-out-of-order", name, own & (mql != NO_DAY) & (sal != NO_DAY) & (sal < mql))
        waiting = alive & people["has_lead"] & (people["converted_day"] == NO_DAY)
        self._note("owner-inactive", "Lead", waiting & (people["owner"] == _INACTIVE))
        merged = np.arange(len(losers["person"])) + len(people["kind"])
        self._note("merged-record", "Lead", merged[~losers["contact"]])
        self._note("merged-record", "Contact", merged[losers["contact"]])

    def members(self) -> None:
        """Campaign members."""
        members, people = self.stories.members, self.stories.people
        here, person = ~members["deleted"], members["person"]
        responded = here & members["responded"]
        blank = responded & (members["responded_day"] == NO_DAY) & (members["touched"] > _MINUTE)
        self._note("member-without-date", "CampaignMember", blank & ~people["deleted"][person])
        # A response of a deleted person counts nowhere, so it cannot mislead either.
        self._note("bulk-loaded-day", "CampaignMember", here & members["bulk"] & ~people["deleted"][person])
        self._note(
            "event-after-as-of", "CampaignMember", responded & (members["responded_day"] > self.world.clock.days)
        )
        roles, deals = self.stories.roles, self.stories.deals
        on_deals = np.zeros(len(people["kind"]), bool)
        on_deals[roles["person"][~deals["deleted"][roles["deal"]]]] = True
        silent = here & ~members["responded"] & on_deals[person] & ~people["deleted"][person]
        self._note("sent-counted-elsewhere", "CampaignMember", silent)
        named = np.zeros(len(people["kind"]), bool)
        named[person[here]] = True
        self._note("deleted-record", "Lead", people["deleted"] & people["has_lead"] & named)
        named[roles["person"]] = True
        self._note("deleted-record", "Contact", people["deleted"] & people["has_contact"] & named)

    def answered(self) -> set[int]:
        """Campaigns that somebody has responded to."""
        members = self.stories.members
        return set(np.unique(members["campaign"][~members["deleted"] & members["responded"]]).tolist())

    def deals(self) -> None:
        """Opportunities."""
        deals, roles = self.stories.deals, self.stories.roles
        here, known = ~deals["deleted"], deals["amount"] >= 0
        with_role, with_primary = np.zeros(len(here), bool), np.zeros(len(here), bool)
        with_role[roles["deal"]] = True
        with_primary[roles["deal"][roles["primary"]]] = True
        self._note("opportunity-without-role", "Opportunity", here & ~with_role)
        self._note("opportunity-without-primary-role", "Opportunity", here & with_role & ~with_primary)
        self._note("opportunity-without-amount", "Opportunity", here & ~known)
        self._note("mixed-currency", "Opportunity", here & known & (deals["currency"] > 0))
        still_open = here & (deals["closed_day"] == NO_DAY)
        self._note("owner-inactive", "Opportunity", still_open & (deals["owner"] == _INACTIVE))
        self._note("deleted-record", "Opportunity", deals["deleted"] & with_role)
