"""The oracle itself, on orgs small enough to be worked on paper; the comments are the paper."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest

from leadline.config import OpportunitySettings
from leadline.errors import IdentityError
from tests.oracle.answers import Answers
from tests.oracle.clock import period_start
from tests.oracle.conversion import conversion, period_ratio
from tests.oracle.influence import NO_PERSON, NOBODY, NOT_IN_WINDOW, UNDATED, influence, split
from tests.oracle.records import eighteen
from tests.oracle.survival import Spell, advance_median, advance_share, quantile
from tests.oracle.tiny import Tiny
from tests.oracle.units import NO_RESPONSE, units
from tests.oracle.velocity import stuck, velocity, waiting_days
from tests.oracle.volume import standing, volume


def key(text: str) -> dt.datetime:
    """An instant in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def visits(answers: Answers, person: str, number: int = 1) -> list[tuple[str, str, str | None]]:
    """(stage, entered, left) as short text."""
    found = answers.journeys[person, number].track.visits
    return [
        (one.stage, f"{one.entered.key:%m-%dT%H:%M}", f"{one.left.key:%m-%dT%H:%M}" if one.left else None)
        for one in found
    ]


def test_ids_get_the_three_letters_of_their_capitals() -> None:
    # 001A0 → A is the 4th of five: bit 3 = 8 → I; 00006: none → A; Vm9r0 … the platform's own example ends in IAC
    assert eighteen("001A0000006Vm9r") == "001A0000006Vm9rIAC"


def test_a_person_is_the_last_record_that_exists() -> None:
    org = Tiny()
    org.lead("L1", IsDeleted=True, MasterRecordId="L2")  # merged into L2
    org.lead("L2", IsConverted=True, ConvertedContactId="C1")  # converted into C1
    org.contact("C1", IsDeleted=True, MasterRecordId="C2")  # merged into C2
    org.contact("C2")
    org.lead("L3", IsConverted=True, ConvertedContactId="gone")  # the pointer leads nowhere: itself
    org.lead("L4", IsDeleted=True, MasterRecordId="gone")  # nothing of the chain exists
    org.lead("L5", IsConverted=False, ConvertedContactId="C2")  # IsConverted decides
    org.contact("C3", IsDeleted=True)
    expected = {"L1": "C2", "L2": "C2", "C1": "C2", "C2": "C2", "L3": "L3", "L4": None, "L5": "L5", "C3": None}
    assert org.answer().persons == expected


def test_a_chain_of_64_pointers_is_followed_and_one_of_65_is_an_error() -> None:
    org = Tiny()
    for place in range(64):
        org.contact(f"C{place}", IsDeleted=True, MasterRecordId=f"C{place + 1}")
    org.contact("C64")
    assert org.answer().persons["C0"] == "C64"
    org.org["Contact"][64] |= {"IsDeleted": True, "MasterRecordId": "C65"}
    org.contact("C65")
    with pytest.raises(IdentityError):
        org.answer()


def test_evidence_is_the_first_that_is_present() -> None:
    org = Tiny()
    org.settings = org.settings.model_copy(
        update={"responses": org.settings.responses.model_copy(update={"date_field": "At__c"})}
    )
    org.contact("C1")
    org.member("m1", "C1", "2024-05-01", "a", At__c="2024-04-30")
    org.member("m2", "C1", "2024-05-01", "b", At__c="soon")  # no date: passed over
    org.member("m3", "C1", "2024-05-01T10:00", "c", LastModifiedDate=key("2024-05-01T10:01"))  # 60 s
    org.member("m4", "C1", "2024-05-01T10:00", "d", LastModifiedDate=key("2024-05-01T10:01:01"))  # 61 s
    found = org.answer().responses
    assert {name: one.evidence for name, one in found.items()} == {
        "m1": "date_field",
        "m2": "first_responded",
        "m3": "created",
        "m4": None,
    }
    assert found["m1"].key == key("2024-04-30T00:00")
    assert found["m4"].fate == "no_date"


def test_a_status_list_decides_what_is_a_response() -> None:
    org = Tiny()
    rule = org.settings.responses.model_copy(
        update={"responded": "statuses", "statuses": {"Email": ["Clicked"], "*": ["*"]}}
    )
    org.settings = org.settings.model_copy(update={"responses": rule})
    org.add("Campaign", "mail", Type="Email")
    org.add("Campaign", "show", Type="Show")
    org.contact("C1")
    org.member("m1", "C1", "2024-05-01", "mail", Status="Sent")  # Email: only Clicked
    org.member("m2", "C1", "2024-05-01", "show", Status="Sent", HasResponded=False)  # other types: any status
    assert list(org.answer().responses) == ["m2"]


def test_every_fate_once() -> None:
    org = Tiny()
    org.add("Campaign", "mail", Type="Email")
    rule = org.settings.responses.model_copy(update={"exclude_campaign_types": ["Email"]})
    org.settings = org.settings.model_copy(update={"responses": rule})
    org.contact("C1", MQL_Date__c=dt.date(2024, 5, 3))
    org.contact("C2")
    org.member("m1", "C1", "2024-05-01", "a")  # before MQL, not the latest
    org.member("m2", "C1", "2024-05-02", "b")  # the latest before MQL on 05-03
    org.member("m3", "C1", "2024-05-04", "c")  # later
    org.member("m4", "C1", "2024-05-05", "a")  # second in campaign a
    org.member("m5", "C1", "2025-01-01", "d")  # as-of is 2024-12-31
    org.member("m6", "C1", "2024-05-01", "mail")
    org.member("m7", "C1", None, "e")
    org.member("m8", "gone", "2024-05-01", "a")  # no such contact
    org.member("m9", "C2", "2024-05-01", "a")  # C2 has no stage beyond Inquiry
    assert {name: one.fate for name, one in org.answer().responses.items()} == {
        "m1": "joined_before",
        "m2": "tipped",
        "m3": "joined_after",
        "m4": "duplicate_member",
        "m5": "after_as_of",
        "m6": "excluded",
        "m7": "no_date",
        "m8": "excluded",
        "m9": "not_qualified",
    }


def test_lead_and_contact_of_one_person_are_one_response_per_campaign() -> None:
    org = Tiny()
    org.lead("L1", IsConverted=True, ConvertedContactId="C1")
    org.contact("C1")
    org.member("m2", "L1", "2024-05-01", CreatedDate=key("2024-04-01T00:00"))
    org.member("m1", "C1", "2024-05-01", CreatedDate=key("2024-04-02T00:00"))  # same day: CreatedDate decides (D5)
    found = org.answer().responses
    assert found["m2"].fate == "not_qualified"
    assert found["m1"].fate == "duplicate_member"


def test_a_stamp_of_the_same_day_comes_after_the_response() -> None:
    org = Tiny()
    org.contact("C1", MQL_Date__c=dt.date(2024, 5, 1))
    org.member("m1", "C1", "2024-05-01T15:00", "a")
    org.member("m2", "C1", "2024-05-01T15:30", "b")
    answers = org.answer("2024-06-01T00:00")
    # a date-only entry = the later of 00:00 and that day's last response = 15:30; Inquiry from 15:00 to 15:30
    assert visits(answers, "C1") == [("Inquiry", "05-01T15:00", "05-01T15:30"), ("MQL", "05-01T15:30", None)]
    assert answers.journeys["C1", 1].origin == "m2"
    assert answers.responses["m1"].fate == "joined_before"


def test_zero_length_stages_are_kept() -> None:
    org = Tiny()
    org.lead("L1", Status="Working")
    org.status("L1", "2024-05-01T10:00", "Open", "MQL")
    org.status("L1", "2024-05-01T10:00", "MQL", "Working")
    answers = org.answer("2024-06-01T00:00")
    assert visits(answers, "L1") == [("MQL", "05-01T10:00", "05-01T10:00"), ("SAL", "05-01T10:00", None)]


@pytest.mark.parametrize(("responded", "fate"), [("2024-02-01", "tipped"), ("2024-01-31", "joined_before")])
def test_the_look_back_is_90_calendar_days(responded: str, fate: str) -> None:
    # 2024-05-01 − 2024-02-01 = 29 (Feb) + 31 + 30 = 90 days; one day earlier is 91
    org = Tiny()
    org.contact("C1", MQL_Date__c=key("2024-05-01T10:00"))
    org.member("m1", "C1", responded)
    answers = org.answer()
    assert answers.responses["m1"].fate == fate
    assert answers.journeys["C1", 1].origin == ("m1" if fate == "tipped" else None)


@pytest.mark.parametrize(("second", "passes"), [("2024-06-28", 1), ("2024-06-29", 2)])
def test_dormancy_ends_a_journey_on_day_180(second: str, passes: int) -> None:
    # 2024-01-01 + 180 days = 2024-06-29 (2024 is a leap year: day 181 of the year)
    org = Tiny()
    org.contact("C1")
    org.member("m1", "C1", "2024-01-01T20:00", "a")
    org.member("m2", "C1", second, "b")
    answers = org.answer("2024-07-01T00:00")
    assert len(answers.journeys) == passes
    if passes == 2:
        first = answers.journeys["C1", 1]
        assert (first.outcome, first.end and first.end.key) == ("dormant", key("2024-06-29T00:00"))
        assert answers.journeys["C1", 2].outcome == "open"


@pytest.mark.parametrize(("as_of", "outcome"), [("2024-06-28T23:59", "open"), ("2024-06-29T00:00", "dormant")])
def test_dormancy_at_as_of(as_of: str, outcome: str) -> None:
    org = Tiny()
    org.contact("C1")
    org.member("m1", "C1", "2024-01-01T20:00")
    assert org.answer(as_of).journeys["C1", 1].outcome == outcome


def test_recycled_ends_a_pass_and_the_next_stage_event_opens_another() -> None:
    org = Tiny()
    org.lead("L1", Status="MQL")
    org.member("m1", "L1", "2024-02-01", "a")
    org.status("L1", "2024-02-02T09:00", "Open", "MQL")
    org.status("L1", "2024-02-03T09:00", "MQL", "Recycled")
    org.member("m2", "L1", "2024-03-01", "b")
    org.status("L1", "2024-03-02T09:00", "Recycled", "MQL")
    answers = org.answer("2024-04-01T00:00")
    assert visits(answers, "L1", 1) == [
        ("Inquiry", "02-01T00:00", "02-02T09:00"),
        ("MQL", "02-02T09:00", "02-03T09:00"),
    ]
    assert visits(answers, "L1", 2) == [("Inquiry", "03-01T00:00", "03-02T09:00"), ("MQL", "03-02T09:00", None)]
    assert [one.outcome for one in answers.passes_of("L1")] == ["recycled", "open"]
    assert [one.origin for one in answers.passes_of("L1")] == ["m1", "m2"]


def test_an_open_deal_keeps_a_journey_open_and_disqualified_is_a_conflict() -> None:
    org = Tiny()
    org.lead("L1", Status="Disqualified", IsConverted=True, ConvertedOpportunityId="D1")
    org.status("L1", "2024-03-01T00:00", "Open", "Disqualified")
    org.deal("D1", "2024-02-01T00:00", ("2024-02-01T00:00", "Prospecting"))
    journey = org.answer().journeys["L1", 1]  # 333 days later, no activity
    assert (journey.outcome, journey.end, len(journey.conflicts)) == ("open", None, 1)


def test_a_deal_that_opens_as_another_closes_is_held_by_the_same_journey() -> None:
    org = Tiny()
    org.contact("C1")
    org.deal("D1", "2024-02-01T00:00", ("2024-02-01T00:00", "Proposal"), ("2024-03-01T09:00", "Closed Won"))
    org.deal("D2", "2024-03-01T09:00", ("2024-03-01T09:00", "Prospecting"), ("2024-04-01T09:00", "Closed Lost"))
    org.role("C1", "D1")
    org.role("C1", "D2")
    answers = org.answer()
    # creation (a stage) comes before the close of the same instant; then D1 closes and SQL of D2 is left
    assert visits(answers, "C1") == [
        ("SQL", "02-01T00:00", "02-01T00:00"),
        ("Proposal", "02-01T00:00", "03-01T09:00"),
        ("SQL", "03-01T09:00", "04-01T09:00"),
    ]
    journey = answers.journeys["C1", 1]
    assert (len(answers.journeys), journey.held, journey.outcome) == (1, ["D1", "D2"], "won")
    assert journey.end
    assert journey.end.key == key("2024-04-01T09:00")
    assert [len(journey.track.regressions), len(journey.track.re_entries)] == [1, 1]
    # D2's creation is a lower entry on another record while D1 stands at Proposal
    assert [stage for stage, _ in journey.track.requalifications] == ["SQL"]
    assert journey.track.first["Won"].key == key("2024-03-01T09:00")


def test_won_then_lost_counts_as_lost_ever_won_and_reopened() -> None:
    org = Tiny()
    org.contact("C1")
    steps = (
        ("2024-02-01T00:00", "Prospecting"),
        ("2024-03-01T00:00", "Closed Won"),
        ("2024-04-01T00:00", "Closed Lost"),
    )
    org.deal("D1", "2024-02-01T00:00", *steps)
    org.role("C1", "D1")
    answers = org.answer()
    deal = answers.opportunities["D1"]
    assert (deal.state, deal.ever_won, deal.reopened) == ("lost", True, True)
    assert deal.close
    assert deal.close.key == key("2024-04-01T00:00")
    assert "Won" not in answers.journeys["C1", 1].track.first
    # at an earlier as-of the row in force says won (D13)
    earlier = org.answer("2024-03-15T00:00").opportunities["D1"]
    assert (earlier.state, earlier.ever_won, earlier.reopened) == ("won", True, False)


def test_close_without_history() -> None:
    org = Tiny()
    closed = {"StageName": "Closed Won"}
    org.deal("D1", "2024-02-01T00:00", **closed, LastStageChangeDate=key("2024-03-01T08:00"))
    org.deal("D2", "2024-02-01T00:00", **closed, CloseDate=dt.date(2024, 3, 5))  # end of its day
    org.deal("D3", "2024-02-01T00:00", **closed, CloseDate=dt.date(2024, 1, 5))  # before creation
    org.deal("D4", "2024-02-01T00:00", **closed, CloseDate=dt.date(2024, 12, 31))  # as-of's day: cut to as-of (D2)
    org.deal("D5", "2024-02-01T00:00", **closed, CloseDate=dt.date(2025, 1, 1))  # counts as open
    found = org.answer().opportunities
    assert {name: deal.close.key if deal.close else None for name, deal in found.items()} == {
        "D1": key("2024-03-01T08:00"),
        "D2": key("2024-03-05T23:59:59"),
        "D3": key("2024-02-01T00:00"),
        "D4": key("2024-12-31T12:00"),
        "D5": None,
    }
    assert found["D5"].state == "open"


def test_persons_younger_than_the_deal_are_attached() -> None:
    org = Tiny()
    org.contact("C1", "2024-02-01T20:00")  # same day counts
    org.contact("C2", "2024-02-02T00:00")
    org.contact("C3")
    org.deal("D1", "2024-02-01T08:00", ("2024-02-01T08:00", "Prospecting"))
    for contact in ("C1", "C2"):
        org.role(contact, "D1")
    org.role("C3", "D1", created="2025-06-01T00:00")  # the role is newer than as-of
    answers = org.answer()
    assert list(answers.journeys) == [("C1", 1)]
    assert answers.attached == {("C2", "D1")}


def test_origin_journey_converted_lead_then_primary_role_then_start() -> None:
    org = Tiny()
    for contact, day in {"C1": "2024-01-05", "C2": "2024-01-06", "C3": "2024-01-07"}.items():
        org.contact(contact)
        org.member(f"m{contact}", contact, day)
    org.lead("L1", IsConverted=True, ConvertedContactId="C3", ConvertedOpportunityId="D3")
    for deal in ("D1", "D2", "D3"):
        org.deal(deal, "2024-02-01T08:00", ("2024-02-01T08:00", "Prospecting"))
        for contact in ("C1", "C2", "C3"):
            org.role(contact, deal, primary=contact == "C2" and deal != "D1")
    found = org.answer().opportunities
    assert {name: deal.origin for name, deal in found.items()} == {"D1": ("C1", 1), "D2": ("C2", 1), "D3": ("C3", 1)}


def test_a_date_only_creation_lies_at_that_days_last_response() -> None:
    org = Tiny()
    org.contact("C1")
    org.member("m1", "C1", "2024-02-01T15:00")
    org.deal("D1", "2024-02-01", ("2024-02-01T09:00", "Proposal"))
    org.role("C1", "D1")
    answers = org.answer()
    # creation at 15:00 for C1; the history row of 09:00 cannot lie before it
    assert visits(answers, "C1") == [
        ("Inquiry", "02-01T15:00", "02-01T15:00"),
        ("SQL", "02-01T15:00", "02-01T15:00"),
        ("Proposal", "02-01T15:00", None),
    ]
    assert answers.responses["m1"].fate == "tipped"
    own = answers.opportunities["D1"].track.first
    assert (own["SQL"].key, own["Proposal"].key) == (key("2024-02-01T00:00"), key("2024-02-01T09:00"))


def test_untimed_statuses_move_nothing() -> None:
    org = Tiny()
    org.lead("L1", Status="Working")  # no history at all: unknown time, no journey else → an undated one
    org.lead("L2", Status="MQL")
    org.member("m1", "L2", "2024-02-01")
    answers = org.answer("2024-03-01T00:00")
    assert answers.journeys["L1", 1].start is None
    assert answers.journeys["L1", 1].track.reached(answers.stages) == {"Inquiry", "MQL", "SAL"}
    assert visits(answers, "L2") == [("Inquiry", "02-01T00:00", None)]
    assert answers.journeys["L2", 1].track.furthest(answers.stages) == "MQL"
    assert answers.responses["m1"].fate == "not_qualified"


def test_before_the_load_a_present_status_counts_from_when_tracking_shows_it() -> None:
    org = Tiny()
    org.lead("L1", "2024-01-01T00:00", Status="MQL")  # no change since tracking began on 02-01
    org.lead("L2", "2024-01-01T00:00", Status="Working")
    org.status("L2", "2024-02-01T00:00", "Open", "MQL")  # the earliest row anywhere; SAL came without one
    assert ("L1", 1) not in org.answer("2024-01-15T00:00", known_at="2024-06-01T00:00").journeys
    later = org.answer("2024-03-01T00:00", known_at="2024-06-01T00:00").journeys
    assert later["L1", 1].track.untimed == {"MQL"}
    assert later["L2", 1].track.untimed == set()  # last told MQL: when it became SAL nobody knows
    assert org.answer("2024-06-01T00:00", known_at="2024-06-01T00:00").journeys["L2", 1].track.untimed == {"SAL"}


def test_close_dates_by_the_field_never_lie_before_the_creation() -> None:
    org = Tiny()
    steps = (("2024-02-01T09:00", "Prospecting"), ("2024-03-10T09:00", "Closed Won"))
    org.deal("D1", "2024-02-01T09:00", *steps, CloseDate=dt.date(2024, 3, 1))
    org.deal("D2", "2024-02-01T09:00", *steps, CloseDate=dt.date(2024, 1, 1))
    org.deal("D3", "2024-02-01T09:00", *steps, CloseDate=dt.date(2024, 4, 1))
    by_field = OpportunitySettings(close_date="field")
    org.settings = org.settings.model_copy(update={"opportunities": by_field})
    closed = {name: one.close for name, one in org.answer("2024-03-20T00:00").opportunities.items()}
    assert closed["D1"] is not None
    assert (closed["D1"].day, closed["D1"].is_date) == (dt.date(2024, 3, 1), True)
    assert closed["D2"] is not None
    assert closed["D2"].key == key("2024-02-01T09:00")
    assert closed["D3"] is None  # its CloseDate lies after as-of


def test_tracking_that_covers_the_creation_dates_a_first_value() -> None:
    org = Tiny()
    org.lead("L1", "2024-01-01T00:00", Status="Working")
    org.lead("L2", "2024-02-01T00:00", Status="MQL")  # no change: present value, covered → entered at creation
    org.status("L1", "2024-01-20T00:00", "MQL", "Working")  # L1's first value MQL is not covered: no time
    answers = org.answer("2024-03-01T00:00")
    assert visits(answers, "L2") == [("MQL", "02-01T00:00", None)]
    assert visits(answers, "L1") == [("SAL", "01-20T00:00", None)]
    assert answers.journeys["L1", 1].track.untimed == {"MQL"}


def test_backwards_is_a_regression_and_lower_on_another_record_a_requalification() -> None:
    org = Tiny()
    org.lead("L1", Status="MQL", IsConverted=True, ConvertedContactId="C1")
    org.status("L1", "2024-02-01T00:00", "Open", "Working")
    org.contact("C1", MQL_Date__c=key("2024-02-02T00:00"))  # SAL stays
    org.status("L1", "2024-02-03T00:00", "Working", "MQL")  # now both stand at MQL
    answers = org.answer("2024-03-01T00:00")
    track = answers.journeys["C1", 1].track
    assert visits(answers, "C1") == [("SAL", "02-01T00:00", "02-03T00:00"), ("MQL", "02-03T00:00", None)]
    assert [len(track.requalifications), len(track.regressions), len(track.re_entries)] == [1, 1, 0]


def test_money_is_rounded_at_the_door_and_converted_once() -> None:
    org = Tiny()
    for code, rate, digits in (("USD", "1", 2), ("JPY", "150", 0), ("EUR", "0.9", 2), ("GBP", "0.8", 2)):
        corporate = code == "USD"
        org.add("CurrencyType", code, IsoCode=code, ConversionRate=rate, DecimalPlaces=digits, IsCorporate=corporate)
    for start, rate in ((dt.date(2024, 1, 1), "0.5"), (dt.date(2024, 6, 1), "0.8")):
        org.add("DatedConversionRate", f"EUR{start}", IsoCode="EUR", StartDate=start, ConversionRate=rate)
    org.add("DatedConversionRate", "JPY", IsoCode="JPY", StartDate=dt.date(2000, 1, 1), ConversionRate="160")
    amounts = {
        "D1": ("USD", "10.005", dt.date(2024, 5, 1)),  # half-even: 1000 cents
        "D2": ("EUR", "10", dt.date(2024, 5, 31)),  # ÷ 0.5 = 20.00
        "D3": ("EUR", "10", dt.date(2024, 6, 1)),  # ÷ 0.8 = 12.50
        "D4": ("JPY", "100.5", dt.date(2024, 6, 1)),  # door: 100 (half-even); ÷ 160 = 0.625 → 0.62 (half-even)
        "D5": ("GBP", "1", dt.date(2024, 6, 1)),  # no dated rate
        "D6": ("EUR", None, dt.date(2024, 6, 1)),
    }
    for name, (code, amount, day) in amounts.items():
        org.deal(name, "2024-02-01T00:00", amount=amount, CurrencyIsoCode=code, CloseDate=day)
    found = org.answer().opportunities
    assert {name: deal.amount if deal.amount is not None else deal.reason for name, deal in found.items()} == {
        "D1": 1000,
        "D2": 2000,
        "D3": 1250,
        "D4": 62,
        "D5": "no_rate",
        "D6": "no_amount",
    }


def test_amount_and_stage_are_read_at_as_of_where_a_later_row_exists() -> None:
    org = Tiny()
    org.deal("D1", "2024-02-01T00:00", ("2024-02-01T00:00", "Proposal"), ("2024-05-01T00:00", "Closed Won"), amount="7")
    org.org["OpportunityHistory"][0]["Amount"] = Decimal(5)
    assert org.answer("2024-04-30T00:00").opportunities["D1"].amount == 500
    assert org.answer("2024-05-01T00:00").opportunities["D1"].amount == 700


def conversion_org() -> Answers:
    """Five contacts; as-of 2024-12-31, window 90: days up to 2024-10-01 are old enough (10-02 + 90 = 12-31)."""
    org = Tiny()
    for contact, responded, mql in (
        ("C1", "2024-02-01", "2024-02-20"),  # converted after 19 days
        ("C2", "2024-02-01", None),  # started
        ("C3", "2024-10-02", None),  # too young
        ("C4", "2024-03-10", "2024-03-01"),  # MQL first, response later: Inquiry has no visit of its own → implied
        ("C5", "2024-02-01", "2024-06-01"),  # 121 days: started, not converted
    ):
        org.contact(contact, MQL_Date__c=dt.date.fromisoformat(mql) if mql else None)
        org.member(f"m{contact}", contact, responded)
    return org.answer()


def test_cohort_conversion_by_classes() -> None:
    answers = conversion_org()
    rate = conversion(answers, "journeys", "Inquiry", "MQL")[None, ()]
    assert (rate.started, rate.converted, rate.too_young, rate.implied, rate.out_of_order) == (3, 1, 1, 1, 0)
    assert rate.rate == Fraction(1, 3)
    monthly = conversion(answers, "journeys", "Inquiry", "MQL", grain="month")
    assert monthly[dt.date(2024, 2, 1), ()].started == 3
    assert monthly[dt.date(2024, 3, 1), ()].implied == 1  # by the day of its MQL
    # entries: Inquiry 4 (C4 never stood there), MQL 3
    assert period_ratio(answers, "journeys", "Inquiry", "MQL")[None, ()] == Fraction(3, 4)


def test_volume_in_three_views() -> None:
    answers = conversion_org()
    entered = volume(answers, "entered", grain="month", by=("campaign",))
    # C5's origin is none: 121 days are beyond the look-back of 90; C4's response came after MQL
    assert entered[dt.date(2024, 6, 1), (NO_RESPONSE,), "MQL"].count == 1
    assert entered[dt.date(2024, 2, 1), ("camp",), "Inquiry"].count == 2
    cohort = volume(answers, "cohort")
    assert (cohort[None, (), "Inquiry"].count, cohort[None, (), "Inquiry"].implied) == (5, 1)
    assert (cohort[None, (), "MQL"].count, cohort[None, (), "MQL"].observed) == (3, 3)
    # at 2024-12-31 only C3 (10-02) is left: C5's 06-01 + 180 days = 11-28
    assert standing(answers) == {((), "Inquiry"): 1}
    assert standing(answers, at=key("2024-06-15T00:00")) == {((), "MQL"): 3, ((), "Inquiry"): 1}


def test_out_of_order_is_told_from_started() -> None:
    org = Tiny()
    org.lead("L1", Status="MQL")
    org.status("L1", "2024-02-01T00:00", "Open", "Working")
    org.status("L1", "2024-02-03T00:00", "Working", "MQL")
    rate = conversion(org.answer(), "journeys", "MQL", "SAL")[None, ()]
    assert (rate.started, rate.out_of_order) == (0, 1)


def test_units_people_accounts_and_responses() -> None:
    org = Tiny()
    org.add("Account", "A1")
    org.contact("C1", AccountId="A1", MQL_Date__c=dt.date(2024, 2, 2))
    org.contact("C2", AccountId="A1")
    org.contact("C3")
    org.member("m1", "C1", "2024-02-01", "a")
    org.member("m2", "C2", "2024-01-01", "b")
    org.member("m3", "C1", "2024-12-01", "c")  # C1's second pass: 02-02 + 180 days is long over
    answers = org.answer()
    assert len(units(answers, "journeys")) == 3
    people = {one.id: one for one in units(answers, "people")}
    assert set(people) == {"C1", "C2"}
    assert people["C1"].first["Inquiry"].day == dt.date(2024, 2, 1)
    assert [stage for stage, _ in people["C1"].re_entries] == ["Inquiry"]
    (account,) = units(answers, "accounts")
    assert (account.id, account.dimensions["campaign"], account.first["MQL"].day) == ("A1", "b", dt.date(2024, 2, 2))
    responses = {one.id: one.reached for one in units(answers, "responses")}
    assert responses == {"m1": {"Inquiry", "MQL"}, "m2": {"Inquiry"}, "m3": {"Inquiry"}}


def test_kaplan_meier_and_aalen_johansen() -> None:
    # times 1 (advanced), 2 (censored), 3 (exit), 4 (advanced), 5 (censored); at risk 5, 4, 3, 2, 1
    causes = ["advanced", None, "exit", "advanced", None]
    spells = [Spell(Fraction(day), cause) for day, cause in enumerate(causes, start=1)]
    # S: 4/5, then × 2/3 = 8/15, then × 1/2 = 4/15. Advanced: 1/5 + 8/15 × 1/2 = 7/15
    assert quantile(spells, Fraction(1, 2)) == 4
    assert quantile(spells, Fraction(1, 5)) == 2  # met exactly from day 1 to the next end on day 3 (D41)
    assert quantile(spells, Fraction(3, 4)) is None
    assert advance_share(spells) == Fraction(7, 15)
    assert advance_median(spells) == 4  # half of 7/15 is above 1/5


def test_time_in_stage_by_cause() -> None:
    org = Tiny()
    org.lead("L1", Status="Working")
    org.status("L1", "2024-02-01T00:00", "Open", "MQL")
    org.status("L1", "2024-02-02T12:00", "MQL", "Working")  # 1.5 days, advanced
    org.lead("L2", Status="Disqualified")
    org.status("L2", "2024-02-01T00:00", "Open", "MQL")
    org.status("L2", "2024-02-04T00:00", "MQL", "Disqualified")  # 3 days, exit
    org.lead("L3", Status="Odd", MQL_Date__c=dt.date(2024, 2, 1))
    found = dict(velocity(org.answer("2024-02-11T06:00"), "journeys", "MQL")[()])
    assert found["L1", 1] == Spell(Fraction(3, 2), "advanced")
    assert found["L2", 1] == Spell(Fraction(3), "exit")
    assert found["L3", 1] == Spell(Fraction(10), None)  # a date against an instant: calendar days


def test_waiting_days_cross_a_change_of_clocks() -> None:
    # Berlin, 2024-03-31: the day has 23 hours. SAL from 03-30 12:00 to 04-01 12:00 local = 10:00 UTC: 47 h in all
    org = Tiny("Europe/Berlin")
    org.lead("L1", Status="Recycled")
    org.status("L1", "2024-03-30T11:00", "Open", "Working")
    org.status("L1", "2024-04-01T10:00", "Working", "Recycled")
    answers = org.answer("2024-05-01T00:00")
    by_month = waiting_days(answers, "journeys", "month")
    assert by_month[dt.date(2024, 3, 1), (), "SAL"] == Fraction(35, 24)  # 12 h + 23 h
    assert by_month[dt.date(2024, 4, 1), (), "SAL"] == Fraction(1, 2)
    assert waiting_days(answers, "journeys")[None, (), "SAL"] == Fraction(47, 24)


def test_stuck_is_older_than_the_given_days() -> None:
    org = Tiny()
    org.contact("C1", MQL_Date__c=dt.date(2024, 2, 1))
    answers = org.answer("2024-02-11")  # given as a date: whole days
    assert stuck(answers, "journeys", "MQL", 9) == [(("C1", 1), Fraction(10))]
    assert stuck(answers, "journeys", "MQL", 10) == []


@pytest.mark.parametrize(
    ("amount", "points", "shares"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (5, [1, 2, 1], [1, 3, 1]),  # 1.25, 2.5, 1.25: the largest remainder is the middle one
        (0, [1, 1], [0, 0]),
    ],
)
def test_credit_by_largest_remainder(amount: int, points: list[int], shares: list[int]) -> None:
    assert split(amount, points) == shares


def test_influence_by_model_and_window() -> None:
    org = Tiny()
    org.contact("C1")
    org.contact("C2")
    org.member("m1", "C1", "2024-01-10", "a")
    org.member("m2", "C2", "2024-01-20", "b")
    org.member("m3", "C1", "2024-03-01", "c")  # after creation
    org.member("m4", "C2", "2024-04-02", "d")  # after the close
    org.member("m5", "C1", "2023-01-31", "e")  # 366 days before creation
    org.deal("D1", "2024-02-01T09:00", ("2024-02-01T09:00", "Prospecting"), ("2024-04-01T00:00", "Closed Won"))
    org.role("C1", "D1")
    org.role("C2", "D1")
    answers = org.answer()
    (even,) = influence(answers, "even").allocations
    assert (even.amount, even.credits) == (10000, {"m1": 3334, "m2": 3333, "m3": 3333})
    (sourced,) = influence(answers, "even", window="sourced").allocations
    assert (sourced.credits, sourced.other) == ({"m1": 3334, "m2": 3333}, 3333)
    (last,) = influence(answers, "last", window="sourced").allocations
    assert (last.credits, last.other) == ({}, 10000)  # touches without points are no credits
    (first,) = influence(answers, "first", date="closed").allocations
    assert (first.by_campaign(answers), first.day) == ({"a": 10000}, dt.date(2024, 4, 1))


def test_why_nothing_is_attributed() -> None:
    org = Tiny()
    for place in range(1, 4):
        org.contact(f"C{place}")
        org.deal(f"D{place}", "2024-02-01T09:00", ("2024-02-01T09:00", "Prospecting"))
        org.role(f"C{place}", f"D{place}")
    org.deal("D4", "2024-02-01T09:00", ("2024-02-01T09:00", "Prospecting"))
    org.member("m2", "C2", None)
    org.member("m3", "C3", "2022-01-01")
    found = influence(org.answer()).allocations
    assert {one.opportunity: one.reason for one in found} == {
        "D1": NOBODY,
        "D2": UNDATED,
        "D3": NOT_IN_WINDOW,
        "D4": NO_PERSON,
    }
    assert all(one.unattributed == 10000 for one in found)


@pytest.mark.parametrize(
    ("grain", "start"),
    [("week", "2024-05-11"), ("month", "2024-05-01"), ("quarter", "2024-05-01"), ("year", "2024-02-01")],
)
def test_periods_with_a_fiscal_year_from_february_and_weeks_from_saturday(grain: str, start: str) -> None:
    # 2024-05-15 is a Wednesday; quarters from February: Feb–Apr, May–Jul
    assert period_start(dt.date(2024, 5, 15), grain, "saturday", 2) == dt.date.fromisoformat(start)
