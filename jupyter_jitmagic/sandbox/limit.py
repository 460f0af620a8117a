"""Work that ends in time: a function that never ends is stopped between two of Python's instructions.

One thread looks at the clock for another and raises `OutOfTime` in it. Such an error can arrive at any instruction, so the end
of a limit is one function's own loop, which goes on until the limit is off and nothing is on its way any more: it arrives
within the work that was limited, or not at all.
"""

from __future__ import annotations

import _thread
import ctypes
import sys
import threading
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from jupyter_jitmagic.sandbox import clock

Result = TypeVar("Result")

_PATIENCE = 4
_LOOK_EVERY_S = 0.04
_ENDLESS = float("inf")


class OutOfTime(BaseException):
    """The time is over. Not an Exception, so that the user's handlers do not stop it."""


class Overdue(BaseException):
    """`OutOfTime` of a limit further out: what is raised within, so that nobody there takes the end of all for its own."""


class _State(NamedTuple):
    """When the thread must have ended, by its own clock and by the wall's; whether it may be stopped just now."""

    worked: float = float("inf")
    waited: float = float("inf")
    may_stop: bool = False


class _Timekeeper:
    """One thread that looks at the clock for another: cheaper than one for each limit."""

    def __init__(self) -> None:
        self.state = _State()
        self.lock = threading.Lock()
        self.begun, self.over = threading.Event(), threading.Event()
        self.thread_id = threading.get_ident()
        self.cpu_clock = _cpu_clock(self.thread_id)

    def set(self, state: _State) -> None:
        with self.lock:  # from here on nothing is raised that the state before would have asked for
            self.state = state

    def late(self) -> bool:
        worked, waited, may_stop = self.state
        if not may_stop:
            return False
        return time.monotonic() > waited or (self.cpu_clock is not None and time.clock_gettime(self.cpu_clock) > worked)

    def run(self) -> None:
        self.begun.set()
        while not self.over.wait(_LOOK_EVERY_S):
            with self.lock:
                if self.late():
                    _raise_in(self.thread_id, OutOfTime)  # and again, where the user's code caught it


def _cpu_clock(thread_id: int) -> int | None:
    """The clock of a thread's own work, where the system has one that another thread can read."""
    find = getattr(time, "pthread_getcpuclockid", None)
    return find(thread_id) if find is not None else None


def _raise_in(thread_id: int, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), ctypes.py_object(error))


class _Untold:
    """While anything is limited: that the time was over is told by nobody where it arrived in what Python calls by itself (a
    finalizer, a callback of the collector). Errors are lost there, and this one is raised again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limits = 0
        self._kept = False
        self._tell: Callable[[sys.UnraisableHookArgs], object] = sys.__unraisablehook__

    def begin(self) -> None:
        with self._lock:
            self._limits += 1
            if self._limits == 1 and not self._kept:
                self._tell, sys.unraisablehook = sys.unraisablehook, self._heard

    def end(self) -> None:
        with self._lock:
            self._limits -= 1
            if self._limits:
                return
            self._kept = sys.unraisablehook != self._heard  # by another hook, which may call this one: it is not put in again
            if not self._kept:
                sys.unraisablehook = self._tell

    def _heard(self, unraisable: sys.UnraisableHookArgs) -> None:
        if not issubclass(unraisable.exc_type, OutOfTime):
            self._tell(unraisable)


_untold = _Untold()
_here = threading.local()


def limited(seconds: float, work: Callable[[], Result], *, wall: float | None = None) -> Result:
    """What `work()` gives. Raises `OutOfTime` where it takes longer than `seconds`, `Overdue` where a limit around it is over.
    One native call may overrun.

    Work is the thread's own time, so that a busy machine changes no answer; waiting may take four times as long, or `wall`
    seconds. May be nested, as may `unhurried`, within which nothing is stopped.

    Example:
        >>> limited(1.0, lambda: sum(range(10)))
        45
    """
    watch = getattr(_here, "watch", None)
    before = _State() if watch is None else watch.state
    seconds *= clock.PACE
    patience = seconds * (_PATIENCE if watch is None or watch.cpu_clock is not None else 1) if wall is None else wall
    worked = time.thread_time() + seconds if seconds < _ENDLESS else seconds
    waited = time.monotonic() + patience if patience < _ENDLESS else patience

    def is_over() -> bool:
        return time.monotonic() > before.waited or (before.worked < _ENDLESS and time.thread_time() > before.worked)

    if is_over():
        raise Overdue  # what is not begun need not be stopped
    try:
        return _with(_State(min(before.worked, worked), min(before.waited, waited), True), work)
    except (OutOfTime, Overdue):
        raise (Overdue if is_over() else OutOfTime) from None


def under_one_clock(work: Callable[[], Result]) -> Result:
    """What `work()` gives, without a limit: all limits within it share one thread, where each would start its own."""
    return limited(_ENDLESS, work)


def time_left() -> float:
    """Seconds until a limit around stops this thread: for what cannot be stopped once it has begun."""
    watch: _Timekeeper | None = getattr(_here, "watch", None)
    return float("inf") if watch is None else max(0.0, watch.state.waited - time.monotonic())


def unhurried(work: Callable[[], Result]) -> Result:
    """What `work()` gives, which no limit around it stops: for what has to be put back. Limits within it stop their work."""
    watch = getattr(_here, "watch", None)
    return work() if watch is None else _with(watch.state._replace(may_stop=False), work)


def _with(state: _State, work: Callable[[], Result]) -> Result:
    watch: _Timekeeper | None = getattr(_here, "watch", None)
    outermost = watch is None
    if watch is None:
        _untold.begin()
        watch = _Timekeeper()
        _thread.start_new_thread(watch.run, ())
        watch.begun.wait()  # until a thread runs, CPython takes it for the one that started it, and raises in the wrong one
        _here.watch = watch
    before = watch.state
    results: list[Result] = []
    error: BaseException | None = None
    try:
        watch.set(state)
        results.append(work())
    except BaseException as raised:
        error = raised
    while True:  # an error that is on its way arrives in here; taking it back would leave CPython 3.11 looking for it for ever
        try:
            watch.set(before)
            if outermost:
                watch.over.set()
                _here.watch = None
            for _ in range(10):
                pass
            break
        except OutOfTime:
            continue
        except KeyboardInterrupt as interrupt:
            error = interrupt
    if outermost:
        _untold.end()
    if error is not None:
        try:
            raise error
        finally:
            del error  # its traceback holds this frame
    return results[0]
