"""The chart of a formula: bars per group, lines over periods, intervals, small shares, gaps."""

from __future__ import annotations

import re
from typing import Any

import pytest

from leadline import charts
from leadline.charts import theme
from leadline.errors import UsageError
from leadline.results import ColumnType, Result
from tests import sample_results as sample

SHARE: dict[str, ColumnType] = {
    "campaign_type": "text",
    "period": "text",
    "value": "rate",
    "value_low": "rate",
    "value_high": "rate",
    "small": "boolean",
    "won_count": "integer",
}
MONEY: dict[str, ColumnType] = {"period": "text", "value": "money", "won_amount": "money"}


def by_type() -> Result:
    rows = [
        ("Webinar", "all", 0.371, 0.331, 0.413, False, 301),
        ("Event", "all", 0.25, 0.09, 0.53, True, 3),
        (None, "all", None, None, None, True, 0),
    ]
    return sample.make("formula", "Win rate (opportunities)", SHARE, rows)


def by_month() -> Result:
    months = ["2026-08", "2026-09", "2026-10"]
    rows = [
        ("Webinar", month, share, 0.1, 0.9, small, 3)
        for month, share, small in zip(months, [0.2, None, 0.4], [True, False, False], strict=True)
    ]
    rows += [("Event", month, 0.5, 0.4, 0.6, False, 30) for month in months]
    return sample.make("formula", "Win rate (opportunities)", SHARE, rows)


def money() -> Result:
    rows = [("2026-08", -1_234_56, 1), ("2026-09", 98_765_43, 2)]
    return sample.make("formula", "Won per month", MONEY, rows)


CASES = {"by type": by_type, "by month": by_month, "money": money}


def said(result: Result) -> list[str]:
    """Everything written in the drawing."""
    return [re.sub(r"<[^>]+>", "", text) for text in re.findall(r"<text[^>]*>(.*?)</text>", charts.svg(result))]


def marks(node: Any) -> list[dict[str, Any]]:
    """Every mark of a specification."""
    own = [node["mark"]] if isinstance(node, dict) and "mark" in node else []
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    return own + [mark for part in parts for mark in marks(part)]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_is_drawn_in_the_colours_of_its_theme_with_title_and_summary(name: str, mode: theme.Theme) -> None:
    result = CASES[name]()
    drawing = charts.svg(result, theme=mode)
    used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', drawing)) - {"none", "transparent"}
    assert used <= set(theme.THEMES[mode].by_role().values())
    assert result.title in said(result)
    assert any("as of 2026-10-31 (end of day) · Europe/Berlin" in text for text in said(result))
    assert charts.summary(result) == charts.draw(result).to_dict()["description"]
    assert charts.summary(result).endswith(".")
    assert drawing == charts.svg(result, theme=mode)


def test_bars_show_value_interval_and_what_is_small() -> None:
    texts = said(by_type())
    assert {"Webinar", "Event", "(empty)", "37.1 %", "25.0 %", "–"} <= set(texts)
    assert any("95 % interval (Wilson) · outlined: under 30 units, small" in text for text in texts)
    assert charts.summary(by_type()) == "Win rate (opportunities): 37.1 %."
    assert sum(mark.get("type") == "rule" for mark in marks(charts.draw(by_type()).to_dict())) == 2


def test_lines_have_a_panel_per_group_and_a_gap_where_there_is_no_value() -> None:
    texts = said(by_month())
    assert {"Webinar", "Event", "2026-08", "2026-10", "20.0 %", "40.0 %"} <= set(texts)
    assert any("hollow: under 30 units, small" in text for text in texts)
    lines = [mark for mark in marks(charts.draw(by_month()).to_dict()) if mark.get("type") == "line"]
    assert [line["invalid"] for line in lines] == ["break-paths-show-domains"] * 2
    assert charts.summary(by_month()) == (
        "Win rate (opportunities): most 50.0 % (2026-08 · Event), least 40.0 % (2026-10 · Webinar)."
    )


def test_money_is_written_in_major_units_below_zero_too() -> None:
    texts = said(money())
    assert {"-1,234.56", "98,765.43"} <= set(texts)
    assert charts.summary(money()) == "Won per month: -1,234.56 in 2026-08, 98,765.43 in 2026-09."


def test_more_groups_than_fit_are_said() -> None:
    rows = [(f"type {n:02}", month, 0.5, 0.4, 0.6, False, 30) for n in range(11) for month in ("2026-08", "2026-09")]
    result = sample.make("formula", "Win rate", SHARE, rows)
    assert any("3 more in the table" in text for text in said(result))


def test_without_any_value_there_is_nothing_to_draw() -> None:
    result = sample.make("formula", "Win rate", SHARE, [(None, "all", None, None, None, True, 0)])
    with pytest.raises(UsageError, match="no row has a value"):
        charts.draw(result)
