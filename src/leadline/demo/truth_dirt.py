"""How many records of each kind of dirt an org holds, counted from its stories."""

from __future__ import annotations

from collections import Counter

import numpy as np

from leadline.demo.clock import NO_DAY
from leadline.demo.params import LEGACY, LINK_LOSER, S_RECYCLED, T_BLANK, TWIN
from leadline.demo.stories import Stories
from leadline.demo.world import World

_MINUTE = 60


def count_dirt(world: World, stories: Stories) -> Counter[str]:
    """Kinds of dirt of one block; records that are deleted count only under "deleted …"."""
    return _of_people(world, stories) + _of_members(world, stories) + _of_deals(stories)


def campaign_dirt(world: World) -> Counter[str]:
    """Gaps of the org's campaigns, programmes included, the deleted one not."""
    campaigns = world.campaigns
    here = np.arange(len(campaigns["kind"])) != world.deleted_campaign
    return _counts(
        campaigns_without_cost=here & campaigns["no_cost"],
        campaigns_without_start=here & campaigns["no_start"],
        campaigns_without_end=here & campaigns["no_end"],
        campaigns_without_type=here & (campaigns["kind"] == T_BLANK),
        deleted_campaigns=~here,
    )


def _counts(**values: object) -> Counter[str]:
    return Counter({name.replace("_", " "): int(np.sum(value)) for name, value in values.items()})  # type: ignore[call-overload]


def _of_people(world: World, stories: Stories) -> Counter[str]:
    people, losers = stories.people, stories.losers
    alive = ~people["deleted"]
    converted = people["converted_day"] != NO_DAY
    to_deal = converted & (people["converted_deal"] >= 0)
    deal_day = stories.deals["day"][np.maximum(people["converted_deal"], 0)]
    return _counts(
        deleted_leads=people["deleted"] & people["has_lead"],
        deleted_contacts=people["deleted"] & people["has_contact"],
        merged_leads=~losers["contact"],
        merged_contacts=losers["contact"],
        merged_into_a_loser=losers["into"] >= 0,
        converted_leads=converted,
        converted_into_existing_contact=people["existing_contact"],
        converted_into_existing_deal=to_deal & (deal_day < people["lead_day"]),
        converted_without_deal=converted & ~to_deal,
        same_email_as_another_person=alive & (people["kind"] == TWIN),
        leads_with_untimed_status=people["kind"] == LEGACY,
        blank_lead_source=alive & (people["source"] == 7),
        unknown_lead_source=alive & (people["source"] == 6),
        recycled=stories.changes["status"] == S_RECYCLED,
        leads_made_before_tracking=people["has_lead"] & (people["lead_day"] < world.parameters.tracking_day),
    )


def _of_members(world: World, stories: Stories) -> Counter[str]:
    members = stories.members
    here = ~members["deleted"]
    responded = here & members["responded"]
    blank = responded & (members["responded_day"] == NO_DAY)
    return _counts(
        members=here,
        deleted_members=members["deleted"],
        members_that_did_not_respond=here & ~members["responded"],
        responses_without_date=blank & (members["touched"] > _MINUTE),
        responses_dated_by_creation=blank & (members["touched"] <= _MINUTE),
        responses_of_bulk_days=here & members["bulk"],
        responses_after_as_of=responded & (members["responded_day"] > world.clock.days),
        responses_of_deleted_people=responded & stories.people["deleted"][members["person"]],
        members_on_a_merged_record=here & (members["link"] == LINK_LOSER),
    )


def _of_deals(stories: Stories) -> Counter[str]:
    deals, roles = stories.deals, stories.roles
    here = ~deals["deleted"]
    count = len(here)
    with_role, with_primary = np.zeros(count, bool), np.zeros(count, bool)
    with_role[roles["deal"]] = True
    with_primary[roles["deal"][roles["primary"]]] = True
    pairs = np.stack([roles["deal"], roles["person"]], axis=1)
    return _counts(
        deleted_deals=deals["deleted"],
        deals_without_role=here & ~with_role,
        deals_without_primary_role=here & with_role & ~with_primary,
        contact_twice_on_a_deal=len(pairs) - len(np.unique(pairs, axis=0)),
        deals_without_amount=here & (deals["amount"] < 0),
        deals_of_zero=here & (deals["amount"] == 0),
        amounts_with_three_decimals=here & (deals["amount"] % 10 != 0) & (deals["amount"] > 0),
        deals_in_other_currency=here & (deals["currency"] > 0),
        deals_nobody_is_on=here & (deals["kind"] == 2),
    )
