"""`make bench-web`: answer times of the dashboard while people read it; figures, not a test.

The server is a process of its own, as people start it. Each reader opens a page, thinks for 0.2 to
1 s, and opens the next; meanwhile another process may publish again and again. Readers, server and
publisher share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

THINK_S = (0.2, 1.0)
AIMS_MS = {20: (500, 1500), 50: (1000, 3000)}
"""Readers → p95 and p99 aimed at."""
FILTER_AIM_MS = 500
PAGES = (
    "/",
    "/funnel",
    "/velocity",
    "/influence",
    "/funnel?view=entered",
    "/funnel?where=campaign_type=Webinar",
    "/velocity?where=campaign_type=Email",
    "/?where=campaign_type=Webinar",
)
NEVER_ASKED = tuple(
    f"{path}?where={where}"
    for where in ("campaign_type=Trade+Show", "campaign_type=Paid+Search", "lead_source=Web", "campaign_type=Email")
    for path in ("/", "/funnel", "/velocity", "/influence")
)
"""Pages that nobody has asked for: a change of the filter."""
LOOK_BACK = re.compile(r"look_back_days = \d+")


@dataclass
class Seen:
    """Seconds of every answer, bytes on the wire, and answers that were none."""

    seconds: list[float] = field(default_factory=list)
    errors: int = 0

    def ms(self, share: float) -> float:
        """Milliseconds below which this share of the answers came."""
        ranked = sorted(self.seconds)
        return 1000 * ranked[min(len(ranked) - 1, int(share * len(ranked)))]


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[str, str, psutil.Process]]:
    """A dashboard in a process of its own: its address, the path that lets one in, and the process."""
    command = [sys.executable, "-m", "leadline", "serve", "--workspace", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None  # a pipe was asked for
        told = ""
        while not (found := re.search(r"(http://[^\s/]+)(/start\?code=\S+)", told)):
            line = server.stdout.readline()
            if not line:
                sys.exit(f"the dashboard did not begin:\n{told}")
            told += line
        try:
            yield found[1], found[2], psutil.Process(server.pid)
        finally:
            server.terminate()


def sign_in(base: str, door: str) -> httpx.Cookies:
    """The cookies of whoever started the server."""
    with httpx.Client(base_url=base, timeout=120) as client:
        page = client.get(door)
        token = page.text.partition('name="csrf" value="')[2].partition('"')[0]
        client.post("/start", data={"code": door.partition("code=")[2], "csrf": token})
        return client.cookies


def cold(base: str, cookies: httpx.Cookies, pages: tuple[str, ...], headers: dict[str, str]) -> Seen:
    """Each page once, one after the other."""
    seen = Seen()
    with httpx.Client(base_url=base, cookies=cookies, timeout=120, headers=headers) as client:
        for path in pages:
            began = time.monotonic()
            answer = client.get(path)
            seen.seconds.append(time.monotonic() - began)
            seen.errors += answer.status_code != 200
    return seen


async def read(client: httpx.AsyncClient, seed: int, until: float, seen: Seen) -> None:
    """One reader."""
    choice = random.Random(seed)
    while time.monotonic() < until:
        began = time.monotonic()
        answer = await client.get(choice.choice(PAGES))
        seen.seconds.append(time.monotonic() - began)
        seen.errors += answer.status_code != 200
        await asyncio.sleep(choice.uniform(*THINK_S))


async def readers(base: str, cookies: httpx.Cookies, count: int, seconds: float) -> Seen:
    """Many readers with one session, for a while."""
    seen, until = Seen(), time.monotonic() + seconds
    async with httpx.AsyncClient(base_url=base, cookies=cookies, timeout=60) as client:
        await asyncio.gather(*(read(client, seed, until, seen) for seed in range(count)))
    return seen


@contextlib.contextmanager
def publishing(folder: Path, every: float) -> Iterator[list[float]]:
    """Publish again and again in a process of its own, with a setting changed each time; when each began."""
    if not every:
        yield []
        return
    script = (
        "import pathlib, re, subprocess, sys, time\n"
        "place, every, at = pathlib.Path(sys.argv[1]) / 'leadline.toml', float(sys.argv[2]), 0\n"
        "while True:\n"
        "    at += 1\n"
        "    text = re.sub(r'look_back_days = \\d+', f'look_back_days = {60 + at % 30}', place.read_text())\n"
        "    place.write_text(text)\n"
        "    began = time.monotonic()\n"
        "    subprocess.run([sys.executable, '-m', 'leadline', 'build', '--workspace', sys.argv[1]], check=True,\n"
        "                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "    print(time.monotonic() - began, flush=True)\n"
        "    time.sleep(max(0.0, every - (time.monotonic() - began)))\n"
    )
    took: list[float] = []
    with subprocess.Popen(
        [sys.executable, "-c", script, str(folder), str(every)], stdout=subprocess.PIPE, text=True
    ) as publisher:
        try:
            yield took
        finally:
            publisher.terminate()
            assert publisher.stdout is not None  # a pipe was asked for
            took += [float(line) for line in publisher.stdout.read().split()]


def report(name: str, seen: Seen, process: psutil.Process, aims: tuple[int, int] | None) -> None:
    """One line of figures."""
    p50, p95, p99 = (seen.ms(share) for share in (0.5, 0.95, 0.99))
    ratio = f" ({p95 / aims[0]:.2f} and {p99 / aims[1]:.2f} of the aims)" if aims else ""
    memory = process.memory_info().rss / 1024**2
    print(
        f"{name}: {len(seen.seconds)} answers, p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms{ratio}, "
        f"{seen.errors} errors, {memory:.0f} MB, {process.num_threads()} threads, "
        f"{sum(process.cpu_times()[:2]):.0f} s CPU",
        flush=True,
    )


def warmed(base: str, cookies: httpx.Cookies) -> float:
    """Seconds until the server has worked out what everybody opens, and the first page comes within 0.1 s."""
    began = time.monotonic()
    with httpx.Client(base_url=base, cookies=cookies, timeout=120) as client:
        while True:
            at = time.monotonic()
            client.get("/influence")
            if time.monotonic() - at < 0.1:
                return time.monotonic() - began
            time.sleep(0.2)


def main() -> None:
    """Print figures for each number of readers."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("folder", type=Path, help="a workspace; a copy of it is served")
    asked.add_argument("users", nargs="*", type=int, default=[1, 20, 50])
    asked.add_argument("--seconds", type=float, default=30.0)
    asked.add_argument("--publish", type=float, default=0.0, help="publish every so many seconds")
    told = asked.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "served"
        shutil.copytree(told.folder, folder, ignore=shutil.ignore_patterns("export", "app.sqlite*", ".spill"))
        with serving(folder) as (base, door, process):
            cookies = sign_in(base, door)
            report("first page cold", cold(base, cookies, ("/",), {}), process, None)
            print(f"usual pages worked out {warmed(base, cookies):.1f} s later")
            report("usual pages warm", cold(base, cookies, PAGES[:4] * 5, {}), process, None)
            report("filter never asked, whole page", cold(base, cookies, NEVER_ASKED[:8], {}), process, None)
            step = {"HX-Request": "true", "X-Patience": "1"}
            first = cold(base, cookies, NEVER_ASKED[8:], step)
            report("filter never asked, first figures", first, process, (FILTER_AIM_MS, 3 * FILTER_AIM_MS))
            cold(base, cookies, PAGES, {})
            for count in told.users:
                with publishing(folder, told.publish) as took:
                    seen = asyncio.run(readers(base, cookies, count, told.seconds))
                report(f"{count} readers", seen, process, AIMS_MS.get(count))
                if took:
                    print(f"  {len(took)} publishes meanwhile, {sum(took) / len(took):.1f} s each")


if __name__ == "__main__":
    main()
