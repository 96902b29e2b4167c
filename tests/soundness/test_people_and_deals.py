"""Fan-out, people seen twice, money in several currencies."""

from __future__ import annotations

from leadline.workspace import Workspace
from tests.soundness.orgs import FUNNEL, Org, counts, rows


def three_contacts(org: Org) -> str:
    """A deal of 1,000.01 with three contacts, each of whom responded to two campaigns."""
    for campaign in (1, 2):
        org.campaign(campaign)
    deal = org.deal(1, "2026-03-01T10:00:00.000Z", "1000.01")
    for number in (1, 2, 3):
        who = org.contact(number)
        org.role(number, deal, who, primary=number == 1)
        org.response(number * 10 + 1, 1, who, "2026-02-01")
        org.response(number * 10 + 2, 2, who, "2026-02-02")
    return deal


def total(metrics: Workspace, model: str) -> dict[str, object]:
    """The one row of totals of a model."""
    (found,) = metrics.metrics.influence(models=[model]).totals
    return dict(found)


def test_a_deal_with_three_contacts_and_six_responses_is_one_deal(tmp_path):
    org = Org()
    three_contacts(org)
    made = org.workspace(tmp_path)
    assert counts(made.metrics.volume(unit="opportunities"), "stage") == {"SQL": 1}
    (row,) = [row for row in rows(made.metrics.volume(unit="opportunities")) if row["stage"] == "SQL"]
    assert row["amount"] == 100_001


def test_its_amount_is_credited_once_whatever_the_model(tmp_path):
    org = Org()
    three_contacts(org)
    made = org.workspace(tmp_path)
    for model in ("first", "last", "even", "even_per_campaign"):
        found = total(made, model)
        assert (found["total_amount"], found["credited_amount"], found["unattributed_amount"]) == (100_001, 100_001, 0)
        result = made.metrics.influence(models=[model])
        assert sum(row["open_amount"] for row in rows(result)) == 100_001
        assert sum(row["credit"] for row in rows(result.records())) == 100_001


def test_its_three_journeys_are_three_while_the_deal_stays_one(tmp_path):
    org = Org()
    three_contacts(org)
    made = org.workspace(tmp_path)
    assert counts(made.metrics.volume(unit="journeys"), "stage") == {"Inquiry": 3, "SQL": 3}
    assert counts(made.metrics.volume(unit="accounts"), "stage") == {"Inquiry": 1, "SQL": 1}


def test_a_converted_lead_and_its_contact_are_one_person(tmp_path):
    org = Org()
    org.campaign(1)
    org.campaign(2)
    contact = org.contact(1, CreatedDate="2026-02-10T10:00:00.000Z")
    lead = org.lead(1, IsConverted="true", ConvertedContactId=contact, ConvertedDate="2026-02-10", Status="SAL")
    org.response(1, 1, lead, "2026-01-05")
    # The platform carries the lead's membership over to its contact: the same response, once more.
    org.response(2, 1, contact, "2026-01-05")
    org.response(3, 2, contact, "2026-02-20")
    made = org.workspace(tmp_path)
    assert counts(made.metrics.volume(unit="people"), "stage")["Inquiry"] == 1
    assert counts(made.metrics.volume(unit="journeys"), "stage")["Inquiry"] == 1
    assert counts(made.metrics.volume(unit="responses"), "stage")["Inquiry"] == 2


def test_a_merged_contact_lives_on_in_its_survivor(tmp_path):
    org = Org()
    for campaign in (1, 2, 3):
        org.campaign(campaign)
    survivor, second, third = (org.contact(number) for number in (1, 2, 3))
    # 3 was merged into 2, and 2 into 1: a chain, as repeated cleaning makes it.
    org.rows["Contact"][1].update(IsDeleted="true", MasterRecordId=survivor)
    org.rows["Contact"][2].update(IsDeleted="true", MasterRecordId=second)
    for number, who in enumerate((survivor, second, third), start=1):
        org.response(number, number, who, f"2026-02-0{number}")
    made = org.workspace(tmp_path)
    assert counts(made.metrics.volume(unit="people"), "stage") == {"Inquiry": 1}
    listed = rows(made.metrics.volume(unit="responses").records())
    assert {row["person_id"] for row in listed} == {survivor}
    assert len(listed) == 3


def test_a_deleted_person_without_survivor_counts_nowhere(tmp_path):
    org = Org()
    org.campaign(1)
    org.contact(1)
    gone = org.contact(2, IsDeleted="true")
    org.response(1, 1, gone, "2026-02-01")
    made = org.workspace(tmp_path)
    assert counts(made.metrics.volume(unit="people"), "stage") == {}


RATES = """
[amount]
rate = "static"
"""


def test_amounts_of_several_currencies_are_never_added_up_as_they_are(tmp_path):
    org = Org()
    org.campaign(1)
    for number, (code, rate, corporate) in enumerate(
        [("USD", "1", "true"), ("EUR", "0.8", "false"), ("JPY", "100", "false")]
    ):
        org.add(
            "CurrencyType",
            number,
            IsoCode=code,
            ConversionRate=rate,
            DecimalPlaces="0" if code == "JPY" else "2",
            IsCorporate=corporate,
            IsActive="true",
        )
    org.deal(1, "2026-03-01T10:00:00.000Z", "100.00", CurrencyIsoCode="USD")
    org.deal(2, "2026-03-01T10:00:00.000Z", "100.00", CurrencyIsoCode="EUR")
    org.deal(3, "2026-03-01T10:00:00.000Z", "100", CurrencyIsoCode="JPY")
    org.deal(4, "2026-03-01T10:00:00.000Z", "100", CurrencyIsoCode="CHF")
    made = org.workspace(tmp_path, settings=FUNNEL + RATES)
    (found,) = made.metrics.influence(models=["even"]).totals
    # 100 USD, 100 ÷ 0.8 = 125 USD, 100 ÷ 100 = 1 USD; francs have no rate and stand outside.
    assert found["total_amount"] == 10_000 + 12_500 + 100
    assert found["outside"]["no_rate"] == 1
