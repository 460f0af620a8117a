"""Arrays of a run that are changed in place, as NumPy's can be and JAX's cannot: what code on NumPy's arrays would give.

NumPy's arrays share their memory: `row = m[0]` is a part of `m`. What shares it with an array that was changed holds nothing
any more; a run that reads it later fails, and so gives no result that a rewrite could be compared with.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

_PARTS = frozenset(
    {"slice", "dynamic_slice", "squeeze", "expand_dims", "reshape", "transpose", "broadcast_in_dim", "rev", "split", "unstack"}
    | {"gather", "real", "imag", "convert_element_type", "device_put", "optimization_barrier"}
)
"""Operations of which NumPy's counterparts may give a part of their operand, and no copy."""
_CALLS = frozenset({"jit", "pjit"})


class ReadLater(Exception):
    """A run read what another name of an array that was changed in place holds, or may hold."""


class Shared:
    """Which arrays of a run share their memory with which."""

    def __init__(self) -> None:
        self._sharing: dict[int, list[Any]] = {}
        self._given: list[tuple[Any, Any]] = []
        self._copying = False

    @contextmanager
    def copying(self) -> Iterator[None]:
        """While this lasts what is made is a copy."""
        before, self._copying = self._copying, True
        try:
            yield
        finally:
            self._copying = before

    def given(self, arrays: Sequence[Any]) -> None:
        """The caller's own arrays."""
        self._given = [(array, array.value) for array in arrays]

    @property
    def changes_given(self) -> bool:
        """Whether one of the caller's own was changed."""
        return any(getattr(array, "value", None) is not value for array, value in self._given)

    def made(self, name: str, params: dict[str, Any], given: Sequence[Any], results: Sequence[Any]) -> None:
        """An operation gave these; what of them may be parts of what it was given shares its memory."""
        for operand, result in _passed_on(name, params, len(given), len(results)):
            self.links(given[operand], results[result])

    def links(self, array: Any, other: Any) -> None:
        """Two arrays share their memory."""
        if self._copying or not np.ndim(getattr(array, "aval", 0)) or type(array) is not type(other):
            return  # single numbers are no arrays
        both = [*self._of(array), *(each for each in self._of(other) if each is not array)]
        for each in both:
            self._sharing[id(each)] = both

    def _of(self, array: Any) -> list[Any]:
        return self._sharing.get(id(array), [array])

    @staticmethod
    def is_missed(error: BaseException) -> bool:
        """Whether a run failed where it asked for what an array holds no more."""
        return isinstance(error, AttributeError) and error.name == "value"

    def changed(self, array: Any, *, itself: bool = False) -> None:
        """An array was changed: what shares its memory holds nothing any more, nor does it `itself`, if another is in its
        place."""
        for each in self._of(array):
            if (each is not array or itself) and hasattr(each, "value"):
                del each.value  # whoever asks for it fails, at no cost to those who ask others
        self._sharing[id(array)] = [array]


def _passed_on(name: str, params: dict[str, Any], operands: int, results: int) -> Iterator[tuple[int, int]]:
    """(operand, result) for each result that may be a part of an operand."""
    if name in _PARTS:
        yield from itertools.product(range(min(operands, 1)), range(results))
    elif name in _CALLS:
        program = params["jaxpr"].jaxpr
        came: dict[Any, set[int]] = {var: {k} for k, var in enumerate(program.invars)}
        for equation in program.eqns:
            inside = [None if hasattr(var, "val") else var for var in equation.invars]
            pairs = _passed_on(equation.primitive.name, equation.params, len(inside), len(equation.outvars))
            for operand, result in pairs:
                came.setdefault(equation.outvars[result], set()).update(came.get(inside[operand], ()))
        for k, var in enumerate(program.outvars):
            yield from ((operand, k) for operand in (() if hasattr(var, "val") else sorted(came.get(var, ()))))


def chooses(index: Any) -> bool:
    """Whether an index chooses elements by a mask or by places: what it gives is a copy."""
    parts = index if type(index) is tuple else (index,)
    return any(isinstance(part, list) or len(getattr(part, "shape", ())) > 0 for part in parts)


def set_element(array: Any, index: Any, value: Any) -> None:
    """`array[index] = value` on an array of a run, as NumPy does it."""
    held = array.value.copy()
    held[plainly(index)] = plainly(value)
    array.value = held


def plainly(value: Any) -> Any:
    """An index or a value with NumPy's arrays in the place of a run's."""
    if isinstance(value, jax.core.Tracer):
        return value.asked()
    if isinstance(value, jax.Array):
        return np.asarray(value)
    if isinstance(value, slice):
        return slice(*(None if end is None else int(plainly(end)) for end in (value.start, value.stop, value.step)))
    if type(value) in (tuple, list):
        return type(value)(map(plainly, value))
    return value
