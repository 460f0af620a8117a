"""Garbage collected less often while an answer is looked for: traces make many objects, of which hardly one is in a cycle.

At the usual threshold, collecting takes a twelfth of an answer's time. The threshold is the process's: what somebody else
sets meanwhile stays.
"""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Iterator

SELDOM = 20_000
"""New objects between two collections of the young ones; Python's own number is 700 or 2,000."""

_lock = threading.Lock()
_before: list[tuple[int, int, int]] = []
_answers = 0


@contextlib.contextmanager
def seldom_collected() -> Iterator[None]:
    """May be nested, and entered by several threads: the last one out puts back what the first one found."""
    global _answers
    with _lock:
        _answers += 1
        found = gc.get_threshold()
        if _answers == 1 and 0 < found[0] < SELDOM:
            _before.append(found)
            gc.set_threshold(SELDOM, *found[1:])
    try:
        yield
    finally:
        with _lock:
            _answers -= 1
            if _answers == 0 and _before:
                usual = _before.pop()
                if gc.get_threshold() == (SELDOM, *usual[1:]):
                    gc.set_threshold(*usual)
