"""Lanes: threads that work on questions, what a reader waits for before what is worked out ahead."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from leadline.errors import BusyError

T = TypeVar("T")

AWAITED: Final = 0
"""Somebody waits for it."""
AHEAD: Final = 1
"""Nobody waits for it yet."""


class Lanes:
    """A pool of threads with an order; what is equally urgent goes in the order it came.

    Args:
        count: threads.
        name: of the threads.
    """

    def __init__(self, count: int, name: str) -> None:
        self._ready = threading.Condition()
        self._numbers = itertools.count()
        self._waiting: list[tuple[int, int, Future[Any], Callable[[], Any]]] = []
        self._ended = False
        self._threads = [threading.Thread(target=self._work, daemon=True, name=f"{name}-{at}") for at in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[], T], urgency: int = AWAITED) -> Future[T]:
        """Have something done: AWAITED or AHEAD.

        Raises:
            BusyError: the lanes are closed.
        """
        future: Future[T] = Future()
        with self._ready:
            if self._ended:
                raise BusyError("The server is closing.")
            heapq.heappush(self._waiting, (urgency, next(self._numbers), future, work))
            self._ready.notify()
        return future

    def close(self) -> None:
        """Leave what has not begun, and wait for what has."""
        with self._ready:
            self._ended = True
            left = [future for _, _, future, _ in self._waiting]
            self._waiting.clear()
            self._ready.notify_all()
        for future in left:
            future.cancel()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._ready:
                while not self._waiting and not self._ended:
                    self._ready.wait()
                if self._ended:
                    return
                _, _, future, work = heapq.heappop(self._waiting)
            if future.set_running_or_notify_cancel():
                _settle(future, work)


def _settle(future: Future[Any], work: Callable[[], Any]) -> None:
    """Do the work; whatever it raises belongs to whoever waits for it."""
    try:
        value = work()
    except BaseException as fault:  # noqa: BLE001  (handed on, as a pool of the standard library does)
        future.set_exception(fault)
    else:
        future.set_result(value)
