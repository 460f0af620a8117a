"""What the system's scheduler says of the calling thread: how long other things kept it from seeing that a result had come.

A thread that waits for a result is woken when it has come, and may then wait twice more before it reads a clock: for a
processor, which Linux counts in time, and for the GIL, for which it gives up the processor once more. No clock can be read in
between, but what was waited for can be told afterwards.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from typing import Any, NamedTuple

_THREAD: Any = None
with contextlib.suppress(ImportError):  # Windows
    import resource

    _THREAD = getattr(resource, "RUSAGE_THREAD", None)  # only Linux counts by thread


class Account(NamedTuple):
    """What a thread has had since it began."""

    thread: int
    kept_s: float
    """How long it could have run and had no processor."""
    cpu_s: float
    waits: int
    """How often it has given up the processor to wait."""

    @property
    def late_s(self) -> float:
        """By how much it was later than what it waited for, at most, unless it has waited for something else as well."""
        return self.kept_s + self.cpu_s

    def until(self, later: Account) -> Account:
        """What it has had from here until `later`."""
        return Account(self.thread, later.kept_s - self.kept_s, later.cpu_s - self.cpu_s, later.waits - self.waits)


class _Counts:
    """Where the system writes how long a thread has waited for a processor. Closed when the thread ends."""

    def __init__(self) -> None:
        self.thread = threading.get_native_id()
        self.file = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self.file)


class _Thread(threading.local):
    def __init__(self) -> None:
        self.counts: _Counts | None = None
        if _THREAD is not None:
            with contextlib.suppress(OSError):
                self.counts = _Counts()


_this_thread = _Thread()


def account(until_now: bool = False) -> Account | None:
    """What the calling thread has had; None where the system does not say.

    Reading the first lets other threads have the GIL, so it comes first: what it waits for then is not counted by the others.
    `until_now`: it comes last, where something ends that is to be told.
    """
    counts = _this_thread.counts
    if counts is None:
        return None
    had = (time.thread_time(), resource.getrusage(_THREAD).ru_nvcsw) if until_now else None
    _, kept, turns = os.pread(counts.file, 96, 0).split()
    if turns == b"0":  # this system counts nothing
        return None
    cpu_s, waits = had or (time.thread_time(), resource.getrusage(_THREAD).ru_nvcsw)
    return Account(counts.thread, int(kept) * 1e-9, cpu_s, waits)


TELLS = account() is not None


def after_fork() -> None:
    """The threads of a forked child are others."""
    global _this_thread
    _this_thread = _Thread()
