"""Charts show the numbers of the result, in both themes, from nothing but themselves."""

import json
import re
from dataclasses import replace
from itertools import product

import pyarrow as pa
import pytest

from leadline import charts
from leadline.charts import files, theme
from leadline.errors import UnknownNameError, UsageError
from tests import sample_results as sample

CASES = {
    "funnel": (sample.funnel, "funnel"),
    "funnel of entries": (lambda: sample.funnel("entered"), "funnel"),
    "funnel standing": (lambda: sample.funnel("standing"), "funnel"),
    "trend": (sample.volume, "trend"),
    "trend standing": (lambda: sample.volume("standing"), "trend"),
    "conversion": (sample.conversion, "conversion"),
    "conversion by type": (sample.conversion_by_type, "conversion"),
    "velocity": (sample.velocity, "velocity"),
    "waiting": (sample.velocity, "waiting"),
    "influence": (sample.influence, "influence"),
    "influence of two models": (lambda: sample.influence(("first", "even")), "influence"),
}


@pytest.fixture(params=CASES)
def case(request):
    make, name = CASES[request.param]
    return make(), name


def texts(svg):
    """Everything written in a drawing."""
    return [re.sub(r"<[^>]+>", "", text) for text in re.findall(r"<text[^>]*>(.*?)</text>", svg)]


def drawn(result, name=None):
    return texts(charts.svg(result, name))


def test_every_chart_has_title_stamp_and_summary(case):
    result, name = case
    said = drawn(result, name)
    assert any("as of 2026-10-31 (end of day) · Europe/Berlin · snapshot 20261101T040000Z" in text for text in said)
    assert (result.title if name != "waiting" else "Where the waiting happens") in said
    summary = charts.summary(result, name)
    assert summary.endswith(".")
    assert charts.draw(result, name).to_dict()["description"] == summary


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_colour_is_a_token_of_its_theme(case, mode):
    result, name = case
    used = set(re.findall(r'(?:fill|stroke)="([^"]+)"', charts.svg(result, name, mode)))
    assert used - {"none", "transparent"} <= set(theme.THEMES[mode].by_role().values())


def test_a_chart_is_the_same_each_time(case):
    result, name = case
    assert charts.svg(result, name) == charts.svg(result, name)


def test_funnel_shows_counts_and_both_shares():
    said = drawn(sample.funnel())
    for text in ("12,480", "4,212", "33.8 %", "70.9 %", "23.9 %", "316", "26.2 %", "2.5 %", "222"):
        assert text in said
    assert charts.summary(sample.funnel()).startswith("Of 12,480 journeys at Inquiry, 316 (2.5 %) reached Won.")


def test_standing_shows_no_shares():
    said = drawn(sample.funnel("standing"))
    assert "of previous" not in said
    assert "12,480" in said
    assert charts.summary(sample.funnel("standing")) == "12,480 journeys stand at Inquiry, 316 at Won."


def test_standing_funnel_of_several_periods_is_the_last_one():
    last = [str(row["count"]) for row in sample.volume("standing").table.to_pylist()[-5:]]
    said = drawn(sample.volume("standing"), "funnel")
    assert all(f"{int(count):,}" in said for count in last)


def test_entries_of_several_periods_add_up():
    total = sum(row["count"] for row in sample.volume().table.to_pylist() if row["stage"] == "Inquiry")
    assert f"{total:,}" in drawn(sample.volume(), "funnel")


def test_trend_has_a_panel_per_stage_and_its_ends():
    said = drawn(sample.volume())
    assert set(sample.STAGES) <= set(said)
    assert {"780", "1,326", "20", "33", "2025-11", "2026-10"} <= set(said)
    assert any("dashed orange line: goal" in text for text in said)


def test_overlapping_counts_are_not_added():
    touched = replace(sample.funnel(), totals=())
    with pytest.raises(UsageError, match="overlap"):
        charts.draw(touched)


def test_conversion_shows_interval_basis_and_youth():
    said = drawn(sample.conversion_by_type())
    for text in ("37.1 %", "301 of 812", "94", "9 of 18, small", "(empty)", "too young"):
        assert text in said
    assert any("95 % interval (Wilson)" in text for text in said)
    assert "Partner" not in charts.summary(sample.conversion_by_type())


def test_conversion_without_anyone_old_enough():
    rows = [sample.conversion_row("MQL", "SQL", 0, 0, 71)]
    result = sample.make("conversion", "Young", sample.CONVERSION, rows)
    assert {"–", "none old enough", "71"} <= set(drawn(result))
    assert charts.summary(result) == "No rate yet: no unit is old enough."


def test_rates_above_one_are_not_cut():
    row = list(sample.conversion_row("MQL", "SQL", 40, 40))
    row[11:14] = [1.6, None, None]
    result = sample.make("conversion", "Ratio", sample.CONVERSION, [tuple(row)])
    assert charts.draw(result).to_dict()["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0, 1.6 * 1.05]
    assert "160.0 %" in drawn(result)


def test_velocity_says_what_is_not_reached():
    said = drawn(sample.velocity())
    assert said.count("p90 not reached") == 1
    for text in ("31.4", "29.8 to 33.1", "12,480", "3,120"):
        assert text in said


def test_velocity_without_any_median():
    row = ("all", "SAL", None, "sum", 40, 30, 0, None, None, None, None, None, 0.1, None, None, 0, None)
    result = sample.make("velocity", "Slow", sample.VELOCITY, [row])
    assert {"not reached", "median not reached"} <= set(drawn(result))
    assert charts.summary(result) == "Median not reached: SAL."
    with pytest.raises(UsageError, match="no stage has a waiting share"):
        charts.draw(result, "waiting")


def test_the_bottleneck_is_named_once():
    said = drawn(sample.velocity(), "waiting")
    assert said.count("bottleneck") == 1
    assert charts.summary(sample.velocity(), "waiting") == (
        "The bottleneck is SAL: 56.1 % of all waiting days. 236 journeys are stuck there."
    )


def test_influence_shows_the_remainder_and_reconciles():
    said = drawn(sample.influence())
    line = "total 6,067,356.39 = credited 4,170,055.06 + pending 61,500.00 + unattributed 1,835,801.33 USD"
    assert any(line in text for text in said)
    assert {
        "(unattributed: no person in scope)",
        "1,204,001",
        "19.8 %",
        "(pending: milestones not yet reached)",
    } <= set(said)


def many_campaigns(names):
    result = sample.influence()
    campaigns = pa.concat_tables([result.table.slice(0, 1)] * len(names))
    ids = [f"701A{i:011}AAA" for i in range(len(names))]
    campaigns = campaigns.set_column(3, "campaign_id", [ids]).set_column(4, "campaign", [names])
    return replace(result, table=pa.concat_tables([campaigns, result.table.slice(6)]))


def test_many_campaigns_are_folded_and_none_is_lost():
    said = drawn(many_campaigns([f"Campaign {i}" for i in range(40)]))
    assert "29 other campaigns" in said
    assert f"{29 * 1_476_600.33:,.0f}" in said
    assert len([text for text in said if text.startswith("Campaign ")]) == 12  # eleven bars and the title


def test_campaigns_of_one_name_stay_two():
    said = drawn(many_campaigns(["Webinar", "Webinar", "Fair"]))
    assert {"Webinar 701A00000000000AAA", "Webinar 701A00000000001AAA", "Fair"} <= set(said)


def test_usual_charts_and_names():
    assert charts.names_of(sample.funnel()) == ("funnel", "trend")
    assert charts.names_of(sample.volume()) == ("trend", "funnel")
    assert charts.names_of(sample.velocity()) == ("velocity", "waiting")
    with pytest.raises(UnknownNameError, match="Did you mean 'waiting'"):
        charts.draw(sample.velocity(), "wating")
    with pytest.raises(UnknownNameError, match="'audit'"):
        charts.draw(replace(sample.funnel(), kind="audit"))
    with pytest.raises(UsageError, match="nothing to draw"):
        charts.draw(sample.empty(sample.conversion()))


def test_a_result_draws_itself():
    assert sample.velocity().chart("waiting").to_dict() == charts.draw(sample.velocity(), "waiting").to_dict()


@pytest.mark.parametrize(
    ("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<svg"), ("pdf", b"%PDF"), ("html", b"<!doctype html>")]
)
def test_files(ending, start, tmp_path):
    path = tmp_path / f"chart.{ending}"
    charts.save(charts.draw(sample.funnel()), path)
    assert path.read_bytes().startswith(start)
    before = path.read_bytes() if ending != "pdf" else b""
    charts.save(sample.funnel(), path)
    assert ending == "pdf" or path.read_bytes() == before  # a PDF names the moment it was made


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(UnknownNameError, match=r"Did you mean '\.png'"):
        charts.save(sample.funnel(), tmp_path / "chart.pnk")


PAYLOADS = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "${alert(1)}",
    "{{7*7}}",
    "&lt;b&gt;",
]


def test_names_cannot_leave_their_place_in_a_page():
    page = files.page(charts.draw(many_campaigns(PAYLOADS)))
    own = page.replace(files.library(), "")
    assert own.count("<script>") == own.count("</script>") == 2
    assert "<img" not in own
    assert "<svg onload" not in own
    spec = re.search(r"const spec = (.*);\nvegaEmbed", own)
    assert spec is not None
    assert "<" not in spec[1]
    assert {row["name"] for rows in json.loads(spec[1])["datasets"].values() for row in rows if "name" in row} >= set(
        PAYLOADS
    )


def test_a_page_asks_for_nothing_from_outside():
    page = files.page(charts.draw(sample.funnel()))
    own = page.replace(files.library(), "")
    assert not re.search(r"""(src|href)\s*=\s*["'](?!#)""", own)
    assert "@import" not in own
    assert len(files.library()) > 500_000
    assert "vegaEmbed" in files.library()


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Contrast ratio of WCAG 2.2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_contrast(mode):
    tokens = theme.THEMES[mode]
    for word, needed in product((tokens.text, tokens.muted, tokens.warn), [4.5]):
        assert contrast(word, tokens.ground) >= needed
    for shape in (*tokens.series, tokens.rest, tokens.axis):
        assert contrast(shape, tokens.ground) >= 3
    assert len(set(tokens.by_role().values())) == len(tokens.by_role())


def test_a_drawing_for_a_page_follows_the_page():
    svg = theme.svg_for_page(charts.svg(sample.conversion()), "one")
    assert not re.findall(r'(?:fill|stroke)="#', svg)
    assert "var(--chart-main, #1763a6)" in svg
    assert "url(#clip" not in svg
    assert ' height="' not in svg[: svg.index(">")]
    for role in theme.THEMES["light"].by_role():
        assert f"{theme.css_variable(role)}: #" in theme.css_variables("dark")


@pytest.mark.parametrize("name", sorted({name for names in charts.NAMES.values() for name in names}))
def test_every_chart_has_its_page(name, request):
    page = (request.config.rootpath / "docs" / "charts" / f"{name}.md").read_text()
    for heading in ("## Shows", "## How to read it", "## What to do"):
        assert heading in page


def test_amounts_of_nothing_and_below_zero_can_be_drawn():
    result = sample.influence()
    for value in (0, -500_000):
        table = result.table
        for i, name in enumerate(table.column_names):
            if name in ("won_amount", "open_amount", "lost_amount"):
                table = table.set_column(i, name, [[value] * table.num_rows])
        said = drawn(replace(result, table=table))
        assert said.count(f"{3 * value / 100:,.0f}") >= table.num_rows


def test_periods_and_dimensions_of_credit_add_up():
    result = sample.influence()
    months = [
        result.table.set_column(0, "period", [[month] * result.table.num_rows]) for month in ("2026-09", "2026-10")
    ]
    totals = tuple({**result.totals[0], "period": month} for month in ("2026-09", "2026-10"))
    both = replace(result, table=pa.concat_tables(months), totals=totals)
    said = drawn(both)
    assert "2,953,201" in said
    assert "24.3 %" in said
    assert any("total 12,134,712.78 = credited 8,340,110.12 +" in text for text in said)


def test_credit_by_a_dimension_of_campaigns_is_named_by_it():
    result = sample.influence()
    types = pa.array(["Webinar", "Event", "Webinar", None, "Event", "Mail", None, None, None], pa.string())
    nobody = pa.nulls(9, pa.string())
    table = result.table.set_column(3, "campaign_id", nobody).set_column(4, "campaign", nobody)
    table = table.add_column(0, "campaign_type", types)
    columns = (replace(result.columns[0], name="campaign_type"), *result.columns)
    said = drawn(replace(result, table=table, columns=columns))
    assert {"Webinar", "Event", "Mail", "(empty)"} <= set(said)
    assert "2,245,000" in said  # both webinars


def test_stages_keep_their_order_through_gaps():
    seen = [
        ("2026-01", "MQL"),
        ("2026-01", "Won"),
        ("2026-02", "Inquiry"),
        ("2026-02", "MQL"),
        ("2026-02", "SQL"),
        ("2026-02", "Won"),
    ]
    rows = [sample.volume_row(period, stage, "standing", 5) for period, stage in seen]
    result = sample.volume_result("Standing", "standing", rows)
    assert [text for text in drawn(result) if text in sample.STAGES] == ["Inquiry", "MQL", "SQL", "Won"]
    assert charts.summary(result, "funnel") == "5 journeys stand at Inquiry, 5 at Won."


def test_more_may_enter_a_later_stage_than_the_first():
    counts = {"Inquiry": 270, "MQL": 463}
    rows = [sample.volume_row("all", stage, "entered", count) for stage, count in counts.items()]
    result = sample.volume_result("Entered", "entered", rows)
    assert "171.5 %" in drawn(result)
    assert charts.draw(result).to_dict()["layer"][1]["encoding"]["x"]["scale"]["domain"] == [0, 463]
    assert charts.summary(result).startswith("270 journeys entered Inquiry, 463 entered MQL.")


def test_rows_stay_in_order_where_some_have_no_rate():
    rows = [
        (period, *sample.conversion_row("MQL", "SQL", started, started // 3, young)[1:])
        for period, started, young in (
            ("2026-01", 40, 0),
            ("2026-02", 0, 0),
            ("2026-03", 50, 0),
            ("2026-04", 0, 9),
            (None, 0, 0),
        )
    ]
    said = drawn(sample.make("conversion", "By month", sample.CONVERSION, rows))
    assert [text for text in said if re.fullmatch(r"2026-0\d|undated", text)] == [
        "2026-01",
        "2026-02",
        "2026-03",
        "2026-04",
    ]


def test_a_band_beyond_every_mark_stays_inside():
    row = ("all", "SQL", None, "sum", 270, 209, 0, None, 365.4, None, None, None, 0.29, 88.6, None, 0, None)
    near = ("all", "MQL", None, "sum", 454, 63, 0, 60.0, 60.0, 60.0, 60.0, 60.0, 0.23, 18.0, None, 0, None)
    spec = charts.draw(sample.make("velocity", "Slow", sample.VELOCITY, [near, row])).to_dict()
    assert spec["layer"][0]["encoding"]["x"]["scale"]["domain"][1] > 365.4
