"""A limit fires within its work or not at all."""

from __future__ import annotations

import contextlib
import sys
import threading
import time

import jax
import pytest

from jupyter_jitmagic.diagnosis.proof.compiling import compiled_beside
from jupyter_jitmagic.sandbox import limit
from jupyter_jitmagic.sandbox.limit import OutOfTime, limited, unhurried


def test_nothing_fires_after_work_that_ends_right_at_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of limits within another one, whose work ends about when the time is up."""
    monkeypatch.setattr(limit, "_LOOK_EVERY_S", 0.0)
    interval = sys.getswitchinterval()
    ended = {"in time": 0, "stopped": 0}

    def work(until: float) -> None:
        while time.perf_counter() < until:
            sum(range(20))

    def many(count: int) -> None:
        for number in range(count):
            until = time.perf_counter() + 1e-4
            try:
                limited(1.0, lambda until=until: work(until), wall=1e-4 + (number % 10 - 5) * 2e-6)
                ended["in time"] += 1
            except OutOfTime:
                ended["stopped"] += 1
            for _ in range(20):  # what comes late would come here
                pass

    sys.setswitchinterval(1e-5)
    try:
        for _ in range(8):
            limited(60.0, lambda: many(2000))
            many(200)  # each with a watch of its own
            if all(ended.values()):
                break
    finally:
        sys.setswitchinterval(interval)
    if not all(ended.values()):
        pytest.skip(f"on a machine with so much else to do none came to its limit right then: {ended}")


def test_who_has_a_limit_of_its_own_does_not_take_the_end_of_all_for_that() -> None:
    """Else a search would conclude from the time that nothing helps."""
    told = []

    def endless() -> None:
        while True:
            sum(range(20))

    def search() -> None:
        for _ in range(3):
            try:
                limited(30.0, endless)
            except OutOfTime:
                told.append("its own")

    with pytest.raises(OutOfTime):
        limited(60.0, search, wall=0.1)
    assert told == []


def test_what_has_to_be_put_back_is_not_stopped_by_a_limit_around_it() -> None:
    done = []

    def tidy() -> None:
        end = time.thread_time() + 0.2
        while time.thread_time() < end:
            pass
        done.append(True)

    try:
        limited(0.05, lambda: unhurried(tidy))
    except OutOfTime:
        pass
    assert done == [True]


def test_nothing_is_told_of_a_time_that_is_over_while_python_finalizes_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python would write "Exception ignored in …"; the work is stopped all the same, and other lost errors are told."""
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: told.append(unraisable.exc_type))
    hook = sys.unraisablehook

    class Slow:
        def __init__(self, *errors: Exception) -> None:
            self.errors = errors

        def __del__(self) -> None:
            for error in self.errors:
                raise error
            while True:  # the time is over here, first of all
                pass

    def work() -> None:
        Slow(ValueError())
        Slow()
        while True:
            pass

    with pytest.raises(OutOfTime):
        limited(0.05, work)
    assert told == [ValueError] and sys.unraisablehook is hook


def test_a_thread_that_compiles_is_started_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """`Thread.start` waits by a lock of Python's: stopped in there, the new thread would wait for that lock for ever."""
    whole: list[bool] = []
    start = threading.Thread.start

    def slowly(thread: threading.Thread) -> None:
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            sum(range(20))
        start(thread)
        whole.append(True)

    traced = jax.jit(lambda x: x + 1).trace(1.0)
    monkeypatch.setattr(threading.Thread, "start", slowly)
    with contextlib.suppress(OutOfTime):
        limited(5.0, lambda: compiled_beside(traced), wall=0.05)
    assert whole
