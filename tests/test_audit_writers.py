"""Who writes records month by month: a jump and a silence, worked on paper."""

from __future__ import annotations

import pytest

from tests.audit_orgs import Audit, audited
from tests.oracle.tiny import Tiny, at

USUAL = 20
"""Records a month of every writer: the median of the months before, and the least whose silence is said."""


def written(tiny: Tiny, writer: str, month: int, count: int) -> None:
    """Leads of one writer on the tenth of a month of 2024."""
    for number in range(count):
        made = at(f"2024-{month:02}-10T10:00")
        tiny.add("Lead", f"{writer}{month:02}{number:03}", CreatedDate=made, CreatedById=writer, IsConverted=False)


@pytest.fixture(scope="module")
def found() -> Audit:
    """Of as-of 31 December: December is not over. Five writers, each as the tests say."""
    tiny = Tiny()
    for user, name in (("u1", "Form"), ("u2", "Sync"), ("u3", "New"), ("u4", "Steady"), ("u5", "Waiting")):
        tiny.add("User", user, Name=name, IsActive=True)
    for month in range(1, 12):
        # Form stops after August.
        written(tiny, "u1", month, USUAL if month <= 8 else 0)
        # Four times the usual in October is a jump; three times in November is none.
        written(tiny, "u2", month, {10: 4 * USUAL, 11: 3 * USUAL}.get(month, USUAL))
        # A tool that begins with much is new, not sudden.
        written(tiny, "u3", month, 200 if month == 7 else 5 if month > 7 else 0)
        written(tiny, "u4", month, USUAL)
        # Nothing in November, but in December again.
        written(tiny, "u5", month, USUAL if month < 11 else 0)
    written(tiny, "u5", 12, 1)
    # One record below the bound: 19 a month fall silent without a word.
    tiny.add("User", "u6", Name="Little", IsActive=True)
    for month in range(1, 9):
        written(tiny, "u6", month, USUAL - 1)
    return audited(tiny.org, tiny.settings)


def test_a_month_far_above_the_ones_before_is_listed(found: Audit) -> None:
    opened = found[0]
    rows = opened.arrow(opened["finding_records"]).to_pylist()
    listed = {row["record_id"] for row in rows if row["code"] == "writer-jump"}
    assert listed == {f"u210{number:03}" for number in range(4 * USUAL)}
    (says,) = [row["message"] for row in opened.arrow(opened["findings"]).to_pylist() if row["code"] == "writer-jump"]
    assert says.endswith("Sync in 2024-10: 80, usually 20.")


def test_a_writer_that_writes_no_more_is_named(found: Audit) -> None:
    opened = found[0]
    (row,) = [row for row in opened.arrow(opened["findings"]).to_pylist() if row["code"] == "writer-silent"]
    assert (row["object"], row["whole"], row["severity"]) == ("Lead", True, "info")
    assert row["message"].endswith("no longer does: Form none after 2024-08, before 20 a month.")
