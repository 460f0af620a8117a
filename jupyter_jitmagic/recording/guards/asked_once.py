"""Functions that ask for something of the moment (random numbers of the host, the time): jit asks once, while it traces.

Looked at once for each function, when it was compiled for the first time; `jm.jit(check=True)` compares the results as well.
"""

from __future__ import annotations

import time
import weakref
from typing import NamedTuple

from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.base.wording import asked_once
from jupyter_jitmagic.recording.jitted import Jitted, Missed

_LIMIT = 100


class Asked(NamedTuple):
    """A function that asks, and a sentence that says so."""

    function: int
    name: str
    said: str
    seen_s: float
    """Unix time of the first miss."""


asking: list[Asked] = []
"""The latest, oldest first."""
_looked_at: weakref.WeakSet[Jitted] = weakref.WeakSet()


def note_miss(facts: Jitted, missed: Missed) -> None:
    """A function was traced just now. An `Observer`."""
    if facts in _looked_at:
        return
    _looked_at.add(facts)
    try:
        from jupyter_jitmagic.sandbox.purity import read_once

        found = read_once(facts.fun, missed.args, missed.kwargs)
        if found is not None:
            asking.append(Asked(facts.function, facts.name, asked_once(found.what, found.line), time.time()))
            del asking[:-_LIMIT]
    except Exception as error:
        faults.report("looking for what a function asks of the moment", error)
