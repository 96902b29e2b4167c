"""Charts of conversion over time, by age and between stages."""

from __future__ import annotations

import itertools
import re

import pytest

from leadline import charts
from leadline.charts import theme
from leadline.errors import UsageError
from leadline.maths.intervals import wilson
from leadline.metrics import conversion
from leadline.metrics.rates import matrix, triangle
from tests import sample_results as sample


def columns(described):
    return {column.name: column.type for column in described}


def result(kind, title, described, rows):
    """A result of whole rows; what a row does not name is absent."""
    names = columns(described)
    return sample.make(kind, title, names, [tuple(row.get(name) for name in names) for row in rows])


def rated(converted, started):
    low, high = wilson([converted], [started])
    return {
        "started": started,
        "converted": converted,
        "rate": converted / started,
        "rate_low": float(low[0]),
        "rate_high": float(high[0]),
    }


def trend():
    plan = [("2026-01", 300, 90, False), ("2026-02", 20, 5, False), ("2026-03", 250, 60, True)]
    rows = [
        {
            "period": period,
            "from_stage": "MQL",
            "to_stage": "SAL",
            "convention": "cohort",
            "small": n < 30,
            "immature": young,
            **rated(y, n),
        }
        for period, n, y, young in plan
    ]
    rows.append(
        {"period": "2026-04", "from_stage": "MQL", "to_stage": "SAL", "immature": True, "started": 0, "converted": 0}
    )
    return result("conversion", "Conversion of journeys", conversion.COLUMNS, rows)


def by_age(ages=3):
    rows = [
        {
            "period": period, "from_stage": "MQL", "to_stage": "SAL", "age": age, "age_days": 7 * age, "small": False,
            "complete": age <= last, "last_complete_age": last, "too_young": 0, **rated(10 + age, 200 - age),
        }
        for period, last, upto in (("2026-01", ages - 1, ages), ("2026-02", 0, 2))
        for age in range(upto)
    ]  # fmt: skip
    return result("conversion-triangle", "Conversion of journeys by age", triangle.COLUMNS, rows)


MOVES = [
    ("Inquiry", "MQL", "forward", 700), ("Inquiry", "SQL", "forward", 9), ("Inquiry", "dormant", "exit", 250),
    ("Inquiry", "still there", "standing", 41), ("MQL", "SQL", "forward", 300), ("MQL", "recycled", "exit", 400),
    ("SQL", "MQL", "back", 12), ("SQL", "lost", "exit", 200), ("SQL", "Won", "forward", 97),
]  # fmt: skip


def moves(rows=MOVES):
    names = ("from_stage", "to_stage", "direction", "moves")
    made = [dict(zip(names, row, strict=True)) | {"period": "all"} for row in rows]
    return result("conversion-matrix", "Stage matrix of journeys", matrix.COLUMNS, made)


MADE = {"conversion_trend": trend, "triangle": by_age, "flow": moves}


def texts(svg):
    return [re.sub(r"<[^>]+>", "", text) for text in re.findall(r"<text[^>]*>(.*?)</text>", svg)]


def drawn_from(spec, layer):
    """The rows a layer is drawn from: its own, or those of the whole chart."""
    return spec["datasets"][layer.get("data", spec.get("data"))["name"]]


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_they_are_the_usual_charts_in_tokens_with_stamp_and_sentence(name, mode):
    made = MADE[name]()
    assert charts.names_of(made)[0] == name
    svg = charts.svg(made, theme=mode)
    used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))
    assert used - {"none", "transparent"} <= set(theme.THEMES[mode].by_role().values())
    assert any("snapshot 20261101T040000Z" in text for text in texts(svg))
    assert charts.summary(made).endswith(".")


def test_trend_hatches_what_is_immature_and_nothing_else():
    spec = charts.draw(trend()).to_dict()
    bars, stripes = spec["vconcat"][0]["layer"][:2]
    assert {stripe["period"] for stripe in drawn_from(spec, stripes)} == {"2026-03"}
    assert [bar["immature"] for bar in drawn_from(spec, bars)] == [False, False, True]
    # Every stripe lies inside its bar.
    assert max(stripe["at"] for stripe in drawn_from(spec, stripes)) < 60 / 250
    assert {"30.0 %", "25.0 %", "24.0 %", "2026-04"} <= set(texts(charts.svg(trend())))
    assert charts.summary(trend()) == "MQL → SAL: 30.0 % in 2026-01, 25.0 % in 2026-02; immature: 2026-03."


def test_trend_without_any_rate():
    made = trend()
    empty = result("conversion", "Young", conversion.COLUMNS, made.table.slice(3).to_pylist() * 2)
    with pytest.raises(UsageError, match="no period has a rate yet"):
        charts.draw(empty, "conversion_trend")


def test_a_triangle_says_its_numbers_and_what_is_incomplete():
    said = texts(charts.svg(by_age()))
    assert said.count("5.0") == 2  # 10 of 200, both cohorts at age 0
    assert "6.1" in said  # 12 of 198
    assert charts.summary(by_age()) == "MQL → SAL: 6.1 % of 2026-01 by 14 days; 5.0 % of 2026-02 by 0 days."
    layers = charts.draw(by_age()).to_dict()["layer"]
    assert [layer["transform"][0]["filter"] for layer in layers[1:]] == ["datum.complete", "!datum.complete"] * 2


def test_many_ages_are_thinned_and_the_last_stays():
    spec = charts.draw(by_age(90)).to_dict()
    ages = sorted({cell["age"] for cell in drawn_from(spec, spec["layer"][0])})
    assert (len(ages), ages[0], ages[-1]) == (16, 0, 89)
    assert any("74 more ages in the table" in text for text in texts(charts.svg(by_age(90))))


def test_flow_says_every_move_and_how_often_it_went_back():
    said = set(texts(charts.svg(moves())))
    assert {
        "Inquiry",
        "MQL",
        "SQL",
        "Won",
        "700",
        "dormant 250",
        "still there 41",
        "back to MQL 12",
        "to SQL 9",
    } <= said
    assert charts.summary(moves()) == "After 70.0 % of visits of Inquiry came: MQL. Units went back 12 times."


def test_bands_are_as_wide_as_they_are_frequent_and_do_not_overlap_at_a_stage():
    spec = charts.draw(moves()).to_dict()
    bands = [band for layer in spec["layer"][:4] for band in drawn_from(spec, layer)]
    starts = {}
    for band in bands:
        if band["band"] not in starts:
            starts[band["band"]] = band
            assert band["y"] - band["y2"] in {row[3] for row in MOVES}
    inquiry = sorted(
        (band["y2"], band["y"])
        for band in starts.values()
        if band["x"] == pytest.approx(0.06) and band["direction"] != "back"
    )
    assert all(one[1] == pytest.approx(two[0]) for one, two in itertools.pairwise(inquiry))
    assert inquiry[0][0] == pytest.approx(0)
    assert inquiry[-1][1] == pytest.approx(1000)


def test_flow_of_units_that_have_none():
    with pytest.raises(UsageError, match="ask with --unit journeys"):
        charts.draw(moves([("Inquiry", "MQL", "forward", None)]))


def test_the_implied_part_of_a_funnel_is_hatched():
    spec = charts.draw(sample.funnel()).to_dict()
    stripes = drawn_from(spec, spec["layer"][3])
    bars = {stage["stage"]: stage for stage in drawn_from(spec, spec["layer"][0])}
    assert stripes
    for stripe in stripes:
        bar = bars[stripe["stage"]]
        assert bar["timed"] < stripe["at"] < bar["count"]
