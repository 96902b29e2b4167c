"""The charts of velocity beside its table: curves, and the stuck."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leadline import charts
from leadline.charts import curves, parts, theme
from leadline.errors import UnknownNameError, UsageError
from leadline.workspace import Workspace
from tests.velocity_org import built


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return built(tmp_path_factory.mktemp("charts"))


def texts(svg: str) -> list[str]:
    """Everything written in a drawing."""
    return [re.sub(r"<[^>]+>", "", text) for text in re.findall(r"<text[^>]*>(.*?)</text>", svg)]


def test_curves_mark_the_median_and_say_where_it_is_not_reached(org: Workspace) -> None:
    result = org.metrics.velocity(show="distribution")
    assert charts.names_of(result) == ("curves",)
    # Half have left MQL on the sixth day; Inquiry was left by all on the fourth.
    assert charts.summary(result).startswith("Half have left: Inquiry after 4.0 days; MQL after 6.0 days")
    said = texts(charts.svg(result))
    assert {"Inquiry · median 4.0 d", "MQL · median 6.0 d", "days", "still waiting"} <= set(said)
    open_ended = org.metrics.velocity(
        show="distribution", measure="elapsed", from_stage="MQL", to_stage="Won", end=None
    )
    assert "not reached" not in charts.summary(open_ended)
    early = org.metrics.velocity(show="distribution", as_of="2026-01-08", from_stage="MQL")
    assert "not reached (75.0 % wait)" in charts.summary(early)
    assert "median not reached" in texts(charts.svg(early))


def test_each_curve_can_be_told_apart_without_colour(org: Workspace) -> None:
    svg = charts.svg(org.metrics.velocity(show="distribution"))
    dashes = re.findall(r'<path aria-roledescription="line mark"[^>]*?(?:stroke-dasharray="([^"]*)")?/>', svg)
    lines = [tag for tag in re.findall(r"<path[^>]*>", svg) if 'aria-roledescription="line mark"' in tag]
    drawn = {(re.search(r'stroke-dasharray="([^"]*)"', tag) or [None, "none"])[1] for tag in lines}
    assert len(lines) == len(drawn) > 1, dashes


def test_stuck_shows_age_and_money(org: Workspace) -> None:
    result = org.metrics.velocity(stuck=True)
    assert charts.names_of(result) == ("stuck",)
    assert charts.summary(result) == (
        "5 journeys are stuck, the oldest for 86 days in MQL. They hold 2,700.00 USD."
        if result.currency == "USD"
        else f"5 journeys are stuck, the oldest for 86 days in MQL. They hold 2,700.00 {result.currency}."
    )
    said = texts(charts.svg(result))
    assert {"MQL", "SQL", "no amount", "Ada Owner"} <= set(said)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("question", [{"show": "distribution"}, {"stuck": True}])
def test_every_colour_is_a_token_of_its_theme(org: Workspace, mode: theme.Theme, question: dict) -> None:
    used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', charts.svg(org.metrics.velocity(**question), None, mode)))
    assert used - {"none", "transparent"} <= set(theme.THEMES[mode].by_role().values())


def test_what_has_no_chart_says_so(org: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError):
        charts.names_of(org.metrics.velocity(show="detours"))
    with pytest.raises(UsageError):
        charts.draw(org.metrics.velocity(stuck=True, as_of="2026-01-06"))


def test_numbers_of_medians_that_stand_close_do_not_touch() -> None:
    assert curves._apart([12.0, 50.0, 60.0, 180.0], 50.0) == [60.0, 180.0]
    assert curves._apart([0.0, 100.0, 200.0], 50.0) == [0.0, 100.0, 200.0]
    assert curves._apart([], 50.0) == []


def test_each_period_has_a_bottleneck_of_its_own(org: Workspace) -> None:
    result = org.metrics.velocity(grain="month")
    told = [(row["period"], row["stage"], row["waiting_share"]) for row in result.table.to_pylist()]
    months = {period for period, _, share in told if share}
    assert len(months) > 1
    assert texts(charts.svg(result, "waiting")).count("bottleneck") == len(months)
    newest = max(months)
    largest = max((share, stage) for period, stage, share in told if period == newest and share)[1]
    assert charts.summary(result, "waiting").startswith(f"The bottleneck is {largest} · {newest}")


def test_over_time_the_newest_rows_are_drawn() -> None:
    months = [
        {"stage": "MQL", "period": f"{year}-{month:02d}"} for year in (2020, 2021, 2022) for month in range(1, 13)
    ]
    assert parts.drawn_of(months) == months[-parts.MOST_ROWS :]
    split = [{"stage": "MQL", "period": "all", "campaign_type": str(number)} for number in range(36)]
    assert parts.drawn_of(split) == split[: parts.MOST_ROWS]
