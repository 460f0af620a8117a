"""Our own use of the user's functions: what a diagnosis, a check or a measurement calls and compiles is no row of the user's.

Diagnosis says when it begins and recording asks, so neither needs to know the other.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import get_ident

threads: set[int] = set()
"""Those that are at it."""
before: list[Callable[[], None]] = []
"""What is done before own work begins."""


@contextmanager
def own_work() -> Iterator[None]:
    """What this thread calls and compiles meanwhile is ours. May be nested.

    Example:
        >>> with own_work():
        ...     step(x)  # jm.jit's step: neither a row, nor a budget's business, nor told in the panel
    """
    thread = get_ident()
    nested = thread in threads
    threads.add(thread)
    try:
        if not nested:
            for prepare in before:
                prepare()
        yield
    finally:
        if not nested:
            threads.discard(thread)


def is_own_work() -> bool:
    """Whether what this thread does is ours."""
    return get_ident() in threads


def is_any_thread_at_own_work() -> bool:
    return bool(threads)


def _after_fork() -> None:
    """A forked child has no thread but this one, and its next ones may get the numbers of others."""
    threads.intersection_update([get_ident()])


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
