"""Arrays that are declared static, which they cannot be: the call with them traced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from jupyter_jitmagic.diagnosis.call.calls import Argument, Call, bind
from jupyter_jitmagic.diagnosis.statics.search import call_error
from jupyter_jitmagic.diagnosis.types import Diagnosis, Kind
from jupyter_jitmagic.sandbox.results import number_kind

MOST_NUMBERS = 8  # of a shape, or of axes
Ask = Callable[[Call], Diagnosis]
"""The diagnosis of another call, in the time that is left."""


def declared_arrays(call: Call) -> list[Argument]:
    """The arguments that are declared static and are arrays, or hold nothing but what jit can trace and arrays among it."""
    return [each for each in call.arguments if each.name in call.declared and each.has_array and not each.bad_leaves]


def with_them_traced(call: Call, arrays: list[Argument], ask: Ask) -> Diagnosis:
    """What is to be done: they are traced, and what else the call needs then; or, of a size, a number of Python's is passed.

    Nothing of the inner answer but its words is given on: its fixes are of a jit that does not declare these.
    """
    names = frozenset(each.name for each in arrays)
    numbers = {each.name: each.value.item() for each in arrays if _is_number(each.value)}
    inner = ask(replace(call, declared=call.declared - names))
    listed = _and([f"`{name}`" for name in sorted(names)])
    one = len(arrays) == 1
    what = "an array" if any(isinstance(each.value, jax.Array) for each in arrays) else "a pytree with arrays"
    reason = f"{listed} {f'is declared static, and is {what}' if one else 'are declared static, and hold arrays'}, which "
    reason += f"{'has' if what == 'an array' and one else 'have'} no hash: leave {'it' if one else 'them'} traced. "
    traces, names_held = True, tuple[str, ...]()
    if inner.kind == "traces":
        reason += "With that the call traces."
        names_held = call.static_names()[0] and tuple(each for each in call.static_names()[0] if each not in names)
    elif numbers and len(numbers) == len(names) and _traces_with(call, numbers):
        given = ", ".join(f"`{type(value).__name__}({name})`" for name, value in numbers.items())
        reason = f"{reason.partition(': leave')[0]}: pass {given}, and the call traces; each new value compiles again."
    elif inner.kind == "static" and inner.static_argnames:
        names_held = inner.static_argnames
        held = _and([f"`{name}`" for name in names_held])
        reason += f"With {held} static in {'its' if one else 'their'} place the call traces; each new value compiles again."
    else:
        traces = False
        reason += "What the call needs beside that is told when it runs so."
    kind: Kind = "static" if names_held else "not_staticness"
    undeclared = tuple(sorted(names)) if names_held else ()
    return Diagnosis(call.name, kind, names_held, sites=inner.sites, reason=reason, verified=traces, undeclared=undeclared)


def as_settings(call: Call, names: frozenset[str], static: frozenset[str]) -> str:
    """A sentence on arrays of a few whole numbers that decide what jit has to know (a size, an axis, a shape): as numbers of
    Python's they could be static. "" where they are none, or the call does not trace with these."""
    values = {each.name: each.value for each in call.arguments if each.name in names}
    if not names or not all(map(_holds_whole_numbers, values.values())):
        return ""
    plain = {name: value.tolist() if value.ndim == 0 else tuple(value.tolist()) for name, value in values.items()}
    args, kwargs = call.with_values(plain)
    if call_error(bind(call.fun, args, kwargs, call.declared), static | names, 2.0) is not None:
        return ""
    given = [f"`{type(each).__name__}({name}{'' if values[name].ndim == 0 else '.tolist()'})`" for name, each in plain.items()]
    listed = _and([f"`{name}`" for name in plain])
    what, them = ("is a setting", "it") if len(plain) == 1 else ("are settings", "them")
    return f"Where {listed} {what} and no data, pass {_and(given)} and make {them} static: with that the call traces."


def _holds_whole_numbers(value: Any) -> bool:
    known = isinstance(value, jax.Array | np.ndarray) and not isinstance(value, jax.core.Tracer)
    whole = known and number_kind(value.dtype) in "ib"  # (a random key's dtype is not one of NumPy's)
    return whole and value.ndim < 2 and value.size <= MOST_NUMBERS


def _is_number(value: object) -> bool:
    return isinstance(value, jax.Array) and value.ndim == 0 and not isinstance(value, jax.core.Tracer)


def _traces_with(call: Call, numbers: dict[str, object]) -> bool:
    args, kwargs = call.with_values(numbers)
    return call_error(bind(call.fun, args, kwargs, call.declared), frozenset(), 2.0) is None


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
