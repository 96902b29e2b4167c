"""Zones, the two days a year that have 23 and 25 hours, fiscal years, and events of one second."""

from __future__ import annotations

import pytest

from tests.soundness.orgs import FUNNEL, STAMPED, Org, counts, rows


def answered(org: Org, number: int, at: str) -> str:
    """A contact with one response."""
    who = org.contact(number)
    org.response(number, 1, who, at)
    return who


def test_an_instant_belongs_to_the_day_of_the_reporting_zone(tmp_path):
    org = Org()
    org.campaign(1)
    answered(org, 1, "2026-04-01T03:59:59.000Z")  # 23:59:59 of 31 March in New York
    answered(org, 2, "2026-04-01T04:00:00.000Z")  # midnight
    made = org.workspace(tmp_path, zone="America/New_York")
    result = made.metrics.volume(unit="responses", grain="month")
    assert counts(result, "period", "stage") == {("2026-03", "Inquiry"): 1, ("2026-04", "Inquiry"): 1}


def test_a_plain_date_is_never_shifted_by_a_zone(tmp_path):
    org = Org()
    org.campaign(1)
    answered(org, 1, "2026-04-01")
    for at, zone in enumerate(("Pacific/Kiritimati", "Pacific/Pago_Pago")):
        made = org.workspace(tmp_path / str(at), zone=zone)
        assert counts(made.metrics.volume(unit="responses", grain="day"), "period") == {"2026-04-01": 1}


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        # Clocks go forward on 8 March 2026 and back on 1 November 2026 in New York: noon to noon.
        ("2026-03-07T17:00:00.000Z", "2026-03-08T16:00:00.000Z", 23),
        ("2026-10-31T16:00:00.000Z", "2026-11-01T17:00:00.000Z", 25),
    ],
)
def test_time_between_instants_is_what_a_clock_runs(tmp_path, start, end, hours):
    org = Org()
    org.campaign(1)
    lead = org.lead(1, Status="SAL", CreatedDate="2026-01-01T12:00:00.000Z")
    org.status(1, lead, start, "Open", "MQL")
    org.status(2, lead, end, "MQL", "SAL")
    made = org.workspace(tmp_path, zone="America/New_York", extracted_at="2026-12-01T00:00:00Z")
    (row,) = rows(made.metrics.velocity(from_stage="MQL", to_stage="MQL"))
    (listed,) = rows(made.metrics.velocity(from_stage="MQL", to_stage="MQL").records())
    assert (row["n"], row["open"]) == (1, 0)
    assert listed["evidence"] == "advanced"
    assert listed["days"] == pytest.approx(hours / 24, abs=1e-12)  # one division in floating point


def test_time_between_dates_is_whole_days_even_across_the_switch(tmp_path):
    org = Org()
    org.campaign(1)
    org.lead(1, MQL_Date__c="2026-03-07", SAL_Date__c="2026-03-09")
    made = org.workspace(tmp_path, settings=STAMPED, zone="America/New_York")
    (listed,) = rows(made.metrics.velocity(from_stage="MQL", to_stage="MQL").records())
    assert listed["days"] == 2


def test_quarters_and_years_are_those_of_the_fiscal_calendar(tmp_path):
    org = Org()
    org.campaign(1)
    answered(org, 1, "2026-01-31")
    answered(org, 2, "2026-02-01")
    made = org.workspace(tmp_path, more="fiscal_year_start = 2")
    years = counts(made.metrics.volume(unit="responses", grain="year"), "period")
    quarters = counts(made.metrics.volume(unit="responses", grain="quarter"), "period")
    assert sorted(years.values()) == [1, 1]
    assert len(years) == len(quarters) == 2
    old, new = sorted(quarters)
    # 31 January closes the fiscal year, 1 February opens the next one.
    assert (old[-2:], new[-2:]) == ("Q4", "Q1")


def test_changes_of_one_second_have_one_order_whatever_the_order_of_rows(tmp_path):
    found = []
    for turn, order in enumerate((1, -1)):
        org = Org()
        org.campaign(1)
        lead = org.lead(1, Status="SAL")
        at = "2026-03-01T10:00:00.000Z"
        org.status(1, lead, at, "Open", "MQL")
        org.status(2, lead, at, "MQL", "SAL")
        org.rows["LeadHistory"] = org.rows["LeadHistory"][::order]
        made = org.workspace(tmp_path / str(turn))
        volumes, times = made.metrics.volume(), made.metrics.velocity(from_stage="MQL", to_stage="MQL")
        found.append((rows(volumes), rows(times)))
        (mql,), (listed,) = rows(times), rows(times.records())
        # The stage was passed within its second: a visit of length zero, kept.
        assert (mql["n"], listed["days"]) == (1, 0)
        assert counts(volumes, "stage") == {"MQL": 1, "SAL": 1}
    assert found[0] == found[1]


def test_what_lies_after_as_of_does_not_count_and_is_said(tmp_path):
    org = Org()
    org.campaign(1)
    answered(org, 1, "2026-02-01")
    answered(org, 2, "2026-08-01")
    made = org.workspace(tmp_path, settings=FUNNEL)
    assert counts(made.metrics.volume(unit="responses"), "stage") == {"Inquiry": 1}
    codes = {row["code"] for row in rows(made.audit.table())}
    assert "event-after-as-of" in codes
