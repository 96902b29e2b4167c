"""`make bench-web`: answer times of the dashboard while people read it; figures, not a test.

Each reader opens a page, thinks for 0.2 to 1 s, and opens the next. The server runs in this
process' own thread, so the readers take part of the machine as well.
"""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import time
from dataclasses import dataclass, field

import httpx
import psutil

from tools.dashboard_pictures import running

SECONDS = 30.0
THINK_S = (0.2, 1.0)
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


@dataclass
class Seen:
    """Seconds of every answer, and answers that were none."""

    seconds: list[float] = field(default_factory=list)
    errors: int = 0

    def at(self, share: float) -> float:
        """The time below which this share of the answers came."""
        ranked = sorted(self.seconds)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


async def read(client: httpx.AsyncClient, seed: int, until: float, seen: Seen) -> None:
    """One reader."""
    choice = random.Random(seed)
    while time.monotonic() < until:
        began = time.monotonic()
        answer = await client.get(choice.choice(PAGES))
        seen.seconds.append(time.monotonic() - began)
        seen.errors += answer.status_code != 200
        await asyncio.sleep(choice.uniform(*THINK_S))


async def readers(base: str, cookies: httpx.Cookies, count: int) -> Seen:
    """Many readers with one session, for a while."""
    seen, until = Seen(), time.monotonic() + SECONDS
    async with httpx.AsyncClient(base_url=base, cookies=cookies, timeout=60) as client:
        await asyncio.gather(*(read(client, seed, until, seen) for seed in range(count)))
    return seen


def sign_in(base: str, door: str) -> httpx.Cookies:
    """The cookies of whoever started the server."""
    with httpx.Client(base_url=base, timeout=60) as client:
        page = client.get(door)
        token = page.text.partition('name="csrf" value="')[2].partition('"')[0]
        client.post("/start", data={"code": door.partition("code=")[2], "csrf": token})
        for path in PAGES:
            began = time.monotonic()
            client.get(path)
            print(f"cold {time.monotonic() - began:6.2f} s  {path}")
        return client.cookies


def main() -> None:
    """Print p50, p95, p99, errors and memory for each number of readers."""
    counts = [int(text) for text in sys.argv[2:]] or [1, 20]
    process = psutil.Process()
    with running(sys.argv[1]) as (base, door):
        cookies = sign_in(base, door)
        for count in counts:
            seen = asyncio.run(readers(base, cookies, count))
            p50, p95, p99 = (1000 * seen.at(share) for share in (0.5, 0.95, 0.99))
            memory = process.memory_info().rss / 1024**2
            print(
                f"{count:3} readers: {len(seen.seconds)} answers, p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms, "
                f"{seen.errors} errors, {memory:.0f} MB, {threading.active_count()} threads"
            )


if __name__ == "__main__":
    main()
