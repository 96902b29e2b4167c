"""Conventions, matrix, triangle and change on an org of eight journeys, worked on paper.

    lead  Inquiry     MQL     SAL     SQL     end
    1     01-05       01-10   01-15   01-20   won 02-10
    2     01-06       01-12   -       02-01   open deal
    3     01-07       03-20
    4     01-08
    5     2025-10-01                          dormant after 180 days
    6     06-25                               six days old
    7     02-01       02-20   02-05           SAL before MQL
    8     03-01       03-01   03-01           all on one day

As-of is 2026-07-01. The funnel `short` is the same with SAL optional.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from leadline.errors import UnknownNameError, UsageError
from leadline.metrics.rates import firsts
from leadline.metrics.rates.eventual import estimate
from leadline.metrics.rates.steps import Transition
from leadline.metrics.times.lengths import Lengths
from tests.soundness.orgs import STAMPED, Org, rows
from tests.test_maths_r import CURVES, SAME, durations

# Two ways to divide the same whole numbers.
ROUNDING = 1e-12

_STAGES = STAMPED[STAMPED.index("stages = [") :]
SETTINGS = (
    STAMPED + "\n[funnel.short]\n" + _STAGES.replace('{{ name = "SAL", from', '{{ name = "SAL", optional = true, from')
)


@pytest.fixture(scope="module")
def metrics(tmp_path_factory):
    org = Org()
    org.campaign(1, Name="Programme")
    org.campaign(2, Name="Spring", ParentId="701000000000001AAA")
    org.campaign(3, Name="Fair")
    stamps = {
        1: ("2026-01-10", "2026-01-15"),
        2: ("2026-01-12", ""),
        3: ("2026-03-20", ""),
        7: ("2026-02-20", "2026-02-05"),
        8: ("2026-03-01", "2026-03-01"),
    }
    answered = {
        1: "2026-01-05", 2: "2026-01-06", 3: "2026-01-07", 4: "2026-01-08",
        5: "2025-10-01", 6: "2026-06-25", 7: "2026-02-01", 8: "2026-03-01",
    }  # fmt: skip
    converted = {1: (1, "2026-01-20"), 2: (2, "2026-02-01")}
    for number, day in answered.items():
        mql, sal = stamps.get(number, ("", ""))
        made = {"MQL_Date__c": mql, "SAL_Date__c": sal, "CreatedDate": "2025-09-01T12:00:00.000Z"}
        if number in converted:
            deal, on = converted[number]
            made |= {"IsConverted": "true", "ConvertedDate": on, "ConvertedOpportunityId": f"00600000000000{deal}AAA"}
        org.lead(number, LeadSource="Web" if number < 5 else "List", **made)
        org.response(number, {1: 1, 2: 2}.get(number, 3), f"00Q00000000000{number}AAA", day)
    won = {"StageName": "Closed Won", "IsClosed": "true", "IsWon": "true", "CloseDate": "2026-02-10"}
    org.deal(1, "2026-01-20T10:00:00.000Z", 1000, **won)
    org.deal(2, "2026-02-01T10:00:00.000Z", 500)
    return org.workspace(tmp_path_factory.mktemp("conversion"), settings=SETTINGS).metrics


def step(metrics, start, end, **asked):
    """The one row of a transition."""
    (row,) = rows(metrics.conversion(from_stage=start, to_stage=end, **asked))
    return row


def shown(row, *names):
    return tuple(row[name] for name in names)


COUNTS = ("started", "converted", "too_young", "implied", "out_of_order")


def test_cohort_follows_the_old_ones_and_says_when_the_youngest_is_old_enough(metrics):
    row = step(metrics, "Inquiry", "MQL", window_days=30)
    # Lead 3 took 73 days; lead 7 came to SAL in four days, which is beyond MQL.
    assert shown(row, *COUNTS) == (7, 4, 1, 0, 0)
    # The youngest came on 06-25: its 30 days end with 07-25, and 07-26 is the first day after them.
    assert shown(row, "mature_on", "immature", "waiting") == (dt.date(2026, 7, 26), True, None)


@pytest.mark.parametrize(
    ("period", "counted", "mature_on", "immature"),
    [
        ("2026-01", (4, 2, 0), dt.date(2026, 2, 8), False),
        ("2026-06", (0, 0, 1), dt.date(2026, 7, 26), True),
    ],
)
def test_each_period_says_when_it_is_mature(metrics, period, counted, mature_on, immature):
    result = metrics.conversion(from_stage="Inquiry", to_stage="MQL", window_days=30, grain="month")
    row = next(row for row in rows(result) if row["period"] == period)
    assert shown(row, "started", "converted", "too_young") == counted
    assert shown(row, "mature_on", "immature") == (mature_on, immature)
    assert "Still immature, their rates will move: 2026-06." in result.notes


def test_a_running_period_may_still_take_units_in(metrics):
    result = metrics.conversion(from_stage="Inquiry", to_stage="MQL", window_days=30, grain="year")
    row = next(row for row in rows(result) if row["period"] == "2026")
    # The year ends with 12-31, and its last day has its 30 days with 2027-01-30.
    assert row["mature_on"] == dt.date(2027, 1, 31)


def test_touched_counts_whoever_ever_came(metrics):
    row = step(metrics, "Inquiry", "MQL", convention="touched")
    assert shown(row, *COUNTS) == (8, 5, 0, 0, 0)
    assert shown(row, "window_days", "mature_on") == (None, None)
    # Lead 2 passed SAL by, which is reached all the same.
    assert shown(step(metrics, "SAL", "SQL", convention="touched"), "started", "converted") == (4, 2)
    table = rows(metrics.conversion(convention="touched"))
    assert [row["rate_of_first"] for row in table] == [5 / 8, 4 / 8, 2 / 8, 1 / 8]


def test_in_order_asks_for_every_stage_in_its_turn(metrics):
    # Lead 7 had SAL before MQL.
    assert shown(step(metrics, "Inquiry", "MQL", convention="in-order", window_days=30), "started", "converted") == (
        7,
        3,
    )
    # Lead 2 skipped SAL on its way to SQL: neither into SAL nor from MQL to SQL in order.
    assert shown(step(metrics, "MQL", "SAL", window_days=30), *COUNTS) == (4, 3, 0, 0, 1)
    assert shown(step(metrics, "MQL", "SAL", convention="in-order", window_days=30), *COUNTS) == (4, 2, 0, 0, 1)
    assert step(metrics, "MQL", "SQL", convention="cohort", window_days=60)["converted"] == 2
    assert step(metrics, "MQL", "SQL", convention="in-order", window_days=60)["converted"] == 1


def test_an_optional_stage_may_be_skipped(metrics):
    short = {"funnel": "short", "window_days": 60}
    assert step(metrics, "MQL", "SQL", convention="in-order", **short)["converted"] == 2
    # Who passed it by never was in it: not implied, in no denominator.
    assert shown(step(metrics, "SAL", "SQL", window_days=60), *COUNTS) == (3, 1, 0, 1, 0)
    assert shown(step(metrics, "SAL", "SQL", **short), *COUNTS) == (3, 1, 0, 0, 0)
    assert shown(step(metrics, "SAL", "SQL", convention="touched", funnel="short"), "started", "converted") == (3, 1)
    # The way over it has a row of its own.
    pairs = [shown(row, "from_stage", "to_stage") for row in rows(metrics.conversion(**short))]
    assert pairs == [("Inquiry", "MQL"), ("MQL", "SAL"), ("MQL", "SQL"), ("SAL", "SQL"), ("SQL", "Won")]


def test_eventual_lets_exits_compete_and_the_young_wait(metrics):
    row = step(metrics, "Inquiry", "MQL", convention="eventual")
    # Went on after 0, 4, 5, 6 and 73 days; one left after 180; two wait (6 and 174 days).
    # 1/8 + 1/8 + 1/8 + 1/8, and of the three then left at day 73 one: 1/2 × 1/3.
    assert row["rate"] == pytest.approx(2 / 3, abs=ROUNDING)
    assert shown(row, "started", "converted", "waiting", "too_young") == (8, 5, 2, 0)
    assert 0 < row["rate_low"] < row["rate"] < row["rate_high"] < 1
    assert rows(metrics.conversion(convention="eventual"))[0]["rate_of_first"] == row["rate"]


def test_eventual_ends_where_the_curve_of_r_ends():
    """R's survfit on mgus2 (tests/reference): progression, with death competing, by months."""
    (last,) = [
        max(curve, key=lambda row: float(row["time"]))
        for key, curve in CURVES.items()
        if key[0] == "mgus2" and key[2:] == ("1", "log-log")
    ][:1]
    counts = durations("mgus2", last["group"])
    parts = Lengths((counts.times * 86_400).astype(int), np.column_stack([counts.events, counts.censored]), 0)
    found = estimate([parts])
    assert (found.units, found.went_on, found.waiting) == (
        counts.units,
        counts.events[:, 0].sum(),
        counts.censored.sum(),
    )
    for name, theirs in (("share", "estimate"), ("se", "se"), ("low", "low"), ("high", "high")):
        assert getattr(found, name) == pytest.approx(float(last[theirs]), rel=SAME)
    # The same units in two parts, as a campaign rolled up holds them.
    half = Lengths(parts.seconds, parts.counts // 2, 0)
    rest = Lengths(parts.seconds, parts.counts - parts.counts // 2, 0)
    assert estimate([half, rest]) == found


def test_a_window_for_a_convention_without_one_is_refused(metrics):
    for convention in ("eventual", "touched"):
        with pytest.raises(UsageError, match="has no window"):
            metrics.conversion(convention=convention, window_days=30)
    with pytest.raises(UnknownNameError, match="Did you mean 'in-order'"):
        metrics.conversion(convention="in_order")


def test_matrix_rates_and_moves(metrics):
    result = metrics.conversion_matrix(window_days=60)
    found = {shown(row, "from_stage", "to_stage"): row for row in rows(result)}
    moves = {key: shown(row, "direction", "moves") for key, row in found.items() if row["moves"]}
    assert moves == {
        ("Inquiry", "MQL"): ("forward", 4),
        ("Inquiry", "SAL"): ("forward", 1),
        ("Inquiry", "dormant"): ("exit", 1),
        ("Inquiry", "still there"): ("standing", 2),
        ("MQL", "SAL"): ("forward", 2),
        ("MQL", "SQL"): ("forward", 1),
        ("MQL", "still there"): ("standing", 2),
        ("SAL", "MQL"): ("back", 1),
        ("SAL", "SQL"): ("forward", 1),
        ("SAL", "still there"): ("standing", 1),
        ("SQL", "Won"): ("forward", 1),
        ("SQL", "still there"): ("standing", 1),
    }
    assert found["Inquiry", "dormant"]["moves_share"] == 1 / 8
    assert shown(found["MQL", "SQL"], "started", "converted", "window_days") == (5, 2, 60)
    assert found["SAL", "MQL"]["rate"] is None
    assert result.kind == "conversion-matrix"


def test_matrix_counts_moves_of_what_goes_one_way_only(metrics):
    result = metrics.conversion_matrix(unit="people")
    assert all(row["moves"] is None for row in rows(result))
    assert "Flows are counted of journeys and opportunities only." in result.notes


def test_triangle_has_no_cell_that_nobody_is_old_enough_for(metrics):
    result = metrics.conversion_triangle(from_stage="Inquiry", to_stage="MQL", window_days=14, grain="quarter")
    cells = {shown(row, "period", "age"): shown(row, "started", "converted", "too_young") for row in rows(result)}
    assert cells == {
        ("2025-Q4", 0): (1, 0, 0), ("2025-Q4", 1): (1, 0, 0), ("2025-Q4", 2): (1, 0, 0),
        ("2026-Q1", 0): (6, 1, 0), ("2026-Q1", 1): (6, 4, 0), ("2026-Q1", 2): (6, 4, 0),
        # Lead 6 has had five full days: it is in age 0 and not yet in age 1.
        ("2026-Q2", 0): (1, 0, 0),
    }  # fmt: skip
    last = {row["period"]: row["last_complete_age"] for row in rows(result)}
    assert last == {"2025-Q4": 2, "2026-Q1": 2, "2026-Q2": 0}
    with pytest.raises(UnknownNameError, match="Did you mean 'weeks'"):
        metrics.conversion_triangle(age="week")


def test_a_change_is_told_by_segment(metrics):
    # January: 4 of Web, two went on. October to December: one of List, which did not.
    result = metrics.conversion_change(
        compare="2025-10-01:2026-01-01", start=dt.date(2026, 1, 1), end=dt.date(2026, 4, 1), by=["lead_source"],
        from_stage="Inquiry", to_stage="MQL", window_days=30,
    )  # fmt: skip
    found = {row["lead_source"]: row for row in rows(result)}
    assert shown(found["Web"], "base_started", "started", "converted", "share") == (0, 4, 2, 4 / 6)
    assert shown(found["List"], "base_started", "base_converted", "started", "converted") == (1, 0, 2, 2)
    (total,) = result.totals
    # From 0 of 1 to 4 of 6. Web has no rate before: its coming is all mix.
    assert total["change"] == pytest.approx(4 / 6, abs=ROUNDING)
    # Web: 2/3 × (1/2 − 1/3); List: −2/3 × (1/2 − 1/3) mix, and 1 × (1 + 1/3) ÷ 2 rate.
    assert found["Web"]["mix_effect"] == pytest.approx(1 / 9, abs=ROUNDING)
    assert shown(found["Web"], "rate_effect", "change") == (0, None)
    assert found["List"]["mix_effect"] == pytest.approx(-1 / 9, abs=ROUNDING)
    assert found["List"]["rate_effect"] == pytest.approx(2 / 3, abs=ROUNDING)


def test_only_days_whose_window_has_passed_are_compared(metrics):
    asked = {"start": dt.date(2026, 6, 1), "by": ["lead_source"], "from_stage": "Inquiry", "to_stage": "MQL"}
    result = metrics.conversion_change(compare="2026-03-01:2026-04-01", window_days=3, **asked)
    # As-of 07-01 less three days: the last day that is old enough is 06-27, so 27 days of both.
    assert any("compared are 2026-06-01 to 2026-06-28 with 2026-03-01 to 2026-03-28" in note for note in result.notes)
    empty = metrics.conversion_change(window_days=3, **asked)
    assert any("nothing is compared" in note for note in empty.notes)
    assert not empty.totals


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"start": dt.date(2026, 1, 1)}, "name them with --by"),
        ({"start": dt.date(2026, 1, 1), "by": ["campaign"], "touched": True}, "overlap"),
        ({"by": ["campaign"]}, "needs periods"),
    ],
)
def test_a_change_that_cannot_be_told_is_refused(metrics, asked, said):
    with pytest.raises(UsageError, match=said):
        metrics.conversion_change(**asked)


def test_campaigns_roll_up_by_path(metrics):
    result = metrics.conversion(by=["campaign_path"], from_stage="Inquiry", to_stage="MQL", window_days=30)
    found = {row["campaign_path"]: shown(row, "started", "converted") for row in rows(result)}
    assert found == {
        "Fair": (5, 2),
        "Programme": (1, 1),
        "Programme > *": (2, 2),
        "Programme > Spring": (1, 1),
    }
    (total,) = result.totals
    assert total["started"] == 7
    levels = metrics.conversion(
        by=["campaign_level_1", "campaign_level_2"], from_stage="Inquiry", to_stage="MQL", window_days=30
    )
    assert {shown(row, "campaign_level_1", "campaign_level_2", "started") for row in rows(levels)} == {
        ("Fair", None, 5),
        ("Programme", None, 1),
        ("Programme", "Spring", 1),
    }


def test_the_estimate_of_a_rolled_up_campaign_is_that_of_all_its_units(metrics):
    asked = {"convention": "eventual", "from_stage": "Inquiry", "to_stage": "MQL"}
    found = {row["campaign_path"]: row for row in rows(metrics.conversion(by=["campaign_path"], **asked))}
    assert shown(found["Programme > *"], "started", "converted", "rate") == (2, 2, 1.0)


def test_the_first_stage_leads_on_where_the_stages_of_a_unit_have_a_gap():
    steps = [Transition(1, 4, 30), Transition(4, 5, 10), Transition(5, 6, 20)]
    assert firsts.ways(steps) == [Transition(1, 4, 30), Transition(1, 5, 40), Transition(1, 6, 60)]
    optional = [Transition(0, 1, 5), Transition(0, 2, 9), Transition(1, 2, 7)]
    assert firsts.ways(optional) == [Transition(0, 1, 5), Transition(0, 2, 12)]
