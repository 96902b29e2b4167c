"""The address of a page holds its whole state, and nothing in it is ever an error."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadline.web import state
from leadline.web.state import Choice, State, read
from tests.scale import scaled

CHOICES = [
    *state.common(["main", "partner"]),
    Choice("view", ("cohort", "entered")),
    Choice("model", ("even", "first", "last"), "choices", "even,first"),
    Choice("page", kind="number"),
]
DIMENSIONS = ("campaign_type", "country")


def of(query: str) -> State:
    """The state of an address of /funnel."""
    return read("/funnel", parse_qsl(query, keep_blank_values=True), CHOICES, DIMENSIONS)


def test_defaults_stay_out_of_the_address():
    assert of("view=cohort&funnel=main&model=even,first").href() == "/funnel"
    assert of("").get("view") == "cohort"


def test_the_address_is_readable():
    found = of("where=campaign_type%3DPaid+Search&view=entered&from=2026-01-01")
    assert found.href() == "/funnel?from=2026-01-01&view=entered&where=campaign_type=Paid+Search"
    assert not found.notices


@pytest.mark.parametrize(
    "query",
    [
        "view=sideways",
        "from=2026-02-30",
        "from=0001-01-01",
        "to=tomorrow",
        "model=even,even",
        "model=even,nobody",
        "page=-1",
        "page=٣",
        "where=nothing",
        "where=shoe_size=44",
        "where=country=DE&where=country=FR",
        "view=entered&view=cohort",
        "sql=select",
        "from=2026-05-01&to=2026-04-01",
    ],
)
def test_what_cannot_be_read_is_told_once_and_left_aside(query: str):
    found = of(query)
    assert len(found.notices) == 1
    assert not of(urlsplit(found.href()).query).notices


def test_a_filter_replaces_the_one_on_its_dimension_and_can_be_removed():
    found = of("where=country=DE&view=entered")
    assert found.filtered("country", "FR") == "/funnel?view=entered&where=country=FR"
    assert found.filtered("campaign_type", "") == "/funnel?view=entered&where=country=DE&where=campaign_type="
    assert found.unfiltered("country") == "/funnel?view=entered"


def test_other_pages_take_the_filters_along_and_not_what_is_this_page_s_own():
    found = of("where=country=DE&view=entered&from=2026-01-01&unit=people")
    assert found.elsewhere("/velocity") == "/velocity?from=2026-01-01&where=country=DE"


def test_a_question_carries_filters_period_and_what_the_page_adds():
    found = of("where=country=DE&from=2026-01-01&view=entered")
    assert str(found.address("volume", view=found["view"])) == "volume?view=entered&where=country=DE&from=2026-01-01"
    assert str(found.address("velocity", from_=None, to=None, stuck="true")) == "velocity?where=country=DE&stuck=true"


@given(
    st.lists(
        st.tuples(st.sampled_from([one.name for one in CHOICES] + ["where", "x"]), st.text(max_size=30)), max_size=6
    )
)
def test_every_state_survives_its_own_address(pairs: list[tuple[str, str]]):
    found = read("/funnel", pairs, CHOICES, DIMENSIONS)
    again = of(urlsplit(found.href()).query)
    assert (dict(again.values), again.where) == (dict(found.values), found.where)
    assert not again.notices


@pytest.mark.parametrize("value", ["a&b", "a=b", "x y", "ü/ö", "100 %", "#1", "+", "'\"<script>"])
def test_signs_in_values_survive(value: str):
    found = of("")
    query = urlsplit(found.filtered("country", value)).query
    assert of(query).where == (("country", value),)


def test_only_so_many_filters_hold():
    names = [f"d{at}" for at in range(scaled(300))]
    found = read("/", [("where", f"{name}=1") for name in names], CHOICES, names)
    assert len(found.where) == state.MAX_FILTERS
