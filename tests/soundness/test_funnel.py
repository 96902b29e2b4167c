"""Loops, skips, backward steps, and cohorts that are not old enough."""

from __future__ import annotations

from tests.soundness.orgs import FUNNEL, STAMPED, Org, counts, rows


def test_a_stage_entered_three_times_is_entered_once(tmp_path):
    org = Org()
    org.campaign(1)
    lead = org.lead(1, Status="MQL")
    path = ["MQL", "SAL", "MQL", "SAL", "MQL"]
    for number, (before, after) in enumerate(zip(["Open", *path], path, strict=False), start=1):
        org.status(number, lead, f"2026-03-{number:02d}T10:00:00.000Z", before, after)
    made = org.workspace(tmp_path)
    by_stage = {row["stage"]: row for row in rows(made.metrics.volume())}
    assert (by_stage["MQL"]["count"], by_stage["MQL"]["re_entries"], by_stage["MQL"]["regressions"]) == (1, 2, 2)
    assert (by_stage["SAL"]["count"], by_stage["SAL"]["re_entries"], by_stage["SAL"]["regressions"]) == (1, 1, 0)


def test_time_in_a_stage_adds_up_its_visits_and_leaves_out_what_lay_between(tmp_path):
    org = Org()
    org.campaign(1)
    lead = org.lead(1, Status="SQL")
    path = [("01", "Open", "MQL"), ("03", "MQL", "SAL"), ("10", "SAL", "MQL"), ("11", "MQL", "SAL")]
    for number, (day, before, after) in enumerate(path, start=1):
        org.status(number, lead, f"2026-03-{day}T10:00:00.000Z", before, after)
    made = org.workspace(tmp_path)
    (listed,) = rows(made.metrics.velocity(from_stage="MQL", to_stage="MQL").records())
    # Two days and one day; the week in SAL between them is not MQL's.
    assert listed["days"] == 3


def test_a_stamp_before_the_earlier_stage_is_no_negative_time_and_no_conversion(tmp_path):
    org = Org()
    org.campaign(1)
    org.lead(1, MQL_Date__c="2026-03-10", SAL_Date__c="2026-03-01")
    org.lead(2, MQL_Date__c="2026-03-01", SAL_Date__c="2026-03-05")
    made = org.workspace(tmp_path, settings=STAMPED)
    (row,) = rows(made.metrics.conversion(from_stage="MQL", to_stage="SAL", window_days=30))
    assert (row["started"], row["converted"], row["out_of_order"]) == (1, 1, 1)
    times = rows(made.metrics.velocity(from_stage="MQL", to_stage="MQL").records())
    assert all(row["days"] >= 0 for row in times)
    (between,) = rows(made.metrics.velocity(measure="elapsed", from_stage="MQL", to_stage="SAL"))
    assert (between["n"], between["excluded"]) == (1, 1)


def test_units_whose_window_has_not_passed_are_in_no_rate(tmp_path):
    org = Org()
    org.campaign(1)
    org.lead(1, MQL_Date__c="2026-03-01", SAL_Date__c="2026-03-05")
    org.lead(2, MQL_Date__c="2026-03-01")
    # Ten days before as-of: has converted already, and still says nothing about its cohort's rate.
    org.lead(3, MQL_Date__c="2026-06-20", SAL_Date__c="2026-06-21")
    org.lead(4, MQL_Date__c="2026-06-20")
    made = org.workspace(tmp_path, settings=STAMPED)
    (row,) = rows(made.metrics.conversion(from_stage="MQL", to_stage="SAL", window_days=30))
    assert (row["started"], row["converted"], row["too_young"], row["rate"]) == (2, 1, 2, 0.5)


def test_a_skipped_stage_is_reached_but_never_timed(tmp_path):
    org = Org()
    org.campaign(1)
    contact = org.contact(1)
    org.response(1, 1, contact, "2026-02-01")
    deal = org.deal(
        1,
        "2026-03-01T10:00:00.000Z",
        "10",
        IsClosed="true",
        IsWon="true",
        StageName="Closed Won",
        CloseDate="2026-04-01",
    )
    org.role(1, deal, contact, primary=True)
    made = org.workspace(tmp_path, settings=FUNNEL)
    entered = counts(made.metrics.volume(view="entered"), "stage")
    reached = counts(made.metrics.volume(view="cohort"), "stage")
    assert entered == {"Inquiry": 1, "SQL": 1, "Won": 1}
    assert reached == {"Inquiry": 1, "MQL": 1, "SAL": 1, "SQL": 1, "Won": 1}
    by_stage = {row["stage"]: row for row in rows(made.metrics.velocity())}
    assert by_stage["MQL"]["n"] == 0
    assert by_stage["MQL"]["excluded"] == 1


def test_an_open_record_is_open_and_not_a_failure(tmp_path):
    org = Org()
    org.campaign(1)
    for number in range(1, 4):
        org.lead(number, MQL_Date__c="2026-06-01", **({"SAL_Date__c": "2026-06-03"} if number == 1 else {}))
    made = org.workspace(tmp_path, settings=STAMPED)
    (row,) = rows(made.metrics.velocity(from_stage="MQL", to_stage="MQL"))
    # One left after two days, two still wait: a mean of finished cases would say two days.
    assert (row["n"], row["open"], row["median_days"]) == (3, 2, None)
    listed = rows(made.metrics.velocity(from_stage="MQL", to_stage="MQL").records())
    assert sorted(one["evidence"] for one in listed) == ["advanced", "censored", "censored"]


def test_a_reopened_deal_is_won_once(tmp_path):
    org = Org()
    org.campaign(1)
    deal = org.deal(
        1,
        "2026-02-01T10:00:00.000Z",
        "10",
        IsClosed="true",
        IsWon="true",
        StageName="Closed Won",
        CloseDate="2026-05-01",
    )
    org.add(
        "OpportunityStage",
        1,
        MasterLabel="Closed Won",
        ApiName="Closed Won",
        IsClosed="true",
        IsWon="true",
        IsActive="true",
    )
    org.add(
        "OpportunityStage",
        2,
        MasterLabel="Proposal",
        ApiName="Proposal",
        IsClosed="false",
        IsWon="false",
        IsActive="true",
    )
    steps = [
        ("2026-02-01", "Proposal"),
        ("2026-03-01", "Closed Won"),
        ("2026-04-01", "Proposal"),
        ("2026-05-01", "Closed Won"),
    ]
    for number, (day, stage) in enumerate(steps, start=1):
        org.add(
            "OpportunityHistory",
            number,
            OpportunityId=deal,
            StageName=stage,
            Amount="10",
            CloseDate="2026-05-01",
            CreatedDate=f"{day}T10:00:00.000Z",
        )
    made = org.workspace(tmp_path)
    result = made.metrics.volume(unit="opportunities", grain="month")
    won = {row["period"]: row["count"] for row in rows(result) if row["stage"] == "Won" and row["count"]}
    # The win that holds at as-of is the one of May; the first one is history.
    assert won == {"2026-05": 1}
