"""Large arrays that a trace has put into a program as constants: closures and globals that might be arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CellType, FunctionType
from typing import Any, NamedTuple

import jax
import numpy as np

from jupyter_jitmagic.base.jax_internals import JitOptions
from jupyter_jitmagic.by_line.equations import equations_of
from jupyter_jitmagic.by_line.hlo import Place
from jupyter_jitmagic.recording.calls.examples import Example
from jupyter_jitmagic.sandbox.rerun import Effect, OutOfTime, Reach, rerun, undoing


class Constant(NamedTuple):
    """An array in a program: its size in bytes, JAX's short type, the first line that uses it, and the user's name of it."""

    bytes: int
    type: str
    place: Place | None
    name: str
    value: Any


LARGE = 16 * 2**20
"""Bytes from which on a constant is worth a line: XLA reads, folds and keeps it with every program."""


def large_constants(jaxpr: Any, fun: Callable[..., Any], is_users: Callable[[str], bool]) -> Iterator[Constant]:
    """The large constants of a closed jaxpr of `fun`, the largest first."""
    inner = getattr(jaxpr, "jaxpr", jaxpr)
    found = [(variable, value) for variable, value in zip(inner.constvars, jaxpr.consts, strict=False) if _size(value) >= LARGE]
    if not found:
        return
    users: dict[Any, Place] = {}
    for equation, stack in equations_of(inner, is_users):
        for variable in equation.invars:
            if stack and not hasattr(variable, "val"):
                users.setdefault(variable, stack[0])
    names = list(_arrays_named(fun, set()))
    for variable, value in sorted(found, key=lambda each: -_size(each[1])):
        name = next((name for name, array in names if _is_same(array, value)), "")
        yield Constant(_size(value), variable.aval.str_short(short_dtypes=True), users.get(variable), name, value)


def traces_as_argument(
    fun: Callable[..., Any], constant: Constant, options: JitOptions, example: Example, seconds: float
) -> bool:
    """Whether the function traces with this array as an argument of its own in the place of its name, and no program of it
    holds the array then: seen by tracing a copy. False where its values are needed, or where a helper names it as well."""
    plain = fun
    while hasattr(plain, "__wrapped__"):
        plain = plain.__wrapped__
    if type(plain) is not FunctionType or not constant.name:
        return False

    def with_argument(array: Any, /, *args: Any, **kwargs: Any) -> Any:
        return _naming(plain, constant.name, array)(*args, **kwargs)

    nums = tuple(num + 1 for num in options.static_argnums if num >= 0)
    array = jax.ShapeDtypeStruct(constant.value.shape, constant.value.dtype)

    def trace() -> Any:
        jitted = jax.jit(with_argument, static_argnums=nums, static_argnames=tuple(options.static_argnames))
        return jitted.trace(array, *example.args, **example.kwargs)

    try:
        with undoing(Reach(plain)):
            consts = rerun(trace, seconds).jaxpr.consts
    except (Exception, OutOfTime, Effect):  # the user's code says no, or cannot be run once more
        return False
    return not any(_is_same(constant.value, each) for each in consts)


def _naming(fun: FunctionType, name: str, value: Any) -> FunctionType:
    """A copy of the function in which this name, of its closure or its module, stands for `value`."""
    closure = fun.__closure__
    space = fun.__globals__
    if name in fun.__code__.co_freevars:
        cells = zip(fun.__code__.co_freevars, closure or (), strict=True)
        closure = tuple(CellType(value) if each == name else cell for each, cell in cells)
    else:
        space = {**space, name: value}
    made = FunctionType(fun.__code__, space, fun.__name__, fun.__defaults__, closure)
    made.__kwdefaults__ = fun.__kwdefaults__
    return made


def _is_same(named: Any, constant: Any) -> bool:
    """Whether a constant is this array: itself, or NumPy's of which JAX took a view."""
    if isinstance(named, np.ndarray) and isinstance(constant, np.ndarray):
        return named.shape == constant.shape and np.may_share_memory(named, constant)
    return named is constant


def _size(value: Any) -> int:
    return int(getattr(value, "nbytes", 0) or 0)


def _arrays_named(fun: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """The arrays that a function reads by a name of its own or of its module, those of the functions it names included."""
    while hasattr(fun, "__wrapped__"):
        fun = fun.__wrapped__
    code = getattr(fun, "__code__", None)
    if code is None or id(fun) in seen:
        return
    seen.add(id(fun))
    space = fun.__globals__
    values = {name: space[name] for name in code.co_names if name in space}
    for name, cell in zip(code.co_freevars, fun.__closure__ or (), strict=False):
        try:
            values[name] = cell.cell_contents
        except ValueError:  # not filled yet
            continue
    for name, value in values.items():
        if hasattr(value, "nbytes"):
            yield name, value
        elif callable(value) and hasattr(value, "__code__"):
            yield from _arrays_named(value, seen)
