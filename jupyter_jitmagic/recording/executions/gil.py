"""The GIL soon, for the thread that looks for an end while the caller computes.

A thread that wants the GIL asks for it after `sys.getswitchinterval()`, 5 ms. Where a caller computes from call to call and
its executions are short, it has made its next call by then and nobody knows when the result had come. So of such callers a few
calls now and then are looked at with a short interval: from the moment in which one is handed over until its end is seen or its
caller is back, whichever is first. The interval is the whole process's. Where someone else has set it meanwhile, theirs stays.
"""

from __future__ import annotations

import sys
import threading

SHORT_S = 1e-5
SLACK_S = 8e-5
"""By so much more than the interval a thread waits before it asks: Linux wakes it some 50 µs late, and it needs a moment."""

_lock = threading.RLock()
_short: tuple[object, float] | None = None
"""While the interval is short: for whom, and the one of before."""


def shorten(whom: object) -> bool:
    """Have threads ask soon from now on, for this one's sake; False where they do already. Never waits for another thread."""
    global _short
    if not _lock.acquire(blocking=False):
        return False
    try:
        now = sys.getswitchinterval()
        if _short is not None or now <= 2 * SHORT_S:
            return False
        _short = whom, now
        sys.setswitchinterval(SHORT_S)
    finally:
        _lock.release()
    return True


def restore(whom: object = None) -> None:
    """As it was before, if it is short for this one's sake (None: anyone's). May be called at any time."""
    global _short
    if _short is None:
        return
    with _lock:
        if _short is not None and (whom is None or whom is _short[0]):
            if abs(sys.getswitchinterval() - SHORT_S) < SHORT_S / 10:
                sys.setswitchinterval(_short[1])
            _short = None


def after_fork() -> None:
    """Another thread may have been here when the child was made."""
    global _lock
    _lock = threading.RLock()
    restore()
