"""Functions that ask for something of the moment (random numbers of the host, the time): jit asks once, while it traces.

Looked at once for each function, when it was compiled for the first time, and read line by line only where it names what may
ask; `jm.jit(check=True)` compares the results as well.
"""

from __future__ import annotations

import sys
import time
import types
import weakref
from collections.abc import Iterator
from typing import Any, NamedTuple

from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.base.wording import asked_once
from jupyter_jitmagic.recording.guards.captured import reached_by
from jupyter_jitmagic.recording.jitted import Jitted, Missed
from jupyter_jitmagic.usercode.held import closure_of, names_in

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
        if not any(map(_may_ask, reached_by(facts.fun))):
            return
        from jupyter_jitmagic.sandbox.purity import read_once

        found = read_once(facts.fun, missed.args, missed.kwargs)
        if found is not None:
            asking.append(Asked(facts.function, facts.name, asked_once(found.what, found.line), time.time()))
            del asking[:-_LIMIT]
    except Exception as error:
        faults.report("looking for what a function asks of the moment", error)


_MODULES = ("time", "datetime", "random", "secrets", "uuid", "numpy.random")
_NAMED = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, type)
"""What says where it comes from without code of the user's being run."""


def _may_ask(function: types.FunctionType) -> bool:
    """Whether a function names one of these modules, or what is theirs; NumPy's under NumPy itself."""
    names = names_in(function)
    for value in (*(function.__globals__.get(name) for name in names), *(value for _, value in closure_of(function))):
        homes = ["numpy.random"] if value is sys.modules.get("numpy") and "random" in names else _homes(value)
        if any(f"{home}.".startswith(f"{module}.") for home in homes for module in _MODULES):
            return True
    return False


def _homes(value: Any) -> Iterator[str]:
    """The modules that a value may come from: its own, its type's, and those of what it is bound to."""
    kind = type(value)
    yield str(kind.__module__)
    if issubclass(kind, types.ModuleType):
        yield str(attribute(value, "__name__"))
    elif issubclass(kind, _NAMED) or kind.__name__ == "cython_function_or_method":
        yield str(attribute(value, "__module__"))
        if (owner := attribute(value, "__self__")) is not None and not issubclass(kind, type):
            yield from _homes(owner)
