"""The checks of dates, history, close dates, bulk loads, volumes: a small org with each fault, worked on paper."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from functools import cache

import pytest

from leadline.audit import limits
from leadline.audit.registry import BY_CODE, CHECKS, require_known
from leadline.audit.volumes import _flagged
from leadline.config import AuditSettings, ResponseSettings, Settings, StageSource
from leadline.errors import ConfigError
from tests.audit_orgs import Audit, audited
from tests.contracts.code import ROOT
from tests.oracle.tiny import FULL, Tiny, at

DAY = dt.date
DEAL, MEMBER = "Opportunity", "CampaignMember"
LIMITS = {"bulk-loaded-day": 3.0, "close-date-pushed": 2.0, "zone-suspicion": 2.0, "object-stale": 20.0}
"""Limits small enough for an org on paper."""

LISTED: dict[tuple[str, str], set[str]] = {
    ("responded-status-drift", MEMBER): {"d1", "d2"},
    ("bulk-loaded-day", MEMBER): {"b1", "b2", "b3"},
    ("sent-counted-elsewhere", MEMBER): {"d2", "s1"},
    ("zone-suspicion", MEMBER): {"z1", "z2"},
    ("stage-dates-out-of-order", "Contact"): {"C2"},
    ("stage-before-creation", "Lead"): {"L2"},
    ("negative-duration", "Lead"): {"L3"},
    ("negative-duration", MEMBER): {"n1"},
    ("negative-duration", "Campaign"): {"short"},
    ("negative-duration", "Event"): {"e1"},
    ("picklist-value-changed", "Lead"): {"L1"},
    ("picklist-value-changed", DEAL): {"D1"},
    ("history-ages-out", "LeadHistory"): {"old18", "old24"},
    ("orphan-record", "LeadHistory"): {"lost"},
    ("orphan-record", "Contact"): {"C2"},
    ("orphan-record", DEAL): {"D2"},
    ("deleted-record", "Lead"): {"LD"},
    ("deleted-record", "Campaign"): {"gone"},
    ("deleted-record", DEAL): {"DD"},
    ("merged-record", "Contact"): {"CM"},
    ("mixed-currency", DEAL): {"D3"},
    ("opportunity-without-account", DEAL): {"D1", "D3", "D4", "D5"},
    ("close-date-past", DEAL): {"D4"},
    ("close-date-pushed", DEAL): {"D5"},
    ("owner-inactive", "Lead"): {"L4"},
    ("owner-inactive", DEAL): {"D4"},
    ("source-unknown", "Lead"): {"L4"},
    ("object-stale", "Lead"): set(),
}
"""Per check and object the records that are planted; an empty set is a finding about the data as a whole."""

FUNNEL = FULL.model_copy(
    update={
        "stages": [
            stage.model_copy(update={"sources": [StageSource(object="Contact", field="SAL_Date__c", stamp=True)]})
            if stage.name == "SAL"
            else stage
            for stage in FULL.stages
        ]
    }
)
"""The usual funnel, with a date field of contacts for SAL."""

OF_DEPTH = {code for code, _ in LISTED} | {"close-dates-bunched", "open-longer-than-any-close", "volume-jump"}


def planted() -> Tiny:
    """As-of is 2024-12-31 12:00 UTC; the reporting zone is New York, five hours behind."""
    tiny = Tiny("America/New_York", FUNNEL)
    _shared(tiny)
    _people(tiny)
    _members(tiny)
    _deals(tiny)
    return tiny


def _shared(tiny: Tiny) -> None:
    for code, rate in (("USD", 1), ("EUR", 2)):
        tiny.add("CurrencyType", code, IsoCode=code, ConversionRate=rate, DecimalPlaces=2, IsCorporate=code == "USD")
    tiny.add("User", "u1", Name="Here", IsActive=True)
    tiny.add("User", "u2", Name="Left", IsActive=False)
    tiny.add("Campaign", "camp", Name="Web", StartDate=DAY(2024, 1, 1), EndDate=DAY(2024, 2, 1))
    tiny.add("Campaign", "short", Name="Short", StartDate=DAY(2024, 2, 1), EndDate=DAY(2024, 1, 1))
    tiny.add("Campaign", "gone", Name="Gone", IsDeleted=True)
    for label, says in (("Sent", False), ("Responded", True)):
        tiny.add("CampaignMemberStatus", label, CampaignId="camp", Label=label, HasResponded=says)
    for status in ("Open", "MQL"):
        tiny.add("LeadStatus", status, MasterLabel=status, ApiName=status, IsConverted=False)
    for stage in ("Prospecting", "Proposal"):
        tiny.add("OpportunityStage", stage, MasterLabel=stage, ApiName=stage, IsClosed=False, IsWon=False)
    tiny.add("Account", "A1", Name="Alpha")


def _people(tiny: Tiny) -> None:
    # The newest stamp of all leads lies 21 days before as-of: more than the limit of 20.
    tiny.lead("L1", SystemModstamp=at("2024-12-10T10:00"))
    tiny.status("L1", "2024-05-01T10:00", "Warm", "MQL")
    tiny.lead("L2", "2024-05-01T10:00", MQL_Date__c="2024-04-30")
    tiny.lead("L3", "2024-05-02T10:00", IsConverted=True, ConvertedContactId="C1", ConvertedDate=DAY(2024, 5, 1))
    tiny.lead("L4", OwnerId="u2", LeadSource="unknown ")
    tiny.lead("L5", OwnerId="u1", LeadSource="Web")
    tiny.lead("LD", IsDeleted=True)
    tiny.contact("C1", AccountId="A1")
    tiny.contact("C2", AccountId="A9", MQL_Date__c="2024-06-10", SAL_Date__c="2024-06-09")
    tiny.contact("CM", IsDeleted=True, MasterRecordId="C1")
    # The edge of 18 months is 2023-06-30, that of 24 months 2022-12-31 (as the day in New York is 2024-12-31).
    for name, day in (("old18", "2023-07-15T10:00"), ("old24", "2023-02-01T10:00"), ("safe", "2023-05-01T10:00")):
        tiny.add("LeadHistory", name, LeadId="L5", CreatedDate=at(day), Field="Rating", OldValue="a", NewValue="b")
    tiny.add("LeadHistory", "lost", LeadId="LX", CreatedDate=at("2024-06-01T10:00"), Field="Rating")
    tiny.add("Event", "e1", StartDateTime=at("2024-05-01T10:00"), EndDateTime=at("2024-05-01T09:00"), WhoId="C1")
    tiny.add("Event", "e2", StartDateTime=at("2024-05-01T10:00"), EndDateTime=at("2024-05-01T10:00"), WhoId="C1")


def _members(tiny: Tiny) -> None:
    answered = {"Status": "Responded"}
    tiny.member("d1", "C1", "2024-03-01", Status="Sent")
    tiny.member("d2", "C1", None, HasResponded=False, Status="Responded")
    tiny.member("s1", "C1", None, HasResponded=False, Status="Sent")
    tiny.member("s2", "L5", None, HasResponded=False, Status="Sent")
    # Three by one user within one hour of UTC; the fourth came in the next one, the fifth by another user.
    for name, minute, user in (
        ("b1", "10:00", "u1"),
        ("b2", "10:30", "u1"),
        ("b3", "10:59", "u1"),
        ("b4", "11:00", "u1"),
        ("b5", "10:30", "u2"),
    ):
        tiny.member(name, "L5", f"2024-06-03T{minute}", CreatedById=user, **answered)
    # 03:00 UTC is 23:00 of the day before in New York (summer time): z1 and z2 hold the UTC day, z3 the local one.
    for name, day, made in (
        ("z1", "2024-07-02", "2024-07-02T03:00"),
        ("z2", "2024-07-03", "2024-07-03T03:00"),
        ("z3", "2024-07-03", "2024-07-04T03:00"),
    ):
        tiny.member(name, "L5", day, CreatedDate=at(made), **answered)
    tiny.member("n1", "L2", "2024-04-01", **answered)
    tiny.member("g1", "L5", "2024-03-01", campaign="gone", **answered)
    tiny.member("g2", "LD", "2024-03-01", **answered)
    tiny.member("g3", "CM", "2024-03-02", **answered)


def _deals(tiny: Tiny) -> None:
    tiny.deal("D1", "2024-04-01T10:00", ("2024-04-01T10:00", "Idea"), ("2024-05-01T10:00", "Proposal"))
    tiny.deal("D2", "2024-04-01T10:00", AccountId="A9", CampaignId="never")
    tiny.deal("D3", "2024-04-01T10:00", CurrencyIsoCode="EUR", amount="300")
    # D2 to D5 are open: their close date is the last day of the year, the day of as-of, but for D4.
    tiny.deal("D4", "2024-04-01T10:00", OwnerId="u2", CloseDate=DAY(2024, 12, 30))
    tiny.deal("D5", "2024-04-01T10:00")
    tiny.deal("DD", "2024-04-01T10:00", IsDeleted=True)
    for month, close in ((4, DAY(2024, 8, 1)), (5, DAY(2024, 9, 1)), (6, DAY(2024, 7, 1)), (7, DAY(2024, 12, 31))):
        values = {"StageName": "Prospecting", "CloseDate": close, "OpportunityId": "D5"}
        tiny.add("OpportunityHistory", f"p{month}", CreatedDate=at(f"2024-{month:02}-01T10:00"), **values)
    tiny.role("C1", "D1", primary=True)
    tiny.role("C1", "DD")


@cache
def org() -> Audit:
    """The org with every fault, with limits for so few records."""
    tiny = planted()
    own = {code: AuditSettings(limit=limit) for code, limit in LIMITS.items()}
    return audited(tiny.org, tiny.settings.model_copy(update={"audit": own}))


def test_every_planted_record_is_found_and_no_other() -> None:
    opened, _, _ = org()
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in opened.arrow(opened["findings"]).to_pylist():
        if row["code"] in OF_DEPTH:
            found[row["code"], row["object"]] = set()
    for row in opened.arrow(opened["finding_records"]).to_pylist():
        if row["code"] in OF_DEPTH:
            found[row["code"], row["object"]].add(row["record_id"])
    assert dict(found) == LISTED


def test_a_check_without_hits_says_nothing() -> None:
    opened, _, _ = org()
    rows = opened.arrow(opened["findings"]).to_pylist()
    assert all(row["row_count"] or row["whole"] for row in rows)


def test_amounts_of_two_currencies_are_told_plain_and_converted() -> None:
    opened, _, _ = org()
    (row,) = [row for row in opened.arrow(opened["findings"]).to_pylist() if row["code"] == "mixed-currency"]
    # Five opportunities of 100 USD but for D3: 300 EUR at 2 EUR per USD.
    assert "all amounts would be 700.00; converted they are 550.00 USD" in row["message"]


def test_deleted_records_say_what_they_take_along() -> None:
    opened, _, _ = org()
    says = {
        row["object"]: row["message"]
        for row in opened.arrow(opened["findings"]).to_pylist()
        if row["code"] == "deleted-record"
    }
    assert says["Lead"].startswith("1 deleted Lead records still have 1 campaign members or contact roles")
    assert says[DEAL].startswith("1 deleted Opportunity records still have 1 ")


def test_a_bunch_on_the_last_day_of_quarters_needs_many_and_more_than_its_share() -> None:
    def bunch(on_last: int, elsewhere: int) -> list[str]:
        tiny = Tiny()
        for number in range(on_last + elsewhere):
            day = DAY(2024, 9, 30) if number < on_last else DAY(2024, 8, 15)
            tiny.deal(f"D{number:03}", "2024-04-01T10:00", StageName="Closed Won", CloseDate=day)
        opened, _, _ = audited(tiny.org, tiny.settings)
        rows = opened.arrow(opened["finding_records"]).to_pylist()
        return [row["record_id"] for row in rows if row["code"] == "close-dates-bunched"]

    assert sorted(bunch(20, 30)) == [f"D{number:03}" for number in range(20)]
    assert bunch(19, 0) == []
    assert bunch(20, 380) == []  # a twentieth, which is the limit


def test_open_longer_than_any_close_needs_many_closed_ones_and_more_than_the_longest() -> None:
    def outlived(closed: int) -> list[str]:
        tiny = Tiny()
        for number in range(closed):
            # The slowest took 30 days; as-of is 2024-12-31.
            tiny.deal(
                f"W{number:02}",
                "2024-06-01T10:00",
                StageName="Closed Lost" if number else "Closed Won",
                CloseDate=DAY(2024, 6, 11 if number else 1) if number < closed - 1 else DAY(2024, 7, 1),
            )
        tiny.deal("same", "2024-12-01T10:00")
        tiny.deal("more", "2024-11-30T10:00")
        tiny.deal("bare", None)
        opened, _, _ = audited(tiny.org, tiny.settings)
        rows = opened.arrow(opened["finding_records"]).to_pylist()
        return [row["record_id"] for row in rows if row["code"] == "open-longer-than-any-close"]

    assert outlived(20) == ["more"]
    assert outlived(19) == []


def counts(series: str, values: list[int]) -> list[dict[str, object]]:
    """Rows of counted days from day 100 on; days without records have no row."""
    return [{"series": series, "day": 100 + at_, "count": value} for at_, value in enumerate(values) if value]


def test_a_day_is_held_against_the_same_weekdays_before() -> None:
    # Weekends bring 10, weekdays 100: only day 60, a weekday with 300, breaks with its weekdays.
    usual = [10 if day % 7 in (5, 6) else 100 for day in range(70)]
    usual[60] = 300
    (hit,) = _flagged(counts("Web", usual), 8)
    # Median 100, no deviation: the spread is the square root of 100.
    assert (hit["series"], hit["day"], hit["count"], hit["score"]) == ("Web", 160, 300, 20.0)


def test_a_day_without_records_is_a_drop_and_short_series_say_nothing() -> None:
    steady = [100] * 70
    steady[65] = 0
    (hit,) = _flagged(counts("Form", steady), 8)
    assert (hit["day"], hit["count"], hit["score"]) == (165, 0, -10.0)
    assert _flagged(counts("Form", [100] * 56), 8) == []
    small = [1] * 70
    small[60] = 20  # 19 more than usual: fewer than what is called sudden
    assert _flagged(counts("Form", small), 8) == []


def test_limits_are_refused_where_a_check_has_none_and_where_they_are_none() -> None:
    given = {"duplicate-email": {"limit": 3.0}, "bulk-loaded-day": {"limit": 0.0}, "volume-jump": {"limit": 4.0}}
    with pytest.raises(ConfigError) as refusal:
        require_known(Settings.model_validate({"audit": given}))
    assert refusal.value.faults == [
        "[audit.duplicate-email] limit = 3: this check has no limit",
        "[audit.bulk-loaded-day] limit = 0 is too small; write a number above 0 "
        "(responses of one campaign written by one user within one hour)",
    ]


def test_every_limit_belongs_to_a_check_and_stands_on_its_page() -> None:
    assert set(limits.LIMITS) <= BY_CODE.keys()
    for code, limit in limits.LIMITS.items():
        page = (ROOT / "docs" / "checks" / f"{code}.md").read_text(encoding="utf-8")
        shown = f"{limit.value:.0%}".replace("%", " %") if limit.value < 1 else f"{limit.value:g}"
        assert f"{shown} " in page, (code, shown)
        assert "limit" in page


def test_codes_are_unique() -> None:
    assert len(BY_CODE) == len(CHECKS)


def test_an_opportunity_that_lacks_two_parents_is_one_record() -> None:
    opened, _, _ = org()
    found = opened["findings"].filter(
        (opened["findings"].code == "orphan-record") & (opened["findings"].object == DEAL)
    )
    (row,) = opened.arrow(found).to_pylist()
    assert row["row_count"] == 1
    assert "1 in AccountId (Account), 1 in CampaignId (Campaign)" in row["message"]


def test_responses_that_the_rules_leave_out_have_no_fault() -> None:
    tiny = planted()
    rules = ResponseSettings(exclude_campaigns=["camp"])
    limits_of = {code: AuditSettings(limit=limit) for code, limit in LIMITS.items()}
    opened, _, _ = audited(tiny.org, tiny.settings.model_copy(update={"audit": limits_of, "responses": rules}))
    found = {(row["code"], row["object"]) for row in opened.arrow(opened["findings"]).to_pylist()}
    assert not found & {(code, MEMBER) for code in ("bulk-loaded-day", "zone-suspicion", "negative-duration")}
    assert ("negative-duration", "Lead") in found
