"""How long something may take: the thread's own time, so that a busy machine changes no answer, and a wall beyond it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

WAITING = 4  # the wall clock may show this many times as much: compilers work in other threads, and machines are shared
PACE = 1.0  # seconds that stand for one: on a slow machine, or in tests, all may take as many times as long
SHORTEST_WAIT = 1.0  # seconds; a thread may well stand still for longer than a short piece of work takes


class Deadline:
    """A time at which work ends.

    Example:
        >>> late = Deadline(0.5)
        >>> while not late.over():
        ...     work()
    """

    def __init__(self, seconds: float) -> None:
        now, seconds = time.perf_counter(), PACE * seconds
        self._works_until = time.thread_time() + seconds
        self._waits_until = now + max(WAITING * seconds, SHORTEST_WAIT)
        self._earliest = now + seconds

    def over(self) -> bool:
        now = time.perf_counter()
        if now < self._earliest:  # a thread works no longer than the wall's clock goes, and asking for its own time costs more
            return False
        left = self._works_until - time.thread_time()
        self._earliest = min(now + left, self._waits_until)
        return left < 0 or now > self._waits_until

    def left(self) -> float:
        """Seconds of work that are left, none below zero."""
        waits = (self._waits_until - time.perf_counter()) / WAITING
        return max(0.0, min(self._works_until - time.thread_time(), waits)) / PACE

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """What is done in here takes nothing of the time."""
        worked, waited = time.thread_time(), time.perf_counter()
        try:
            yield
        finally:
            self._works_until += time.thread_time() - worked
            self._waits_until += time.perf_counter() - waited
