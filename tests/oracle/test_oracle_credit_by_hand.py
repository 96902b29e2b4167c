"""The oracle's credit for reaching a stage, and its scope of matched leads, on orgs worked on paper."""

from __future__ import annotations

import datetime as dt

from tests.oracle.influence import NOBODY, influence
from tests.oracle.stage_goal import stage_goal
from tests.oracle.tiny import Tiny, at


def test_reaching_a_stage_is_split_over_the_responses_up_to_it() -> None:
    org = Tiny()
    org.lead("L1", "2024-01-05T09:00", MQL_Date__c=at("2024-03-01"))
    org.member("m1", "L1", "2024-01-02", "a")  # before the lead
    org.member("m2", "L1", "2024-02-10", "b")
    org.member("m3", "L1", "2024-03-01", "c")  # on the day of the stamp: at it
    org.member("m4", "L1", "2024-03-02", "d")  # after it
    org.member("m5", "L1", "2023-02-28", "e")  # 367 days before it, for 2024 has a 29 February
    org.lead("L2", MQL_Date__c=at("2024-05-01"))
    answers = org.answer()
    even = {one.journey[0]: one for one in stage_goal(answers, "even", "MQL")}
    assert even["L1"].credits == {"m1": 333_334, "m2": 333_333, "m3": 333_333}
    assert (even["L1"].day, even["L2"].credits, even["L2"].reason) == (dt.date(2024, 3, 1), {}, NOBODY)
    # First touch and lead creation are m1's; of touches between none lies before the last milestone, so both have all.
    (u_shaped, _) = stage_goal(answers, "u_shaped", "MQL")
    assert u_shaped.credits == {"m1": 1_000_000}
    # The creation and the close of an opportunity are dropped: what is left of the full path is that of U.
    (full_path, _) = stage_goal(answers, "full_path", "MQL")
    assert full_path.credits == {"m1": 1_000_000}
    assert stage_goal(answers, "even", "SAL") == []


def test_leads_matched_to_the_account_count_where_they_are_asked_for() -> None:
    org = Tiny()
    org.add("Account", "A1")
    org.contact("C1", AccountId="A1")
    org.lead("L1")
    org.member("m1", "C1", "2024-02-01", "a")
    org.member("m2", "L1", "2024-02-02", "b")
    org.deal("D1", "2024-03-01T00:00", AccountId="A1")
    answers = org.answer()
    answers.matches = {"L1": "A1"}
    (alone,) = influence(answers, "even", scope="account").allocations
    assert alone.credits == {"m1": 10_000}
    (matched,) = influence(answers, "even", scope="account + matched leads").allocations
    assert matched.credits == {"m1": 5_000, "m2": 5_000}
    answers.matches = {"L1": "A2"}
    (elsewhere,) = influence(answers, "even", scope="account + matched leads").allocations
    assert elsewhere.credits == alone.credits
