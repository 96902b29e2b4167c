"""The worked journey of docs/metrics/influence.md: every number of its table, worked by hand there."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from leadline import credit_models
from leadline.workspace import Workspace
from tests.contracts.code import ROOT
from tests.soundness.orgs import Org, name_of, rows

PAGE = ROOT / "docs" / "metrics" / "influence.md"
TOUCHES = 6
NOT_BY_RULE = frozenset({"markov", "shapley", "org_rows"})
"""Kinds whose credit rests on more than one opportunity, or on rows of the org."""


def table() -> dict[str, list[int]]:
    """Model → cents of each touch, as the page says."""
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == TOUCHES + 1 and cells[0].startswith("`") and "." in cells[1]:
            found[cells[0].strip("`")] = [int(Decimal(cell.replace(",", "")) * 100) for cell in cells[1:]]
    return found


WORKED = table()


def journey(*, won: bool = True) -> Org:
    """The org of the page."""
    org = Org()
    campaigns = (("Web", "Web Form"), ("Form", "Web Form"), ("Webinar", "Webinar"), ("Demo", "Demo"))
    for number, (name, kind) in enumerate((*campaigns, ("Event", "Event"), ("Dinner", "Event")), start=1):
        org.campaign(number, Name=name, Type=kind)
    closed = {"StageName": "Closed Won", "IsClosed": "true", "IsWon": "true", "CloseDate": "2025-05-06"} if won else {}
    deal = org.deal(
        1,
        "2025-03-03T10:00:00.000Z",
        "100000",
        CampaignId=name_of("Campaign", 4),
        **{"CloseDate": "2025-12-31"} | closed,
    )
    people = {}
    for number, (who, role) in enumerate((("A", "Decision Maker"), ("B", "Influencer"), ("C", "Evaluator")), start=1):
        created = "2025-03-03T09:00:00.000Z" if who == "B" else "2024-06-01T09:00:00.000Z"
        people[who] = org.contact(number, CreatedDate=created)
        org.role(number, deal, people[who], primary=who == "A")
        org.rows["OpportunityContactRole"][-1] |= {"Role": role, "CreatedDate": "2025-03-03T11:00:00.000Z"}
    org.lead(
        1,
        Status="Open",
        IsConverted="true",
        ConvertedContactId=people["B"],
        ConvertedOpportunityId=deal,
        ConvertedDate="2025-03-03",
        CreatedDate="2025-02-01T15:00:00.000Z",
    )
    touches = (
        ("A", "2025-01-05", "Visited"),
        ("B", "2025-02-01", "Responded"),
        ("A", "2025-02-20", "Attended"),
        ("B", "2025-03-01", "Responded"),
        ("C", "2025-04-10", "Attended"),
        ("C", "2025-05-01", "Attended"),
    )
    for number, (who, day, status) in enumerate(touches, start=1):
        moment = f"{day}T08:00:00.000Z"
        org.response(number, number, people[who], day, Status=status, CreatedDate=moment, LastModifiedDate=moment)
    return org


@pytest.fixture(scope="module")
def won(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return journey().workspace(tmp_path_factory.mktemp("worked"), extracted_at="2025-07-01T00:00:00Z")


def credits(made: Workspace, *models: str) -> dict[str, list[int]]:
    """Model → cents of each touch by the engine; a touch without credit has 0."""
    found = {model: [0] * TOUCHES for model in models}
    for row in rows(made.metrics.influence(models=list(models)).records()):
        if row["bucket"] == "campaign":
            found[row["model"]][int(row["campaign_id"][3:15]) - 1] = row["credit"]
    return found


def test_the_table_holds_every_model_of_rules() -> None:
    by_rule = {name for name, model in credit_models.load().items() if model.kind not in NOT_BY_RULE}
    assert set(WORKED) == by_rule
    assert {sum(cents) for cents in WORKED.values()} == {10_000_000}


def test_every_number_of_the_table_is_what_the_engine_gives(won: Workspace) -> None:
    assert credits(won, *WORKED) == WORKED


def test_an_open_opportunity_keeps_the_weight_of_its_close(tmp_path: Path) -> None:
    made = journey(won=False).workspace(tmp_path, extracted_at="2025-05-06T12:00:00Z")
    found = credits(made, "full_path")["full_path"]
    assert found == [2_250_000, 2_250_000, 333_334, 2_250_000, 333_333, 333_333]
    (total,) = made.metrics.influence(models=["full_path"]).totals
    parts = {name: total[f"{name}_amount"] for name in ("total", "credited", "pending", "unattributed")}
    assert parts == {"total": 10_000_000, "credited": 7_750_000, "pending": 2_250_000, "unattributed": 0}
    assert (total["open_pending_amount"], total["won_pending_amount"]) == (2_250_000, 0)
    (row,) = [row for row in rows(made.metrics.influence(models=["full_path"])) if row["bucket"] == "pending"]
    assert (row["open_amount"], row["reason"], row["campaign_id"], row["opportunities"]) == (2_250_000, None, None, 1)


def test_one_opportunity_shows_each_touch_with_its_rules_and_adds_up(won: Workspace) -> None:
    deal = name_of("Opportunity", 1)
    found = won.metrics.deal_credit(deal, models=["role_points", "u_shaped"])
    told = [row for row in rows(found) if row["model"] == "role_points"]
    assert [row["points"] for row in told] == [45, 25, 40, 45, 25, 25]
    assert [row["credit"] for row in told] == WORKED["role_points"]
    assert told[0]["rules"] == "base +10, status +5, role +20, touch +10"
    assert told[3]["holds"] == "opportunity creation"
    u_shaped = [row for row in rows(found) if row["model"] == "u_shaped"]
    assert [row["why"] for row in u_shaped] == [None, None, *["no points"] * 4]
    assert {total["total_amount"] for total in found.totals} == {10_000_000}
    assert rows(won.metrics.deal_credit(deal[:15], models=["u_shaped"])) == u_shaped
