"""The report is one page, complete, readable without script, and safe to open."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from leadline import charts, report
from leadline.render import present, totals
from leadline.results import Trust
from tests import sample_results as sample

VOID = {"meta", "br", "link", "img", "input", "hr"}
SECTIONS = {
    "Funnel": sample.funnel,
    "Volume": sample.volume,
    "Conversion": sample.conversion_by_type,
    "Velocity": sample.velocity,
    "Influence": sample.influence,
}


class Page(HTMLParser):
    """Elements, ids, links and text of a page; fails on elements that do not nest."""

    def __init__(self, text):
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def named(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def text():
    results = {heading: make() for heading, make in SECTIONS.items()}
    facts = [report.Fact("Bottleneck", "SAL", "56.1 % of all waiting days")]
    return report.render(results, title="Marketing performance", summary=facts, workspace="Demo")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_page_is_well_formed_and_ids_are_unique(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"] for attributes in page.named("a")}
    assert targets == {f"#{attributes['id']}" for attributes in page.named("section")}
    for _, attributes in page.elements:
        for reference in ("aria-labelledby",):
            assert attributes.get(reference, ids[0]) in ids


def test_no_script_and_nothing_from_outside(text, page):
    assert not page.named("script")
    assert not page.named("link")
    assert not page.named("img")
    assert not [attributes for _, attributes in page.elements if any(name.startswith("on") for name in attributes)]
    assert "@import" not in text
    assert not re.findall(r"url\((?!#)", text)
    policy = next(attributes["content"] for attributes in page.named("meta") if attributes.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    used = set(re.findall(r"https?://[^\"' )]+", text))
    assert used == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_every_section_has_definition_trust_and_lineage(text):
    for make in SECTIONS.values():
        result = make()
        for part in (result.definition.text, present.trust_line(result), *result.notes, result.lineage[1].why):
            assert part.replace("'", "&#x27;").replace("<", "&lt;") in text
    assert text.count('class="grade">Trust B<') == len(SECTIONS)


def test_every_chart_has_a_sentence_and_a_table(text, page):
    figures = [attributes for attributes in page.named("div") if attributes.get("role") == "img"]
    assert len(figures) == len(page.named("figure")) == len(page.named("figcaption")) == 6
    for make in SECTIONS.values():
        result = make()
        for name in [charts.names_of(result)[0]]:
            assert sum(figure["aria-label"] == charts.summary(result, name) for figure in figures) == 1
    assert len(page.named("caption")) == len(SECTIONS)
    regions = [attributes for attributes in page.named("div") if attributes.get("role") == "region"]
    assert all(region["tabindex"] == "0" and region["aria-label"] for region in regions)


def test_tables_hold_every_row_and_figure(text):
    for make in SECTIONS.values():
        for row in present.grid(make()).rows:
            cells = [cell.replace("&", "&amp;") for cell in row]
            assert all(f">{cell}<" in text for cell in cells)


def test_money_reconciles_on_the_page(text):
    line = totals.reconciliation(sample.influence())[0]
    assert line in text
    assert "credited 4,170,055.06 + pending 61,500.00 + unattributed 1,835,801.33" in line


def test_header_and_foot(page):
    said = " ".join(page.text)
    for part in (
        "2026-10-31 (end of day)",
        "2026-11-01 05:00",
        "Europe/Berlin",
        "USD",
        "20261101T040000Z",
        "Demo",
        "Bottleneck",
        "SAL",
    ):
        assert part in said
    assert page.named("html")[0]["lang"] == "en"
    assert len(page.named("h1")) == 1


def test_light_dark_and_print(text):
    style = text[text.index("<style>") : text.index("</style>")]
    assert "@media screen and (prefers-color-scheme: dark)" in style
    assert "@media print" in style
    assert "break-inside: avoid" in style
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b", style.split("@media print")[0].split("color-scheme: light dark")[1])


def test_drawings_are_valid_and_follow_the_theme(text):
    drawings = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
    assert len(drawings) == 6
    for drawing in drawings:
        ElementTree.fromstring(drawing)
        assert not re.findall(r'(?:fill|stroke)="#', drawing)


def test_without_facts_every_chart_says_its_sentence():
    text = report.render({"Speed": sample.velocity()}, title="T")
    for name in ("velocity", "waiting"):
        assert text.count(charts.summary(sample.velocity(), name)) == 3  # headline, label, caption


def test_no_rows_and_no_grade():
    result = replace(sample.empty(sample.conversion()), trust=Trust())
    text = report.render({"Conversion": result}, title="T")
    Page(text)
    assert "No rows: nothing matches." in text
    assert "no grade" in text
    assert "<svg" not in text


def test_kinds_without_a_chart_are_tables():
    result = sample.make("audit", "Findings", {"code": "text", "rows": "integer"}, [("undated-responses", 1204)])
    text = report.render({"Audit": result}, title="T")
    assert ">1,204<" in text
    assert "<svg" not in text


def test_a_report_needs_results():
    with pytest.raises(ValueError, match="at least one"):
        report.render({}, title="T")


def test_the_same_results_give_the_same_page():
    assert report.render({"I": sample.influence()}, title="T") == report.render({"I": sample.influence()}, title="T")


PAYLOADS = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><style>*{display:none}",
    "javascript:alert(1)",
    "&lt;script&gt;",
    "<!--",
    "]]><script>",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_names_cannot_become_markup(payload):
    result = sample.influence()
    table = result.table.set_column(4, "campaign", [[f"{payload} {i}" for i in range(result.table.num_rows)]])
    bad = replace(result, table=table, title=payload, notes=(payload,), snapshot=payload, filters={payload: payload})
    page = Page(
        report.render(
            {payload: bad}, title=payload, summary=[report.Fact(payload, payload, payload)], workspace=payload
        )
    )
    assert not page.named("script")
    assert not page.named("img")
    assert len(page.named("style")) == 1
    assert not [attributes for _, attributes in page.elements if any(name.startswith("on") for name in attributes)]
    assert any(payload in text for text in page.text)
