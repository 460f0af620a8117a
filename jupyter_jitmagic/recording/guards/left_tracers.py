"""Functions that trace without an error and leave tracers in what outlives the trace: a global, an object, a list.

Such a value is no number: the call that left it is right, and the next that uses it fails. Looked at when something was
compiled, never per call, and only where the code can write to what it has not made. Nothing of the user's is kept.
"""

from __future__ import annotations

import time
import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax

from jupyter_jitmagic.base.errors import faults
from jupyter_jitmagic.base.jax_internals import escaped_tracer_error, traced_when_kept
from jupyter_jitmagic.base.looking import is_a
from jupyter_jitmagic.recording.causes.binding import named_arguments
from jupyter_jitmagic.recording.guards.captured import reached_by
from jupyter_jitmagic.recording.jitted import Jitted, Missed
from jupyter_jitmagic.usercode.held import closure_of, codes_in, may_write, names_in, paths_to

_LIMIT = 100


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
        if any(may_write(each.__code__) for each in functions):
            own = {(code.co_filename, code.co_name) for each in functions for code in (each.__code__, *codes_in(each.__code__))}
            found = next(_tracers(facts, missed, functions, lambda value: _is_tracer_of(value, own)), "")
            if found:
                left.append(LeftTracer(facts.function, facts.name, found, time.time()))
                del left[:-_LIMIT]
    except Exception as error:
        faults.report("looking for tracers that a trace has left behind", error)


def left_by(error: BaseException) -> tuple[str, str, int] | None:
    """The function whose trace left the tracer that `error` met, with its file and line; None where jit did not trace it."""
    if not isinstance(error, jax.errors.UnexpectedTracerError):
        return None
    found = traced_when_kept(error)
    return found[:3] if found is not None and found[3] == "jit" else None


def _tracers(
    facts: Jitted, missed: Missed, functions: list[types.FunctionType], wanted: Callable[[Any], bool]
) -> Iterator[str]:
    """What holds such a value, as the reader would write it."""
    for function in functions:
        for name in names_in(function):
            if name in function.__globals__:
                yield from (f"the global {name}{path}" for path in paths_to(function.__globals__[name], wanted))
        for name, value in closure_of(function):
            yield from (f"the variable {name}{path}" for path in paths_to(value, wanted))
    if isinstance(facts.fun, types.MethodType):
        yield from (f"self{path}" for path in paths_to(facts.fun.__self__, wanted))
    for name, value in named_arguments(facts.fun, missed.args, missed.kwargs).items():
        yield from (f"{name}{path}" for path in paths_to(value, wanted))


def _is_tracer_of(value: Any, functions: set[tuple[str, str]]) -> bool:
    """Whether this is a tracer that one of these functions (file and name) has made: an earlier one may have left others."""
    if not is_a(value, jax.core.Tracer):
        return False
    error = escaped_tracer_error(value)
    traced = traced_when_kept(error) if error is not None else None
    return traced is not None and (traced[1], traced[0]) in functions
