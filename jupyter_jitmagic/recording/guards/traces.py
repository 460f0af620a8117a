"""What the traces of one function have read, taken just before each of them: what `keep=True` goes by.

A trace may change what it reads (``calls.append(1)``, ``global n; n += 1``), so only what was there before it tells what a new
function would compile. And JAX traces in many places (calls, ``.lower``, inside another jit, under ``grad``) and keeps each
trace for the others. So the body itself is followed: JAX is given a function that looks, calls the user's, and looks again.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any, NamedTuple

from jupyter_jitmagic.base import jax_internals as internals
from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.base.looking import attribute
from jupyter_jitmagic.recording.guards.captured import FUNCTIONS_LIMIT, Read, looks_of, reads_of
from jupyter_jitmagic.recording.guards.steady import is_steady, names_set, surroundings, unsteady_in


class Snapshot(NamedTuple):
    """All that a trace of a function would read now. `unknown` says what of it cannot be known for sure, "" if nothing."""

    reads: tuple[Read, ...]
    sets: tuple[tuple[str, Any], ...]
    """The globals that it rebinds, read or not: what a trace leaves behind is a part of what it does."""
    around: tuple[tuple[str, Any], ...]
    unknown: str

    @classmethod
    def of(cls, fun: Callable[..., Any]) -> Snapshot:
        reached: list[types.FunctionType] = []
        reads = tuple(reads_of(fun, reached))
        found = [(f, name, looks_of(f.__globals__.get(name, _NOTHING))) for f in reached for name in names_set(f.__code__)]
        around, all_seen = surroundings()
        unknown = [f"what {f.__qualname__} reads by `{name}`" for f in reached if (name := unsteady_in(f))]
        unknown += [f"what `{read.name}` is" for read in reads if not (read.exact and is_steady(read.look_up()))]
        unknown += [f"what `{name}` is" for _, name, (_, exact) in found if not exact]
        if not 0 < len(reached) < FUNCTIONS_LIMIT:
            unknown.append("which functions it calls")
        if not all_seen:
            unknown.append("how NumPy is set up")
        sets = tuple((f"{f.__qualname__}.{name}", looks) for f, name, (looks, _) in found)
        return cls(reads, sets, around, unknown[0] if unknown else "")

    def difference(self, other: Snapshot, around: bool = True) -> str:
        """What is another one in `other`, "" if all that can be seen is the same."""
        if len(self.reads) != len(other.reads):
            names = [read.name for read in self.reads], [read.name for read in other.reads]
            return next(iter(sorted(set(names[0]).symmetric_difference(names[1]))), "which names it reads")
        for mine, theirs in zip(self.reads, other.reads, strict=True):
            if (mine.name, mine.reader, mine.looks) != (theirs.name, theirs.reader, theirs.looks):
                return mine.name
        pairs = [(self.sets, other.sets), *([(self.around, other.around)] if around else [])]
        for before, now in pairs:
            if before != now:
                changed = [mine[0] for mine, theirs in zip(before, now, strict=False) if mine != theirs]
                return changed[0].rpartition(".")[2] if changed else "what it sets"
        return ""


_NOTHING = "no such name"


class Traces:
    """The traces of one function so far. `read` is what all of them have read; None if there is none or they are not alike."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Nothing that was compiled is there any more."""
        self.read: Snapshot | None = None
        self.why_not = ""
        """Why none of them can stand for a trace of a new function; "" if they can."""

    def add(self, before: Snapshot, after: Snapshot) -> None:
        """One more trace has passed."""
        changed = before.difference(after)
        if before.unknown:
            self.why_not = f"it cannot be known for sure {before.unknown}"
        elif changed:
            self.why_not = f"its trace changes {changed}"
        elif self.read is not None and (differs := self.read.difference(before)):
            self.why_not = f"its traces have read different values of {differs}"
        elif not self.why_not:
            self.read = before


def followed(fun: Callable[..., Any]) -> tuple[Callable[..., Any], Traces]:
    """A function that stands for `fun` before JAX, and what its traces read."""
    traces = Traces()

    @functools.wraps(fun)
    def traced(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        before: Any = None
        with faults.stop("looking at what a trace reads"):
            before = Snapshot.of(fun)
        out = fun(*args, **kwargs)
        with faults.stop("looking at what a trace reads"):
            if before is None:
                traces.why_not = "what its trace has read was not seen"
            else:
                traces.add(before, Snapshot.of(fun))
        return out

    return traced, traces


_CODE = followed(lambda: None)[0].__code__


def users(fun: Any) -> Any:
    """The user's function where JAX holds one that stands for it."""
    return fun.__wrapped__ if attribute(fun, "__code__") is _CODE else fun


internals.hide_frames(__file__)
