"""Opportunities with their stage history, contact roles and the org's own influence rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadline.demo import ids, names
from leadline.demo.clock import NO_DAY
from leadline.demo.columns import Ints, Mask, bools, choice, constant, dates, decimals, instants
from leadline.demo.params import CLOSED_WON, CURRENCIES, LEAD_SOURCES, OPP_STAGES
from leadline.demo.scene import Scene
from leadline.demo.world import Columns, take

PROBABILITY = (10.0, 40.0, 75.0, 100.0, 0.0)
FORECAST = ("Pipeline", "BestCase", "Forecast", "Closed", "Omitted")
_ROLES = ("Decision Maker", "Business User", "Evaluator", None)


def deal_tables(scene: Scene) -> Iterator[tuple[str, pa.Table]]:
    """Object and records."""
    last = _last_rows(scene)
    campaign = _primary_campaign(scene)
    yield "Opportunity", _opportunities(scene, last, campaign)
    yield "OpportunityHistory", _history(scene, last)
    yield "OpportunityFieldHistory", _field_history(scene)
    yield "OpportunityContactRole", _roles(scene)
    yield "CampaignInfluence", _influence(scene, campaign)


def _last_rows(scene: Scene) -> Ints:
    """Row of `deal_rows` that is in force for each deal."""
    rows = scene.stories.deal_rows
    last = np.zeros(len(scene.stories.deals["day"]), np.int64)
    last[rows["deal"]] = np.arange(len(rows["deal"]))
    return last


def _primary_campaign(scene: Scene) -> Ints:
    """The campaign the deal's person responded to last before it, as a lead's conversion sets it; else −1."""
    members, deals = scene.stories.members, scene.stories.deals
    day = np.where(members["responded_day"] == NO_DAY, members["day"], members["responded_day"])
    usable = np.flatnonzero(members["responded"] & ~members["deleted"] & (day >= 0))
    order = usable[np.lexsort((day[usable], members["person"][usable]))]
    span = 10_000
    keys = members["person"][order] * span + day[order]
    wanted = deals["person"] * span + deals["day"]
    place = np.searchsorted(keys, wanted, side="right") - 1
    found = order[np.maximum(place, 0)]
    same = (place >= 0) & (members["person"][found] == deals["person"])
    kept = np.arange(len(wanted)) % 8 != 3
    return np.where(same & kept, members["campaign"][found], -1)


def _campaign_ids(scene: Scene, rows: Ints) -> pa.Array:
    pool = ids.text("Campaign", np.arange(len(scene.world.campaigns["kind"])))
    return pool.take(pa.array(rows, mask=rows < 0))


def _opportunities(scene: Scene, last: Ints, campaign: Ints) -> pa.Table:
    deals, rows = scene.stories.deals, scene.stories.deal_rows
    count = len(deals["day"])
    stage = rows["stage"][last]
    moved = instants(scene.moment(take(rows, last)), rows["day"][last] != deals["day"])
    touched = instants(scene.moment(take(rows, last)))
    named = deals["person"] >= 0
    person = np.maximum(deals["person"], 0)
    source = np.where(named, scene.stories.people["source"][person], -1)
    return pa.table(
        {
            "Id": scene.ids("Opportunity", np.arange(count)),
            "IsDeleted": bools(deals["deleted"]),
            "AccountId": scene.ids("Account", deals["account"]),
            "Name": pc.binary_join_element_wise(
                names.companies(scene.stories.accounts["name"][deals["account"]]), choice(deals["type"], _KINDS), " - "
            ),
            "StageName": choice(stage, OPP_STAGES),
            "Amount": decimals(np.maximum(deals["amount"], 0), valid=deals["amount"] >= 0),
            "Probability": pa.array(np.array(PROBABILITY)[stage]),
            "CloseDate": dates(scene.clock, deals["close_date"]),
            "Type": choice(deals["type"], _KINDS),
            "LeadSource": choice(source, LEAD_SOURCES),
            "IsClosed": bools(stage >= CLOSED_WON),
            "IsWon": bools(stage == CLOSED_WON),
            "ForecastCategory": choice(stage, FORECAST),
            "CurrencyIsoCode": choice(deals["currency"], CURRENCIES),
            "CampaignId": _campaign_ids(scene, campaign),
            "OwnerId": scene.owner(deals["owner"]),
            "CreatedDate": instants(scene.moment(deals)),
            "CreatedById": scene.owner(deals["owner"]),
            "LastModifiedDate": touched,
            "SystemModstamp": touched,
            "LastStageChangeDate": moved,
        }
    )


_KINDS = ("New Business", "Expansion", "Renewal")


def _history(scene: Scene, last: Ints) -> pa.Table:
    """Each row holds the values after the change; amounts before the last row were a fifth lower."""
    deals, rows = scene.stories.deals, scene.stories.deal_rows
    deal, count = rows["deal"], len(rows["deal"])
    newest = last[deal] == np.arange(count)
    unit = np.where(deals["currency"] == 2, 1000, 10)[deal]
    lower = deals["amount"][deal] * 4 // 5 // unit * unit
    amount = np.where(newest, deals["amount"][deal], lower)
    close = np.where(newest, deals["close_date"][deal], deals["day"][deal] + deals["planned"][deal])
    known = deals["amount"][deal] >= 0
    first = np.ones(count, bool)
    first[1:] = deal[1:] != deal[:-1]
    made = instants(scene.moment(rows))
    return pa.table(
        {
            "Id": scene.ids("OpportunityHistory", np.arange(count)),
            "OpportunityId": scene.ids("Opportunity", deal),
            "IsDeleted": bools(deals["deleted"][deal]),
            "CreatedById": scene.owner(deals["owner"][deal]),
            "CreatedDate": made,
            "StageName": choice(rows["stage"], OPP_STAGES),
            "Amount": decimals(np.maximum(amount, 0), valid=known),
            "CloseDate": dates(scene.clock, close),
            "Probability": pa.array(np.array(PROBABILITY)[rows["stage"]]),
            "ForecastCategory": choice(rows["stage"], FORECAST),
            "CurrencyIsoCode": choice(deals["currency"][deal], CURRENCIES),
            "SystemModstamp": made,
            "PrevAmount": _previous(amount, known & ~first),
            "PrevCloseDate": dates(scene.clock, np.where(first, NO_DAY, np.roll(close, 1))),
        }
    )


def _previous(amount: Ints, valid: Mask) -> pa.Array:
    return decimals(np.maximum(np.roll(amount, 1), 0), valid=valid)


def _field_history(scene: Scene) -> pa.Table:
    """StageName changes since tracking began; the same moments as the stage history's."""
    deals, rows = scene.stories.deals, scene.stories.deal_rows
    changed = np.zeros(len(rows["deal"]), bool)
    changed[1:] = rows["deal"][1:] == rows["deal"][:-1]
    changed &= rows["day"] > scene.world.parameters.tracking_day
    row = np.flatnonzero(changed)
    deal = rows["deal"][row]
    return pa.table(
        {
            "Id": scene.ids("OpportunityFieldHistory", np.arange(len(row))),
            "IsDeleted": bools(deals["deleted"][deal]),
            "OpportunityId": scene.ids("Opportunity", deal),
            "CreatedById": scene.owner(deals["owner"][deal]),
            "CreatedDate": instants(scene.moment(take(rows, row))),
            "Field": constant("StageName", len(row)),
            "DataType": constant("DynamicEnum", len(row)),
            "OldValue": choice(rows["stage"][row - 1], OPP_STAGES),
            "NewValue": choice(rows["stage"][row], OPP_STAGES),
        }
    )


def _roles(scene: Scene) -> pa.Table:
    roles = scene.stories.roles
    count = len(roles["deal"])
    made = instants(scene.moment(roles))
    owner = scene.owner(scene.stories.deals["owner"][roles["deal"]])
    return pa.table(
        {
            "Id": scene.ids("OpportunityContactRole", np.arange(count)),
            "OpportunityId": scene.ids("Opportunity", roles["deal"]),
            "ContactId": scene.ids("Contact", roles["person"]),
            "Role": choice(roles["title"], _ROLES),
            "IsPrimary": bools(roles["primary"]),
            "IsDeleted": bools(np.zeros(count, bool)),
            "CreatedDate": made,
            "CreatedById": owner,
            "LastModifiedDate": made,
            "SystemModstamp": made,
        }
    )


def _influence(scene: Scene, campaign: Ints) -> pa.Table:
    """What the org's primary campaign model stored: all of a deal on its primary campaign."""
    deals = scene.stories.deals
    deal = np.flatnonzero((campaign >= 0) & ~deals["deleted"])
    part = take(deals, deal)
    made = instants(scene.moment(part))
    person: Columns = take(scene.stories.people, np.maximum(part["person"], 0))
    return pa.table(
        {
            "Id": scene.ids("CampaignInfluence", np.arange(len(deal))),
            "IsDeleted": bools(np.zeros(len(deal), bool)),
            "OpportunityId": scene.ids("Opportunity", deal),
            "CampaignId": _campaign_ids(scene, campaign[deal]),
            "ContactId": scene.ids("Contact", part["person"], person["has_contact"]),
            "ModelId": ids.text("CampaignInfluenceModel", np.zeros(len(deal), np.int64)),
            "Influence": pa.array(np.full(len(deal), 100.0)),
            "RevenueShare": decimals(np.maximum(part["amount"], 0), valid=part["amount"] >= 0),
            "CurrencyIsoCode": choice(part["currency"], CURRENCIES),
            "CreatedDate": made,
            "LastModifiedDate": made,
            "SystemModstamp": made,
        }
    )
