"""The HTML report in a real browser: it opens from disk, asks for nothing, and can be read by everyone."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from leadline import report
from tests import sample_results as sample
from tests.browser.chromium import BrowserError, Page, executable

SECTIONS = {
    "Volume": sample.volume,
    "Conversion": sample.conversion_by_type,
    "Velocity": sample.velocity,
    "Influence": sample.influence,
}
# WCAG 2, level AA: 4.5 for text; 3 for text of at least 24 px, or 18.66 px in bold.
ENOUGH, ENOUGH_LARGE = 4.5, 3.0
PHONE = 390

CONTRAST = """(() => {
  const parse = text => {
    const parts = (text.match(/[\\d.]+/g) || []).map(Number);
    return parts.length < 3 ? null : [parts[0], parts[1], parts[2], parts.length > 3 ? parts[3] : 1];
  };
  const over = (top, under) => top.slice(0, 3).map((value, i) => value * top[3] + under[i] * (1 - top[3])).concat(1);
  const luminance = color => {
    const [r, g, b] = color.slice(0, 3).map(value => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const inked = element => {
    const style = getComputedStyle(element);
    const shape = element instanceof SVGGeometryElement;
    const color = parse(shape ? style.fill : style.backgroundColor);
    if (!color || (shape && style.fill === 'none')) return null;
    color[3] *= (shape ? Number(style.fillOpacity) : 1) * Number(style.opacity);
    return color[3] > 0 ? color : null;
  };
  const behind = (element, x, y) => {
    const layers = [];
    for (const one of document.elementsFromPoint(x, y)) {
      if (one === element || element.contains(one)) continue;
      const color = inked(one);
      if (color) layers.push(color);
      if (color && color[3] === 1) break;
    }
    const dark = matchMedia('(prefers-color-scheme: dark)').matches && !matchMedia('print').matches;
    return layers.reverse().reduce((under, top) => over(top, under), dark ? [18, 18, 18, 1] : [255, 255, 255, 1]);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement;
    if (!node.textContent.trim() || ['STYLE', 'TITLE'].includes(element.tagName)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (!box.width || !box.height) continue;
    const style = getComputedStyle(element), ground = behind(element, box.x + box.width / 2, box.y + box.height / 2);
    const ink = parse(element instanceof SVGElement ? style.fill : style.color);
    const text = over([ink[0], ink[1], ink[2], ink[3] * Number(style.opacity)], ground);
    const lights = [luminance(text), luminance(ground)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize), bold = Number(style.fontWeight) >= 700;
    found.push({text: node.textContent.trim().slice(0, 40), ratio: (lights[0] + 0.05) / (lights[1] + 0.05),
                large: size >= 24 || (bold && size >= 18.66)});
  }
  return found;
})()"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report of the four insights on disk."""
    facts = [report.Fact("Bottleneck", "SAL", "56.1 % of all waiting days")]
    text = report.render(
        {name: make() for name, make in SECTIONS.items()}, title="Marketing performance", summary=facts
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(text, encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with Page(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(browser: Page, address: str) -> Page:
    """The report, opened on a desk and in daylight."""
    browser.media()
    browser.size(1280, 900)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    browser.open(address)
    return browser


def said(page: Page) -> list[str]:
    """Messages of the console, of the log and exceptions."""
    heard = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
    return [f"{method}: {params}" for method, params in page.events if method in heard]


def asked_for(page: Page) -> list[str]:
    """Addresses the page has asked for."""
    return [params["request"]["url"] for method, params in page.events if method == "Network.requestWillBeSent"]


def test_it_opens_from_disk_without_a_fault_and_asks_for_nothing_else(page: Page, address: str) -> None:
    page.ask("document.fonts.ready.then(() => true)")
    assert said(page) == []
    assert asked_for(page) == [address]
    assert page.ask("document.title") == "Marketing performance"


def test_a_fault_and_a_request_would_be_seen(page: Page, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text('<!doctype html><img src="other.png"><script>missing()</script>')
    page.open(bad.as_uri())
    assert any("missing is not defined" in text for text in said(page))
    assert any(url.endswith("other.png") for url in asked_for(page))


def shown(page: Page) -> dict[str, list[Any]]:
    """Heading of each section → its height, its figures' heights and the length of its text."""
    found: dict[str, list[Any]] = page.ask(
        """Object.fromEntries([...document.querySelectorAll('main > section')].map(section => [
            section.querySelector('h2').innerText,
            [section.getBoundingClientRect().height > 300,
             [...section.querySelectorAll('figure svg')].map(svg => svg.getBoundingClientRect().height > 50),
             section.innerText.length > 400]]))"""
    )
    return found


def test_the_four_sections_stand_there_with_their_charts(page: Page) -> None:
    found = shown(page)
    assert list(found) == list(SECTIONS)
    for tall, figures, worded in found.values():
        assert tall
        assert worded
        assert figures
        assert all(figures)


def test_it_reads_the_same_without_script(page: Page, address: str) -> None:
    text, with_script = page.ask("document.body.innerText"), shown(page)
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    page.open(address)
    assert page.ask("document.scripts.length") == 0
    assert page.ask("document.body.innerText") == text
    assert shown(page) == with_script


def test_every_table_has_headers_of_its_columns_and_rows(page: Page) -> None:
    tables = page.ask(
        """[...document.querySelectorAll('table')].map(table => ({
            columns: [...table.querySelectorAll('thead th')].map(th => th.scope),
            widest: Math.max(...[...table.querySelectorAll('tbody tr')].map(tr => tr.cells.length)),
            rows: [...table.querySelectorAll('tbody tr')].every(tr => tr.cells[0].tagName === 'TH' && tr.cells[0].scope === 'row')
        }))"""
    )
    assert len(tables) >= len(SECTIONS)
    for table in tables:
        assert set(table["columns"]) == {"col"}
        assert len(table["columns"]) == table["widest"]
        assert table["rows"]


def overflowing(page: Page) -> list[str]:
    """What stands wider than the window, outside the boxes that scroll by themselves."""
    found: list[str] = page.ask(
        """[...document.querySelectorAll('body *')]
            .filter(one => !one.closest('.wide, .drawing') && one.getBoundingClientRect().right > innerWidth + 1)
            .map(one => one.tagName + '.' + one.className)"""
    )
    return found


@pytest.mark.parametrize("width", [PHONE, 768, 1280])
def test_no_width_scrolls_sideways(page: Page, width: int) -> None:
    page.size(width, 844)
    assert page.ask("document.documentElement.scrollWidth") <= width
    assert overflowing(page) == []


def test_too_wide_a_page_would_be_seen(page: Page) -> None:
    page.size(PHONE, 844)
    page.ask("document.querySelector('h1').style.width = '900px'")
    assert page.ask("document.documentElement.scrollWidth") > PHONE
    assert "H1." in overflowing(page)


def test_print_is_light_whole_and_without_the_links(page: Page) -> None:
    page.media("print", "dark")
    assert page.ask("getComputedStyle(document.querySelector('nav')).display") == "none"
    assert page.ask("getComputedStyle(document.body).backgroundColor") in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    cut = page.ask(
        "[...document.querySelectorAll('.wide')].filter(one => one.scrollHeight > one.clientHeight + 1).length"
    )
    assert cut == 0
    document = base64.b64decode(page.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    # A page for each section, at least.
    assert document.startswith(b"%PDF")
    assert document.count(b"/Type /Page\n") >= len(SECTIONS)


def faint(page: Page) -> list[dict[str, Any]]:
    """Texts whose contrast with what lies behind them is too low."""
    height = page.ask("document.documentElement.scrollHeight")
    page.size(1280, height)
    # What is not to be clicked lies behind a text all the same; what scrolls shows all of it.
    style = "* { pointer-events: all !important } .wide { max-height: none !important } thead th { position: static !important }"
    page.ask(f"document.head.append(Object.assign(document.createElement('style'), {{textContent: {style!r}}}))")
    page.size(1280, page.ask("document.documentElement.scrollHeight"))
    found = page.ask(CONTRAST)
    assert len(found) > 200
    return [one for one in found if one["ratio"] < (ENOUGH_LARGE if one["large"] else ENOUGH)]


@pytest.mark.parametrize(("kind", "scheme"), [("", "light"), ("", "dark"), ("print", "light")])
def test_every_text_stands_out_from_what_lies_behind_it(page: Page, kind: str, scheme: str) -> None:
    page.media(kind, scheme)
    assert faint(page) == []


def test_a_faint_text_would_be_seen(page: Page) -> None:
    page.ask("document.querySelector('.definition').style.color = '#999'")
    assert [one["ratio"] < ENOUGH for one in faint(page)] == [True]


def test_without_the_browser_the_tests_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BrowserError, match="apt-get install chromium"):
        executable()
