"""Every check of the registry has a proof: the tests that plant its fault and look for the records, in one list."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from leadline.audit.registry import BY_CODE
from tests import test_audit, test_audit_demo, test_checks_depth

HERE = Path(__file__).parent

PAPER = "test_audit.py::test_every_record_with_a_fault_is_listed_and_no_other"
DEPTH = "test_checks_depth.py::test_every_planted_record_is_found_and_no_other"
DEMO = "test_audit_demo.py::test_every_planted_fault_is_found_and_no_other_record"
MATCHED = "test_matching_checks.py::test_leads_of_accounts_are_listed_and_doubtful_ones_apart"

PROOFS: dict[str, tuple[str, ...]] = {
    "opportunity-without-role": (PAPER, DEMO),
    "opportunity-without-primary-role": (PAPER, DEMO),
    "duplicate-role": (PAPER,),
    "opportunity-without-account": (DEPTH,),
    "opportunity-without-amount": (PAPER, DEMO),
    "opportunity-without-rate": (PAPER,),
    "opportunity-amount-too-large": (PAPER,),
    "currency-without-rate": (PAPER,),
    "close-before-creation": (PAPER,),
    "closed-without-close-date": (PAPER,),
    "member-without-date": (PAPER, DEMO),
    "no-responses": ("test_audit.py::test_members_of_whom_none_responded_are_counted_with_their_status",),
    "duplicate-member": (PAPER,),
    "dangling-reference": (PAPER,),
    "lead-status-converted-not-converted": (PAPER,),
    "duplicate-email": (PAPER, DEMO),
    "possible-duplicate": ("test_matching_checks.py::test_possible_duplicates_are_taken_for_one",),
    "lead-of-account": (MATCHED,),
    "lead-account-ambiguous": (MATCHED,),
    "stage-not-mapped": (PAPER,),
    "event-after-as-of": (PAPER,),
    "history-starts-late": ("test_audit.py::test_history_that_starts_late_concerns_the_data_as_a_whole",),
    "zone-unknown": ("test_audit.py::test_the_zone_matters_only_to_instants",),
    "campaign-without-cost": (PAPER, DEMO),
    "campaign-without-dates": (PAPER, DEMO),
    "campaign-without-type": (PAPER, DEMO),
    "responded-status-drift": (DEPTH,),
    "bulk-loaded-day": (DEPTH, DEMO),
    "sent-counted-elsewhere": (DEPTH, DEMO),
    "zone-suspicion": (DEPTH,),
    "stage-dates-out-of-order": (DEPTH, DEMO),
    "stage-before-creation": (DEPTH,),
    "negative-duration": (DEPTH,),
    "picklist-value-changed": (PAPER, DEPTH),
    "history-ages-out": (DEPTH,),
    "orphan-record": (DEPTH,),
    "deleted-record": (DEPTH, DEMO),
    "merged-record": (DEPTH, DEMO),
    "mixed-currency": (DEPTH, DEMO),
    "close-date-past": (DEPTH,),
    "close-date-pushed": (DEPTH,),
    "open-longer-than-any-close": (
        "test_checks_depth.py::test_open_longer_than_any_close_needs_many_closed_ones_and_more_than_the_longest",
    ),
    "close-dates-bunched": (
        "test_checks_depth.py::test_a_bunch_on_the_last_day_of_quarters_needs_many_and_more_than_its_share",
    ),
    "owner-inactive": (DEPTH, DEMO),
    "source-unknown": (DEPTH, DEMO),
    "object-stale": (DEPTH,),
    "volume-jump": (
        "test_checks_depth.py::test_a_day_is_held_against_the_same_weekdays_before",
        "test_checks_depth.py::test_a_day_without_records_is_a_drop_and_short_series_say_nothing",
    ),
    "writer-jump": ("test_audit_writers.py::test_a_month_far_above_the_ones_before_is_listed",),
    "writer-silent": ("test_audit_writers.py::test_a_writer_that_writes_no_more_is_named",),
}
"""Check → tests in which its fault is planted and its records, or its sentence, are expected."""

BY_LIST = {
    PAPER: {code for code, _ in test_audit.LISTED},
    DEPTH: {code for code, _ in test_checks_depth.LISTED},
    DEMO: set(test_audit_demo.EXACT),
}
"""Test that goes by a list of faults → the checks of that list."""


def named_in(file: str) -> set[str]:
    """Names of the tests of a file."""
    body = ast.parse((HERE / file).read_text(encoding="utf-8")).body
    return {one.name for one in body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")}


def test_every_check_of_the_registry_has_a_proof():
    assert set(PROOFS) == set(BY_CODE)
    assert all(PROOFS.values())


@pytest.mark.parametrize("place", sorted({place for places in PROOFS.values() for place in places}))
def test_every_proof_is_a_test(place: str):
    file, _, name = place.partition("::")
    assert name in named_in(file)


@pytest.mark.parametrize("place", sorted(BY_LIST))
def test_lists_of_faults_and_proofs_name_the_same_checks(place: str):
    assert {code for code, places in PROOFS.items() if place in places} == BY_LIST[place]
