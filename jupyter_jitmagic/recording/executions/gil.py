"""The GIL soon, for the thread that looks for an end while the caller computes.

A thread that wants the GIL asks for it after `sys.getswitchinterval()`, 5 ms. Where a caller computes from call to call and
its executions are short, it has made its next call by then and nobody knows when the result had come. So of such callers a few
calls now and then are looked at with a short interval: from the moment in which one is handed over until its end is seen or its
caller is back, whichever is first. Nothing else makes a thread ask sooner, and it is the whole process's. Where someone else
has set it meanwhile, theirs stays. Who reads it meanwhile, to set it again later, sets ours: so that is a number that nobody
else would choose, and wherever it is met at another time it is taken for the one of before.
"""

from __future__ import annotations

import sys
import threading

SHORT_S = 1.3e-5
SLACK_S = 8e-5
"""By so much more than the interval a thread waits before it asks: Linux wakes it some 50 µs late, and it needs a moment."""

_lock = threading.RLock()
_short: tuple[object, float] | None = None
"""While the interval is short: for whom, and the one of before."""
_before: float | None = None
"""The one of before the latest time."""
_set_by_others: object = None
"""For whom it was short when someone else set it."""


def _is_ours() -> bool:
    return abs(sys.getswitchinterval() - SHORT_S) < 5e-7  # it is kept in whole microseconds


def _has_gil() -> bool:
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def shorten(whom: object) -> bool:
    """Have threads ask soon from now on, for this one's sake; False where they do already. Never waits for another thread."""
    global _short, _before
    if not _has_gil() or not _lock.acquire(blocking=False):
        return False
    try:
        put_back()
        now = sys.getswitchinterval()
        if _short is not None or now <= 2 * SHORT_S:
            return False
        _short, _before = (whom, now), now
        sys.setswitchinterval(SHORT_S)
    finally:
        _lock.release()
    return True


def restore(whom: object = None) -> None:
    """As it was before, if it is short for this one's sake (None: anyone's). May be called at any time."""
    global _short, _set_by_others
    if _short is None:
        return
    with _lock:
        if _short is not None and (whom is None or whom is _short[0]):
            if _is_ours():
                sys.setswitchinterval(_short[1])
            else:
                _set_by_others = _short[0]
            _short = None


def put_back() -> None:
    """Where someone has read our interval and set it again since: as it was before. Never waits for another thread."""
    if _before is None or _short is not None or not _lock.acquire(blocking=False):
        return
    try:
        if _short is None and _is_ours():
            sys.setswitchinterval(_before)
    finally:
        _lock.release()


def was_short(whom: object) -> bool:
    """Whether it was short for this one's sake for all the time until its end was seen, or its caller was back."""
    with _lock:
        if _short is not None and _short[0] is whom:
            return _is_ours()
        return _set_by_others is not whom


def after_fork() -> None:
    """Another thread may have been here when the child was made."""
    global _lock
    _lock = threading.RLock()
    restore()
