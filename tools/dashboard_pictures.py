"""`make screenshots`: every page of the dashboard in both themes and as print, from the demo workspace."""

from __future__ import annotations

import io
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

from leadline import workspace
from leadline.config import ServeSettings
from leadline.web.serving import listening, server
from leadline.web.site import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

BROWSER = "/usr/bin/chromium"
WIDTH, HEIGHT = 1360, 850
PAPER = 1032
"""Pixels across a sheet of A4 on its side, without margins."""

NUMBER = "volume%23count%40stage%3DMQL"
PAGES = {
    "overview": "/",
    "funnel": "/funnel",
    "velocity": "/velocity",
    "influence": "/influence",
    "trust": "/trust",
    "records": f"/records?address={NUMBER}",
    "explanation": f"/explain?address={NUMBER}",
    "search": "/search?q=webinar",
    "definitions": "/definitions",
    "boards": "/boards",
    "data": "/data",
    "custom-points": "/models/new",
}
"""File name → page."""

LINKED = {"deal": ("/influence", "/deal/"), "journey": ("/velocity", "/journey/")}
"""File name → the page with a link to it, and how that link begins."""


@contextmanager
def running(folder: str) -> Iterator[tuple[str, str]]:
    """A dashboard on a free port: its address and the path that lets one in."""
    made = listening("127.0.0.1", 0)
    port = made.getsockname()[1]
    site = Site(workspace.open(folder), ServeSettings(), port)
    at_work = server(site)
    thread = threading.Thread(target=at_work.run, kwargs={"sockets": [made]}, daemon=True)
    thread.start()
    while not at_work.started and thread.is_alive():
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}", f"/start?code={site.sessions.code()}"
    finally:
        at_work.should_exit = True
        thread.join()
        made.close()


def shot(page: Page, target: Path) -> None:
    """The whole page; of 256 colours, a quarter of the size and to the eye the same."""
    image = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    image.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(target, optimize=True)


def take(page: Page, base: str, name: str, path: str, folder: Path) -> None:
    """One page in both themes, and as it prints."""
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    for scheme in ("light", "dark"):
        page.emulate_media(media="screen", color_scheme=scheme)
        page.goto(base + path, wait_until="networkidle")
        shot(page, folder / f"{name}-{scheme}.png")
    page.set_viewport_size({"width": PAPER, "height": HEIGHT})
    page.emulate_media(media="print", color_scheme="light")
    shot(page, folder / f"{name}-print.png")


def linked(page: Page, base: str, name: str) -> str:
    """The page that another one leads to first."""
    start, beginning = LINKED[name]
    page.goto(base + start, wait_until="networkidle")
    return str(page.locator(f"a[href^='{beginning}']").first.get_attribute("href"))


def main() -> None:
    """Write the pictures of a workspace's pages into a folder; names behind it choose some."""
    folder, wanted = Path(sys.argv[2]), sys.argv[3:] or [*PAGES, *LINKED]
    folder.mkdir(parents=True, exist_ok=True)
    with running(sys.argv[1]) as (base, door), sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(base + door, wait_until="networkidle")
        for name in wanted:
            take(page, base, name, PAGES.get(name) or linked(page, base, name), folder)
        browser.close()
    if said:
        sys.exit("the console said:\n" + "\n".join(said))


if __name__ == "__main__":
    main()
