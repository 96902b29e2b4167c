"""An answer without rows, or without values to split by, says why."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from leadline.workspace import Workspace
from tests.soundness.orgs import STAMPED, Org


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Org()
    made.campaign(1, Type="Webinar")
    made.campaign(2, Type="Event")
    for number, campaign in ((1, 1), (2, 2)):
        made.response(number, campaign, made.lead(number, MQL_Date__c="2026-03-01"), "2026-02-01")
    return made.workspace(tmp_path_factory.mktemp("unmatched"), settings=STAMPED)


NEAR = "None of the journeys has campaign_type 'Webnar'. Did you mean 'Webinar'?"


@pytest.mark.parametrize(
    ("metric", "options"),
    [
        ("volume", {}),
        ("volume", {"view": "standing"}),
        ("conversion", {}),
        ("velocity", {}),
        ("velocity", {"stuck": True}),
    ],
)
def test_a_value_that_nothing_has_is_named_with_the_nearest(
    org: Workspace, metric: str, options: dict[str, Any]
) -> None:
    result = getattr(org.metrics, metric)(where={"campaign_type": "Webnar"}, **options)
    assert result.table.num_rows == 0
    assert NEAR in result.notes


def test_a_value_that_exists_is_not_called_unknown(org: Workspace) -> None:
    result = org.metrics.volume(where={"campaign_type": "Event"}, start=dt.date(2020, 1, 1), end=dt.date(2020, 2, 1))
    assert result.table.num_rows == 0
    assert not any(note.startswith("None of") for note in result.notes)


def test_a_period_after_as_of_has_not_begun(org: Workspace) -> None:
    notes = org.metrics.volume(start=dt.date(2031, 1, 1)).notes
    assert any(note.startswith("The period begins on 2031-01-01, after as-of") for note in notes)


def test_a_period_before_the_data_says_when_they_begin(org: Workspace) -> None:
    notes = org.metrics.conversion(start=dt.date(1990, 1, 1), end=dt.date(1990, 2, 1)).notes
    assert "The period ends before 1990-02-01; the first of the journeys began on 2026-02-01." in notes
    later = org.metrics.conversion(start=dt.date(2026, 3, 2), end=dt.date(2026, 3, 3)).notes
    assert not any("The period ends before" in note for note in later)


def test_a_dimension_without_values_says_what_gives_it_some(org: Workspace) -> None:
    result = org.metrics.volume(by=["generated_by"])
    assert result.table.num_rows > 0
    (said,) = (note for note in result.notes if "generated_by" in note)
    assert "[generated_by] of leadline.toml" in said
    assert not any("campaign_type" in note for note in org.metrics.volume(by=["campaign_type"]).notes)


def test_an_as_of_after_the_newest_load_says_so(org: Workspace) -> None:
    later = org.metrics.volume(as_of=dt.date(2031, 1, 1)).notes
    assert any(note.startswith("As-of lies after what is known") for note in later)
    assert not any("lies after" in note for note in org.metrics.volume().notes)
