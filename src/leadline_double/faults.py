"""What goes wrong on the way: planned one by one, or drawn from a seed.

Kinds, and what each does to the request it meets:

    429 500 502 503 503html 406 420   an answer of the edge; the request was not carried out
    concurrent, daily                 403 REQUEST_LIMIT_EXCEEDED, told apart by the message only
    query_timeout                     400 QUERY_TIMEOUT
    expire_token                      every session ends; 401
    expire_locator                    the cursor of a query is gone; 400 INVALID_QUERY_LOCATOR
    job_failed                        the job that is asked for has failed
    not_ready                         204 where results were asked
    slow                              the answer takes `slow_seconds`
    stall                             no answer until the client gives up
    lost                              the request is carried out, the connection ends without an answer
    lost503                           the request is carried out, the answer is a 503
    cut                               the body ends in the middle; Content-Length tells
    torn                              the body ends in the middle; Content-Length does not tell
    garbage                           an HTML page with status 200
    bad_gzip                          a gzipped body that does not unpack
    short_page                        fewer rows than asked for, the rest on further pages
    repeat_page                       the locator leads to the same page once more
    no_locator                        the last page lacks its locator header instead of saying `null`
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

EDGE: Final = frozenset({"429", "500", "502", "503", "503html", "406", "420", "concurrent", "daily", "query_timeout"})
BODY: Final = frozenset({"cut", "torn", "garbage", "bad_gzip"})
PAGE: Final = frozenset({"short_page", "repeat_page", "no_locator"})
LOST: Final = frozenset({"lost", "lost503"})
KINDS: Final = EDGE | BODY | PAGE | LOST | {
    "expire_token", "expire_locator", "job_failed", "not_ready", "slow", "stall",
}  # fmt: skip
"""Every kind there is."""

SURVIVABLE: Final = KINDS - {"daily", "job_failed", "stall", "query_timeout"}
"""Kinds that a client with bounded retries gets over on its own; the default of `random`."""

_ONLY: Final = {
    "expire_locator": "/query/01g",
    "query_timeout": "/query",
    "not_ready": "/results",
    "repeat_page": "/results",
    "no_locator": "/results",
    "job_failed": "/jobs/query/",
}


@dataclass
class Planned:
    """One planned fault: for requests whose path holds `path`, after `skip` of them, `times` times."""

    kind: str
    path: str
    method: str | None
    times: int
    skip: int


class Faults:
    """The schedule of one double; `log` tells what happened: method, path, kind."""

    def __init__(self) -> None:
        self.log: list[tuple[str, str, str]] = []
        self.slow_seconds = 0.05
        self._planned: list[Planned] = []
        self._rates: dict[str, float] = {}
        self._seed: int | str = 0
        self._in_row = 0
        self._seen: Counter[str] = Counter()
        self._running: Counter[str] = Counter()

    def add(
        self, kind: str, path: str = "/services/data/", *, method: str | None = None, times: int = 1, skip: int = 0
    ) -> None:
        """Plan a fault.

        Raises:
            ValueError: there is no such kind.
        """
        if kind not in KINDS:
            raise ValueError(f"no fault is called {kind!r}; there are {', '.join(sorted(KINDS))}")
        self._planned.append(Planned(kind, path, method, times, skip))

    def random(
        self, seed: int | str, *, rate: float = 0.1, kinds: Iterable[str] = SURVIVABLE, at_most_in_row: int = 2
    ) -> None:
        """Draw faults from a seed: the same request meets the same fault, whatever else happens.

        Args:
            rate: share of requests that meet one.
            at_most_in_row: after so many on the same method and path one request passes.
        """
        chosen = sorted(kinds)
        self._rates = dict.fromkeys(chosen, rate / len(chosen))
        self._seed, self._in_row = seed, at_most_in_row

    def rates(self, seed: int | str, rates: Mapping[str, float], *, at_most_in_row: int = 2) -> None:
        """The same with a rate for each kind."""
        self._rates, self._seed, self._in_row = dict(sorted(rates.items())), seed, at_most_in_row

    def clear(self) -> None:
        """Nothing goes wrong any more; the log stays."""
        self._planned, self._rates = [], {}

    def next(self, method: str, path: str) -> str | None:
        """The fault that a request meets."""
        kind = self._from_plan(method, path) or self._drawn(method, path)
        if kind:
            self.log.append((method, path, kind))
        return kind

    def _from_plan(self, method: str, path: str) -> str | None:
        for one in self._planned:
            if one.times and one.path in path and one.method in {None, method}:
                if one.skip:
                    one.skip -= 1
                    continue
                one.times -= 1
                return one.kind
        return None

    def _drawn(self, method: str, path: str) -> str | None:
        if not self._rates or not path.startswith("/services/data/v"):
            return None
        key = f"{method} {path}"
        self._seen[key] += 1
        draw = random.Random(f"{self._seed} {key} {self._seen[key]}").random()
        for kind, rate in self._rates.items():
            draw -= rate
            if draw < 0:
                return self._allowed(key, kind, path)
        self._running[key] = 0
        return None

    def _allowed(self, key: str, kind: str, path: str) -> str | None:
        if _ONLY.get(kind, "") not in path or self._running[key] >= self._in_row:
            self._running[key] = 0
            return None
        self._running[key] += 1
        return kind
