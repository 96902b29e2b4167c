"""Charts of the pipeline and of fates show the numbers of their tables, without colour too."""

from __future__ import annotations

import re
from typing import Any

import pytest

from leadline import charts
from leadline.charts import theme
from leadline.errors import UnknownNameError, UsageError
from leadline.results import ColumnType, Result
from tests import sample_results as sample

PIPELINE: dict[str, ColumnType] = {
    "period": "text",
    "stage": "text",
    "movement": "text",
    "opportunities": "integer",
    "value": "money",
    "count": "integer",
    "amount": "money",
    "without_amount": "integer",
}
FATES: dict[str, ColumnType] = {
    "period": "text",
    "fate": "text",
    "reason": "text",
    "counted": "boolean",
    "count": "integer",
    "share": "rate",
}
Q1 = [("start", 10, 1000_00), ("new", 4, 500_00), ("advanced", 0, 0), ("won", -2, -300_00), ("end", 12, 1200_00)]
Q2 = [("start", 12, 1200_00), ("amount_changed", 0, -50_00), ("lost", -3, -400_00), ("end", 9, 750_00)]


def movements(*periods: list[tuple[str, int, int]]) -> Result:
    """Movements of one quarter after the other."""
    rows, totals = [], []
    for number, quarter in enumerate(periods, 1):
        for name, count, amount in quarter:
            rows.append((f"2026-Q{number}", None, name, abs(count), abs(amount), count, amount, 0))
            totals.append({"period": f"2026-Q{number}", "movement": name, "count": count, "amount": amount})
    made: dict[str, Any] = {"unit": "opportunities", "totals": tuple(totals), "filters": {"from": "2026-01-01"}}
    return sample.make("pipeline", "Pipeline: movements", PIPELINE, rows, **made)


def standing() -> Result:
    """Two quarters' ends."""
    rows = [
        ("2026-Q1", "Proposal", "standing", 9, 9_00, 9, 9_00, 0),
        ("2026-Q2", "Discovery", "standing", 4, 250_00, 4, 250_00, 1),
        ("2026-Q2", "Proposal", "standing", 2, 900_50, 2, 900_50, 0),
        ("2026-Q2", None, "standing", 1, None, 1, None, 1),
    ]
    return sample.make("pipeline", "Pipeline: standing", PIPELINE, rows, unit="opportunities")


def fates() -> Result:
    rows = [
        ("all", "no_date", None, False, 100, 0.1),
        ("all", "tipped", None, True, 300, 0.3),
        ("all", "not_qualified", None, True, 600, 0.6),
    ]
    return sample.make("fates", "Fates of responses", FATES, rows, unit="responses")


CASES = {
    "waterfall": (lambda: movements(Q1, Q2), "What moved the pipeline"),
    "stock": (standing, "Pipeline: standing"),
    "fates": (fates, "Fates of responses"),
}


def texts(svg: str) -> list[str]:
    """Everything written in a drawing."""
    return [re.sub(r"<[^>]+>", "", text) for text in re.findall(r"<text[^>]*>(.*?)</text>", svg)]


@pytest.mark.parametrize("name", CASES)
def test_title_stamp_summary_and_colours(name: str) -> None:
    make, title = CASES[name]
    result = make()
    assert charts.names_of(result)[0] == name
    for mode in ("light", "dark"):
        svg = charts.svg(result, name, mode)
        said = texts(svg)
        assert title in said
        assert any("as of 2026-10-31 (end of day)" in text for text in said)
        used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))
        assert used - {"none", "transparent"} <= set(theme.THEMES[mode].by_role().values())
    summary = charts.summary(result, name)
    assert summary.endswith(".")
    assert charts.draw(result, name).to_dict()["description"] == summary


def test_a_waterfall_goes_from_the_first_start_to_the_last_end_with_signs() -> None:
    said = texts(charts.svg(movements(Q1, Q2)))
    assert {"1,000.00", "+500.00", "-300.00", "-50.00", "-400.00", "750.00"} <= set(said)
    assert {"10", "+4", "-2", "-3", "9"} <= set(said)
    assert "1,200.00" not in said  # the end of the first quarter is no end of the whole
    assert "advanced" not in said  # what moves inside leaves the whole as it is
    assert charts.summary(movements(Q1, Q2)) == (
        "The open pipeline went from 1,000.00 (10) to 750.00 (9) USD; most by new, +500.00 (+4)."
    )


def test_bars_of_a_waterfall_meet() -> None:
    drawn = charts.draw(movements(Q1)).to_dict()
    data = drawn["datasets"][drawn["layer"][0]["data"]["name"]]
    assert [(bar["low"], bar["high"]) for bar in data] == [(0, 1000), (1000, 1500), (1500, 1200), (0, 1200)]
    assert [bar["kind"] for bar in data] == ["level", "up", "won", "level"]


def test_a_stock_is_that_of_the_last_period() -> None:
    said = texts(charts.svg(standing()))
    assert {"Discovery", "Proposal", "(not known)", "250.00", "900.50", "4", "2", "1"} <= set(said)
    assert "9.00" not in said
    assert charts.summary(standing()) == (
        "7 opportunities are open, worth 1,150.50 USD; most stands in Proposal (900.50)."
    )


def test_fates_show_counts_and_shares_and_outline_what_does_not_count() -> None:
    said = texts(charts.svg(fates()))
    assert {"tipped a journey", "not qualified (yet)", "no date", "300", "60.0 %", "10.0 %"} <= set(said)
    assert any("outlined: does not count as a response" in text for text in said)
    assert charts.summary(fates()) == (
        "Of 1,000 members that responded 900 count as responses; most are not qualified (yet) (600, 60.0 %)."
    )


def test_each_chart_wants_its_own_view() -> None:
    with pytest.raises(UsageError, match="nothing moved"):
        charts.draw(standing(), "waterfall")
    with pytest.raises(UsageError, match="nothing stands"):
        charts.draw(movements(Q1), "stock")
    with pytest.raises(UnknownNameError):
        charts.draw(fates(), "stock")
