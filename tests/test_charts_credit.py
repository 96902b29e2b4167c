"""Charts about credit: models side by side, one opportunity, cost and return, lift."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import Any

import pytest

import leadline
from leadline import charts
from leadline.charts import theme
from leadline.errors import UsageError
from leadline.results import Result
from leadline.workspace import Workspace
from tests import campaign_org as org
from tests import sample_results as sample

LIFT = {
    "period": "text",
    "campaign_id": "text",
    "campaign": "text",
    "responders": "integer",
    "rate": "rate",
    "comparable_rate": "rate",
    "difference": "rate",
    "difference_low": "rate",
    "difference_high": "rate",
    "differs": "boolean",
}


def lift() -> Result:
    """Two campaigns with an interval and one that could not be compared."""
    rows = [
        ("all", org.A, "Alpha", 267, 0.096, 0.036, 0.06, 0.027, 0.101, True),
        ("all", org.B, "Beta", 40, 0.075, 0.047, 0.028, -0.025, 0.153, False),
        ("all", org.C, "Gamma", 0, None, None, None, None, None, None),
    ]
    return sample.make("lift", "Conversion of responders", LIFT, rows)  # type: ignore[arg-type]


REASONS = {
    "period": "text",
    "difference": "text",
    "reason": "text",
    "count": "integer",
    "org_amount": "money",
    "our_amount": "money",
}
TREND = {
    "campaign_id": "text",
    "campaign": "text",
    "months": "integer",
    "cost": "money",
    "early_roas": "rate",
    "late_roas": "rate",
    "trend": "text",
}


def reasons() -> Result:
    """Two periods of rows that are the same, and some that one side has."""
    rows = [
        ("2026-01", "both", "the same", 30, 100_000, 100_000),
        ("2026-02", "both", "the same", 4, 20_000, 20_000),
        ("2026-01", "org only", "no contact role now", 3, 9_000, 0),
        ("2026-02", "ours only", "the org wrote no row for this opportunity", 5, 0, 70_000),
    ]
    return sample.make("salesforce", "The org's influence rows beside ours", REASONS, rows)  # type: ignore[arg-type]


def roi_trend() -> Result:
    """A campaign that falls, one that does not, one too young for two halves."""
    rows = [
        (org.A, "Alpha", 9, 900_000, 4.0, 1.5, "diminishing"),
        (org.B, "Beta", 12, 1_200_000, 2.0, 2.25, "no trend"),
        (org.C, "Gamma", 1, 10_000, None, None, "too few months"),
    ]
    return sample.make("roi-trend", "Return by month", TREND, rows)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return org.built(tmp_path_factory.mktemp("charts-credit"))


@pytest.fixture(scope="module")
def results(space: Workspace) -> dict[str, Result]:
    metrics = space.metrics
    several = sample.influence(("first", "even"))
    return {
        "roi": metrics.roi(models=["even"]),
        "timeline": metrics.deal_credit("006000000000001AAA", models=["first", "even"]),
        "slope": several,
        "scatter": several,
        "lift": lift(),
        "reasons": reasons(),
        "roi_trend": roi_trend(),
        "paths": on_paths(),
        "markov": on_paths(transitions=True),
    }


NAMES = ("roi", "timeline", "slope", "scatter", "lift", "reasons", "roi_trend", "paths", "markov")


def on_paths(**more: Any) -> Result:
    """Search opens, mail follows it three times of four; one path in five has no state."""
    return leadline.paths(["Search > Mail", "Search", "Mail", ""], [3, 0, 1, 1], nulls=[3, 2, 1, 0], **more)


def texts(svg: str) -> list[str]:
    """Everything written in a drawing."""
    return [re.sub(r"<[^>]+>", "", text) for text in re.findall(r"<text[^>]*>(.*?)</text>", svg)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_are_those_of_the_theme_and_the_summary_is_told(
    results: dict[str, Result], name: str, mode: theme.Theme
) -> None:
    result = results[name]
    assert name in charts.names_of(result)
    svg = charts.svg(result, name, mode)
    used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))
    assert used - {"none", "transparent"} <= set(theme.THEMES[mode].by_role().values())
    assert result.title in texts(svg)
    summary = charts.summary(result, name)
    assert summary.endswith(".")
    assert charts.draw(result, name).to_dict()["description"] == summary


def test_roi_draws_what_has_a_cost(results: dict[str, Result]) -> None:
    said = texts(charts.svg(results["roi"]))
    assert {"Alpha", "Beta", "Delta", "50.0 %", "-20.0 %", "40 d", "open", "undated"} <= set(said)
    assert not {"Gamma", "Epsilon"} & set(said)
    assert charts.summary(results["roi"]).endswith(
        "cost 160 and won credit 190 USD; 1 of 3 rows won at least their cost."
    )


def test_roi_without_costs_is_refused(results: dict[str, Result]) -> None:
    table = results["roi"].table
    without = table.filter([state == "missing" for state in table.column("cost_state").to_pylist()])
    with pytest.raises(UsageError, match="no row has a cost"):
        charts.svg(replace(results["roi"], table=without))


def test_reasons_add_periods_up() -> None:
    said = texts(charts.svg(reasons()))
    assert {"both: the same", "34", "1,200", "ours only: the org wrote no row for this opportunity", "700"} <= set(said)
    assert charts.summary(reasons()) == (
        "34 of 42 rows are the same; most others: the org wrote no row for this opportunity (ours only), 5."
    )
    with pytest.raises(UsageError, match="nothing to draw"):
        charts.svg(replace(reasons(), table=reasons().table.slice(0, 0)))


def test_the_trend_of_returns_names_what_falls() -> None:
    said = texts(charts.svg(roi_trend()))
    assert {"Alpha", "Beta", "diminishing", "no trend"} <= set(said)
    assert "Gamma" not in said
    assert charts.summary(roi_trend()) == (
        "The return of 1 of 2 campaigns falls, that of 0 rises; the dearest that falls is Alpha, from 4.00 to 1.50."
    )
    with pytest.raises(UsageError, match="two halves"):
        charts.svg(replace(roi_trend(), table=roi_trend().table.slice(2, 1)))


def test_slope_and_scatter_need_two_models(results: dict[str, Result]) -> None:
    for name in ("slope", "scatter"):
        with pytest.raises(UsageError, match="one model has nothing beside it"):
            charts.svg(sample.influence(("even",)), name)
    said = " ".join(texts(charts.svg(results["slope"], "slope")))
    for campaign in sample.CAMPAIGNS:
        assert campaign[0] in said


def test_names_at_the_end_of_slopes_do_not_lie_on_each_other(results: dict[str, Result]) -> None:
    from leadline.charts import slope

    lines = [{"name": f"{at}", "shares": [0.1, 0.1]} for at in range(5)]
    placed = sorted(label["at"] for label in slope._labels(lines, "even", 0.2))
    assert min(high - low for low, high in itertools.pairwise(placed)) >= slope.LEAST_GAP


def test_a_timeline_says_who_got_what(results: dict[str, Result]) -> None:
    said = texts(charts.svg(results["timeline"]))
    assert {"first", "even", "300.00", "150.00", "1. 2026-01-02  Alpha", "2. 2026-01-05  Gamma"} <= set(said)
    assert "2 responses from 2026-01-02 to 2026-01-05" in charts.summary(results["timeline"])


def test_milestones_are_lines_with_their_names(results: dict[str, Result]) -> None:
    """Deal 1 was created at a known hour, its close is known by the day; nobody was ever a lead."""
    drawn = results["timeline"]
    when = {"opportunity creation": "2026-01-10T08:00:00Z", "closed": "2026-02-10"}
    assert [one["milestones"] for one in drawn.totals] == [when, when]
    assert drawn.notes == ("Milestones: opportunity creation 2026-01-10 08:00, closed 2026-02-10.",)
    said = texts(charts.svg(drawn))
    assert {"opportunity creation", "closed"} <= set(said)
    assert "lead creation" not in said


def test_responses_that_no_model_looks_at_have_dashes(space: Workspace) -> None:
    """With the creation as goal a response after it earns nothing, and each model's column says so."""
    late = space.metrics.deal_credit("006000000000001AAA", models=["first"], goal="created")
    assert "undefined" not in charts.svg(late)
    assert late.totals[0]["milestones"] == {"opportunity creation": "2026-01-10T08:00:00Z"}


def test_a_state_of_the_chain_says_where_it_leads(results: dict[str, Result]) -> None:
    """Eight of ten paths begin with search, six of whose eight visits go on to mail, two are nulls."""
    said = texts(charts.svg(results["markov"]))
    assert {"start", "conversion", "null", "Search", "Mail", "80 %", "20 %", "75 %", "25 %", "50 %"} <= set(said)
    assert charts.summary(results["markov"]) == (
        "80.0 % of paths begin with Search; conversion comes next most often after Mail, 50.0 %."
    )
    won = texts(charts.svg(replace(results["markov"], unit="opportunities")))
    assert {"won", "lost"} <= set(won)


def test_a_graph_of_many_states_says_what_it_leaves_out() -> None:
    paths = [f"S{one} > S{other}" for one, other in itertools.permutations(range(12), 2)]
    drawn = leadline.paths(paths, [1] * len(paths), nulls=[1] * len(paths), transitions=True)
    said = texts(charts.svg(drawn))
    # 12 begins, 132 transitions, 24 ends.
    assert any("the 20 most frequent transitions; 148 more in the table" in text for text in said)
    assert len([text for text in said if re.fullmatch(r"S\d+", text)]) == 2 * 8, "each name and what keeps it readable"


def test_paths_without_a_state_have_a_bar(results: dict[str, Result]) -> None:
    said = texts(charts.svg(results["paths"]))
    assert {"(paths without a state)", "20.0 %", "Search", "Mail"} <= set(said)
    several = on_paths(model=["first", "last"], intervals=True)
    assert {"Model first", "Model last"} <= set(texts(charts.svg(several)))
    assert charts.summary(several) == "Search has most by first, 60.0 %; Mail has most by last, 80.0 %."
    assert charts.names_of(several) == ("paths", "slope", "scatter")
    assert charts.summary(several, "slope") == "Mail changes most: 20.0 % by first, 80.0 % by last."


def test_models_compared_and_what_is_varied_are_slopes(space: Workspace) -> None:
    compared = space.metrics.compare_models(models=["first", "last", "even"])
    assert charts.names_of(compared) == ("slope", "scatter")
    assert charts.summary(compared) == "Alpha changes most: 0.0 % by last, 35.7 % by first."
    varied = space.metrics.sensitivity(varied="look-back", models=["first", "even"])
    said = texts(charts.svg(varied))
    assert {"Model first", "Model even"} <= set(said)
    days = [text for text in said if text.endswith(" days")]
    assert days == [f"{one} days" for one in (30, 90, 180, 365, 730)] * 2, "from short to long in each panel"


def test_credit_for_a_stage_is_drawn_in_journeys(space: Workspace) -> None:
    reached = space.metrics.influence(goal="SQL", models=["first", "last"])
    said = texts(charts.svg(reached))
    assert any("credit in journeys · grey: belongs to no campaign" in text for text in said)
    # Three journeys: the first one began with A and went on with C, the others are B's.
    assert (
        charts.summary(reached)
        == "Model first: Beta leads with 2 journeys (66.7 %); 0.0 % of the journeys is unattributed."
    )
    assert charts.summary(reached, "slope") == "Alpha changes most: 0.0 % by last, 33.3 % by first."


def test_lift_leaves_out_what_was_not_compared(results: dict[str, Result]) -> None:
    said = texts(charts.svg(results["lift"]))
    assert {"Alpha", "Beta", "9.6 %", "3.6 %"} <= set(said)
    assert "Gamma" not in said
    assert charts.summary(results["lift"]).startswith("1 of 2 campaigns differ")
