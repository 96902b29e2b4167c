"""What other tools got wrong when they divided revenue: rule models."""

from __future__ import annotations

import pytest

from leadline import credit_models
from leadline.results import Result
from leadline.workspace import Workspace
from tests.soundness.orgs import Org, name_of, rows

Credits = dict[str, dict[int, dict[str, int]]]
RULES = tuple(
    sorted(
        name
        for name, model in credit_models.load().items()
        if model.touches == "responses" and model.kind not in ("markov", "shapley")
    )
)
NAMES = ("Zebra", "A > B", "42, Ltd")
CREATED, CLOSED = "2026-03-01T10:00:00.000Z", "2026-04-15"
WON = {"StageName": "Closed Won", "IsClosed": "true", "IsWon": "true", "CloseDate": CLOSED}
PLAIN, TWO_LEADS, AFTER, TIES, TWIN_A, TWIN_B, NOBODY, NEGATIVE = range(1, 9)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One org, one deal for each trap; every deal has people of its own."""
    org = Org()
    for number, name in enumerate(NAMES, start=1):
        org.campaign(number, Name=name)
    for deal, amount in (
        (PLAIN, "100"),
        (AFTER, "50"),
        (TIES, "0.01"),
        (TWIN_A, "100"),
        (TWIN_B, "100"),
        (NEGATIVE, "-100"),
    ):
        record = org.deal(deal, CREATED, amount, CampaignId=name_of("Campaign", 1), **WON)
        who = org.contact(deal)
        org.role(deal, record, who, primary=True)
        days = {AFTER: ("2026-04-20", "2026-02-01"), TIES: ("2026-02-01", "2026-02-01")}.get(
            deal, ("2026-01-05", "2026-02-01", "2026-03-20")
        )
        for number, day in enumerate(days, start=1):
            org.response(deal * 10 + number, number, who, day)
    two_leads(org)
    org.deal(NOBODY, CREATED, "70", **WON)
    return org.workspace(tmp_path_factory.mktemp("traps"))


def two_leads(org: Org) -> None:
    """Two leads that became two contacts of one deal, each with the same campaign."""
    record = org.deal(TWO_LEADS, CREATED, "10.01", **WON)
    for number in (201, 202):
        who = org.contact(number)
        org.lead(
            number,
            IsConverted="true",
            ConvertedContactId=who,
            ConvertedOpportunityId=record,
            ConvertedDate="2026-03-01",
            Status="Open",
            CreatedDate="2026-02-01T09:00:00.000Z",
        )
        org.role(number, record, who)
        org.response(number * 10, 1, who, "2026-01-10")


@pytest.fixture(scope="module")
def asked(made: Workspace) -> Result:
    """All models of rules in one table."""
    return made.metrics.influence(models=list(RULES))


@pytest.fixture(scope="module")
def credits(asked: Result) -> Credits:
    """Model → deal → response or bucket → minor units."""
    found: Credits = {}
    for row in rows(asked.records()):
        key = row["unit_id"] if row["bucket"] == "campaign" else row["evidence"]
        of_model = found.setdefault(row["model"], {})
        of_model.setdefault(int(row["opportunity_id"][3:15]), {})[key] = row["credit"]
    return found


@pytest.mark.parametrize("model", RULES)
def test_the_table_adds_up_to_the_deals(asked: Result, credits: Credits, model: str) -> None:
    """Totals not equal to shares × conversions; conversions without touches lost in an inner join; rounding per row."""
    (total,) = [one for one in asked.totals if one["model"] == model]
    own = [row for row in rows(asked) if row["model"] == model]
    amounts = {PLAIN: 10_000, TWO_LEADS: 1_001, AFTER: 5_000, TIES: 1, TWIN_A: 10_000, TWIN_B: 10_000, NOBODY: 7_000}
    amounts[NEGATIVE] = -10_000
    assert total["total_amount"] == sum(amounts.values())
    assert sum(row["won_amount"] + row["open_amount"] + row["lost_amount"] for row in own) == sum(amounts.values())
    assert {deal: sum(parts.values()) for deal, parts in credits[model].items()} == amounts
    assert total["unattributed"]["no person in scope"] == 7_000


@pytest.mark.parametrize("model", RULES)
def test_a_negative_amount_is_the_mirror_of_its_positive(credits: Credits, model: str) -> None:
    found = credits[model]
    assert list(found[NEGATIVE].values()) == [-credit for credit in found[TWIN_A].values()]


@pytest.mark.parametrize("model", RULES)
def test_the_same_journey_twice_counts_twice(credits: Credits, model: str) -> None:
    """Repeated journeys merged into one, or one of them lost."""
    found = credits[model]
    assert [list(found[deal].values()) for deal in (TWIN_A, TWIN_B)] == [list(found[PLAIN].values())] * 2


@pytest.mark.parametrize("model", RULES)
def test_nothing_after_the_sale_is_credited(credits: Credits, model: str) -> None:
    late = name_of("CampaignMember", AFTER * 10 + 1)
    assert all(late not in parts for parts in credits[model].values())


def test_two_leads_of_one_deal_share_it(asked: Result, credits: Credits) -> None:
    """Each lead counted with the whole amount; a campaign of two people twice."""
    members = [name_of("CampaignMember", number) for number in (2010, 2020)]
    assert credits["even"][TWO_LEADS] == dict(zip(members, (501, 500), strict=True))
    (row,) = [row for row in rows(asked) if row["model"] == "even" and row["campaign_id"] == name_of("Campaign", 1)]
    assert row["opportunities"] == len({PLAIN, TWO_LEADS, TIES, TWIN_A, TWIN_B, NEGATIVE})


def test_touches_of_one_day_are_ordered_by_id_and_not_by_name(credits: Credits) -> None:
    """Touches cut alphabetically: Zebra answered first."""
    assert credits["first"][TIES] == {name_of("CampaignMember", TIES * 10 + 1): 1}
    assert credits["last"][TIES] == {name_of("CampaignMember", TIES * 10 + 2): 1}
    assert credits["even"][TIES][name_of("CampaignMember", TIES * 10 + 1)] == 1


def test_touches_between_first_and_last_have_their_part(credits: Credits) -> None:
    """Credit only to campaigns that were first or last."""
    middle = name_of("CampaignMember", PLAIN * 10 + 2)
    assert credits["position"][PLAIN][middle] == 2_000
    assert credits["even"][PLAIN][middle] == 3_333


def test_time_decay_is_normalised_and_halves_in_a_half_life(credits: Credits) -> None:
    """Weights that do not add up to the amount. 100 days, 73 days and 26 days before the close."""
    first, second, third = credits["time_decay"][PLAIN].values()
    assert first + second + third == 10_000
    assert first < second < third
    # 2 to the minus 47 ÷ 7 is 0.00952…, of a sum of 1.0095…: 94 cents of 100.00.
    assert second == 94


def test_names_with_signs_stay_campaigns_of_their_own(asked: Result) -> None:
    assert {row["campaign"] for row in rows(asked)} == {*NAMES, None}
