"""Recursion that other code or other values make endless ends with a RecursionError, also where the user has raised Python's
limit: the stack of a thread takes some thousands of calls that go through JAX or C, and the process does not survive one more.

The limit is the process's: what somebody else sets meanwhile stays.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator

from jupyter_jitmagic.sandbox.limit import unhurried

LEVELS = 2_500
"""A call through C takes at most 3 kB (``sorted`` with a key, a ufunc of Python's), one through JAX a fifth; most stacks have
8 MB."""

_lock = threading.Lock()
_found: list[int] = []
_set = 0
_answers = 0


@contextlib.contextmanager
def recursion_limit_put_back() -> Iterator[None]:
    """At its end the limit is what it was before `not_deeper`. May be nested, and entered by several threads: the last one out
    puts it back."""
    global _answers
    with _lock:
        _answers += 1
    try:
        yield
    finally:
        with _lock:
            _answers -= 1
            if _answers == 0 and _found:
                usual = _found.pop()
                if sys.getrecursionlimit() == _set:
                    sys.setrecursionlimit(usual)


def not_deeper() -> None:
    """From here on calls go `LEVELS` deeper at most, until the end of the `recursion_limit_put_back` around."""
    unhurried(_lower)


def is_lowered() -> bool:
    """Whether a RecursionError may be ours."""
    return bool(_found)


def _lower() -> None:
    global _set
    with _lock:
        most = _depth() + LEVELS
        if not _found and sys.getrecursionlimit() > most:
            _found.append(sys.getrecursionlimit())
            _set = most
            sys.setrecursionlimit(most)


def _depth() -> int:
    frame, depth = sys._getframe(), 0
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    return depth
