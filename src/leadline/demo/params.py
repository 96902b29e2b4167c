"""What the demo org is made of: every rate of its behaviour and of its dirt, and its vocabularies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

LEAD, CONTACT, SENT_ONLY, OUTBOUND, TWIN, LEGACY, DELETED, IDLE = range(8)
"""Kinds of people: lead that responds · contact that responds · lead that was only sent things ·
lead worked by sales without any response · second record of somebody else under the same e-mail ·
lead from before tracking whose status has no time · deleted lead · contact without any response."""

INQUIRY, MQL, SAL, SQL, WON = range(5)
STAGES: Final = ("Inquiry", "MQL", "SAL", "SQL", "Won")

STATUSES: Final = ("Open", "Working", "MQL", "SAL", "Recycled", "Disqualified", "Qualified")
S_OPEN, S_WORKING, S_MQL, S_SAL, S_RECYCLED, S_DISQUALIFIED, S_QUALIFIED = range(7)

OPP_STAGES: Final = ("Discovery", "Proposal", "Negotiation", "Closed Won", "Closed Lost")
DISCOVERY, PROPOSAL, NEGOTIATION, CLOSED_WON, CLOSED_LOST = range(5)

CAMPAIGN_TYPES: Final = ("Email", "Content", "Webinar", "Paid Search", "Event", "Partner", None)
TYPE_SHARES: Final = (0.28, 0.22, 0.18, 0.13, 0.11, 0.05, 0.03)
T_CONTENT: Final = 1
T_EVENT: Final = 4
T_BLANK: Final = 6

LEAD_SOURCES: Final = (
    "Web", "Paid Media", "Trade Show", "Partner Referral", "Outbound", "Purchased List", "Unknown", None,
)  # fmt: skip
SOURCE_SHARES: Final = (0.30, 0.14, 0.10, 0.08, 0.06, 0.12, 0.08, 0.12)
PURCHASED: Final = 5
OUTBOUND_SOURCE: Final = 4

INDUSTRIES: Final = ("Software", "Manufacturing", "Healthcare", "Financial Services", "Retail", "Energy", None)
INDUSTRY_SHARES: Final = (0.26, 0.2, 0.15, 0.14, 0.12, 0.08, 0.05)

COUNTRIES: Final = ("United States", "Germany", "France", "Netherlands", "Japan")
COUNTRY_SHARES: Final = (0.68, 0.1, 0.08, 0.05, 0.09)
CURRENCIES: Final = ("USD", "EUR", "JPY")
DIGITS: Final = (2, 2, 0)
"""Decimal places of `CURRENCIES`."""
CURRENCY_OF_COUNTRY: Final = (0, 1, 1, 1, 2)

LINK_LEAD, LINK_BOTH, LINK_CONTACT, LINK_LOSER = range(4)
"""Which records a campaign member points at."""

SYNC, WEB, IMPORT = range(3)
"""Users that are integrations; the humans follow."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Rates of the generator; shares are between 0 and 1, days are calendar days.

    `slow_factor`, `stuck_*`, `poor_factor` and `lift` are planted on purpose: a report should find them.
    """

    people: int = 20_000
    seed: int = 7
    days: int = 730
    tracking_day: int = 274
    """Day number on which history of Lead.Status starts."""
    kinds: tuple[float, ...] = (0.60, 0.14, 0.115, 0.05, 0.03, 0.01, 0.01, 0.045)
    """Share of each kind of person, in the order of the kinds."""
    people_per_account: float = 6.0
    sent_per_person: float = 2.85
    response_stop: float = 0.33
    """Chance that a response of a pass is its last."""
    response_gap_days: float = 16.0

    mql: tuple[float, ...] = (0.30, 0.34, 0.38, 0.36, 0.44, 0.42, 0.25)
    """Chance of MQL by type of the tipping campaign, in the order of the campaign types."""
    sal: float = 0.60
    base_deal: float = 0.16
    """Chance that a SAL becomes a deal without any response having caused it."""
    outbound_deal: float = 0.34
    """The same for leads that sales went after: as often as responses and chance together make a deal of the others."""
    lift: tuple[float, ...] = (0.06, 0.12, 0.22, 0.08, 0.36, 0.30, 0.0)
    """Chance that one response causes the deal, by campaign type: the true influence."""
    direct_deal: float = 0.06
    """Chance that a contact gets a deal without having been MQL or SAL."""
    sal_days: float = 6.0
    sql_days: float = 18.0
    won: float = 0.34
    cycle_days: float = 45.0

    slow_factor: float = 3.0
    """SAL → SQL takes this many times as long where an Event tipped the journey."""
    stuck_share: float = 0.12
    """Share of Content responses that go to the stuck campaign while it runs."""
    stuck_sal: float = 0.9
    """Chance of SAL for leads the stuck campaign tipped; they never move on."""
    stuck_days: int = 150
    """Days before as-of on which the stuck campaign starts."""
    poor_factor: float = 1 / 3
    """MQL → SAL of the source "Purchased List" against the rest."""

    recycled: tuple[float, float, float] = (0.02, 0.25, 0.30)
    """Chance of being recycled while at Inquiry, MQL, SAL."""
    disqualified: tuple[float, float, float] = (0.04, 0.20, 0.15)
    again_recycled: float = 0.45
    again_disqualified: float = 0.04
    again_dormant: float = 0.25
    again_closed: float = 0.25

    skip_mql: float = 0.06
    skip_sal: float = 0.05
    out_of_order: float = 0.02
    backward: float = 0.04
    no_stamp: float = 0.08
    late_history: float = 0.05
    """Share of status changes recorded one day after the stamp."""
    created_as_mql: float = 0.3
    """Share of tracked outbound leads whose first status is MQL."""
    undated: float = 0.04
    dated_by_creation: float = 0.10
    future: float = 0.001
    bulk_share: float = 0.015
    """Share of existing people that each bulk load adds to one campaign."""
    bulk_days: tuple[int, int] = (310, 635)
    disguised: float = 0.15
    """Share of the leads only sent things who are a colleague again, under another spelling and address."""
    deleted_member: float = 0.006
    twice_in_campaign: float = 0.06
    """Share of converted people that are in one campaign as lead and again as contact."""
    merged_lead: float = 0.03
    merged_twice: float = 0.2
    merged_contact: float = 0.03
    existing_contact: float = 0.10
    existing_deal: float = 0.02
    converted_without_deal: float = 0.04
    no_converted_deal: float = 0.15
    """Share of converting leads whose deal was made apart from the conversion."""
    reopened: float = 0.06
    flipped: float = 0.03
    """Share of won deals that are set to lost later, without being open between."""
    second_deal: float = 0.05
    no_roles: float = 0.08
    no_primary: float = 0.06
    role_twice: float = 0.01
    extra_roles: tuple[float, ...] = (0.45, 0.30, 0.17, 0.08)
    """Chances of 0, 1, 2, 3 further people of the account on a deal."""
    orphan_deals: float = 0.05
    """Deals of sales that nobody is on, per deal with people."""
    deleted_deals: float = 0.01
    deleted_contact: float = 0.04
    """Share of idle contacts that are deleted, some with roles left behind."""
    no_amount: float = 0.04
    zero_amount: float = 0.003
    odd_amount: float = 0.003
    """Share of USD amounts with three decimals."""
    task_after_mql: float = 0.72
    event_after_mql: float = 0.15

    def plain(self) -> Parameters:
        """The same org with nothing planted: no campaign, channel or source differs from another by design.

        Deals come by chance alone, no list is loaded of people who answer to nothing, and no deal of
        theirs lacks its contact role: nothing is left that an audit would call an error.
        """
        return replace(
            self,
            slow_factor=1.0,
            stuck_share=0.0,
            poor_factor=1.0,
            mql=(sum(self.mql) / len(self.mql),) * len(self.mql),
            lift=(0.0,) * len(self.lift),
            base_deal=self.outbound_deal,
            bulk_share=0.0,
            no_roles=0.0,
        )


BLOCK_PEOPLE: Final = 50_000
"""People per block; blocks are independent of each other, so that memory stays bounded."""
