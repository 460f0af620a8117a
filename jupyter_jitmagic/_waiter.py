"""Sees executions end without blocking the caller: one thread that looks at one small output at a time.

JAX offers no completion callback. The waiter looks at `is_ready` between short sleeps, so it always knows two times: when the
result was not ready yet and when it was. The execution ended between them; a pair too far apart (the waiter had to wait for the
GIL, or looked late) is no measurement and is thrown away. Calls shorter than sleeping allows are waited for in
`block_until_ready` instead, and count only if the calling thread used next to no CPU time meanwhile.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import jax

from jupyter_jitmagic._errors import faults

TOLERANCE = 0.05
"""The end of an execution is known if it lies in an interval of at most this share of the execution's time."""

_SHORTEST_SLEEP = 5e-5
_LONGEST_SLEEP = 0.02
_BLOCK_BETWEEN = (2e-4, 4e-3)
_CPU_SHARE = 0.05

Seen = Callable[[float, float], None]
"""Called in the waiter's thread with the two times (`perf_counter`) between which the execution ended; NaNs if not seen."""


def smallest_output(out: Any) -> Any | None:
    """The array of an output whose readiness tells most cheaply that the call has ended; None if there is none to wait for."""
    if isinstance(out, jax.Array):
        return out if _can_be_watched(out) else None
    return min(filter(_can_be_watched, jax.tree_util.tree_leaves(out)), key=lambda leaf: leaf.size, default=None)


def _can_be_watched(leaf: Any) -> bool:
    """An array on a device; arrays of typed random keys, for one, do not tell whether they are ready."""
    return isinstance(leaf, jax.Array) and not isinstance(leaf, jax.core.Tracer) and hasattr(leaf, "is_ready")


class Waiter:
    """At most `depth` watches at a time; more are refused rather than queued, because held outputs slow the caller down."""

    depth = 2

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: SimpleQueue[tuple[Any, float, float | None, int | None, Seen] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self.in_flight = 0

    def watch(self, array: Any, start: float, expected_s: float | None, cpu_clock: int | None, seen: Seen) -> bool:
        """Look for the end of the execution that makes `array`; False if too many are watched already.

        Args:
            start: when the call began (`perf_counter`).
            expected_s: how long executions of this entry took before, if known.
            cpu_clock: the CPU clock of the calling thread (`cpu_clock_of_this_thread`).
        """
        with self._lock:
            if self.in_flight >= self.depth or self._stop.is_set():
                return False
            self.in_flight += 1
            if self._thread is None:
                self._start()
        self._queue.put((array, start, expected_s, cpu_clock, seen))
        return True

    def stop(self) -> None:
        """End the thread. A thread inside `block_until_ready` at interpreter exit would abort the process."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()
        self._stop.clear()
        self.in_flight = 0
        self._queue = SimpleQueue()

    def after_fork(self) -> None:
        """A forked child has no such thread."""
        self.__init__()  # type: ignore[misc]

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="jupyter_jitmagic waiter", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            item = self._queue.get()
            if item is None or self._stop.is_set():
                return
            array, start, expected_s, cpu_clock, seen = item
            del item
            before = after = float("nan")
            try:
                before, after = self._end_of(array, start, expected_s, cpu_clock)
            except Exception:  # deleted, donated, or an error of the computation: the user meets it where JAX raises it
                before = after = float("nan")
            finally:
                del array
            try:
                seen(before, after)
            except Exception as error:
                faults.report("timing an execution", error)
            del seen
            with self._lock:
                self.in_flight -= 1

    def _end_of(self, array: Any, start: float, expected_s: float | None, cpu_clock: int | None) -> tuple[float, float]:
        if expected_s is not None and _BLOCK_BETWEEN[0] <= expected_s <= _BLOCK_BETWEEN[1]:
            return _blocked_end(array, cpu_clock)
        before = time.perf_counter()
        while not array.is_ready():
            before = time.perf_counter()
            pause = min(max((before - start) * TOLERANCE / 3, _SHORTEST_SLEEP), _LONGEST_SLEEP)
            if self._stop.is_set():
                return float("nan"), float("nan")
            time.sleep(pause)
        return before, time.perf_counter()


def _blocked_end(array: Any, clock: int | None) -> tuple[float, float]:
    """The end of an execution by blocking on it: one time, if nothing can have kept this thread from noticing it."""
    if clock is None or array.is_ready():
        return float("nan"), float("nan")
    begin, used = time.perf_counter(), time.clock_gettime(clock)
    array.block_until_ready()
    end = time.perf_counter()
    if time.clock_gettime(clock) - used > _CPU_SHARE * (end - begin):
        return float("nan"), float("nan")
    return end, end


def cpu_clock_of_this_thread() -> int | None:
    """The id of a clock that counts this thread's CPU time; None where the system has none."""
    try:
        return time.pthread_getcpuclockid(threading.get_ident())
    except (AttributeError, OSError):
        return None


waiter = Waiter()
atexit.register(waiter.stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=waiter.after_fork)
