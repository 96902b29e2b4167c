"""Records that belong to the org as a whole: users, campaigns, picklists, currencies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from leadline.demo import ids, names
from leadline.demo.clock import NO_DAY, TIME_ZONE
from leadline.demo.columns import RATE, bools, choice, constant, dates, decimals, instants
from leadline.demo.params import CAMPAIGN_TYPES, CLOSED_WON, CURRENCIES, DIGITS, OPP_STAGES, S_QUALIFIED, STATUSES
from leadline.demo.render_deals import FORECAST, PROBABILITY
from leadline.demo.render_members import ATTENDED_TYPES, MEMBER_STATUSES
from leadline.demo.world import HUMANS, World

INTEGRATION_NAMES = ("Marketing Automation Sync", "Web-to-Lead", "Data Import")


def shared_tables(world: World) -> Iterator[tuple[str, pa.Table]]:
    """Object and records."""
    yield "Organization", _organization(world)
    yield "User", _users(world)
    yield "Campaign", _campaigns(world)
    yield "CampaignMemberStatus", _member_statuses(world)
    yield "OpportunityStage", _opportunity_stages(world)
    yield "LeadStatus", _lead_statuses(world)
    yield "CurrencyType", _currencies(world)
    yield "DatedConversionRate", _rates(world)
    yield "RecordType", _record_types(world)
    yield "CampaignInfluenceModel", _influence_model(world)


def organization_id() -> str:
    """The org's id, part of the names of its weekly export."""
    return ids.one("Organization", 0)


def _moments(world: World, count: int, day: int) -> pa.Array:
    return instants(world.clock.utc(np.full(count, day), np.full(count, 43_200)))


def _as_of(world: World, count: int) -> pa.Array:
    return instants(np.full(count, world.clock.as_of_utc))


def _numbers(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.int64)


def _organization(world: World) -> pa.Table:
    return pa.table(
        {
            "Id": ids.text("Organization", _numbers(1)),
            "Name": constant("Leadline Demo Org", 1),
            "TimeZoneSidKey": constant(TIME_ZONE, 1),
            "OrganizationType": constant("Enterprise Edition", 1),
            "InstanceName": constant("DEMO1", 1),
            "FiscalYearStartMonth": pa.array([1]),
            "IsSandbox": bools(np.zeros(1, bool)),
            "CreatedDate": _moments(world, 1, -550),
            "SystemModstamp": _as_of(world, 1),
        }
    )


def _users(world: World) -> pa.Table:
    """The synchronising user's record was touched last of all: that moment is as-of."""
    integrations = len(INTEGRATION_NAMES)
    count = integrations + HUMANS
    human = np.maximum(_numbers(count) - integrations, 0)
    is_human = _numbers(count) >= integrations
    key = human * 25 + 7
    old = world.clock.utc(np.full(count, -540), np.full(count, 43_200))
    touched = np.where(_numbers(count) == 0, world.clock.as_of_utc, old)
    full = names.full_names(key).to_pylist()
    label = [*INTEGRATION_NAMES, *full[integrations:]]
    return pa.table(
        {
            "Id": ids.text("User", _numbers(count)),
            "Username": pa.array([f"user{n}@demo.example" for n in range(count)]),
            "FirstName": pa.array([None, None, None, *names.first_names(key).to_pylist()[integrations:]], pa.string()),
            "LastName": pa.array([*INTEGRATION_NAMES, *names.last_names(key).to_pylist()[integrations:]]),
            "Name": pa.array(label),
            "Email": pa.array([f"user{n}@demo.example" for n in range(count)]),
            "IsActive": bools(human != 5),
            "UserType": constant("Standard", count),
            "Department": choice(
                np.where(is_human, np.where(human % 4 == 0, 1, 2), 0), ("Integration", "Marketing", "Sales")
            ),
            "CreatedDate": instants(old),
            "LastModifiedDate": instants(touched),
            "SystemModstamp": instants(touched),
        }
    )


def _campaigns(world: World) -> pa.Table:
    campaigns = world.campaigns
    count = len(campaigns["kind"])
    start, number = campaigns["start"], _numbers(count)
    programme = number >= world.leaves
    made = instants(world.clock.utc(np.maximum(start - 15, -560), np.full(count, 43_200)))
    owner = ids.text("User", campaigns["owner"] + len(INTEGRATION_NAMES))
    active = (start + campaigns["length"] >= world.clock.days) | programme
    return pa.table(
        {
            "Id": ids.text("Campaign", number),
            "IsDeleted": bools(number == world.deleted_campaign),
            "Name": pa.array(_campaign_names(world)),
            "ParentId": ids.text("Campaign", campaigns["parent"]),
            "Type": choice(campaigns["kind"], CAMPAIGN_TYPES),
            "Status": choice(active.astype(np.int64), ("Completed", "In Progress")),
            "StartDate": dates(world.clock, np.where(campaigns["no_start"], NO_DAY, start)),
            "EndDate": dates(world.clock, np.where(campaigns["no_end"], NO_DAY, start + campaigns["length"])),
            "CurrencyIsoCode": choice(campaigns["currency"], CURRENCIES),
            "BudgetedCost": decimals(campaigns["cost"] * 10, valid=~campaigns["no_cost"]),
            "ActualCost": decimals(campaigns["cost"] * 10, valid=~campaigns["no_cost"]),
            "IsActive": bools(active),
            "OwnerId": owner,
            "CreatedDate": made,
            "CreatedById": owner,
            "LastModifiedDate": made,
            "SystemModstamp": made,
        }
    )


def _campaign_names(world: World) -> list[str]:
    special = {
        world.stuck: "Nurture: Buyer's Guide",
        world.bulk: "Imported Trade Show List",
        world.deleted_campaign: "Roadshow (cancelled)",
    }
    out = []
    for row, (kind, half, start) in enumerate(
        zip(world.campaigns["kind"], world.campaigns["half_year"], world.campaigns["start"], strict=True)
    ):
        day = world.clock.date(int(start))
        label = CAMPAIGN_TYPES[kind] or "Other"
        programme = f"Programme {label}, half-year {half + 1}"
        out.append(special.get(row, f"{day:%Y-%m} {label} {row:04d}") if row < world.leaves else programme)
    return out


def _member_statuses(world: World) -> pa.Table:
    count = len(world.campaigns["kind"])
    attended = np.isin(world.campaigns["kind"], ATTENDED_TYPES)
    campaign = np.repeat(_numbers(count), 2)
    responded = np.tile(_numbers(2), count)
    made = _moments(world, 2 * count, -500)
    return pa.table(
        {
            "Id": ids.text("CampaignMemberStatus", _numbers(2 * count)),
            "CampaignId": ids.text("Campaign", campaign),
            "IsDeleted": bools(campaign == world.deleted_campaign),
            "Label": choice(responded + 2 * attended[campaign], MEMBER_STATUSES),
            "SortOrder": pa.array(responded + 1),
            "IsDefault": bools(responded == 0),
            "HasResponded": bools(responded == 1),
            "CreatedDate": made,
            "LastModifiedDate": made,
            "SystemModstamp": made,
        }
    )


def _opportunity_stages(world: World) -> pa.Table:
    code = _numbers(len(OPP_STAGES))
    return pa.table(
        {
            "Id": ids.text("OpportunityStage", code),
            "MasterLabel": pa.array(OPP_STAGES),
            "ApiName": pa.array(OPP_STAGES),
            "IsActive": bools(code >= 0),
            "IsClosed": bools(code >= CLOSED_WON),
            "IsWon": bools(code == CLOSED_WON),
            "SortOrder": pa.array(code + 1),
            "DefaultProbability": pa.array(PROBABILITY),
            "ForecastCategory": pa.array(FORECAST),
            "SystemModstamp": _moments(world, len(code), -500),
        }
    )


def _lead_statuses(world: World) -> pa.Table:
    code = _numbers(len(STATUSES))
    return pa.table(
        {
            "Id": ids.text("LeadStatus", code),
            "MasterLabel": pa.array(STATUSES),
            "ApiName": pa.array(STATUSES),
            "SortOrder": pa.array(code + 1),
            "IsDefault": bools(code == 0),
            "IsConverted": bools(code == S_QUALIFIED),
            "SystemModstamp": _moments(world, len(code), -500),
        }
    )


def _currencies(world: World) -> pa.Table:
    count = len(CURRENCIES)
    return pa.table(
        {
            "Id": ids.text("CurrencyType", _numbers(count)),
            "IsoCode": pa.array(CURRENCIES),
            "ConversionRate": decimals(world.rates[-1], RATE),
            "DecimalPlaces": pa.array(DIGITS),
            "IsActive": bools(np.ones(count, bool)),
            "IsCorporate": bools(_numbers(count) == 0),
            "SystemModstamp": _moments(world, count, world.clock.days - 20),
        }
    )


def _rates(world: World) -> pa.Table:
    months, count = world.rates.shape
    start = np.repeat(world.rate_days, count)
    following = np.append(world.rate_days[1:], NO_DAY)
    after = dates(world.clock, np.repeat(following, count)).fill_null(_far_away())
    return pa.table(
        {
            "Id": ids.text("DatedConversionRate", _numbers(months * count)),
            "IsoCode": choice(np.tile(_numbers(count), months), CURRENCIES),
            "StartDate": dates(world.clock, start),
            "NextStartDate": after,
            "ConversionRate": decimals(world.rates.reshape(-1), RATE),
            "SystemModstamp": instants(
                world.clock.utc(np.minimum(start, world.clock.days - 1), np.full(len(start), 20_000))
            ),
        }
    )


def _far_away() -> pa.Scalar:
    return pa.scalar(2932896, pa.int32()).cast(pa.date32())


def _record_types(world: World) -> pa.Table:
    return pa.table(
        {
            "Id": ids.text("RecordType", _numbers(2)),
            "Name": pa.array(["Prospect", "New Business"]),
            "DeveloperName": pa.array(["Prospect", "New_Business"]),
            "SobjectType": pa.array(["Lead", "Opportunity"]),
            "IsActive": bools(np.ones(2, bool)),
            "SystemModstamp": _moments(world, 2, -500),
        }
    )


def _influence_model(world: World) -> pa.Table:
    return pa.table(
        {
            "Id": ids.text("CampaignInfluenceModel", _numbers(1)),
            "IsDeleted": bools(np.zeros(1, bool)),
            "DeveloperName": pa.array(["Primary_Campaign_Source"]),
            "MasterLabel": pa.array(["Primary Campaign Source"]),
            "IsDefaultModel": bools(np.ones(1, bool)),
            "IsModelLocked": bools(np.ones(1, bool)),
            "IsActive": bools(np.ones(1, bool)),
            "ModelType": pa.array(["1"]),
            "SystemModstamp": _moments(world, 1, -500),
        }
    )
