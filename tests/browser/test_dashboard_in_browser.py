"""The dashboard in a real browser: ten tasks by mouse and by keys alone, and accessibility of every page."""

from __future__ import annotations

import csv
import re
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from leadline.web.access.who import Principal
from tests.browser.chromium import executable
from tests.demo_workspace import Demo, imported
from tests.scale import costly
from tests.web.served import Served, served

By = Literal["mouse", "keys"]
BOTH: tuple[By, ...] = ("mouse", "keys")
MQL = quote("volume#count@stage=MQL", safe="")
PAGES = (
    "/",
    "/funnel",
    "/velocity",
    "/influence",
    "/trust",
    f"/records?address={MQL}",
    f"/explain?address={MQL}",
    "/search?q=webinar",
    "/definitions",
    "/boards",
    "/models",
    "/data",
)
WIDTHS = (320, 768, 1360)
READER = Principal("local", "admin", {}, masked=False, door="local")
TABS = 250
"""Most steps by Tab to anything on a page."""
WAIT_MS = 20_000
"""Longest that a page may take on a machine that other tests keep busy."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return imported(tmp_path_factory.mktemp("org"), people=400, seed=5)


@pytest.fixture(scope="module")
def site(demo: Demo) -> Iterator[Served]:
    with served(demo.workspace) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=executable(), args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield made
        made.close()


def come_in(browser: Browser, site: Served) -> Page:
    """A fresh browser session that has come in by a link of its own."""
    page = browser.new_context(viewport={"width": 1280, "height": 850}, accept_downloads=True).new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{site.base}/start?code={site.site.sessions.code()}")
    page.wait_for_url(f"{site.base}/")
    whole(page)
    return page


@pytest.fixture
def said() -> list[str]:
    """What the console and the pages complained of."""
    return []


@pytest.fixture
def page(browser: Browser, site: Served, said: list[str]) -> Iterator[Page]:
    made = come_in(browser, site)
    made.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    made.on("pageerror", lambda fault: said.append(str(fault)))
    yield made
    made.context.close()
    assert not said


def whole(page: Page) -> None:
    """Wait until nothing on the page is still being worked out."""
    page.locator("#content:not([data-pending])").wait_for(state="attached")


def press(page: Page, target: Locator, by: By) -> None:
    """Click, or reach it by Tab and press Enter."""
    if by == "mouse":
        target.click()
        return
    reach(page, target)
    page.keyboard.press("Enter")


def reach(page: Page, target: Locator) -> None:
    """Press Tab until the target has the focus; it is then to be seen."""
    for _ in range(TABS):
        if target.evaluate("(one) => one === document.activeElement"):
            expect(target).to_be_in_viewport()
            return
        page.keyboard.press("Tab")
    raise AssertionError("no way there by Tab")


def choose(page: Page, name: str, value: str, by: By) -> None:
    """Choose in a list of the page's form."""
    field = page.locator(f"form.controls[data-auto] select[name={name}]")
    if by == "mouse":
        field.select_option(value)
        return
    reach(page, field)
    for _ in range(40):
        if field.input_value() == value:
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")


def go(page: Page, name: str, by: By) -> None:
    """Go to a page of the header; by keys with g and its first letter."""
    if by == "mouse":
        page.locator(f"nav a[data-page={name}]").click()
    else:
        page.keyboard.press("g")
        page.keyboard.press(name[0])
    page.wait_for_url(re.compile(rf"/{name}"))
    expect(page.locator("h1")).to_have_text(name.capitalize())
    whole(page)


def number(text: str) -> int:
    """The whole number a text begins with."""
    found = re.match(r"\s*([\d,]+)", text)
    assert found, text
    return int(found[1].replace(",", ""))


@pytest.mark.parametrize("by", BOTH)
def test_find_what_is_stuck_and_open_its_journey(page: Page, by: By):
    go(page, "velocity", by)
    press(page, page.locator("#stuck tbody a.f").first, by)
    page.wait_for_url(re.compile(r"/(journey|deal)/\w+"))
    assert page.locator("h1").count() == 1


@pytest.mark.parametrize("by", BOTH)
def test_explain_a_number_open_its_list_export_it_and_compare(page: Page, by: By, tmp_path: Path):
    card = page.locator(".kpi-value a.n").nth(1)
    shown = number(card.inner_text())
    press(page, card, by)
    panel = page.locator("#panel")
    expect(panel).to_be_visible()
    assert number(panel.locator("[data-told]").inner_text()) == shown
    press(page, panel.locator("[data-records]"), by)
    page.wait_for_url(re.compile("/records"))
    assert number(page.locator("#record-count").inner_text()) == shown
    with page.expect_download() as begun:
        press(page, page.locator("main .actions a", has_text="CSV"), by)
    begun.value.save_as(tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(newline="", encoding="utf-8-sig") as lines:
        assert len(list(csv.DictReader(lines))) == shown


@pytest.mark.parametrize("by", BOTH)
def test_the_panel_closes_and_the_focus_goes_back(page: Page, by: By):
    card = page.locator(".kpi-value a.n").first
    press(page, card, by)
    expect(page.locator("#panel")).to_be_visible()
    if by == "mouse":
        page.locator("#panel [data-action=close-panel]").click()
    else:
        page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    assert card.evaluate("(one) => one === document.activeElement")


@pytest.mark.parametrize("by", BOTH)
def test_share_the_address_and_open_it_in_a_fresh_session(page: Page, by: By, browser: Browser, site: Served):
    go(page, "funnel", by)
    choose(page, "view", "entered", by)
    page.wait_for_url(re.compile("view=entered"))
    fresh = come_in(browser, site)
    fresh.goto(page.url)
    whole(fresh)
    whole(page)
    shared, seen = (one.locator("a.n").all_text_contents() for one in (fresh, page))
    assert shared == seen != []
    fresh.context.close()


@pytest.mark.parametrize("by", BOTH)
def test_click_a_name_to_filter_and_take_the_filter_away(page: Page, by: By):
    go(page, "influence", by)
    name = page.locator("#side-by-side tbody a.f").first
    text = name.inner_text()
    press(page, name, by)
    page.wait_for_url(re.compile("where=campaign="))
    expect(page.locator(".chip")).to_contain_text(text)
    if by == "mouse":
        page.locator(".chip a").click()
    else:
        page.keyboard.press("x")
    page.wait_for_url(re.compile("/influence$"))
    assert page.locator(".chip").count() == 0


@pytest.mark.parametrize("by", BOTH)
def test_compare_with_the_year_before(page: Page, by: By):
    choose(page, "compare", "last-year", by)
    page.wait_for_url(re.compile("compare=last-year"))
    assert "%" in page.locator(".kpi-delta").first.inner_text()
    assert re.search(r"from \S+ in .+ – .+", page.locator(".kpi-before").first.inner_text())


@pytest.mark.parametrize("by", BOTH)
def test_choose_a_period_and_go_back_and_forward(page: Page, by: By):
    go(page, "funnel", by)
    before = page.locator("#volume-funnel .data a.n").all_text_contents()
    press(page, page.locator(".period summary"), by)
    press(page, page.locator(".period .menu a", has_text="Last quarter"), by)
    page.wait_for_url(re.compile("from="))
    expect(page.locator(".chip")).to_have_count(1)
    whole(page)
    after = page.locator("#volume-funnel .data a.n").all_text_contents()
    assert after != before
    page.go_back()
    page.wait_for_url(re.compile("/funnel$"))
    expect(page.locator(".chip")).to_have_count(0)
    page.go_forward()
    page.wait_for_url(re.compile("from="))
    expect(page.locator(".chip")).to_have_count(1)


@pytest.mark.parametrize("by", BOTH)
def test_open_the_table_behind_a_chart_and_read_its_marks(page: Page, by: By):
    go(page, "funnel", by)
    chart = page.locator("#volume-funnel")
    press(page, chart.locator(".data summary"), by)
    rows = chart.locator(".data tbody tr")
    expect(rows.first).to_be_visible()
    drawing = chart.locator("[data-chart]")
    if by == "mouse":
        drawing.locator('[role="graphics-symbol"][aria-label*="stage: MQL"]').first.hover(force=True)
    else:
        drawing.focus()
        page.keyboard.press("ArrowRight")
    expect(page.locator("#tip")).to_be_visible()
    expect(page.locator("#tip")).to_contain_text("stage:")
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()


@pytest.mark.parametrize("by", BOTH)
def test_search_for_a_campaign(page: Page, by: By):
    if by == "mouse":
        page.locator("nav a[data-page=search]").click()
    else:
        page.keyboard.press("/")
    page.wait_for_url(re.compile("/search"))
    box = page.locator(".search-box input[name=q]")
    if by == "mouse":
        box.click()
    else:
        reach(page, box)
    page.keyboard.type("Webinar")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("q=Webinar"))
    assert "Webinar" in page.locator("main").inner_text()


@pytest.mark.parametrize("by", BOTH)
def test_send_a_broken_file_and_read_why(page: Page, by: By, tmp_path: Path, said: list[str]):
    broken = tmp_path / "Lead.csv"
    broken.write_bytes(b'Id,Email\n"00Q000000000001AAA')
    page.locator("nav a[data-page=data]").click()
    form = page.locator("form[action='/data/upload']").first
    form.locator("input[type=file]").set_input_files(broken)
    press(page, form.locator("button"), by)
    page.wait_for_load_state()
    expect(page.locator("main")).to_contain_text("Lead.csv")
    expect(page.locator(".fault, .notices").first).to_be_visible()
    # The answer is a refusal, which browsers report as a resource that did not load.
    assert all("status of 4" in line for line in said)
    said.clear()


def _options(rules: list[str] | None) -> dict[str, Any]:
    """What axe-core looks for: everything, or only these rules."""
    return {"resultTypes": ["violations"]} | ({} if rules is None else {"runOnly": rules})


LOOKS: list[tuple[int, Literal["light", "dark"]]] = [
    (width, scheme) for scheme in ("light", "dark") for width in WIDTHS
]


@pytest.mark.parametrize(("at", "path"), list(enumerate(PAGES)))
def test_pages_are_accessible_in_both_themes_and_three_widths(page: Page, site: Served, at: int, path: str):
    """At night each page in each look; by day each page in one, and each look by two pages."""
    page.goto(site.base + path)
    whole(page)
    found: list[str] = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 850})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} is wider than {width}"
    turn = at % len(LOOKS)
    looks = (LOOKS[turn:] + LOOKS[:turn])[: costly(len(LOOKS))]
    for width, scheme in looks:
        page.set_viewport_size({"width": width, "height": 850})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        # Between the themes only colours differ.
        rules = ["color-contrast"] if scheme == "dark" and (width, "light") in looks else None
        answer: dict[str, Any] = Axe().run(page, options=_options(rules)).response
        found += [
            f"{width} {scheme} {fault['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
            for fault in answer["violations"]
            for node in fault["nodes"][:3]
        ]
    assert not found, "\n".join(found)


def test_a_page_is_shown_at_once_and_filled_as_answers_come(page: Page, site: Served):
    answers, go_on = site.site.answers, threading.Event()
    answers.forget()
    for lane in range(2):
        work = partial(answers.at_desk, ("busy", lane), lambda desk: go_on.wait(WAIT_MS / 1000), READER, answers.pin())
        threading.Thread(target=work).start()
    page.goto(site.base + "/funnel")
    expect(page.locator("#content .waits").first).to_be_visible()
    go_on.set()
    whole(page)
    expect(page.locator("[data-waits]")).to_have_count(0)
    assert page.locator("figure.chart svg").count() >= 3
    expect(page.locator("#told")).to_have_text("All figures are there")


@pytest.mark.parametrize("path", PAGES[:4])
def test_pages_print_without_what_only_a_screen_needs(page: Page, site: Served, path: str):
    page.goto(site.base + path)
    whole(page)
    page.emulate_media(media="print")
    for gone in (".side", ".controls", ".menu"):
        for one in page.locator(gone).all():
            expect(one).to_be_hidden()
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.set_viewport_size({"width": 720, "height": 1000})
    clipped = page.evaluate(
        "[...document.querySelectorAll('.card, .kpi')].filter((one) => one.getBoundingClientRect().right > 721).length"
    )
    assert clipped == 0


def test_the_credit_of_a_deal_prints_within_the_sheet(page: Page, site: Served):
    page.goto(site.base + "/influence")
    whole(page)
    page.goto(site.base + str(page.locator("a[href^='/deal/']").first.get_attribute("href")))
    page.emulate_media(media="print")
    # A4 on its side, and Letter, without margins.
    for width in (1032, 964):
        page.set_viewport_size({"width": width, "height": 700})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("[...document.querySelectorAll('.credit')].every((one) => one.offsetWidth > 0)")


def test_a_page_reads_and_filters_without_script(browser: Browser, site: Served):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{site.base}/start?code={site.site.sessions.code()}")
    page.locator("#start button").click()
    page.goto(f"{site.base}/funnel")
    # What is being worked out comes by loading the page again, which needs no script.
    whole(page)
    assert page.locator("figure.chart svg").count() >= 3
    page.locator("select[name=view]").select_option("entered")
    page.locator("form.controls[data-auto] button").click()
    assert "view=entered" in page.url
    context.close()
