"""Running the user's function without the user noticing, and not for longer than it may: the one door for it.

What it prints and warns of is swallowed, what it changes is put back after each run, and it is stopped before it does what
cannot be put back (`Effect`) or when its time is up (`OutOfTime`).
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from jupyter_jitmagic.base.jax_internals import keep_trace, whole_tracebacks
from jupyter_jitmagic.sandbox.effects import Effect, stopped_at_effects
from jupyter_jitmagic.sandbox.limit import OutOfTime, limited, time_left, unhurried
from jupyter_jitmagic.sandbox.reach import Reach
from jupyter_jitmagic.sandbox.streams import Sink, lost, swallowed

Result = TypeVar("Result")

_here = threading.local()


@contextlib.contextmanager
def undoing(reach: Reach) -> Iterator[None]:
    """What `reach` has seen is put back after every run of this thread in here.

    Raises:
        Effect: it cannot be put back.
    """
    if reach.obstacle:
        reach.put_back()
        raise Effect(reach.obstacle)
    before = getattr(_here, "reach", None)
    _here.reach = reach
    try:
        yield
    finally:
        _here.reach = before
        unhurried(reach.put_back)


def is_undoing() -> bool:
    """Whether what this thread runs for us is put back."""
    return getattr(_here, "reach", None) is not None


def rerun(work: Callable[[], Result], seconds: float = float("inf"), *, sink: Sink = lost) -> Result:
    """What `work()` gives, which runs the user's function once more; what it prints goes to `sink`.

    Raises:
        OutOfTime: it took longer than `seconds`.
        Effect: it was about to do what cannot be taken back.

    Example:
        >>> rerun(lambda: jax.jit(fun).trace(*args), seconds=1.0)
    """

    def silently() -> Result:
        reach = getattr(_here, "reach", None)
        try:
            with keep_trace(), whole_tracebacks(), swallowed(sink), stopped_at_effects():
                return contextvars.copy_context().run(limited, seconds, work)
        finally:
            if reach is not None:
                reach.put_back()

    return unhurried(silently)


__all__ = ["Effect", "OutOfTime", "Reach", "is_undoing", "limited", "rerun", "time_left", "undoing", "unhurried"]
