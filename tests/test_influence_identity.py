"""The identity of influence over every model, scope, window, date and kind of dimension: rows add up to the total.

One small org with everything that parts of an amount can come to: people without role, undated and excluded
responses, responses after the creation, open and lost deals, a negative amount, products, a matched lead.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import pytest

from leadline.metrics.credit import allocation, touches
from leadline.results import Result
from leadline.workspace import Workspace
from tests import campaign_org as org
from tests.scale import costly

T = TypeVar("T")

A1, A2 = "001000000000001AAA", "001000000000002AAA"
DEALS = {1: 30_000, 2: 4_000, 3: 50_001, 4: -700, 5: 1, 6: 99_999, 7: 12_345}
"""Deal → amount in cents; 1, 2 won, 3, 7 open, 4 to 6 lost."""

TOTAL = sum(DEALS.values())
CLOSED = TOTAL - DEALS[3] - DEALS[7]

CONFIG = """
[responses]
exclude_campaign_types = ["Excluded"]
"""

FILES = {
    "Account.csv": f"""Id,Name,Website,CreatedDate
{A1},Northwind Robotics,northwind-robotics.example,2025-01-01T00:00:00Z
{A2},Southgate Mills,southgate-mills.example,2025-01-01T00:00:00Z
""",
    "Campaign.csv": org.FILES["Campaign.csv"] + "701000000000006AAA,Internal,Excluded,,,,\n",
    "Contact.csv": "Id,LastName,AccountId,CreatedDate\n"
    + "".join(f"003{at:012}AAA,Person{at},{A1 if at < 5 else A2},2025-12-01T00:00:00Z\n" for at in range(1, 9)),
    "Lead.csv": """Id,LastName,Email,Company,IsConverted,CreatedDate
00Q000000000001AAA,Loose,loose@northwind-robotics.example,Northwind Robotics,false,2025-12-20T00:00:00Z
""",
    "CampaignMember.csv": f"""Id,CampaignId,ContactId,LeadId,Status,HasResponded,FirstRespondedDate,CreatedDate,LastModifiedDate
00v000000000001AAA,{org.A},003000000000001AAA,,Responded,true,2026-01-02,2026-01-02T01:00:00Z,2026-01-02T01:00:00Z
00v000000000002AAA,{org.C},003000000000001AAA,,Responded,true,2026-01-05,2026-01-05T01:00:00Z,2026-01-05T01:00:00Z
00v000000000003AAA,{org.B},003000000000002AAA,,Responded,true,2026-02-03,2026-02-03T01:00:00Z,2026-02-03T01:00:00Z
00v000000000004AAA,{org.B},003000000000003AAA,,Responded,true,2026-02-20,2026-02-20T01:00:00Z,2026-02-20T01:00:00Z
00v000000000005AAA,{org.D},003000000000003AAA,,Responded,true,2026-03-03,2026-03-03T01:00:00Z,2026-03-03T01:00:00Z
00v000000000006AAA,{org.D},003000000000005AAA,,Responded,true,,2026-01-01T01:00:00Z,2026-02-03T01:00:00Z
00v000000000007AAA,701000000000006AAA,003000000000006AAA,,Responded,true,2026-01-03,2026-01-03T01:00:00Z,2026-01-03T01:00:00Z
00v000000000008AAA,{org.A},,00Q000000000001AAA,Responded,true,2026-01-04,2026-01-04T01:00:00Z,2026-01-04T01:00:00Z
00v000000000009AAA,{org.A},003000000000002AAA,,Sent,false,,2026-01-20T01:00:00Z,2026-01-20T01:00:00Z
""",
    "Opportunity.csv": "Id,Name,AccountId,CampaignId,StageName,Amount,IsClosed,IsWon,CloseDate,CreatedDate\n"
    + "".join(
        f"006{at:012}AAA,Deal {at},{A1 if at < 5 else A2},{org.A if at == 1 else ''},"
        f"{'Closed Won,{0},true,true' if at < 3 else 'Open,{0},false,false' if at in (3, 7) else 'Closed Lost,{0},true,false'}"
        f",2026-03-{at:02},2026-{1 if at < 3 else 2:02}-{10 + at:02}T08:00:00Z\n".format(cents / 100)
        for at, cents in DEALS.items()
    ),
    "OpportunityContactRole.csv": "Id,OpportunityId,ContactId,IsPrimary,CreatedDate\n"
    + "".join(
        f"00K{at:012}AAA,006{deal:012}AAA,003{who:012}AAA,{'true' if main else 'false'},2026-01-10T08:00:00Z\n"
        for at, (deal, who, main) in enumerate(
            [(1, 1, True), (1, 2, False), (2, 2, True), (3, 3, True), (4, 3, False), (5, 5, True), (6, 6, True)], 1
        )
    ),
    "OpportunityLineItem.csv": """Id,OpportunityId,Product2Id,TotalPrice
00k000000000001AAA,006000000000001AAA,01t000000000001AAA,200
00k000000000002AAA,006000000000001AAA,01t000000000002AAA,100
""",
    "Product2.csv": """Id,Name,Family
01t000000000001AAA,Press,Machines
01t000000000002AAA,Care,Services
""",
}


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return org.built(tmp_path_factory.mktemp("identity"), FILES, config=CONFIG)


@pytest.fixture(scope="module")
def models(space: Workspace) -> list[str]:
    """Every model there is, and two on a part of the window alone."""
    return [*space.metrics.known_models(), "even@sourced", "u_shaped@accelerated"]


def sums(result: Result) -> dict[str, int]:
    """Amount of all rows by model."""
    found = Counter[str]()
    for row in result.table.to_pylist():
        found[row["model"]] += row["won_amount"] + row["open_amount"] + row["lost_amount"]
    return dict(found)


def off(result: Result, total: int, names: list[str]) -> list[str]:
    """What does not add up."""
    told = [f"{name} rows: {amount}" for name, amount in sums(result).items() if amount != total]
    told += [f"{name} has no row" for name in names if name not in sums(result)]
    balances: dict[str, int] = Counter()
    for one in result.totals:
        parts = [one[f"{part}_amount"] for part in ("credited", "pending", "unattributed", "other_window")]
        balances[one["model"]] += sum(parts)
        if one["total_amount"] != sum(parts):
            told.append(f"{one['model']} {one['period']}: {one['total_amount']} is not {parts}")
    return told + [f"{name} totals: {amount}" for name, amount in balances.items() if amount != total]


def turned(every: Sequence[T], first: int) -> Sequence[T]:
    """All of them at full scale; otherwise one, another for each `first`."""
    return [every[(first + at) % len(every)] for at in range(costly(len(every)))]


@pytest.mark.parametrize("scope", touches.SCOPES)
def test_every_model_in_every_window(space: Workspace, models: list[str], scope: str) -> None:
    for window in turned(touches.WINDOWS, touches.SCOPES.index(scope)):
        result = space.metrics.influence(models=models, scope=scope, window=window)
        assert off(result, TOTAL, models) == [], window


@pytest.mark.parametrize(
    "asked",
    [
        {"scope": touches.ACCOUNT},
        {"scope": touches.MATCHED, "grain": "month", "by": ["campaign_type"]},
        {"by": ["product"], "window": "sourced"},
        {"hierarchy": "total"},
        {"goal": "Inquiry", "models": ["first", "even", "full_path"]},
    ],
    ids=lambda asked: ", ".join(f"{name} {value}" for name, value in asked.items()),
)
def test_deals_split_a_part_at_a_time_give_the_same(
    space: Workspace, models: list[str], asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ruled = [name for name in models if not name.startswith(("markov", "shapley"))]
    asked = {"models": ruled, **asked}
    whole = space.metrics.influence(**asked)
    split: list[allocation.Allocations] = []

    def in_parts(allocations: allocation.Allocations) -> Iterator[allocation.Allocations]:
        for part in every_part(allocations):
            split.append(part)
            yield part

    every_part = allocation.Allocations.in_parts
    monkeypatch.setattr(allocation.Allocations, "in_parts", in_parts)
    monkeypatch.setattr(allocation, "AT_ONCE", 2)
    parts = space.metrics.influence(**asked)
    assert len(split) > 1
    assert parts.table.to_pylist() == whole.table.to_pylist()
    assert parts.totals == whole.totals


@pytest.mark.parametrize("date", touches.DATES)
@pytest.mark.parametrize("goal", touches.GOALS)
def test_every_model_in_every_period(space: Workspace, models: list[str], date: str, goal: str) -> None:
    # What Salesforce wrote knows no goal but the close.
    asked = [name for name in models if name != "salesforce" or goal == "closed"]
    result = space.metrics.influence(models=asked, date=date, goal=goal, grain="month")
    assert off(result, TOTAL if date == "created" else CLOSED, asked) == []


BY: dict[str, dict[str, Any]] = {
    "campaign": {"by": ["campaign"]},
    "type": {"by": ["campaign_type"]},
    "path": {"by": ["campaign_path"]},
    "deal": {"by": ["generated_by"]},
    "product": {"by": ["product_family"]},
    "both": {"by": ["campaign_type", "lead_source"], "grain": "quarter"},
    "below": {"hierarchy": "total"},
}


@pytest.mark.parametrize("name", BY)
def test_every_model_by_every_kind_of_dimension(space: Workspace, models: list[str], name: str) -> None:
    for scope, window in turned([*itertools.product(touches.SCOPES, touches.WINDOWS)], 5 * list(BY).index(name)):
        result = space.metrics.influence(models=models, scope=scope, window=window, **BY[name])
        found = off(result, TOTAL, models)
        if name == "below":
            found = [line for line in found if " rows: " not in line]
        assert found == [], (scope, window)


def test_the_org_has_every_part(space: Workspace) -> None:
    """What the grid adds up is there to be added up."""
    chosen = ["full_path", "primary_campaign"]
    every = [space.metrics.influence(models=chosen, scope=scope).table.to_pylist() for scope in touches.SCOPES]
    reasons = {row["reason"] for rows in every for row in rows}
    wanted = {"no person in scope", "only undated responses", "only excluded responses", "no primary campaign"}
    assert wanted <= reasons
    assert {row["bucket"] for rows in every for row in rows} >= {"pending", "unattributed"}
    by_account, with_matched = ({row["responses"] for row in rows if row["campaign_id"] == org.A} for rows in every[2:])
    assert by_account != with_matched, "the matched lead changes nothing"
