"""Two hundred payloads in every text of every object: no dialog, nothing the policy stops, no request to elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, sync_playwright

from leadline.web.boards import Board, Boards, Card
from tests.browser import chromium
from tests.browser.hostile_org import PAYLOADS, hostile, record_id
from tests.scale import scaled
from tests.web.served import Served, served

ROWS = scaled(len(PAYLOADS))
LISTENER = "window.stopped = []; document.addEventListener('securitypolicyviolation', e => window.stopped.push(e.violatedDirective + ' ' + e.blockedURI));"
FOREIGN = """() => {
  const leads = a => /^(href|src|action|data|formaction|hx-get|hx-post|data-hx-get)$/.test(a.name);
  const away = a => { try { return new URL(a.value, location).origin !== location.origin } catch { return true } };
  const alive = e => [...e.attributes].some(a => /^(on|(data-)?hx-on)/.test(a.name) || leads(a) && away(a));
  const odd = e => ['IFRAME', 'OBJECT', 'EMBED', 'BASE', 'VIDEO', 'MATH', 'STYLE'].includes(e.tagName)
    || e.tagName === 'SCRIPT' && !(e.getAttribute('src') || '').startsWith('/static/');
  return [...document.querySelectorAll('*')].filter(e => alive(e) || odd(e)).map(e => e.outerHTML.slice(0, 200));
}"""
"""Elements that no page of ours has."""


@dataclass
class Heard:
    """What a browser said while pages were open."""

    dialogs: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        return [*self.dialogs, *self.stopped, *self.foreign, *self.elsewhere]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = hostile(tmp_path_factory.mktemp("hostile"), ROWS)
    boards = Boards(made.folder)
    cards = [Card(title=PAYLOADS[1], ask="volume?by=lead_source"), Card(title=PAYLOADS[0], ask="volume", show="chart")]
    boards.save("odd", Board(title=PAYLOADS[3], note=PAYLOADS[40], cards=cards))
    models = made.folder / "models"
    models.mkdir()
    (models / "odd.toml").write_text(f"kind = 'even'\ntitle = '''{PAYLOADS[1]}'''\n", encoding="utf-8")
    made.freeze("odd", note=PAYLOADS[2])
    with served(made) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=chromium.executable(), args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def page(site: Served, browser: Browser, heard: Heard) -> Iterator[Page]:
    client = site.local()
    context = browser.new_context()
    context.add_cookies([{"name": one.name, "value": one.value or "", "url": site.base} for one in client.cookies.jar])
    context.add_init_script(LISTENER)
    made = context.new_page()

    def dialog(shown: Dialog) -> None:
        heard.dialogs.append(shown.message)
        shown.dismiss()

    def request(sent: Request) -> None:
        if not sent.url.startswith(site.base):
            heard.elsewhere.append(sent.url)

    made.on("dialog", dialog)
    made.on("request", request)
    yield made
    context.close()


def paths(site: Served) -> list[str]:
    """Every page, in states that show names from the records."""
    records = "/records?address=" + quote("volume?unit=responses", safe="")
    return [
        "/",
        "/funnel?by=lead_source",
        f"/funnel?where=lead_source={quote(PAYLOADS[1], safe='')}",
        "/velocity",
        "/influence",
        "/trust",
        "/trust/finding/owner-inactive",
        "/trust/diff?before=odd&after=current",
        f"/search?q={quote(PAYLOADS[1], safe='')}",
        "/search?q=alert",
        f"/journey/{record_id('Contact', 2)}",
        f"/deal/{record_id('Opportunity', 2)}",
        "/definitions",
        "/boards",
        "/boards/odd",
        "/boards/odd/edit",
        f"/boards/add?ask=volume&title={quote(PAYLOADS[1], safe='')}",
        "/models",
        f"/models/new?x={quote(PAYLOADS[1], safe='')}",
        "/data",
        records,
        "/explain?address=" + quote("volume#count@stage=Won", safe=""),
        f"/funnel?unit={quote(PAYLOADS[0], safe='')}&{quote(PAYLOADS[1], safe='')}=1",
    ]


def test_nothing_of_a_payload_comes_alive(site: Served, page: Page, heard: Heard) -> None:
    opened = 0
    for path in paths(site):
        answer = page.goto(site.base + path)
        assert answer is not None
        assert answer.status in (200, 400), f"{path}: {answer.status}"
        opened += answer.status == 200
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        page.emulate_media(media="print")
        heard.stopped += [f"{path}: {one}" for one in page.evaluate("window.stopped")]
        heard.foreign += [f"{path}: {one}" for one in page.evaluate(FOREIGN)]
        page.emulate_media(media="screen")
    assert opened > 18
    assert not heard.all, "\n".join(heard.all[:20])


def test_the_guards_hear(site: Served, page: Page, heard: Heard) -> None:
    page.goto(site.base + "/data")
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=//evil.example/x.png onerror=alert(1)><iframe></iframe>')"
    )
    page.evaluate("setTimeout(() => alert(1), 0)")
    page.wait_for_timeout(200)
    assert page.evaluate("window.stopped")
    assert page.evaluate(FOREIGN)
    assert heard.dialogs


def test_no_payload_stands_unescaped_in_any_story(site: Served) -> None:
    client = site.local()
    risky = [one for one in PAYLOADS if "<" in one]
    shown = 0
    searches = [f"/search?q={quote(one, safe='')}" for one in PAYLOADS[:ROWS]]
    # A deal is told under every model, which takes longer than all else here.
    deals = [f"/deal/{record_id('Opportunity', at)}" for at in range(0, ROWS, 7)]
    for path in (*searches, *deals):
        text = text_of(client, path)
        shown += "&lt;" in text or "&#34;" in text
        assert not [one for one in risky if one in text], path
    assert shown > len(searches) // 2


def text_of(client: httpx.Client, path: str) -> str:
    answer = client.get(path)
    # A payload with the sign of an e-mail address is the address of a person of this org.
    assert answer.status_code in (200, 303), urlsplit(path).path
    return answer.text
