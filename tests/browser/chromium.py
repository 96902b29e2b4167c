"""Debian's Chromium without a window, spoken to in the DevTools protocol over a pair of pipes.

No driver, no port and no package: messages are JSON with a zero byte behind each, on the file
descriptors 3 (to the browser) and 4 (from it).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)


class BrowserError(AssertionError):
    """The browser is not there, ended, or refused a command."""


def executable() -> str:
    """Path of the browser.

    Raises:
        BrowserError: there is none; the tests fail, they are never skipped.
    """
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise BrowserError("Chromium is not installed (looked for: " + ", ".join(NAMES) + "). apt-get install chromium")
    return found


class Page:
    """One page of a browser of its own; closed with the `with` around it.

    Attributes:
        events: everything the browser said of the page, as (method, params).
    """

    def __init__(self, profile: Path) -> None:
        self._profile = profile
        self._number = 0
        self._buffer = b""
        self._session: str | None = None
        self.events: list[tuple[str, dict[str, Any]]] = []

    def __enter__(self) -> Self:
        to_read, self._to = os.pipe()
        self._from, from_write = os.pipe()
        command = [executable(), *ARGUMENTS, f"--user-data-dir={self._profile}", "about:blank"]
        # The browser wants exactly 3 and 4; a shell puts the ends of the pipes there.
        shell = f'exec "$@" 3<&{to_read} 4>&{from_write}'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "bash", *command],
            pass_fds=(to_read, from_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(from_write)
        target = self._page_target()
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)
        os.close(self._to)
        os.close(self._from)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result.

        Raises:
            BrowserError: the browser refused it or ended.
        """
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session and not method.startswith("Target."):
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                found: dict[str, Any] = answer["result"]
                return found
            self.events.append((answer["method"], answer.get("params", {})))

    def open(self, url: str) -> None:
        """Go to an address and wait until everything has loaded."""
        self.events.clear()
        self.call("Page.navigate", url=url)
        while not any(method == "Page.loadEventFired" for method, _ in self.events):
            answer = self._next()
            self.events.append((answer.get("method", ""), answer.get("params", {})))

    def ask(self, expression: str) -> Any:
        """The value of an expression of JavaScript in the page.

        Raises:
            BrowserError: it threw.
        """
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(json.dumps(answer["exceptionDetails"])[:500])
        return answer["result"].get("value")

    def size(self, width: int, height: int) -> None:
        """The size of the window in CSS pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, kind: str = "", scheme: str = "light") -> None:
        """What the page is shown for: "print" or the screen, in a light or dark setting."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=kind, features=features)

    def _page_target(self) -> str:
        while True:
            infos = self.call("Target.getTargets")["targetInfos"]
            for info in infos:
                if info["type"] == "page":
                    return str(info["targetId"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            piece = os.read(self._from, 1 << 16)
            if not piece:
                raise BrowserError(f"the browser has ended with exit code {self._process.wait(timeout=30)}")
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(line)
        return found
