"""The first pages: what they show is what was asked, what they hand out is whole, and nothing in them runs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import quote

import httpx
import pytest

from leadline.charts import theme
from leadline.web.templating import folder
from tests.demo_workspace import Demo, imported
from tests.web.served import served

MQL = quote("volume#count@stage=MQL", safe="")
PAGES = (
    "/",
    "/funnel",
    "/velocity",
    "/influence",
    f"/records?address={MQL}",
    f"/explain?address={MQL}",
    "/table?address=volume",
)
LOW_TEXT, LOW_PART = 4.5, 3.0
"""Contrast that WCAG 2.2 AA wants of text, and of lines and borders one must see."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return imported(tmp_path_factory.mktemp("org"), people=400, seed=5)


@pytest.fixture(scope="module")
def client(demo: Demo) -> Iterator[httpx.Client]:
    with served(demo.workspace) as site:
        yield site.local()


class Tags(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("path", PAGES)
def test_pages_have_one_heading_no_inline_code_and_no_outside_address(client: httpx.Client, path: str):
    answer = client.get(path)
    assert answer.status_code == 200
    tags = Tags(answer.text).found
    assert sum(tag == "h1" for tag, _ in tags) == 1
    for tag, held in tags:
        assert "style" not in held, (tag, held)
        assert not [name for name in held if name.startswith("on")], (tag, held)
        assert tag != "style"
        assert tag != "script" or held.get("src")
        for name in ("src", "href", "action", "hx-get"):
            assert not (held.get(name) or "").startswith(("http:", "https:", "//", "javascript:")), held
    ids = [held["id"] for _, held in tags if held.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", ["/", "/funnel", "/velocity", "/influence"])
def test_numbers_lead_to_their_explanation_and_pages_say_what_they_rest_on(client: httpx.Client, path: str):
    page = client.get(path).text
    told = [held for tag, held in Tags(page).found if "data-address" in held]
    assert len(told) > 10
    for held in told:
        assert held["href"] == f"/explain?address={quote(held['data-address'] or '', safe='')}"
    assert "Data as of" in page


def test_a_number_on_the_page_is_that_of_the_workspace(demo: Demo, client: httpx.Client):
    rows = {row["stage"]: row["count"] for row in demo.workspace.metrics.volume(view="cohort").table.to_pylist()}
    page = client.get("/funnel").text
    for stage, count in rows.items():
        address = f"volume?view=cohort#count@stage={stage}"
        assert re.search(rf'data-address="{re.escape(address)}"[^>]*>{count:,}</a>', page), stage


@pytest.mark.parametrize("filter_", ["campaign_type=Webinar", "country=", "campaign_type=nothing of that name"])
def test_a_filter_holds_for_the_whole_page(demo: Demo, client: httpx.Client, filter_: str):
    dimension, _, value = filter_.partition("=")
    page = client.get("/funnel", params={"where": filter_})
    assert page.status_code == 200
    own = demo.workspace.metrics.volume(view="cohort", where={dimension: value}).table.to_pylist()
    for row in own:
        if row["count"]:
            assert f">{row['count']:,}</a>" in page.text
    if not any(row["count"] for row in own):
        assert "Nothing matches these filters" in page.text
    assert f'aria-label="Remove the filter on {dimension.replace("_", " ")}"' in page.text


def test_what_cannot_be_read_is_told_on_the_page(client: httpx.Client):
    page = client.get("/funnel?view=sideways&where=shoe_size=44&from=<script>")
    assert page.status_code == 200
    assert page.text.count("left aside") == 1
    assert page.text.count("in its place") == 2
    assert "<script>" not in page.text


def test_a_card_that_cannot_honour_a_filter_says_so(client: httpx.Client):
    page = client.get("/velocity?where=stage_name=Discovery")
    assert page.status_code == 200
    assert 'class="fault"' in page.text


def test_the_form_for_a_filter_leads_back_and_nowhere_else(client: httpx.Client):
    told = {"page": "/funnel?view=entered&where=country=DE", "dimension": "country", "value": "A&B=C"}
    assert client.get("/filter", params=told).headers["location"] == "/funnel?view=entered&where=country=A%26B=C"
    for page in ("https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", ""):
        found = client.get("/filter", params={"page": page, "dimension": "country", "value": "DE"})
        assert found.headers["location"] == "/?where=country=DE"


def test_the_file_of_a_list_has_the_rows_of_the_screen_and_their_total(demo: Demo, client: httpx.Client):
    address = "influence?model=even"
    listed = demo.workspace.metrics.ask(address).records()
    page = client.get("/records", params={"address": address}).text
    assert f'id="record-count">{listed.table.num_rows:,}<' in page
    answer = client.get("/export/csv", params={"address": address, "records": "1"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == listed.table.num_rows == int(answer.headers["x-rows"])
    digits = 10**listed.currency_digits
    credited = sum(round(float(row["credit"]) * digits) for row in rows if row["credit"])
    assert credited == sum(value or 0 for value in listed.table.column("credit").to_pylist())


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet", "json"])
def test_files_of_a_table_are_whole(demo: Demo, client: httpx.Client, ending: str):
    answer = client.get(f"/export/{ending}", params={"address": "volume?by=campaign_type"})
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    assert int(answer.headers["content-length"]) == len(answer.content)
    own = demo.workspace.metrics.ask("volume?by=campaign_type")
    assert int(answer.headers["x-rows"]) == own.table.num_rows
    if ending == "json":
        assert json.loads(answer.content)["rows"] == own.to_dict()["rows"]


def test_the_pages_of_a_list_have_every_record_once(demo: Demo, client: httpx.Client):
    listed = demo.workspace.metrics.ask("volume?view=cohort").records().table
    seen, at = 0, 0
    while at * 200 < listed.num_rows:
        page = client.get("/records", params={"address": "volume?view=cohort", "page": str(at)}).text
        seen += page.count("<tr><th scope=row")
        at += 1
    assert seen == listed.num_rows


@pytest.mark.parametrize(("path", "kind"), [("/chart/funnel.svg", "image/svg+xml"), ("/chart/funnel.png", "image/png")])
def test_charts_come_as_files(client: httpx.Client, path: str, kind: str):
    for colours in ("light", "dark", "neither"):
        answer = client.get(path, params={"address": "volume", "theme": colours})
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/export/exe?address=volume", 400),
        ("/export/csv?address=nonsense", 400),
        ("/export/csv", 422),
        ("/chart/pie.svg?address=volume", 400),
        ("/chart/funnel.pdf?address=volume", 400),
        ("/records?address=%23", 400),
        ("/explain?address=volume", 400),
        ("/explain?address=volume%23count@stage=Nowhere", 400),
        ("/explain", 200),
        ("/records", 200),
    ],
)
def test_what_is_not_there_is_said_without_a_fault(client: httpx.Client, path: str, status: int):
    assert client.get(path).status_code == status


def tokens(text: str) -> dict[str, str]:
    """Custom properties of a rule."""
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", text))


def rules() -> dict[str, dict[str, str]]:
    """Theme → tokens of the style sheet, each place where they stand once."""
    sheet = folder("static").joinpath("tokens.css").read_text(encoding="utf-8")
    marks = (":root {", ':root:not([data-theme="light"]) {', ':root[data-theme="dark"] {', "@media print")
    starts = [sheet.index(mark) for mark in marks]
    names = ("light", "dark by system", "dark by choice", "print")
    return {name: tokens(sheet[a:b]) for name, (a, b) in zip(names, pairwise([*starts, len(sheet)]), strict=True)}


def test_the_pages_have_the_colours_of_the_charts():
    found = rules()
    assert found["dark by system"] == found["dark by choice"]
    for name, colours in (("light", "light"), ("dark by choice", "dark"), ("print", "light")):
        for role, value in theme.THEMES[colours].by_role().items():  # type: ignore[index]  # its literals
            assert found[name][f"chart-{role.replace('_', '-')}"] == value, (name, role)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours by WCAG 2.2."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", ["light", "dark by choice", "print"])
def test_text_and_lines_can_be_told_from_their_ground(name: str):
    held = rules()[name]
    for ground in ("ground", "surface", "raised", "sunken"):
        for text in ("text", "muted", "accent-text", "good", "bad"):
            assert contrast(held[text], held[ground]) >= LOW_TEXT, (text, ground)
        for line in ("line-strong", "accent", "warn-line"):
            assert contrast(held[line], held[ground]) >= LOW_PART, (line, ground)
    assert contrast(held["on-accent"], held["accent"]) >= LOW_TEXT
    assert contrast(held["accent-text"], held["accent-soft"]) >= LOW_TEXT
