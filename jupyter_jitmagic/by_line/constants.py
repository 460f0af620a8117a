"""Large arrays that a trace has put into a program as constants: closures and globals that might be arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from jupyter_jitmagic.by_line.equations import equations_of
from jupyter_jitmagic.by_line.hlo import Place


class Constant(NamedTuple):
    """An array in a program: its size in bytes, JAX's short type, the first line that uses it, and the user's name of it."""

    bytes: int
    type: str
    place: Place | None
    name: str


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
        yield Constant(_size(value), variable.aval.str_short(short_dtypes=True), users.get(variable), name)


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
