"""Functions that trace without an error and leave tracers in what outlives the trace: a global, an object, a list.

Such a value is no number: the call that left it is right, and the next that uses it fails. Looked at when something was
compiled, never per call, and only where the code can write to what it has not made. Nothing of the user's is kept.
"""

from __future__ import annotations

import dis
import functools
import time
import types
from collections.abc import Iterator
from typing import NamedTuple

import jax

from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.recording.causes.binding import named_arguments
from jupyter_jitmagic.recording.guards.captured import reached_by
from jupyter_jitmagic.recording.jitted import Jitted, Missed
from jupyter_jitmagic.usercode.held import paths_to

_LIMIT = 100
_WRITES = frozenset({"STORE_ATTR", "STORE_GLOBAL", "STORE_SUBSCR", "STORE_DEREF"})
_METHODS = frozenset({"__setattr__", "add", "append", "appendleft", "extend", "insert", "put", "setattr", "setdefault", "update"})


class LeftTracer(NamedTuple):
    """A tracer of a function (its id in the log, and its name) that outlives the trace."""

    function: int
    name: str
    holder: str
    """As "the global best", "self.total"."""
    seen_s: float
    """Unix time of the miss."""


left: list[LeftTracer] = []
"""The latest, oldest first."""


def note_miss(facts: Jitted, missed: Missed) -> None:
    """An entry was traced just now: look whether it left tracers where its code writes. An `Observer`."""
    if missed.signature.transformation:  # tracers are what such a call is given
        return
    try:
        functions = reached_by(facts.fun)
        if any(_may_write(each.__code__) for each in functions):
            found = next(_tracers(facts, missed, functions), "")
            if found:
                left.append(LeftTracer(facts.function, facts.name, found, time.time()))
                del left[:-_LIMIT]
    except Exception as error:
        faults.report("looking for tracers that a trace has left behind", error)


@functools.lru_cache(maxsize=1024)
def _may_write(code: types.CodeType) -> bool:
    """Whether the code stores something beyond its own variables, or calls what may."""
    if any(op.opname in _WRITES for op in dis.get_instructions(code)) or not _METHODS.isdisjoint(code.co_names):
        return True
    return any(isinstance(part, types.CodeType) and _may_write(part) for part in code.co_consts)


def _tracers(facts: Jitted, missed: Missed, functions: list[types.FunctionType]) -> Iterator[str]:
    for function in functions:
        for name in function.__code__.co_names:
            if name in function.__globals__:
                yield from (f"the global {name}{path}" for path in paths_to(function.__globals__[name], _is_tracer))
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
            if not _is_empty(cell):
                yield from (f"the variable {name}{path}" for path in paths_to(cell.cell_contents, _is_tracer))
    yield from (f"self{path}" for path in paths_to(getattr(facts.fun, "__self__", None), _is_tracer))
    for name, value in named_arguments(facts.fun, missed.args, missed.kwargs).items():
        yield from (f"{name}{path}" for path in paths_to(value, _is_tracer))


def _is_tracer(value: object) -> bool:
    return isinstance(value, jax.core.Tracer)


def _is_empty(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return True
    return False
